import type { Selectable } from 'kysely'
import { type DigestAlgorithm, type Digests, digestAlgorithms } from '../lib/digests.ts'
import { doom } from './doomed.ts'
import { prepared } from './prepared.ts'
import type { Db, Schema, Tx } from './schema.ts'

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

  const blob = await blobByDigest(tx, scope, sha256)
  if (!blob) throw new Error('a blob is not there right after it was found')
  if (blob.state === 'live' && blob.location !== wanted.lostLocation) return { blob, usesNewBytes: false }

  await doom(tx, blob.location, wanted.now)
  const repaired = { location: wanted.location, state: 'live' as const }
  await tx.updateTable('blobs').set(repaired).where('id', '=', blob.id).execute()
  return { blob: { ...blob, ...repaired }, usesNewBytes: true }
}

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

export function missingDigests(blob: BlobRow): DigestAlgorithm[] {
  return digestAlgorithms.filter((algorithm) => blob[algorithm] === null)
}

/** Removes the blob when no file has it any more, and dooms its bytes. */
export async function releaseBlob(tx: Tx, id: number, now: number): Promise<void> {
  const used = await tx.selectFrom('files').select('id').where('blob_id', '=', id).limit(1).executeTakeFirst()
  if (used) return
  const gone = await tx.deleteFrom('blobs').where('id', '=', id).returning('location').executeTakeFirst()
  if (gone) await doom(tx, gone.location, now)
}

/** Of these locations, those that no blob and no doomed row names. */
export async function unnamedLocations(db: Db | Tx, locations: readonly string[]): Promise<string[]> {
  if (locations.length === 0) return []
  const live = await db.selectFrom('blobs').select('location').where('location', 'in', locations).execute()
  const doomed = await db.selectFrom('doomed').select('location').where('location', 'in', locations).execute()
  const named = new Set([...live, ...doomed].map((row) => row.location))
  return locations.filter((location) => !named.has(location))
}
