import type { Location, StagedBlob } from './blob-store.ts'
import type { FileCalls, Handle } from './file-calls.ts'
import { writeAll } from './file-calls.ts'
import { storageProblem } from './storage-problem.ts'
import type { WriteBuffers } from './write-buffers.ts'

export interface StagedFileParts {
  location: Location
  handle: Handle
  calls: FileCalls
  buffers: WriteBuffers
  /** Resolves when the folder's entry for this file is on stable storage. */
  syncFolder(): Promise<void>
  /** Removes the file; never throws. */
  drop(): Promise<void>
  /** Called once, at the end. */
  release(): void
}

/**
 * A file being written: at most one write on its way, while the next bytes are gathered. Bytes are not held back to
 * fill a buffer, so an upload that waits for its client holds no memory.
 */
export class StagedFile implements StagedBlob {
  readonly location: Location
  readonly #parts: StagedFileParts
  readonly #calls: FileCalls
  #handle: Handle | undefined
  #gathering: { buffer: Uint8Array; length: number } | undefined
  #underWay: Promise<void> | undefined
  #failure: unknown
  #phase: 'writing' | 'committing' | 'disposed' = 'writing'
  #kept = false

  constructor(parts: StagedFileParts) {
    this.#parts = parts
    this.#calls = parts.calls
    this.#handle = parts.handle
    this.location = parts.location
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#mustBeWriting()
    let at = 0
    while (at < chunk.length) {
      const gathered = this.#gather(chunk, at)
      if (gathered === undefined) {
        // No buffer to be had: go on without one, and let the caller wait for the disk instead.
        await this.#allWritten()
        await this.#writeAll(chunk.subarray(at))
        if (this.#failure) throw this.#failure
        return
      }
      at += gathered
      if (this.#underWay === undefined) this.#send()
      else if (gathered === 0) await this.#underWay
      if (this.#failure) throw this.#failure
    }
  }

  async commit(): Promise<void> {
    this.#mustBeWriting()
    this.#phase = 'committing'
    await this.#allWritten()
    // Side by side: the folder has had its entry since `stage`, and both mostly wait for the same journal.
    const [file, folder] = await Promise.allSettled([this.#syncAndClose(), this.#parts.syncFolder()])
    const failed = [file, folder].find((outcome) => outcome.status === 'rejected')
    if (failed) throw this.#fail(failed.reason)
  }

  keep(): void {
    this.#kept = true
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#phase === 'disposed') return
    this.#phase = 'disposed'
    while (this.#underWay) await this.#underWay
    if (this.#handle !== undefined) await this.#close().catch(() => undefined)
    if (!this.#kept) await this.#parts.drop()
    this.#parts.release()
  }

  #mustBeWriting(): void {
    if (this.#failure) throw this.#failure
    if (this.#phase !== 'writing') throw new Error('The staged blob takes no more bytes: it was committed or dropped.')
  }

  /** Copies what fits, or answers that there is no buffer. */
  #gather(chunk: Uint8Array, at: number): number | undefined {
    if (this.#gathering === undefined) {
      const buffer = this.#parts.buffers.take()
      if (buffer === undefined) return undefined
      this.#gathering = { buffer, length: 0 }
    }
    const { buffer, length } = this.#gathering
    const fits = Math.min(buffer.length - length, chunk.length - at)
    buffer.set(chunk.subarray(at, at + fits), length)
    this.#gathering.length += fits
    return fits
  }

  /** Starts to write what was gathered; goes on by itself with what was gathered meanwhile. */
  #send(): void {
    const gathered = this.#gathering
    this.#gathering = undefined
    this.#underWay = undefined
    if (gathered === undefined) return
    const { buffer, length } = gathered
    const sending = this.#failure ? Promise.resolve() : this.#writeAll(buffer.subarray(0, length))
    this.#underWay = sending.then(() => {
      this.#parts.buffers.giveBack(buffer)
      this.#send()
    })
  }

  async #allWritten(): Promise<void> {
    while (this.#underWay) await this.#underWay
    if (this.#failure) throw this.#failure
  }

  /** Never rejects: a failure shows in `#failure`, so that nobody has to be waiting for it. */
  async #writeAll(bytes: Uint8Array): Promise<void> {
    try {
      await writeAll(this.#calls, this.#handle as Handle, bytes)
    } catch (error) {
      this.#fail(error)
    }
  }

  async #syncAndClose(): Promise<void> {
    await this.#calls.fdatasync(this.#handle as Handle)
    await this.#close()
  }

  async #close(): Promise<void> {
    const handle = this.#handle as Handle
    // Also when it fails: Linux has freed the number by then, and it may be somebody else's file already.
    this.#handle = undefined
    await this.#calls.close(handle)
  }

  #fail(error: unknown): unknown {
    this.#failure ??= storageProblem(error, 'store')
    return this.#failure
  }
}
