import { type Insertable, type Selectable, sql, type Updateable } from 'kysely'
import type { Window } from './listings.ts'
import { peoplePage } from './organisations.ts'
import { accessOf, membershipFrom, type OwnerRow } from './owners.ts'
import type { Db, Schema, Tx } from './schema.ts'
import { type UserRow, users } from './users.ts'

export type TeamRow = Selectable<Schema['teams']>

export async function teamById(db: Db | Tx, id: number): Promise<TeamRow | undefined> {
  return db.selectFrom('teams').selectAll().where('id', '=', id).executeTakeFirst()
}

export async function teamsById(db: Db | Tx, ids: readonly number[]): Promise<TeamRow[]> {
  if (ids.length === 0) return []
  return db.selectFrom('teams').selectAll().where('id', 'in', ids).execute()
}

/** The team and its organisation, as that user stands to it; null where he is nobody. */
export async function teamAndOwner(
  db: Db,
  wanted: { id: number; userId: number | null },
): Promise<{ team: TeamRow; owner: OwnerRow } | undefined> {
  const row = await db
    .selectFrom('teams')
    .innerJoin('owners', 'owners.id', 'teams.organisation_id')
    .selectAll('teams')
    .select(['owners.kind', 'owners.name as owner', 'owners.visibility'])
    .select(accessOf(sql`${wanted.userId}`, sql.ref('owners.id')).as('callerAccess'))
    .where('teams.id', '=', wanted.id)
    .executeTakeFirst()
  if (!row) return undefined
  const { kind, owner: name, visibility, callerAccess, ...team } = row
  const membership = membershipFrom(callerAccess)
  return { team, owner: { id: team.organisation_id, kind, name, visibility, membership } }
}

/** A page of an organisation's teams, its owners first, and how many there are. */
export async function teamsPage(
  db: Db,
  organisationId: number,
  window: Window,
): Promise<{ teams: TeamRow[]; total: number }> {
  const found = db.selectFrom('teams').where('organisation_id', '=', organisationId)
  const teams = await found
    .selectAll()
    .orderBy((it) => it.case().when('access', '=', 3).then(0).else(1).end())
    .orderBy('name_key')
    .offset(window.offset)
    .limit(window.limit)
    .execute()
  const { total } = await found.select((it) => it.fn.countAll<number>().as('total')).executeTakeFirstOrThrow()
  return { teams, total: Number(total) }
}

/** The new team, or undefined when the organisation has one of that name. */
export async function insertTeam(tx: Tx, team: Insertable<Schema['teams']>): Promise<TeamRow | undefined> {
  return tx
    .insertInto('teams')
    .values(team)
    .onConflict((conflict) => conflict.columns(['organisation_id', 'name_key']).doNothing())
    .returningAll()
    .executeTakeFirst()
}

/** Whether another team of the organisation has the name. */
export async function teamNameIsTaken(tx: Tx, team: Pick<TeamRow, 'id' | 'organisation_id' | 'name_key'>) {
  const row = await tx
    .selectFrom('teams')
    .select('id')
    .where('organisation_id', '=', team.organisation_id)
    .where('name_key', '=', team.name_key)
    .where('id', '!=', team.id)
    .executeTakeFirst()
  return row !== undefined
}

export async function updateTeam(tx: Tx, id: number, change: Omit<Updateable<Schema['teams']>, 'id'>): Promise<void> {
  await tx.updateTable('teams').set(change).where('id', '=', id).execute()
}

export async function deleteTeam(tx: Tx, id: number): Promise<void> {
  await tx.deleteFrom('teams').where('id', '=', id).execute()
}

/** A page of the people in a team, by name, and how many there are. */
export async function teamMembersPage(
  db: Db,
  teamId: number,
  window: Window,
): Promise<{ members: UserRow[]; total: number }> {
  return peoplePage(db, db.selectFrom('team_members').select('user_id').where('team_id', '=', teamId), window)
}

/** A member by his name. */
export async function teamMember(db: Db, teamId: number, nameKey: string): Promise<UserRow | undefined> {
  return users(db)
    .innerJoin('team_members', 'team_members.user_id', 'users.id')
    .where('team_members.team_id', '=', teamId)
    .where('owners.name_key', '=', nameKey)
    .executeTakeFirst()
}

/** In which teams these people are, of these organisations; each organisation's owners first. */
export async function teamsOfPeople(
  db: Db,
  { organisationIds, userIds }: { organisationIds: readonly number[]; userIds: readonly number[] },
): Promise<(TeamRow & { user_id: number })[]> {
  if (organisationIds.length === 0 || userIds.length === 0) return []
  return db
    .selectFrom('team_members')
    .innerJoin('teams', 'teams.id', 'team_members.team_id')
    .selectAll('teams')
    .select('team_members.user_id')
    .where('team_members.organisation_id', 'in', organisationIds)
    .where('team_members.user_id', 'in', userIds)
    .orderBy((it) => it.case().when('access', '=', 3).then(0).else(1).end())
    .orderBy('name_key')
    .execute()
}

/** Whether nobody else is in the team of the owners. Stays so for whoever holds the owner alone. */
export async function isOnlyOwner(db: Db | Tx, who: { organisationId: number; userId: number }): Promise<boolean> {
  const owners = await db
    .selectFrom('team_members')
    .innerJoin('teams', 'teams.id', 'team_members.team_id')
    .select('team_members.user_id')
    .where('teams.organisation_id', '=', who.organisationId)
    .where('teams.access', '=', 3)
    .limit(2)
    .execute()
  return owners.length === 1 && owners[0]?.user_id === who.userId
}

/** False where he is a member already, and stays one. */
export async function insertTeamMember(tx: Tx, team: TeamRow, userId: number): Promise<boolean> {
  const added = await tx
    .insertInto('team_members')
    .values({ team_id: team.id, user_id: userId, organisation_id: team.organisation_id })
    .onConflict((conflict) => conflict.columns(['team_id', 'user_id']).doNothing())
    .returning('user_id')
    .executeTakeFirst()
  return added !== undefined
}

/** The teams in which a user is, with the organisations that they belong to. */
export async function teamsOfUser(tx: Tx, userId: number) {
  return tx
    .selectFrom('team_members')
    .innerJoin('teams', 'teams.id', 'team_members.team_id')
    .innerJoin('owners', 'owners.id', 'team_members.organisation_id')
    .select(['teams.name as team', 'owners.id as organisationId', 'owners.name as organisation'])
    .where('team_members.user_id', '=', userId)
    .orderBy('teams.id')
    .execute()
}

/** False where he is not in the team. */
export async function deleteTeamMember(tx: Tx, teamId: number, userId: number): Promise<boolean> {
  const gone = await tx
    .deleteFrom('team_members')
    .where('team_id', '=', teamId)
    .where('user_id', '=', userId)
    .returning('user_id')
    .executeTakeFirst()
  return gone !== undefined
}
