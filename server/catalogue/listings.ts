import { type InferResult, sql } from 'kysely'
import type { OwnerRow } from './owners.ts'
import { prepared } from './prepared.ts'
import type { Db, Tx } from './schema.ts'
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

/** An owner as he is shown, and how many versions he has. */
export async function listedOwner(db: Db, id: number): Promise<{ owner: Profile; versions: number } | undefined> {
  const [row] = await selectOwner(db, { id })
  const owner = row && profileFrom({ ...row, full_name: row.full_name ?? row.organisationName })
  return owner && { owner, versions: row.versions ?? 0 }
}

const selectOwner = prepared(['id'], (db, { id }: { id: number }) =>
  db
    .selectFrom('owners')
    .leftJoin('users', 'users.id', 'owners.id')
    .leftJoin('organisations', 'organisations.id', 'owners.id')
    .leftJoin('owner_counts', 'owner_counts.owner_id', 'owners.id')
    .select(profileColumns)
    .select(['owner_counts.versions', 'organisations.full_name as organisationName'])
    .where('owners.id', '=', id),
)

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

/** A stretch of an owner's versions, newest first. */
export async function versionsOfOwner(db: Db, ownerId: number, window: Window): Promise<ListedVersion[]> {
  return (await selectOfOwner(db, { ownerId, ...window })).map(listedFrom)
}

/** A stretch of a package's versions, newest first. */
export async function versionsOfPackage(db: Db, packageId: number, window: Window): Promise<ListedVersion[]> {
  return (await selectOfPackage(db, { packageId, ...window })).map(listedFrom)
}

export async function listedVersion(
  db: Db,
  wanted: { packageId: number; versionKey: string },
): Promise<ListedVersion | undefined> {
  const [row] = await selectVersion(db, wanted)
  return row && listedFrom(row)
}

/** Which stretch of the listings is shown; the whole of it is in one index, newest first. */
function stretch(db: Db | Tx, { offset, limit }: Window) {
  return db
    .selectFrom('listings')
    .select(['listings.version_id', 'listings.created_at'])
    .orderBy('listings.created_at', 'desc')
    .orderBy('listings.version_id', 'desc')
    .offset(offset)
    .limit(limit)
}

/** What is shown is looked up for the stretch alone: whatever is passed over before it costs a step in the index. */
function shown(db: Db | Tx, stretched: ReturnType<typeof stretch>) {
  return versions(db)
    .innerJoin(stretched.as('stretch'), 'stretch.version_id', 'versions.id')
    .orderBy('stretch.created_at', 'desc')
    .orderBy('stretch.version_id', 'desc')
}

function versions(db: Db | Tx) {
  return db
    .selectFrom('versions')
    .innerJoin('packages', 'packages.id', 'versions.package_id')
    .leftJoin('owners', 'owners.id', 'versions.creator_id')
    .leftJoin('users', 'users.id', 'owners.id')
    .select(['versions.id as versionId', 'versions.version', 'versions.created_at as createdAt'])
    .select('packages.name as package')
    .select(profileColumns)
}

const selectOfOwner = prepared(['ownerId', 'offset', 'limit'], (db, wanted: Window & { ownerId: number }) =>
  shown(db, stretch(db, wanted).where('listings.owner_id', '=', wanted.ownerId)),
)

const selectOfPackage = prepared(['packageId', 'offset', 'limit'], (db, wanted: Window & { packageId: number }) =>
  shown(db, stretch(db, wanted).where('listings.package_id', '=', wanted.packageId)),
)

const selectVersion = prepared(['packageId', 'versionKey'], (db, wanted: { packageId: number; versionKey: string }) =>
  versions(db)
    .where('versions.package_id', '=', wanted.packageId)
    .where('versions.version_key', '=', wanted.versionKey),
)

/** Versions whose packages' names hold this part, newest first; how many there are, unless that takes long to count. */
export interface Found {
  versions: ListedVersion[]
  total: number | undefined
}

/** `part` is folded, and such as a package's name may hold. */
export async function searchVersions(
  db: Db,
  wanted: { ownerId: number; part: string },
  window: Window,
): Promise<Found> {
  const { ownerId } = wanted
  const pattern = `%${wanted.part.replaceAll('_', '!_')}%`
  const [counted] = await countMatches(db, { ownerId, pattern, most: mostCounted + 1 })
  const total = Number(counted?.versions ?? 0)
  if (total === 0) return { versions: [], total }
  const isMany = total > mostCounted
  const rows = await (isMany ? selectOfMany : selectOfFew)(db, { ownerId, pattern, ...window })
  return { versions: rows.map(listedFrom), total: isMany ? undefined : total }
}

/** Matches that are counted; where there are more, nobody is told how many. */
const mostCounted = 10_000

interface Match {
  ownerId: number
  pattern: string
}

function matching(db: Db | Tx, { ownerId, pattern }: Match) {
  return db
    .selectFrom('packages')
    .where('packages.owner_id', '=', ownerId)
    .where(sql<boolean>`packages.name_key like ${pattern} escape '!'`)
}

const countMatches = prepared(['ownerId', 'pattern', 'most'], (db, wanted: Match & { most: number }) => {
  const some = matching(db, wanted)
    .innerJoin('package_counts', 'package_counts.package_id', 'packages.id')
    .select('package_counts.versions')
    .limit(wanted.most)
  return db.selectFrom(some.as('some')).select(({ fn }) => fn.sum<number | null>('some.versions').as('versions'))
})

/** Where few match: all of theirs, sorted. */
const selectOfFew = prepared(['ownerId', 'pattern', 'offset', 'limit'], (db, wanted: Match & Window) =>
  shown(db, stretch(db, wanted).where('listings.package_id', 'in', matching(db, wanted).select('packages.id'))),
)

/** Where many match: the owner's, from the newest on, until as many have matched as are asked for. */
const selectOfMany = prepared(['ownerId', 'pattern', 'offset', 'limit'], (db, wanted: Match & Window) =>
  shown(
    db,
    stretch(db, wanted)
      .where('listings.owner_id', '=', wanted.ownerId)
      .where(({ exists }) =>
        exists(
          matching(db, wanted).where('packages.id', '=', sql.ref<number>('listings.package_id')).select('packages.id'),
        ),
      ),
  ),
)

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
