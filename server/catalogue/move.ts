import { Problem } from '../problems.ts'
import type { Db, Tx } from './schema.ts'
import { setSiteFact, siteFact } from './site.ts'
import { transaction } from './transaction.ts'

/*
 * An installation moves from one database to another by these facts. At no moment do they, together with the blob folder's
 * own `storage-id`, let a server start on both.
 */
const keys = {
  storageId: 'storage-id',
  /** On the copy while it is not complete: the `storage-id` of the database that it is made from. */
  movingFrom: 'moving-from',
  /** On what is copied: the `storage-id` of the copy, for as long as nobody has used the original since it was begun. */
  movingTo: 'moving-to',
  /** On what was copied: since when, in ISO 8601, the copy has its place. */
  movedAt: 'moved-at',
  /** On the copy: since when, in ISO 8601, it has given its place back to the original. */
  givenBackAt: 'given-back-at',
  /** While the files go to another place and nobody has used this database since the last look: that place's `storage-id`. */
  filesMovingTo: 'files-moving-to',
} as const

export type MoveFacts = Partial<Record<keyof typeof keys, string>>

/** Facts that a copy does not share with its original. */
export const ownFacts: readonly string[] = Object.values(keys)

export async function moveFacts(db: Db | Tx): Promise<MoveFacts> {
  const rows = await db.selectFrom('site').selectAll().where('key', 'in', ownFacts).execute()
  const values = new Map(rows.map(({ key, value }) => [key, value]))
  return Object.fromEntries(Object.entries(keys).map(([name, key]) => [name, values.get(key)]))
}

/** Throws where another database has this one's place, or where this one is a copy that is not complete. */
export async function mustBeInUse(db: Db | Tx): Promise<void> {
  mustSayInUse(await moveFacts(db))
}

function mustSayInUse({ movingFrom, movedAt, givenBackAt }: MoveFacts): void {
  if (movingFrom !== undefined) {
    throw new Problem(
      'storage-unavailable',
      'This database is a copy that is not complete yet. Run stowage migrate again: it goes on where it stopped.',
    )
  }
  if (givenBackAt !== undefined) {
    throw new Problem(
      'storage-unavailable',
      `This installation went back from this database to SQLite at ${givenBackAt}. Start the server without STOWAGE_DATABASE_URL.`,
    )
  }
  if (movedAt !== undefined) {
    throw new Problem(
      'storage-unavailable',
      `This installation was moved to PostgreSQL at ${movedAt}. Set STOWAGE_DATABASE_URL to that database; or, to go back to SQLite without what was changed since, run stowage migrate --undo.`,
    )
  }
}

/**
 * Says that this database is used from now on: what was copied of it, or of its files, before is out of date. Throws where the files
 * are no longer at the place that says `filesAt`.
 */
export async function takeIntoUse(tx: Tx, filesAt?: string): Promise<void> {
  const facts = await moveFacts(tx)
  mustSayInUse(facts)
  if (filesAt !== undefined && filesAt !== facts.storageId) await mustHaveFilesOnDisk(tx)
  await tx.deleteFrom('site').where('key', 'in', [keys.movingTo, keys.filesMovingTo]).execute()
}

/** For a command that may change something. */
export const useByCommand = transaction('use by command', async (tx) => takeIntoUse(tx))

/** Ties the original to its copy. */
export const rememberCopy = transaction('remember copy', async (tx, { storageId }: { storageId: string }) =>
  setSiteFact(tx, keys.movingTo, storageId),
)

/** False where the original has been used since its copy was begun; else nobody can use it any more. */
export const markMoved = transaction('mark as moved', async (tx, args: { storageId: string; now: number }) => {
  const facts = await moveFacts(tx)
  if (facts.movingTo !== args.storageId) return false
  if (facts.movedAt === undefined) await setSiteFact(tx, keys.movedAt, new Date(args.now).toISOString())
  return true
})

/** The original is what it was before anything was copied. */
export const forgetMove = transaction('forget move', async (tx) => {
  await tx.deleteFrom('site').where('key', 'in', [keys.movedAt, keys.movingTo]).execute()
})

/** The facts that mark a copy as one that is not complete. */
export function copyFacts(from: string, storageId: string): { key: string; value: string }[] {
  return [
    { key: keys.movingFrom, value: from },
    { key: keys.storageId, value: storageId },
  ]
}

export async function markGivenBack(tx: Tx, now: number): Promise<void> {
  await setSiteFact(tx, keys.givenBackAt, new Date(now).toISOString())
}

export async function markComplete(tx: Tx): Promise<void> {
  await tx.deleteFrom('site').where('key', '=', keys.movingFrom).execute()
}

/** On both, once the files have gone to another place: since when, in ISO 8601. */
const filesMoved = 'files-moved-at'

export async function filesMovedAt(db: Db | Tx): Promise<string | undefined> {
  return siteFact(db, filesMoved)
}

/** Throws where the files have gone to a bucket: what is left on the disk is out of date. */
export async function mustHaveFilesOnDisk(db: Db | Tx): Promise<void> {
  const at = await filesMovedAt(db)
  if (at === undefined) return
  throw new Problem(
    'storage-unavailable',
    `The files of this installation were moved to an S3 bucket at ${at}. Set STOWAGE_S3_BUCKET, and what else belongs to that bucket.`,
  )
}

export async function rememberFilesMove(tx: Tx, storageId: string): Promise<void> {
  await setSiteFact(tx, keys.filesMovingTo, storageId)
}

/** The files are where that id is: a place with the former one is refused, by whichever release. */
export async function completeFilesMove(tx: Tx, storageId: string, now: number): Promise<void> {
  await tx.deleteFrom('site').where('key', '=', keys.filesMovingTo).execute()
  await setSiteFact(tx, keys.storageId, storageId)
  await setSiteFact(tx, filesMoved, new Date(now).toISOString())
}
