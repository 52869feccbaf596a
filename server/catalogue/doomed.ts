import { sql } from 'kysely'
import type { Db, Tx } from './schema.ts'

/** Bytes that lie somewhere; `size` is null where nobody knows how many. */
export interface StoredBytes {
  location: string
  size: number | null
}

/** Writes down that nothing refers to these bytes any more. */
export async function doom(tx: Tx, bytes: readonly StoredBytes[], now: number): Promise<void> {
  if (bytes.length === 0) return
  await tx
    .insertInto('doomed')
    .values(bytes.map(({ location, size }) => ({ location, size, since: now })))
    .onConflict((conflict) => conflict.column('location').doNothing())
    .execute()
}

export interface Doomed extends StoredBytes {
  since: number
}

/** Locations doomed before a moment, oldest first, behind `after`; none while a hold is on. */
export async function doomedBefore(
  db: Db | Tx,
  before: number,
  limit: number,
  after: Doomed | undefined,
): Promise<Doomed[]> {
  const hold = await db.selectFrom('holds').select('id').limit(1).executeTakeFirst()
  if (hold) return []
  const due = db
    .selectFrom('doomed')
    .select(['location', 'size', 'since'])
    .where('since', '<=', before)
    .orderBy('since')
    .orderBy('location')
    .limit(limit)
  if (!after) return due.execute()
  return due
    .where(({ eb, refTuple, tuple }) => eb(refTuple('since', 'location'), '>', tuple(after.since, after.location)))
    .execute()
}

/** Strikes locations from the list once their bytes are gone. */
export async function forgetDoomed(tx: Tx, locations: readonly string[]): Promise<void> {
  if (locations.length === 0) return
  await tx.deleteFrom('doomed').where('location', 'in', locations).execute()
}

export interface DoomedAmount {
  blobs: number
  /** Of those whose size is written down. */
  bytes: number
  /** Those whose size nobody knew. */
  unknown: string[]
  /** Where to go on; null where nothing was left. */
  last: string | null
}

/** Adds up the next `limit` of those behind a location. */
export async function addUpDoomed(db: Db, after: string, limit: number): Promise<DoomedAmount> {
  const some = db
    .selectFrom('doomed')
    .select(['location', 'size'])
    .where('location', '>', after)
    .orderBy('location')
    .limit(limit)
  const { known, last, ...amount } = await db
    .selectFrom(some.as('some'))
    .select(({ fn }) => [
      fn.countAll<number>().as('blobs'),
      fn.count<number>('size').as('known'),
      fn.coalesce(fn.sum<number>('size'), sql.lit(0)).as('bytes'),
      fn.max('location').as('last'),
    ])
    .executeTakeFirstOrThrow()
  if (last === null || known === amount.blobs) return { ...amount, unknown: [], last }
  const unknown = await db
    .selectFrom('doomed')
    .select('location')
    .where('location', '>', after)
    .where('location', '<=', last)
    .where('size', 'is', null)
    .execute()
  return { ...amount, unknown: unknown.map(({ location }) => location), last }
}

/** Why no bytes are removed now, if something holds them. */
export async function holdReason(db: Db): Promise<string | undefined> {
  return (await db.selectFrom('holds').select('reason').orderBy('id').limit(1).executeTakeFirst())?.reason
}
