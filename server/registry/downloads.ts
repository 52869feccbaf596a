import type { PackageGrant } from '../access/grant.ts'
import {
  addDownloads,
  downloadsByDay,
  downloadsOfFiles,
  downloadsOfPackage,
  downloadsOfVersion,
  type FileDownloads,
} from '../catalogue/downloads.ts'
import type { AddressedFile } from '../catalogue/files.ts'
import { type Catalogue, transaction } from '../catalogue/transaction.ts'
import { possibleVersion } from '../names.ts'
import { Problem } from '../problems.ts'
import { packageNow } from './lists.ts'
import type { RegistryParts } from './parts.ts'

export const rememberDownloads = transaction(
  'remember downloads',
  async (tx, { counts }: { counts: readonly FileDownloads[] }) => addDownloads(tx, counts),
)

/** The background task that writes counts down. */
export const downloadsTask = 'downloads'

const millisecondsOfDay = 86_400_000

/** Days since 1970, in UTC. */
function dayOf(milliseconds: number): number {
  return Math.floor(milliseconds / millisecondsOfDay)
}

/** Days that can be asked for at once. */
export const mostDays = 366

/** Files of one transaction: who publishes to one of their versions waits for it. */
const batchSize = 300

/**
 * How often each file was downloaded. Gathered here and written down once in a while, so that no download waits for it, and a
 * file that is downloaded ten thousand times costs one row. What a process counted since then is lost when it dies.
 */
export class DownloadCounts {
  readonly #parts: { catalogue: Catalogue; now: () => number; wake: (kind: string) => void }
  readonly #capacity: number
  /** By day and file. */
  #days = new Map<number, Map<number, FileDownloads>>()
  #files = 0

  /** `capacity`: how many files are counted at most, while the database is away; more are not counted. */
  constructor(parts: { catalogue: Catalogue; now: () => number; wake: (kind: string) => void }, capacity = 100_000) {
    this.#parts = parts
    this.#capacity = capacity
  }

  /** This one is being sent. */
  note({ id, versionId, packageId }: Pick<AddressedFile, 'id' | 'versionId' | 'packageId'>): void {
    const isNew = this.#add({ fileId: id, versionId, packageId, day: dayOf(this.#parts.now()), downloads: 1 })
    // Early, before there are too many. Once: a database that is away is not asked again for every download.
    if (isNew && this.#files === Math.ceil(this.#capacity / 2)) this.#parts.wake(downloadsTask)
  }

  /** Whether it takes more memory than before. */
  #add(count: FileDownloads): boolean {
    let files = this.#days.get(count.day)
    if (!files) {
      files = new Map()
      this.#days.set(count.day, files)
    }
    const known = files.get(count.fileId)
    if (known) {
      known.downloads += count.downloads
      return false
    }
    if (this.#files >= this.#capacity) return false
    files.set(count.fileId, count)
    this.#files += 1
    return true
  }

  /** Writes down what was counted until now. Where that fails, what was not written stays counted. */
  async flush(): Promise<void> {
    const counts = [...this.#days.values()].flatMap((files) => [...files.values()])
    this.#days = new Map()
    this.#files = 0
    // What belongs together is written together.
    counts.sort(
      (a, b) => a.packageId - b.packageId || a.versionId - b.versionId || a.fileId - b.fileId || a.day - b.day,
    )
    for (let at = 0; at < counts.length; at += batchSize) {
      try {
        await this.#parts.catalogue.transact(rememberDownloads, { counts: counts.slice(at, at + batchSize) })
      } catch (error) {
        // Where nobody knows whether these were written, they are lost rather than counted twice.
        const isUnknown = error instanceof Problem && error.code === 'outcome-unknown'
        for (const count of counts.slice(isUnknown ? at + batchSize : at)) this.#add(count)
        throw error
      }
    }
  }
}

/** Downloads of all time, and of each of the last days, the oldest first. */
export interface ShownDownloads {
  total: number
  days: { date: string; downloads: number }[]
  /** Of a version: of all time, by name. */
  files?: { id: number; name: string; downloads: number }[]
}

/** Downloads of a package or, where `version` is not undefined, of that version; `days` of them, today the last. */
export async function showDownloads(
  parts: RegistryParts,
  grant: PackageGrant<'read'>,
  version: string | undefined,
  days: number,
): Promise<ShownDownloads> {
  const { read } = parts.catalogue
  const { id: packageId } = await packageNow(parts, grant)
  const until = dayOf(parts.now())
  const stretch = { from: until - days + 1, until }
  if (version === undefined) {
    const total = await downloadsOfPackage(read, packageId)
    return { total, days: everyDay(stretch, await downloadsByDay(read, { packageId }, stretch)) }
  }
  const versionKey = possibleVersion(version)
  const its = versionKey === undefined ? undefined : await downloadsOfVersion(read, { packageId, versionKey })
  if (!its) throw new Problem('not-found', 'package does not exist')
  const counted = await downloadsByDay(read, { versionId: its.id }, stretch)
  const files = await downloadsOfFiles(read, its.id)
  return { total: its.downloads, days: everyDay(stretch, counted), files }
}

/** Downloads of a package that somebody was shown, on each of the last days, today the last. */
export async function dailyDownloads(
  parts: RegistryParts,
  { id }: { id: number },
  days: number,
): Promise<ShownDownloads['days']> {
  const until = dayOf(parts.now())
  const stretch = { from: until - days + 1, until }
  return everyDay(stretch, await downloadsByDay(parts.catalogue.read, { packageId: id }, stretch))
}

function everyDay(
  { from, until }: { from: number; until: number },
  counted: Map<number, number>,
): ShownDownloads['days'] {
  return Array.from({ length: until - from + 1 }, (_, index) => ({
    date: new Date((from + index) * millisecondsOfDay).toISOString().slice(0, 10),
    downloads: counted.get(from + index) ?? 0,
  }))
}
