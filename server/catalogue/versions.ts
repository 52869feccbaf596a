import { locked } from './dialect.ts'
import { prepared } from './prepared.ts'
import type { Tx } from './schema.ts'
import { StartAgain } from './transaction.ts'

/** The version's id; made where it is not there yet, with its creator. Nobody else changes its files meanwhile. */
export async function ensureVersion(tx: Tx, wanted: NewVersion): Promise<number> {
  await insertVersion(tx, wanted)
  const id = await lockVersion(tx, wanted)
  if (id === undefined) throw new StartAgain('the version was removed right after it was found')
  return id
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

type VersionKey = Pick<NewVersion, 'packageId' | 'versionKey'>

/** The version's id. Its files are changed by this transaction alone: two deletes of its last two files see each other. */
export async function lockVersion(tx: Tx, wanted: VersionKey): Promise<number | undefined> {
  const [row] = await selectVersion(tx, wanted)
  return row?.id
}

const selectVersion = prepared(['packageId', 'versionKey'], (tx, wanted: VersionKey) =>
  tx
    .selectFrom('versions')
    .select('id')
    .where('package_id', '=', wanted.packageId)
    .where('version_key', '=', wanted.versionKey)
    .$call(locked(tx, 'for update')),
)

export async function deleteVersion(tx: Tx, id: number): Promise<void> {
  await tx.deleteFrom('versions').where('id', '=', id).execute()
}
