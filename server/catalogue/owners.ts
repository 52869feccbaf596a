import { prepared } from './prepared.ts'
import type { OwnerKind, Tx, Visibility } from './schema.ts'

export interface OwnerRow {
  id: number
  kind: OwnerKind
  name: string
  visibility: Visibility
}

export async function ownerById(tx: Tx, id: number): Promise<OwnerRow | undefined> {
  const [row] = await selectOwnerById(tx, { id })
  return row
}

const selectOwnerById = prepared(['id'], (tx, { id }: { id: number }) =>
  tx.selectFrom('owners').select(['id', 'kind', 'name', 'visibility']).where('id', '=', id),
)

/** The new owner's id, or undefined when the name is taken. */
export async function insertOwner(
  tx: Tx,
  owner: { kind: OwnerKind; name: string; nameKey: string; visibility: Visibility; now: number },
): Promise<number | undefined> {
  const row = await tx
    .insertInto('owners')
    .values({
      kind: owner.kind,
      name: owner.name,
      name_key: owner.nameKey,
      visibility: owner.visibility,
      created_at: owner.now,
    })
    .onConflict((conflict) => conflict.column('name_key').doNothing())
    .returning('id')
    .executeTakeFirst()
  return row?.id
}
