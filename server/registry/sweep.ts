import type { Location } from '../blobs/blob-store.ts'
import { unnamedLocations } from '../catalogue/blobs.ts'
import { doom, doomedBefore, forgetDoomed } from '../catalogue/doomed.ts'
import { deadLeases, deleteLease } from '../catalogue/leases.ts'
import { transaction } from '../catalogue/transaction.ts'
import type { RegistryParts } from './parts.ts'

const batch = 500

export const doomUnnamed = transaction('doom unnamed', async (tx, args: { locations: string[]; now: number }) => {
  for (const location of await unnamedLocations(tx, args.locations)) await doom(tx, location, args.now)
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

/** Removes the bytes that nothing refers to. Can run at any time beside uploads, and be broken off and repeated. */
export async function sweep(parts: RegistryParts, signal?: AbortSignal): Promise<Swept> {
  await parts.checkStorage()
  await parts.blobs.tidy()
  await settle(parts)
  const leftovers = await sweepDeadLeases(parts, signal)
  const doomed = await removeDoomed(parts, signal)
  return { doomed, leftovers }
}

/**
 * Uploads whose commit was not answered: this transaction comes after it, so what no row names by now never will be
 * named.
 */
async function settle(parts: RegistryParts): Promise<void> {
  const locations = [...parts.unsettled]
  if (locations.length === 0) return
  await parts.catalogue.transact(doomUnnamed, { locations, now: parts.now() })
  for (const location of locations) parts.unsettled.delete(location)
}

async function removeDoomed(parts: RegistryParts, signal: AbortSignal | undefined): Promise<number> {
  let removed = 0
  while (!signal?.aborted) {
    const locations = await doomedBefore(parts.catalogue.read, parts.now() - parts.blobGrace, batch)
    if (locations.length === 0) break
    // Bytes first, rows after: after a crash in between, removing what is not there is no harm.
    await parts.blobs.remove(locations as Location[])
    await parts.catalogue.transact(strikeDoomed, { locations })
    await forgetEmptyLeases(parts, locations)
    removed += locations.length
  }
  return removed
}

async function sweepDeadLeases(parts: RegistryParts, signal: AbortSignal | undefined): Promise<number> {
  let removed = 0
  for (const lease of await deadLeases(parts.catalogue.read)) {
    // The lease is dead, so nothing can come to be named any more while this looks.
    let pending: Location[] = []
    const removeUnnamed = async () => {
      const unnamed = (await unnamedLocations(parts.catalogue.read, pending)) as Location[]
      pending = []
      if (unnamed.length > 0) await parts.blobs.remove(unnamed)
      removed += unnamed.length
    }
    for await (const location of parts.blobs.locations(lease)) {
      if (signal?.aborted) return removed
      pending.push(location)
      if (pending.length >= batch) await removeUnnamed()
    }
    await removeUnnamed()
    await parts.blobs.forget(lease)
    await parts.catalogue.transact(dropLease, { id: lease })
  }
  return removed
}

/** The folders of processes that ended long ago go with the last of their blobs. */
async function forgetEmptyLeases(parts: RegistryParts, locations: readonly string[]): Promise<void> {
  const leases = new Set(locations.map((location) => location.slice(0, location.indexOf('/'))))
  leases.delete(parts.lease.id)
  for (const lease of leases) await parts.blobs.forget(lease)
}
