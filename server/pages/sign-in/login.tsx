import { type Context, Hono } from 'hono'
import { awaitedFor } from '../../access/awaited-codes.ts'
import type { SignedIn } from '../../access/caller.ts'
import type { RelyingParty } from '../../access/relying-party.ts'
import type { HttpParts } from '../../http/parts.ts'
import {
  awaitedCode,
  passkeyChallenge,
  setAwaitedCode,
  setCookie,
  setPasskeyChallenge,
} from '../../http/sign-in/cookie.ts'
import { beginSession } from '../../http/sign-in/visitors.ts'
import { Button, ButtonLink, TextField } from '../components/forms.tsx'
import { Alert } from '../components/parts.tsx'
import { PasskeyForm } from '../components/passkey-form.tsx'
import { attempt, checked, type Faults, Form } from '../forms.ts'
import { type Links, pathHere, withQuery } from '../links.ts'
import type { Notice } from '../notices.ts'
import { goTo, linksOf, type Render } from '../page.tsx'
import { useSite } from '../site.ts'
import { type PageEnv, visitOf } from '../visit.ts'
import { credentials, secondFactor } from './fields.ts'
import { Narrow, Otherwise } from './frame.tsx'
import { ProviderButtons } from './provider-buttons.tsx'
import { inWords } from './refusals.ts'

/** `/user/login`: the password, and in a second step the code of who has one. `/user/logout`. */
export function loginPages(parts: HttpParts, render: Render): Hono<PageEnv> {
  const links = linksOf(parts)
  const { access } = parts

  const askPassword = (c: Context<PageEnv>, next: string, { user, faults }: Asked = {}) => {
    const { visitor, notice } = visitOf(c)
    // A notice has said already what came before: a new password ends sessions too.
    const hasEnded = !faults && !visitor && !notice && c.env.browser().secret !== undefined
    return render(
      c,
      { title: 'Sign in', status: faults?.status ?? 200, headers: unstored, scripts: party() ? ['passkey'] : [] },
      access.takesPasswords ? (
        <PasswordForm next={next} user={user} faults={faults} hasEnded={hasEnded} party={party()} />
      ) : (
        <NoPasswords next={next} faults={faults} party={party()} />
      ),
    )
  }
  const askSecond = (c: Context<PageEnv>, next: string, awaited: Awaited, faults?: Faults) =>
    render(
      c,
      { title: 'Sign in', status: faults?.status ?? 200, headers: unstored, scripts: party() ? ['passkey'] : [] },
      <SecondFactorForms next={next} {...awaited} faults={faults} party={party()} />,
    )
  const party = (): RelyingParty | undefined => {
    const { party: found } = parts.passkeys
    return typeof found === 'object' ? found : undefined
  }
  const awaitedOf = async (c: Context<PageEnv>): Promise<Awaited | undefined> => {
    const sealed = awaitedCode(c.req.header('cookie') ?? null, parts.cookie)
    const awaited = sealed === undefined ? undefined : await access.awaited(sealed)
    return sealed !== undefined && awaited ? { sealed, ...awaited } : undefined
  }
  const codePath = (next: string) => withQuery(links().path('/user/login/code'), { next: withoutHome(next) })
  const withoutHome = (next: string) => (next === links().to() ? undefined : next)

  return new Hono<PageEnv>()
    .get('/user/login', async (c) => {
      const next = whereTo(links(), c.req.query('next'))
      return visitOf(c).visitor ? goTo(next) : askPassword(c, next)
    })
    .post('/user/login', async (c) => {
      const form = await Form.of(c.req.raw)
      const next = whereTo(links(), form.text('next'))
      // The proxy goes on saying who it is, whoever signs in here.
      if (visitOf(c).visitor?.credential.kind === 'proxy') return goTo(next)
      const user = form.text('user').trim()
      const typed = checked(credentials, { user, password: form.text('password') })
      if (typed.faults) return askPassword(c, next, { user, faults: typed.faults })
      const { address } = c.env.browser()
      const begun = parts.refusedSignIns.watch(address, access.beginSignIn(typed.data, address))
      const { done, faults } = await attempt(() => inWords(begun, wrong))
      if (faults) return askPassword(c, next, { user, faults })
      if (done.caller) return welcome(parts, c, done.caller, next)
      const kept = setAwaitedCode(done.awaited, awaitedFor, parts.cookie)
      return goTo(codePath(next), undefined, { 'Set-Cookie': kept })
    })
    .get('/user/login/code', async (c) => {
      const next = whereTo(links(), c.req.query('next'))
      if (visitOf(c).visitor) return goTo(next)
      const awaited = await awaitedOf(c)
      return awaited ? askSecond(c, next, awaited) : goTo(links().signIn(withoutHome(next)))
    })
    .post('/user/login/code', async (c) => {
      const form = await Form.of(c.req.raw)
      const next = whereTo(links(), form.text('next'))
      const awaited = await awaitedOf(c)
      if (awaited === undefined) return askPassword(c, next, tooLate)
      const typed = checked(secondFactor, { code: form.text('code').trim() })
      if (typed.faults) return askSecond(c, next, awaited, typed.faults)
      const { address } = c.env.browser()
      const finished = parts.refusedSignIns.watch(
        address,
        access.finishSignIn(awaited.sealed, typed.data.code, address),
      )
      const { done, faults } = await attempt(
        () => inWords(finished, wrongCode),
        ({ code }) => (code === 'credentials-wrong' ? 'code' : undefined),
      )
      if (faults) return askSecond(c, next, awaited, faults)
      return done ? welcome(parts, c, done, next) : askPassword(c, next, tooLate)
    })
    .post('/user/login/passkey', async (c) => {
      const form = await Form.of(c.req.raw)
      const next = whereTo(links(), form.text('next'))
      if (visitOf(c).visitor?.credential.kind === 'proxy') return goTo(next)
      const awaited = form.has('second') ? await awaitedOf(c) : undefined
      if (form.has('second') && !awaited) return askPassword(c, next, tooLate)
      const ask = (faults: Faults) => (awaited ? askSecond(c, next, awaited, faults) : askPassword(c, next, { faults }))
      const answer = form.text('credential')
      if (answer === '') return ask(noAnswer)
      const { address } = c.env.browser()
      const challenge = passkeyChallenge(c.req.header('cookie') ?? null, parts.cookie)
      const shown = parts.passkeys.signIn(challenge, answer, { remote: address, besidePassword: awaited?.userId })
      const { done, faults } = await attempt(() => inWords(parts.refusedSignIns.watch(address, shown), wrongPasskey))
      if (faults) return ask(faults)
      const answered = await welcome(parts, c, done, next)
      answered.headers.append('Set-Cookie', setPasskeyChallenge(undefined, 0, parts.cookie))
      return answered
    })
    .post('/user/logout', async (c) => {
      await parts.sessions.signOut(c.env.browser())
      return goTo(links().to(), 'signed-out', { 'Set-Cookie': setCookie(undefined, parts.cookie) })
    })
}

/** Whose password was right, and what is asked for beside it. */
interface Awaited {
  sealed: string
  userId: number
  hasCode: boolean
  hasPasskeys: boolean
}

interface Asked {
  user?: string | undefined
  faults?: Faults | undefined
}

const unstored = { 'Cache-Control': 'no-store' }
/** The same whether there is such an account or not, and whether it may sign in. */
const wrong = { 'credentials-wrong': 'User name or password is not right.' } as const
const wrongCode = {
  'credentials-wrong': 'This code is not right, or was used already. Wait for the next one.',
} as const
const wrongPasskey = {
  'credentials-wrong': 'This passkey is not one of an account here, or showing it took too long. Try again.',
} as const
/** Of a browser without scripts, which shows no button for it. */
const noAnswer: Faults = { status: 422, fields: {}, form: 'Only a script can ask your browser for a passkey.' }
const tooLate: Asked = {
  faults: {
    status: 401,
    fields: {},
    form: 'That took too long, or your account was changed. Type your password again.',
  },
}

/** Where somebody goes on who has signed in: where he was, unless that was to sign in. */
export function whereTo(links: Links, sent: string | undefined): string {
  const home = links.to()
  const path = pathHere(sent, home)
  const [here] = path.split('?')
  const isSignIn = signInPaths.some((one) => links.path(one) === here) || path.startsWith(links.path('/user/oidc/'))
  const isOurs = path.startsWith(home) && !isSignIn
  return isOurs ? path : home
}

const signInPaths = [
  '/user/login',
  '/user/login/code',
  '/user/login/passkey',
  '/user/logout',
  '/user/sign-up',
  '/user/password-reset',
]

/** Signs the browser in and leads on; first to a new password where one must be set. */
export async function welcome(
  parts: HttpParts,
  c: Context<PageEnv>,
  caller: SignedIn,
  next: string,
  notice?: Notice,
): Promise<Response> {
  const links = linksOf(parts)()
  const { cookie } = await beginSession(parts, c.env.browser(), caller)
  const path = caller.account.mustChangePassword
    ? withQuery(links.path('/user/settings/password'), { next: next === links.to() ? undefined : next })
    : next
  const answer = goTo(path, notice, { 'Set-Cookie': cookie })
  answer.headers.append('Set-Cookie', setAwaitedCode(undefined, 0, parts.cookie))
  return answer
}

function PasswordForm(props: Asked & { next: string; hasEnded: boolean; party: RelyingParty | undefined }) {
  const { next, user, faults, hasEnded, party } = props
  const { links, signUpIsOpen } = useSite()
  return (
    <Narrow title="Sign in" fault={faults?.form}>
      {hasEnded && <Alert tone="info">Your session has ended. Sign in again.</Alert>}
      <form method="post" action={links.path('/user/login')}>
        <input type="hidden" name="next" value={next} />
        <TextField
          name="user"
          label="User name or e-mail"
          value={user}
          error={faults?.fields.user}
          autocomplete="username"
          autocapitalize="none"
          autofocus={!user}
          required
        />
        <TextField
          name="password"
          type="password"
          label="Password"
          error={faults?.fields.password}
          autocomplete="current-password"
          autofocus={Boolean(user)}
          required
        />
        <Button look="primary">Sign in</Button>
      </form>
      {party && (
        <div class="mt-4">
          <PasskeySignIn next={next} party={party} />
        </div>
      )}
      <ProviderButtons next={next} />
      <Otherwise>
        <p>
          <a href={links.path('/user/forgot-password')}>Forgot your password?</a>
        </p>
        {signUpIsOpen && (
          <p>
            New here? <a href={links.path('/user/sign-up')}>Make an account</a>
          </p>
        )}
      </Otherwise>
    </Narrow>
  )
}

/** Whoever has a passkey needs to type nothing. */
function PasskeySignIn({ next, party }: { next: string; party: RelyingParty }) {
  const { links } = useSite()
  return (
    <PasskeyForm
      action={links.path('/user/login/passkey')}
      {...{ party, ask: 'sign-in', icon: 'passkey' }}
      button="Sign in with a passkey"
    >
      <input type="hidden" name="next" value={next} />
    </PasskeyForm>
  )
}

function SecondFactorForms(
  props: Awaited & { next: string; faults: Faults | undefined; party: RelyingParty | undefined },
) {
  const { next, hasCode, hasPasskeys, faults, party } = props
  const { links } = useSite()
  const again = <ButtonLink href={links.signIn(next === links.to() ? undefined : next)}>Begin again</ButtonLink>
  const passkey = party && hasPasskeys ? party : undefined
  return (
    <Narrow title="Your second factor" fault={faults?.form} lead={<p>{leadFor(hasCode, hasPasskeys, party)}</p>}>
      {passkey && (
        <div class="mb-5">
          <PasskeyForm
            action={links.path('/user/login/passkey')}
            {...{ party: passkey, ask: 'second-factor', icon: 'passkey' }}
            {...(hasCode ? {} : { look: 'primary' as const })}
            button="Show a passkey"
          >
            <input type="hidden" name="next" value={next} />
            <input type="hidden" name="second" value="yes" />
          </PasskeyForm>
        </div>
      )}
      {hasCode ? (
        <form method="post" action={links.path('/user/login/code')}>
          <input type="hidden" name="next" value={next} />
          <TextField
            name="code"
            label="Code"
            error={faults?.fields.code}
            hint="Without your authenticator, type one of your recovery codes. Each works once."
            autocomplete="one-time-code"
            autocapitalize="none"
            isMono
            autofocus
            required
          />
          <div class="flex flex-wrap gap-3">
            <Button look="primary">Sign in</Button>
            {again}
          </div>
        </form>
      ) : (
        again
      )}
      {hasPasskeys && (
        <Otherwise>
          <p>
            {hasCode
              ? 'Lost your passkeys and your codes? An administrator of this site can remove both.'
              : 'Lost all your passkeys? An administrator of this site can remove them.'}
          </p>
        </Otherwise>
      )}
    </Narrow>
  )
}

function leadFor(hasCode: boolean, hasPasskeys: boolean, party: RelyingParty | undefined): string {
  if (hasCode && hasPasskeys && party)
    return 'Your password is right. Now show a passkey, or type the six digits that your authenticator shows.'
  if (hasCode) return 'Your password is right. Now type the six digits that your authenticator shows.'
  if (party) return 'Your password is right. Now show one of your passkeys.'
  return 'Your password is right, and your account has a passkey, which cannot be shown at this address.'
}

function NoPasswords(props: { next: string; faults: Faults | undefined; party: RelyingParty | undefined }) {
  const { next, faults, party } = props
  const { links, providers } = useSite()
  return (
    <Narrow
      title="Sign in"
      fault={faults?.form}
      lead={providers.length === 0 && <p>Passwords are turned off on this site.</p>}
    >
      <div class="grid gap-4">
        <ProviderButtons next={next} isAlone />
        {party && <PasskeySignIn next={next} party={party} />}
        {providers.length === 0 && (
          <p>
            People come in through the sign-in of their organisation, which stands in front of this server. Open Stowage
            by the address that you were given there, or ask whoever runs this site.
          </p>
        )}
        <p>Programs sign in with a token.</p>
        <p>
          <ButtonLink href={links.to()}>To the first page</ButtonLink>
        </p>
      </div>
    </Narrow>
  )
}
