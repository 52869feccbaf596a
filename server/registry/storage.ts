import { audit } from '../access/audit.ts'
import { type AdminGrant, administer, callerNow, type Standing, standingOf } from '../access/grant.ts'
import type { Location, Space } from '../blobs/blob-store.ts'
import { addUpBlobs, unnamedLocations } from '../catalogue/blobs.ts'
import { addUpDoomed, holdReason } from '../catalogue/doomed.ts'
import { countedFiles } from '../catalogue/files.ts'
import { bringForward, recurringDueAt } from '../catalogue/jobs.ts'
import { deadLeases } from '../catalogue/leases.ts'
import { transaction } from '../catalogue/transaction.ts'
import { type LastSweeps, lastSweeps } from './last-sweep.ts'
import type { RegistryParts } from './parts.ts'
import { type Freed, sweepJob } from './sweep.ts'

export interface StorageView {
  /** What files have, each blob once. */
  referenced: Freed
  /** What nothing refers to any more, and a sweep removes when its grace is over. */
  doomed: Freed
  /** What uploads left that did not end: those of processes that are gone, and those whose outcome is not known. */
  leftover: Freed
  /** False where there was more than anybody wants to wait for, or the store did not answer: then there is more than is told. */
  isComplete: boolean
  /** As people count: each file by itself, whatever it shares with others. */
  files: { count: number; bytes: number }
  /** Milliseconds. */
  grace: number
  /** Why nothing that was published is removed now. */
  hold: string | undefined
  sweeps: LastSweeps | undefined
  nextSweepAt: number | undefined
  disk: Space | undefined
  /** Why the store could not be asked. */
  error: string | null
}

/** Rows that one statement adds up: SQLite reads them on the main thread, for which downloads wait. */
const batch = 2_000
/** Locations that are asked for in the store. */
const mostLookedAt = 10_000

/** What lies in the store and why. Adds up every blob, a batch at a time. */
export async function viewStorage(parts: RegistryParts, _: AdminGrant): Promise<StorageView> {
  const { read } = parts.catalogue
  const store = new Look(parts)
  await store.ask(() => parts.checkStorage())
  const doomed = await sumDoomed(parts, store)
  const referenced = await sumBlobs(parts)
  const leftover = await sumLeftovers(parts, store)
  const disk = await store.ask(() => parts.blobs.space())
  return {
    referenced,
    doomed,
    leftover,
    isComplete: store.isComplete,
    files: await countedFiles(read),
    grace: parts.blobGrace,
    hold: await holdReason(read),
    sweeps: await lastSweeps(read),
    nextSweepAt: await recurringDueAt(read, sweepJob),
    disk,
    error: store.error,
  }
}

/** Asks the store, as long as it answers and has not been asked too much. */
class Look {
  readonly #parts: RegistryParts
  #left = mostLookedAt
  isComplete = true
  error: string | null = null

  constructor(parts: RegistryParts) {
    this.#parts = parts
  }

  get mayGoOn(): boolean {
    return this.isComplete
  }

  async ask<Result>(question: () => Promise<Result>): Promise<Result | undefined> {
    if (this.error !== null) return undefined
    try {
      return await question()
    } catch (error) {
      this.isComplete = false
      this.error = error instanceof Error ? error.message : String(error)
      return undefined
    }
  }

  /** One of the locations that may be looked at. */
  count(): boolean {
    this.#left -= 1
    if (this.#left < 0) this.isComplete = false
    return this.#left >= 0
  }

  async add(to: Freed, location: string): Promise<void> {
    const size = await this.ask(() => this.#parts.blobs.size(location as Location))
    if (size === undefined) return
    to.blobs += 1
    to.bytes += size
  }
}

async function sumBlobs({ catalogue }: RegistryParts): Promise<Freed> {
  const sum = { blobs: 0, bytes: 0 }
  for (let after: number | null = 0; after !== null; ) {
    const { blobs, bytes, last } = await addUpBlobs(catalogue.read, after, batch)
    sum.blobs += blobs
    sum.bytes += bytes
    after = last
    await othersFirst()
  }
  return sum
}

/** Those doomed by a release that did not know sizes are looked at in the store. */
async function sumDoomed({ catalogue }: RegistryParts, store: Look | undefined): Promise<Freed> {
  const sum = { blobs: 0, bytes: 0 }
  for (let after: string | null = ''; after !== null; ) {
    const { blobs, bytes, unknown, last } = await addUpDoomed(catalogue.read, after, batch)
    sum.blobs += blobs
    sum.bytes += bytes
    for (const location of unknown) {
      if (!store?.mayGoOn || !store.count()) break
      const seen = { blobs: 0, bytes: 0 }
      await store.add(seen, location)
      sum.bytes += seen.bytes
    }
    after = last
    await othersFirst()
  }
  return sum
}

/** What is doomed, as far as the catalogue knows how large it is. */
export function doomedBytes(parts: RegistryParts): Promise<Freed> {
  return sumDoomed(parts, undefined)
}

async function sumLeftovers(parts: RegistryParts, store: Look): Promise<Freed> {
  const sum = { blobs: 0, bytes: 0 }
  let pending: Location[] = []
  const addPending = async () => {
    for (const location of await unnamedLocations(parts.catalogue.read, pending)) await store.add(sum, location)
    pending = []
  }
  for (const location of parts.unsettled) pending.push(location)
  for (const lease of await deadLeases(parts.catalogue.read)) {
    if (!store.mayGoOn) break
    await store.ask(async () => {
      for await (const location of parts.blobs.locations(lease)) {
        if (!store.count()) break
        pending.push(location)
        if (pending.length >= 500) await addPending()
      }
    })
  }
  await addPending()
  return sum
}

/** Lets the requests go on that came meanwhile. */
export function othersFirst(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

export const askForSweep = transaction('ask for sweep', async (tx, args: { standing: Standing; now: number }) => {
  const { caller } = administer(await callerNow(tx, args.standing, args.now), 'write')
  await bringForward(tx, sweepJob, args.now)
  await audit(tx, caller, args.now, { action: 'storage.swept' })
})

/** Has a sweep done as soon as possible, by whichever process. What has its grace before it stays, as does what is held. */
export async function sweepSoon(parts: RegistryParts, { caller }: AdminGrant): Promise<void> {
  await parts.catalogue.transact(askForSweep, { standing: standingOf(caller), now: parts.now() })
  parts.wake(sweepJob)
}
