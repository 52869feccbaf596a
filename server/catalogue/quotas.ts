import { type RawBuilder, sql } from 'kysely'
import { prepared } from './prepared.ts'
import type { Db, Schema, Tx } from './schema.ts'
import { onPackages, type Sight, seen } from './sight.ts'
import { setSiteFact, siteFact } from './site.ts'

/** Numbers that may not be passed; null says nothing, in an owner's own -1 is as much as he likes. Bytes, where they are no versions. */
export type QuotaNumbers = Omit<Schema['quotas'], 'owner_id'>

/** What administrators have set for the site: `site` for all owners together, `owners` for each who has no number of his own. */
export interface SiteQuotas {
  site: QuotaNumbers
  owners: QuotaNumbers
}

/** What is there, and what uploads that are under way may add to it. */
export interface Usage {
  versions: number
  bytes: number
  reservedVersions: number
  reservedBytes: number
}

/** All that decides about an upload at an owner, but what the others have together. */
export interface OwnerStanding {
  quotas: SiteQuotas
  own: QuotaNumbers
  /** Without what this upload has reserved itself. */
  usage: Usage
  /** Whether the upload makes a version that is neither there nor reserved. */
  addsVersion: boolean
}

/** An upload, and the version that it is for. */
export interface QuotaAddress {
  ownerId: number
  packageKey: string
  versionKey: string
  /** Of the upload itself, whose own reservation is left out. */
  uploadId: string
}

const quotasKey = 'quotas'
const none: QuotaNumbers = { versions: null, bytes: null, file_size: null }

export function siteQuotasFrom(value: string | null | undefined): SiteQuotas {
  const { site, owners } = value ? (JSON.parse(value) as Partial<SiteQuotas>) : {}
  return { site: { ...none, ...site }, owners: { ...none, ...owners } }
}

export async function siteQuotas(db: Db | Tx): Promise<SiteQuotas> {
  return siteQuotasFrom(await siteFact(db, quotasKey))
}

export async function setSiteQuotas(tx: Tx, quotas: SiteQuotas): Promise<void> {
  await setSiteFact(tx, quotasKey, JSON.stringify(quotas))
}

/** What is set at an owner and for the site; undefined where the owner is gone. */
export async function quotasAt(
  db: Db | Tx,
  ownerId: number,
): Promise<Pick<OwnerStanding, 'quotas' | 'own'> | undefined> {
  const [row] = await selectQuotas(db, { ownerId })
  return row && { quotas: siteQuotasFrom(row.site), own: ownFrom(row) }
}

interface QuotasRow {
  site: string | null
  ownVersions: number | null
  ownBytes: number | null
  ownFileSize: number | null
}

function ownFrom({ ownVersions, ownBytes, ownFileSize }: QuotasRow): QuotaNumbers {
  return { versions: ownVersions, bytes: ownBytes, file_size: ownFileSize }
}

const ownColumns = [
  'quotas.versions as ownVersions',
  'quotas.bytes as ownBytes',
  'quotas.file_size as ownFileSize',
] as const

const selectQuotas = prepared(['ownerId'], (db, { ownerId }: { ownerId: number }) =>
  db
    .selectFrom('owners')
    .leftJoin('quotas', 'quotas.owner_id', 'owners.id')
    .leftJoin('site', (join) => join.on('site.key', '=', quotasKey))
    .select('site.value as site')
    .select(ownColumns)
    .where('owners.id', '=', ownerId),
)

/** In one statement, so of one moment: an upload that ends is either counted or reserved. Undefined where the owner is gone. */
export async function standingOfOwner(db: Db | Tx, address: QuotaAddress): Promise<OwnerStanding | undefined> {
  const [row] = await selectStanding(db, address)
  if (!row) return undefined
  return {
    quotas: siteQuotasFrom(row.site),
    own: ownFrom(row),
    usage: usageFrom(row),
    addsVersion: Number(row.isTaken) === 0,
  }
}

interface UsageRow {
  versions: number | null
  bytes: number | null
  reservedVersions: number | null
  reservedBytes: number | null
}

function usageFrom(row: UsageRow): Usage {
  return {
    versions: Number(row.versions ?? 0),
    bytes: Number(row.bytes ?? 0),
    reservedVersions: Number(row.reservedVersions ?? 0),
    reservedBytes: Number(row.reservedBytes ?? 0),
  }
}

interface StandingRow extends UsageRow, QuotasRow {
  isTaken: number | boolean
}

const selectStanding = prepared(
  ['ownerId', 'packageKey', 'versionKey', 'uploadId'],
  (db, { ownerId, packageKey, versionKey, uploadId }: QuotaAddress) => ({
    compile: () =>
      sql<StandingRow>`select
          (select value from site where key = ${sql.lit(quotasKey)}) as "site",
          quotas.versions as "ownVersions", quotas.bytes as "ownBytes", quotas.file_size as "ownFileSize",
          owner_counts.versions as "versions", owner_counts.bytes as "bytes",
          (select count(*) from (
            select distinct package_key, version_key from reservations
            where owner_id = ${ownerId} and upload_id <> ${uploadId} and ${isNotThere}
          ) as fresh) as "reservedVersions",
          (select sum(bytes) from reservations
            where owner_id = ${ownerId} and upload_id <> ${uploadId}) as "reservedBytes",
          (select count(*) from (
            select 1 from packages join versions on versions.package_id = packages.id
            where packages.owner_id = ${ownerId} and packages.name_key = ${packageKey}
              and versions.version_key = ${versionKey}
            union all
            select 1 from reservations
            where owner_id = ${ownerId} and upload_id <> ${uploadId}
              and package_key = ${packageKey} and version_key = ${versionKey}
          ) as taken) as "isTaken"
        from owners
        left join quotas on quotas.owner_id = owners.id
        left join owner_counts on owner_counts.owner_id = owners.id
        where owners.id = ${ownerId}`.compile(db),
  }),
)

/** Of a reservation's version: whether there is none yet. */
const isNotThere: RawBuilder<boolean> = sql`not exists (
  select 1 from packages join versions on versions.package_id = packages.id
  where packages.owner_id = reservations.owner_id and packages.name_key = reservations.package_key
    and versions.version_key = reservations.version_key)`

/** What all owners have together, without what this upload has reserved itself; one statement as well. */
export async function usageOfSite(tx: Tx, uploadId: string): Promise<Usage> {
  const { rows } = await sql<UsageRow>`select sum(versions) as "versions", sum(bytes) as "bytes",
      (select count(*) from (
        select distinct owner_id, package_key, version_key from reservations
        where upload_id <> ${uploadId} and ${isNotThere}
      ) as fresh) as "reservedVersions",
      (select sum(bytes) from reservations where upload_id <> ${uploadId}) as "reservedBytes"
    from owner_counts`.execute(tx)
  return usageFrom(rows[0] as UsageRow)
}

/** An owner's own numbers, all null where nobody has set any. */
export async function ownQuota(db: Db | Tx, ownerId: number): Promise<QuotaNumbers> {
  const row = await db
    .selectFrom('quotas')
    .select(['versions', 'bytes', 'file_size'])
    .where('owner_id', '=', ownerId)
    .executeTakeFirst()
  return row ?? none
}

/** Numbers that are all null are none: then there is no row. */
export async function setOwnQuota(tx: Tx, ownerId: number, numbers: QuotaNumbers): Promise<void> {
  if (Object.values(numbers).every((number) => number === null)) {
    await tx.deleteFrom('quotas').where('owner_id', '=', ownerId).execute()
    return
  }
  await tx
    .insertInto('quotas')
    .values({ owner_id: ownerId, ...numbers })
    .onConflict((conflict) => conflict.column('owner_id').doUpdateSet(numbers))
    .execute()
}

/** An owner's own numbers, and what it has. */
export interface OwnQuota extends QuotaNumbers {
  owner: string
  usedVersions: number
  usedBytes: number
}

/** Owners with numbers of their own, by name. */
export async function ownQuotas(
  db: Db,
  { offset, limit }: { offset: number; limit: number },
): Promise<{ quotas: OwnQuota[]; total: number }> {
  const quotas = await db
    .selectFrom('quotas')
    .innerJoin('owners', 'owners.id', 'quotas.owner_id')
    .leftJoin('owner_counts', 'owner_counts.owner_id', 'quotas.owner_id')
    .select(['owners.name as owner', 'quotas.versions', 'quotas.bytes', 'quotas.file_size'])
    .select(({ fn, lit }) => [
      fn.coalesce('owner_counts.versions', lit(0)).as('usedVersions'),
      fn.coalesce('owner_counts.bytes', lit(0)).as('usedBytes'),
    ])
    .orderBy('owners.name_key')
    .offset(offset)
    .limit(limit)
    .execute()
  const { total } = await db
    .selectFrom('quotas')
    .select(({ fn }) => fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow()
  return { quotas, total: Number(total) }
}

/** What all owners have together, and how many of each kind there are. */
export interface SiteCounts {
  users: number
  organisations: number
  packages: number
  versions: number
  files: number
  bytes: number
}

export async function countsOfSite(db: Db): Promise<SiteCounts> {
  const kinds = await db
    .selectFrom('owners')
    .select(({ fn }) => ['kind', fn.countAll<number>().as('owners')])
    .groupBy('kind')
    .execute()
  const ownersOf = (wanted: string) => Number(kinds.find(({ kind }) => kind === wanted)?.owners ?? 0)
  const sums = await db
    .selectFrom('owner_counts')
    .select(({ fn }) => [
      fn.sum<number | null>('packages').as('packages'),
      fn.sum<number | null>('versions').as('versions'),
      fn.sum<number | null>('files').as('files'),
      fn.sum<number | null>('bytes').as('bytes'),
    ])
    .executeTakeFirstOrThrow()
  return {
    users: ownersOf('user'),
    organisations: ownersOf('organisation'),
    packages: Number(sums.packages ?? 0),
    versions: Number(sums.versions ?? 0),
    files: Number(sums.files ?? 0),
    bytes: Number(sums.bytes ?? 0),
  }
}

export interface PackageUsage {
  name: string
  versions: number
  files: number
  bytes: number
  downloads: number
}

export const usageOrders = ['size', 'name'] as const
export type UsageOrder = (typeof usageOrders)[number]

/** A stretch of an owner's packages: the largest first, or by name. */
export async function usageOfPackages(
  db: Db,
  { ownerId, sight }: { ownerId: number; sight: Sight },
  order: UsageOrder,
  { offset, limit }: { offset: number; limit: number },
): Promise<PackageUsage[]> {
  const stretch = order === 'size' ? largest(db, ownerId, sight) : byName(db, ownerId, sight)
  const rows = await db
    .selectFrom(stretch.offset(offset).limit(limit).as('stretch'))
    .innerJoin('package_counts', 'package_counts.package_id', 'stretch.id')
    .innerJoin('packages', 'packages.id', 'stretch.id')
    .select(['packages.name', 'packages.name_key', 'packages.id'])
    .select(['package_counts.versions', 'package_counts.files', 'package_counts.bytes', 'package_counts.downloads'])
    .$if(order === 'size', (query) => query.orderBy('package_counts.bytes', 'desc').orderBy('packages.id', 'desc'))
    .$if(order === 'name', (query) => query.orderBy('packages.name_key'))
    .execute()
  return rows.map(({ name, versions, files, bytes, downloads }) => ({ name, versions, files, bytes, downloads }))
}

/** A stretch of an index that has only packages with versions: both databases see that by the number itself. */
function largest(db: Db, ownerId: number, sight: Sight) {
  // Of each that may be hidden its package is looked up.
  const isSeen = seen(sight, {
    ownerId: 'package_counts.owner_id',
    packageId: 'package_counts.package_id',
    key: 'its.name_key',
  })
  const names = sight.names !== null
  return db
    .selectFrom('package_counts')
    .$if(names, (query) => query.innerJoin('packages as its', 'its.id', 'package_counts.package_id') as typeof query)
    .select('package_counts.package_id as id')
    .where('package_counts.owner_id', '=', ownerId)
    .where('package_counts.versions', '>', sql.lit(0))
    .$if(isSeen !== undefined, (query) => query.where(isSeen as RawBuilder<boolean>))
    .orderBy('package_counts.bytes', 'desc')
    .orderBy('package_counts.package_id', 'desc')
}

function byName(db: Db, ownerId: number, sight: Sight) {
  const isSeen = seen(sight, onPackages)
  return db
    .selectFrom('packages')
    .innerJoin('package_counts', 'package_counts.package_id', 'packages.id')
    .select('packages.id as id')
    .where('packages.owner_id', '=', ownerId)
    .where('package_counts.versions', '>', sql.lit(0))
    .$if(isSeen !== undefined, (query) => query.where(isSeen as RawBuilder<boolean>))
    .orderBy('packages.name_key')
}
