import { prepared } from './prepared.ts'
import type { Tx } from './schema.ts'

/** The version's id; made where it is not there yet, with its creator. */
export async function ensureVersion(tx: Tx, wanted: NewVersion): Promise<number> {
  await insertVersion(tx, wanted)
  const [row] = await selectVersion(tx, wanted)
  if (!row) throw new Error('a version is not there right after it was made')
  return row.id
}

interface NewVersion {
  packageId: number
  version: string
  versionKey: string
  creatorId: number
  now: number
}

const insertVersion = prepared(['packageId', 'version', 'versionKey', 'creatorId', 'now'], (tx, wanted: NewVersion) =>
  tx
    .insertInto('versions')
    .values({
      package_id: wanted.packageId,
      version: wanted.version,
      version_key: wanted.versionKey,
      creator_id: wanted.creatorId,
      created_at: wanted.now,
    })
    .onConflict((conflict) => conflict.columns(['package_id', 'version_key']).doNothing()),
)

const selectVersion = prepared(
  ['packageId', 'versionKey'],
  (tx, wanted: Pick<NewVersion, 'packageId' | 'versionKey'>) =>
    tx
      .selectFrom('versions')
      .select('id')
      .where('package_id', '=', wanted.packageId)
      .where('version_key', '=', wanted.versionKey),
)

export async function findVersion(
  tx: Tx,
  wanted: { ownerId: number; nameKey: string; versionKey: string },
): Promise<{ id: number; packageId: number } | undefined> {
  return tx
    .selectFrom('versions')
    .innerJoin('packages', 'packages.id', 'versions.package_id')
    .select(['versions.id', 'versions.package_id as packageId'])
    .where('packages.owner_id', '=', wanted.ownerId)
    .where('packages.name_key', '=', wanted.nameKey)
    .where('versions.version_key', '=', wanted.versionKey)
    .executeTakeFirst()
}

export async function deleteVersion(tx: Tx, id: number): Promise<void> {
  await tx.deleteFrom('versions').where('id', '=', id).execute()
}
