import type { Selectable } from 'kysely'
import type { Db, Schema, Tx } from './schema.ts'

export type TokenRow = Selectable<Schema['tokens']>

/** One page of a user's tokens, oldest first, and how many there are. */
export async function tokensOf(
  db: Db | Tx,
  userId: number,
  page: { offset: number; limit: number },
): Promise<{ tokens: TokenRow[]; total: number }> {
  const tokens = await db
    .selectFrom('tokens')
    .selectAll()
    .where('user_id', '=', userId)
    .orderBy('id')
    .offset(page.offset)
    .limit(page.limit)
    .execute()
  const { total } = await db
    .selectFrom('tokens')
    .select((select) => select.fn.countAll<number>().as('total'))
    .where('user_id', '=', userId)
    .executeTakeFirstOrThrow()
  return { tokens, total: Number(total) }
}

/** The new row, or undefined when the user has a token of that name. */
export async function insertToken(tx: Tx, token: Omit<TokenRow, 'id' | 'last_used_at'>): Promise<TokenRow | undefined> {
  return tx
    .insertInto('tokens')
    .values({ ...token, last_used_at: null })
    .onConflict((conflict) => conflict.columns(['user_id', 'name']).doNothing())
    .returningAll()
    .executeTakeFirst()
}

/** A token by its id or, where no id fits, by its name; of this user only. */
export async function findToken(tx: Tx, userId: number, idOrName: string): Promise<TokenRow | undefined> {
  const own = () => tx.selectFrom('tokens').selectAll().where('user_id', '=', userId)
  const id = /^\d{1,15}$/.test(idOrName) ? Number(idOrName) : undefined
  // No token is called this, and PostgreSQL does not even take the question.
  if (idOrName.includes('\0')) return undefined
  const byId = id === undefined ? undefined : await own().where('id', '=', id).executeTakeFirst()
  return byId ?? own().where('name', '=', idOrName).executeTakeFirst()
}

export async function tokenById(db: Db | Tx, id: number): Promise<TokenRow | undefined> {
  return db.selectFrom('tokens').selectAll().where('id', '=', id).executeTakeFirst()
}

/** The accounts that hold the token or one that came of it: made with it, or with one of those. */
export async function holdersOf(tx: Tx, id: number): Promise<number[]> {
  return holders(tx, { column: 'id', is: id })
}

/** The same of all tokens that a user has. */
export async function holdersOfAll(tx: Tx, userId: number): Promise<number[]> {
  return holders(tx, { column: 'user_id', is: userId })
}

async function holders(tx: Tx, origin: { column: 'id' | 'user_id'; is: number }): Promise<number[]> {
  const rows = await tx
    .withRecursive('family', (db) =>
      db
        .selectFrom('tokens')
        .select(['id', 'user_id'])
        .where(origin.column, '=', origin.is)
        .unionAll(
          db
            .selectFrom('tokens')
            .innerJoin('family', 'family.id', 'tokens.parent_id')
            .select(['tokens.id', 'tokens.user_id']),
        ),
    )
    .selectFrom('family')
    .select('user_id')
    .distinct()
    .execute()
  return rows.map((row) => row.user_id)
}

/** A token that goes, and whose it was. */
export interface GoingToken extends Pick<TokenRow, 'id' | 'user_id' | 'name' | 'last_eight'> {
  user: string
}

/** All that go with a token, or with an account and all its tokens: what was made with one goes with it. */
export async function tokensGoingWith(
  db: Db | Tx,
  origin: { column: 'id' | 'user_id'; is: number },
): Promise<GoingToken[]> {
  return db
    .withRecursive('family', (family) =>
      family
        .selectFrom('tokens')
        .select('id')
        .where(origin.column, '=', origin.is)
        // Each once, though one of an account's tokens may have come of another.
        .union(family.selectFrom('tokens').innerJoin('family', 'family.id', 'tokens.parent_id').select('tokens.id')),
    )
    .selectFrom('family')
    .innerJoin('tokens', 'tokens.id', 'family.id')
    .innerJoin('owners', 'owners.id', 'tokens.user_id')
    .select(['tokens.id', 'tokens.user_id', 'tokens.name', 'tokens.last_eight', 'owners.name as user'])
    .orderBy('tokens.id')
    .execute()
}

/** How many tokens this one came of, itself included. */
export async function generationOf(tx: Tx, id: number): Promise<number> {
  const { generation } = await tx
    .withRecursive('ancestors', (db) =>
      db
        .selectFrom('tokens')
        .select(['id', 'parent_id'])
        .where('id', '=', id)
        .unionAll(
          db
            .selectFrom('tokens')
            .innerJoin('ancestors', 'ancestors.parent_id', 'tokens.id')
            .select(['tokens.id', 'tokens.parent_id']),
        ),
    )
    .selectFrom('ancestors')
    .select((select) => select.fn.countAll<number>().as('generation'))
    .executeTakeFirstOrThrow()
  return Number(generation)
}

/** Those that were made with it go with it. */
export async function deleteToken(tx: Tx, id: number): Promise<void> {
  await tx.deleteFrom('tokens').where('id', '=', id).execute()
}
