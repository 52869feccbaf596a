import { randomUUID } from 'node:crypto'
import { addSiteFact, siteFact } from '../catalogue/site.ts'
import { type Catalogue, transaction } from '../catalogue/transaction.ts'
import { Problem } from '../problems.ts'

const key = 'storage-id'

export const rememberStorage = transaction('remember storage', async (tx, args: { id: string }) => {
  await addSiteFact(tx, key, args.id)
  return (await siteFact(tx, key)) ?? args.id
})

/** Throws when the blob folder, asked again, is not the catalogue's: its disk may have been unmounted meanwhile. */
export async function checkStorage(catalogue: Catalogue, stored: string | undefined): Promise<void> {
  if (stored !== undefined && stored === (await siteFact(catalogue.read, key))) return
  throw new Problem(
    'storage-unavailable',
    'The blob folder is gone or another one: nothing is stored in it or removed from it.',
  )
}

/**
 * Refuses a blob folder that belongs to another catalogue: two nodes with one database and a disk each would serve one
 * half of the files each. `stored` is what the folder says of itself; `store` writes it there for the first time.
 */
export async function matchStorage(
  catalogue: Catalogue,
  stored: string | undefined,
  store: (id: string) => Promise<void>,
): Promise<void> {
  const known = await siteFact(catalogue.read, key)
  if (known !== undefined && stored !== known) {
    throw new Problem(
      'storage-unavailable',
      stored === undefined
        ? 'The blob folder is empty or not the one that this database belongs to. Mount the right one, or restore both together.'
        : 'The blob folder belongs to another database. Give each installation its own data directory.',
    )
  }
  const id = known ?? stored ?? randomUUID()
  // The folder first: after a crash in between the next start finds it there and goes on with it.
  if (stored === undefined) await store(id)
  if (known === undefined) await catalogue.transact(rememberStorage, { id })
}
