import { type Selectable, sql } from 'kysely'
import { type DigestAlgorithm, type Digests, digestAlgorithms } from '../lib/digests.ts'
import { locked } from './dialect.ts'
import { doom } from './doomed.ts'
import { prepared } from './prepared.ts'
import type { Db, Schema, Tx } from './schema.ts'
import { StartAgain } from './transaction.ts'

export type BlobRow = Selectable<Schema['blobs']>

export interface NewBlob {
  scope: string
  size: number
  location: string
  /** Where the blob with this digest was found to have no bytes, if it was. */
  lostLocation: string | null
  digests: Partial<Digests> & { sha256: string }
  now: number
}

export async function blobById(db: Db | Tx, id: number): Promise<BlobRow | undefined> {
  return db.selectFrom('blobs').selectAll().where('id', '=', id).executeTakeFirst()
}

/** What is told of files: sizes and digests, as far as they are known. */
export async function blobsById(db: Db | Tx, ids: readonly number[]): Promise<Map<number, BlobRow>> {
  const rows: BlobRow[] = []
  for (const some of batchesOf([...new Set(ids)])) {
    rows.push(...(await db.selectFrom('blobs').selectAll().where('id', 'in', some).execute()))
  }
  return new Map(rows.map((row) => [row.id, row]))
}

export async function blobByDigest(db: Db | Tx, scope: string, sha256: string): Promise<BlobRow | undefined> {
  const [row] = await selectBlobByDigest(db, { scope, sha256 })
  return row
}

const selectBlobByDigest = prepared(['scope', 'sha256'], (db, wanted: { scope: string; sha256: string }) =>
  db.selectFrom('blobs').selectAll().where('scope', '=', wanted.scope).where('sha256', '=', wanted.sha256),
)

/**
 * The blob with this digest: the one that is there, or a new one with the new bytes' location. One that is there but
 * broken takes the new location, so that publishing again repairs it; its old location is doomed.
 */
export async function ensureBlob(tx: Tx, wanted: NewBlob): Promise<{ blob: BlobRow; usesNewBytes: boolean }> {
  const { scope, size, location, now } = wanted
  const { sha256, md5 = null, sha1 = null, sha512 = null } = wanted.digests
  const [inserted] = await insertBlob(tx, { scope, size, location, now, sha256, md5, sha1, sha512 })
  if (inserted) return { blob: inserted, usesNewBytes: true }

  const [blob] = await lockBlobByDigest(tx, { scope, sha256 })
  if (!blob) throw new StartAgain('the blob was removed right after it was found')
  if (blob.state === 'live' && blob.location !== wanted.lostLocation) return { blob, usesNewBytes: false }

  await doom(tx, [blob], wanted.now)
  const repaired = { location: wanted.location, state: 'live' as const }
  await tx.updateTable('blobs').set(repaired).where('id', '=', blob.id).execute()
  return { blob: { ...blob, ...repaired }, usesNewBytes: true }
}

/** Nobody removes it meanwhile; whoever is just doing so is waited for. */
const lockBlobByDigest = prepared(['scope', 'sha256'], (tx, wanted: { scope: string; sha256: string }) =>
  tx
    .selectFrom('blobs')
    .selectAll()
    .where('scope', '=', wanted.scope)
    .where('sha256', '=', wanted.sha256)
    .$call(locked(tx, 'for update')),
)

type BlobValues = Pick<BlobRow, 'scope' | 'size' | 'location' | 'sha256' | 'md5' | 'sha1' | 'sha512'> & { now: number }

const insertBlob = prepared(
  ['scope', 'size', 'location', 'now', 'sha256', 'md5', 'sha1', 'sha512'],
  (tx, { now, ...values }: BlobValues) =>
    tx
      .insertInto('blobs')
      .values({ ...values, state: 'live', created_at: now })
      .onConflict((conflict) => conflict.columns(['scope', 'sha256']).doNothing())
      .returningAll(),
)

/** Writes down digests that were not known; those that are known stay. */
export async function addDigests(tx: Tx, id: number, digests: Partial<Digests>): Promise<void> {
  const blob = await blobById(tx, id)
  if (!blob) return
  const news = digestAlgorithms.filter((algorithm) => blob[algorithm] === null && digests[algorithm] !== undefined)
  if (news.length === 0) return
  const change = Object.fromEntries(news.map((algorithm) => [algorithm, digests[algorithm]]))
  await tx.updateTable('blobs').set(change).where('id', '=', id).execute()
}

export function digestsOf({ md5, sha1, sha256, sha512 }: Pick<BlobRow, DigestAlgorithm>) {
  return { md5, sha1, sha256, sha512 }
}

export function missingDigests(blob: Pick<BlobRow, DigestAlgorithm>): DigestAlgorithm[] {
  return digestAlgorithms.filter((algorithm) => blob[algorithm] === null)
}

/** At most this many values in one statement: both databases have a limit. */
const batch = 500

/** Removes those of the blobs that no file has any more, and dooms their bytes. */
export async function releaseBlobs(tx: Tx, ids: readonly number[], now: number): Promise<void> {
  for (const some of await bySha256(tx, ids)) {
    // Locked first, and only then, in a second statement, asked for files: one that is being added now has been by then.
    await tx
      .selectFrom('blobs')
      .select('id')
      .where('id', 'in', some)
      .orderBy('sha256')
      .orderBy('id')
      .$call(locked(tx, 'for update'))
      .execute()
    const gone = await tx
      .deleteFrom('blobs')
      .where('id', 'in', some)
      .where(({ not, exists, selectFrom }) =>
        not(exists(selectFrom('files').select('files.id').whereRef('files.blob_id', '=', 'blobs.id'))),
      )
      .returning(['location', 'size'])
      .execute()
    await doom(tx, gone, now)
  }
}

/** The ids in the order in which blobs are locked, in batches. */
async function bySha256(tx: Tx, ids: readonly number[]): Promise<number[][]> {
  if (ids.length <= batch) return ids.length === 0 ? [] : [[...ids]]
  const found: { id: number; sha256: string }[] = []
  for (const some of batchesOf(ids)) {
    found.push(...(await tx.selectFrom('blobs').select(['id', 'sha256']).where('id', 'in', some).execute()))
  }
  found.sort((a, b) => (a.sha256 < b.sha256 ? -1 : 1))
  return batchesOf(found.map(({ id }) => id))
}

function batchesOf<T>(items: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(items.length / batch) }, (_, index) =>
    items.slice(index * batch, (index + 1) * batch),
  )
}

/** Of these locations, those that no blob and no doomed row names. */
export async function unnamedLocations(db: Db | Tx, locations: readonly string[]): Promise<string[]> {
  if (locations.length === 0) return []
  const live = await db.selectFrom('blobs').select('location').where('location', 'in', locations).execute()
  const doomed = await db.selectFrom('doomed').select('location').where('location', 'in', locations).execute()
  const named = new Set([...live, ...doomed].map((row) => row.location))
  return locations.filter((location) => !named.has(location))
}

/** The next blobs in the order of their locations. */
export async function blobsBehind(
  db: Db,
  location: string,
  limit: number,
): Promise<Pick<BlobRow, 'id' | 'location' | 'size' | 'sha256'>[]> {
  return db
    .selectFrom('blobs')
    .select(['id', 'location', 'size', 'sha256'])
    .where('location', '>', location)
    .orderBy('location')
    .limit(limit)
    .execute()
}

/** Adds up the next `limit` blobs behind an id; `last` is null where none was left. */
export async function addUpBlobs(
  db: Db,
  after: number,
  limit: number,
): Promise<{ blobs: number; bytes: number; last: number | null }> {
  const some = db.selectFrom('blobs').select(['id', 'size']).where('id', '>', after).orderBy('id').limit(limit)
  return db
    .selectFrom(some.as('some'))
    .select(({ fn }) => [
      fn.countAll<number>().as('blobs'),
      fn.coalesce(fn.sum<number>('size'), sql.lit(0)).as('bytes'),
      fn.max('id').as('last'),
    ])
    .executeTakeFirstOrThrow()
}
