import { type RawBuilder, sql } from 'kysely'
import { isPostgres } from './dialect.ts'
import type { Db } from './schema.ts'
import { onPackages, ownerReached, type PackageColumns, type PackageViewer, type Sight, seen, seenBy } from './sight.ts'

/** What a package's name must hold: folded, and such as a name may hold. */
export interface NamePart {
  text: string
  place: 'anywhere' | 'beginning'
}

/** Whose packages are looked at: one owner's, of which he sees that many, or all that somebody may read. */
export type Reach = { ownerId: number; packages: number; sight: Sight } | { viewer: PackageViewer }

/** Matches that are counted; where there are more, nobody is told how many. */
export const mostCounted = 10_000

/** Letters without which the index of every three of them says nothing. */
const trigram = 3

/** Of these that a search asks for: each costs a step for every name that has all of them. */
const mostTrigrams = 24

/** Packages of an owner whose names are sooner looked through than those of everybody are searched. */
const fewNames = 20_000

/** A package that is looked at. It matches where it has a version and is what was asked for. */
export interface Candidate {
  id: number
  key: string
  versions: number
  matches: 0 | 1
}

type Read<Row> = (after: Row | undefined, size: number) => Promise<Row[]>

/** Whether a name holds the part. */
export function holds(column: string, { text, place }: NamePart): RawBuilder<boolean> {
  const escaped = text.replaceAll('_', '!_')
  return sql<boolean>`${sql.ref(column)} like ${`${place === 'anywhere' ? '%' : ''}${escaped}%`} escape '!'`
}

/** Whether a package is one of those; looked up where nothing else has decided before. */
export function reached(reach: Reach, columns: PackageColumns): RawBuilder<boolean> {
  if (!('ownerId' in reach)) return seenBy(reach.viewer, columns)
  const isOwners = sql<boolean>`${sql.ref(columns.ownerId)} = ${reach.ownerId}`
  const isSeen = seen(reach.sight, columns)
  return isSeen ? sql<boolean>`(${isOwners} and ${isSeen})` : isOwners
}

/** Whether packages of an owner may be among those. */
export function ownerIsReached(reach: Reach, ownerColumn: string): RawBuilder<boolean> {
  if ('ownerId' in reach) return sql<boolean>`${sql.ref(ownerColumn)} = ${reach.ownerId}`
  return ownerReached(reach.viewer, ownerColumn)
}

/**
 * The packages with such a name, to be read in batches. What is looked through is never more than it must be: the names of an
 * owner who has few, a stretch of the names in their order, or what the index of every three letters finds.
 */
export function packagesNamed(db: Db, name: NamePart, reach: Reach): Read<Candidate> {
  const hasFew = 'ownerId' in reach && (reach.packages <= fewNames || name.text.length < trigram)
  if (hasFew || name.place === 'beginning') return inOrderOfNames(db, name, reach)
  return isPostgres(db) ? byPostgresTrigrams(db, name, reach) : bySqliteTrigrams(db, name, reach)
}

function inOrderOfNames(db: Db, name: NamePart, reach: Reach): Read<Candidate> {
  const stretch =
    name.place === 'anywhere'
      ? sql``
      : sql`and packages.name_key >= ${name.text} and packages.name_key < ${endOf(name)}`
  const order = 'ownerId' in reach ? sql`packages.name_key` : sql`packages.name_key, packages.id`
  return async (after, size) => {
    const behind =
      after &&
      ('ownerId' in reach
        ? sql`and packages.name_key > ${after.key}`
        : sql`and (${order}) > (${after.key}, ${after.id})`)
    const { rows } = await sql<Candidate>`
      select ${candidate(reach, [holds('packages.name_key', name)])}
      from packages left join package_counts on package_counts.package_id = packages.id
      where ${'ownerId' in reach ? ownerIsReached(reach, 'packages.owner_id') : sql`true`} ${stretch} ${behind ?? sql``}
      order by ${order} limit ${size}`.execute(db)
    return rows
  }
}

/** Names have no character from this one on. */
const endOf = ({ text }: NamePart) => `${text}~`

/** The index says which names have these letters somewhere; whether they stand together is looked up for a batch of those. */
function bySqliteTrigrams(db: Db, name: NamePart, reach: Reach): Read<Candidate> {
  const wanted = trigramsOf(name.text)
    .map((letters) => `"${letters}"`)
    .join(' ')
  return async (after, size) => {
    const { rows } = await sql<Candidate>`
      select ${candidate(reach, [holds('packages.name_key', name)])}
      from (
        select rowid as id from package_names where package_names match ${wanted} and rowid > ${after?.id ?? 0}
        order by rowid limit ${size}
      ) as hits
      join packages on packages.id = hits.id
      left join package_counts on package_counts.package_id = hits.id
      order by hits.id`.execute(db)
    return rows
  }
}

/** Every three letters that follow each other, each once; of a text that has many, as many as tell names apart. */
export function trigramsOf(text: string): string[] {
  const all = new Set(Array.from({ length: text.length - trigram + 1 }, (_, at) => text.slice(at, at + trigram)))
  const every = Math.max(1, all.size / mostTrigrams)
  return [...all].filter((_, index) => Math.floor(index / every) !== Math.floor((index - 1) / every))
}

/** All at once: the index finds in no order, and what takes long here is in nobody's way. */
function byPostgresTrigrams(db: Db, name: NamePart, reach: Reach): Read<Candidate> {
  return async (after) => {
    if (after) return []
    const { rows } = await sql<Candidate>`
      select ${candidate(reach, [])}
      from packages join package_counts on package_counts.package_id = packages.id
      where package_counts.versions > 0 and ${holds('packages.name_key', name)} and ${reached(reach, onPackages)}
      limit ${mostCounted + 1}`.execute(db)
    return rows
  }
}

function candidate(reach: Reach, conditions: RawBuilder<boolean>[]): RawBuilder<unknown> {
  const all = [...conditions, sql`package_counts.versions > 0`, reached(reach, onPackages)]
  return sql`packages.id as id, packages.name_key as key, coalesce(package_counts.versions, 0) as versions,
    case when ${sql.join(all, sql` and `)} then 1 else 0 end as matches`
}
