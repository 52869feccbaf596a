import { type RawBuilder, sql } from 'kysely'
import type { Db, Tx } from './schema.ts'

/** A number that is kept, where it is not what counting says. */
export interface Drift {
  of: 'version' | 'package' | 'owner'
  id: number
  /** As an address: `ada`, `ada/tool`, `ada/tool/1.0`. */
  name: string
  number: 'versions' | 'packages' | 'files' | 'bytes'
  kept: number
  counted: number
}

/** Rows with ids above `after`, up to and with `upTo`. */
export interface Range {
  after: number
  upTo: number
}

/** The ids behind `after` that have some `weight` together, at least one of them; undefined where there are none. */
async function nextRange(
  db: Db,
  rows: RawBuilder<{ id: number; weight: number | null }>,
  after: number,
  weight: number,
): Promise<Range | undefined> {
  const { rows: found } = await rows.execute(db)
  let upTo: number | undefined
  let sum = 0
  for (const { id, weight: own } of found) {
    sum += Number(own ?? 0)
    if (upTo !== undefined && sum > weight) break
    upTo = id
  }
  return upTo === undefined ? undefined : { after, upTo }
}

/** Packages or owners that one statement counts through, and the files of these packages, packages of these owners. */
const few = { rows: 500, parts: 10_000 }

export function nextVersions(db: Db, after: number): Promise<Range | undefined> {
  const rows = sql<{
    id: number
    weight: number
  }>`select version_id as id, 1 as weight from listings where version_id > ${after} order by version_id limit ${few.rows}`
  return nextRange(db, rows, after, few.rows)
}

export function nextPackages(db: Db, after: number): Promise<Range | undefined> {
  const rows = sql<{ id: number; weight: number | null }>`select packages.id as id, package_counts.files as weight
    from packages left join package_counts on package_counts.package_id = packages.id
    where packages.id > ${after} order by packages.id limit ${few.rows}`
  return nextRange(db, rows, after, few.parts)
}

export function nextOwners(db: Db, after: number): Promise<Range | undefined> {
  const rows = sql<{ id: number; weight: number | null }>`select owners.id as id, owner_counts.packages as weight
    from owners left join owner_counts on owner_counts.owner_id = owners.id
    where owners.id > ${after} order by owners.id limit ${few.rows}`
  return nextRange(db, rows, after, few.parts)
}

/** What was looked at, and what was wrong of it and is right now. */
export interface Recounted {
  counted: number
  drift: Drift[]
}

/*
 * Each compares in one statement, so what is kept and what is counted are of one moment; and adds the difference, so what was added
 * since then stays.
 */

/** The bytes of versions. */
export async function recountVersions(tx: Tx, { after, upTo }: Range): Promise<Recounted> {
  const { rows } = await sql<{
    id: number
    name: string
    keptBytes: number
    bytes: number
  }>`select listings.version_id as "id", listings.size as "keptBytes",
      owners.name || '/' || packages.name || '/' || versions.version as "name",
      (select coalesce(sum(blobs.size), 0) from files join blobs on blobs.id = files.blob_id
        where files.version_id = listings.version_id) as "bytes"
    from listings
    join versions on versions.id = listings.version_id
    join packages on packages.id = listings.package_id
    join owners on owners.id = listings.owner_id
    where listings.version_id > ${after} and listings.version_id <= ${upTo}`.execute(tx)
  const drift = rows.flatMap((row) => driftOf('version', row, { bytes: [row.keptBytes, row.bytes] }))
  for (const { id, kept, counted } of drift) {
    await sql`update listings set size = size + ${counted - kept} where version_id = ${id}`.execute(tx)
  }
  return { counted: rows.length, drift }
}

interface PackageRow {
  id: number
  ownerId: number
  name: string
  keptVersions: number | null
  keptFiles: number | null
  keptBytes: number | null
  versions: number
  files: number | null
  bytes: number | null
}

/** What packages have: from their files, not from their versions' lines. */
export async function recountPackages(tx: Tx, { after, upTo }: Range): Promise<Recounted> {
  const { rows } =
    await sql<PackageRow>`select packages.id as "id", packages.owner_id as "ownerId", owners.name || '/' || packages.name as "name",
      package_counts.versions as "keptVersions", package_counts.files as "keptFiles",
      package_counts.bytes as "keptBytes", sums.files as "files", sums.bytes as "bytes",
      (select count(*) from versions where versions.package_id = packages.id) as "versions"
    from packages
    join owners on owners.id = packages.owner_id
    left join package_counts on package_counts.package_id = packages.id
    left join (
      select versions.package_id, count(*) as files, sum(blobs.size) as bytes
      from versions join files on files.version_id = versions.id join blobs on blobs.id = files.blob_id
      where versions.package_id > ${after} and versions.package_id <= ${upTo}
      group by versions.package_id
    ) as sums on sums.package_id = packages.id
    where packages.id > ${after} and packages.id <= ${upTo}
    order by packages.id`.execute(tx)
  const drift: Drift[] = []
  for (const row of rows) {
    const found = driftOf('package', row, {
      versions: [row.keptVersions, row.versions],
      files: [row.keptFiles, row.files],
      bytes: [row.keptBytes, row.bytes],
    })
    if (found.length === 0) continue
    drift.push(...found)
    const { versions, files, bytes } = differences(found)
    await sql`insert into package_counts (package_id, owner_id, versions, files, bytes)
      values (${row.id}, ${row.ownerId}, ${versions}, ${files}, ${bytes})
      on conflict (package_id) do update set versions = package_counts.versions + excluded.versions,
        files = package_counts.files + excluded.files, bytes = package_counts.bytes + excluded.bytes`.execute(tx)
  }
  return { counted: rows.length, drift }
}

interface OwnerRow extends Omit<PackageRow, 'ownerId'> {
  keptPackages: number | null
  packages: number | null
}

/** What owners have: the sums of their packages, which must be right by then. */
export async function recountOwners(tx: Tx, { after, upTo }: Range): Promise<Recounted> {
  const { rows } = await sql<OwnerRow>`select owners.id as "id", owners.name as "name",
      owner_counts.versions as "keptVersions", owner_counts.packages as "keptPackages",
      owner_counts.files as "keptFiles", owner_counts.bytes as "keptBytes",
      sums.versions as "versions", sums.packages as "packages", sums.files as "files", sums.bytes as "bytes"
    from owners
    left join owner_counts on owner_counts.owner_id = owners.id
    left join (
      select owner_id, count(*) as packages, sum(versions) as versions, sum(files) as files, sum(bytes) as bytes
      from package_counts where owner_id > ${after} and owner_id <= ${upTo} and versions > 0
      group by owner_id
    ) as sums on sums.owner_id = owners.id
    where owners.id > ${after} and owners.id <= ${upTo}
    order by owners.id`.execute(tx)
  const drift: Drift[] = []
  for (const row of rows) {
    const found = driftOf('owner', row, {
      versions: [row.keptVersions, row.versions],
      packages: [row.keptPackages, row.packages],
      files: [row.keptFiles, row.files],
      bytes: [row.keptBytes, row.bytes],
    })
    if (found.length === 0) continue
    drift.push(...found)
    const { versions, packages, files, bytes } = differences(found)
    await sql`insert into owner_counts (owner_id, versions, packages, files, bytes)
      values (${row.id}, ${versions}, ${packages}, ${files}, ${bytes})
      on conflict (owner_id) do update set versions = owner_counts.versions + excluded.versions,
        packages = owner_counts.packages + excluded.packages, files = owner_counts.files + excluded.files,
        bytes = owner_counts.bytes + excluded.bytes`.execute(tx)
  }
  return { counted: rows.length, drift }
}

function driftOf(
  of: Drift['of'],
  { id, name }: { id: number; name: string },
  numbers: { [Name in Drift['number']]?: [kept: number | null, counted: number | null] },
): Drift[] {
  return Object.entries(numbers).flatMap(([number, [kept, counted]]) => {
    const drift = { kept: Number(kept ?? 0), counted: Number(counted ?? 0) }
    return drift.kept === drift.counted ? [] : [{ of, id, name, number: number as Drift['number'], ...drift }]
  })
}

/** What has to be added to each number. */
function differences(drift: readonly Drift[]): Record<Drift['number'], number> {
  const sums = { versions: 0, packages: 0, files: 0, bytes: 0 }
  for (const { number, kept, counted } of drift) sums[number] += counted - kept
  return sums
}
