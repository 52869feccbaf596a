import { connect, type Socket } from 'node:net'
import { parseAnswer, type RawAnswer } from './raw-socket.ts'

/** A PUT whose body is sent by hand, as slowly as a test likes. */
export class SlowUpload implements Disposable {
  readonly #socket: Socket
  readonly #chunks: Buffer[] = []
  readonly #closed: Promise<void>

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => this.#chunks.push(chunk))
    this.#closed = new Promise((resolve) => socket.once('close', () => resolve()))
    socket.on('error', () => undefined)
  }

  /** Sends the head; `length` undefined: chunked. */
  static async begin(
    port: number,
    target: string,
    headers: Record<string, string>,
    length: number | undefined,
  ): Promise<SlowUpload> {
    const socket = connect(port, '127.0.0.1')
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    const upload = new SlowUpload(socket)
    const framing = length === undefined ? { 'Transfer-Encoding': 'chunked' } : { 'Content-Length': String(length) }
    const lines = Object.entries({ Host: 'stowage', Connection: 'close', ...headers, ...framing })
    await upload.send([`PUT ${target} HTTP/1.1`, ...lines.map((line) => line.join(': ')), '', ''].join('\r\n'))
    return upload
  }

  /** Resolves when the kernel has the bytes. */
  send(bytes: string | Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => (error ? reject(error) : resolve()))
    })
  }

  /** The answer, once the server has closed the connection. */
  async answer(deadline = 30_000): Promise<RawAnswer> {
    let timer: Timer | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('the server neither answered nor closed')), deadline)
    })
    await Promise.race([this.#closed, late])
    clearTimeout(timer)
    return parseAnswer(Buffer.concat(this.#chunks))
  }

  /** Hangs up in the middle. */
  [Symbol.dispose](): void {
    this.#socket.destroy()
  }
}
