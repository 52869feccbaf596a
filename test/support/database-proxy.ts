import { connect, createServer, type Server, type Socket } from 'node:net'
import { freePort } from './postgres.ts'

/**
 * What happens at a COMMIT. `cut before`: the connection is lost, and COMMIT with it; the server rolls back. `cut while
 * running`: the client loses the connection and the server goes on. `cut after`: the server has done it, and the client
 * loses the connection instead of hearing so. `hold after`: the same, but the connection stays open and silent.
 */
export type CommitFault = 'cut before' | 'cut while running' | 'cut after' | 'hold after'

/** Stands between clients and a PostgreSQL without TLS. It passes on what comes until it is told otherwise. */
export async function startDatabaseProxy(target: { host: string; port: number }): Promise<DatabaseProxy> {
  const proxy = new DatabaseProxy(target)
  await proxy.accept()
  return proxy
}

export class DatabaseProxy implements AsyncDisposable {
  readonly port = freePort()
  readonly #target: { host: string; port: number }
  readonly #lines = new Set<Line>()
  #listener: Server | undefined
  #planned: PlannedFault | undefined
  #isStalled = false
  /** What has happened since. */
  readonly #held: (() => void)[] = []

  constructor(target: { host: string; port: number }) {
    this.#target = target
  }

  /** The address of a database, by way of this proxy. */
  url(databaseUrl: string): string {
    const url = new URL(databaseUrl)
    url.host = `127.0.0.1:${this.port}`
    return url.href
  }

  /** Those that the server has open: one whose client was cut counts until the server is done with it. */
  get openConnections(): number {
    return [...this.#lines].filter((line) => line.isServerOpen).length
  }

  /**
   * Once, to whichever client commits next by a statement that says `commit` and nothing else. Resolves when it has
   * happened: for `cut before` that is when the server has rolled back.
   */
  atNextCommit(fault: CommitFault): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#planned = { fault, happened: resolve }
    return promise
  }

  /** Every connection there is, on both sides. */
  cutAll(): void {
    for (const line of this.#lines) line.cut()
  }

  /** Connections that there are stay; whoever wants a new one is refused. */
  refuse(): void {
    this.#listener?.close()
    this.#listener = undefined
  }

  accept(): Promise<void> {
    const listener = createServer((client) => this.#open(client))
    this.#listener = listener
    return new Promise((resolve, reject) => {
      listener.once('error', reject)
      listener.listen(this.port, '127.0.0.1', resolve)
    })
  }

  /** A black hole: bytes and closings are swallowed, both ways, until `resume` brings them up in their order. */
  stall(): void {
    this.#isStalled = true
  }

  resume(): void {
    this.#isStalled = false
    for (const event of this.#held.splice(0)) event()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.refuse()
    this.cutAll()
  }

  #open(client: Socket): void {
    const line = new Line(client, connect(this.#target), {
      arrive: (event) => {
        if (this.#isStalled) this.#held.push(event)
        else event()
      },
      takeFault: () => {
        const planned = this.#planned
        this.#planned = undefined
        return planned
      },
    })
    this.#lines.add(line)
    line.closed.then(() => this.#lines.delete(line))
  }
}

interface PlannedFault {
  fault: CommitFault
  happened: () => void
}

/** What a line asks of its proxy. */
interface LineOwner {
  /** Lets `event` happen, now or when the proxy is no longer stalled. */
  arrive(event: () => void): void
  /** The fault for a client that is about to commit. */
  takeFault(): PlannedFault | undefined
}

/** A client's connection, and the one to the server that belongs to it. */
class Line {
  /** When neither side is open. */
  readonly closed: Promise<unknown>
  isServerOpen = true
  readonly #client: Socket
  readonly #server: Socket
  readonly #owner: LineOwner
  readonly #fromClient = new Incoming()
  readonly #fromServer = new Incoming()
  #isStarted = false
  #isCut = false
  #planned: PlannedFault | undefined

  constructor(client: Socket, server: Socket, owner: LineOwner) {
    this.#client = client
    this.#server = server
    this.#owner = owner
    client.on('data', (bytes: Buffer) => owner.arrive(() => this.#hearClient(bytes)))
    server.on('data', (bytes: Buffer) => owner.arrive(() => this.#hearServer(bytes)))
    const closed = [client, server].map((socket) => {
      socket.setNoDelay(true)
      // It is closed next, and that is heard.
      socket.on('error', () => {})
      return new Promise<void>((resolve) => socket.once('close', resolve))
    })
    this.closed = Promise.all(closed)
    client.once('close', () => owner.arrive(() => this.#loseClient()))
    server.once('close', () => {
      this.isServerOpen = false
      owner.arrive(() => this.#loseServer())
    })
  }

  cut(): void {
    this.#isCut = true
    this.#client.destroy()
    this.#server.destroy()
  }

  #hearClient(bytes: Buffer): void {
    for (const message of this.#fromClient.take(bytes, () => this.#isStarted)) {
      if (this.#isCut) return
      if (this.#isStarted) this.#passRequest(message)
      else this.#passStartup(message)
    }
  }

  #passStartup(message: Buffer): void {
    // Major version 3: else it asks for encryption, or to cancel what another connection does.
    this.#isStarted = message.readInt16BE(4) === 3
    this.#server.write(message)
  }

  #passRequest(message: Buffer): void {
    if (isCommit(message)) this.#planned ??= this.#owner.takeFault()
    const fault = this.#planned?.fault
    if (fault === 'cut before') {
      this.#isCut = true
      this.#client.destroy()
      return
    }
    this.#server.write(message)
    // Only then the server has all that it needs.
    if (fault === 'cut while running' && 'QS'.includes(typeOf(message))) {
      this.#client.destroy()
      this.#planned?.happened()
    }
  }

  #hearServer(bytes: Buffer): void {
    if (!this.#isStarted) {
      // One byte, without type and length: whether it encrypts.
      this.#client.write(bytes)
      return
    }
    this.#client.cork()
    for (const message of this.#fromServer.take(bytes, () => true)) {
      if (!this.#planned) this.#client.write(message)
      else if (typeOf(message) === 'Z') this.#endCommit(this.#planned)
    }
    this.#client.uncork()
  }

  /** The server has said all that it has to say about it. */
  #endCommit({ fault, happened }: PlannedFault): void {
    if (fault !== 'hold after') {
      this.#client.destroy()
      this.#server.end()
    }
    happened()
  }

  #loseClient(): void {
    if (this.#planned?.fault !== 'cut while running') this.#server.end()
  }

  #loseServer(): void {
    if (this.#planned?.fault !== 'hold after') this.#client.end()
    this.#planned?.happened()
  }
}

/** Bytes as they come, as the messages that they are. */
class Incoming {
  #rest: Buffer

  constructor() {
    this.#rest = Buffer.alloc(0)
  }

  /** The whole ones. A message begins with its type, which the first of a client do not have, and its length. */
  *take(bytes: Buffer, hasType: () => boolean): Generator<Buffer> {
    this.#rest = Buffer.concat([this.#rest, bytes])
    for (;;) {
      const start = hasType() ? 1 : 0
      if (this.#rest.length < start + 4) return
      const end = start + this.#rest.readInt32BE(start)
      if (this.#rest.length < end) return
      const message = this.#rest.subarray(0, end)
      this.#rest = this.#rest.subarray(end)
      yield message
    }
  }
}

function typeOf(message: Buffer): string {
  return message.toString('latin1', 0, 1)
}

function isCommit(message: Buffer): boolean {
  return /^\s*commit\s*;?\s*$/i.test(statementIn(message))
}

/** Of a simple query, or of a statement to prepare, which has a name before. */
function statementIn(message: Buffer): string {
  const type = typeOf(message)
  if (type !== 'Q' && type !== 'P') return ''
  const from = type === 'Q' ? 5 : message.indexOf(0, 5) + 1
  return message.toString('utf8', from, message.indexOf(0, from))
}
