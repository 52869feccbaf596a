/** Bytes that are gathered and then sent, so that they can be sent again. */
export class HeldPart {
  #bytes: Uint8Array
  length = 0

  constructor(room: number) {
    // Not zeroed, and not from the shared pool of small buffers: a page that is never written costs no memory.
    this.#bytes = Buffer.allocUnsafeSlow(room)
  }

  get room(): number {
    return this.#bytes.length
  }

  get body(): Uint8Array {
    return this.#bytes.subarray(0, this.length)
  }

  append(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.length)
    this.length += bytes.length
  }

  grow(room: number): void {
    const larger = Buffer.allocUnsafeSlow(room)
    larger.set(this.body)
    this.free()
    this.#bytes = larger
  }

  /** Gives the memory back at once: no collector knows how much it is. Only when no request can be at it any more. */
  free(): void {
    if (this.#bytes.buffer instanceof ArrayBuffer) this.#bytes.buffer.transfer(0)
  }
}

/** Bytes that go straight through to a request, once. */
export class StreamedPart {
  readonly body: ReadableStream<Uint8Array>
  readonly #size: number
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined
  #wanted = Promise.withResolvers<void>()
  length = 0

  constructor(size: number) {
    this.#size = size
    this.body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller
        },
        pull: () => this.#wanted.resolve(),
        cancel: () => {
          this.#controller = undefined
          this.#wanted.resolve()
        },
      },
      { highWaterMark: 0 },
    )
  }

  /** Resolves when the request has done with them, or takes nothing more; never where it ends before it wants anything. */
  async pass(bytes: Uint8Array): Promise<void> {
    await this.#wanted.promise
    this.length += bytes.length
    if (this.#controller === undefined) return
    this.#wanted = Promise.withResolvers()
    this.#controller.enqueue(bytes)
    // Only then is it at the next ones.
    await this.#wanted.promise
    if (this.length === this.#size) this.#controller?.close()
  }
}
