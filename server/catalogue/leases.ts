import { prepared } from './prepared.ts'
import type { Db, Tx } from './schema.ts'

export async function insertLease(tx: Tx, id: string, kind: 'process' | 'upload', expiresAt: number): Promise<void> {
  await tx.insertInto('leases').values({ id, kind, expires_at: expiresAt, dead_since: null }).execute()
}

/** False when the lease has died meanwhile. */
export async function renewLease(tx: Tx, id: string, expiresAt: number): Promise<boolean> {
  const row = await tx
    .updateTable('leases')
    .set({ expires_at: expiresAt })
    .where('id', '=', id)
    .where('dead_since', 'is', null)
    .returning('id')
    .executeTakeFirst()
  return row !== undefined
}

export async function leaseLives(tx: Tx, id: string): Promise<boolean> {
  const [row] = await selectLiveLease(tx, { id })
  return row !== undefined
}

const selectLiveLease = prepared(['id'], (tx, { id }: { id: string }) =>
  tx.selectFrom('leases').select('id').where('id', '=', id).where('dead_since', 'is', null),
)

/** Declares every process lease dead but one: right where the data directory's lock shows that no other can live. */
export async function killOtherProcessLeases(tx: Tx, own: string, now: number): Promise<void> {
  await tx
    .updateTable('leases')
    .set({ dead_since: now })
    .where('kind', '=', 'process')
    .where('id', '<>', own)
    .where('dead_since', 'is', null)
    .execute()
}

export async function deadLeases(db: Db | Tx): Promise<string[]> {
  const rows = await db.selectFrom('leases').select('id').where('dead_since', 'is not', null).execute()
  return rows.map((row) => row.id)
}

export async function deleteLease(tx: Tx, id: string): Promise<void> {
  await tx.deleteFrom('leases').where('id', '=', id).where('dead_since', 'is not', null).execute()
}
