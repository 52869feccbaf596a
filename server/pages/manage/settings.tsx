import type { Child } from 'hono/jsx'
import type { OrganisationRow, Visibility } from '../../access/organisations.ts'
import type { Profile } from '../../registry/lists.ts'
import type { OwnerUsage } from '../../registry/usage.ts'
import { Button, ButtonLink, type Choice, Choices, Confirm, TextArea, TextField } from '../components/forms.tsx'
import { Alert, Section, Trail } from '../components/parts.tsx'
import { OwnerHead, type OwnerStanding } from '../components/places.tsx'
import { Size } from '../components/values.tsx'
import type { Faults } from '../forms.ts'
import { useSite } from '../site.ts'
import { counted, number } from '../words.ts'

/** Who sees an owner's packages, in the words of who must decide. */
export interface Audience {
  kind: Profile['kind']
  name: string
  /** Whether nobody sees anything here before he has signed in. */
  mustSignIn: boolean
}

function readersOf(visibility: Visibility, { kind, name, mustSignIn }: Audience): string {
  if (visibility === 'private') {
    const insiders = kind === 'organisation' ? `members of ${name}` : name
    return `${insiders} and administrators of this site`
  }
  if (visibility === 'limited') return 'everybody who has an account that is not restricted'
  return mustSignIn ? 'everybody who has an account' : 'everybody with or without an account'
}

function visibilityChoices(audience: Audience): Choice[] {
  const said = (visibility: Visibility) => `${capital(readersOf(visibility, audience))}.`
  return [
    { value: 'public', label: 'Public', hint: said('public') },
    { value: 'limited', label: 'Limited', hint: said('limited') },
    { value: 'private', label: 'Private', hint: said('private') },
  ]
}

/** What an organisation says of itself, as it is typed. */
export interface TypedProfile {
  full_name: string
  description: string
  website: string
  location: string
  email: string
}

export function profileAs(its: OrganisationRow): TypedProfile {
  const { full_name, description, website, location, email } = its
  return { full_name, description, website, location, email: email ?? '' }
}

/** The owner whose settings these are, and who looks. */
export interface SettingsOf {
  profile: Profile
  standing: OwnerStanding
  audience: Audience
  /** Whether it is the reader's own account. */
  isOwn: boolean
  /** Whether the reader may give it another name. */
  mayRename: boolean
  mayDelete: boolean
}

export function SettingsPage(props: {
  its: SettingsOf
  /** Of an organisation. */
  typed?: TypedProfile | undefined
  faults?: Faults | undefined
}) {
  const { its, typed, faults } = props
  const { profile, standing, audience, isOwn } = its
  const { links } = useSite()
  const { name } = profile
  return (
    <>
      <OwnerHead owner={profile} {...standing} here="settings" />
      {faults?.form && <Alert tone="error">{faults.form}</Alert>}
      {typed && <ProfileForm name={name} typed={typed} faults={faults} />}
      {isOwn && (
        <p class="mt-6 prose-width">
          What is said of you, your password and your tokens are with{' '}
          <a href={links.path('/user/settings')}>your account</a>.
        </p>
      )}
      <Section title="Visibility" id="visibility">
        <form method="post" action={links.owner(name, 'settings', 'visibility')} class="prose-width">
          <Choices
            name="visibility"
            label={`Who can read the packages of ${name}`}
            value={profile.visibility}
            choices={visibilityChoices(audience)}
            error={faults?.fields.visibility}
          />
          <Button>Change visibility</Button>
          <p class="quiet text-sm mt-2">You will see what changes before anything does.</p>
        </form>
      </Section>
      <Section title="Name">
        {its.mayRename ? (
          <>
            <p class="mb-3 prose-width">
              Another name changes every address of the packages. The name of today goes on leading to them, and nobody
              else can take it.
            </p>
            <ButtonLink href={links.owner(name, 'settings', 'rename')} icon="edit">
              Rename
            </ButtonLink>
          </>
        ) : (
          <p class="prose-width">Only an administrator of this site can rename a user.</p>
        )}
      </Section>
      <Section title="Delete">
        {its.mayDelete ? (
          <ButtonLink href={links.owner(name, 'settings', 'delete')} look="danger" icon="trash">
            Delete the {audience.kind === 'organisation' ? 'organisation' : 'user'}
          </ButtonLink>
        ) : (
          <p class="prose-width">
            {isOwn
              ? 'Nobody can delete their own account. Ask an administrator of this site.'
              : 'Only an administrator of this site can delete a user.'}
          </p>
        )}
      </Section>
    </>
  )
}

function ProfileForm({ name, typed, faults }: { name: string; typed: TypedProfile; faults?: Faults | undefined }) {
  const { links } = useSite()
  const field = (key: keyof TypedProfile) => ({ name: key, value: typed[key], error: faults?.fields[key] })
  return (
    <form method="post" action={links.owner(name, 'settings')} class="mt-6 max-w-3xl">
      <div class="grid gap-x-5 sm:grid-cols-2">
        <TextField {...field('full_name')} label="Full name" autocomplete="off" />
        <TextField {...field('location')} label="Location" autocomplete="off" />
        <TextField {...field('website')} label="Website" placeholder="https://" inputmode="url" autocomplete="off" />
        <TextField {...field('email')} label="E-mail" autocomplete="off" />
      </div>
      <TextArea {...field('description')} label="Description" rows={3} hint="255 characters at most." />
      <Button look="primary">Save</Button>
    </form>
  )
}

/** What another visibility comes to, before it is set. */
export function VisibilityPage(props: { its: SettingsOf; to: Visibility; usage: OwnerUsage }) {
  const { its, to, usage } = props
  const { profile, audience } = its
  const { links } = useSite()
  const { name } = profile
  const from = profile.visibility
  const isWider = rank(to) > rank(from)
  const packages = counted(usage.packages, 'package')
  const back = links.owner(name, 'settings')
  return (
    <>
      <SettingsTrail name={name} here="Visibility" />
      <h1 class="mb-5">
        Make {name} {to}
      </h1>
      <form method="post" action={links.owner(name, 'settings', 'visibility')} class="panel p-5 prose-width">
        <input type="hidden" name="visibility" value={to} />
        <input type="hidden" name="sure" value="yes" />
        <div class="mb-4 grid gap-2">
          {isWider ? (
            <>
              <p class="font-medium">
                {capital(readersOf(to, audience))} will be able to read {packages}.
              </p>
              <p>
                Now only {readersOf(from, audience)} can. What somebody has downloaded once stays with them, also when
                you change this back.
              </p>
            </>
          ) : (
            <>
              <p class="font-medium">
                Only {readersOf(to, audience)} will be able to read {packages}.
              </p>
              <p>
                Now {readersOf(from, audience)} can. Downloads and scripts of all others stop working at once
                {from === 'public' ? ', and so do tokens that are for public packages only' : ''}.
              </p>
            </>
          )}
        </div>
        <div class="flex flex-wrap gap-3">
          <Button look="primary">Make it {to}</Button>
          <ButtonLink href={back}>Leave it {from}</ButtonLink>
        </div>
      </form>
    </>
  )
}

function rank(visibility: Visibility): number {
  return ['private', 'limited', 'public'].indexOf(visibility)
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function SettingsTrail({ name, here }: { name: string; here: string }) {
  const { links } = useSite()
  return (
    <Trail
      steps={[
        { text: name, href: links.owner(name) },
        { text: 'Settings', href: links.owner(name, 'settings') },
        { text: here },
      ]}
    />
  )
}

export function RenamePage(props: { its: SettingsOf; wanted: string; typed?: string; faults?: Faults | undefined }) {
  const { its, wanted, typed, faults } = props
  const { links } = useSite()
  const { name } = its.profile
  const action = links.owner(name, 'settings', 'rename')
  return (
    <>
      <SettingsTrail name={name} here="Rename" />
      <h1 class="mb-5">Rename {name}</h1>
      {faults?.form && <Alert tone="error">{faults.form}</Alert>}
      <form method="post" action={action} class="panel p-5 prose-width">
        <div class="mb-4 grid gap-2">
          <p>
            Every address with {name} in it goes on working: browsers and scripts are led to the new name. Nobody else
            can take the old one until an administrator frees it.
          </p>
          {its.profile.kind === 'user' && <p>From then on the new name is what signs in.</p>}
        </div>
        <TextField
          name="new_name"
          label="New name"
          value={wanted}
          error={faults?.fields.new_name}
          isMono
          autocomplete="off"
          hint="1 to 40 letters and digits, with single “-”, “_” or “.” between them."
        />
        <TextField
          name="confirm"
          label={`Type ${name} to confirm`}
          value={typed ?? ''}
          error={faults?.fields.confirm}
          isMono
          autocomplete="off"
        />
        <div class="flex flex-wrap gap-3">
          <Button look="primary">Rename</Button>
          <ButtonLink href={links.owner(name, 'settings')}>Keep the name</ButtonLink>
        </div>
      </form>
    </>
  )
}

export function DeleteOwnerPage(props: {
  its: SettingsOf
  usage: OwnerUsage
  typed?: string
  error?: string | undefined
  refusal?: string | undefined
}) {
  const { its, usage, typed, error, refusal } = props
  const { links } = useSite()
  const { name, kind } = its.profile
  const isOrganisation = kind === 'organisation'
  const hasPackages = usage.packages > 0
  const facts: [string, Child][] = [
    ['Packages', number(usage.packages)],
    ['Versions', number(usage.versions)],
    ['Files', number(usage.files)],
    ['Size', <Size of={usage.bytes} />],
  ]
  return (
    <>
      <SettingsTrail name={name} here="Delete" />
      <h1 class="mb-5">
        Delete the {isOrganisation ? 'organisation' : 'user'} {name}
      </h1>
      {refusal && <Alert tone="error">{refusal}</Alert>}
      <Confirm
        action={links.owner(name, 'settings', 'delete')}
        name={name}
        button={hasPackages ? `Delete with ${counted(usage.packages, 'package')}` : 'Delete'}
        back={links.owner(name, 'settings')}
        typed={typed ?? ''}
        error={error}
      >
        <p class="font-medium">This cannot be undone.</p>
        {hasPackages ? (
          <>
            <input type="hidden" name="purge" value="yes" />
            <p>All its packages go too. You will lose:</p>
            <dl class="facts">
              {facts.map(([term, value]) => (
                <>
                  <dt>{term}</dt>
                  <dd class="tabular">{value}</dd>
                </>
              ))}
            </dl>
          </>
        ) : (
          <p>{name} has no packages.</p>
        )}
        <p>
          {isOrganisation
            ? 'Its teams, invitations and webhooks go. Its members keep their accounts.'
            : 'The tokens, sessions and webhooks of this user go. What was published elsewhere stays, without a name.'}
        </p>
      </Confirm>
    </>
  )
}
