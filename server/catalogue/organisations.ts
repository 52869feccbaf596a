import { type Insertable, type Selectable, type SelectQueryBuilder, sql, type Updateable } from 'kysely'
import type { Window } from './listings.ts'
import { accessOf } from './owners.ts'
import type { Db, Schema, Tx, Visibility } from './schema.ts'
import { type UserRow, users } from './users.ts'

/** An organisation with its owner's half. */
export type OrganisationRow = Selectable<Schema['organisations']> &
  Pick<Selectable<Schema['owners']>, 'name' | 'visibility' | 'description' | 'website' | 'location'>

function organisations(db: Db | Tx) {
  return db.selectFrom('organisations').innerJoin('owners', 'owners.id', 'organisations.id')
}

const columns = [
  'organisations.id',
  'organisations.full_name',
  'organisations.email',
  'organisations.repo_admin_change_team_access',
  'owners.name',
  'owners.visibility',
  'owners.description',
  'owners.website',
  'owners.location',
] as const

export async function organisationById(db: Db | Tx, id: number): Promise<OrganisationRow | undefined> {
  return organisations(db).select(columns).where('organisations.id', '=', id).executeTakeFirst()
}

/** The organisation's half of an owner that has just been made. */
export async function insertOrganisation(tx: Tx, organisation: Insertable<Schema['organisations']>): Promise<void> {
  await tx.insertInto('organisations').values(organisation).execute()
}

/** Changes what is not undefined. */
export async function updateOrganisation(
  tx: Tx,
  id: number,
  change: Omit<Updateable<Schema['organisations']>, 'id'>,
): Promise<void> {
  if (Object.values(change).every((value) => value === undefined)) return
  await tx.updateTable('organisations').set(change).where('id', '=', id).execute()
}

/** Whose eyes a list is for, as the rules have it. */
export interface Viewer {
  /** Of these kinds he sees all. */
  visibilities: readonly Visibility[]
  /** Of the others, those in which this user is; null where it does not matter. */
  memberId: number | null
}

/** A page of the organisations that the viewer sees, by name, and how many there are; only those in which all of `members` are. */
export async function organisationsPage(
  db: Db,
  wanted: { viewer: Viewer; members: readonly number[] },
  window: Window,
): Promise<{ organisations: OrganisationRow[]; total: number }> {
  const { visibilities, memberId } = wanted.viewer
  const found = organisations(db)
    .where((it) =>
      it.or([
        it('owners.visibility', 'in', visibilities),
        ...(memberId === null ? [] : [it('owners.id', 'in', ofMember(db, memberId))]),
      ]),
    )
    .where((it) => it.and(wanted.members.map((member) => it('owners.id', 'in', ofMember(db, member)))))
  const page = found.select(columns).orderBy('owners.name_key').offset(window.offset).limit(window.limit)
  return { organisations: await page.execute(), total: await countOf(found) }
}

/** The names of the organisations in which the user may write packages, the first so many by name. */
export async function organisationsWrittenBy(db: Db, userId: number, limit: number): Promise<string[]> {
  const rows = await organisations(db)
    .select('owners.name')
    .where('owners.id', 'in', ofMember(db, userId))
    .where(accessOf(sql`${userId}`, sql.ref('owners.id')), '>=', 2)
    .orderBy('owners.name_key')
    .limit(limit)
    .execute()
  return rows.map(({ name }) => name)
}

function ofMember(db: Db | Tx, userId: number) {
  return db.selectFrom('team_members').select('organisation_id').where('user_id', '=', userId)
}

/** The names of those who own an organisation, the first so many. */
export async function ownersOf(db: Db, organisationId: number, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom('team_members')
    .innerJoin('teams', 'teams.id', 'team_members.team_id')
    .innerJoin('owners', 'owners.id', 'team_members.user_id')
    .select('owners.name')
    .where('team_members.organisation_id', '=', organisationId)
    .where('teams.access', '=', 3)
    .orderBy('owners.name_key')
    .limit(limit)
    .execute()
  return rows.map(({ name }) => name)
}

/** A page of the people in an organisation, by name, and how many there are. */
export async function membersPage(
  db: Db,
  organisationId: number,
  window: Window,
): Promise<{ members: UserRow[]; total: number }> {
  const ids = db.selectFrom('team_members').select('user_id').where('organisation_id', '=', organisationId)
  return peoplePage(db, ids, window)
}

/** The same of those whose ids a query finds. */
export async function peoplePage(
  db: Db,
  ids: SelectQueryBuilder<Schema, 'team_members', { user_id: number }>,
  window: Window,
): Promise<{ members: UserRow[]; total: number }> {
  const found = users(db).where('users.id', 'in', ids)
  const members = await found.orderBy('owners.name_key').offset(window.offset).limit(window.limit).execute()
  const { total } = await db
    .selectFrom('users')
    .where('users.id', 'in', ids)
    .select((it) => it.fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow()
  return { members, total: Number(total) }
}

export async function isMember(db: Db | Tx, who: { organisationId: number; userId: number }): Promise<boolean> {
  const row = await db
    .selectNoFrom(accessOf(sql`${who.userId}`, sql`${who.organisationId}`).as('access'))
    .executeTakeFirst()
  return (row?.access ?? null) !== null
}

/** Takes somebody out of all teams; the ids of those in which he was. */
export async function deleteMember(tx: Tx, who: { organisationId: number; userId: number }): Promise<number[]> {
  const gone = await tx
    .deleteFrom('team_members')
    .where('organisation_id', '=', who.organisationId)
    .where('user_id', '=', who.userId)
    .returning('team_id')
    .execute()
  return gone.map((row) => row.team_id)
}

async function countOf(query: ReturnType<typeof organisations>): Promise<number> {
  const { total } = await query.select((it) => it.fn.countAll<number>().as('total')).executeTakeFirstOrThrow()
  return Number(total)
}
