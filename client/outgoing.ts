import { runningSha256 } from './sha256.ts'
import type { Opened } from './sources.ts'

/** Bytes after which the event loop gets a turn. */
const turnAfter = 256 * 1024

/** The bytes of a source on their way out: hashed and counted when the request pulls them. */
export class Outgoing {
  readonly body: ReadableStream<Uint8Array>
  readonly size: number | undefined
  /** Bytes. */
  sent = 0
  /** What the source threw, or who is told of progress: no fault of the connection. */
  failure: { error: unknown } | undefined
  readonly #progress: (sent: number) => void
  readonly #chunks: AsyncIterator<Uint8Array>
  readonly #running = runningSha256()
  #nextTurn = turnAfter
  #isAtEnd = false
  #isStopped = false
  #isPulling = false

  constructor({ size, chunks }: Opened, progress: (sent: number) => void) {
    this.size = size
    this.#progress = progress
    this.#chunks = chunks[Symbol.asyncIterator]()
    // Nothing is pulled ahead: what was pulled was hashed, and is taken for sent.
    this.body = new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const chunk = await this.#next()
          if (chunk === undefined) return controller.close()
          controller.enqueue(chunk)
        },
        cancel: () => this.stop(),
      },
      { highWaterMark: 0 },
    )
  }

  /**
   * What was sent, once that is all of it. A request of a known size may end without asking for its end. To be asked once.
   */
  async whole(): Promise<{ sha256: string; size: number } | undefined> {
    if (!this.#isAtEnd && this.sent !== this.size) return undefined
    return { sha256: await this.#running.hex(), size: this.sent }
  }

  /** Lets go of the source. A request that failed may go on pulling its body, all of it, into nothing. */
  async stop(): Promise<void> {
    if (this.#isStopped) return
    this.#isStopped = true
    const closed = this.#chunks.return?.().catch(() => undefined)
    // A source that is waited for may never answer, and closes only then.
    if (!this.#isPulling) await closed
  }

  async #next(): Promise<Uint8Array | undefined> {
    // A source that never waits, and a socket that takes everything at once, would keep Node from hearing an early refusal.
    if (this.sent >= this.#nextTurn) {
      this.#nextTurn = this.sent + turnAfter
      await new Promise<void>((resolve) => (globalThis.setImmediate ?? setTimeout)(resolve))
    }
    if (this.#isStopped) throw new Error('The request has ended')
    try {
      for (;;) {
        this.#isPulling = true
        const { done, value } = await this.#chunks.next()
        this.#isPulling = false
        if (done) {
          this.#end()
          return undefined
        }
        // An empty chunk would be the end of a chunked body.
        if (value.byteLength === 0) continue
        this.#running.update(value)
        this.sent += value.byteLength
        if (this.size !== undefined && this.sent > this.size)
          throw new RangeError(`There are more than ${this.size} bytes`)
        this.#progress(this.sent)
        return value
      }
    } catch (error) {
      this.#isPulling = false
      this.failure = { error }
      throw error
    }
  }

  #end(): void {
    if (this.size !== undefined && this.sent < this.size) {
      throw new RangeError(`There are ${this.sent} bytes where ${this.size} should be`)
    }
    this.#isAtEnd = true
  }
}
