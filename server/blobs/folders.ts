import { constants } from 'node:fs'
import { dirname, join } from 'node:path'
import type { FileCalls, Handle } from './file-calls.ts'
import { errno, unless } from './file-calls.ts'
import { FolderSync } from './folder-sync.ts'

const blobsPerFolder = 4096
/** Folders that nobody uses just now but that stay open for the next blob. */
const mostIdleFolders = 32
const readFolder = constants.O_RDONLY | constants.O_DIRECTORY

/** A folder that stays open while blobs are staged in it. */
export class Folder {
  readonly name: string
  readonly path: string
  readonly parent: Folder | undefined
  readonly sync: FolderSync
  handle: Handle | undefined
  /** Resolves when the folder can be used and its own entry is on stable storage. */
  ready: Promise<void> = Promise.resolve()
  users = 0
  /** Nobody may enter any more; it is closed when the last one leaves. */
  abandoned = false

  constructor(name: string, path: string, parent: Folder | undefined, sync: (handle: Handle) => Promise<void>) {
    this.name = name
    this.path = path
    this.parent = parent
    this.sync = new FolderSync(() => sync(this.handle as Handle))
  }
}

/**
 * The folders in which blobs are being staged: `<lease>/<number>`, where the number goes up every 4,096 blobs, so that
 * folders stay small and uploads of the same moment share a folder's fsync.
 */
export class Folders {
  readonly #calls: FileCalls
  readonly #root: string
  readonly #guard: () => Promise<void>
  readonly #open = new Map<string, Folder>()
  readonly #idle = new Set<Folder>()
  readonly #closing = new Set<Promise<void>>()
  #mostIdle = mostIdleFolders
  #number = 0
  #entered = 0

  constructor(root: string, calls: FileCalls, guard: () => Promise<void>) {
    this.#root = root
    this.#guard = guard
    this.#calls = calls
  }

  /** A folder to stage one blob in. Each call is answered by one call of `leave`. */
  async enter(lease: string): Promise<Folder> {
    if (this.#entered >= blobsPerFolder) this.#moveOn()
    this.#entered += 1
    const root = await this.#enter(undefined, '')
    try {
      const parent = await this.#enter(root, lease)
      try {
        return await this.#enter(parent, this.#number.toString(36))
      } finally {
        this.leave(parent)
      }
    } finally {
      this.leave(root)
    }
  }

  leave(folder: Folder): void {
    folder.users -= 1
    if (folder.users > 0) return
    if (folder.abandoned) this.#close(folder)
    else this.#idle.add(folder)
    this.#closeIdle()
  }

  /** Lets go of what is held for a lease: it is over, or its folders have vanished. */
  forget(lease: string): void {
    const path = join(this.#root, lease)
    for (const folder of [...this.#open.values()]) {
      if (folder.path === path || folder.parent?.path === path || folder.parent === undefined) this.#abandon(folder)
    }
  }

  /** Closes every folder; those still in use, when they are left. */
  async close(): Promise<void> {
    this.#mostIdle = 0
    this.#closeIdle()
    while (this.#closing.size > 0) await Promise.all(this.#closing)
  }

  #moveOn(): void {
    this.#number += 1
    this.#entered = 0
  }

  async #enter(parent: Folder | undefined, name: string): Promise<Folder> {
    const path = join(parent?.path ?? this.#root, name)
    const folder = this.#open.get(path) ?? this.#add(name, path, parent)
    // Counted before anything is awaited, so that nobody closes it in between.
    folder.users += 1
    this.#idle.delete(folder)
    try {
      await folder.ready
      return folder
    } catch (error) {
      this.leave(folder)
      throw error
    }
  }

  #add(name: string, path: string, parent: Folder | undefined): Folder {
    const folder: Folder = new Folder(name, path, parent, (handle) => this.#orMoveOn(folder, this.#calls.fsync(handle)))
    if (parent) parent.users += 1
    this.#open.set(path, folder)
    folder.ready = this.#orMoveOn(folder, this.#make(folder))
    return folder
  }

  /**
   * After a failure nobody may rely on this folder again: an entry in it can be lost although the system still shows
   * it. Only a folder with a new name is certain to be written.
   */
  async #orMoveOn(folder: Folder, work: Promise<void>): Promise<void> {
    try {
      await work
    } catch (error) {
      if (!folder.abandoned) this.#moveOn()
      this.#abandon(folder)
      throw error
    }
  }

  async #make(folder: Folder): Promise<void> {
    // The root is never made here, and nothing in it where its disk is gone: an unmounted one leaves an empty folder, and
    // blobs must not land on the disk below.
    if (folder.parent) await this.#guard()
    if (folder.parent) await unless(['EEXIST'], this.#calls.mkdir(folder.path, 0o700))
    try {
      folder.handle = await this.#calls.open(folder.path, readFolder, 0)
      // Also when it was there before: who made it may have died before its sync.
      await folder.parent?.sync.join()
    } catch (error) {
      if (folder.parent) await this.#calls.rmdir(folder.path).catch(() => undefined)
      throw error
    }
  }

  #abandon(folder: Folder): void {
    folder.abandoned = true
    if (this.#open.get(folder.path) === folder) this.#open.delete(folder.path)
    if (this.#idle.delete(folder)) this.#close(folder)
  }

  #closeIdle(): void {
    for (const folder of this.#idle) {
      if (this.#idle.size <= this.#mostIdle) return
      this.#abandon(folder)
    }
  }

  #close(folder: Folder): void {
    if (folder.handle !== undefined) {
      const closing = this.#calls.close(folder.handle).catch(() => undefined)
      folder.handle = undefined
      this.#closing.add(closing)
      closing.then(() => this.#closing.delete(closing))
    }
    if (folder.parent) this.leave(folder.parent)
  }
}

/** Makes the folder and those above it, durably. */
export async function makeFolder(path: string, calls: FileCalls): Promise<void> {
  try {
    await calls.mkdir(path, 0o700)
  } catch (error) {
    if (errno(error) === 'EEXIST') return
    if (errno(error) !== 'ENOENT' || dirname(path) === path) throw error
    await makeFolder(dirname(path), calls)
    await calls.mkdir(path, 0o700)
  }
  await syncFolder(dirname(path), calls)
}

/** Puts a folder's entries on stable storage. A folder that is not there has none. */
export async function syncFolder(path: string, calls: FileCalls): Promise<void> {
  let handle: Handle
  try {
    handle = await calls.open(path, readFolder, 0)
  } catch (error) {
    if (errno(error) === 'ENOENT') return
    throw error
  }
  try {
    await calls.fsync(handle)
  } finally {
    await calls.close(handle)
  }
}
