import { sql } from 'kysely'
import { batches } from '../lib/batches.ts'
import { packageColumns, type Sorting, type Window } from './listings.ts'
import { mostCounted } from './name-search.ts'
import type { Db, Schema } from './schema.ts'

/** What a version has; of files and bytes also those that are stored once for several. */
export interface VersionFigures {
  files: number
  size: number
  downloads: number
}

/** By the versions' ids. */
export async function figuresOfVersions(db: Db, ids: readonly number[]): Promise<Map<number, VersionFigures>> {
  if (ids.length === 0) return new Map()
  const rows = await db
    .selectFrom('listings')
    .select(['version_id', 'size', 'downloads'])
    .select(({ selectFrom }) =>
      selectFrom('files')
        .whereRef('files.version_id', '=', 'listings.version_id')
        .select(({ fn }) => fn.countAll<number>().as('total'))
        .as('files'),
    )
    .where('version_id', 'in', ids)
    .execute()
  return new Map(
    rows.map(({ version_id, size, downloads, files }) => [version_id, { size, downloads, files: Number(files) }]),
  )
}

type Row = { id: number; matches: 0 | 1 } & Partial<Schema['listings']>

/**
 * Ids of those versions of a package whose keys hold a text, in an order; and how many there are, unless that takes long to count.
 * Versions are looked through in batches, and where the package has many, no further than the page needs.
 */
export async function versionsHolding(
  db: Db,
  { packageId, text }: { packageId: number; text: string },
  { offset, limit }: Window,
  sorting: Sorting,
): Promise<{ ids: number[]; total: number | undefined }> {
  const columns = [...packageColumns[sorting.by], 'version_id' as const]
  const keys = columns.map((column) => sql.ref(`listings.${column}`))
  const direction = sql.raw(sorting.descending ? 'desc' : 'asc')
  const pattern = `%${text.replaceAll(/[!%_]/g, '!$&')}%`
  const read = async (after: Row | undefined, size: number): Promise<Row[]> => {
    const behind = after && columns.map((column) => sql`${after[column] ?? null}`)
    const { rows } = await sql<Row>`
      select ${sql.join(keys)}, listings.version_id as id,
        case when versions.version_key like ${pattern} escape '!' then 1 else 0 end as matches
      from listings join versions on versions.id = listings.version_id
      where listings.package_id = ${packageId}
        ${behind ? sql`and (${sql.join(keys)}) ${sql.raw(sorting.descending ? '<' : '>')} (${sql.join(behind)})` : sql``}
      order by ${sql.join(keys.map((key) => sql`${key} ${direction}`))} limit ${size}`.execute(db)
    return rows
  }
  const ids: number[] = []
  let matches = 0
  let seen = 0
  for await (const rows of batches(read)) {
    for (const { id } of rows.filter((row) => row.matches === 1)) {
      matches += 1
      if (matches > offset && ids.length < limit) ids.push(id)
    }
    seen += rows.length
    if (seen > mostCounted && ids.length === limit) return { ids, total: undefined }
  }
  return { ids, total: matches }
}
