import type { Location } from '../blobs/blob-store.ts'
import { unnamedLocations } from '../catalogue/blobs.ts'
import { type Doomed, doom, doomedBefore, forgetDoomed, type StoredBytes } from '../catalogue/doomed.ts'
import { deadLeases, deleteLease, seemsAlive } from '../catalogue/leases.ts'
import { alone, lockByName } from '../catalogue/named-locks.ts'
import { transaction } from '../catalogue/transaction.ts'
import { rememberSweep } from './last-sweep.ts'
import type { RegistryParts } from './parts.ts'
import { giveBackLeft } from './reservations.ts'

const batch = 500

export const doomUnnamed = transaction('doom unnamed', async (tx, args: { bytes: StoredBytes[]; now: number }) => {
  const locations = args.bytes.map(({ location }) => location)
  for (const location of locations) await lockByName(tx, [alone(`upload ${location}`)])
  const unnamed = new Set(await unnamedLocations(tx, locations))
  await doom(
    tx,
    args.bytes.filter(({ location }) => unnamed.has(location)),
    args.now,
  )
})

export const strikeDoomed = transaction('strike doomed', async (tx, args: { locations: string[] }) =>
  forgetDoomed(tx, args.locations),
)

export const dropLease = transaction('drop lease', async (tx, args: { id: string }) => deleteLease(tx, args.id))

export interface Freed {
  blobs: number
  bytes: number
}

export interface Swept {
  /** What was published, and whose grace was over. */
  doomed: Freed
  /** What a process left when it ended in the middle of an upload. */
  leftover: Freed
}

/** Kind of the job that removes what nothing refers to: once for the whole installation, however many processes it has. */
export const sweepJob = 'sweep'

/** What only this process can clear away: what uploads of its own reserved, bytes that it could not drop, and uploads whose end it does not know. */
export async function tidyOwn(parts: RegistryParts): Promise<void> {
  await giveBackLeft(parts)
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
 * Removes the bytes that nothing refers to, and writes down what that came to. Can run at any time beside uploads, and be broken
 * off and repeated. What cannot be removed does not keep the rest from going; the first failure is thrown at the end. `asks`
 * counts how often somebody asked for a sweep, as far as this one knows.
 */
export async function sweep(parts: RegistryParts, signal?: AbortSignal, asks = 0): Promise<Swept> {
  const begun = performance.now()
  const swept: Swept = { doomed: { blobs: 0, bytes: 0 }, leftover: { blobs: 0, bytes: 0 } }
  const failures: unknown[] = []
  const failed = (error: unknown) => {
    failures.push(error)
  }
  await removeUnreferenced(parts, swept, failed, signal).catch(failed)
  parts.observer.swept(swept)
  const took = Math.round(performance.now() - begun)
  const isBrokenOff = signal?.aborted === true
  await rememberSweep(parts, { swept, took, asks, isBrokenOff, failure: failures[0] }).catch(failed)
  if (failures.length > 0) throw failures[0]
  return swept
}

async function removeUnreferenced(
  parts: RegistryParts,
  swept: Swept,
  failed: Failed,
  signal: AbortSignal | undefined,
): Promise<void> {
  await parts.checkStorage()
  await sweepDeadLeases(parts, swept, failed, signal).catch(failed)
  await removeDoomed(parts, swept, failed, signal)
}

type Failed = (error: unknown) => void

/**
 * Uploads whose commit was not answered. The database may still be busy with one whose connection was lost: this
 * transaction waits for it, so what no row names by then never will be named.
 */
async function settle(parts: RegistryParts): Promise<void> {
  const locations = [...parts.unsettled]
  if (locations.length === 0) return
  const bytes: StoredBytes[] = []
  for (const location of locations) bytes.push({ location, size: await sizeIfKnown(parts, location) })
  await parts.catalogue.transact(doomUnnamed, { bytes, now: parts.now() })
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
    const sizes = new Map<string, number>()
    for (const { location, size } of due) {
      sizes.set(location, size ?? (await sizeIfKnown(parts, location as Location)) ?? 0)
    }
    // Bytes first, rows after: after a crash in between, removing what is not there is no harm.
    const { gone, failure } = await parts.blobs.remove(due.map(({ location }) => location as Location))
    if (failure) failed(failure)
    await parts.catalogue.transact(strikeDoomed, { locations: gone })
    await forgetEmptyLeases(parts, gone).catch(failed)
    add(swept.doomed, gone, sizes)
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
    const outcome = await removeUnnamed(parts, lease, swept.leftover, signal)
    if (outcome.failure) failed(outcome.failure)
    if (!outcome.complete) continue
    try {
      await parts.blobs.forget(lease)
    } catch (error) {
      failed(error)
      continue
    }
    await parts.catalogue.transact(dropLease, { id: lease })
  }
}

/** Removes what lies under a dead lease and no row names; `complete` when nothing of it is left. */
async function removeUnnamed(parts: RegistryParts, lease: string, freed: Freed, signal: AbortSignal | undefined) {
  const outcome: { complete: boolean; failure?: unknown } = { complete: true }
  let pending: Location[] = []
  const removePending = async () => {
    const unnamed = (await unnamedLocations(parts.catalogue.read, pending)) as Location[]
    pending = []
    if (unnamed.length === 0) return
    const sizes = new Map<string, number>()
    for (const location of unnamed) sizes.set(location, (await sizeIfKnown(parts, location)) ?? 0)
    const { gone, failure } = await parts.blobs.remove(unnamed)
    add(freed, gone, sizes)
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

/** Asked for the sake of a number: what keeps it from being known must not keep anything from going. */
export async function sizeIfKnown(parts: RegistryParts, location: Location): Promise<number | null> {
  return (await parts.blobs.size(location).catch(() => undefined)) ?? null
}

function add(freed: Freed, gone: readonly string[], sizes: ReadonlyMap<string, number>): void {
  freed.blobs += gone.length
  for (const location of gone) freed.bytes += sizes.get(location) ?? 0
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
