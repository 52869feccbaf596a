import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/**
 * Stands before several servers, and sends each request to the next one, also those of one connection. What is said passes byte
 * by byte as it was sent, both ways; only where a request and its answer end is read. What is no plain HTTP/1.1 goes to one
 * server until the connection ends.
 */
export class SpreadingProxy implements AsyncDisposable {
  readonly #server: Server
  readonly #clients = new Set<Socket>()
  #ports: readonly number[] = []
  #turn = 0

  private constructor() {
    this.#server = createServer({ allowHalfOpen: true }, (client) => {
      this.#clients.add(client)
      client.once('close', () => this.#clients.delete(client))
      new Conversation(client, () => this.#next())
    })
  }

  static async start(): Promise<SpreadingProxy> {
    const proxy = new SpreadingProxy()
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** From now on requests go there. */
  spreadOver(urls: readonly string[]): void {
    this.#ports = urls.map((url) => Number(new URL(url).port))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close()
    for (const client of this.#clients) client.destroy()
  }

  #next(): Socket {
    const port = this.#ports[this.#turn % this.#ports.length]
    this.#turn += 1
    return connect({ port: port ?? 0, host: '127.0.0.1', allowHalfOpen: true })
  }
}

/** Bytes of the client that no server has got yet; more of them wait in the kernel. */
const mostWaiting = 65_536

/** One connection of a client. */
class Conversation {
  readonly #client: Socket
  readonly #open: () => Socket
  /** What came after the request that is under way. */
  #waiting: Buffer = Buffer.alloc(0)
  #exchange: Exchange | undefined
  #isEnded = false

  constructor(client: Socket, open: () => Socket) {
    this.#client = client
    this.#open = open
    client.setNoDelay(true)
    client.on('data', (bytes: Buffer) => {
      this.#waiting = this.#waiting.length ? Buffer.concat([this.#waiting, bytes]) : bytes
      this.#send()
    })
    client.on('end', () => {
      this.#isEnded = true
      this.#send()
    })
    client.on('error', () => undefined)
    client.on('close', (hadError) => this.#exchange?.breakOff(hadError))
    client.on('drain', () => this.#exchange?.server.resume())
  }

  /** Passes on what may be passed on now. */
  #send(): void {
    this.#exchange ??= this.#begin()
    const { request, server } = this.#exchange ?? {}
    if (request && server) {
      const taken = request.take(this.#waiting)
      const isFull = taken > 0 && !server.write(this.#waiting.subarray(0, taken))
      this.#waiting = this.#waiting.subarray(taken)
      if (isFull) this.#client.pause()
      if (this.#isEnded && this.#waiting.length === 0) server.end()
    } else if (this.#isEnded) {
      this.#client.end()
    }
    if (this.#waiting.length > mostWaiting) this.#client.pause()
    this.#exchange?.endIfOver()
  }

  #begin(): Exchange | undefined {
    const head = requestIn(this.#waiting, this.#isEnded)
    if (!head) return undefined
    const server = this.#open()
    server.setNoDelay(true)
    server.on('drain', () => this.#client.resume())
    const exchange = new Exchange(this.#client, server, head, () => {
      this.#exchange = undefined
      this.#client.resume()
      if (this.#waiting.length > 0 || this.#isEnded) this.#send()
    })
    return exchange
  }
}

/** A request and its answer, or all that is left of a connection. */
class Exchange {
  readonly server: Socket
  readonly request: Stretch
  readonly #client: Socket
  readonly #method: string
  readonly #over: () => void
  readonly #isTunnel: boolean
  #closes: boolean
  /** Bytes of an answer's head that has not come as a whole. */
  #head: Buffer = Buffer.alloc(0)
  #answer: Stretch | undefined
  #isOver = false

  constructor(client: Socket, server: Socket, head: RequestHead, over: () => void) {
    this.#client = client
    this.server = server
    this.request = head.stretch
    this.#method = head.method
    this.#closes = head.closes
    this.#isTunnel = head.isTunnel
    this.#over = over
    server.on('data', (bytes: Buffer) => this.#receive(bytes))
    server.on('end', () => {
      if (!this.#isOver) client.end()
    })
    server.on('error', () => undefined)
    server.on('close', (hadError) => {
      if (this.#isOver) return
      if (hadError) client.resetAndDestroy()
      else client.end()
    })
  }

  /** The client has gone. */
  breakOff(hadError: boolean): void {
    this.#isOver = true
    if (hadError) this.server.resetAndDestroy()
    else this.server.destroy()
  }

  /** An answer may come before its request has been sent as a whole. Where one side said that it closes, it does. */
  endIfOver(): void {
    if (this.#isOver || this.#closes || !this.request.isOver || !this.#answer?.isOver) return
    this.#isOver = true
    this.server.end()
    this.#over()
  }

  #receive(bytes: Buffer): void {
    if (this.#isOver) return
    if (!this.#client.write(bytes)) this.server.pause()
    if (this.#isTunnel) return
    let rest = bytes
    if (!this.#answer) {
      this.#head = Buffer.concat([this.#head, bytes])
      rest = this.#takeHeads()
    }
    this.#answer?.take(rest)
    this.endIfOver()
  }

  /** Interim answers (1xx) have no body, and another answer comes after them. What it gives back comes after the last head. */
  #takeHeads(): Buffer {
    for (;;) {
      const end = this.#head.indexOf('\r\n\r\n')
      if (end < 0) return this.#head
      const { first, headers } = parseHead(this.#head.subarray(0, end))
      this.#head = this.#head.subarray(end + 4)
      const status = Number(first.split(' ')[1])
      if (status >= 200) {
        const hasBody = this.#method !== 'HEAD' && status !== 204 && status !== 304
        this.#answer = hasBody ? (stretchOf(headers) ?? new Endless()) : new Counted(0)
        this.#closes ||= saysClose(headers)
        return this.#head
      }
    }
  }
}

/** How far something goes in a stream of bytes. */
interface Stretch {
  /** How many of these bytes, the next ones, belong to it. */
  take(bytes: Buffer): number
  readonly isOver: boolean
}

class Counted implements Stretch {
  #left: number

  constructor(bytes: number) {
    this.#left = bytes
  }

  get isOver(): boolean {
    return this.#left === 0
  }

  take({ length }: Buffer): number {
    const taken = Math.min(length, this.#left)
    this.#left -= taken
    return taken
  }
}

class Endless implements Stretch {
  readonly isOver = false

  take({ length }: Buffer): number {
    return length
  }
}

/** A chunked body with its trailers. What is malformed in it the server refuses, and closes: it has no end. */
class Chunked implements Stretch {
  isOver = false
  /** Of a chunk's bytes and the line end behind them. */
  #left = 0
  #line = ''
  #isInTrailers = false

  take(bytes: Buffer): number {
    let at = 0
    while (at < bytes.length && !this.isOver) {
      if (this.#left > 0) {
        const taken = Math.min(this.#left, bytes.length - at)
        this.#left -= taken
        at += taken
        continue
      }
      const end = bytes.indexOf('\n', at)
      const upTo = end < 0 ? bytes.length : end + 1
      this.#line += bytes.toString('latin1', at, upTo)
      at = upTo
      if (end >= 0) this.#lineEnds()
    }
    return at
  }

  #lineEnds(): void {
    const line = this.#line.trimEnd()
    this.#line = ''
    if (this.#isInTrailers) {
      this.isOver = line === ''
      return
    }
    const size = /^[0-9a-f]+/i.exec(line)?.[0]
    if (size === undefined) this.#left = Infinity
    else if (Number.parseInt(size, 16) === 0) this.#isInTrailers = true
    else this.#left = Number.parseInt(size, 16) + 2
  }
}

/** Head and body as one. */
class Message implements Stretch {
  readonly #head: Counted
  readonly #body: Stretch

  constructor(head: number, body: Stretch) {
    this.#head = new Counted(head)
    this.#body = body
  }

  get isOver(): boolean {
    return this.#head.isOver && this.#body.isOver
  }

  take(bytes: Buffer): number {
    const ofHead = this.#head.take(bytes)
    return ofHead + (this.#head.isOver ? this.#body.take(bytes.subarray(ofHead)) : 0)
  }
}

interface RequestHead {
  method: string
  stretch: Stretch
  closes: boolean
  isTunnel: boolean
}

const tunnel: RequestHead = { method: '', stretch: new Endless(), closes: true, isTunnel: true }

/** The request that begins there; undefined where its head may still come. `isAll`: nothing comes any more. */
function requestIn(bytes: Buffer, isAll: boolean): RequestHead | undefined {
  if (bytes.length === 0) return undefined
  const end = bytes.indexOf('\r\n\r\n')
  const head = bytes.toString('latin1', 0, end < 0 ? undefined : end)
  // Also TLS, and what a server refuses before the head is whole.
  if (!/^[A-Z]/.test(head) || /[^\r]\n/.test(head) || head.length > mostWaiting) return tunnel
  if (end < 0) return isAll ? tunnel : undefined
  const { first, headers } = parseHead(bytes.subarray(0, end))
  const body = headers.has('transfer-encoding') || headers.has('content-length') ? stretchOf(headers) : new Counted(0)
  if (!first.endsWith(' HTTP/1.1') || headers.has('upgrade') || !body) return tunnel
  const [method = ''] = first.split(' ')
  return { method, stretch: new Message(end + 4, body), closes: saysClose(headers), isTunnel: false }
}

/** Headers by their names in lower case, all values of a name. */
function parseHead(head: Buffer): { first: string; headers: Map<string, string[]> } {
  const [first = '', ...lines] = head.toString('latin1').split('\r\n')
  const headers = new Map<string, string[]>()
  for (const line of lines) {
    const name = line.slice(0, line.indexOf(':')).trim().toLowerCase()
    headers.set(name, [...(headers.get(name) ?? []), line.slice(line.indexOf(':') + 1).trim()])
  }
  return { first, headers }
}

/** How far the body goes; undefined where that is not said, or twice. */
function stretchOf(headers: Map<string, string[]>): Stretch | undefined {
  const encodings = headers.get('transfer-encoding') ?? []
  const lengths = headers.get('content-length') ?? []
  if (encodings.length + lengths.length !== 1) return undefined
  if (encodings.length > 0) return encodings[0]?.toLowerCase() === 'chunked' ? new Chunked() : undefined
  return /^\d+$/.test(lengths[0] ?? '') ? new Counted(Number(lengths[0])) : undefined
}

function saysClose(headers: Map<string, string[]>): boolean {
  return (headers.get('connection') ?? []).some((value) => /\bclose\b/i.test(value))
}
