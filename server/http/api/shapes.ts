import type { z } from 'zod'
import type { Caller } from '../../access/caller.ts'
import { maySee } from '../../access/grant.ts'
import type { Invitation } from '../../access/invitations.ts'
import type { LinkRow } from '../../access/links.ts'
import type { OrganisationRow } from '../../access/organisations.ts'
import type { FormerName } from '../../access/owner-names.ts'
import { scopeList, scopesFrom } from '../../access/scopes.ts'
import type { SessionRow } from '../../access/sessions.ts'
import { rightsFrom, shownUnits, unitsOf } from '../../access/team-rights.ts'
import type { TeamRow } from '../../access/teams.ts'
import type { TokenRow } from '../../access/tokens.ts'
import { type JobRow, stateOf } from '../../registry/jobs.ts'
import type { ListedFile, Profile, ShownVersion } from '../../registry/lists.ts'
import type * as schemas from './schemas.ts'

/** What clients of this protocol take for "never". */
const never = '0001-01-01T00:00:00Z'

/** A user as this caller may see him: private fields are empty for anybody but the user and administrators. */
export function userShape(user: Omit<Profile, 'kind'>, caller: Caller, publicUrl: string) {
  const self = caller.kind === 'user' && (caller.account.isAdmin || caller.account.id === user.id)
  const address = user.email ?? placeholderAddress(user.name)
  return {
    id: user.id,
    login: user.name,
    login_name: '',
    source_id: 0,
    full_name: user.full_name,
    email: caller.kind === 'anonymous' ? placeholderAddress(user.name) : address,
    avatar_url: '',
    html_url: `${publicUrl}/${encodeURIComponent(user.name)}`,
    language: '',
    is_admin: self && user.is_admin === 1,
    last_login: self && user.last_login_at !== null ? time(user.last_login_at) : never,
    created: time(user.created_at),
    restricted: self && user.is_restricted === 1,
    active: self && user.is_active === 1,
    prohibit_login: self && user.prohibit_login === 1,
    location: user.location,
    website: user.website,
    description: user.description,
    visibility: user.visibility,
    followers_count: 0,
    following_count: 0,
    starred_repos_count: 0,
    username: user.name,
  }
}

function placeholderAddress(name: string): string {
  return `${name.toLowerCase()}@noreply.localhost`
}

/** Somebody among others, to whom he may be hidden: then he is named, and nothing else is told of him. */
export function personShape(user: Omit<Profile, 'kind'>, caller: Caller, publicUrl: string) {
  return userShape(creatorFor(caller, { ...user, kind: 'user' }), caller, publicUrl)
}

export function organisationShape(organisation: OrganisationRow) {
  const { id, name, full_name, email, description, website, location, visibility } = organisation
  return {
    id,
    name,
    full_name,
    email: email ?? '',
    avatar_url: '',
    description,
    website,
    location,
    visibility,
    repo_admin_change_team_access: organisation.repo_admin_change_team_access === 1,
    username: name,
  }
}

export function teamShape(team: TeamRow, organisation: OrganisationRow) {
  const rights = rightsFrom(team)
  return {
    id: team.id,
    name: team.name,
    description: team.description,
    organization: organisationShape(organisation),
    includes_all_repositories: team.includes_all_repositories === 1,
    permission: rights.permission,
    units: unitsOf(rights),
    units_map: shownUnits(rights),
    can_create_org_repo: team.can_create_org_repo === 1,
  }
}

/** A version; `id` is its own. */
export function packageShape({ owner, version }: ShownVersion, caller: Caller, publicUrl: string) {
  return {
    id: version.id,
    owner: userShape(owner, caller, publicUrl),
    repository: null,
    creator: userShape(creatorFor(caller, version.creator), caller, publicUrl),
    type: 'generic',
    name: version.package,
    version: version.version,
    html_url: publicUrl + pageOfVersion(owner.name, version.package, version.version),
    created_at: time(version.createdAt),
  }
}

/** A creator whom this caller may not see is named, and nothing else is told of him; one who is gone is a ghost. */
function creatorFor(caller: Caller, creator: Profile = ghost): Profile {
  return creator === ghost || maySee(caller, creator) ? creator : { ...ghost, id: creator.id, name: creator.name }
}

const ghost: Profile = {
  id: -1,
  kind: 'user',
  name: 'Ghost',
  visibility: 'public',
  created_at: Date.parse(never),
  description: '',
  website: '',
  location: '',
  full_name: '',
  email: null,
  is_admin: 0,
  is_active: 0,
  is_restricted: 0,
  prohibit_login: 0,
  last_login_at: null,
}

/** A version that is called `versions` would have the address of the package's own page of that name. */
function pageOfVersion(owner: string, name: string, version: string): string {
  const place = version.toLowerCase() === 'versions' ? ['-', 'version', version] : [version]
  return `/${[owner, '-', 'packages', 'generic', name, ...place].map(encodeURIComponent).join('/')}`
}

/** A digest that is not known yet is null. */
export function fileShape({ id, size, name, md5, sha1, sha256, sha512 }: ListedFile) {
  return { id, size, name, md5, sha1, sha256, sha512 }
}

/** A token; `secret` only in the answer to its making. */
export function tokenShape(token: TokenRow, secret = '') {
  return {
    id: token.id,
    name: token.name,
    sha1: secret,
    token_last_eight: token.last_eight,
    scopes: scopeList(scopesFrom(token.scopes)),
    created_at: time(token.created_at),
    last_used_at: token.last_used_at === null ? null : time(token.last_used_at),
    expires_at: token.expires_at === null ? null : time(token.expires_at),
  }
}

/** A browser that has signed in; `current` is the one that asks. */
export function sessionShape(session: SessionRow, current: boolean) {
  const { id, created_at, last_used_at, expires_at, address, agent } = session
  return {
    id,
    created_at: time(created_at),
    last_used_at: time(last_used_at),
    expires_at: time(expires_at),
    address,
    agent,
    current,
  }
}

/** Its address is told only when it is made. */
export function invitationShape({ link, team, organisation }: Invitation) {
  return {
    ...linkShape(link),
    email: link.email ?? '',
    full_name: link.full_name,
    team: team && organisation ? teamShape(team, organisation) : null,
  }
}

/** A link to set a new password; `user` is whose it is. */
export function resetShape(link: LinkRow) {
  return { ...linkShape(link), user: link.user }
}

function linkShape({ id, kind, maker, created_at, expires_at, mailed }: LinkRow) {
  return {
    id,
    kind,
    created_by: maker,
    created_at: time(created_at),
    expires_at: time(expires_at),
    mailed: mailed === 1,
  }
}

/** A job, as administrators see it. */
export function jobShape(job: JobRow): z.output<typeof schemas.job> {
  return {
    id: job.id,
    kind: job.kind,
    subject: job.subject,
    state: stateOf(job),
    attempts: job.attempts,
    due_at: time(job.due_at),
    last_error: job.last_error,
    given_up_at: job.given_up_at === null ? null : time(job.given_up_at),
    created_at: time(job.created_at),
  }
}

/** A name that somebody had before; `owner` is null where he is gone. */
export function reservedNameShape({ name, owner, created_at }: FormerName) {
  return { name, owner, since: time(created_at) }
}

/** RFC 3339, whole seconds. */
function time(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d{3}Z$/, 'Z')
}
