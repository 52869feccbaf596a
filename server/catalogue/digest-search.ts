import { type RawBuilder, sql } from 'kysely'
import { batches } from '../lib/batches.ts'
import { isOneOf } from './dialect.ts'
import type { ListedFile } from './files.ts'
import {
  type ListedVersion,
  listingOrder,
  ownersById,
  type Profile,
  type Sorting,
  versionsById,
  type Window,
} from './listings.ts'
import { holds, mostCounted, type Reach, reached } from './name-search.ts'
import type { Db } from './schema.ts'
import { type FoundPage, mustBeWithinReach, type Wanted } from './search.ts'
import { onListings } from './sight.ts'

/** Digests in lower case; all must be those of one file. */
export type Digests = { [Algorithm in 'md5' | 'sha1' | 'sha256' | 'sha512']?: string | undefined }

/** A version that holds such bytes, and the files that do, as many as are shown. */
export interface FoundVersion {
  owner: Profile
  version: ListedVersion
  files: ListedFile[]
}

/** Contents that share a digest. Of MD5 and SHA-1 anybody can make many. */
const mostBlobs = 1_000

/** Files that are shown of a version: it may hold the same bytes under any number of names. */
const mostFiles = 100

/** Versions with a file of these digests; where more hold one than are counted, the newest of them. */
export async function searchDigests(
  db: Db,
  wanted: Wanted & { digests: Digests },
  window: Window,
  sorting: Sorting,
): Promise<FoundPage<FoundVersion>> {
  const blobs = await blobsOf(db, wanted.digests)
  const holders = await holdersOf(db, wanted, blobs)
  if (holders.length === 0) return { found: [], total: 0 }
  const isMany = holders.length > mostCounted
  if (isMany) mustBeWithinReach(window)
  const rows = await listingOrder(db, window, sorting)
    .select('listings.owner_id')
    .where(isOneOf(db, 'listings.version_id', holders.slice(0, mostCounted)))
    .execute()
  return { found: await foundVersions(db, rows, blobs, wanted.reach), total: isMany ? undefined : holders.length }
}

async function blobsOf(db: Db, digests: Digests): Promise<number[]> {
  let query = db.selectFrom('blobs').select('id').orderBy('id').limit(mostBlobs)
  for (const algorithm of ['sha256', 'sha512', 'sha1', 'md5'] as const) {
    const digest = digests[algorithm]
    if (digest !== undefined) query = query.where(algorithm, '=', digest)
  }
  return (await query.execute()).map(({ id }) => id)
}

interface Holder {
  id: number
  matches: 0 | 1
}

/** The versions that match, each once and of each content the newest first; one more than are counted where there are more. */
async function holdersOf(db: Db, wanted: Wanted, blobs: readonly number[]): Promise<number[]> {
  const found = new Set<number>()
  for (const blob of blobs) {
    for await (const rows of batches(holdersOfBlob(db, wanted, blob))) {
      for (const { id, matches } of rows) if (matches === 1 && found.size <= mostCounted) found.add(id)
      if (found.size > mostCounted) return [...found]
    }
  }
  return [...found]
}

/** From version to version by the index, however many files of each hold the bytes. */
function holdersOfBlob(db: Db, { name, reach }: Wanted, blob: number) {
  const conditions: RawBuilder<boolean>[] = [
    ...(name ? [holds('listings.name_key', name)] : []),
    reached(reach, onListings),
  ]
  return async (after: Holder | undefined, size: number): Promise<Holder[]> => {
    const { rows } = await sql<Holder>`
      with recursive holders (version_id, number) as (
        select max(version_id), 1 from files where blob_id = ${blob} ${after ? sql`and version_id < ${after.id}` : sql``}
        union all
        select (select max(version_id) from files where blob_id = ${blob} and version_id < holders.version_id), number + 1
        from holders where holders.version_id is not null and number < ${sql.lit(size)}
      )
      select listings.version_id as id, case when ${sql.join(conditions, sql` and `)} then 1 else 0 end as matches
      from holders join listings on listings.version_id = holders.version_id
      order by listings.version_id desc`.execute(db)
    return rows
  }
}

async function foundVersions(
  db: Db,
  rows: readonly { version_id: number; owner_id: number }[],
  blobs: readonly number[],
  reach: Reach,
): Promise<FoundVersion[]> {
  const ids = rows.map((row) => row.version_id)
  const versions = new Map((await versionsById(db, ids)).map((version) => [version.id, version]))
  const owners = await ownersById(db, [...new Set(rows.map((row) => row.owner_id))], reach)
  const files = Map.groupBy(await filesWith(db, ids, blobs), (file) => file.versionId)
  return rows.flatMap((row) => {
    const version = versions.get(row.version_id)
    const owner = owners.get(row.owner_id)
    const its = files.get(row.version_id)
    return version && owner && its ? { owner, version, files: its } : []
  })
}

/** The files of these versions that hold these bytes. */
async function filesWith(
  db: Db,
  versions: readonly number[],
  blobs: readonly number[],
): Promise<(ListedFile & { versionId: number })[]> {
  if (versions.length === 0) return []
  const some = versions.map(
    (version) => sql`select * from (
      select files.id from files where ${isOneOf(db, 'files.blob_id', blobs)} and files.version_id = ${version}
      order by files.id limit ${mostFiles}) as shown`,
  )
  return db
    .selectFrom('files')
    .innerJoin('blobs', 'blobs.id', 'files.blob_id')
    .select(['files.id', 'files.blob_id as blobId', 'files.version_id as versionId', 'files.name', 'files.downloads'])
    .select(['blobs.size', 'blobs.md5', 'blobs.sha1', 'blobs.sha256', 'blobs.sha512'])
    .where(sql<boolean>`files.id in (${sql.join(some, sql` union all `)})`)
    .orderBy('files.name_key')
    .execute()
}
