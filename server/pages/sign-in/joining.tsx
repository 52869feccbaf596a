import { type Context, Hono } from 'hono'
import type { Visitor } from '../../access/sessions.ts'
import type { HttpParts } from '../../http/parts.ts'
import { Button, TextField } from '../components/forms.tsx'
import { attempt, checked, type Faults, Form } from '../forms.ts'
import { goTo, linksOf, type Render } from '../page.tsx'
import { useSite } from '../site.ts'
import { type PageEnv, visitOf } from '../visit.ts'
import { CodeField, NewPassword } from './code-field.tsx'
import { invited, joining, newcomer } from './fields.ts'
import { Narrow, Otherwise } from './frame.tsx'
import { welcome } from './login.tsx'
import { byLink, fieldOf, inWords } from './refusals.ts'

/** `/user/sign-up`, where strangers may make themselves an account. `/user/invitation`: by the link of somebody who is here. */
export function joiningPages(parts: HttpParts, render: Render): Hono<PageEnv> {
  const links = linksOf(parts)

  const askNewcomer = (c: Context<PageEnv>, typed: Typed = {}) =>
    render(
      c,
      { title: 'Make an account', status: typed.faults?.status ?? 200, headers: unstored },
      <SignUpForm {...typed} />,
    )
  const askInvited = (c: Context<PageEnv>, typed: Typed = {}) => {
    const { visitor } = visitOf(c)
    const options = { title: 'Your invitation', status: typed.faults?.status ?? 200, headers: unstored }
    const form = visitor ? <JoinForm {...typed} visitor={visitor} /> : <InvitationForm {...typed} />
    return render(c, { ...options, scripts: ['link-code'] }, form)
  }

  return new Hono<PageEnv>()
    .get('/user/sign-up', async (c) => {
      parts.signUp.mustBeOpen()
      return visitOf(c).visitor ? goTo(links().to()) : askNewcomer(c)
    })
    .post('/user/sign-up', async (c) => {
      parts.signUp.mustBeOpen()
      const form = await Form.of(c.req.raw)
      const typed = { user: form.text('user').trim(), email: form.text('email').trim() }
      const { data, faults } = checked(newcomer, { ...typed, ...passwordsIn(form) })
      if (faults) return askNewcomer(c, { ...typed, faults })
      const { user: name, email, password } = data
      const added = await attempt(
        () => inWords(parts.signUp.signUp({ name, email, password }, c.env.browser().address)),
        fieldOf,
      )
      if (added.faults) return askNewcomer(c, { ...typed, faults: added.faults })
      const caller = added.done
      parts.log.info({ 'user.name': caller.account.name }, `${caller.account.name} signed up`)
      return welcome(parts, c, caller, links().to(), 'account-made')
    })
    .get('/user/invitation', (c) => askInvited(c))
    .post('/user/invitation', async (c) => {
      const form = await Form.of(c.req.raw)
      const { visitor } = visitOf(c)
      return visitor ? join(c, visitor, form) : accept(c, form)
    })

  async function accept(c: Context<PageEnv>, form: Form): Promise<Response> {
    const typed = { code: form.text('code'), user: form.text('user').trim(), email: form.text('email').trim() }
    const { data, faults } = checked(invited, { ...typed, ...passwordsIn(form) })
    if (faults) return askInvited(c, { ...typed, faults })
    const { code, user: name, email, password } = data
    const wanted = { name, password, email: email || undefined }
    const { address } = c.env.browser()
    const accepted = await attempt(() => byLink(parts.invitations.accept(code, wanted, address)), fieldOf)
    if (accepted.faults) return askInvited(c, { ...typed, faults: accepted.faults })
    const { caller, user, link } = accepted.done
    parts.log.info({ 'link.id': link.id, 'user.name': user.name }, `${user.name} joined by invitation ${link.id}`)
    const { organisation } = link
    const next = organisation === null ? links().to() : links().owner(organisation)
    return welcome(parts, c, caller, next, 'account-made')
  }

  async function join(c: Context<PageEnv>, visitor: Visitor, form: Form): Promise<Response> {
    const typed = { code: form.text('code') }
    const { data, faults } = checked(joining, typed)
    if (faults) return askInvited(c, { ...typed, faults })
    const joined = await attempt(() => byLink(parts.invitations.join(visitor, data.code)), fieldOf)
    if (joined.faults) return askInvited(c, { ...typed, faults: joined.faults })
    const { id, organisation } = joined.done
    const { name } = visitor.account
    parts.log.info({ 'link.id': id, 'user.name': name }, `${name} accepted invitation ${id}`)
    return goTo(organisation === null ? links().to() : links().owner(organisation), 'invitation-accepted')
  }
}

const unstored = { 'Cache-Control': 'no-store' }

interface Typed {
  code?: string
  user?: string
  email?: string
  faults?: Faults
}

function passwordsIn(form: Form) {
  return { password: form.text('password'), again: form.text('again') }
}

const nameHint =
  'What the addresses of your packages begin with: letters and digits, with hyphens, underscores or dots between them.'

function SignUpForm({ user, email, faults }: Typed) {
  const { links } = useSite()
  return (
    <Narrow title="Make an account" fault={faults?.form}>
      <form method="post" action={links.path('/user/sign-up')}>
        <Person user={user} email={email} faults={faults} emailLabel="E-mail" isEmailNeeded />
        <NewPassword faults={faults} />
        <Button look="primary">Make the account</Button>
      </form>
      <Otherwise>
        <p>
          You have an account? <a href={links.signIn()}>Sign in</a>
        </p>
      </Otherwise>
    </Narrow>
  )
}

function InvitationForm({ code, user, email, faults }: Typed) {
  const { links } = useSite()
  return (
    <Narrow
      title="Your invitation"
      fault={faults?.form}
      lead={<p>Choose a name and a password: that is your account here.</p>}
    >
      <form method="post" action={links.path('/user/invitation')}>
        <CodeField code={code} error={faults?.fields.code} />
        <Person
          user={user}
          email={email}
          faults={faults}
          emailLabel="E-mail (optional)"
          emailHint="Left empty, it is the address that the invitation was made for, if there was one."
        />
        <NewPassword faults={faults} />
        <Button look="primary">Accept the invitation</Button>
      </form>
      <Otherwise>
        <p>
          You have an account? <a href={links.signIn()}>Sign in</a>, then open the link once more.
        </p>
      </Otherwise>
    </Narrow>
  )
}

function JoinForm({ code, faults, visitor }: Typed & { visitor: Visitor }) {
  const { links } = useSite()
  return (
    <Narrow
      title="Your invitation"
      fault={faults?.form}
      lead={
        <p class="breaks">
          You are signed in as <strong class="font-medium">{visitor.account.name}</strong>. The team that you are
          invited to gets this account as a member.
        </p>
      }
    >
      <form method="post" action={links.path('/user/invitation')}>
        <CodeField code={code} error={faults?.fields.code} />
        <Button look="primary">Join the team</Button>
      </form>
      <Otherwise>
        <p>To make another account with this link, sign out first and open it once more.</p>
      </Otherwise>
    </Narrow>
  )
}

function Person(props: {
  user: string | undefined
  email: string | undefined
  faults: Faults | undefined
  emailLabel: string
  emailHint?: string
  isEmailNeeded?: boolean
}) {
  const { user, email, faults, emailLabel, emailHint, isEmailNeeded } = props
  return (
    <>
      <TextField
        name="user"
        label="User name"
        value={user}
        error={faults?.fields.user}
        hint={nameHint}
        autocomplete="username"
        autocapitalize="none"
        maxlength={40}
        required
      />
      <TextField
        name="email"
        type="email"
        label={emailLabel}
        value={email}
        error={faults?.fields.email}
        {...(emailHint ? { hint: emailHint } : {})}
        autocomplete="email"
        {...(isEmailNeeded ? { required: true } : {})}
      />
    </>
  )
}
