import { transaction } from './transaction.ts'

/** Writes one row, the same each time; fails where nothing can be written. */
export const probeDatabase = transaction('probe the database', async (tx) => {
  await tx
    .insertInto('site')
    .values({ key: 'probe', value: String(Date.now()) })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ value: String(Date.now()) }))
    .execute()
})
