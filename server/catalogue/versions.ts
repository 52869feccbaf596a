import { sql } from 'kysely'
import { versionOrder } from '../lib/version-order.ts'
import { locked } from './dialect.ts'
import { prepared } from './prepared.ts'
import type { Db, Tx } from './schema.ts'
import { StartAgain } from './transaction.ts'

/** A version as it is told of. */
export interface VersionRow {
  id: number
  version: string
  creatorId: number | null
  createdAt: number
}

/** The version; made where it is not there yet, with its creator. Nobody else changes its files meanwhile. */
export async function ensureVersion(tx: Tx, wanted: NewVersion): Promise<VersionRow & { isNew: boolean }> {
  const [added] = await insertVersion(tx, { ...wanted, versionOrder: versionOrder(wanted.versionKey) })
  if (added) return { ...added, isNew: true }
  const found = await lockVersion(tx, wanted)
  if (found === undefined) throw new StartAgain('the version was removed right after it was found')
  return { ...found, isNew: false }
}

interface NewVersion {
  packageId: number
  version: string
  versionKey: string
  creatorId: number | null
  /** Whose token makes it, where no person does. */
  creatorOwnerId: number | null
  now: number
}

const insertVersion = prepared(
  ['packageId', 'version', 'versionKey', 'versionOrder', 'creatorId', 'creatorOwnerId', 'now'],
  (tx, wanted: NewVersion & { versionOrder: string }) =>
    tx
      .insertInto('versions')
      .values({
        package_id: wanted.packageId,
        version: wanted.version,
        version_key: wanted.versionKey,
        version_order: wanted.versionOrder,
        creator_id: wanted.creatorId,
        creator_owner_id: wanted.creatorOwnerId,
        created_at: wanted.now,
      })
      .onConflict((conflict) => conflict.columns(['package_id', 'version_key']).doNothing())
      .returning(versionColumns),
)

const versionColumns = [
  'id',
  'version',
  sql<number | null>`coalesce(creator_id, creator_owner_id)`.as('creatorId'),
  'created_at as createdAt',
] as const

type VersionKey = Pick<NewVersion, 'packageId' | 'versionKey'>

/** The version. Its files are changed by this transaction alone: two deletes of its last two files see each other. */
export async function lockVersion(tx: Tx, wanted: VersionKey): Promise<VersionRow | undefined> {
  const [row] = await selectVersion(tx, wanted)
  return row
}

const selectVersion = prepared(['packageId', 'versionKey'], (tx, wanted: VersionKey) =>
  tx
    .selectFrom('versions')
    .select(versionColumns)
    .where('package_id', '=', wanted.packageId)
    .where('version_key', '=', wanted.versionKey)
    .$call(locked(tx, 'for update')),
)

export async function deleteVersion(tx: Tx, id: number): Promise<void> {
  await tx.deleteFrom('versions').where('id', '=', id).execute()
}

/** The versions of a package that have its first files, and whether it has no others. */
export async function versionsOfFirstFiles(
  tx: Tx,
  packageId: number,
  files: number,
): Promise<{ ids: number[]; areAll: boolean }> {
  const own = () =>
    tx.selectFrom('versions').where('versions.package_id', '=', packageId).orderBy('versions.version_key')
  const rows = await own()
    .leftJoin('files', 'files.version_id', 'versions.id')
    .select(['versions.id', 'versions.version_key'])
    .limit(files)
    .execute()
  const last = rows.at(-1)
  const ids = [...new Set(rows.map(({ id }) => id))]
  if (!last) return { ids, areAll: true }
  const next = await own().select('id').where('version_key', '>', last.version_key).limit(1).executeTakeFirst()
  return { ids, areAll: next === undefined }
}

/** Their files are changed by this transaction alone. */
export async function lockVersions(tx: Tx, ids: readonly number[]): Promise<VersionRow[]> {
  if (ids.length === 0) return []
  return tx
    .selectFrom('versions')
    .select(versionColumns)
    .where('id', 'in', ids)
    .orderBy('version_key')
    .$call(locked(tx, 'for update'))
    .execute()
}

/** Removes those of the versions that have no file; their ids. */
export async function deleteEmptyVersions(tx: Tx, ids: readonly number[]): Promise<Set<number>> {
  if (ids.length === 0) return new Set()
  const gone = await tx
    .deleteFrom('versions')
    .where('id', 'in', ids)
    .where(({ not, exists, selectFrom }) =>
      not(exists(selectFrom('files').select('files.id').whereRef('files.version_id', '=', 'versions.id'))),
    )
    .returning('id')
    .execute()
  return new Set(gone.map(({ id }) => id))
}

/** A version among those that are chosen to be removed. */
export interface ChosenVersion {
  id: number
  version: string
  versionKey: string
}

const chosenColumns = ['id', 'version', 'version_key as versionKey'] as const

/** Of a package's versions, in the order of their keys, some behind `after`. */
export async function versionsBehind(
  db: Db,
  { packageId, after, limit }: { packageId: number; after: string; limit: number },
): Promise<ChosenVersion[]> {
  return db
    .selectFrom('versions')
    .select(chosenColumns)
    .where('package_id', '=', packageId)
    .where('version_key', '>', after)
    .orderBy('version_key')
    .limit(limit)
    .execute()
}

/** Those of a package's versions that have one of these keys. */
export async function versionsWithKeys(db: Db, packageId: number, keys: readonly string[]): Promise<ChosenVersion[]> {
  if (keys.length === 0) return []
  return db
    .selectFrom('versions')
    .select(chosenColumns)
    .where('package_id', '=', packageId)
    .where('version_key', 'in', keys)
    .orderBy('version_key')
    .execute()
}

/** How many files these versions have, and how many bytes. */
export async function contentsOf(
  db: Db,
  ids: readonly number[],
): Promise<Map<number, { files: number; size: number }>> {
  if (ids.length === 0) return new Map()
  const rows = await db
    .selectFrom('listings')
    .select(['version_id', 'size'])
    .select(({ selectFrom }) =>
      selectFrom('files')
        .whereRef('files.version_id', '=', 'listings.version_id')
        .select(({ fn }) => fn.countAll<number>().as('total'))
        .as('files'),
    )
    .where('version_id', 'in', ids)
    .execute()
  return new Map(rows.map(({ version_id, size, files }) => [version_id, { size, files: Number(files) }]))
}

/** Which of these are versions of the package. */
export async function versionsAmong(tx: Tx, packageId: number, ids: readonly number[]): Promise<number[]> {
  const rows = await tx
    .selectFrom('versions')
    .select('id')
    .where('id', 'in', ids)
    .where('package_id', '=', packageId)
    .execute()
  return rows.map(({ id }) => id)
}

/** Whether a package has a version beside these. */
export async function hasOtherVersions(tx: Tx, packageId: number, ids: readonly number[]): Promise<boolean> {
  const row = await tx
    .selectFrom('versions')
    .select('id')
    .where('package_id', '=', packageId)
    .where('id', 'not in', ids)
    .orderBy('version_key')
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/** Takes a user off some of the versions that he made; how many that were. */
export async function forgetCreator(tx: Tx, userId: number, limit: number): Promise<number> {
  const { numUpdatedRows } = await tx
    .updateTable('versions')
    .set({ creator_id: null })
    .where('id', 'in', (of) => of.selectFrom('versions').select('id').where('creator_id', '=', userId).limit(limit))
    .executeTakeFirst()
  return Number(numUpdatedRows)
}
