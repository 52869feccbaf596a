import { alone, lockAccounts, lockByName } from '../catalogue/named-locks.ts'
import {
  deleteMember,
  insertOrganisation,
  isMember,
  membersPage,
  type OrganisationRow,
  organisationById,
  organisationsPage,
  organisationsWrittenBy,
  ownersOf,
  updateOrganisation,
} from '../catalogue/organisations.ts'
import { insertOwner, type OwnerRow, ownerById, updateOwner } from '../catalogue/owners.ts'
import type { Flag, Tx, Visibility } from '../catalogue/schema.ts'
import { insertTeam, insertTeamMember, isOnlyOwner, type TeamRow, teamsById } from '../catalogue/teams.ts'
import { type Catalogue, StartAgain, transaction } from '../catalogue/transaction.ts'
import { type UserRow, userById, userByNameKey } from '../catalogue/users.ts'
import { ownerKey, ownerName } from '../names.ts'
import { Problem } from '../problems.ts'
import { type AuditEvent, audit } from './audit.ts'
import { changesOf, type Told } from './audit-changes.ts'
import type { Caller, SignedIn } from './caller.ts'
import { type AdminGrant, administer, callerNow, mustBeInReach, type Standing, signedIn, standingOf } from './grant.ts'
import { mustBeFree } from './owner-names.ts'
import { type Rank, rankAt, reaches, type Verb } from './rules.ts'
import { storedRights } from './team-rights.ts'
import { viewerOf } from './viewers.ts'

/** For those who may not import the catalogue. */
export type { OrganisationRow, Visibility }

declare const granted: unique symbol

/** Leave to do at an organisation what takes that rank. Only this file makes one. */
export interface OrganisationGrant<R extends Rank = Rank> {
  readonly [granted]: R
  readonly organisation: OwnerRow
  readonly caller: R extends 'reader' ? Caller : SignedIn
}

/** Leave to make an organisation for that user. */
export interface FounderGrant {
  readonly [granted]: 'found'
  readonly owner: Pick<UserRow, 'id'>
  readonly caller: SignedIn
  /** Whether an administrator does it for somebody. */
  readonly asAdministrator: boolean
}

/**
 * An `OrganisationGrant`, or the refusal: an organisation that is hidden from the caller is unknown, and where only members or
 * owners may do a thing, whoever is not signed in is asked to.
 */
export function organisationGrant<R extends Rank>(
  rank: R,
  verb: Verb,
  caller: Caller,
  owner: OwnerRow | undefined,
): OrganisationGrant<R> {
  const scope = `${verb}:organization` as const
  const isOpen = rank === 'reader' && verb === 'read' && !(caller.kind === 'anonymous' && caller.mustSignIn)
  if (caller.kind === 'anonymous' && !isOpen) signedIn(caller, scope)
  const held = owner?.kind === 'organisation' ? rankAt(caller, owner) : 'none'
  if (!owner || held === 'none') throw new Problem('not-found', 'Not found.')
  mustBeInReach(caller, owner)
  if (caller.kind !== 'anonymous') {
    const known = signedIn(caller, scope)
    if (!reaches(held, rank)) throw rankMissing(known, rank, owner)
  }
  return { organisation: owner, caller } as unknown as OrganisationGrant<R>
}

function rankMissing({ account }: SignedIn, rank: Rank, owner: OwnerRow): Problem {
  const sentence =
    rank === 'owner'
      ? `${account.name} is not an owner of ${owner.name}.`
      : `${account.name} is not a member of ${owner.name}.`
  return new Problem('forbidden', sentence)
}

export interface AtOrganisation {
  standing: Standing
  organisationId: number
  now: number
}

/** The grant again, as it is now, inside a transaction: the request may have taken long. */
export async function organisationGrantNow<R extends Rank>(
  tx: Tx,
  rank: R,
  { standing, organisationId, now }: AtOrganisation,
): Promise<OrganisationGrant<R>> {
  const caller = await callerNow(tx, standing, now)
  const owner = await ownerById(tx, { id: organisationId, userId: caller.account.id })
  return organisationGrant(rank, 'write', caller, owner)
}

/**
 * Takes the locks of whoever takes something away: from one account, or from all that act at the organisation. What runs by
 * their rights ends before this is answered, and what comes after it finds them gone.
 */
export async function lockLosers(
  tx: Tx,
  { standing, organisationId }: AtOrganisation,
  loser?: { userId: number },
): Promise<void> {
  await lockAccounts(tx, { alone: loser ? [loser.userId] : [], shared: [standing.userId] })
  await lockByName(tx, [alone(`owner ${organisationId}`)])
}

export interface OrganisationFields {
  fullName?: string | undefined
  email?: string | undefined
  description?: string | undefined
  website?: string | undefined
  location?: string | undefined
  visibility?: Visibility | undefined
  repoAdminChangeTeamAccess?: boolean | undefined
}

interface AddOrganisation {
  standing: Standing
  ownerId: number
  asAdministrator: boolean
  name: string
  nameKey: string
  fields: OrganisationFields
  now: number
}

/** Makes an organisation, and the team of those who own it. */
export const addOrganisation = transaction('add organisation', async (tx, args: AddOrganisation) => {
  const { standing, ownerId, name, nameKey, fields, now } = args
  await lockAccounts(tx, { shared: [standing.userId, ownerId] })
  const caller = await callerNow(tx, standing, now)
  const owner = await userById(tx, ownerId)
  if (!owner) throw new Problem('not-found', 'Not found.')
  if (args.asAdministrator) administer(caller, 'write')
  else mustMayFound(caller, owner)
  const visibility = fields.visibility ?? 'public'
  mustBeAllowed(caller, name, visibility)

  await lockByName(tx, [alone(`name ${nameKey}`)])
  await mustBeFree(tx, { text: name, key: nameKey }, null)
  const id = await insertOwner(tx, { kind: 'organisation', name, nameKey, visibility, now })
  if (id === undefined) throw new StartAgain('a node of an older release, which holds no names, took it')
  await updateOwner(tx, id, ownersHalf(fields))
  await insertOrganisation(tx, {
    id,
    full_name: fields.fullName ?? '',
    email: fields.email || null,
    repo_admin_change_team_access: flag(fields.repoAdminChangeTeamAccess ?? false),
  })
  const owners = await insertTeam(tx, {
    organisation_id: id,
    name: 'Owners',
    name_key: 'owners',
    description: '',
    ...storedRights({ permission: 'owner', unitsMap: {} }),
    includes_all_repositories: 1,
    can_create_org_repo: 1,
  })
  if (!owners) throw new Error('a new organisation had a team already')
  await insertTeamMember(tx, owners, ownerId)
  const made = { id, name }
  const created = { action: 'organisation.created' as const, owner: made, details: { visibility } }
  await audit(tx, caller, now, created, memberAdded(made, owners, owner))
  return organisationById(tx, id)
})

type Named = Pick<OwnerRow, 'id' | 'name'>

export function memberAdded(owner: Named, { name, permission }: TeamRow, member: { name: string }): AuditEvent {
  return { action: 'member.added', owner, subject: member.name, details: { team: name, permission } }
}

const toldOfOrganisation = {
  full_name: ['full_name', 'name only'],
  email: ['email', 'name only'],
  repo_admin_change_team_access: ['repo_admin_change_team_access', 'flag'],
  visibility: ['visibility', 'value'],
  description: ['description', 'name only'],
  website: ['website', 'name only'],
  location: ['location', 'name only'],
} as const satisfies Told<OrganisationRow>

interface ChangeOrganisation extends AtOrganisation {
  fields: OrganisationFields
}

/** A token that is for public owners only loses one that is not public any more. */
export const changeOrganisation = transaction('change organisation', async (tx, args: ChangeOrganisation) => {
  const { organisationId: id, fields } = args
  await lockLosers(tx, args)
  const { caller, organisation } = await organisationGrantNow(tx, 'owner', args)
  if (fields.visibility !== undefined) mustBeAllowed(caller, organisation.name, fields.visibility)
  const before = await organisationById(tx, id)
  await updateOwner(tx, id, { ...ownersHalf(fields), visibility: fields.visibility })
  await updateOrganisation(tx, id, {
    full_name: fields.fullName,
    email: fields.email === '' ? null : fields.email,
    repo_admin_change_team_access:
      fields.repoAdminChangeTeamAccess === undefined ? undefined : flag(fields.repoAdminChangeTeamAccess),
  })
  const changed = await organisationById(tx, id)
  const details = before && changed && changesOf(before, changed, toldOfOrganisation)
  if (details) await audit(tx, caller, args.now, { action: 'organisation.changed', owner: organisation, details })
  return changed
})

export interface RemoveMember extends AtOrganisation {
  userId: number
}

/** Takes somebody out of every team; each may do so with himself. */
export const removeMember = transaction('remove organisation member', async (tx, args: RemoveMember) => {
  const { organisationId, userId } = args
  await lockLosers(tx, args, args)
  const { organisation, caller } = await organisationGrantNow(tx, rankToRemove(args), args)
  if (await isOnlyOwner(tx, args)) throw lastOwner(organisation)
  const teams = await teamsById(tx, await deleteMember(tx, { organisationId, userId }))
  if (teams.length === 0) throw new Problem('not-found', 'Not found.')
  await audit(tx, caller, args.now, await memberRemoved(tx, organisation, userId, teams))
})

export async function memberRemoved(
  tx: Tx,
  owner: Named,
  userId: number,
  teams: readonly TeamRow[],
): Promise<AuditEvent> {
  const user = await userById(tx, userId)
  return { action: 'member.removed', owner, subject: user?.name, details: { teams: teams.map(({ name }) => name) } }
}

/** Whoever is inside may go. */
export function rankToRemove({ standing, userId }: RemoveMember): 'member' | 'owner' {
  return standing.userId === userId ? 'member' : 'owner'
}

/** An organisation that nobody owns could not be changed any more. */
export function lastOwner({ name }: OwnerRow): Problem {
  return new Problem(
    'unprocessable',
    `The last member of the team Owners cannot leave it: make somebody else an owner of ${name} first.`,
  )
}

/** Whether the account may make organisations. */
function mustMayFound(caller: SignedIn, user: UserRow): void {
  const { account } = signedIn(caller, 'write:organization')
  if (account.isAdmin) return
  if (account.isRestricted)
    throw new Problem('forbidden', `${account.name} is restricted, and so makes no organisation.`)
  if (user.may_create_organisations === 0) throw new Problem('forbidden', `${account.name} may not make organisations.`)
}

/** A token for what is public only makes nothing else. */
function mustBeAllowed(caller: SignedIn, name: string, visibility: Visibility): void {
  mustBeInReach(caller, { name, visibility })
}

function ownersHalf({ description, website, location }: OrganisationFields) {
  return { description, website, location }
}

export function flag(isSet: boolean): Flag {
  return isSet ? 1 : 0
}

export class Organisations {
  readonly #catalogue: Catalogue
  readonly #now: () => number

  constructor(parts: { catalogue: Catalogue; now: () => number }) {
    this.#catalogue = parts.catalogue
    this.#now = parts.now
  }

  /** Leave to make an organisation of one's own. */
  async founder(caller: Caller): Promise<FounderGrant> {
    const known = signedIn(caller, 'write:organization')
    const user = await userById(this.#catalogue.read, known.account.id)
    if (user) mustMayFound(known, user)
    return { owner: known.account, caller: known, asAdministrator: false } as unknown as FounderGrant
  }

  /** Leave to make one for somebody else. */
  async founderFor({ caller }: AdminGrant, name: string): Promise<FounderGrant> {
    const owner = await this.#userNamed(name)
    if (!owner) throw new Problem('not-found', 'Not found.')
    return { owner, caller, asAdministrator: true } as unknown as FounderGrant
  }

  /** `unprocessable` where the name is taken or not allowed. */
  async create({ owner, caller, asAdministrator }: FounderGrant, name: string, fields: OrganisationFields) {
    const { text, key } = ownerName(name)
    const args = { ownerId: owner.id, asAdministrator, name: text, nameKey: key, fields }
    return found(await this.#catalogue.transact(addOrganisation, { ...args, ...this.#as(caller) }))
  }

  async show({ organisation }: OrganisationGrant): Promise<OrganisationRow> {
    return found(await organisationById(this.#catalogue.read, organisation.id))
  }

  async change(grant: OrganisationGrant<'owner'>, fields: OrganisationFields): Promise<OrganisationRow> {
    return found(await this.#catalogue.transact(changeOrganisation, { ...this.#at(grant), fields }))
  }

  /** All that the caller sees. */
  async list(caller: Caller, window: Window): Promise<OrganisationList> {
    const viewer = viewerOf(caller)
    return organisationsPage(this.#catalogue.read, { viewer, members: [] }, window)
  }

  /** Those in which the user is, as far as the caller sees them and is there too: who is where is known to members only. */
  async listOf(user: Pick<OwnerRow, 'id'>, caller: Caller, window: Window): Promise<OrganisationList> {
    if (caller.kind !== 'user') return { organisations: [], total: 0 }
    const members = caller.account.isAdmin ? [user.id] : [user.id, caller.account.id]
    return organisationsPage(this.#catalogue.read, { viewer: viewerOf(caller), members }, window)
  }

  /** The names of those at which the caller may publish as what he is there, the first so many. */
  async writtenBy({ account }: SignedIn, limit: number): Promise<string[]> {
    return organisationsWrittenBy(this.#catalogue.read, account.id, limit)
  }

  /** Nobody is shown to who is no member. */
  async members(grant: OrganisationGrant, window: Window): Promise<{ members: UserRow[]; total: number }> {
    if (!isInside(grant)) return { members: [], total: 0 }
    return membersPage(this.#catalogue.read, grant.organisation.id, window)
  }

  /** Whom to ask: the names of its owners, the first so many. Who is no member is told none. */
  async ownersOf(grant: OrganisationGrant<'reader'>, limit: number): Promise<string[]> {
    return isInside(grant) ? ownersOf(this.#catalogue.read, grant.organisation.id, limit) : []
  }

  /** `not-found` also for who is no member himself. */
  async mustHave(grant: OrganisationGrant<'reader'>, name: string): Promise<void> {
    if (!isInside(grant)) throw new Problem('not-found', 'Not found.')
    await this.#memberNamed(grant, name)
  }

  /** A member by his name, and why he cannot go, if he cannot. */
  async member(
    grant: OrganisationGrant<'member'>,
    name: string,
  ): Promise<{ member: UserRow; mayNotGo: Problem | undefined }> {
    const { organisation } = grant
    const member = await this.#memberNamed(grant, name)
    const who = { organisationId: organisation.id, userId: member.id }
    const isLast = await isOnlyOwner(this.#catalogue.read, who)
    return { member, mayNotGo: isLast ? lastOwner(organisation) : undefined }
  }

  async removeMember(grant: OrganisationGrant<'member'>, name: string): Promise<UserRow> {
    const user = await this.#memberNamed(grant, name)
    await this.#catalogue.transact(removeMember, { ...this.#at(grant), userId: user.id })
    return user
  }

  async #memberNamed({ organisation }: OrganisationGrant, name: string): Promise<UserRow> {
    const user = await this.#userNamed(name)
    const who = user && { organisationId: organisation.id, userId: user.id }
    if (!who || !(await isMember(this.#catalogue.read, who))) throw new Problem('not-found', 'Not found.')
    return user
  }

  async #userNamed(name: string): Promise<UserRow | undefined> {
    const key = ownerKey(name)
    return key === undefined ? undefined : userByNameKey(this.#catalogue.read, key)
  }

  #as(caller: SignedIn) {
    return { standing: standingOf(caller), now: this.#now() }
  }

  #at({ organisation, caller }: OrganisationGrant<'member' | 'owner'>): AtOrganisation {
    return { ...this.#as(caller), organisationId: organisation.id }
  }
}

interface Window {
  offset: number
  limit: number
}

interface OrganisationList {
  organisations: OrganisationRow[]
  total: number
}

function isInside({ caller, organisation }: OrganisationGrant): boolean {
  return reaches(rankAt(caller, organisation), 'member')
}

function found(row: OrganisationRow | undefined): OrganisationRow {
  if (!row) throw new Problem('not-found', 'Not found.')
  return row
}
