import { sql } from 'kysely'
import { agreedNow, isPostgres, locked } from './dialect.ts'
import { alone, shared } from './named-locks.ts'
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
 * under a lease names is named by the time that the lease is dead. Renewing it goes on meanwhile.
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
    .$call(locked(tx, 'for key share')),
)

/** What a publish holds: its own bytes alone, and together with others the rights that it has. */
export interface Entry {
  leaseId: string
  location: string
  userId: number
  ownerId: number
}

/** As `leaseLives`, and takes in the same statement the locks by name that a publish needs. */
export async function enterUnderLease(tx: Tx, { leaseId, location, userId, ownerId }: Entry): Promise<boolean> {
  const [row] = await selectLeaseAndLock(tx, {
    id: leaseId,
    upload: `upload ${location}`,
    account: `account ${userId}`,
    owner: `owner ${ownerId}`,
  })
  return row !== undefined
}

interface EntryLocks {
  id: string
  upload: `upload ${string}`
  account: `account ${number}`
  owner: `owner ${number}`
}

const selectLeaseAndLock = prepared(['id', 'upload', 'account', 'owner'], (tx, locks: EntryLocks) =>
  tx
    .selectFrom('leases')
    .select('id')
    .$if(isPostgres(tx), (query) =>
      query.select([
        alone(locks.upload).as('upload'),
        shared(locks.account).as('account'),
        shared(locks.owner).as('owner'),
      ]),
    )
    .where('id', '=', locks.id)
    .where('dead_since', 'is', null)
    .$call(locked(tx, 'for key share')),
)

/** The same as a plain look: it may be dead by the time that this is answered. */
export async function seemsAlive(db: Db, id: string): Promise<boolean> {
  const lease = db.selectFrom('leases').select('id').where('id', '=', id).where('dead_since', 'is', null)
  return (await lease.executeTakeFirst()) !== undefined
}

/** Whose leases: everybody's, a node's with those of its workers, or those of one of its processes. */
export type Predecessors = 'all' | { node: string } | { holder: string }

/** One of several processes of a node. */
export function workerOf(node: string, number: number): string {
  return `${node}#${number}`
}

/**
 * Declares the leases of processes dead that cannot live any more, as the data directory's lock shows, or whoever started them has
 * seen. `own` stays. Returns the dead ones.
 */
export async function killPredecessors(
  tx: Tx,
  { own, of, now }: { own: string; of: Predecessors; now: number },
): Promise<string[]> {
  const lost = tx
    .selectFrom('leases')
    .select('id')
    .where('kind', '=', 'process')
    .where('id', '<>', own)
    .where('dead_since', 'is', null)
    .$call((query) => {
      if (of === 'all') return query
      if ('holder' in of) return query.where('holder', '=', of.holder)
      const ofWorkers = `${of.node}#`
      const beginning = sql`substr(holder, 1, ${sql.lit(ofWorkers.length)})`
      return query.where(({ or, eb }) => or([eb('holder', '=', of.node), eb(beginning, '=', ofWorkers)]))
    })
  return killLocked(tx, await lost.orderBy('id').$call(locked(tx, 'for update')).execute(), now)
}

/** Declares those leases dead, but for `own`, that were not renewed in time; returns them. */
export async function killExpiredLeases(tx: Tx, own: string, now: number): Promise<string[]> {
  const expired = tx
    .selectFrom('leases')
    .select('id')
    .where('expires_at', '<', agreedNow(tx, now))
    .where('id', '<>', own)
    .where('dead_since', 'is', null)
  return killLocked(tx, await expired.orderBy('id').$call(locked(tx, 'for update')).execute(), now)
}

/** Declares a lease dead whose process stops. */
export async function killLease(tx: Tx, id: string, now: number): Promise<void> {
  const lease = tx.selectFrom('leases').select('id').where('id', '=', id).where('dead_since', 'is', null)
  await killLocked(tx, await lease.$call(locked(tx, 'for update')).execute(), now)
}

/**
 * The rows were locked `for update`: that waits for the transactions under the leases, as an update alone would not. What uploads
 * under them have reserved goes with them.
 */
async function killLocked(tx: Tx, leases: readonly { id: string }[], now: number): Promise<string[]> {
  const ids = leases.map(({ id }) => id)
  if (ids.length > 0) {
    await tx
      .updateTable('leases')
      .set({ dead_since: agreedNow(tx, now) })
      .where('id', 'in', ids)
      .execute()
    await tx.deleteFrom('reservations').where('lease_id', 'in', ids).execute()
  }
  return ids
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

/** How many processes hold a lease that they can still renew. */
export async function liveProcesses(db: Db | Tx, now: number): Promise<number> {
  const { processes } = await db
    .selectFrom('leases')
    .select((it) => it.fn.countAll<number>().as('processes'))
    .where('kind', '=', 'process')
    .where('dead_since', 'is', null)
    .where('expires_at', '>=', agreedNow(db, now))
    .executeTakeFirstOrThrow()
  return processes
}

export async function deadLeases(db: Db | Tx): Promise<string[]> {
  const rows = await db.selectFrom('leases').select('id').where('dead_since', 'is not', null).execute()
  return rows.map((row) => row.id)
}

/** Leases that nobody holds, unless they are there: whatever lies under them and no row names is the sweeper's. */
export async function addDeadLeases(tx: Tx, ids: readonly string[], now: number): Promise<void> {
  for (let at = 0; at < ids.length; at += 500) {
    const rows = ids.slice(at, at + 500).map((id) => ({
      ...{ id, kind: 'process' as const, holder: null },
      ...{ expires_at: agreedNow(tx, now), dead_since: agreedNow(tx, now) },
    }))
    await tx
      .insertInto('leases')
      .values(rows)
      .onConflict((conflict) => conflict.column('id').doNothing())
      .execute()
  }
}

export async function deleteLease(tx: Tx, id: string): Promise<void> {
  await tx.deleteFrom('leases').where('id', '=', id).where('dead_since', 'is not', null).execute()
}
