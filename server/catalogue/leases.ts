import { sql } from 'kysely'
import { agreedNow, locked } from './dialect.ts'
import { releaseClaims } from './jobs.ts'
import { prepared } from './prepared.ts'
import type { Db, Tx } from './schema.ts'

/** `now` is this process's clock: it counts only where no other process has one (see `agreedNow`). */
export interface Lifetime {
  now: number
  /** Milliseconds from now. */
  lifetime: number
}

export async function insertLease(
  tx: Tx,
  lease: { id: string; kind: 'process' | 'upload'; holder: string },
  { now, lifetime }: Lifetime,
): Promise<void> {
  const expires = sql<number>`${agreedNow(tx, now)} + ${sql.lit(lifetime)}`
  await tx
    .insertInto('leases')
    .values({ ...lease, expires_at: expires, dead_since: null })
    .execute()
}

/** False when the lease has died meanwhile. */
export async function renewLease(tx: Tx, id: string, { now, lifetime }: Lifetime): Promise<boolean> {
  const row = await tx
    .updateTable('leases')
    .set({ expires_at: sql<number>`${agreedNow(tx, now)} + ${sql.lit(lifetime)}` })
    .where('id', '=', id)
    .where('dead_since', 'is', null)
    .returning('id')
    .executeTakeFirst()
  return row !== undefined
}

/**
 * Whether the lease lives; if so it cannot be declared dead before this transaction has ended. So what a transaction
 * under a lease names is named by the time that the lease is dead.
 */
export async function leaseLives(tx: Tx, id: string): Promise<boolean> {
  const [row] = await selectLiveLease(tx, { id })
  return row !== undefined
}

const selectLiveLease = prepared(['id'], (tx, { id }: { id: string }) =>
  tx
    .selectFrom('leases')
    .select('id')
    .where('id', '=', id)
    .where('dead_since', 'is', null)
    .$call(locked(tx, 'for share')),
)

/** Waits until no transaction under these leases runs any more, also none whose connection was lost; holds new ones up. */
export async function awaitTransactionsUnder(tx: Tx, ids: readonly string[]): Promise<void> {
  await tx
    .selectFrom('leases')
    .select('id')
    .where('id', 'in', ids)
    .orderBy('id')
    .$call(locked(tx, 'for update'))
    .execute()
}

/**
 * Declares the leases of processes dead that cannot live any more, as the data directory's lock shows: those of this
 * holder, or all where there is but one node. `own` stays.
 */
export async function killPredecessors(
  tx: Tx,
  { own, holder, now }: { own: string; holder: string | null; now: number },
): Promise<void> {
  const dead = await tx
    .updateTable('leases')
    .set({ dead_since: now })
    .where('kind', '=', 'process')
    .where('id', '<>', own)
    .where('dead_since', 'is', null)
    .$if(holder !== null, (update) => update.where('holder', '=', holder))
    .returning('id')
    .execute()
  await releaseClaims(
    tx,
    dead.map(({ id }) => id),
  )
}

/** Declares those leases dead, but for `own`, that were not renewed in time; returns them. Their jobs are free again. */
export async function killExpiredLeases(tx: Tx, own: string, now: number): Promise<string[]> {
  const rows = await tx
    .updateTable('leases')
    .set({ dead_since: agreedNow(tx, now) })
    .where('expires_at', '<', agreedNow(tx, now))
    .where('id', '<>', own)
    .where('dead_since', 'is', null)
    .returning('id')
    .execute()
  const dead = rows.map(({ id }) => id)
  await releaseClaims(tx, dead)
  return dead
}

/** Declares a lease dead whose process stops. */
export async function killLease(tx: Tx, id: string, now: number): Promise<void> {
  await tx.updateTable('leases').set({ dead_since: now }).where('id', '=', id).where('dead_since', 'is', null).execute()
  await releaseClaims(tx, [id])
}

export async function anyExpired(db: Db, own: string, now: number): Promise<boolean> {
  const row = await db
    .selectFrom('leases')
    .select('id')
    .where('expires_at', '<', agreedNow(db, now))
    .where('id', '<>', own)
    .where('dead_since', 'is', null)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

export async function deadLeases(db: Db | Tx): Promise<string[]> {
  const rows = await db.selectFrom('leases').select('id').where('dead_since', 'is not', null).execute()
  return rows.map((row) => row.id)
}

export async function deleteLease(tx: Tx, id: string): Promise<void> {
  await tx.deleteFrom('leases').where('id', '=', id).where('dead_since', 'is not', null).execute()
}
