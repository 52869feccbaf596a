import type { Db, Tx } from './schema.ts'

/** Facts about the installation as a whole, such as `storage-id`. */
export async function siteFact(db: Db | Tx, key: string): Promise<string | undefined> {
  const row = await db.selectFrom('site').select('value').where('key', '=', key).executeTakeFirst()
  return row?.value
}

export async function setSiteFact(tx: Tx, key: string, value: string): Promise<void> {
  await tx
    .insertInto('site')
    .values({ key, value })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
    .execute()
}

export async function addSiteFact(tx: Tx, key: string, value: string): Promise<void> {
  await tx
    .insertInto('site')
    .values({ key, value })
    .onConflict((conflict) => conflict.column('key').doNothing())
    .execute()
}
