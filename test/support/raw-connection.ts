import { connect, type Socket } from 'node:net'
import { parseAnswer, type RawAnswer } from './raw-socket.ts'

/** A connection that a test holds in its hands: it writes what and when it likes, and reads answers as they come. */
export class RawConnection implements AsyncDisposable {
  readonly #socket: Socket
  #received: Buffer<ArrayBuffer> = Buffer.alloc(0)
  #ended = false
  #failure: Error | undefined
  #wake: () => void = () => {}

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer<ArrayBuffer>) => {
      this.#received = Buffer.concat([this.#received, chunk])
      this.#wake()
    })
    socket.on('error', (error) => {
      this.#failure = error
      this.#wake()
    })
    socket.on('close', () => {
      this.#ended = true
      this.#wake()
    })
  }

  static open(port: number): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.off('error', reject)
        resolve(new RawConnection(socket))
      })
      socket.once('error', reject)
    })
  }

  /** Resolves when the kernel has taken the bytes; throws when the connection is gone. */
  write(bytes: string | Uint8Array): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      const gone = () => reject(new Error('the server closed the connection during a write'))
      this.#socket.once('close', gone)
      this.#socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes, (error) => {
        this.#socket.off('close', gone)
        if (error) reject(error)
        else resolve()
      })
    })
  }

  /** The next whole answer, by its `Content-Length`; an interim one (1xx) counts. */
  async answer(within = 10_000): Promise<RawAnswer> {
    const deadline = performance.now() + within
    for (;;) {
      const answer = this.#takeAnswer()
      if (answer) return answer
      if (this.#failure) throw this.#failure
      if (this.#ended) throw new Error(`the server closed after ${JSON.stringify(this.#received.toString('latin1'))}`)
      const left = deadline - performance.now()
      if (left <= 0) throw new Error(`no whole answer within ${within} ms`)
      await this.#change(left)
    }
  }

  /** Resolves when the connection is closed by the server; throws when it was reset. */
  async closed(within = 10_000): Promise<void> {
    const deadline = performance.now() + within
    while (!this.#ended && !this.#failure) {
      const left = deadline - performance.now()
      if (left <= 0) throw new Error(`the server did not close within ${within} ms`)
      await this.#change(left)
    }
    if (this.#failure) throw this.#failure
  }

  /** Goes away in the middle of things. */
  hangUp(): void {
    this.#socket.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy()
  }

  #takeAnswer(): RawAnswer | undefined {
    const end = this.#received.indexOf('\r\n\r\n')
    if (end < 0) return undefined
    const { headers } = parseAnswer(this.#received)
    const length = end + 4 + Number(headers['content-length'] ?? 0)
    if (this.#received.byteLength < length) return undefined
    const answer = parseAnswer(this.#received.subarray(0, length))
    this.#received = this.#received.subarray(length)
    return answer
  }

  #change(within: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, within)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
