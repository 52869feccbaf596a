import { closeSync, openSync, readSync } from 'node:fs'

/** Milliseconds: a disk that has the bytes in memory takes less. */
const usualPatience = 5
/** As many times as long as nothing is waited for, after a disk that took longer: so little of all time is spent in waiting. */
const rest = 20

/** Reads small files on the calling thread, as long as the disk is quicker at that than another thread could be. */
export class ReadAtOnce {
  readonly #buffer: Uint8Array
  readonly #now: () => number
  readonly #patience: number
  #notBefore = 0

  /** `most`: bytes of the largest file. */
  constructor(most: number, options: { patience?: number | undefined; now?: () => number } = {}) {
    this.#now = options.now ?? (() => performance.now())
    this.#patience = options.patience ?? usualPatience
    // One byte more tells a file that is longer than it should be.
    this.#buffer = new Uint8Array(most + 1)
  }

  /** The bytes of a file that has exactly so many; undefined where it has not, or cannot be read, or the disk is slow just now. */
  read(path: string, size: number): Blob | undefined {
    const begun = this.#now()
    if (size >= this.#buffer.length || begun < this.#notBefore) return undefined
    try {
      const handle = openSync(path, 'r')
      try {
        const read = readSync(handle, this.#buffer, 0, size + 1, 0)
        return read === size ? new Blob([this.#buffer.subarray(0, size)]) : undefined
      } finally {
        closeSync(handle)
      }
    } catch {
      return undefined
    } finally {
      const ended = this.#now()
      if (ended - begun > this.#patience) this.#notBefore = ended + rest * (ended - begun)
    }
  }
}
