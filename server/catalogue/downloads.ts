import { type RawBuilder, sql } from 'kysely'
import { isOneOf, isPostgres, locked } from './dialect.ts'
import type { Db, Tx } from './schema.ts'

/** How often a file was downloaded on a day, which is counted from 1970, in UTC. */
export interface FileDownloads {
  fileId: number
  versionId: number
  packageId: number
  day: number
  downloads: number
}

interface Counted {
  id: number
  day: number
  downloads: number
}

/**
 * Adds to what was counted before, of the files, of their versions and of their packages. What is gone stays gone: the downloads
 * of a deleted file still are its version's, and those of a deleted version its package's.
 *
 * Rows are taken table by table, packages first as everywhere, and by their ids: several nodes do this at once.
 */
export async function addDownloads(tx: Tx, counts: readonly FileDownloads[]): Promise<void> {
  const ofPackages = await thoseThere(tx, 'packages', summed(counts, 'packageId'))
  const ofVersions = await thoseThere(tx, 'versions', summed(counts, 'versionId'))
  const ofFiles = await thoseThere(tx, 'files', summed(counts, 'fileId'))
  await addDays(tx, 'file_downloads', 'file_id', ofFiles)
  await addDays(tx, 'version_downloads', 'version_id', ofVersions)
  await addDays(tx, 'package_downloads', 'package_id', ofPackages)
  await addTotals(tx, 'files', 'id', ofFiles)
  await addTotals(tx, 'listings', 'version_id', ofVersions)
  await addTotals(tx, 'package_counts', 'package_id', ofPackages)
}

/** By id and day, in that order. */
function summed(counts: readonly FileDownloads[], of: 'fileId' | 'versionId' | 'packageId'): Counted[] {
  const sums = new Map<string, Counted>()
  for (const { [of]: id, day, downloads } of counts) {
    const sum = sums.get(`${id} ${day}`)
    if (sum) sum.downloads += downloads
    else sums.set(`${id} ${day}`, { id, day, downloads })
  }
  return [...sums.values()].sort((a, b) => a.id - b.id || a.day - b.day)
}

/** Those of rows that are there, and stay until the transaction has ended. */
async function thoseThere(tx: Tx, table: 'packages' | 'versions' | 'files', counts: Counted[]): Promise<Counted[]> {
  if (counts.length === 0) return []
  const rows = await tx
    .selectFrom(table as 'files')
    .select('id')
    .where(isOneOf(tx, 'id', [...new Set(counts.map(({ id }) => id))]))
    .orderBy('id')
    .$call(locked(tx, 'for key share'))
    .execute()
  const there = new Set(rows.map(({ id }) => id))
  return counts.filter(({ id }) => there.has(id))
}

async function addDays(tx: Tx, table: string, idColumn: string, counts: readonly Counted[]): Promise<void> {
  if (counts.length === 0) return
  const [into, id] = [sql.table(table), sql.ref(idColumn)]
  await sql`
    insert into ${into} (${id}, day, downloads) select id, day, downloads from (${asRows(tx, counts)}) as more where true
    on conflict (${id}, day) do update set downloads = ${into}.downloads + excluded.downloads`.execute(tx)
}

async function addTotals(tx: Tx, table: string, idColumn: string, counts: readonly Counted[]): Promise<void> {
  if (counts.length === 0) return
  const [of, id] = [sql.table(table), sql.ref(`${table}.${idColumn}`)]
  const totals = new Map<number, number>()
  for (const { id, downloads } of counts) totals.set(id, (totals.get(id) ?? 0) + downloads)
  // An update locks its rows in any order, and two nodes would wait for each other.
  if (isPostgres(tx)) {
    const isOne = isOneOf(tx, `${table}.${idColumn}`, [...totals.keys()])
    await sql`select 1 from ${of} where ${isOne} order by ${id} for no key update`.execute(tx)
  }
  const more = asRows(
    tx,
    [...totals].map(([id, downloads]) => ({ id, day: 0, downloads })),
  )
  // Behind the plus it is nothing that could be looked up, or SQLite might go through the whole table and look for each of its rows there.
  await sql`
    update ${of} set downloads = ${of}.downloads + more.downloads from (${more}) as more where ${id} = +more.id`.execute(
    tx,
  )
}

/** As rows of a statement that is the same however many they are. */
function asRows(tx: Tx, counts: readonly Counted[]): RawBuilder<Counted> {
  if (isPostgres(tx)) {
    const column = (of: keyof Counted) => sql`${counts.map((count) => count[of])}::bigint[]`
    return sql`select * from unnest(${column('id')}, ${column('day')}, ${column('downloads')}) as counted (id, day, downloads)`
  }
  const rows = JSON.stringify(counts.map(({ id, day, downloads }) => [id, day, downloads]))
  return sql`select value ->> 0 as id, value ->> 1 as day, value ->> 2 as downloads from json_each(${rows})`
}

/** What was counted on the days from `from` to `until`, for a package or for one of its versions; days without any are left out. */
export async function downloadsByDay(
  db: Db,
  of: { packageId: number } | { versionId: number },
  { from, until }: { from: number; until: number },
): Promise<Map<number, number>> {
  const found =
    'packageId' in of
      ? db.selectFrom('package_downloads').where('package_id', '=', of.packageId)
      : db.selectFrom('version_downloads').where('version_id', '=', of.versionId)
  const rows = await (found as ReturnType<typeof db.selectFrom<'package_downloads'>>)
    .select(['day', 'downloads'])
    .where('day', '>=', from)
    .where('day', '<=', until)
    .execute()
  return new Map(rows.map(({ day, downloads }) => [day, downloads]))
}

/** All downloads of a package. */
export async function downloadsOfPackage(db: Db, packageId: number): Promise<number> {
  const row = await db
    .selectFrom('package_counts')
    .select('downloads')
    .where('package_id', '=', packageId)
    .executeTakeFirst()
  return row?.downloads ?? 0
}

/** A version of a package with all its downloads; undefined where there is none. */
export async function downloadsOfVersion(
  db: Db,
  wanted: { packageId: number; versionKey: string },
): Promise<{ id: number; downloads: number } | undefined> {
  return db
    .selectFrom('versions')
    .innerJoin('listings', 'listings.version_id', 'versions.id')
    .select(['versions.id', 'listings.downloads'])
    .where('versions.package_id', '=', wanted.packageId)
    .where('versions.version_key', '=', wanted.versionKey)
    .executeTakeFirst()
}

/** All downloads of each file of a version, by name. */
export async function downloadsOfFiles(
  db: Db,
  versionId: number,
): Promise<{ id: number; name: string; downloads: number }[]> {
  return db
    .selectFrom('files')
    .select(['id', 'name', 'downloads'])
    .where('version_id', '=', versionId)
    .orderBy('name_key')
    .execute()
}
