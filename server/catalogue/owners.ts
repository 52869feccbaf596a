import { type RawBuilder, sql, type Updateable } from 'kysely'
import { namedAccess, namedAt, namedFrom, type PackageStanding } from './package-grants.ts'
import { prepared } from './prepared.ts'
import type { Db, OwnerKind, Schema, Tx, Visibility } from './schema.ts'

export interface OwnerRow {
  id: number
  kind: OwnerKind
  name: string
  visibility: Visibility
  /** What the user is there for whom it was looked up; `none` at a user, and for who is nobody. */
  membership: Membership
  /** Whether one of its packages names who it was looked up for; undefined where that was not looked up. */
  isNamed?: boolean
}

/** What somebody is in an organisation: in any team, in one that may write packages, in the team `Owners`. */
export type Membership = 'none' | 'member' | 'writer' | 'owner'

const memberships: readonly Membership[] = ['none', 'member', 'writer', 'owner']

/** Of the number that `accessOf` finds. */
export function membershipFrom(access: number | null): Membership {
  return memberships[access ?? 0] ?? 'none'
}

/** The most that a user's teams in an organisation give him; null where he is in none. */
export function accessOf(userId: RawBuilder<number>, ownerId: RawBuilder<number>): RawBuilder<number | null> {
  return sql<number | null>`(
    select max(teams.access) from team_members join teams on teams.id = team_members.team_id
    where team_members.user_id = ${userId} and team_members.organisation_id = ${ownerId})`
}

/** The owner, as that user stands to it. */
export async function ownerById(db: Db | Tx, wanted: { id: number; userId: number }): Promise<OwnerRow | undefined> {
  const [row] = await selectOwnerById(db, wanted)
  if (!row) return undefined
  const { access, ...owner } = row
  return { ...owner, membership: membershipFrom(access) }
}

const selectOwnerById = prepared(['id', 'userId'], (db, { id, userId }: { id: number; userId: number }) =>
  db
    .selectFrom('owners')
    .select(['id', 'kind', 'name', 'visibility'])
    .select(accessOf(sql`${userId}`, sql.ref('owners.id')).as('access'))
    .where('id', '=', id),
)

/** The same, and whether one of the owner's packages names that user. */
export async function ownerAsKnown(tx: Tx, wanted: { id: number; userId: number }): Promise<OwnerRow | undefined> {
  const owner = await ownerById(tx, wanted)
  if (!owner) return undefined
  const asWhom = { userId: sql<number>`${wanted.userId}`, deployTokenId: sql<null>`null` }
  const row = await tx.selectNoFrom(namedAt(asWhom, sql`${wanted.id}`).as('isNamed')).executeTakeFirstOrThrow()
  return { ...owner, isNamed: row.isNamed === 1 }
}

/**
 * An owner and one of his packages, be it there or not, as they are for a user or for an owner's token. Every publish asks: so of the
 * owner's other packages it says nothing.
 */
export async function placeNow(
  tx: Tx,
  wanted: { ownerId: number; packageKey: string; userId: number; deployTokenId: number | null },
): Promise<{ owner: OwnerRow; package: PackageStanding } | undefined> {
  const [row] = await selectPlace(tx, wanted)
  if (!row) return undefined
  const { access, named, packageVisibility, ...owner } = row
  return {
    owner: { ...owner, membership: membershipFrom(access), isNamed: named !== null },
    package: { key: wanted.packageKey, visibility: packageVisibility ?? 'inherit', named: namedFrom(named) },
  }
}

const selectPlace = prepared(
  ['ownerId', 'packageKey', 'userId', 'deployTokenId'],
  (tx, wanted: { ownerId: number; packageKey: string; userId: number; deployTokenId: number | null }) => {
    const asWhom = {
      userId: sql<number>`cast(${wanted.userId} as bigint)`,
      deployTokenId: sql<number | null>`cast(${wanted.deployTokenId} as bigint)`,
    }
    return tx
      .selectFrom('owners')
      .leftJoin('packages', (join) =>
        join.onRef('packages.owner_id', '=', 'owners.id').on('packages.name_key', '=', wanted.packageKey),
      )
      .select(['owners.id', 'owners.kind', 'owners.name', 'owners.visibility'])
      .select('packages.visibility as packageVisibility')
      .select(accessOf(asWhom.userId, sql.ref('owners.id')).as('access'))
      .select(namedAccess(asWhom, sql.ref('packages.id')).as('named'))
      .where('owners.id', '=', wanted.ownerId)
  },
)

/** The new owner's id, or undefined when the name is taken. */
export async function insertOwner(
  tx: Tx,
  owner: { kind: OwnerKind; name: string; nameKey: string; visibility: Visibility; now: number },
): Promise<number | undefined> {
  const row = await tx
    .insertInto('owners')
    .values({
      kind: owner.kind,
      name: owner.name,
      name_key: owner.nameKey,
      visibility: owner.visibility,
      created_at: owner.now,
    })
    .onConflict((conflict) => conflict.column('name_key').doNothing())
    .returning('id')
    .executeTakeFirst()
  return row?.id
}

/** The owner that has that name or, where nobody has, had it before. */
export async function ownerIdByKey(db: Db | Tx, key: string): Promise<number | undefined> {
  const owner = await db.selectFrom('owners').select('id').where('name_key', '=', key).executeTakeFirst()
  if (owner) return owner.id
  const former = await db.selectFrom('former_names').select('owner_id').where('name_key', '=', key).executeTakeFirst()
  return former?.owner_id ?? undefined
}

export async function nameKeyOf(tx: Tx, id: number): Promise<string | undefined> {
  const row = await tx.selectFrom('owners').select('name_key').where('id', '=', id).executeTakeFirst()
  return row?.name_key
}

export async function renameOwner(tx: Tx, { id, name, nameKey }: { id: number; name: string; nameKey: string }) {
  await tx.updateTable('owners').set({ name, name_key: nameKey }).where('id', '=', id).execute()
}

/** Changes what is not undefined. */
export async function updateOwner(
  tx: Tx,
  id: number,
  change: Pick<Updateable<Schema['owners']>, 'visibility' | 'description' | 'website' | 'location'>,
): Promise<void> {
  if (Object.values(change).every((value) => value === undefined)) return
  await tx.updateTable('owners').set(change).where('id', '=', id).execute()
}

/** Removes the owner with what hangs on him: account or organisation, tokens, teams. He has no package any more. */
export async function deleteOwner(tx: Tx, id: number): Promise<void> {
  await tx.deleteFrom('owners').where('id', '=', id).execute()
}

/** The organisations that a user owns, alone or with others. */
export async function organisationsOwnedBy(tx: Tx, userId: number): Promise<number[]> {
  const rows = await tx
    .selectFrom('team_members')
    .innerJoin('teams', 'teams.id', 'team_members.team_id')
    .select('teams.organisation_id')
    .where('team_members.user_id', '=', userId)
    .where('teams.access', '=', 3)
    .execute()
  return rows.map((row) => row.organisation_id)
}

/** The organisations that a user owns, and nobody else does. */
export async function organisationsOwnedOnlyBy(tx: Tx, userId: number): Promise<{ name: string }[]> {
  return tx
    .selectFrom('team_members')
    .innerJoin('teams', 'teams.id', 'team_members.team_id')
    .innerJoin('owners', 'owners.id', 'team_members.organisation_id')
    .select('owners.name')
    .where('team_members.user_id', '=', userId)
    .where('teams.access', '=', 3)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('team_members as others')
            .select('others.user_id')
            .whereRef('others.team_id', '=', 'teams.id')
            .where('others.user_id', '<>', userId),
        ),
      ),
    )
    .orderBy('owners.name_key')
    .execute()
}
