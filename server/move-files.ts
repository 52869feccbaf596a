import { join } from 'node:path'
import type { BlobStore, Location } from './blobs/blob-store.ts'
import { errno } from './blobs/file-calls.ts'
import { openFileSystemBlobStore } from './blobs/file-system.ts'
import { s3Reason } from './blobs/s3-client.ts'
import { S3Copies } from './blobs/s3-copies.ts'
import { openS3 } from './blobs/s3-open.ts'
import { addUpBlobs, blobById, blobsBehind } from './catalogue/blobs.ts'
import { namesOfBlob } from './catalogue/files.ts'
import { beginLastCopy, idOfCopy, isCopyOf, switchFiles } from './catalogue/files-move.ts'
import { filesMovedAt, moveFacts } from './catalogue/move.ts'
import type { Db } from './catalogue/schema.ts'
import type { Catalogue } from './catalogue/transaction.ts'
import type { Settings } from './config.ts'
import { openDatabaseForCommand, startProblem } from './database.ts'
import type { S3Place } from './lib/s3-place.ts'
import { closedAtEnd, holdDataDirectory, refused } from './move.ts'
import { Problem } from './problems.ts'
import { storageIdFile } from './storage-id-file.ts'
import { storageIdObject } from './storage-id-object.ts'

/** Blobs that were looked at, of how many there are, and what was copied of them in this run. */
export interface Progress {
  blobs: number
  of: number
  copied: { blobs: number; bytes: number }
  /** Whether that was the last one. */
  isComplete: boolean
}

/** A blob whose bytes on the disk are not those that were published. */
export interface BrokenBlob {
  sha256: string
  location: string
  reason: string
  /** Some of the files that have it. */
  files: string[]
}

export type FilesMoveEvent =
  | { kind: 'begun'; to: string; blobs: number; bytes: number }
  | ({ kind: 'copying' } & Progress)
  | { kind: 'last look' }
  | { kind: 'switching' }

/** `copied`: all that there was, but servers still use the disk; how many, where they are counted. */
export type FilesMoved =
  | { kind: 'moved'; broken: BrokenBlob[] }
  | { kind: 'there already' }
  | { kind: 'copied'; broken: BrokenBlob[]; servers: number | undefined }

export interface MoveFiles {
  /** Reads back what is in the bucket, and compares its SHA-256. */
  verify?: boolean
  tell?: (event: FilesMoveEvent) => void
}

/** Blobs that are copied at once. */
const atOnce = 4
/** Bytes that are read together. */
const stretch = 1024 * 1024
/** Of the files that have a broken blob, so many are named. */
const mostNamed = 3

const gone = 'they are not there'

type Bucket = ReturnType<typeof storageIdObject>

/**
 * Moves the files of a data directory to an S3 bucket. Copies beside servers that run; can be broken off anywhere and called again:
 * what the bucket has at a blob's location is that blob. Where no server runs, it ends with one transaction that gives the
 * catalogue the bucket's `storage-id`: until then the disk alone can be used, and from then on the bucket alone.
 */
export async function moveFiles(
  settings: Settings & { s3: S3Place },
  { verify = false, tell = () => undefined }: MoveFiles = {},
): Promise<FilesMoved> {
  await using catalogue = closedAtEnd(await openCatalogue(settings))
  const { store, clients, unfinishedHidden } = await openS3(settings.s3, { patience: 0 })
  await using stored = closedAtEnd(store)
  const bucket = storageIdObject(settings.s3, clients, async (said) => said)
  try {
    if (await isThereAlready(catalogue.read, bucket)) return { kind: 'there already' }
    const id = await idOfFolder(catalogue.read, settings.dataDir)
    const newId = await claim(bucket, id)
    await using disk = closedAtEnd(await openFileSystemBlobStore({ folder: join(settings.dataDir, 'blobs') }))
    const copies = new S3Copies({ place: settings.s3, clients, atOnce })
    if (unfinishedHidden === undefined) await copies.abortUnfinished()

    const copying = new Copying({ catalogue, disk, stored, copies, tell })
    const all = await addUp(catalogue.read)
    tell({ kind: 'begun', to: bucket.called, ...all })
    let broken = await copying.copy({ of: all.blobs, readBack: verify ? 'all' : 'none' })

    using lock = unlessUsed(settings.dataDir)
    if (!lock) return { kind: 'copied', broken, servers: undefined }
    const servers = await catalogue.transact(beginLastCopy, { storageId: newId, now: Date.now() })
    if (servers > 0) return { kind: 'copied', broken, servers }

    // Nobody publishes any more: what has come since is a moment's work.
    tell({ kind: 'last look' })
    const { blobs: of } = await addUp(catalogue.read)
    broken = await copying.copy({ of, readBack: verify ? 'copied' : 'none' })
    if ((await idOfFolder(catalogue.read, settings.dataDir)) !== id || (await bucket.read()) !== newId) {
      throw refused('The disk or the bucket became another one meanwhile, so nothing was moved.')
    }
    const leases = await copies.leases()
    tell({ kind: 'switching' })
    if (await catalogue.transact(switchFiles, { storageId: newId, leases, now: Date.now() })) {
      return { kind: 'moved', broken }
    }
    throw refused('A server was started meanwhile, so nothing was moved. Stop it, then run the command again.')
  } catch (error) {
    throw withReason(error)
  }
}

async function openCatalogue(settings: Settings): Promise<Catalogue> {
  try {
    return await openDatabaseForCommand(settings)
  } catch (error) {
    throw await startProblem(error)
  }
}

/** Whether this bucket is the one in use. */
async function isThereAlready(db: Db, bucket: Bucket): Promise<boolean> {
  const { storageId } = await moveFacts(db)
  if (storageId !== undefined && (await bucket.read()) === storageId) return true
  const at = await filesMovedAt(db)
  if (at === undefined) return false
  throw refused(`The files of this installation were moved at ${at}, to another bucket than this one.`)
}

/** The `storage-id` of the data directory's files. Throws where they are not those of this database. */
async function idOfFolder(db: Db, dataDir: string): Promise<string> {
  const { storageId } = await moveFacts(db)
  if (storageId === undefined) throw refused('There is nothing in this installation yet that could be moved.')
  if ((await storageIdFile(dataDir).read()) === storageId) return storageId
  throw refused(
    'The blob folder is empty or not the one that this database belongs to. Set STOWAGE_DATA_DIR to the one that has the files, and mount its disk.',
  )
}

/** The `storage-id` that the bucket is to have. Throws where it is somebody else's. */
async function claim(bucket: Bucket, id: string): Promise<string> {
  if ((await bucket.read()) === undefined && (await bucket.isUsed())) {
    throw refused(
      `${bucket.called} holds files of which nobody knows whose they are. Name an empty one, or a ${bucket.setting}.`,
    )
  }
  const said = await bucket.claim(idOfCopy(id))
  if (isCopyOf(id, said)) return said
  throw refused(`${bucket.called} belongs to another installation. Name an empty one, or another ${bucket.setting}.`)
}

async function addUp(db: Db): Promise<{ blobs: number; bytes: number }> {
  const sum = { blobs: 0, bytes: 0 }
  for (let after: number | null = 0; after !== null; ) {
    const { blobs, bytes, last } = await addUpBlobs(db, after, 10_000)
    sum.blobs += blobs
    sum.bytes += bytes
    after = last
  }
  return sum
}

function unlessUsed(dataDir: string): Disposable | undefined {
  try {
    return holdDataDirectory(dataDir)
  } catch (error) {
    if (error instanceof Problem) return undefined
    throw error
  }
}

type Row = Awaited<ReturnType<typeof blobsBehind>>[number]

interface CopyingParts {
  catalogue: Catalogue
  disk: BlobStore
  /** The bucket as a store, for reading. */
  stored: BlobStore
  copies: S3Copies
  tell(event: FilesMoveEvent): void
}

class Copying {
  readonly #parts: CopyingParts
  readonly #copied = { blobs: 0, bytes: 0 }

  constructor(parts: CopyingParts) {
    this.#parts = parts
  }

  /** Copies every blob that is not there yet; resolves with those that cannot be. `readBack`: whose digests are computed again. */
  async copy({ of, readBack }: { of: number; readBack: 'all' | 'copied' | 'none' }): Promise<BrokenBlob[]> {
    const broken: BrokenBlob[] = []
    let blobs = 0
    for await (const { folder, rows } of byFolder(this.#parts.catalogue.read)) {
      const there = await this.#parts.copies.sizesIn(folder)
      await someAtOnce(rows, async (row) => {
        const size = there.get(row.location)
        const isThere = size === row.size && (readBack !== 'all' || (await this.#hasRightBytes(row)))
        if (!isThere) {
          if (size !== undefined) await this.#parts.copies.remove(row.location as Location)
          const reason = await this.#copy(row, () => this.#tell(blobs, of))
          if (reason !== undefined) broken.push(...(await this.#broken(row, reason)))
          else if (readBack !== 'none' && !(await this.#hasRightBytes(row))) throw otherBytes(row)
        }
        blobs += 1
        this.#tell(blobs, of)
      })
    }
    // There may be more or fewer of them by now.
    this.#tell(blobs, blobs, true)
    return broken
  }

  #tell(blobs: number, of: number, isComplete = false): void {
    this.#parts.tell({ kind: 'copying', blobs, of: Math.max(blobs, of), copied: { ...this.#copied }, isComplete })
  }

  /** Undefined once it is copied; else what is wrong with the bytes on the disk, and then nothing is at the location. */
  async #copy(row: Row, tell: () => void): Promise<string | undefined> {
    try {
      return await this.#copyRead(row, tell)
    } catch (error) {
      // Removed a moment ago, or a bad place of the disk; anything else may be wrong with all of them.
      const code = errno(error)
      if (code === 'ENOENT') return gone
      if (code === 'EIO') return 'the disk cannot read them (EIO)'
      throw error
    }
  }

  async #copyRead({ location: text, size, sha256 }: Row, tell: () => void): Promise<string | undefined> {
    const location = text as Location
    const { disk, copies } = this.#parts
    const found = await disk.size(location)
    if (found === undefined) return gone
    if (found !== size) return `they are ${found} bytes instead of ${size}`
    await using staged = copies.stageAt(location, size)
    const hash = new Bun.CryptoHasher('sha256')
    let last = new Uint8Array()
    for (let start = 0; start < size; start += stretch) {
      await staged.write(last)
      last = await this.#read(location, start, Math.min(start + stretch, size))
      hash.update(last)
      this.#copied.bytes += last.length
      tell()
    }
    // Before the last bytes are given away, without which nothing comes to be there.
    const digest = hash.digest('hex')
    if (digest !== sha256) return `their SHA-256 is ${digest}`
    await staged.write(last)
    await staged.commit()
    staged.keep()
    this.#copied.blobs += 1
    return undefined
  }

  async #read(location: Location, start: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    return new Uint8Array(await new Response(this.#parts.disk.body(location, { start, end })).arrayBuffer())
  }

  async #hasRightBytes({ location, sha256 }: Row): Promise<boolean> {
    return (await this.#parts.stored.digest(location as Location, ['sha256'])).sha256 === sha256
  }

  /** Nothing where the blob was removed, or got other bytes, since its row was read. */
  async #broken({ id, location, sha256 }: Row, reason: string): Promise<BrokenBlob[]> {
    const { read } = this.#parts.catalogue
    if ((await blobById(read, id))?.location !== location) return []
    return [{ sha256, location, reason, files: await namesOfBlob(read, id, mostNamed) }]
  }
}

/** All blobs, each folder of the disk by itself: it has some thousands at most. */
async function* byFolder(db: Db): AsyncIterable<{ folder: string; rows: Row[] }> {
  let open: { folder: string; rows: Row[] } | undefined
  for (let after = ''; ; ) {
    const batch = await blobsBehind(db, after, 1_000)
    for (const row of batch) {
      const folder = row.location.slice(0, row.location.lastIndexOf('/') + 1)
      if (open?.folder !== folder) {
        if (open) yield open
        open = { folder, rows: [] }
      }
      open.rows.push(row)
      after = row.location
    }
    if (batch.length === 0) break
  }
  if (open) yield open
}

/** Works on a few at once; after a failure nothing new is begun, and it is thrown when all have ended. */
async function someAtOnce<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const left = [...items]
  const failures: unknown[] = []
  const worker = async () => {
    for (let item = left.shift(); item !== undefined && failures.length === 0; item = left.shift()) {
      await work(item).catch((error) => failures.push(error))
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  if (failures.length > 0) throw failures[0]
}

function otherBytes({ location }: Row): Problem {
  return refused(`The store has other bytes at ${location} than it was given. Nothing was moved.`)
}

/** With the words of the disk or the store: whoever runs the command may see them. */
function withReason(error: unknown): unknown {
  if (!(error instanceof Problem) || error.cause === undefined) return error
  const sentence = error.message.replace(/[.\s]*$/, '')
  return refused(`${sentence} (${s3Reason(error)}). What was copied stays: run the command again.`, error)
}
