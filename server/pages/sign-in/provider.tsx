import { type Context, Hono } from 'hono'
import { z } from 'zod'
import { type RefusalKind, SignInRefused, signInLasts } from '../../access/oidc/sign-in.ts'
import { text } from '../../http/api/answers.ts'
import type { HttpParts } from '../../http/parts.ts'
import { type ProviderCookie, providerCookie, setProviderCookie } from '../../http/sign-in/cookie.ts'
import { searchOf } from '../../lib/raw-path.ts'
import { Problem } from '../../problems.ts'
import { Button, ButtonLink, TextField } from '../components/forms.tsx'
import { attempt, checked, type Faults, Form } from '../forms.ts'
import { withQuery } from '../links.ts'
import { goTo, linksOf, type Render } from '../page.tsx'
import { useSite } from '../site.ts'
import { type PageEnv, visitOf } from '../visit.ts'
import { Narrow, Otherwise } from './frame.tsx'
import { welcome, whereTo } from './login.tsx'
import { fieldOf, inWords } from './refusals.ts'

const unstored = { 'Cache-Control': 'no-store' }

const statuses: Record<RefusalKind, number> = {
  'begin-again': 400,
  'not-allowed': 403,
  'no-account': 403,
  'too-many': 429,
  unreachable: 503,
}

const chosenName = z.object({ user: text('Choose a name').min(1, 'Choose a name') })

/** Signs of what a provider may send along; codes of some are long. */
const longestAnswer = 8_192

/** `/user/oidc/{name}`: to a provider, `…/callback`: back from it, `…/name`: who has no account yet chooses a name. */
export function providerPages(parts: HttpParts, render: Render): Hono<PageEnv> {
  const links = linksOf(parts)
  const { providerSignIns } = parts
  const brought = (c: Context<PageEnv>, of: ProviderCookie) =>
    providerCookie(of, c.req.header('cookie') ?? null, parts.cookie)
  const keep = (of: ProviderCookie, sealed: string | undefined) =>
    setProviderCookie(of, sealed, signInLasts, parts.cookie)
  const titleOf = (c: Context<PageEnv>) => providerSignIns.provider(c.req.param('provider') ?? '')
  const at = (provider: string, ...more: string[]) => links().to('user', 'oidc', provider, ...more)

  const refused = (c: Context<PageEnv>, error: unknown) => {
    if (!(error instanceof SignInRefused)) throw error
    const { name, title } = titleOf(c)
    // Anybody can come here with nothing in his hands. What he has begun in another tab goes on.
    const isOfNobody = error.kind === 'begin-again' && error.reason === error.message
    parts.log[isOfNobody ? 'debug' : 'warn']({ 'oidc.provider': name }, `Nobody came in by ${name}: ${error.reason}`)
    const headers = { ...unstored, ...(isOfNobody ? {} : { 'Set-Cookie': keep('oidc', undefined) }) }
    return render(
      c,
      { title: 'Sign in', status: statuses[error.kind], headers },
      <Refused kind={error.kind} sentence={error.message} again={at(name)} title={title} />,
    )
  }
  const askName = (c: Context<PageEnv>, user?: string, faults?: Faults) => {
    const { name, title } = titleOf(c)
    const newcomer = providerSignIns.newcomer(name, brought(c, 'oidc_newcomer'))
    if (!newcomer) return refused(c, tooLate())
    return render(
      c,
      { title: 'Choose a name', status: faults?.status ?? 200, headers: unstored },
      <NameForm
        {...{ title, faults, label: newcomer.label }}
        action={at(name, 'name')}
        user={user ?? newcomer.proposal}
      />,
    )
  }

  return new Hono<PageEnv>()
    .get('/user/oidc/:provider', async (c) => {
      const { name } = titleOf(c)
      const next = whereTo(links(), c.req.query('next'))
      if (visitOf(c).visitor) return goTo(next)
      try {
        const { url, kept } = await providerSignIns.begin(name, next)
        return goTo(url, undefined, { 'Set-Cookie': keep('oidc', kept) })
      } catch (error) {
        return refused(c, error)
      }
    })
    .get('/user/oidc/:provider/callback', async (c) => {
      const { name } = titleOf(c)
      const search = searchOf(c.req.url)
      if (search.length > longestAnswer) throw new Problem('bad-request', 'This address is too long.')
      const { address } = c.env.browser()
      const { visitor } = visitOf(c)
      try {
        const outcome = await providerSignIns.finish(name, { search, kept: brought(c, 'oidc'), visitor, address })
        if (outcome.kind === 'sent-again')
          return goTo(outcome.url, undefined, { 'Set-Cookie': keep('oidc', outcome.kept) })
        const answer = await led(outcome)
        answer.headers.append('Set-Cookie', keep('oidc', undefined))
        return answer
      } catch (error) {
        return refused(c, error)
      }

      async function led(outcome: Exclude<Awaited<ReturnType<typeof providerSignIns.finish>>, { kind: 'sent-again' }>) {
        switch (outcome.kind) {
          case 'signed-in':
            return welcome(parts, c, outcome.caller, whereTo(links(), outcome.next))
          case 'linked':
            parts.log.info(
              { 'user.name': visitor?.account.name, 'oidc.provider': name },
              `Linked an identity at ${name}`,
            )
            return goTo(whereTo(links(), outcome.next), 'identity-linked')
          case 'newcomer':
            return goTo(at(name, 'name'), undefined, { 'Set-Cookie': keep('oidc_newcomer', outcome.kept) })
        }
      }
    })
    .get('/user/oidc/:provider/name', (c) => askName(c))
    .post('/user/oidc/:provider/name', async (c) => {
      const { name, title } = titleOf(c)
      const form = await Form.of(c.req.raw)
      const user = form.text('user').trim()
      const wanted = checked(chosenName, { user })
      if (wanted.faults) return askName(c, user, wanted.faults)
      const { address } = c.env.browser()
      try {
        const registered = providerSignIns.register(name, brought(c, 'oidc_newcomer'), wanted.data.user, address)
        const made = await attempt(() => inWords(registered), fieldOf)
        if (made.faults) return askName(c, user, made.faults)
        parts.log.info({ 'user.name': made.done.user, 'oidc.provider': name }, `${made.done.user} came by ${name}`)
        const next = whereTo(links(), made.done.next)
        const to = withQuery(at(name), { next: next === links().to() ? undefined : next })
        return onward(c, render, { to, title, headers: { 'Set-Cookie': keep('oidc_newcomer', undefined) } })
      } catch (error) {
        return refused(c, error)
      }
    })
}

function tooLate(): SignInRefused {
  return new SignInRefused('begin-again', 'That took longer than ten minutes, or was begun in another browser.')
}

/** Leads on to a provider after a form: no redirect, as what a form sends may not lead to another site, on whatever way. */
export function onward(
  c: Context<PageEnv>,
  render: Render,
  { to, title, headers }: { to: string; title: string; headers: Record<string, string> },
): Promise<Response> {
  const options = { title: 'Sign in', headers: { ...unstored, Refresh: `0; url=${to}`, ...headers } }
  return render(
    c,
    options,
    <Narrow title={`On to ${title}`}>
      <p class="mb-5">You are sent there now. If nothing happens, go on yourself.</p>
      <ButtonLink href={to} look="primary">
        Go on to {title}
      </ButtonLink>
    </Narrow>,
  )
}

interface RefusedProps {
  kind: RefusalKind
  sentence: string
  again: string
  title: string
}

function Refused({ kind, sentence, again, title }: RefusedProps) {
  const { links, visitor } = useSite()
  return (
    <Narrow title="You are not signed in" fault={sentence}>
      {kind === 'no-account' && !visitor && (
        <p class="mb-5">
          Whoever has an account links it under Account, Identities. From then on this button is enough to come in.
        </p>
      )}
      <div class="flex flex-wrap gap-3">
        {visitor ? (
          <ButtonLink href={links.path('/user/settings/identities')} look="primary">
            Back to your identities
          </ButtonLink>
        ) : (
          <>
            <ButtonLink href={again} look="primary" icon="signIn">
              {kind === 'begin-again' || kind === 'unreachable' ? 'Begin again' : `Try ${title} again`}
            </ButtonLink>
            <ButtonLink href={links.signIn()}>Other ways to sign in</ButtonLink>
          </>
        )}
      </div>
    </Narrow>
  )
}

interface NameProps {
  title: string
  label: string
  action: string
  user: string
  faults: Faults | undefined
}

function NameForm({ title, label, action, user, faults }: NameProps) {
  const { links } = useSite()
  return (
    <Narrow
      title="Choose a name"
      fault={faults?.form}
      lead={
        <p>
          {title} knows you as <bdi class="breaks">{label}</bdi>. That is no name here, or somebody has it: choose the
          one of your account.
        </p>
      }
    >
      <form method="post" action={action}>
        <TextField
          name="user"
          label="User name"
          value={user}
          error={faults?.fields.user}
          hint="What the addresses of your packages begin with: letters and digits, with hyphens, underscores or dots between them."
          autocomplete="username"
          autocapitalize="none"
          maxlength={40}
          required
        />
        <Button look="primary">Make the account</Button>
      </form>
      <Otherwise>
        <p>
          You have an account here already? <a href={links.signIn(links.path('/user/settings/identities'))}>Sign in</a>{' '}
          with it, and link {title} to it.
        </p>
      </Otherwise>
    </Narrow>
  )
}
