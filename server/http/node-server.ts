import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { HttpServer, ServeOptions } from './http-server.ts'

/**
 * Listens by the runtime's `node:http`, which sends a stream with the `Content-Length` that its answer has; `Bun.serve` drops it
 * (oven-sh/bun#10507). For files on a disk that one is better: there the kernel sends them.
 */
export function serveByNode(options: ServeOptions): HttpServer {
  const { tls, host, port, reusePort, idleSeconds, answer, failed } = options
  const peers = new WeakMap<Request, string>()
  let pending = 0

  async function respond(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = new RequestBody(incoming)
    const gone = new AbortController()
    outgoing.once('close', () => {
      pending -= 1
      if (outgoing.writableFinished) body.letGo()
      else gone.abort()
    })
    try {
      const target = originForm(incoming.url ?? '/')
      const request = requestOf(incoming, target, body, gone.signal)
      peers.set(request, incoming.socket.remoteAddress ?? '')
      await send(await answer(request, target), outgoing, gone.signal)
    } catch (error) {
      const instead = failed(error)
      // Too late for that one: the client sees that what it has is not whole.
      if (outgoing.headersSent) outgoing.destroy()
      else await send(instead, outgoing, gone.signal)
    }
  }

  const listener = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    pending += 1
    // Of a connection that breaks those learn who read from it or write to it.
    for (const side of [incoming, outgoing]) side.on('error', () => {})
    respond(incoming, outgoing).catch(() => outgoing.destroy())
  }
  const server = tls ? createTlsServer(tls, listener) : createServer(listener)
  server.on('checkExpectation', listener)
  // However long an upload takes; only one that stands still is cut off.
  Object.assign(server, { requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0 })
  const address = listen(server, { host, port }, { reusePort, idleTimeout: idleSeconds })
  return {
    port: address.port,
    get pendingRequests() {
      return pending
    },
    requestIP: (request) => {
      const peer = peers.get(request)
      return peer === undefined ? null : { address: peer }
    },
    stop: async (cutsOff = false) => {
      server.close()
      if (cutsOff) server.closeAllConnections()
    },
  }
}

/**
 * The runtime's `node:http` listens by `Bun.serve`. It hands on neither `reusePort` (oven-sh/bun#43690) nor, before a turn of the
 * event loop, a failure: so both are seen to here.
 */
function listen(
  server: Server,
  at: { host: string; port: number },
  options: { reusePort: boolean; idleTimeout: number },
): AddressInfo {
  const { serve } = Bun
  let failure: unknown
  Bun.serve = ((its: Bun.Serve.Options<undefined>) => {
    try {
      return serve({ ...its, ...options } as typeof its)
    } catch (error) {
      failure = error
      throw error
    }
  }) as typeof serve
  try {
    server.once('error', () => {})
    server.listen(at)
  } finally {
    Bun.serve = serve
  }
  if (failure) throw failure
  return server.address() as AddressInfo
}

async function send(response: Response, outgoing: ServerResponse, gone: AbortSignal): Promise<void> {
  const { status, headers, body } = response
  if (gone.aborted) return void body?.cancel()
  // What is streamed tells its length; all else is in memory.
  const told = headers.get('content-length')
  const whole = told === null ? await response.bytes() : undefined
  const lengthLine = whole && status !== 204 && status !== 304 ? ['Content-Length', String(whole.byteLength)] : []
  outgoing.writeHead(status, [...[...headers].flatMap(([name, value]) => [asWritten(name), value]), ...lengthLine])
  if (outgoing.req.method === 'HEAD' || !body) {
    outgoing.end()
  } else if (whole) {
    outgoing.end(whole)
  } else {
    const sent = await pour(body, outgoing, gone, Number(told))
    if (gone.aborted) return
    if (sent !== Number(told)) throw otherLength(sent, Number(told))
    outgoing.end()
  }
}

/** As these names are usually written: they mean the same in any case, but scripts search for them. */
function asWritten(name: string): string {
  return usualNames.get(name) ?? name.replace(/(?<=^|-)[a-z]/g, (letter) => letter.toUpperCase())
}

const usualNames = new Map([
  ['etag', 'ETag'],
  ['www-authenticate', 'WWW-Authenticate'],
])

function otherLength(sent: number, told: number): Error {
  return new Error(`An answer has ${sent} bytes where ${told} should be`)
}

/**
 * Sends a stream as fast as the client takes it; resolves with how many bytes that were. No byte beyond those that were told: the
 * client would take it for the next answer.
 */
async function pour(
  body: ReadableStream<Uint8Array>,
  outgoing: ServerResponse,
  gone: AbortSignal,
  told: number,
): Promise<number> {
  const reader = body.getReader()
  let goOn = () => {}
  outgoing.on('drain', () => goOn())
  gone.addEventListener('abort', () => {
    goOn()
    reader.cancel().catch(() => {})
  })
  for (let sent = 0; ; ) {
    const { done, value } = await reader.read()
    if (done || gone.aborted) return sent
    sent += value.byteLength
    if (sent > told) throw otherLength(sent, told)
    const { promise, resolve } = Promise.withResolvers<void>()
    goOn = resolve
    if (!outgoing.write(value)) await promise
  }
}

/** The body of a request. */
class RequestBody {
  readonly #incoming: IncomingMessage
  #isOver = false

  constructor(incoming: IncomingMessage) {
    this.#incoming = incoming
  }

  /** A chunk for each pull. */
  stream(): ReadableStream<Uint8Array> {
    const incoming = this.#incoming
    const over = (end: () => void) => {
      if (!this.#isOver) end()
      this.#isOver = true
    }
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          incoming.pause()
          incoming.on('data', (chunk: Buffer<ArrayBuffer>) => {
            if (this.#isOver) return
            incoming.pause()
            controller.enqueue(chunk)
          })
          incoming.once('end', () => over(() => controller.close()))
          incoming.once('close', () => over(() => controller.error(new Error('The connection ended within the body'))))
        },
        pull: () => {
          incoming.resume()
        },
        cancel: () => this.letGo(),
      },
      { highWaterMark: 0 },
    )
  }

  /** What is left of it is read and forgotten: behind it comes the next request. */
  letGo(): void {
    this.#isOver = true
    this.#incoming.resume()
  }
}

function requestOf(
  { method = 'GET', rawHeaders }: IncomingMessage,
  target: string,
  body: RequestBody,
  signal: AbortSignal,
): Request {
  const headers = new Headers()
  for (let at = 0; at < rawHeaders.length; at += 2) headers.append(rawHeaders[at] ?? '', rawHeaders[at + 1] ?? '')
  const hasBody = headers.has('content-length') || headers.has('transfer-encoding')
  const mayHaveBody = method !== 'GET' && method !== 'HEAD'
  // A target has no fragment, an address has; and the host as sent may be none that an address can have.
  const escaped = target.replaceAll('#', '%23')
  const url = URL.parse(`http://${headers.get('host')}${escaped}`)?.href ?? `http://stowage${escaped}`
  return new Request(url, { method, headers, signal, body: hasBody && mayHaveBody ? body.stream() : null })
}

/** A target without scheme and host, which it may have (RFC 9112 §3.2.2). */
function originForm(target: string): string {
  return target.replace(/^https?:\/\/[^/?#]*\/?/i, '/')
}
