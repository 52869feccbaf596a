import { type Insertable, type RawBuilder, type Selectable, sql, type Updateable } from 'kysely'
import { locked } from './dialect.ts'
import type { Db, Flag, Schema, Tx } from './schema.ts'

export type IdentityRow = Selectable<Schema['identities']>

/** Whether the account of that column signs in through a provider. */
export function hasIdentities(userId: string): RawBuilder<Flag> {
  return sql<Flag>`case when exists (select 1 from identities where identities.user_id = ${sql.ref(userId)}) then 1 else 0 end`
}

export async function identityBySubject(
  db: Db | Tx,
  { issuer, subject }: { issuer: string; subject: string },
): Promise<IdentityRow | undefined> {
  return db
    .selectFrom('identities')
    .selectAll()
    .where('issuer', '=', issuer)
    .where('subject', '=', subject)
    .executeTakeFirst()
}

export async function identityById(db: Db | Tx, id: number): Promise<IdentityRow | undefined> {
  return db.selectFrom('identities').selectAll().where('id', '=', id).executeTakeFirst()
}

/** For a transaction that decides by it. */
export async function lockIdentity(tx: Tx, id: number): Promise<IdentityRow | undefined> {
  return tx.selectFrom('identities').selectAll().where('id', '=', id).$call(locked(tx, 'for update')).executeTakeFirst()
}

/** Whether the account still has it, and its provider vouched for it last time. */
export async function identityStands(tx: Tx, { id, userId }: { id: number; userId: number }): Promise<boolean> {
  const row = await tx
    .selectFrom('identities')
    .select('id')
    .where('id', '=', id)
    .where('user_id', '=', userId)
    .where('lapsed_at', 'is', null)
    .executeTakeFirst()
  return row !== undefined
}

/** Those of an account, oldest first. */
export async function identitiesOf(db: Db | Tx, userId: number): Promise<IdentityRow[]> {
  return db.selectFrom('identities').selectAll().where('user_id', '=', userId).orderBy('id').execute()
}

/** The new one, or undefined where somebody has it already. */
export async function insertIdentity(
  tx: Tx,
  identity: Insertable<Schema['identities']>,
): Promise<IdentityRow | undefined> {
  return tx
    .insertInto('identities')
    .values(identity)
    .onConflict((conflict) => conflict.columns(['issuer', 'subject']).doNothing())
    .returningAll()
    .executeTakeFirst()
}

export async function updateIdentity(
  tx: Tx,
  id: number,
  change: Omit<Updateable<Schema['identities']>, 'id'>,
): Promise<void> {
  await tx.updateTable('identities').set(change).where('id', '=', id).execute()
}

/** The row that is gone; undefined where that account has no such one. */
export async function deleteIdentity(
  tx: Tx,
  { id, userId }: { id: number; userId: number },
): Promise<IdentityRow | undefined> {
  return tx
    .deleteFrom('identities')
    .where('id', '=', id)
    .where('user_id', '=', userId)
    .returningAll()
    .executeTakeFirst()
}

/** Puts another refresh token in the place of one; false where that is not the present one any more. */
export async function replaceRefreshToken(
  tx: Tx,
  { id, before, after }: { id: number; before: string; after: string },
): Promise<boolean> {
  const changed = await tx
    .updateTable('identities')
    .set({ refresh_token: after })
    .where('id', '=', id)
    .where('refresh_token', '=', before)
    .returning('id')
    .executeTakeFirst()
  return changed !== undefined
}

/** Of which the provider was last asked before that time, the longest ago first; `after` is the last one of the page before. */
export async function identitiesToCheck(
  db: Db,
  { before, after, limit }: { before: number; after: { checkedAt: number; id: number } | undefined; limit: number },
): Promise<IdentityRow[]> {
  let some = db
    .selectFrom('identities')
    .selectAll()
    .where('refresh_token', 'is not', null)
    .where('checked_at', '<=', before)
  if (after) {
    some = some.where((row) =>
      row.or([
        row('checked_at', '>', after.checkedAt),
        row.and([row('checked_at', '=', after.checkedAt), row('id', '>', after.id)]),
      ]),
    )
  }
  return some.orderBy('checked_at').orderBy('id').limit(limit).execute()
}

/** The teams of these names, with their organisations; what is not there is left out. */
export async function teamsNamed(
  db: Db | Tx,
  wanted: readonly { organisationKey: string; teamKey: string }[],
): Promise<(Selectable<Schema['teams']> & { organisation: string; organisationKey: string })[]> {
  if (wanted.length === 0) return []
  const keys = [...new Set(wanted.map(({ organisationKey }) => organisationKey))]
  const found = await db
    .selectFrom('teams')
    .innerJoin('owners', 'owners.id', 'teams.organisation_id')
    .selectAll('teams')
    .select(['owners.name as organisation', 'owners.name_key as organisationKey'])
    .where('owners.name_key', 'in', keys)
    .orderBy('teams.id')
    .execute()
  const pairs = new Set(wanted.map(({ organisationKey, teamKey }) => `${organisationKey}/${teamKey}`))
  return found.filter((team) => pairs.has(`${team.organisationKey}/${team.name_key}`))
}
