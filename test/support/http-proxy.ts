import { createServer, type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * What happens to one request. `cut request`: the connection is lost once so many bytes of the body have come. `lose answer`:
 * the server has done it, and the client loses the connection instead of hearing so. `cut answer`: the connection is lost
 * after so many bytes of the body. `damage answer`: one byte of the body is another one. `hold`: nobody ever answers. `answer`:
 * the proxy itself does, and the server never hears of it. `wait`: once so many bytes of the body have come, no more of it is
 * passed on before that has happened. `slow`: so many milliseconds go by before the answer, and at each piece of a body, both ways.
 * With a `method` it waits for a request of that method.
 */
export type HttpFault = { method?: string } & (
  | { kind: 'cut request'; after: number }
  | { kind: 'lose answer' }
  | { kind: 'cut answer'; after: number }
  | { kind: 'damage answer'; at: number }
  | { kind: 'hold' }
  | { kind: 'wait'; after: number; until: Promise<unknown> }
  | { kind: 'slow'; answer: number; piece: number }
  | { kind: 'answer'; status: number; headers?: Record<string, string>; body?: string }
)

export interface SeenRequest {
  method: string
  path: string
  headers: IncomingHttpHeaders
}

/** Stands between clients and a server, and passes on what comes until it is told otherwise. */
export class HttpProxy implements AsyncDisposable {
  readonly seen: SeenRequest[] = []
  /** What happens to each request for which nothing is planned. */
  always: ((request: SeenRequest) => HttpFault | undefined) | undefined
  readonly #target: URL
  readonly #faults: HttpFault[] = []
  readonly #server = createServer((incoming, answer) => this.#handle(incoming, answer))

  readonly #keepsConnections: boolean
  readonly #keepsHost: boolean

  private constructor(target: string, keepsConnections: boolean, keepsHost: boolean) {
    this.#target = new URL(target)
    this.#keepsConnections = keepsConnections
    this.#keepsHost = keepsHost
  }

  /**
   * `keepsConnections` false: each request has a connection of its own. What is cut on one that has been used before, a browser
   * sends once more by itself. `keepsHost`: the server sees the proxy's name, as a signed request wants it.
   */
  static async start(target: string, { keepsConnections = true, keepsHost = false } = {}): Promise<HttpProxy> {
    const proxy = new HttpProxy(target, keepsConnections, keepsHost)
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** For the next requests, one each. */
  plan(...faults: HttpFault[]): void {
    this.#faults.push(...faults)
  }

  /** What came since the last time, and whether all that was planned has happened. */
  take(): { seen: SeenRequest[]; left: number } {
    return { seen: this.seen.splice(0), left: this.#faults.splice(0).length }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  #handle(incoming: IncomingMessage, answer: ServerResponse): void {
    const { method = '', url: path = '', headers } = incoming
    const heard = { method, path, headers }
    this.seen.push(heard)
    const [next] = this.#faults
    const planned = next?.method === undefined || next.method === method ? this.#faults.shift() : undefined
    const fault = planned ?? this.always?.(heard)
    const cut = () => incoming.socket.destroy()
    if (!this.#keepsConnections) answer.shouldKeepAlive = false
    answer.on('error', () => undefined)
    incoming.on('error', () => undefined)
    if (fault?.kind === 'hold') return void incoming.resume()
    if (fault?.kind === 'answer') {
      incoming.resume()
      answer.writeHead(fault.status, fault.headers)
      return void answer.end(fault.body)
    }
    const { hostname, port } = this.#target
    const { host, ...others } = headers
    const passed = this.#keepsHost ? { host, ...others } : others
    const onward = request({ hostname, port, path, method, headers: passed, agent: false }, (response) => {
      if (fault?.kind === 'lose answer') {
        response.resume()
        response.on('end', cut)
        return
      }
      const pass = () => {
        answer.writeHead(response.statusCode ?? 500, response.headers)
        // A client that is told of an answer must be able to see it.
        answer.flushHeaders()
        passBody(response, answer, fault, cut)
      }
      if (fault?.kind === 'slow') setTimeout(pass, fault.answer)
      else pass()
    })
    onward.on('error', cut)
    incoming.on('close', () => {
      if (!incoming.complete) onward.destroy()
    })
    passRequest(incoming, onward, fault, () => {
      cut()
      onward.destroy()
    })
  }
}

function passRequest(
  incoming: IncomingMessage,
  onward: ReturnType<typeof request>,
  fault: HttpFault | undefined,
  cut: () => void,
): void {
  let bytes = 0
  let isWaiting = false
  incoming.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (fault?.kind === 'cut request' && bytes >= fault.after) return cut()
    const meets = fault?.kind === 'wait' && bytes >= fault.after && bytes - chunk.length < fault.after
    const waited = meets ? fault.until : fault?.kind === 'slow' ? Bun.sleep(fault.piece) : undefined
    if (waited) {
      isWaiting = true
      incoming.pause()
      waited.then(() => {
        isWaiting = false
        incoming.resume()
      })
    }
    if (!onward.write(chunk)) {
      incoming.pause()
      onward.once('drain', () => {
        if (!isWaiting) incoming.resume()
      })
    }
  })
  incoming.on('end', () => onward.end())
}

function passBody(
  response: IncomingMessage,
  answer: ServerResponse,
  fault: HttpFault | undefined,
  cut: () => void,
): void {
  let bytes = 0
  let isWaiting = false
  response.on('error', cut)
  response.on('data', (chunk: Buffer) => {
    const from = bytes
    bytes += chunk.length
    if (fault?.kind === 'damage answer' && fault.at >= from && fault.at < bytes) {
      chunk[fault.at - from] = (chunk[fault.at - from] ?? 0) ^ 1
    }
    if (fault?.kind === 'cut answer' && bytes >= fault.after) {
      response.destroy()
      answer.write(chunk.subarray(0, fault.after - from), cut)
      return
    }
    if (fault?.kind === 'slow') {
      isWaiting = true
      response.pause()
      setTimeout(() => {
        isWaiting = false
        response.resume()
      }, fault.piece)
    }
    if (!answer.write(chunk)) {
      response.pause()
      answer.once('drain', () => {
        if (!isWaiting) response.resume()
      })
    }
  })
  response.on('end', () => answer.end())
}
