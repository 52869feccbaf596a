import { isMember } from '../catalogue/organisations.ts'
import type { Tx } from '../catalogue/schema.ts'
import {
  deleteTeam,
  deleteTeamMember,
  insertTeam,
  insertTeamMember,
  isOnlyOwner,
  type TeamRow,
  teamAndOwner,
  teamById,
  teamMember,
  teamMembersPage,
  teamNameIsTaken,
  teamsOfPeople,
  teamsPage,
  updateTeam,
} from '../catalogue/teams.ts'
import { type Catalogue, transaction } from '../catalogue/transaction.ts'
import { type UserRow, userByNameKey } from '../catalogue/users.ts'
import { ownerKey } from '../names.ts'
import { Problem } from '../problems.ts'
import { audit } from './audit.ts'
import { changesOf, type Told } from './audit-changes.ts'
import type { Caller, SignedIn } from './caller.ts'
import { maySee, signedIn, standingOf } from './grant.ts'
import {
  type AtOrganisation,
  flag,
  lastOwner,
  lockLosers,
  memberAdded,
  memberRemoved,
  type OrganisationGrant,
  organisationGrant,
  organisationGrantNow,
  type RemoveMember,
  rankToRemove,
} from './organisations.ts'
import type { Rank, Verb } from './rules.ts'
import { rightsFrom, shownUnits, storedRights, teamRights, type WantedRights } from './team-rights.ts'

/** For those who may not import the catalogue. */
export type { TeamRow }

/** Leave to do something with a team. Only this file makes one. */
export type TeamGrant<R extends Rank = Rank> = OrganisationGrant<R> & { readonly team: TeamRow }

export interface TeamFields extends WantedRights {
  description?: string | undefined
  includesAllRepositories?: boolean | undefined
  canCreateOrgRepo?: boolean | undefined
}

interface AddTeam extends AtOrganisation {
  name: string
  fields: TeamFields
}

export const addTeam = transaction('add team', async (tx, args: AddTeam): Promise<TeamRow> => {
  const { organisation, caller } = await organisationGrantNow(tx, 'owner', args)
  const { name, fields } = args
  const added = await insertTeam(tx, {
    organisation_id: organisation.id,
    name,
    name_key: teamKey(name),
    description: fields.description ?? '',
    ...storedRights(teamRights(fields)),
    includes_all_repositories: flag(fields.includesAllRepositories ?? false),
    can_create_org_repo: flag(fields.canCreateOrgRepo ?? false),
  })
  if (!added) throw nameTaken(name)
  const { permission, packages } = toldOf(added)
  await audit(tx, caller, args.now, {
    action: 'team.created',
    owner: organisation,
    subject: added.name,
    details: { permission, packages },
  })
  return added
})

/** A team as the log tells of it: its name, what it may do, and whatever else somebody gave it. */
function toldOf(team: TeamRow) {
  return { ...team, packages: shownUnits(rightsFrom(team))['repo.packages'] ?? 'none' }
}

const toldOfTeam = {
  name: ['name', 'value'],
  permission: ['permission', 'value'],
  packages: ['packages', 'value'],
  units_map: ['units', 'name only'],
  description: ['description', 'name only'],
  includes_all_repositories: ['includes_all_repositories', 'flag'],
  can_create_org_repo: ['can_create_org_repo', 'flag'],
} as const satisfies Told<ReturnType<typeof toldOf>>

interface AtTeam extends AtOrganisation {
  teamId: number
}

interface ChangeTeam extends AtTeam {
  name: string | null
  fields: TeamFields
}

export const changeTeam = transaction('change team', async (tx, args: ChangeTeam): Promise<TeamRow> => {
  await lockLosers(tx, args)
  const { team, organisation, caller } = await ownedTeam(tx, args)
  const { fields, name } = args
  if (isOwners(team)) mustStayOwners(team, args)
  if (name !== null && (await teamNameIsTaken(tx, { ...team, name_key: teamKey(name) }))) throw nameTaken(name)
  const { includesAllRepositories: includesAll, canCreateOrgRepo: canCreate } = fields
  await updateTeam(tx, team.id, {
    ...(name === null || isOwners(team) ? {} : { name, name_key: teamKey(name) }),
    description: fields.description,
    ...storedRights(teamRights(fields, rightsFrom(team))),
    includes_all_repositories: includesAll === undefined ? undefined : flag(includesAll),
    can_create_org_repo: canCreate === undefined ? undefined : flag(canCreate),
  })
  const changed = found(await teamById(tx, team.id))
  const details = changesOf(toldOf(team), toldOf(changed), toldOfTeam)
  const event = { action: 'team.changed' as const, owner: organisation, subject: changed.name, details }
  if (details) await audit(tx, caller, args.now, event)
  return changed
})

export const removeTeam = transaction('remove team', async (tx, args: AtTeam) => {
  await lockLosers(tx, args)
  const { team, organisation, caller } = await ownedTeam(tx, args)
  if (isOwners(team)) {
    throw new Problem('unprocessable', 'The team Owners cannot be deleted: an organisation always has owners.')
  }
  await deleteTeam(tx, team.id)
  const { permission, packages } = toldOf(team)
  await audit(tx, caller, args.now, {
    action: 'team.deleted',
    owner: organisation,
    subject: team.name,
    details: { permission, packages },
  })
})

interface AddTeamMember extends AtTeam {
  nameKey: string
}

/** Whoever is hidden from the caller is unknown to him, unless he is in the organisation already. */
export const addTeamMember = transaction('add team member', async (tx, args: AddTeamMember) => {
  const { caller, organisation } = await organisationGrantNow(tx, 'owner', args)
  const team = await teamOf(tx, args)
  const user = await userByNameKey(tx, args.nameKey)
  const isKnown =
    user &&
    (maySee(caller, { ...user, kind: 'user' }) ||
      (await isMember(tx, { organisationId: organisation.id, userId: user.id })))
  if (!isKnown) throw new Problem('not-found', 'Not found.')
  if (!(await insertTeamMember(tx, team, user.id))) return
  await audit(tx, caller, args.now, memberAdded(organisation, team, user))
})

export const removeTeamMember = transaction('remove team member', async (tx, args: AtTeam & RemoveMember) => {
  await lockLosers(tx, args, args)
  const { organisation, caller } = await organisationGrantNow(tx, rankToRemove(args), args)
  const team = await teamOf(tx, args)
  if (isOwners(team) && (await isOnlyOwner(tx, args))) throw lastOwner(organisation)
  if (!(await deleteTeamMember(tx, team.id, args.userId))) throw new Problem('not-found', 'Not found.')
  await audit(tx, caller, args.now, await memberRemoved(tx, organisation, args.userId, [team]))
})

async function ownedTeam(tx: Tx, args: AtTeam): Promise<TeamGrant<'owner'>> {
  const leave = await organisationGrantNow(tx, 'owner', args)
  return { ...leave, team: await teamOf(tx, args) }
}

async function teamOf(tx: Tx, { teamId, organisationId }: AtTeam): Promise<TeamRow> {
  const team = found(await teamById(tx, teamId))
  if (team.organisation_id !== organisationId) throw new Error(`team ${teamId} has changed its organisation`)
  return team
}

function isOwners(team: TeamRow): boolean {
  return team.permission === 'owner'
}

/** Its name and its rights are what the organisation stands on. */
function mustStayOwners(team: TeamRow, { name, fields }: ChangeTeam): void {
  const { permission, units, unitsMap } = fields
  const asks = permission !== undefined || units?.length || Object.keys(unitsMap ?? {}).length > 0
  if (asks)
    throw new Problem('unprocessable', 'The team Owners always has all rights: its permission cannot be changed.')
  if (name !== null && name !== team.name) throw new Problem('unprocessable', 'The team Owners keeps its name.')
}

function nameTaken(name: string): Problem {
  return new Problem('unprocessable', `team already exists [name: ${name}]`)
}

/** ASCII only: `team.name` may hold nothing else. */
function teamKey(name: string): string {
  return name.toLowerCase()
}

function found(team: TeamRow | undefined): TeamRow {
  if (!team) throw new Problem('not-found', 'Not found.')
  return team
}

export class Teams {
  readonly #catalogue: Catalogue
  readonly #now: () => number

  constructor(parts: { catalogue: Catalogue; now: () => number }) {
    this.#catalogue = parts.catalogue
    this.#now = parts.now
  }

  /** Leave to do with a team what takes that rank in its organisation; one of an organisation that is hidden is unknown. */
  async grant<R extends 'member' | 'owner'>(rank: R, verb: Verb, caller: Caller, id: string): Promise<TeamGrant<R>> {
    const known = signedIn(caller, `${verb}:organization`)
    const wanted = { id: teamId(id), userId: known.account.id }
    const at = await teamAndOwner(this.#catalogue.read, wanted)
    const leave = organisationGrant(rank, verb, caller, at?.owner)
    return { ...leave, team: found(at?.team) }
  }

  async list(
    { organisation }: OrganisationGrant<'member' | 'owner'>,
    window: Window,
  ): Promise<{ teams: TeamRow[]; total: number }> {
    return teamsPage(this.#catalogue.read, organisation.id, window)
  }

  /** The teams in which members of the organisation are, by their ids. */
  async ofMembers(
    { organisation }: OrganisationGrant<'member' | 'owner'>,
    members: readonly { id: number }[],
  ): Promise<Map<number, TeamRow[]>> {
    const found = await teamsOfPeople(this.#catalogue.read, {
      organisationIds: [organisation.id],
      userIds: members.map(({ id }) => id),
    })
    return Map.groupBy(found, ({ user_id }) => user_id)
  }

  /** The teams in which the caller himself is, by the ids of their organisations. */
  async ofCaller({ account }: SignedIn, organisations: readonly { id: number }[]): Promise<Map<number, TeamRow[]>> {
    const found = await teamsOfPeople(this.#catalogue.read, {
      organisationIds: organisations.map(({ id }) => id),
      userIds: [account.id],
    })
    return Map.groupBy(found, ({ organisation_id }) => organisation_id)
  }

  /** `unprocessable` where the organisation has a team of that name. */
  async create(grant: OrganisationGrant<'owner'>, name: string, fields: TeamFields): Promise<TeamRow> {
    return this.#catalogue.transact(addTeam, { ...this.#at(grant), name, fields })
  }

  async change(grant: TeamGrant<'owner'>, name: string | undefined, fields: TeamFields): Promise<TeamRow> {
    return this.#catalogue.transact(changeTeam, { ...this.#atTeam(grant), name: name ?? null, fields })
  }

  async remove(grant: TeamGrant<'owner'>): Promise<void> {
    await this.#catalogue.transact(removeTeam, this.#atTeam(grant))
  }

  async members(
    { team }: TeamGrant<'member' | 'owner'>,
    window: Window,
  ): Promise<{ members: UserRow[]; total: number }> {
    return teamMembersPage(this.#catalogue.read, team.id, window)
  }

  async member({ team }: TeamGrant<'member'>, name: string): Promise<UserRow> {
    const key = ownerKey(name)
    const user = key === undefined ? undefined : await teamMember(this.#catalogue.read, team.id, key)
    if (!user) throw new Problem('not-found', 'Not found.')
    return user
  }

  /** Who is in the team already stays there. */
  async addMember(grant: TeamGrant<'owner'>, name: string): Promise<void> {
    const nameKey = ownerKey(name)
    if (nameKey === undefined) throw new Problem('not-found', 'Not found.')
    await this.#catalogue.transact(addTeamMember, { ...this.#atTeam(grant), nameKey })
  }

  async removeMember(grant: TeamGrant<'member'>, name: string): Promise<void> {
    const user = await this.member(grant, name)
    await this.#catalogue.transact(removeTeamMember, { ...this.#atTeam(grant), userId: user.id })
  }

  #at({ organisation, caller }: { organisation: { id: number }; caller: SignedIn }): AtOrganisation {
    return { standing: standingOf(caller), organisationId: organisation.id, now: this.#now() }
  }

  #atTeam(grant: TeamGrant<'member' | 'owner'>): AtTeam {
    return { ...this.#at(grant), teamId: grant.team.id }
  }
}

interface Window {
  offset: number
  limit: number
}

/** What can be no id is a team that does not exist. */
function teamId(text: string): number {
  return /^[1-9]\d{0,14}$/.test(text) ? Number(text) : 0
}
