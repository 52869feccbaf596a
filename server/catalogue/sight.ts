import { type RawBuilder, sql } from 'kysely'
import type { Viewer } from './organisations.ts'
import { type Named, packagesNaming } from './package-grants.ts'
import type { Db } from './schema.ts'

/** Which of an owner's packages somebody sees in lists. */
export interface Sight {
  /** Without being named: every package, those that are not private, or none. */
  unnamed: 'all' | 'open' | 'none'
  /** As whom packages may name him; null where that does not count. */
  userId: number | null
  deployTokenId: number | null
  /** Patterns of keys, one of which a package must be like; null where nothing limits it. */
  names: readonly string[] | null
}

/** Whose eyes a search among all packages is for: what he sees of owners, and of each owner's packages. */
export interface PackageViewer extends Viewer {
  /** Everything, as administrators do. */
  seesAll: boolean
  /** As whom packages may name him; null where that does not count. */
  userId: number | null
  deployTokenId: number | null
  /** The owner whose token calls, and whether it may write there. */
  holder: { id: number; mayWrite: boolean } | null
  /** What his token is limited to: each a pattern of keys, of one owner's packages or of everybody's; null where nothing limits it. */
  limit: readonly { ownerId: number | null; name: string }[] | null
}

/** Where a statement has what decides about a package. */
export interface PackageColumns {
  ownerId: string
  packageId: string
  /** Its folded name. */
  key: string
  /** Undefined: to be looked up. */
  visibility?: string
}

/** Of statements on `packages`. */
export const onPackages: PackageColumns = {
  ownerId: 'packages.owner_id',
  packageId: 'packages.id',
  key: 'packages.name_key',
  visibility: 'packages.visibility',
}

/** Of statements on `listings`. */
export const onListings: PackageColumns = {
  ownerId: 'listings.owner_id',
  packageId: 'listings.package_id',
  key: 'listings.name_key',
}

export function seesEverything({ unnamed, names }: Sight): boolean {
  return unnamed === 'all' && names === null
}

/** Whether somebody sees a package of the owner; undefined where he sees all. */
export function seen(sight: Sight, columns: PackageColumns): RawBuilder<boolean> | undefined {
  const conditions: RawBuilder<boolean>[] = []
  const named = sql<boolean>`${sql.ref(columns.packageId)} in ${packagesNaming(asWhom(sight))}`
  if (sight.unnamed === 'open') {
    conditions.push(isNobody(sight) ? isOpen(columns) : sql<boolean>`(${isOpen(columns)} or ${named})`)
  }
  if (sight.unnamed === 'none') conditions.push(isNobody(sight) ? sql<boolean>`1 = 0` : named)
  if (sight.names !== null) conditions.push(isLikeOne(sight.names, columns.key))
  return conditions.length === 0 ? undefined : sql<boolean>`(${sql.join(conditions, sql` and `)})`
}

/** The same for a search among everybody's. */
export function seenBy(viewer: PackageViewer, columns: PackageColumns): RawBuilder<boolean> {
  const { limit } = viewer
  const within = limit?.map(({ ownerId, name }) =>
    ownerId === null
      ? isLikeOne([name], columns.key)
      : sql<boolean>`(${sql.ref(columns.ownerId)} = ${ownerId} and ${isLikeOne([name], columns.key)})`,
  )
  const limited = within ? [anyOf(within)] : []
  if (viewer.seesAll) return limited[0] ?? sql<boolean>`1 = 1`
  const owner = columns.ownerId
  const ways = [sql<boolean>`(${isOpen(columns)} and ${ownerSeen(viewer, owner)})`]
  if (viewer.memberId !== null) {
    ways.push(sql<boolean>`${sql.ref(owner)} = ${viewer.memberId}`)
    ways.push(sql<boolean>`${sql.ref(owner)} in (
      select team_members.organisation_id from team_members join teams on teams.id = team_members.team_id
      where team_members.user_id = ${viewer.memberId} and teams.access >= 2)`)
  }
  if (viewer.holder?.mayWrite) ways.push(sql<boolean>`${sql.ref(owner)} = ${viewer.holder.id}`)
  if (!isNobody(viewer)) ways.push(sql<boolean>`${sql.ref(columns.packageId)} in ${packagesNaming(asWhom(viewer))}`)
  return sql<boolean>`(${sql.join([anyOf(ways), ...limited], sql` and `)})`
}

/** Whether somebody may know of an owner by what the owner is, or by what he is there. */
export function ownerSeen(viewer: PackageViewer, ownerColumn: string): RawBuilder<boolean> {
  const owner = sql.ref(ownerColumn)
  const { visibilities, memberId, holder } = viewer
  const ways = [
    sql<boolean>`(select whose.visibility from owners as whose where whose.id = ${owner}) in (${sql.join([...visibilities])})`,
  ]
  if (memberId !== null) {
    ways.push(sql<boolean>`${owner} = ${memberId}`)
    ways.push(sql<boolean>`${owner} in (select organisation_id from team_members where user_id = ${memberId})`)
  }
  if (holder) ways.push(sql<boolean>`${owner} = ${holder.id}`)
  return anyOf(ways)
}

/** Whether packages of the owner may be among those that he sees. */
export function ownerReached(viewer: PackageViewer, ownerColumn: string): RawBuilder<boolean> {
  if (isNobody(viewer)) return ownerSeen(viewer, ownerColumn)
  return anyOf([
    ownerSeen(viewer, ownerColumn),
    sql<boolean>`${sql.ref(ownerColumn)} in (
      select owner_id from packages where id in ${packagesNaming(asWhom(viewer))})`,
  ])
}

/** Of these owners, what those are called now of whom somebody may know. */
export async function namesOfOwners(
  db: Db,
  viewer: PackageViewer,
  ids: readonly number[],
): Promise<Map<number, string>> {
  if (ids.length === 0) return new Map()
  const rows = await db
    .selectFrom('owners')
    .select(['id', 'name'])
    .where('id', 'in', ids)
    .where(ownerReached(viewer, 'owners.id'))
    .execute()
  return new Map(rows.map(({ id, name }) => [id, name]))
}

function isOpen({ packageId, visibility }: PackageColumns): RawBuilder<boolean> {
  const its = visibility
    ? sql.ref(visibility)
    : sql`(select its.visibility from packages as its where its.id = ${sql.ref(packageId)})`
  return sql<boolean>`${its} = 'inherit'`
}

function isNobody({ userId, deployTokenId }: { userId: number | null; deployTokenId: number | null }): boolean {
  return userId === null && deployTokenId === null
}

function asWhom({ userId, deployTokenId }: { userId: number | null; deployTokenId: number | null }): Named {
  return { userId: number(userId), deployTokenId: number(deployTokenId) }
}

function number(value: number | null): RawBuilder<number | null> {
  return value === null ? sql<null>`null` : sql<number>`${value}`
}

function isLikeOne(names: readonly string[], column: string): RawBuilder<boolean> {
  return anyOf(
    names.map((name) => {
      const pattern = name.replaceAll('_', '!_').replaceAll('*', '%')
      return sql<boolean>`${sql.ref(column)} like ${pattern} escape '!'`
    }),
  )
}

function anyOf(conditions: readonly RawBuilder<boolean>[]): RawBuilder<boolean> {
  return conditions.length === 0 ? sql<boolean>`1 = 0` : sql<boolean>`(${sql.join(conditions, sql` or `)})`
}
