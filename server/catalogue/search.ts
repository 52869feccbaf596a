import { type RawBuilder, sql } from 'kysely'
import { fewMatches, pageOfMatches } from '../lib/batches.ts'
import { Problem } from '../problems.ts'
import { isOneOf } from './dialect.ts'
import {
  type ListedVersion,
  ownersById,
  type Profile,
  type Sorting,
  type SortKey,
  versionsById,
  type Window,
} from './listings.ts'
import { holds, mostCounted, type NamePart, ownerIsReached, packagesNamed, type Reach, reached } from './name-search.ts'
import type { Db, PackageVisibility } from './schema.ts'
import { onPackages, ownerSeen } from './sight.ts'

/** A package by its newest version. */
export interface FoundPackage {
  owner: Profile
  version: ListedVersion
  /** What its people say of it; '' and no labels where they say nothing. */
  description: string
  visibility: PackageVisibility
  labels: readonly string[]
  versions: number
  files: number
  bytes: number
  downloads: number
}

/** Some of what a search finds; how much that is, unless it takes long to count. */
export interface FoundPage<Found> {
  found: Found[]
  total: number | undefined
}

/** What searches look for: without a name, everything there is. */
export interface Wanted {
  name: NamePart | undefined
  reach: Reach
}

/** The column by which packages are sorted, each with an index that ends with the package's id. */
const columns = {
  created: 'package_counts.newest_at',
  name: 'packages.name_key',
  version: 'package_counts.newest_order',
  size: 'package_counts.bytes',
  downloads: 'package_counts.downloads',
} as const satisfies Record<SortKey, string>

/** Packages that have a version. Where few match, those are sorted; where many do, all there are are read in their order. */
export async function searchPackages(
  db: Db,
  wanted: Wanted,
  window: Window,
  sorting: Sorting,
): Promise<FoundPage<FoundPackage>> {
  const few = await fewPackages(db, wanted)
  if (few?.total === 0) return { found: [], total: 0 }
  if (!few) mustBeWithinReach(window)
  const ids = few
    ? await sortedAmong(db, few.among, window, sorting)
    : (await pageOfMatches(packagesInOrder(db, wanted, sorting), window)).map(({ id }) => id)
  return { found: await foundPackages(db, ids, wanted.reach), total: few?.total }
}

/** Where nobody knows how many there are, each page further on takes longer. */
export function mustBeWithinReach({ offset }: Window): void {
  if (offset <= mostCounted) return
  throw new Problem(
    'unprocessable',
    `Only the first ${mostCounted} can be paged through where more match. Ask for a longer part of the name, or for one owner.`,
  )
}

interface Few {
  total: number
  /** A condition on `packages`. */
  among: RawBuilder<boolean>
}

/** The packages that match, unless they are many. */
async function fewPackages(db: Db, { name, reach }: Wanted): Promise<Few | undefined> {
  if (name) {
    const few = await fewMatches(packagesNamed(db, name, reach), () => 1, mostCounted)
    const ids = few?.rows.map(({ id }) => id) ?? []
    return few && { total: few.weight, among: isOneOf(db, 'packages.id', ids) }
  }
  if ('ownerId' in reach) {
    const total = reach.packages
    return total > mostCounted ? undefined : { total, among: reached(reach, onPackages) }
  }
  const few = await fewMatches(ownersInReach(db, reach), ({ packages }) => packages, mostCounted)
  if (!few) return undefined
  const ofOwners = isOneOf(
    db,
    'packages.owner_id',
    few.rows.map(({ id }) => id),
  )
  if (reach.viewer.limit === null && (reach.viewer.seesAll || few.rows.every(({ some }) => some === null))) {
    return { total: few.weight, among: ofOwners }
  }
  const among = sql<boolean>`(${ofOwners} and ${reached(reach, onPackages)})`
  return { total: await countAmong(db, among), among }
}

async function countAmong(db: Db, among: RawBuilder<boolean>): Promise<number> {
  const { total } = await db
    .selectFrom('packages')
    .innerJoin('package_counts', 'package_counts.package_id', 'packages.id')
    .select(({ fn }) => fn.countAll<number>().as('total'))
    .where(among)
    .where('package_counts.versions', '>', 0)
    .executeTakeFirstOrThrow()
  return Number(total)
}

interface OwnerInReach {
  id: number
  packages: number
  /** Null where he sees all of them: the owner, and none that is for some people alone. */
  some: number | null
  matches: 0 | 1
}

/** Owners who have packages: fewer than there are packages, where those of most are hidden. */
function ownersInReach(db: Db, reach: Reach) {
  const isOwnerSeen = 'viewer' in reach ? ownerSeen(reach.viewer, 'owner_counts.owner_id') : sql<boolean>`1 = 1`
  return async (after: OwnerInReach | undefined, size: number): Promise<OwnerInReach[]> => {
    const { rows } = await sql<OwnerInReach>`
      select owner_counts.owner_id as id, owner_counts.packages as packages,
        case when ${isOwnerSeen} then (
          select packages.id from packages
          where packages.owner_id = owner_counts.owner_id and packages.visibility = 'private' limit 1
        ) else 0 end as some,
        case when owner_counts.packages > 0 and ${ownerIsReached(reach, 'owner_counts.owner_id')} then 1 else 0 end as matches
      from owner_counts
      where owner_counts.owner_id > ${after?.id ?? 0} order by owner_counts.owner_id limit ${size}`.execute(db)
    return rows
  }
}

async function sortedAmong(db: Db, among: RawBuilder<boolean>, window: Window, sorting: Sorting): Promise<number[]> {
  const direction = sorting.descending ? 'desc' : 'asc'
  const rows = await db
    .selectFrom('packages')
    .innerJoin('package_counts', 'package_counts.package_id', 'packages.id')
    .select('packages.id')
    .where(among)
    .where('package_counts.versions', '>', 0)
    .orderBy(columns[sorting.by], direction)
    .orderBy('packages.id', direction)
    .offset(window.offset)
    .limit(window.limit)
    .execute()
  return rows.map(({ id }) => id)
}

interface PackageInOrder {
  id: number
  key: string | number
  matches: 0 | 1
}

/** All packages, in their order. */
function packagesInOrder(db: Db, { name, reach }: Wanted, { by, descending }: Sorting) {
  const key = sql.ref(columns[by])
  const isByName = by === 'name'
  const id = sql.ref(isByName ? 'packages.id' : 'package_counts.package_id')
  const from = isByName
    ? sql`packages left join package_counts on package_counts.package_id = packages.id`
    : sql`package_counts left join packages on packages.id = package_counts.package_id`
  // In this order: the last two look a row up, somewhere, and most names are not the ones that are asked for.
  const conditions = [
    ...(name ? [holds('packages.name_key', name)] : []),
    sql`package_counts.versions > 0`,
    reached(reach, onPackages),
  ]
  const direction = sql.raw(descending ? 'desc' : 'asc')
  return async (after: PackageInOrder | undefined, size: number): Promise<PackageInOrder[]> => {
    const behind = after && sql`where (${key}, ${id}) ${sql.raw(descending ? '<' : '>')} (${after.key}, ${after.id})`
    const { rows } = await sql<PackageInOrder>`
      select ${id} as id, ${key} as key, case when ${sql.join(conditions, sql` and `)} then 1 else 0 end as matches
      from ${from} ${behind ?? sql``}
      order by ${key} ${direction}, ${id} ${direction} limit ${size}`.execute(db)
    return rows
  }
}

/** What is shown of these packages, in their order; those that are gone meanwhile are left out. */
async function foundPackages(db: Db, ids: readonly number[], reach: Reach): Promise<FoundPackage[]> {
  if (ids.length === 0) return []
  const rows = await db
    .selectFrom('packages')
    .innerJoin('package_counts as counts', 'counts.package_id', 'packages.id')
    .leftJoin('package_texts as texts', 'texts.package_id', 'packages.id')
    .select(['packages.id', 'packages.owner_id', 'packages.visibility'])
    .select(['counts.versions', 'counts.files', 'counts.bytes', 'counts.downloads'])
    .select(['texts.description', 'texts.labels'])
    .select((it) =>
      it
        .selectFrom('listings')
        .select('listings.version_id')
        .whereRef('listings.package_id', '=', 'packages.id')
        .orderBy('listings.created_at', 'desc')
        .orderBy('listings.version_id', 'desc')
        .limit(1)
        .as('newest'),
    )
    .where('packages.id', 'in', ids)
    .execute()
  const byId = new Map(rows.map((row) => [row.id, row]))
  const newest = rows.flatMap((row) => row.newest ?? [])
  const versions = new Map((await versionsById(db, newest)).map((version) => [version.id, version]))
  const owners = await ownersById(db, [...new Set(rows.map((row) => row.owner_id))], reach)
  return ids.flatMap((id) => {
    const row = byId.get(id)
    const version = versions.get(row?.newest ?? -1)
    const owner = owners.get(row?.owner_id ?? -1)
    if (!row || !version || !owner) return []
    const { versions: count, files, bytes, downloads, description, visibility, labels } = row
    return {
      owner,
      version,
      visibility,
      description: description ?? '',
      labels: labels === null ? [] : (JSON.parse(labels) as string[]),
      versions: count,
      files,
      bytes,
      downloads,
    }
  })
}
