import type { HttpHandlerOptions, HttpRequest, HttpResponse, RequestHandler } from '@smithy/types'

/** Bytes that a request is given at once. */
const piece = 256 * 1024

type Answer = Promise<{ response: HttpResponse }>

/** Bytes that both systems may hold, of which the store tells nothing yet, and how many of them go in a millisecond at the slowest. */
const onTheWay = { most: 4 * 1024 * 1024, slowest: 400 }

/** Attempts at a request that end without a sign of life. */
const mostSilent = 2

/**
 * Sends the SDK's requests by the runtime's fetch. Not by the SDK's own handlers: they have every part copied once more, which
 * stays in memory for a while, and only stop waiting for a request that takes too long.
 */
export class S3Requests implements RequestHandler<HttpRequest, HttpResponse, HttpHandlerOptions> {
  readonly #patience: number

  /**
   * Milliseconds without a sign of life: until more of a body is taken, until the answer begins (where its request does not say
   * otherwise), until more of it comes.
   */
  constructor(patience: number) {
    this.#patience = patience
  }

  async handle(
    request: HttpRequest,
    { abortSignal, requestTimeout = this.#patience }: HttpHandlerOptions = {},
  ): Answer {
    const late = new AbortController()
    const silence = new Silence(requestTimeout, () =>
      late.abort(noAnswer(requestTimeout, this.#isLast(request, requestTimeout))),
    )
    const signals = abortSignal instanceof AbortSignal ? [abortSignal, late.signal] : [late.signal]
    silence.begin()
    try {
      const { status, statusText, headers, body } = await fetch(addressOf(request), {
        method: request.method,
        headers: request.headers,
        body: bodyOf(request, silence),
        signal: AbortSignal.any(signals),
        // The server may have closed one that was used before, and what is streamed cannot be sent again.
        keepalive: !(request.body instanceof ReadableStream),
        redirect: 'manual',
        // Bytes are passed on as they are, as slowly as somebody reads them.
        decompress: false,
        timeout: false,
      })
      const response = {
        statusCode: status,
        reason: statusText,
        headers: Object.fromEntries(headers),
        body: body ? whileItComes(body, this.#patience, late) : new Blob().stream(),
      }
      return { response }
    } finally {
      silence.end()
    }
  }

  /** The SDK counts attempts: whoever asked is not kept waiting for as many silences as there may be failures. */
  #isLast({ headers }: HttpRequest, waited: number): boolean {
    const attempt = Number(/^attempt=(\d+)/.exec(headers['amz-sdk-request'] ?? '')?.[1] ?? 1)
    return attempt * waited >= mostSilent * this.#patience
  }
}

/** By its name the SDK tells whether to send it again. */
function noAnswer(waited: number, isLast: boolean): Error {
  return Object.assign(new Error(`no answer for ${waited / 1000} s`), { name: isLast ? 'Silence' : 'TimeoutError' })
}

/** Ends something where nothing happens for so long. */
class Silence {
  readonly #length: number
  readonly #tooLong: () => void
  #timer: Timer | undefined
  #isOver = false

  constructor(length: number, tooLong: () => void) {
    this.#length = length
    this.#tooLong = tooLong
  }

  /** `more`: milliseconds for what is on its way, of which nothing is heard. */
  begin(more = 0): void {
    this.pause()
    if (!this.#isOver) this.#timer = setTimeout(this.#tooLong, this.#length + more)
  }

  pause(): void {
    clearTimeout(this.#timer)
  }

  end(): void {
    this.#isOver = true
    this.pause()
  }
}

/** The same bytes; breaks the request off where none comes for a while. Only while somebody waits: they may be read as slowly as one likes. */
function whileItComes(body: ReadableStream<Uint8Array>, patience: number, request: AbortController) {
  const reader = body.getReader()
  const stalled = () => request.abort(new Error(`The store sent no byte for ${patience / 1000} s`))
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const timer = setTimeout(stalled, patience)
        const { done, value } = await reader.read().finally(() => clearTimeout(timer))
        if (done) controller.close()
        else controller.enqueue(value)
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
}

function addressOf({ protocol, hostname, port, path, query = {} }: HttpRequest): string {
  const names = Object.keys(query).sort()
  const pairs = names.flatMap((name) => [query[name] ?? ''].flat().map((value) => `${escaped(name)}=${escaped(value)}`))
  const search = pairs.length > 0 ? `?${pairs.join('&')}` : ''
  return `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}${path}${search}`
}

/** As a signature is computed of it (RFC 3986). */
function escaped(text: string): string {
  const hex = (sign: string) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`
  return encodeURIComponent(text).replace(/[!'()*]/g, hex)
}

/** Large ones piece by piece: the runtime copies what it is given whole. And a store that takes pieces is not silent. */
function bodyOf({ method, body }: HttpRequest, silence: Silence): Bun.BodyInit | null {
  if (method === 'GET' || method === 'HEAD') return null
  if (body instanceof ReadableStream) return heard(body, silence)
  if (!(body instanceof Uint8Array) || body.length <= piece) return body
  let at = 0
  return new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        if (at >= body.length) {
          silence.begin(timeOnTheWay(body.length))
          return controller.close()
        }
        silence.begin()
        controller.enqueue(body.subarray(at, at + piece))
        at += piece
      },
    },
    { highWaterMark: 0 },
  )
}

/** The same bytes. A store that waits for more of them is not silent. */
function heard(body: ReadableStream<Uint8Array>, silence: Silence): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  let sent = 0
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        silence.pause()
        const { done, value } = await reader.read()
        sent += value?.byteLength ?? 0
        silence.begin(done ? timeOnTheWay(sent) : 0)
        if (done) controller.close()
        else controller.enqueue(value)
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
}

function timeOnTheWay(bytes: number): number {
  return Math.min(bytes, onTheWay.most) / onTheWay.slowest
}
