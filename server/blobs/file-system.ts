import { constants } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { DigestThreads } from '../lib/digest-thread.ts'
import type { DigestAlgorithm, Digests } from '../lib/digests.ts'
import type { BlobStore, ByteSpan, Location, Removed, Space, StagedBlob } from './blob-store.ts'
import type { FileCalls } from './file-calls.ts'
import { errno, systemCalls, unless, writeAll } from './file-calls.ts'
import { Folders, makeFolder, syncFolder } from './folders.ts'
import { blobPattern, checkedLease, checkedLocation, folderPattern, freshBlobName } from './locations.ts'
import { ReadAtOnce } from './read-at-once.ts'
import { StagedFile } from './staged-file.ts'
import { onDisk } from './storage-problem.ts'
import { WriteBuffers } from './write-buffers.ts'

export interface FileSystemBlobStoreOptions {
  folder: string
  calls?: FileCalls
  /** Milliseconds for which a small file is waited for on the calling thread; see `ReadAtOnce`. */
  patience?: number | undefined
  /** Asked before a folder is made; throws when the store's disk is not there. */
  guard?: () => Promise<void>
}

/** Blobs as files below one folder: `<lease>/<number>/<random>`. */
export async function openFileSystemBlobStore(options: FileSystemBlobStoreOptions): Promise<BlobStore> {
  const calls = options.calls ?? systemCalls
  const folder = resolve(options.folder)
  await onDisk('probe', () => makeFolder(folder, calls))
  return new FileSystemBlobStore(folder, calls, options)
}

/** Bytes of a file that is worth no other thread. */
const mostAtOnce = 1024 * 1024
/** No lease can have this name, so nothing in it is ever taken for a blob. */
const probePlace = '.probe'
const writeNew = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY
const writeAndReadNew = constants.O_CREAT | constants.O_EXCL | constants.O_RDWR

class FileSystemBlobStore implements BlobStore {
  readonly #root: string
  readonly #calls: FileCalls
  readonly #folders: Folders
  readonly #buffers = new WriteBuffers()
  readonly #small: ReadAtOnce
  readonly #digests = new DigestThreads()
  /** Paths that could not be removed. A restart loses them, and then the sweep of the dead lease finds them. */
  readonly #leftovers = new Set<string>()
  /** Whether the probes are known that a process left when it ended in the middle of one. */
  #foundProbes = false

  constructor(root: string, calls: FileCalls, { guard = async () => {}, patience }: FileSystemBlobStoreOptions) {
    this.#root = root
    this.#calls = calls
    this.#folders = new Folders(root, calls, guard)
    this.#small = new ReadAtOnce(mostAtOnce, { patience })
  }

  stage(lease: string): Promise<StagedBlob> {
    return onDisk('store', async () => {
      checkedLease(lease)
      try {
        return await this.#stage(lease)
      } catch (error) {
        // Somebody removed the folder that was there a moment ago, say an empty one by hand: make another.
        if (errno(error) !== 'ENOENT') throw error
        this.#folders.forget(lease)
        return await this.#stage(lease)
      }
    })
  }

  async #stage(lease: string): Promise<StagedBlob> {
    const folder = await this.#folders.enter(lease)
    const name = freshBlobName()
    const path = join(folder.path, name)
    try {
      const handle = await this.#calls.open(path, writeNew, 0o600)
      return new StagedFile({
        location: checkedLocation(`${lease}/${folder.name}/${name}`),
        handle,
        calls: this.#calls,
        buffers: this.#buffers,
        syncFolder: () => folder.sync.join(),
        drop: () => this.#drop(path),
        release: () => this.#folders.leave(folder),
      })
    } catch (error) {
      this.#folders.leave(folder)
      throw error
    }
  }

  body(location: Location, span?: ByteSpan): Blob {
    const file = Bun.file(this.#path(location))
    return span ? file.slice(span.start, span.end) : file
  }

  bytesAtOnce(location: Location, size: number): Blob | undefined {
    return this.#small.read(this.#path(location), size)
  }

  digest(location: Location, algorithms: readonly DigestAlgorithm[]): Promise<Partial<Digests>> {
    return onDisk('read', async () => this.#digests.digest(this.#path(location), algorithms))
  }

  async remove(locations: readonly Location[]): Promise<Removed> {
    const failures: unknown[] = []
    const failed = (error: unknown) => {
      failures.push(error)
      return false
    }
    const attempt = (work: () => Promise<void>) => onDisk('remove', work).then(() => true, failed)
    // Each by itself, folder by folder: what cannot be removed must not keep the rest from going.
    const unlinked = new Map<string, Location[]>()
    for (const location of locations) {
      if (!(await attempt(async () => this.#unlink(this.#path(location))))) continue
      const folder = dirname(this.#path(location))
      unlinked.set(folder, [...(unlinked.get(folder) ?? []), location])
    }
    const gone: Location[] = []
    for (const [folder, inside] of unlinked) {
      if (await attempt(() => syncFolder(folder, this.#calls))) gone.push(...inside)
    }
    return failures.length > 0 ? { gone, failure: failures[0] } : { gone }
  }

  size(location: Location): Promise<number | undefined> {
    return onDisk('read', async () => this.#calls.size(this.#path(location)))
  }

  async *locations(lease: string): AsyncIterable<Location> {
    checkedLease(lease)
    for (const folder of await onDisk('read', () => this.#namesIn(lease, folderPattern))) {
      for (const blob of await onDisk('read', () => this.#namesIn(join(lease, folder), blobPattern))) {
        yield checkedLocation(`${lease}/${folder}/${blob}`)
      }
    }
  }

  forget(lease: string): Promise<void> {
    return onDisk('remove', async () => {
      checkedLease(lease)
      this.#folders.forget(lease)
      for (const folder of await this.#namesIn(lease, folderPattern)) await this.#rmdir(join(lease, folder))
      await this.#rmdir(lease)
    })
  }

  tidy(): Promise<void> {
    return onDisk('remove', async () => {
      const failures: unknown[] = []
      await this.#findProbes()
      for (const path of [...this.#leftovers]) {
        await this.#clear(path).catch((error) => failures.push(error))
      }
      if (failures.length > 0) throw failures[0]
    })
  }

  space(): Promise<Space> {
    return onDisk('read', () => this.#calls.space(this.#root))
  }

  probe(): Promise<void> {
    return onDisk('probe', async () => {
      const place = join(this.#root, probePlace)
      await unless(['EEXIST'], this.#calls.mkdir(place, 0o700))
      const path = join(place, freshBlobName())
      const handle = await this.#calls.open(path, writeAndReadNew, 0o600)
      this.#leftovers.add(path)
      try {
        await this.#writeAndReadBack(handle)
      } finally {
        await this.#calls.close(handle).finally(() => this.#clear(path))
      }
    })
  }

  async close(): Promise<void> {
    this.#digests.close()
    await this.#folders.close()
  }

  async #findProbes(): Promise<void> {
    if (this.#foundProbes) return
    for (const name of await this.#namesIn(probePlace, blobPattern)) {
      this.#leftovers.add(join(this.#root, probePlace, name))
    }
    this.#foundProbes = true
  }

  async #writeAndReadBack(handle: number): Promise<void> {
    const written = new Uint8Array([0x53, 0x74, 0x6f, 0x77])
    const read = new Uint8Array(written.length)
    await writeAll(this.#calls, handle, written)
    await this.#calls.fdatasync(handle)
    await this.#calls.read(handle, read, 0)
    if (!Buffer.from(read).equals(written)) {
      throw Object.assign(new Error('what was read is not what was written'), { code: 'EIO' })
    }
  }

  async #namesIn(place: string, pattern: RegExp): Promise<string[]> {
    try {
      // A whole folder at once is fine: folders are kept small.
      const names = await this.#calls.readdir(join(this.#root, place))
      return names.filter((name) => pattern.test(name))
    } catch (error) {
      if (errno(error) === 'ENOENT') return []
      throw error
    }
  }

  #rmdir(place: string): Promise<void> {
    return unless(['ENOENT', 'ENOTEMPTY', 'EEXIST'], this.#calls.rmdir(join(this.#root, place)))
  }

  #unlink(path: string): Promise<void> {
    return unless(['ENOENT'], this.#calls.unlink(path))
  }

  async #drop(path: string): Promise<void> {
    this.#leftovers.add(path)
    await this.#clear(path).catch(() => undefined)
  }

  async #clear(path: string): Promise<void> {
    await this.#unlink(path)
    this.#leftovers.delete(path)
  }

  #path(location: Location): string {
    return `${this.#root}/${checkedLocation(location)}`
  }
}
