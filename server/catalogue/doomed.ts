import type { Db, Tx } from './schema.ts'

/** Writes down that nothing refers to these bytes any more. */
export async function doom(tx: Tx, locations: readonly string[], now: number): Promise<void> {
  if (locations.length === 0) return
  await tx
    .insertInto('doomed')
    .values(locations.map((location) => ({ location, since: now })))
    .onConflict((conflict) => conflict.column('location').doNothing())
    .execute()
}

export interface Doomed {
  location: string
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
    .select(['location', 'since'])
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
