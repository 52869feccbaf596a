import { type Context, Hono } from 'hono'
import { awaitedFor } from '../../access/awaited-codes.ts'
import type { SignedIn } from '../../access/caller.ts'
import type { HttpParts } from '../../http/parts.ts'
import { awaitedCode, setAwaitedCode, setCookie } from '../../http/sign-in/cookie.ts'
import { beginSession } from '../../http/sign-in/visitors.ts'
import { Button, ButtonLink, TextField } from '../components/forms.tsx'
import { Alert } from '../components/parts.tsx'
import { attempt, checked, type Faults, Form } from '../forms.ts'
import { type Links, pathHere, withQuery } from '../links.ts'
import type { Notice } from '../notices.ts'
import { goTo, linksOf, type Render } from '../page.tsx'
import { useSite } from '../site.ts'
import { type PageEnv, visitOf } from '../visit.ts'
import { credentials, secondFactor } from './fields.ts'
import { Narrow, Otherwise } from './frame.tsx'
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
      { title: 'Sign in', status: faults?.status ?? 200, headers: unstored },
      access.takesPasswords ? (
        <PasswordForm next={next} user={user} faults={faults} hasEnded={hasEnded} />
      ) : (
        <NoPasswords />
      ),
    )
  }
  const askCode = (c: Context<PageEnv>, next: string, faults?: Faults) =>
    render(
      c,
      { title: 'Sign in', status: faults?.status ?? 200, headers: unstored },
      <CodeForm next={next} faults={faults} />,
    )
  const isAwaited = (c: Context<PageEnv>) => {
    const brought = awaitedCode(c.req.header('cookie') ?? null, parts.cookie)
    return brought !== undefined && access.isAwaited(brought) ? brought : undefined
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
      return isAwaited(c) ? askCode(c, next) : goTo(links().signIn(withoutHome(next)))
    })
    .post('/user/login/code', async (c) => {
      const form = await Form.of(c.req.raw)
      const next = whereTo(links(), form.text('next'))
      const awaited = isAwaited(c)
      if (awaited === undefined) return askPassword(c, next, tooLate)
      const typed = checked(secondFactor, { code: form.text('code').trim() })
      if (typed.faults) return askCode(c, next, typed.faults)
      const { address } = c.env.browser()
      const finished = parts.refusedSignIns.watch(address, access.finishSignIn(awaited, typed.data.code, address))
      const { done, faults } = await attempt(
        () => inWords(finished, wrongCode),
        ({ code }) => (code === 'credentials-wrong' ? 'code' : undefined),
      )
      if (faults) return askCode(c, next, faults)
      return done ? welcome(parts, c, done, next) : askPassword(c, next, tooLate)
    })
    .post('/user/logout', async (c) => {
      await parts.sessions.signOut(c.env.browser())
      return goTo(links().to(), 'signed-out', { 'Set-Cookie': setCookie(undefined, parts.cookie) })
    })
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
  const isOurs = path.startsWith(home) && !signInPaths.some((one) => links.path(one) === here)
  return isOurs ? path : home
}

const signInPaths = ['/user/login', '/user/login/code', '/user/logout', '/user/sign-up', '/user/password-reset']

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

function PasswordForm({ next, user, faults, hasEnded }: Asked & { next: string; hasEnded: boolean }) {
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

function CodeForm({ next, faults }: { next: string; faults: Faults | undefined }) {
  const { links } = useSite()
  return (
    <Narrow
      title="Your second factor"
      fault={faults?.form}
      lead={<p>Your password is right. Now type the six digits that your authenticator shows.</p>}
    >
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
          <ButtonLink href={links.signIn(next === links.to() ? undefined : next)}>Begin again</ButtonLink>
        </div>
      </form>
    </Narrow>
  )
}

function NoPasswords() {
  const { links } = useSite()
  return (
    <Narrow title="Sign in" lead={<p>Passwords are turned off on this site.</p>}>
      <div class="grid gap-4">
        <p>
          People come in through the sign-in of their organisation, which stands in front of this server. Open Stowage
          by the address that you were given there, or ask whoever runs this site.
        </p>
        <p>Programs sign in with a token.</p>
        <p>
          <ButtonLink href={links.to()}>To the first page</ButtonLink>
        </p>
      </div>
    </Narrow>
  )
}
