import { type RawBuilder, sql } from 'kysely'
import { prepared } from './prepared.ts'
import type { Db, OwnerKind, Tx, Visibility } from './schema.ts'

export interface OwnerRow {
  id: number
  kind: OwnerKind
  name: string
  visibility: Visibility
  /** What the user is there for whom it was looked up; `none` at a user, and for who is nobody. */
  membership: Membership
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
