import { type Context, Hono } from 'hono'
import type { HttpParts } from '../../http/parts.ts'
import { Button, ButtonLink, TextField } from '../components/forms.tsx'
import { attempt, checked, type Faults, Form } from '../forms.ts'
import { goTo, linksOf, type Render } from '../page.tsx'
import { useSite } from '../site.ts'
import type { PageEnv } from '../visit.ts'
import { CodeField, NewPassword } from './code-field.tsx'
import { forgotten, reset } from './fields.ts'
import { Narrow, Otherwise } from './frame.tsx'
import { byLink, fieldOf, inWords } from './refusals.ts'

/** `/user/password-reset`: a new password by a link. `/user/forgot-password`: the link, by mail. */
export function resetPages(parts: HttpParts, render: Render): Hono<PageEnv> {
  const links = linksOf(parts)

  const askPassword = (c: Context<PageEnv>, code?: string, faults?: Faults) =>
    render(
      c,
      { title: 'A new password', status: faults?.status ?? 200, headers: unstored, scripts: ['link-code'] },
      <ResetForm code={code} faults={faults} />,
    )
  const askAddress = (c: Context<PageEnv>, email?: string, faults?: Faults) =>
    render(
      c,
      { title: 'Forgot your password', status: faults?.status ?? 200 },
      <ForgottenForm email={email} faults={faults} />,
    )
  const sayWhomToAsk = (c: Context<PageEnv>) =>
    render(c, { title: 'Forgot your password' }, <AskSomebody takesPasswords={parts.access.takesPasswords} />)

  return new Hono<PageEnv>()
    .get('/user/password-reset', (c) => askPassword(c))
    .post('/user/password-reset', async (c) => {
      const form = await Form.of(c.req.raw)
      const code = form.text('code')
      const typed = { code, password: form.text('password'), again: form.text('again') }
      const { data, faults } = checked(reset, typed)
      if (faults) return askPassword(c, code, faults)
      const { address } = c.env.browser()
      const used = await attempt(() => byLink(parts.passwordResets.use(data.code, data.password, address)), fieldOf)
      if (used.faults) return askPassword(c, code, used.faults)
      const { name } = used.done
      parts.log.info({ 'user.name': name }, `${name} has a new password, by a link`)
      return goTo(links().signIn(), 'password-set')
    })
    .get('/user/forgot-password', (c) => (parts.passwordResets.areMailed ? askAddress(c) : sayWhomToAsk(c)))
    .post('/user/forgot-password', async (c) => {
      parts.passwordResets.mustSendMail()
      const form = await Form.of(c.req.raw)
      const email = form.text('email').trim()
      const { data, faults } = checked(forgotten, { email })
      if (faults) return askAddress(c, email, faults)
      const asked = await attempt(
        () => inWords(parts.passwordResets.forgot(data.email, c.env.browser().address)),
        fieldOf,
      )
      if (asked.faults) return askAddress(c, email, asked.faults)
      return goTo(links().signIn(), 'reset-asked')
    })
}

const unstored = { 'Cache-Control': 'no-store' }

function ResetForm({ code, faults }: { code: string | undefined; faults: Faults | undefined }) {
  const { links } = useSite()
  return (
    <Narrow
      title="A new password"
      fault={faults?.form}
      lead={
        <p>
          It takes the place of the one that you had. Every browser that is signed in with your account is signed out.
        </p>
      }
    >
      <form method="post" action={links.path('/user/password-reset')}>
        <CodeField code={code} error={faults?.fields.code} />
        <NewPassword faults={faults} label="New password" />
        <Button look="primary">Set the password</Button>
      </form>
    </Narrow>
  )
}

function ForgottenForm({ email, faults }: { email: string | undefined; faults: Faults | undefined }) {
  const { links } = useSite()
  return (
    <Narrow
      title="Forgot your password"
      fault={faults?.form}
      lead={
        <p>
          Type the e-mail address of your account. A link to set a new password is sent there; it is good for an hour.
        </p>
      }
    >
      <form method="post" action={links.path('/user/forgot-password')}>
        <TextField
          name="email"
          type="email"
          label="E-mail"
          value={email}
          error={faults?.fields.email}
          autocomplete="email"
          required
        />
        <Button look="primary">Send the link</Button>
      </form>
      <Otherwise>
        <p>
          You remember it? <a href={links.signIn()}>Sign in</a>
        </p>
        <p>Your account has no address here, or not any more? Ask whoever runs this site for a link.</p>
      </Otherwise>
    </Narrow>
  )
}

function AskSomebody({ takesPasswords }: { takesPasswords: boolean }) {
  const { links } = useSite()
  return (
    <Narrow title="Forgot your password">
      <div class="grid gap-4">
        {takesPasswords ? (
          <>
            <p>
              This site sends no mail. Ask one of its administrators: each of them can give you a link to set a new
              password.
            </p>
            <p class="quiet">
              You are the only administrator? Whoever has a shell on the server sets a new password with{' '}
              <code>npm run stowage -- reset-admin</code>.
            </p>
          </>
        ) : (
          <p>Passwords are turned off on this site, so there is none to forget. Ask whoever runs it how to sign in.</p>
        )}
        <p>
          <ButtonLink href={links.signIn()}>To the sign-in</ButtonLink>
        </p>
      </div>
    </Narrow>
  )
}
