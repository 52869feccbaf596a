import type { Location } from '../blobs/blob-store.ts'
import { unnamedLocations } from '../catalogue/blobs.ts'
import { type Doomed, doom, doomedBefore, forgetDoomed } from '../catalogue/doomed.ts'
import { deadLeases, deleteLease, seemsAlive } from '../catalogue/leases.ts'
import { alone, lockByName } from '../catalogue/named-locks.ts'
import { transaction } from '../catalogue/transaction.ts'
import type { RegistryParts } from './parts.ts'

const batch = 500

export const doomUnnamed = transaction('doom unnamed', async (tx, args: { locations: string[]; now: number }) => {
  for (const location of args.locations) await lockByName(tx, [alone(`upload ${location}`)])
  await doom(tx, await unnamedLocations(tx, args.locations), args.now)
})

export const strikeDoomed = transaction('strike doomed', async (tx, args: { locations: string[] }) =>
  forgetDoomed(tx, args.locations),
)

export const dropLease = transaction('drop lease', async (tx, args: { id: string }) => deleteLease(tx, args.id))

export interface Swept {
  /** Blobs whose grace was over. */
  doomed: number
  /** Bytes that a process left when it ended in the middle of an upload. */
  leftovers: number
}

/** Kind of the job that removes what nothing refers to: once for the whole installation, however many processes it has. */
export const sweepJob = 'sweep'

/** What only this process can clear away: bytes that it could not drop, and uploads of its own whose end it does not know. */
export async function tidyOwn(parts: RegistryParts): Promise<void> {
  await parts.checkStorage()
  const failures: unknown[] = []
  const failed = (error: unknown) => {
    failures.push(error)
  }
  await parts.blobs.tidy().catch(failed)
  await settle(parts).catch(failed)
  if (failures.length > 0) throw failures[0]
}

/**
 * Removes the bytes that nothing refers to. Can run at any time beside uploads, and be broken off and repeated. What
 * cannot be removed does not keep the rest from going; the first failure is thrown at the end.
 */
export async function sweep(parts: RegistryParts, signal?: AbortSignal): Promise<Swept> {
  await parts.checkStorage()
  const swept: Swept = { doomed: 0, leftovers: 0 }
  const failures: unknown[] = []
  const failed = (error: unknown) => {
    failures.push(error)
  }
  await sweepDeadLeases(parts, swept, failed, signal).catch(failed)
  await removeDoomed(parts, swept, failed, signal).catch(failed)
  if (failures.length > 0) throw failures[0]
  return swept
}

type Failed = (error: unknown) => void

/**
 * Uploads whose commit was not answered. The database may still be busy with one whose connection was lost: this
 * transaction waits for it, so what no row names by then never will be named.
 */
async function settle(parts: RegistryParts): Promise<void> {
  const locations = [...parts.unsettled]
  if (locations.length === 0) return
  await parts.catalogue.transact(doomUnnamed, { locations, now: parts.now() })
  for (const location of locations) parts.unsettled.delete(location)
}

async function removeDoomed(
  parts: RegistryParts,
  swept: Swept,
  failed: Failed,
  signal: AbortSignal | undefined,
): Promise<void> {
  const before = parts.now() - parts.blobGrace
  let after: Doomed | undefined
  while (!signal?.aborted) {
    const due = await doomedBefore(parts.catalogue.read, before, batch, after)
    if (due.length === 0) break
    after = due.at(-1)
    // Bytes first, rows after: after a crash in between, removing what is not there is no harm.
    const { gone, failure } = await parts.blobs.remove(due.map(({ location }) => location as Location))
    if (failure) failed(failure)
    await parts.catalogue.transact(strikeDoomed, { locations: gone })
    await forgetEmptyLeases(parts, gone)
    swept.doomed += gone.length
  }
}

async function sweepDeadLeases(
  parts: RegistryParts,
  swept: Swept,
  failed: Failed,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const lease of await deadLeases(parts.catalogue.read)) {
    // The lease is dead, so nothing can come to be named any more while this looks.
    const outcome = await removeUnnamed(parts, lease, signal)
    swept.leftovers += outcome.removed
    if (outcome.failure) failed(outcome.failure)
    if (!outcome.complete) continue
    await parts.blobs.forget(lease)
    await parts.catalogue.transact(dropLease, { id: lease })
  }
}

/** Removes what lies under a dead lease and no row names; `complete` when nothing of it is left. */
async function removeUnnamed(parts: RegistryParts, lease: string, signal: AbortSignal | undefined) {
  const outcome: { removed: number; complete: boolean; failure?: unknown } = { removed: 0, complete: true }
  let pending: Location[] = []
  const removePending = async () => {
    const unnamed = (await unnamedLocations(parts.catalogue.read, pending)) as Location[]
    pending = []
    if (unnamed.length === 0) return
    const { gone, failure } = await parts.blobs.remove(unnamed)
    outcome.removed += gone.length
    if (failure) Object.assign(outcome, { failure, complete: false })
  }
  for await (const location of parts.blobs.locations(lease)) {
    if (signal?.aborted) return { ...outcome, complete: false }
    pending.push(location)
    if (pending.length >= batch) await removePending()
  }
  await removePending()
  return outcome
}

/** A location begins with the lease under which it was staged. */
function leasesOf(locations: readonly string[]): string[] {
  return [...new Set(locations.map((location) => location.slice(0, location.indexOf('/'))))]
}

/** The folders of processes that ended long ago go with the last of their blobs; those of a living one, here or elsewhere, stay. */
async function forgetEmptyLeases(parts: RegistryParts, locations: readonly string[]): Promise<void> {
  for (const lease of leasesOf(locations)) {
    if (lease === parts.lease.id || (await seemsAlive(parts.catalogue.read, lease))) continue
    await parts.blobs.forget(lease)
  }
}
