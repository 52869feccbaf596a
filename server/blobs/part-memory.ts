/** Bytes of a part that is held in memory at most: larger ones are streamed. */
export const largestHeldPart = 16 * 1024 * 1024

interface Waiting {
  bytes: number
  begin(): void
}

/**
 * The memory of parts on their way to S3, shared by all uploads. A part is given its whole length at once, so nobody who
 * holds some of it ever waits for more.
 */
export class PartMemory {
  readonly #most: number
  readonly #patience: number
  readonly #waiting = new Set<Waiting>()
  #lent = 0

  constructor({ most = 64 * 1024 * 1024, patience = 60_000 } = {}) {
    this.#most = most
    this.#patience = patience
  }

  /** Whether there is so much now; whoever waits comes first. */
  tryTake(bytes: number): boolean {
    if (this.#waiting.size > 0 || this.#lent + bytes > this.#most) return false
    this.#lent += bytes
    return true
  }

  /** Whether there was so much in time. */
  async take(bytes: number): Promise<boolean> {
    if (this.tryTake(bytes)) return true
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const waiting = { bytes, begin: () => resolve(true) }
    this.#waiting.add(waiting)
    const timer = setTimeout(() => {
      this.#waiting.delete(waiting)
      resolve(false)
      this.#serve()
    }, this.#patience)
    return promise.finally(() => clearTimeout(timer))
  }

  giveBack(bytes: number): void {
    this.#lent -= bytes
    this.#serve()
  }

  #serve(): void {
    for (const waiting of this.#waiting) {
      if (this.#lent + waiting.bytes > this.#most) return
      this.#waiting.delete(waiting)
      this.#lent += waiting.bytes
      waiting.begin()
    }
  }
}
