/**
 * The buffers in which uploads gather bytes while a write is on its way, shared by all uploads: a buffer is held only
 * while it has bytes, so a thousand slow uploads need few, and a stalled disk cannot make them need more than `most`.
 */
export class WriteBuffers {
  readonly #size: number
  readonly #most: number
  readonly #keep: number
  readonly #spare: Uint8Array[] = []
  #lent = 0

  constructor({ size = 256 * 1024, most = 256, keep = 32 } = {}) {
    this.#size = size
    this.#most = most
    this.#keep = keep
  }

  /** A buffer, or nothing when too many are lent out. */
  take(): Uint8Array | undefined {
    if (this.#lent >= this.#most) return undefined
    this.#lent += 1
    // Not zeroed, and not from the shared pool of small buffers: a page that is never written costs no memory.
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(this.#size)
  }

  giveBack(buffer: Uint8Array): void {
    this.#lent -= 1
    if (this.#spare.length < this.#keep) this.#spare.push(buffer)
  }
}
