import { type InferResult, type RawBuilder, sql } from 'kysely'
import { fewMatches, pageOfMatches } from '../lib/batches.ts'
import { isOneOf } from './dialect.ts'
import { holds, mostCounted, type NamePart, packagesNamed, type Reach } from './name-search.ts'
import type { OwnerRow } from './owners.ts'
import { prepared } from './prepared.ts'
import type { Db, Schema, Tx } from './schema.ts'
import { onListings, onPackages, ownerSeen, type Sight, seen, seesEverything } from './sight.ts'
import type { UserRow } from './users.ts'

/** A version as lists show it. */
export interface ListedVersion {
  id: number
  package: string
  version: string
  /** Undefined for a creator who is gone. */
  creator: Profile | undefined
  createdAt: number
}

/** What is shown of a user or an organisation; an organisation has no account, and the zero values of one. */
export type Profile = Pick<OwnerRow, 'id' | 'kind' | 'name' | 'visibility'> &
  Pick<
    UserRow,
    | 'created_at'
    | 'description'
    | 'website'
    | 'location'
    | 'full_name'
    | 'email'
    | 'is_admin'
    | 'is_active'
    | 'is_restricted'
    | 'prohibit_login'
    | 'last_login_at'
  >

const profileColumns = [
  'owners.id',
  'owners.kind',
  'owners.name',
  'owners.visibility',
  'owners.created_at',
  'owners.description',
  'owners.website',
  'owners.location',
  'users.full_name',
  'users.email',
  'users.is_admin',
  'users.is_active',
  'users.is_restricted',
  'users.prohibit_login',
  'users.last_login_at',
] as const

type ProfileColumns = { [Name in keyof Profile]: Profile[Name] | null }

export interface Window {
  offset: number
  limit: number
}

/** An owner as he is shown, and how much he has. */
export async function listedOwner(db: Db, id: number): Promise<ListedOwner | undefined> {
  const [row] = await selectOwner(db, { id })
  const owner = row && profileFrom({ ...row, full_name: row.full_name ?? row.organisationName })
  if (!owner) return undefined
  const counts = {
    versions: row.versions ?? 0,
    packages: row.packages ?? 0,
    files: row.files ?? 0,
    bytes: row.bytes ?? 0,
  }
  return { owner, ...counts, hasPrivate: row.somePrivate !== null }
}

export interface ListedOwner extends OwnerCounts {
  owner: Profile
  /** Whether some of the packages are private. */
  hasPrivate: boolean
}

export interface OwnerCounts {
  versions: number
  packages: number
  files: number
  bytes: number
}

/** What an owner has, of what somebody sees; `all` is everything that is there. */
export async function countsSeen(db: Db, ownerId: number, sight: Sight, all: OwnerCounts): Promise<OwnerCounts> {
  if (seesEverything(sight))
    return { versions: all.versions, packages: all.packages, files: all.files, bytes: all.bytes }
  const isSeen = seen(sight, onPackages)
  const base = db
    .selectFrom('packages')
    .innerJoin('package_counts', 'package_counts.package_id', 'packages.id')
    .select(({ fn }) => [
      fn.sum<number | null>('package_counts.versions').as('versions'),
      fn.countAll<number>().as('packages'),
      fn.sum<number | null>('package_counts.files').as('files'),
      fn.sum<number | null>('package_counts.bytes').as('bytes'),
    ])
    .where('packages.owner_id', '=', ownerId)
    .where('package_counts.versions', '>', 0)
  // Most are open: those are not gone through, but the few that are hidden.
  const isFewHidden = sight.unnamed === 'open' && sight.names === null
  const row = isFewHidden
    ? await base
        .where('packages.visibility', '=', sql.lit('private'))
        .$if(isSeen !== undefined, (query) => query.where(sql<boolean>`not ${isSeen}`))
        .executeTakeFirstOrThrow()
    : await base
        .$if(isSeen !== undefined, (query) => query.where(isSeen as RawBuilder<boolean>))
        .executeTakeFirstOrThrow()
  const found = {
    versions: Number(row.versions ?? 0),
    packages: Number(row.packages),
    files: Number(row.files ?? 0),
    bytes: Number(row.bytes ?? 0),
  }
  if (!isFewHidden) return found
  return {
    versions: all.versions - found.versions,
    packages: all.packages - found.packages,
    files: all.files - found.files,
    bytes: all.bytes - found.bytes,
  }
}

const selectOwner = prepared(['id'], (db, { id }: { id: number }) =>
  profiles(db)
    .leftJoin('owner_counts', 'owner_counts.owner_id', 'owners.id')
    .select(['owner_counts.versions', 'owner_counts.packages', 'owner_counts.files', 'owner_counts.bytes'])
    .select(
      sql<number | null>`(
        select packages.id from packages where packages.owner_id = owners.id and packages.visibility = 'private' limit 1)`.as(
        'somePrivate',
      ),
    )
    .where('owners.id', '=', id),
)

function profiles(db: Db | Tx) {
  return db
    .selectFrom('owners')
    .leftJoin('users', 'users.id', 'owners.id')
    .leftJoin('organisations', 'organisations.id', 'owners.id')
    .select(profileColumns)
    .select('organisations.full_name as organisationName')
}

/** Whether there is any version at all, of whomever. */
export async function anyVersion(db: Db): Promise<boolean> {
  return (await db.selectFrom('listings').select('version_id').limit(1).executeTakeFirst()) !== undefined
}

/** A package of an owner, unless it has no version. */
export async function listedPackage(
  db: Db,
  wanted: { ownerId: number; nameKey: string },
): Promise<{ id: number; versions: number } | undefined> {
  const [row] = await selectPackage(db, wanted)
  return row
}

const selectPackage = prepared(['ownerId', 'nameKey'], (db, wanted: { ownerId: number; nameKey: string }) =>
  db
    .selectFrom('packages')
    .innerJoin('package_counts', 'package_counts.package_id', 'packages.id')
    .select(['packages.id', 'package_counts.versions'])
    .where('packages.owner_id', '=', wanted.ownerId)
    .where('packages.name_key', '=', wanted.nameKey)
    .where('package_counts.versions', '>', 0),
)

/** In what order lists show what they hold. */
export interface Sorting {
  by: SortKey
  descending: boolean
}

export const sortKeys = ['created', 'name', 'version', 'size', 'downloads'] as const
export type SortKey = (typeof sortKeys)[number]

export const newestFirst: Sorting = { by: 'created', descending: true }

/** The columns of `listings` that make each order, before the version's id; of each owner they are an index. */
const ownerColumns = {
  created: ['created_at'],
  name: ['name_key', 'version_order'],
  version: ['version_order'],
  size: ['size'],
  downloads: ['downloads'],
} as const satisfies Record<SortKey, readonly (keyof Schema['listings'])[]>

/** The same of each package, which has one name. */
export const packageColumns = { ...ownerColumns, name: ownerColumns.version }

type SortColumns = (typeof ownerColumns | typeof packageColumns)[SortKey]

/** A stretch of an owner's versions. */
export async function versionsOfOwner(
  db: Db,
  ownerId: number,
  sight: Sight,
  window: Window,
  sorting: Sorting = newestFirst,
): Promise<ListedVersion[]> {
  const isSeen = seen(sight, onListings)
  if (!isSeen) return (await selectOfOwner(sorting)(db, { ownerId, ...window })).map(listedFrom)
  const columns = ownerColumns[sorting.by]
  const stretched = stretch(db, window, columns, sorting).where('listings.owner_id', '=', ownerId).where(isSeen)
  return (await shown(db, stretched, columns, sorting).execute()).map(listedFrom)
}

/** A stretch of a package's versions. */
export async function versionsOfPackage(
  db: Db,
  packageId: number,
  window: Window,
  sorting: Sorting = newestFirst,
): Promise<ListedVersion[]> {
  return (await selectOfPackage(sorting)(db, { packageId, ...window })).map(listedFrom)
}

export async function listedVersion(
  db: Db,
  wanted: { packageId: number; versionKey: string },
): Promise<ListedVersion | undefined> {
  const [row] = await selectVersion(db, wanted)
  return row && listedFrom(row)
}

/** Which stretch of the listings is shown; the whole of it is in one index. */
function stretch(db: Db | Tx, { offset, limit }: Window, columns: SortColumns, { descending }: Sorting) {
  const direction = descending ? 'desc' : 'asc'
  let query = db.selectFrom('listings').select('listings.version_id').offset(offset).limit(limit)
  for (const column of columns) query = query.select(`listings.${column}`).orderBy(`listings.${column}`, direction)
  return query.orderBy('listings.version_id', direction)
}

/** A stretch of versions in the order of an owner's lists. */
export function listingOrder(db: Db | Tx, window: Window, sorting: Sorting) {
  return stretch(db, window, ownerColumns[sorting.by], sorting)
}

/** What is shown is looked up for the stretch alone: whatever is passed over before it costs a step in the index. */
function shown(
  db: Db | Tx,
  stretched: ReturnType<typeof stretch>,
  columns: readonly SortColumns[number][],
  { descending }: Sorting,
) {
  const direction = descending ? 'desc' : 'asc'
  let query = versions(db).innerJoin(stretched.as('stretch'), 'stretch.version_id', 'versions.id')
  for (const column of columns) query = query.orderBy(sql.ref(`stretch.${column}`), direction)
  return query.orderBy('stretch.version_id', direction)
}

/** Who made a version: a person, or the owner whose token did. */
const creatorIs = sql<boolean>`owners.id = coalesce(versions.creator_id, versions.creator_owner_id)`

function versions(db: Db | Tx) {
  return db
    .selectFrom('versions')
    .innerJoin('packages', 'packages.id', 'versions.package_id')
    .leftJoin('owners', (join) => join.on(creatorIs))
    .leftJoin('users', 'users.id', 'owners.id')
    .select(['versions.id as versionId', 'versions.version', 'versions.created_at as createdAt'])
    .select('packages.name as package')
    .select(profileColumns)
}

const selectOfOwner = forEachOrder((sorting) =>
  prepared(['ownerId', 'offset', 'limit'], (db, wanted: Window & { ownerId: number }) => {
    const columns = ownerColumns[sorting.by]
    return shown(
      db,
      stretch(db, wanted, columns, sorting).where('listings.owner_id', '=', wanted.ownerId),
      columns,
      sorting,
    )
  }),
)

const selectOfPackage = forEachOrder((sorting) =>
  prepared(['packageId', 'offset', 'limit'], (db, wanted: Window & { packageId: number }) => {
    const columns = packageColumns[sorting.by]
    return shown(
      db,
      stretch(db, wanted, columns, sorting).where('listings.package_id', '=', wanted.packageId),
      columns,
      sorting,
    )
  }),
)

/** A statement for each order that there is. */
function forEachOrder<Statement>(make: (sorting: Sorting) => Statement): (sorting: Sorting) => Statement {
  const made = new Map<string, Statement>()
  for (const by of sortKeys) {
    for (const descending of [true, false]) made.set(`${by} ${descending}`, make({ by, descending }))
  }
  return ({ by, descending }) => made.get(`${by} ${descending}`) as Statement
}

const selectVersion = prepared(['packageId', 'versionKey'], (db, wanted: { packageId: number; versionKey: string }) =>
  versions(db)
    .where('versions.package_id', '=', wanted.packageId)
    .where('versions.version_key', '=', wanted.versionKey),
)

/** Versions by their ids, in any order. */
export async function versionsById(db: Db, ids: readonly number[]): Promise<ListedVersion[]> {
  if (ids.length === 0) return []
  return (await versions(db).where('versions.id', 'in', ids).execute()).map(listedFrom)
}

/** Owners as they are shown, by their ids. */
export async function ownersById(db: Db, ids: readonly number[], reach: Reach): Promise<Map<number, Profile>> {
  if (ids.length === 0) return new Map()
  const isKnown = 'ownerId' in reach ? reach.sight.unnamed !== 'none' : undefined
  const rows = await profiles(db)
    .select(
      'viewer' in reach && !reach.viewer.seesAll
        ? sql<number>`case when ${ownerSeen(reach.viewer, 'owners.id')} then 1 else 0 end`.as('isKnown')
        : sql<number>`${sql.lit(isKnown === false ? 0 : 1)}`.as('isKnown'),
    )
    .where('owners.id', 'in', ids)
    .execute()
  const shown = rows.flatMap(({ isKnown: known, ...row }) => {
    const profile = profileFrom({ ...row, full_name: row.full_name ?? row.organisationName })
    if (!profile) return []
    return known === 1 ? profile : nameAlone(profile)
  })
  return new Map(shown.map((owner) => [owner.id, owner]))
}

/** What clients of this protocol take for "never". */
const longAgo = Date.parse('0001-01-01T00:00:00Z')

/** What is shown of an owner to who may know of one of his packages, and of him nothing but the name. */
export function nameAlone({ id, kind, name }: Pick<Profile, 'id' | 'kind' | 'name'>): Profile {
  return {
    id,
    kind,
    name,
    // Whether it is limited or private is not told either.
    visibility: 'private',
    created_at: longAgo,
    description: '',
    website: '',
    location: '',
    full_name: '',
    email: null,
    is_admin: 0,
    is_active: 1,
    is_restricted: 0,
    prohibit_login: 0,
    last_login_at: null,
  }
}

/** Versions whose packages' names hold a part; how many there are, unless that takes long to count. */
export interface Found {
  versions: ListedVersion[]
  total: number | undefined
}

/** Packages that are looked at first: where many match, a few of them often have more versions than are counted. */
const firstPackages = 250

/** `packages` is how many the owner has. */
export async function searchVersions(
  db: Db,
  wanted: { ownerId: number; packages: number; sight: Sight; name: NamePart },
  window: Window,
  sorting: Sorting = newestFirst,
): Promise<Found> {
  const named = packagesNamed(db, wanted.name, wanted)
  const few = await fewMatches(named, ({ versions }) => versions, mostCounted, firstPackages)
  if (few?.weight === 0) return { versions: [], total: 0 }
  const ids = few
    ? await idsAmong(db, few.rows, window, sorting)
    : (await pageOfMatches(listingsOfOwner(db, wanted, sorting), window)).map(({ id }) => id)
  const found = new Map((await versionsById(db, ids)).map((version) => [version.id, version]))
  return { versions: ids.flatMap((id) => found.get(id) ?? []), total: few?.weight }
}

/** Where few match: all of theirs, sorted. */
async function idsAmong(
  db: Db,
  packages: readonly { id: number }[],
  window: Window,
  sorting: Sorting,
): Promise<number[]> {
  const ids = packages.map(({ id }) => id)
  const found = await listingOrder(db, window, sorting)
    .where(isOneOf(db, 'listings.package_id', ids))
    .execute()
  return found.map((row) => row.version_id)
}

/** Where many match: the owner's, in their order, until as many have matched as are asked for. */
function listingsOfOwner(
  db: Db,
  { ownerId, sight, name }: { ownerId: number; sight: Sight; name: NamePart },
  sorting: Sorting,
) {
  const isSeen = seen(sight, onListings)
  const matches = isSeen ? sql`${holds('listings.name_key', name)} and ${isSeen}` : holds('listings.name_key', name)
  const columns = [...ownerColumns[sorting.by], 'version_id' as const]
  const keys = columns.map((column) => sql.ref(`listings.${column}`))
  const direction = sql.raw(sorting.descending ? 'desc' : 'asc')
  return async (after: Listing | undefined, size: number): Promise<Listing[]> => {
    const behind = after && columns.map((column) => sql`${after[column] ?? null}`)
    const { rows } = await sql<Listing>`
      select ${sql.join(keys)}, listings.version_id as id,
        case when ${matches} then 1 else 0 end as matches
      from listings where listings.owner_id = ${ownerId}
        ${behind ? sql`and (${sql.join(keys)}) ${sql.raw(sorting.descending ? '<' : '>')} (${sql.join(behind)})` : sql``}
      order by ${sql.join(keys.map((key) => sql`${key} ${direction}`))} limit ${size}`.execute(db)
    return rows
  }
}

type Listing = { id: number; matches: 0 | 1 } & Partial<Schema['listings']>

function listedFrom(row: InferResult<ReturnType<typeof versions>>[number]): ListedVersion {
  const { versionId, version, createdAt } = row
  return { id: versionId, version, package: row.package, createdAt, creator: profileFrom(row) }
}

function profileFrom(row: ProfileColumns): Profile | undefined {
  const { id, name, visibility, created_at } = row
  if (id === null || name === null || visibility === null || created_at === null) return undefined
  return {
    id,
    name,
    visibility,
    created_at,
    kind: row.kind ?? 'user',
    description: row.description ?? '',
    website: row.website ?? '',
    location: row.location ?? '',
    full_name: row.full_name ?? '',
    email: row.email,
    is_admin: row.is_admin ?? 0,
    is_active: row.is_active ?? 0,
    is_restricted: row.is_restricted ?? 0,
    prohibit_login: row.prohibit_login ?? 0,
    last_login_at: row.last_login_at,
  }
}
