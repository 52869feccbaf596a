import type { PropsWithChildren } from 'hono/jsx'
import type { UserRow } from '../../access/accounts.ts'
import type { Identity } from '../../access/oidc/identities.ts'
import type { OwnerUsage } from '../../registry/usage.ts'
import { Button, ButtonLink, Checkbox, Choices, Confirm, TextArea, TextField } from '../components/forms.tsx'
import { Alert, Columns, Section, State } from '../components/parts.tsx'
import { Ago, Size } from '../components/values.tsx'
import type { Faults, Form } from '../forms.ts'
import { useSite } from '../site.ts'
import { AdminPage } from './frame.tsx'
import { Marks, packagesInWords, visibilities } from './users.tsx'

/** The forms of the page, each of which may come back with what was typed. */
export type UserForm = 'change' | 'password' | 'rename'

export interface UserPageProps {
  user: UserRow
  usage: OwnerUsage
  identities: readonly Identity[]
  sendsMail: boolean
  /** The form that came back. */
  sent?: { which: UserForm; typed: Form; faults: Faults }
}

export function UserPage({ user, usage, identities, sendsMail, sent }: UserPageProps) {
  const { links, visitor } = useSite()
  const isSelf = visitor?.account.id === user.id
  const at = (...more: string[]) => links.to('-', 'admin', 'users', user.name, ...more)
  const of = (which: UserForm) => (sent?.which === which ? sent : undefined)
  return (
    <AdminPage
      here="users"
      title={user.name}
      trail={[{ text: 'Users', href: links.to('-', 'admin', 'users') }]}
      fault={sent?.faults.form}
    >
      {isSelf && (
        <Alert tone="info">
          This is your own account. <a href={links.path('/user/settings')}>Your settings</a> are the place for your
          password and second factor.
        </Alert>
      )}
      <Columns aside={<Facts user={user} usage={usage} />}>
        <ChangeForm user={user} isSelf={isSelf} action={at()} sent={of('change')} />
        {!isSelf && <PasswordForms user={user} at={at} sendsMail={sendsMail} sent={of('password')} />}
        <SignIns user={user} at={at} isSelf={isSelf} identities={identities} />
        <Section title="Name" id="name">
          <p class="mb-4 prose-width">
            The old name goes on leading here, and stays reserved until you free it at{' '}
            <a href={links.to('-', 'admin', 'names')}>Names</a>.
          </p>
          <form method="post" action={at('rename')} class="prose-width">
            <TextField
              name="new_name"
              label="New name"
              value={of('rename')?.typed.text('new_name')}
              error={of('rename')?.faults.fields.new_name}
              autocomplete="off"
              maxlength={40}
              required
            />
            <Button>Rename</Button>
          </form>
        </Section>
        <Section title="Delete" id="delete">
          {isSelf ? (
            <p class="prose-width">Nobody can delete himself: ask another administrator.</p>
          ) : (
            <>
              <p class="mb-4 prose-width">
                Deletes the account with its tokens, sessions and webhooks. What is lost stands on the next page.
              </p>
              <ButtonLink href={at('delete')} look="danger" icon="trash">
                Delete this user
              </ButtonLink>
            </>
          )}
        </Section>
      </Columns>
    </AdminPage>
  )
}

function Facts({ user, usage }: { user: UserRow; usage: OwnerUsage }) {
  const { links } = useSite()
  return (
    <div class="grid gap-4">
      <Marks user={user} />
      <dl class="facts">
        <dt>Since</dt>
        <dd>
          <Ago at={user.created_at} />
        </dd>
        <dt>Last sign-in</dt>
        <dd>{user.last_login_at === null ? 'never' : <Ago at={user.last_login_at} />}</dd>
        <dt>Second factor</dt>
        <dd>{user.totp_secret === null ? <State tone="none">off</State> : <State tone="success">on</State>}</dd>
        <dt>Passkeys</dt>
        <dd>{user.has_passkeys === 0 ? <State tone="none">none</State> : <State tone="success">yes</State>}</dd>
        <dt>Has</dt>
        <dd>{packagesInWords(usage)}</dd>
        <dt>Size</dt>
        <dd>
          <Size of={usage.bytes} />
        </dd>
      </dl>
      <ul class="grid gap-1.5">
        <li>
          <a href={links.owner(user.name)}>Packages</a>
        </li>
        <li>
          <a href={links.to('-', 'admin', 'quotas', user.name)}>Quota</a>
        </li>
      </ul>
    </div>
  )
}

function ChangeForm(props: {
  user: UserRow
  isSelf: boolean
  action: string
  sent: { typed: Form; faults: Faults } | undefined
}) {
  const { user, isSelf, action, sent } = props
  const text = (name: string, now: string) => sent?.typed.text(name) ?? now
  const ticked = (name: string, now: 0 | 1) => (sent ? sent.typed.has(name) : now === 1)
  const errors = sent?.faults.fields ?? {}
  const own = isSelf ? ' Without it you cannot open these pages any more.' : ''
  return (
    <form method="post" action={action} class="prose-width">
      <TextField
        name="full_name"
        label="Full name"
        value={text('full_name', user.full_name)}
        error={errors.full_name}
        autocomplete="off"
      />
      <TextField
        name="email"
        label="E-mail address"
        type="email"
        value={text('email', user.email ?? '')}
        error={errors.email}
        autocomplete="off"
      />
      <Choices
        name="visibility"
        label="Who can see this user"
        value={text('visibility', user.visibility)}
        choices={visibilities}
        error={errors.visibility}
      />
      <TextArea
        name="description"
        label="Description"
        value={text('description', user.description)}
        error={errors.description}
        rows={2}
        maxlength={255}
      />
      <TextField
        name="website"
        label="Website"
        value={text('website', user.website)}
        error={errors.website}
        autocomplete="off"
      />
      <TextField
        name="location"
        label="Location"
        value={text('location', user.location)}
        error={errors.location}
        autocomplete="off"
      />
      <fieldset class="mb-5">
        <legend class="font-medium mb-1">Rights</legend>
        <Checkbox
          name="admin"
          label="Administrator"
          checked={ticked('admin', user.is_admin)}
          error={errors.admin}
          hint={`Sees and changes everything on this site. One administrator who can sign in must stay.${own}`}
        />
        <Checkbox
          name="active"
          label="Active"
          checked={ticked('active', user.is_active)}
          error={errors.active}
          hint="Not active: neither signs in nor uses a token, and nothing is deleted. Sessions end at once."
        />
        <Checkbox
          name="prohibit_login"
          label="Sign-in prohibited"
          checked={ticked('prohibit_login', user.prohibit_login)}
          error={errors.prohibit_login}
          hint="Has the same effect, and is told apart: for accounts that are shut out rather than away."
        />
        <Checkbox
          name="restricted"
          label="Restricted"
          checked={ticked('restricted', user.is_restricted)}
          hint="Sees only what organisations show that the user is in."
        />
        <Checkbox
          name="may_create_organisations"
          label="May make organisations"
          checked={ticked('may_create_organisations', user.may_create_organisations)}
        />
        <Checkbox
          name="must_change_password"
          label="Must set a new password"
          checked={ticked('must_change_password', user.must_change_password)}
          hint="Before anything else, on the pages and in the API."
        />
      </fieldset>
      <Button look="primary">Save</Button>
    </form>
  )
}

type At = (...more: string[]) => string

function PasswordForms(props: {
  user: UserRow
  at: At
  sendsMail: boolean
  sent: { typed: Form; faults: Faults } | undefined
}) {
  const { user, at, sendsMail, sent } = props
  const mails = sendsMail && user.email !== null
  return (
    <Section title="Password" id="password">
      <div class="grid gap-6 prose-width">
        <form method="post" action={at('password-reset')}>
          <p class="mb-3">
            By a link, the user sets a new password without anybody else knowing it. It can be used once, within a day
            {mails ? `, is mailed to ${user.email},` : ','} and is shown to you.
          </p>
          <Button icon="key">Make a reset link</Button>
        </form>
        <form method="post" action={at('password')}>
          <TextField
            name="password"
            label="Or set a password yourself"
            type="password"
            error={sent?.faults.fields.password}
            hint="8 characters or more. Sessions end at once."
            autocomplete="new-password"
            required
          />
          <div class="mb-4">
            <Checkbox
              name="must_change_password"
              label="A new one must be set at the next sign-in"
              checked={sent ? sent.typed.has('must_change_password') : true}
            />
          </div>
          <Button>Set this password</Button>
        </form>
      </div>
    </Section>
  )
}

function SignIns(props: { user: UserRow; at: At; isSelf: boolean; identities: readonly Identity[] }) {
  const { user, at, isSelf, identities } = props
  return (
    <Section title="Signing in" id="signing-in">
      <div class="grid gap-6 prose-width">
        {user.suspended_at !== null && (
          <Action action={at('reinstate')} button="Lift the suspension" name="lift">
            A provider does not vouch for this user any more, so nothing of his is a credential since{' '}
            <Ago at={user.suspended_at} />. Lifted, that holds until the provider has vouched for him once more, and
            then takes it back.
          </Action>
        )}
        <Action action={at('end-sessions')} button="End all sessions" name="end">
          All browsers of this user must sign in again{isSelf ? ', yours too' : ''}. Tokens stay as they are.
        </Action>
        {user.totp_secret !== null && (
          <Action action={at('remove-second-factor')} button="Turn off the second factor" name="remove">
            For who has lost phone and recovery codes. Make sure that it is the person who asks: from then on the
            password {user.has_passkeys === 1 ? 'with a passkey' : 'alone'} is enough.
          </Action>
        )}
        {identities.length > 0 && <UserIdentities identities={identities} action={at('unlink')} />}
        {user.has_passkeys === 1 && (
          <Action action={at('remove-passkeys')} button="Remove the passkeys" name="remove">
            For who has lost all devices that keep one. Make sure that it is the person who asks: from then on the
            password{user.totp_secret === null ? ' alone' : ' with its second factor'} is enough.
          </Action>
        )}
      </div>
    </Section>
  )
}

function UserIdentities({ identities, action }: { identities: readonly Identity[]; action: string }) {
  return (
    <div>
      <p class="mb-3">By these identities the user comes in without a password. Unlinked, an identity is nobody's.</p>
      <ul class="grid gap-3">
        {identities.map(({ id, title, issuer, label, lapsed_at }) => (
          <li class="flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
            <span class="breaks">
              <bdi>{label}</bdi> at <span title={issuer}>{title}</span>
              {lapsed_at !== null && (
                <span class="block text-sm">
                  <State tone="warning">not vouched for any more</State>
                </span>
              )}
            </span>
            <form method="post" action={action}>
              <Button size="sm" name="unlink" value={String(id)}>
                Unlink<span class="sr-only"> {label}</span>
              </Button>
            </form>
          </li>
        ))}
      </ul>
    </div>
  )
}

/** A button, and what it does. */
function Action({
  action,
  button,
  name,
  children,
}: PropsWithChildren<{ action: string; button: string; name: string }>) {
  return (
    <form method="post" action={action}>
      <p class="mb-3">{children}</p>
      <Button name={name} value="yes">
        {button}
      </Button>
    </form>
  )
}

/** What goes with a user, before he does. */
export function DeleteUser(props: {
  user: UserRow
  usage: OwnerUsage
  isSelf: boolean
  typed?: Form
  faults?: Faults
}) {
  const { user, usage, isSelf, typed, faults } = props
  const { links } = useSite()
  const page = links.to('-', 'admin', 'users', user.name)
  const hasPackages = usage.versions > 0 || usage.packages > 0
  return (
    <AdminPage
      here="users"
      title={`Delete ${user.name}`}
      trail={[
        { text: 'Users', href: links.to('-', 'admin', 'users') },
        { text: user.name, href: page },
      ]}
      fault={faults?.form}
    >
      {isSelf ? (
        <div class="grid gap-4 prose-width">
          <p>Nobody can delete himself: ask another administrator.</p>
          <p>
            <ButtonLink href={page}>Back</ButtonLink>
          </p>
        </div>
      ) : (
        <Confirm
          action={links.to('-', 'admin', 'users', user.name, 'delete')}
          name={user.name}
          button="Delete this user"
          error={faults?.fields.confirm}
          back={page}
        >
          <p>The account goes, with its tokens, sessions, webhooks and memberships. It cannot be brought back.</p>
          <p>
            What it published at organisations stays, without saying by whom. The name can be taken by anybody at once;
            names that it had before stay reserved.
          </p>
          {hasPackages && (
            <Checkbox
              name="purge"
              label={
                <>
                  Delete its packages too: {packagesInWords(usage)}, <Size of={usage.bytes} />
                </>
              }
              checked={typed?.has('purge') ?? false}
              error={faults?.fields.purge}
              hint="Whoever installs them gets nothing any more."
            />
          )}
        </Confirm>
      )}
    </AdminPage>
  )
}
