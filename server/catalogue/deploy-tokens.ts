import type { Insertable, Selectable } from 'kysely'
import type { Db, Schema, Tx } from './schema.ts'

/** A token of an owner, made by a person. */
export type DeployTokenRow = Selectable<Schema['deploy_tokens']> & {
  /** Who made it; null where he is gone. */
  maker: string | null
}

/** Those that jobs got for ID tokens are left out: they end within minutes, and their rules are listed instead. */
function madeByPeople(db: Db | Tx) {
  return deployTokens(db).where('deploy_tokens.publisher_id', 'is', null)
}

function deployTokens(db: Db | Tx) {
  return db
    .selectFrom('deploy_tokens')
    .leftJoin('owners as makers', 'makers.id', 'deploy_tokens.created_by')
    .selectAll('deploy_tokens')
    .select('makers.name as maker')
}

/** One page of an owner's, oldest first, and how many there are. */
export async function deployTokensPage(
  db: Db,
  ownerId: number,
  page: { offset: number; limit: number },
): Promise<{ tokens: DeployTokenRow[]; total: number }> {
  const its = madeByPeople(db).where('deploy_tokens.owner_id', '=', ownerId)
  const tokens = await its.orderBy('deploy_tokens.id').offset(page.offset).limit(page.limit).execute()
  return { tokens, total: await countDeployTokens(db, ownerId) }
}

export async function countDeployTokens(db: Db | Tx, ownerId: number): Promise<number> {
  const { total } = await db
    .selectFrom('deploy_tokens')
    .select((select) => select.fn.countAll<number>().as('total'))
    .where('owner_id', '=', ownerId)
    .where('publisher_id', 'is', null)
    .executeTakeFirstOrThrow()
  return Number(total)
}

export async function deployTokenAt(db: Db | Tx, ownerId: number, id: number): Promise<DeployTokenRow | undefined> {
  return madeByPeople(db)
    .where('deploy_tokens.owner_id', '=', ownerId)
    .where('deploy_tokens.id', '=', id)
    .executeTakeFirst()
}

/** The token of that number, whoever made it. */
export async function deployTokenById(db: Db | Tx, id: number): Promise<DeployTokenRow | undefined> {
  return deployTokens(db).where('deploy_tokens.id', '=', id).executeTakeFirst()
}

/** The new row's id, or undefined where the owner has one of that name. */
export async function insertDeployToken(
  tx: Tx,
  token: Omit<Insertable<Schema['deploy_tokens']>, 'id' | 'last_used_at' | 'publisher_id' | 'claims'>,
): Promise<number | undefined> {
  const row = await tx
    .insertInto('deploy_tokens')
    .values({ ...token, last_used_at: null, publisher_id: null, claims: null })
    .onConflict((conflict) => conflict.columns(['owner_id', 'name']).where('publisher_id', 'is', null).doNothing())
    .returning('id')
    .executeTakeFirst()
  return row?.id
}

/** What packages give it goes with it. */
export async function deleteDeployToken(tx: Tx, id: number): Promise<void> {
  await tx.deleteFrom('deploy_tokens').where('id', '=', id).execute()
}

/** How many packages name a token. */
export async function countPackagesNaming(db: Db, id: number): Promise<number> {
  const { total } = await db
    .selectFrom('package_grants')
    .select((select) => select.fn.countAll<number>().as('total'))
    .where('deploy_token_id', '=', id)
    .executeTakeFirstOrThrow()
  return Number(total)
}
