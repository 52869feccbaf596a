import { prepared } from './prepared.ts'
import type { Tx } from './schema.ts'

/** The package's id; made where it is not there yet, and then spelled as given. */
export async function ensurePackage(tx: Tx, wanted: NewPackage): Promise<number> {
  await insertPackage(tx, wanted)
  const [row] = await selectPackage(tx, wanted)
  if (!row) throw new Error('a package is not there right after it was made')
  return row.id
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
    .onConflict((conflict) => conflict.columns(['owner_id', 'name_key']).doNothing()),
)

const selectPackage = prepared(['ownerId', 'nameKey'], (tx, wanted: Pick<NewPackage, 'ownerId' | 'nameKey'>) =>
  tx.selectFrom('packages').select('id').where('owner_id', '=', wanted.ownerId).where('name_key', '=', wanted.nameKey),
)

/** Removes the package when it has no version left. */
export async function deletePackageIfEmpty(tx: Tx, id: number): Promise<void> {
  await tx
    .deleteFrom('packages')
    .where('id', '=', id)
    .where(({ not, exists, selectFrom }) =>
      not(exists(selectFrom('versions').select('versions.id').where('versions.package_id', '=', id))),
    )
    .execute()
}
