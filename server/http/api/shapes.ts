import type { z } from 'zod'
import { auditCredentials } from '../../access/audit.ts'
import type { AuditRow } from '../../access/audit-log.ts'
import type { Caller } from '../../access/caller.ts'
import type { DeployToken } from '../../access/deploy-tokens.ts'
import { maySee } from '../../access/grant.ts'
import type { Invitation } from '../../access/invitations.ts'
import type { LinkRow } from '../../access/links.ts'
import type { Identity } from '../../access/oidc/identities.ts'
import type { OrganisationRow } from '../../access/organisations.ts'
import type { FormerName } from '../../access/owner-names.ts'
import type { HolderKind, PackageAccessView } from '../../access/package-access.ts'
import type { PasskeyRow } from '../../access/passkeys.ts'
import type { PublisherRule } from '../../access/publishers.ts'
import { scopeList, scopesFrom } from '../../access/scopes.ts'
import type { SessionRow } from '../../access/sessions.ts'
import { rightsFrom, shownUnits, unitsOf } from '../../access/team-rights.ts'
import type { TeamRow } from '../../access/teams.ts'
import type { ShownToken } from '../../access/tokens.ts'
import type { Deletion } from '../../registry/delete-versions.ts'
import type { ShownDownloads } from '../../registry/downloads.ts'
import { type JobRow, stateOf } from '../../registry/jobs.ts'
import type { SweepRecord } from '../../registry/last-sweep.ts'
import type { ListedFile, Profile, ShownVersion } from '../../registry/lists.ts'
import type { FileOrigin } from '../../registry/origins.ts'
import type { DescribedPackage } from '../../registry/package-text.ts'
import type { OwnQuota, ShownQuota } from '../../registry/quotas.ts'
import type { UsageCheck } from '../../registry/recount.ts'
import type { FoundPackage, FoundVersion } from '../../registry/search.ts'
import type { StorageView } from '../../registry/storage.ts'
import type { OwnerUsage, PackageUsage } from '../../registry/usage.ts'
import type { DeliveryRow, ListedDelivery, ShownDelivery, WebhookRow } from '../../registry/webhooks.ts'
import type * as schemas from './schemas.ts'

/** What clients of this protocol take for "never". */
const never = '0001-01-01T00:00:00Z'

/** A user as this caller may see him: private fields are empty for anybody but the user and administrators. */
export function userShape(
  user: Omit<Profile, 'kind'>,
  caller: Caller,
  publicUrl: string,
): z.output<typeof schemas.user> {
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
export function personShape(
  user: Omit<Profile, 'kind'>,
  caller: Caller,
  publicUrl: string,
): z.output<typeof schemas.user> {
  return userShape(creatorFor(caller, { ...user, kind: 'user' }), caller, publicUrl)
}

export function identityShape(identity: Identity): z.output<typeof schemas.identity> {
  const { id, provider, issuer, subject, label, created_at, last_used_at, checked_at, lapsed_at, isChecked } = identity
  return {
    ...{ id, provider, issuer, subject, label, created_at: time(created_at) },
    last_used_at: last_used_at === null ? null : time(last_used_at),
    checked_at: time(checked_at),
    lapsed_at: lapsed_at === null ? null : time(lapsed_at),
    checked: isChecked,
  }
}

export function suspensionShape({
  suspended_at,
}: {
  suspended_at: number | null
}): z.output<typeof schemas.suspension> {
  return { suspended_at: suspended_at === null ? null : time(suspended_at) }
}

export function passkeyShape(row: PasskeyRow): z.output<typeof schemas.passkey> {
  return {
    id: row.id,
    name: row.name,
    created_at: time(row.created_at),
    last_used_at: row.last_used_at === null ? null : time(row.last_used_at),
    backed_up: row.is_backed_up === 1,
  }
}

export function organisationShape(organisation: OrganisationRow): z.output<typeof schemas.organization> {
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

export function teamShape(team: TeamRow, organisation: OrganisationRow): z.output<typeof schemas.team> {
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
export function packageShape(
  { owner, version }: ShownVersion,
  caller: Caller,
  publicUrl: string,
): z.output<typeof schemas.packageVersion> {
  return {
    id: version.id,
    owner: userShape(owner, caller, publicUrl),
    repository: null,
    // Made with the owner's own token: who sees the package sees him.
    creator: userShape(
      version.creator?.id === owner.id ? owner : creatorFor(caller, version.creator),
      caller,
      publicUrl,
    ),
    type: 'generic',
    name: version.package,
    version: version.version,
    html_url: publicUrl + pageOfVersion(owner.name, version.package, version.version),
    created_at: time(version.createdAt),
  }
}

export function foundPackageShape(
  { versions, files, bytes, downloads, ...shown }: FoundPackage,
  caller: Caller,
  publicUrl: string,
): z.output<typeof schemas.foundPackage> {
  return { ...packageShape(shown, caller, publicUrl), versions, files, size: bytes, downloads }
}

export function foundVersionShape(
  { files, ...shown }: FoundVersion,
  caller: Caller,
  publicUrl: string,
): z.output<typeof schemas.foundVersion> {
  return { ...packageShape(shown, caller, publicUrl), files: files.map(fileShape) }
}

/** A creator whom this caller may not see is named, and nothing else is told of him; one who is gone is a ghost. */
function creatorFor(caller: Caller, creator: Profile = ghost): Profile {
  return creator === ghost || maySee(caller, creator) ? creator : { ...ghost, id: creator.id, name: creator.name }
}

/** Who is not there any more. */
export const ghost: Profile = {
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
export function fileShape({
  id,
  size,
  name,
  md5,
  sha1,
  sha256,
  sha512,
  downloads,
}: ListedFile): z.output<typeof schemas.packageFile> {
  return { id, size, name, md5, sha1, sha256, sha512, downloads }
}

/** Who sees a package, and whom it names. */
export function packageAccessShape({ visibility, holders }: PackageAccessView): z.output<typeof schemas.packageAccess> {
  const of = (wanted: HolderKind) =>
    holders.filter(({ kind }) => kind === wanted).map(({ id, name, permission }) => ({ id, name, permission }))
  return { visibility, users: of('user'), teams: of('team'), deploy_tokens: of('deploy-token') }
}

/** A package with what is said of it. */
export function packageMetadataShape(
  its: DescribedPackage,
  mayWrite: boolean,
): z.output<typeof schemas.packageMetadata> {
  return {
    name: its.name,
    description: its.description,
    readme: its.readme,
    homepage: its.homepage,
    repository_url: its.repository_url,
    labels: [...its.labels],
    versions: its.versions,
    files: its.files,
    size: its.size,
    downloads: its.downloads,
    created_at: time(its.createdAt),
    updated_at: time(its.updatedAt),
    visibility: its.visibility,
    can_write: mayWrite,
  }
}

export function downloadsShape({ total, days, files }: ShownDownloads): z.output<typeof schemas.packageDownloads> {
  return { total, days, ...(files ? { files } : {}) }
}

/** Versions that were deleted or, with `dryRun`, would be. */
export function deletionShape(deletion: Deletion, dryRun: boolean): z.output<typeof schemas.deletedVersions> {
  const { versions, total, files, size, unknown } = deletion
  return { dry_run: dryRun, versions, total_versions: total, files, size, unknown }
}

/** A token; `secret` only in the answer to its making. */
export function tokenShape(token: ShownToken, secret = ''): z.output<typeof schemas.accessToken> {
  return {
    id: token.id,
    name: token.name,
    sha1: secret,
    token_last_eight: token.last_eight,
    scopes: scopeList(scopesFrom(token.scopes)),
    created_at: time(token.created_at),
    last_used_at: token.last_used_at === null ? null : time(token.last_used_at),
    expires_at: token.expires_at === null ? null : time(token.expires_at),
    packages: token.packages && [...token.packages],
  }
}

export function deployTokenShape(token: DeployToken, secret = ''): z.output<typeof schemas.deployToken> {
  const { id, name, lastEight, scopes, packages, maker, createdAt, lastUsedAt, expiresAt } = token
  return {
    ...{ id, name, sha1: secret, token_last_eight: lastEight, scopes: scopeList(scopes) },
    created_at: time(createdAt),
    last_used_at: lastUsedAt === null ? null : time(lastUsedAt),
    expires_at: expiresAt === null ? null : time(expiresAt),
    packages: packages && [...packages],
    created_by: maker,
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
export function invitationShape({ link, team, organisation }: Invitation): z.output<typeof schemas.invitation> {
  return {
    ...linkShape(link),
    email: link.email ?? '',
    full_name: link.full_name,
    team: team && organisation ? teamShape(team, organisation) : null,
  }
}

/** A link to set a new password; `user` is whose it is. */
export function resetShape(link: LinkRow): Omit<z.output<typeof schemas.passwordReset>, 'url'> {
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

/** The blob store, as administrators see it. */
export function storageShape(view: StorageView): z.output<typeof schemas.storage> {
  const { referenced, doomed, leftover, isComplete, files, grace, hold, sweeps, nextSweepAt, disk, error } = view
  return {
    referenced,
    doomed,
    leftover,
    complete: isComplete,
    files,
    grace_seconds: grace / 1000,
    hold: hold ?? null,
    last_sweep: sweeps ? sweepShape(sweeps.last) : null,
    last_freed: sweeps?.freed ? sweepShape(sweeps.freed) : null,
    next_sweep_at: nextSweepAt === undefined ? null : time(nextSweepAt),
    disk: disk ?? null,
    error,
  }
}

function sweepShape({ at, took, doomed, leftover, error }: SweepRecord) {
  return { at: time(at), took_ms: took, doomed, leftover, error }
}

/** Something that somebody did. */
export function auditEventShape(event: AuditRow): z.output<typeof schemas.auditEvent> {
  const { id, action, token_last_eight, address, version, file, subject, details } = event
  return {
    id,
    created_at: new Date(event.created_at).toISOString(),
    action,
    actor: named(event.actor_id, event.actor_name),
    credential: auditCredentials.find((known) => known === event.credential) ?? null,
    token_last_eight,
    address,
    owner: named(event.owner_id, event.owner_name),
    package: event.package_name,
    version,
    file,
    subject,
    details: details === null ? {} : JSON.parse(details),
  }
}

function named(id: number | null, name: string | null): { id: number; name: string } | null {
  return id === null || name === null ? null : { id, name }
}

/** A webhook. Its secret and its header are never shown. */
export function hookShape(webhook: WebhookRow): z.output<typeof schemas.hook> {
  return {
    id: webhook.id,
    type: webhook.type,
    branch_filter: '',
    config: { url: webhook.url, content_type: 'json' },
    events: webhook.events.split(','),
    authorization_header: '',
    active: webhook.is_active === 1,
    updated_at: time(webhook.updated_at),
    created_at: time(webhook.created_at),
  }
}

export function publisherShape(rule: PublisherRule): z.output<typeof schemas.trustedPublisher> {
  const { id, name, issuer, claims, packages, maker, createdAt, lastUsedAt } = rule
  return {
    ...{ id, name, issuer, claims, packages: [...packages], created_by: maker, created_at: time(createdAt) },
    last_used_at: lastUsedAt === null ? null : time(lastUsedAt),
  }
}

export function fileOriginShape({ file, issuer, claims, createdAt }: FileOrigin): z.output<typeof schemas.fileOrigin> {
  return { file, issuer, claims, created_at: time(createdAt) }
}

/** A delivery in a list. */
export function deliveryShape({
  delivery,
  nextAttemptAt,
}: ShownDelivery<ListedDelivery>): z.output<typeof schemas.delivery> {
  const { id, uuid, action, state, attempts, attempted_at } = delivery
  return {
    id,
    uuid,
    event: 'package',
    action,
    state,
    attempts,
    created_at: time(delivery.created_at),
    attempted_at: attempted_at === null ? null : time(attempted_at),
    next_attempt_at: nextAttemptAt === undefined ? null : time(nextAttemptAt),
    duration_ms: delivery.duration,
    status: delivery.response_status,
    error: delivery.error,
  }
}

/** A delivery with what was sent and answered. */
export function wholeDeliveryShape(shown: ShownDelivery<DeliveryRow>): z.output<typeof schemas.wholeDelivery> {
  const { delivery } = shown
  const { request_origin, request_headers, request_body, response_status, response_headers, response_body } = delivery
  return {
    ...deliveryShape(shown),
    request: {
      origin: request_origin,
      headers: request_headers === null ? null : JSON.parse(request_headers),
      body: request_body,
    },
    response:
      response_status === null
        ? null
        : {
            status: response_status,
            headers: response_headers === null ? {} : JSON.parse(response_headers),
            body: response_body ?? '',
          },
  }
}

/** A name that somebody had before; `owner` is null where he is gone. */
export function reservedNameShape({ name, owner, created_at }: FormerName): z.output<typeof schemas.reservedName> {
  return { name, owner, since: time(created_at) }
}

export function ownQuotaShape({
  owner,
  versions,
  bytes,
  file_size,
}: Pick<OwnQuota, 'owner' | 'versions' | 'bytes' | 'file_size'>): z.output<typeof schemas.ownQuota> {
  return { owner, versions, bytes, file_size }
}

export function shownQuotaShape({ owner, own, effective }: ShownQuota): z.output<typeof schemas.shownQuota> {
  return { ...ownQuotaShape({ owner, ...own }), effective }
}

/** What an owner has; what is reserved and the quota only for those who may know. */
export function usageShape(usage: OwnerUsage): z.output<typeof schemas.usage> {
  const { owner, versions, packages, files, bytes, bounds } = usage
  return {
    owner,
    versions,
    packages,
    files,
    size: bytes,
    reserved_versions: bounds?.reservedVersions ?? null,
    reserved_size: bounds?.reservedBytes ?? null,
    quota: bounds?.quota ?? null,
  }
}

export function packageUsageShape(its: PackageUsage): z.output<typeof schemas.packageUsage> {
  return { name: its.name, versions: its.versions, files: its.files, size: its.bytes, downloads: its.downloads }
}

export function usageCheckShape(check: UsageCheck | undefined): z.output<typeof schemas.usageCheck> {
  if (!check) return { last: null }
  const { at, took, drift, ...rest } = check
  const shown = drift.map(({ of, name, number, kept, counted }) => ({ of, name, number, kept, counted }))
  return { last: { ...rest, at: time(at), took_ms: took, drift: shown } }
}

/** RFC 3339, whole seconds. */
function time(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d{3}Z$/, 'Z')
}
