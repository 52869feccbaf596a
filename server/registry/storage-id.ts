import { randomUUID } from 'node:crypto'
import { isCopyOf } from '../catalogue/files-move.ts'
import { addSiteFact, siteFact } from '../catalogue/site.ts'
import { type Catalogue, transaction } from '../catalogue/transaction.ts'
import { Problem } from '../problems.ts'

const key = 'storage-id'

export const rememberStorage = transaction('remember storage', async (tx, args: { id: string }) => {
  await addSiteFact(tx, key, args.id)
  return (await siteFact(tx, key)) ?? args.id
})

/** Throws when the blob folder, asked again, is not the catalogue's: its disk may have been unmounted meanwhile. */
export async function checkStorage(
  catalogue: Catalogue,
  { called, read }: Pick<BlobPlace, 'called' | 'read'>,
): Promise<void> {
  const stored = await read()
  if (stored !== undefined && stored === (await siteFact(catalogue.read, key))) return
  throw new Problem(
    'storage-unavailable',
    `${called} is gone or another one: nothing is stored in it or removed from it.`,
  )
}

/** What a blob folder, or a bucket, says about itself. */
interface BlobPlace {
  /** At the beginning of a sentence. */
  called: string
  /** What somebody does who has taken the wrong one. */
  mend: string
  setting: string
  /** What to say where files are being moved there; undefined where none can be. */
  halfMoved?: string
  read(): Promise<string | undefined>
  /** Has it say so, unless it says something already; resolves with what it says. */
  claim(id: string): Promise<string>
  /** Whether anything was ever stored in it. */
  isUsed(): Promise<boolean>
}

/**
 * Refuses a blob folder that belongs to another catalogue: two nodes with one database and a disk each would serve one
 * half of the files each. Of nodes that start together for the first time, the first one decides. Resolves with what both say.
 */
export async function matchStorage(catalogue: Catalogue, place: BlobPlace): Promise<string> {
  // In this order: what the catalogue knows, a folder said before.
  const known = await siteFact(catalogue.read, key)
  const stored = await place.read()
  if (known !== undefined && stored === undefined) {
    throw new Problem(
      'storage-unavailable',
      `${place.called} is empty or not the one that this database belongs to. ${place.mend}, or restore both together.`,
    )
  }
  // A catalogue that knows nothing yet cannot have filled it, unless another node of it was quicker just now.
  if (known === undefined && (await place.isUsed()) && (await siteFact(catalogue.read, key)) === undefined) {
    throw new Problem(
      'storage-unavailable',
      `${place.called} is in use, but this database is new and knows nothing of it. If SQLite has the catalogue until now, move it with stowage migrate; if PostgreSQL has it, set STOWAGE_DATABASE_URL; else put the missing database back, or choose another ${place.setting}.`,
    )
  }
  // The folder first: after a crash in between the next start finds it there and goes on with it.
  const id = stored ?? (await place.claim(randomUUID()))
  if (id === (known ?? (await catalogue.transact(rememberStorage, { id })))) return id
  if (known !== undefined && place.halfMoved !== undefined && isCopyOf(known, id)) {
    throw new Problem('storage-unavailable', place.halfMoved)
  }
  throw new Problem(
    'storage-unavailable',
    `${place.called} belongs to another database. Give each installation its own ${place.setting}.`,
  )
}
