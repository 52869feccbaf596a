import type { UserRow } from '../../access/accounts.ts'
import type { Invitation } from '../../access/invitations.ts'
import { Button, ButtonLink, Checkbox, Choices, TextField } from '../components/forms.tsx'
import { Icon } from '../components/icon.tsx'
import { Alert, Empty, Pager, type Paging, Section } from '../components/parts.tsx'
import { actions, TableHead } from '../components/table-head.tsx'
import { Ago, Command } from '../components/values.tsx'
import type { Faults, Form } from '../forms.ts'
import { useSite } from '../site.ts'
import { counted } from '../words.ts'
import { AdminPage } from './frame.tsx'

export const visibilities = [
  { value: 'public', label: 'Public', hint: 'Everybody can see the profile and its packages.' },
  { value: 'limited', label: 'Limited', hint: 'Everybody who has signed in can.' },
  { value: 'private', label: 'Private', hint: 'Nobody else can, but administrators.' },
] as const

/** What is special about an account, each with a word. */
export function Marks({ user }: { user: UserRow }) {
  const marks = [
    user.is_admin === 1 && { text: 'Administrator', look: 'badge-neutral' },
    user.is_active === 0 && { text: 'Inactive', look: 'badge-error badge-outline' },
    user.suspended_at !== null && { text: 'Suspended', look: 'badge-error badge-outline' },
    user.prohibit_login === 1 && { text: 'Sign-in prohibited', look: 'badge-error badge-outline' },
    user.is_restricted === 1 && { text: 'Restricted', look: 'badge-warning badge-outline' },
    user.must_change_password === 1 && { text: 'New password due', look: 'badge-outline border-base-300' },
  ].filter((mark) => mark !== false)
  if (marks.length === 0) return null
  return (
    <span class="inline-flex flex-wrap gap-1.5">
      {marks.map(({ text, look }) => (
        <span class={`badge badge-sm font-normal ${look}`}>{text}</span>
      ))}
    </span>
  )
}

export function UserList({ users, paging, query }: { users: readonly UserRow[]; paging: Paging; query: string }) {
  const { links } = useSite()
  const path = links.to('-', 'admin', 'users')
  return (
    <AdminPage here="users" title="Users">
      <div class="flex flex-wrap items-center justify-between gap-3 mb-5">
        <form action={path} class="flex gap-2 grow max-w-md">
          <label class="input input-sm grow">
            <Icon name="search" />
            <span class="sr-only">Name or e-mail address</span>
            <input type="search" name="q" value={query} placeholder="Name or e-mail address" maxlength={255} />
          </label>
          <Button size="sm">Find</Button>
        </form>
        <div class="flex flex-wrap gap-2">
          <ButtonLink href={links.to('-', 'admin', 'invitations')} size="sm">
            Invite
          </ButtonLink>
          <ButtonLink href={links.to('-', 'admin', 'users', 'new')} look="primary" icon="add" size="sm">
            Add a user
          </ButtonLink>
        </div>
      </div>
      {users.length === 0 ? (
        <Empty title={query ? 'No user has such a name or e-mail address' : 'Nothing on this page'}>
          <p>
            <a href={path}>All users</a>
          </p>
        </Empty>
      ) : (
        <table class="list-table">
          <TableHead columns={['Name', 'E-mail address', 'Marks', 'Last sign-in', 'Since']} />
          <tbody>
            {users.map((user) => (
              <tr>
                <td class="breaks">
                  <a href={links.to('-', 'admin', 'users', user.name)}>{user.name}</a>
                  {user.full_name && (
                    <span class="block quiet text-sm breaks" dir="auto">
                      {user.full_name}
                    </span>
                  )}
                </td>
                <td class="breaks" data-label="E-mail">
                  {user.email ?? <span class="quiet">none</span>}
                </td>
                <td>
                  <Marks user={user} />
                </td>
                <td data-label="Last sign-in">
                  {user.last_login_at === null ? <span class="quiet">never</span> : <Ago at={user.last_login_at} />}
                </td>
                <td data-label="Since">
                  <Ago at={user.created_at} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <Pager paging={paging} path={path} query={{ q: query }} />
    </AdminPage>
  )
}

const above = (links: ReturnType<typeof useSite>['links']) => [{ text: 'Users', href: links.to('-', 'admin', 'users') }]

/** `typed`: what was sent before, where something was wrong with it. */
export function NewUser({ typed, faults }: { typed?: Form; faults?: Faults | undefined }) {
  const { links } = useSite()
  const { fields = {}, form } = faults ?? {}
  return (
    <AdminPage here="users" title="Add a user" trail={above(links)} fault={form}>
      <p class="mb-5 prose-width">
        You set a first password here and tell it to the person.{' '}
        <a href={links.to('-', 'admin', 'invitations')}>Or make an invitation link</a>, by which people choose name and
        password themselves.
      </p>
      <form method="post" class="prose-width">
        <TextField
          name="username"
          label="User name"
          value={typed?.text('username')}
          error={fields.username}
          hint="Letters and digits, with single - _ . between them. Packages stand under it."
          autocomplete="off"
          maxlength={40}
          required
        />
        <TextField
          name="full_name"
          label="Full name"
          value={typed?.text('full_name')}
          error={fields.full_name}
          autocomplete="off"
        />
        <TextField
          name="email"
          label="E-mail address"
          type="email"
          value={typed?.text('email')}
          error={fields.email}
          autocomplete="off"
        />
        <TextField
          name="password"
          label="Password"
          type="password"
          error={fields.password}
          hint="8 characters or more."
          autocomplete="new-password"
          required
        />
        <div class="mb-4">
          <Checkbox
            name="must_change_password"
            label="A new password must be set at the first sign-in"
            checked={typed ? typed.has('must_change_password') : true}
            hint="So that nobody but the person knows it."
          />
          <Checkbox
            name="restricted"
            label="Restricted"
            checked={typed?.has('restricted') ?? false}
            hint="Sees only what organisations show that the user is in."
          />
        </div>
        <Choices
          name="visibility"
          label="Who can see this user"
          value={typed?.text('visibility') || 'public'}
          choices={visibilities}
          error={fields.visibility}
        />
        <Button look="primary" icon="add">
          Add this user
        </Button>
      </form>
    </AdminPage>
  )
}

const lengths = [
  { value: '1', label: '1 day' },
  { value: '7', label: '7 days' },
  { value: '30', label: '30 days' },
] as const

/** The invitations that wait, and a form for another one. */
export function InvitationList(props: {
  invitations: readonly Invitation[]
  paging: Paging
  sendsMail: boolean
  typed?: Form
  faults?: Faults | undefined
}) {
  const { invitations, paging, sendsMail, typed, faults } = props
  const { links } = useSite()
  const { fields = {}, form } = faults ?? {}
  const path = links.to('-', 'admin', 'invitations')
  return (
    <AdminPage here="users" title="Invitations" trail={above(links)} fault={form}>
      <form method="post" action={path} class="prose-width">
        <p class="mb-4">
          Whoever has the link makes an account with it, once.{' '}
          {sendsMail ? 'It is mailed where you say an address.' : 'This site sends no mail: you hand it on yourself.'}
        </p>
        <TextField
          name="email"
          label="E-mail address (optional)"
          type="email"
          value={typed?.text('email')}
          error={fields.email}
          autocomplete="off"
        />
        <TextField
          name="full_name"
          label="Full name (optional)"
          value={typed?.text('full_name')}
          error={fields.full_name}
          autocomplete="off"
        />
        <Choices
          name="days"
          label="Valid for"
          value={typed?.text('days') || '7'}
          choices={lengths}
          error={fields.days}
        />
        <Button look="primary" icon="add">
          Make a link
        </Button>
      </form>
      <Section title="Waiting to be accepted">
        {invitations.length === 0 ? (
          <Empty title="No invitation waits to be accepted">
            <p>Make a link above, and hand it on.</p>
          </Empty>
        ) : (
          <table class="list-table">
            <TableHead columns={['For', 'Into', 'Made', 'Ends', actions]} />
            <tbody>
              {invitations.map(({ link, organisation, team }) => (
                <tr>
                  <td class="breaks">
                    {link.email ?? (link.full_name || <span class="quiet">whoever has the link</span>)}
                    {link.mailed === 1 && <span class="quiet text-sm"> (mailed)</span>}
                  </td>
                  <td class="breaks" data-label="Into">
                    {organisation ? `${organisation.name}${team ? `, ${team.name}` : ''}` : 'the site'}
                  </td>
                  <td data-label="Made">
                    <Ago at={link.created_at} />
                  </td>
                  <td data-label="Ends">
                    <Ago at={link.expires_at} />
                  </td>
                  <td class="number">
                    <form method="post" action={links.to('-', 'admin', 'invitations', String(link.id), 'withdraw')}>
                      <Button size="xs">Withdraw</Button>
                    </form>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
        <Pager paging={paging} path={path} />
      </Section>
    </AdminPage>
  )
}

/** A link that is shown this once. */
export function ShownLink(props: {
  title: string
  url: string
  expiresAt: number
  /** Where it was mailed to. */
  mailedTo: string | undefined
  what: string
  trail: readonly { text: string; href?: string }[]
  back: { text: string; href: string }
}) {
  const { title, url, expiresAt, mailedTo, what, trail, back } = props
  return (
    <AdminPage here="users" title={title} trail={trail}>
      <Alert tone="warning">This link is shown only now: copy it before you leave this page.</Alert>
      <div class="max-w-3xl grid grid-cols-1 gap-4">
        <Command text={url} what="link" />
        <p>
          {what} It can be used once and ends <Ago at={expiresAt} />.
          {mailedTo !== undefined && ` It is also mailed to ${mailedTo}.`}
        </p>
        <p>
          <ButtonLink href={back.href}>{back.text}</ButtonLink>
        </p>
      </div>
    </AdminPage>
  )
}

export function packagesInWords(usage: { packages: number; versions: number; files: number }): string {
  const { packages, versions, files } = usage
  return `${counted(packages, 'package')}, ${counted(versions, 'version')}, ${counted(files, 'file')}`
}
