import type { UserRow } from '../../access/accounts.ts'
import { Button, Choices, TextArea, TextField } from '../components/forms.tsx'
import { Columns, Section } from '../components/parts.tsx'
import { Ago } from '../components/values.tsx'
import type { Faults } from '../forms.ts'
import { useSite } from '../site.ts'
import { AccountPage } from './frame.tsx'

/** What was typed and could not be taken. */
export type ProfileTyped = Partial<
  Record<'full_name' | 'description' | 'website' | 'location' | 'visibility' | 'email', string>
>

interface Props {
  user: UserRow
  /** Why the address cannot be changed here. */
  noPassword: string | undefined
  faults: Faults | undefined
  typed: ProfileTyped
}

export function ProfilePage(props: Props) {
  const { user, faults } = props
  return (
    <AccountPage here="profile" faults={faults}>
      <Columns aside={<Standing user={user} />}>
        <Profile {...props} />
        <Email {...props} />
        <Leaving user={user} />
      </Columns>
    </AccountPage>
  )
}

const visibilities = [
  { value: 'public', label: 'Public', hint: 'Everybody sees your profile and downloads your packages.' },
  { value: 'limited', label: 'Limited', hint: 'Everybody who has signed in does.' },
  { value: 'private', label: 'Private', hint: 'You alone, and the administrators of this site.' },
]

function Profile({ user, faults, typed }: Props) {
  const { links } = useSite()
  const errors = faults?.fields ?? {}
  return (
    <form method="post" action={links.path('/user/settings')} class="prose-width">
      <h2 class="mb-3">Profile</h2>
      <TextField
        name="full_name"
        label="Full name"
        value={typed.full_name ?? user.full_name}
        error={errors.full_name}
        autocomplete="name"
      />
      <TextArea
        name="description"
        label="About you"
        value={typed.description ?? user.description}
        error={errors.description}
        hint="Up to 255 characters, shown on your page."
        rows={3}
      />
      <TextField
        name="website"
        label="Website"
        type="url"
        value={typed.website ?? user.website}
        error={errors.website}
        placeholder="https://"
        autocomplete="url"
      />
      <TextField name="location" label="Location" value={typed.location ?? user.location} error={errors.location} />
      <Choices
        name="visibility"
        label="Who may see you and your packages"
        value={typed.visibility ?? user.visibility}
        choices={visibilities}
        error={errors.visibility}
      />
      <Button look="primary">Save profile</Button>
    </form>
  )
}

function Email({ user, noPassword, faults, typed }: Props) {
  const { links } = useSite()
  const errors = faults?.fields ?? {}
  if (noPassword) {
    return (
      <Section title="E-mail address">
        <div class="prose-width grid gap-2">
          <p class="breaks">{user.email ?? 'You have none.'}</p>
          <p class="quiet">
            {noPassword}, and changing the address takes one. An administrator of this site can change it for you.
          </p>
        </div>
      </Section>
    )
  }
  return (
    <Section title="E-mail address">
      <form method="post" action={links.path('/user/settings/email')} class="prose-width">
        <TextField
          name="email"
          label="E-mail address"
          type="email"
          value={typed.email ?? user.email ?? ''}
          error={errors.email}
          hint="You sign in with it too, and links to set a new password are sent there. Empty for none."
          autocomplete="email"
        />
        <TextField
          name="password"
          label="Your password"
          type="password"
          error={errors.password}
          hint="Asked for because whoever has the address can get a new password."
          autocomplete="current-password"
        />
        <Button>Change address</Button>
      </form>
    </Section>
  )
}

function Leaving({ user }: { user: UserRow }) {
  const { links } = useSite()
  return (
    <Section title="Delete your account">
      <p class="prose-width">
        {user.is_admin === 1 ? (
          <>
            Accounts are deleted by administrators, and you are one:{' '}
            <a href={links.to('-', 'admin', 'users', user.name)}>open your account among the users</a>.
          </>
        ) : (
          'Accounts are deleted by the administrators of this site. Ask one of them, and say what should become of the packages that you own: they can be deleted with the account.'
        )}
      </p>
    </Section>
  )
}

/** What the account is, which nobody changes here. */
function Standing({ user }: { user: UserRow }) {
  const { links } = useSite()
  return (
    <dl class="facts">
      <dt>User name</dt>
      <dd>
        <a href={links.owner(user.name)}>{user.name}</a>
      </dd>
      <dt>Made</dt>
      <dd>
        <Ago at={user.created_at} />
      </dd>
      {user.last_login_at !== null && (
        <>
          <dt>Last sign-in</dt>
          <dd>
            <Ago at={user.last_login_at} />
          </dd>
        </>
      )}
      {user.is_admin === 1 && (
        <>
          <dt>Role</dt>
          <dd>Administrator of this site</dd>
        </>
      )}
      {user.is_restricted === 1 && (
        <>
          <dt>Role</dt>
          <dd>Restricted: you see only what is public or shared with you</dd>
        </>
      )}
    </dl>
  )
}
