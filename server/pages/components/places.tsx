import type { Caller } from '../../access/caller.ts'
import type { OrganisationGrant } from '../../access/organisations.ts'
import { permission, rankAt, reaches } from '../../access/rules.ts'
import type { Profile } from '../../registry/lists.ts'
import { useSite } from '../site.ts'
import { Icon } from './icon.tsx'
import { type Place, Places, VisibilityBadge } from './parts.tsx'

/** What the reader may do at an owner: which of the owner's pages lead to him. */
export interface OwnerStanding {
  /** Publish and delete. */
  mayWrite: boolean
  /** Change the owner itself: the user, an owner of the organisation, an administrator. */
  mayRun: boolean
  /** Member of the organisation. Not said: whoever may write. */
  isInside?: boolean
}

/** Of the row that was looked up for the caller. */
export function ownerStanding(caller: Caller, owner: OrganisationGrant['organisation']): OwnerStanding {
  const mayWrite = permission(caller, owner) === 'write'
  if (owner.kind === 'user') return { mayWrite, mayRun: mayWrite, isInside: mayWrite }
  const rank = rankAt(caller, owner)
  return { mayWrite, mayRun: reaches(rank, 'owner'), isInside: reaches(rank, 'member') }
}

export type OwnerPlace =
  | 'packages'
  | 'upload'
  | 'members'
  | 'teams'
  | 'invitations'
  | 'usage'
  | 'deploy-tokens'
  | 'publishers'
  | 'webhooks'
  | 'audit'
  | 'settings'

/** The pages of an owner, as far as the reader may open them. */
export function OwnerPlaces(
  props: OwnerStanding & { owner: string; kind: Profile['kind']; here?: OwnerPlace | undefined },
) {
  const { owner, kind, mayWrite, mayRun, isInside = mayWrite || mayRun, here } = props
  const { links, visitor } = useSite()
  const isOrganisation = kind === 'organisation'
  const isOwn = visitor?.account.name === owner
  const all: (Place & { name: OwnerPlace; isFor: boolean })[] = [
    { name: 'packages', text: 'Packages', icon: 'package', href: links.owner(owner), isFor: true },
    { name: 'upload', text: 'Upload', icon: 'upload', href: links.owner(owner, 'upload'), isFor: mayWrite },
    {
      name: 'members',
      text: 'Members',
      icon: 'users',
      href: links.owner(owner, 'members'),
      isFor: isOrganisation && isInside,
    },
    {
      name: 'teams',
      text: 'Teams',
      icon: 'limited',
      href: links.owner(owner, 'teams'),
      isFor: isOrganisation && isInside,
    },
    {
      name: 'invitations',
      text: 'Invitations',
      icon: 'add',
      href: links.owner(owner, 'invitations'),
      isFor: isOrganisation && mayRun,
    },
    { name: 'usage', text: 'Usage', icon: 'usage', href: links.owner(owner, 'usage'), isFor: mayWrite },
    {
      name: 'deploy-tokens',
      text: 'Deploy tokens',
      icon: 'key',
      href: links.owner(owner, 'deploy-tokens'),
      isFor: mayRun,
    },
    {
      name: 'publishers',
      text: 'Publishers',
      icon: 'publisher',
      href: links.owner(owner, 'publishers'),
      isFor: mayRun,
    },
    {
      name: 'webhooks',
      text: 'Webhooks',
      icon: 'webhook',
      href: links.owner(owner, 'webhooks'),
      // Those of another user are nobody's but his, not even an administrator's.
      isFor: mayRun && (isOrganisation || isOwn),
    },
    {
      name: 'audit',
      text: 'Audit',
      icon: 'audit',
      href: links.owner(owner, 'audit'),
      isFor: mayRun && (isOrganisation || isOwn),
    },
    { name: 'settings', text: 'Settings', icon: 'settings', href: links.owner(owner, 'settings'), isFor: mayRun },
  ]
  const places = all.filter(({ isFor }) => isFor)
  if (places.length === 1 && here === 'packages') return null
  return (
    <Places
      label={`Pages of ${owner}`}
      places={places.map(({ name, text, icon, href }) => ({
        text,
        href,
        isHere: name === here,
        ...(icon ? { icon } : {}),
      }))}
    />
  )
}

/** What every page of an owner begins with: who it is, and the pages that belong to it. */
export function OwnerHead(
  props: OwnerStanding & {
    owner: Pick<Profile, 'kind' | 'name' | 'full_name' | 'description' | 'visibility'>
    here?: OwnerPlace | undefined
  },
) {
  const { owner, here, ...standing } = props
  const { kind, name, full_name, description, visibility } = owner
  const isOrganisation = kind === 'organisation'
  return (
    <header class="mb-2">
      <div class="flex flex-wrap items-center gap-x-3 gap-y-2 mb-1">
        <h1 class="flex items-start gap-2.5 min-w-0">
          <Icon
            name={isOrganisation ? 'organisation' : 'user'}
            label={isOrganisation ? 'Organisation' : 'User'}
            class="mt-1"
          />
          <span class="breaks" dir="auto">
            {name}
          </span>
        </h1>
        <VisibilityBadge visibility={visibility} />
      </div>
      {full_name && (
        <p class="breaks" dir="auto">
          {full_name}
        </p>
      )}
      {description && (
        <p class="quiet breaks prose-width" dir="auto">
          {description}
        </p>
      )}
      <div class="mt-3 empty:border-b empty:border-base-300 empty:pt-2 empty:mb-6">
        <OwnerPlaces owner={name} kind={kind} {...standing} here={here} />
      </div>
    </header>
  )
}

export type AccountPlace =
  | 'profile'
  | 'password'
  | 'two-factor'
  | 'passkeys'
  | 'identities'
  | 'tokens'
  | 'sessions'
  | 'organisations'
  | 'audit'

/** What somebody has of his own. */
export function AccountPlaces({ here }: { here?: AccountPlace }) {
  const { links, providers } = useSite()
  const all: (Place & { name: AccountPlace })[] = [
    { name: 'profile', text: 'Profile', icon: 'account', href: links.path('/user/settings') },
    { name: 'password', text: 'Password', icon: 'hidden', href: links.path('/user/settings/password') },
    { name: 'two-factor', text: 'Two-factor', icon: 'admin', href: links.path('/user/settings/two-factor') },
    { name: 'passkeys', text: 'Passkeys', icon: 'passkey', href: links.path('/user/settings/passkeys') },
    ...(providers.length > 0 || here === 'identities'
      ? [
          {
            name: 'identities',
            text: 'Identities',
            icon: 'link',
            href: links.path('/user/settings/identities'),
          } as const,
        ]
      : []),
    { name: 'tokens', text: 'Tokens', icon: 'key', href: links.path('/user/settings/tokens') },
    { name: 'sessions', text: 'Sessions', icon: 'signIn', href: links.path('/user/settings/sessions') },
    { name: 'organisations', text: 'Organisations', icon: 'organisation', href: links.path('/user/organisations') },
    { name: 'audit', text: 'Audit', icon: 'audit', href: links.path('/user/settings/audit') },
  ]
  return <Places label="Your account" places={all.map(({ name, ...place }) => ({ ...place, isHere: name === here }))} />
}

export type AdminPlace =
  | 'overview'
  | 'users'
  | 'quotas'
  | 'storage'
  | 'jobs'
  | 'webhooks'
  | 'names'
  | 'sessions'
  | 'audit'
  | 'settings'

/** Running the site. */
export function AdminPlaces({ here }: { here?: AdminPlace }) {
  const { links } = useSite()
  const all: (Place & { name: AdminPlace })[] = [
    { name: 'overview', text: 'Overview', icon: 'admin', href: links.to('-', 'admin') },
    { name: 'users', text: 'Users', icon: 'users', href: links.to('-', 'admin', 'users') },
    { name: 'quotas', text: 'Quotas', icon: 'usage', href: links.to('-', 'admin', 'quotas') },
    { name: 'storage', text: 'Storage', icon: 'package', href: links.to('-', 'admin', 'storage') },
    { name: 'jobs', text: 'Jobs', icon: 'repeat', href: links.to('-', 'admin', 'jobs') },
    { name: 'webhooks', text: 'Webhooks', icon: 'webhook', href: links.to('-', 'admin', 'webhooks') },
    { name: 'names', text: 'Names', icon: 'label', href: links.to('-', 'admin', 'names') },
    { name: 'audit', text: 'Audit', icon: 'audit', href: links.to('-', 'admin', 'audit') },
    { name: 'settings', text: 'Settings', icon: 'settings', href: links.to('-', 'admin', 'settings') },
  ]
  return (
    <Places label="Running the site" places={all.map(({ name, ...place }) => ({ ...place, isHere: name === here }))} />
  )
}
