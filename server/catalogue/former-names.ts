import type { Selectable } from 'kysely'
import type { Db, Schema, Tx } from './schema.ts'

/** A name that is kept for whoever had it; without an owner, he is gone. */
export type FormerName = Selectable<Schema['former_names']> & { owner: string | null }

/**
 * Who has a name, or had it and may have it again: for whoever takes one, holding `name …` alone. `owner` is the one for whom
 * it is asked, whose own names are not in his way; null for a new one.
 */
export async function nameIsTaken(tx: Tx, key: string, owner: number | null): Promise<'taken' | 'reserved' | false> {
  const holder = await tx.selectFrom('owners').select('id').where('name_key', '=', key).executeTakeFirst()
  if (holder && holder.id !== owner) return 'taken'
  const former = await tx.selectFrom('former_names').select('owner_id').where('name_key', '=', key).executeTakeFirst()
  return former && (owner === null || former.owner_id !== owner) ? 'reserved' : false
}

/** Keeps a name for the owner who has another one now. */
export async function keepName(
  tx: Tx,
  former: { nameKey: string; name: string; ownerId: number; now: number },
): Promise<void> {
  await tx
    .insertInto('former_names')
    .values({ name_key: former.nameKey, name: former.name, owner_id: former.ownerId, created_at: former.now })
    // The release before this gave names away without looking here.
    .onConflict((conflict) => conflict.column('name_key').doNothing())
    .execute()
}

/** The name as it was spelled; undefined where nobody had it. */
export async function freeName(tx: Tx, key: string): Promise<string | undefined> {
  const freed = await tx.deleteFrom('former_names').where('name_key', '=', key).returning('name').executeTakeFirst()
  return freed?.name
}

export async function formerNames(db: Db, page: { limit: number; offset: number }): Promise<FormerName[]> {
  return db
    .selectFrom('former_names')
    .leftJoin('owners', 'owners.id', 'former_names.owner_id')
    .selectAll('former_names')
    .select('owners.name as owner')
    .orderBy('former_names.name_key')
    .limit(page.limit)
    .offset(page.offset)
    .execute()
}

export async function countFormerNames(db: Db): Promise<number> {
  const { total } = await db
    .selectFrom('former_names')
    .select((select) => select.fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow()
  return Number(total)
}
