import { sql } from 'kysely'
import { locked } from './dialect.ts'
import { prepared } from './prepared.ts'
import type { Db, PackageVisibility, Tx } from './schema.ts'
import { StartAgain } from './transaction.ts'

/** A package, as it was first spelled. */
export interface PackageRow {
  id: number
  name: string
}

/**
 * The package; made where it is not there yet, and then spelled as given. Where it is removed before it gets a version,
 * the version's foreign key says so.
 */
export async function ensurePackage(tx: Tx, wanted: NewPackage): Promise<PackageRow & { isNew: boolean }> {
  const [added] = await insertPackage(tx, wanted)
  if (added) return { ...added, isNew: true }
  const [found] = await selectPackage(tx, wanted)
  if (!found) throw new StartAgain('the package was removed right after it was found')
  return { ...found, isNew: false }
}

interface NewPackage {
  ownerId: number
  name: string
  nameKey: string
  now: number
}

const insertPackage = prepared(['ownerId', 'name', 'nameKey', 'now'], (tx, wanted: NewPackage) =>
  tx
    .insertInto('packages')
    .values({ owner_id: wanted.ownerId, name: wanted.name, name_key: wanted.nameKey, created_at: wanted.now })
    .onConflict((conflict) => conflict.columns(['owner_id', 'name_key']).doNothing())
    .returning(['id', 'name']),
)

const selectPackage = prepared(['ownerId', 'nameKey'], (tx, wanted: Pick<NewPackage, 'ownerId' | 'nameKey'>) =>
  tx
    .selectFrom('packages')
    .select(['id', 'name'])
    .where('owner_id', '=', wanted.ownerId)
    .where('name_key', '=', wanted.nameKey),
)

export async function findPackage(
  tx: Tx,
  wanted: Pick<NewPackage, 'ownerId' | 'nameKey'>,
): Promise<PackageRow | undefined> {
  const [row] = await selectPackage(tx, wanted)
  return row
}

/**
 * Whether a package has no version but this one, and so may go with it. Then its row is locked, before the version, its
 * blobs and the counts: who publishes another version holds this row and wants those. Not where there are others, whose
 * publishers would each be waited for; they stay, since whoever removes versions holds the package's name alone.
 */
export async function isOnlyVersion(
  tx: Tx,
  { packageId, versionKey }: { packageId: number; versionKey: string },
): Promise<boolean> {
  const row = await tx
    .selectFrom('packages')
    .select('id')
    .where('id', '=', packageId)
    .where(() => firstVersion(tx, packageId).where('versions.version_key', '<>', versionKey), 'is', null)
    .$call(locked(tx, 'for update'))
    .executeTakeFirst()
  return row !== undefined
}

/** Said with an order: of `exists` PostgreSQL thinks that it soon finds one, and reads the versions of everybody. */
function firstVersion(tx: Tx, packageId: number) {
  return tx
    .selectFrom('versions')
    .select('versions.id')
    .where('versions.package_id', '=', packageId)
    .orderBy('versions.version_key')
    .limit(1)
}

/** Removes the package, unless a version was published while its row was waited for; whether it did. */
export async function deletePackageIfEmpty(tx: Tx, id: number): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom('packages')
    .where('id', '=', id)
    .where(() => firstVersion(tx, id), 'is', null)
    .executeTakeFirst()
  return numDeletedRows > 0n
}

/** The same with the last version of a package, which stays while its people say something of it, or of who may see it; whether it went. */
export async function deletePackageIfBare(tx: Tx, id: number): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom('packages')
    .where('id', '=', id)
    .where(() => firstVersion(tx, id), 'is', null)
    .where(({ not, exists, selectFrom }) =>
      not(exists(selectFrom('package_texts').select('package_id').where('package_id', '=', id))),
    )
    // What is published there again must not be everybody's.
    .where('visibility', '=', 'inherit')
    .where(({ not, exists, selectFrom }) =>
      not(exists(selectFrom('package_grants').select('package_id').where('package_id', '=', id))),
    )
    .executeTakeFirst()
  return numDeletedRows > 0n
}

/** A package as its owner has set who sees it; undefined where it is not there. */
export async function packageSetting(
  db: Db | Tx,
  wanted: Pick<NewPackage, 'ownerId' | 'nameKey'>,
): Promise<(PackageRow & { visibility: PackageVisibility }) | undefined> {
  return db
    .selectFrom('packages')
    .select(['id', 'name', 'visibility'])
    .where('owner_id', '=', wanted.ownerId)
    .where('name_key', '=', wanted.nameKey)
    .executeTakeFirst()
}

export async function setVisibility(tx: Tx, id: number, visibility: PackageVisibility): Promise<void> {
  await tx.updateTable('packages').set({ visibility }).where('id', '=', id).execute()
}

/** Nobody publishes a new version there meanwhile. */
export async function lockPackage(tx: Tx, id: number): Promise<void> {
  await tx.selectFrom('packages').select('id').where('id', '=', id).$call(locked(tx, 'for update')).execute()
}

/** Removes some of an owner's packages that have no version, whatever is said of them; which those were. */
export async function deleteEmptyPackages(
  tx: Tx,
  ownerId: number,
  limit: number,
): Promise<{ name: string; key: string }[]> {
  const isEmpty = sql<boolean>`(
    select id from versions where versions.package_id = packages.id order by version_key limit 1) is null`
  const found = await tx
    .selectFrom('packages')
    .select('packages.id')
    .where('packages.owner_id', '=', ownerId)
    .where(isEmpty)
    .orderBy('packages.name_key')
    .limit(limit)
    .$call(locked(tx, 'for update'))
    .execute()
  if (found.length === 0) return []
  // A second statement: it sees the versions that were added while the rows were waited for.
  return tx
    .deleteFrom('packages')
    .where(
      'packages.id',
      'in',
      found.map(({ id }) => id),
    )
    .where(isEmpty)
    .returning(['packages.name', 'packages.name_key as key'])
    .execute()
}

/** Whether an owner has a version of anything: a package without one stands in nobody's way. */
export async function hasVersions(tx: Tx, ownerId: number): Promise<boolean> {
  const row = await tx
    .selectFrom('listings')
    .select('version_id')
    .where('owner_id', '=', ownerId)
    .orderBy('created_at')
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/** How many of an owner's packages have no version. */
export async function countBarePackages(tx: Tx, ownerId: number): Promise<number> {
  const { rows } = await sql<{ total: number }>`select
      (select count(*) from packages where owner_id = ${ownerId})
      - coalesce((select packages from owner_counts where owner_id = ${ownerId}), 0) as total`.execute(tx)
  return Number(rows[0]?.total)
}

export async function hasPackages(tx: Tx, ownerId: number): Promise<boolean> {
  const row = await tx.selectFrom('packages').select('id').where('owner_id', '=', ownerId).limit(1).executeTakeFirst()
  return row !== undefined
}

/** Of an owner's packages, in their order, some behind `after`. */
export async function packageKeysOf(
  db: Db,
  { ownerId, after, limit }: { ownerId: number; after: string; limit: number },
): Promise<string[]> {
  const rows = await db
    .selectFrom('packages')
    .select('name_key')
    .where('owner_id', '=', ownerId)
    .where('name_key', '>', after)
    .orderBy('name_key')
    .limit(limit)
    .execute()
  return rows.map((row) => row.name_key)
}
