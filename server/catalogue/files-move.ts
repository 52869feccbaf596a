import { randomBytes } from 'node:crypto'
import { lockLeases } from './copy.ts'
import { isPostgres } from './dialect.ts'
import { releaseClaims } from './jobs.ts'
import { addDeadLeases, killExpiredLeases, killPredecessors } from './leases.ts'
import { completeFilesMove, moveFacts, rememberFilesMove } from './move.ts'
import type { Tx } from './schema.ts'
import { transaction } from './transaction.ts'

/**
 * The `storage-id` that a place is to have to which files move from the one that says `id`: it begins with that, so its own
 * installation knows it at once; and is another one for each place, so that one in which a copy was given up is never taken for
 * the one that has all files.
 */
export function idOfCopy(id: string): string {
  return `${id}.${randomBytes(4).toString('hex')}`
}

export function isCopyOf(id: string, said: string): boolean {
  return said.startsWith(`${id}.`)
}

export interface NewPlace {
  /** The `storage-id` of the place that the files move to. */
  storageId: string
  now: number
}

/** Servers that use the database. Where there is none, nothing is published until one says that it does (`takeIntoUse`). */
export const beginLastCopy = transaction('begin last copy of files', async (tx, { storageId, now }: NewPlace) => {
  const servers = await livingServers(tx, now)
  if (servers === 0) await rememberFilesMove(tx, storageId)
  return servers
})

interface Switch extends NewPlace {
  /** Under which something lies in the bucket. */
  leases: string[]
}

/**
 * From now on the files are where `storageId` says, and no longer where they were. False where the database has been used since the
 * last copy was begun. What the bucket holds and no row names (by then deleted, or broken off) is the next sweep's, by the leases.
 */
export const switchFiles = transaction('switch files', async (tx, { storageId, now, leases }: Switch) => {
  if ((await livingServers(tx, now)) > 0) return false
  if ((await moveFacts(tx)).filesMovingTo !== storageId) return false
  await addDeadLeases(tx, leases, now)
  await completeFilesMove(tx, storageId, now)
  return true
})

/** SQLite's servers are none: whoever asks holds the lock of the data directory. */
async function livingServers(tx: Tx, now: number): Promise<number> {
  if (isPostgres(tx)) await lockLeases(tx)
  const dead = isPostgres(tx)
    ? await killExpiredLeases(tx, '', now)
    : await killPredecessors(tx, { own: '', of: 'all', now })
  await releaseClaims(tx, dead)
  const living = tx.selectFrom('leases').select('id').where('kind', '=', 'process').where('dead_since', 'is', null)
  return (await living.execute()).length
}
