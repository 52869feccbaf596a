import type { HttpHandlerOptions, HttpRequest, HttpResponse, RequestHandler } from '@smithy/types'

/** Bytes that a request is given at once. */
const piece = 256 * 1024

type Answer = Promise<{ response: HttpResponse }>

/**
 * Sends the SDK's requests by the runtime's fetch. Not by the SDK's own handlers: they have every part copied once more, which
 * stays in memory for a while, and only stop waiting for a request that takes too long.
 */
export class S3Requests implements RequestHandler<HttpRequest, HttpResponse, HttpHandlerOptions> {
  readonly #answerTime: number
  readonly #patience: number

  /** Milliseconds until the beginning of an answer, unless a request says otherwise; and between the bytes of one. */
  constructor(answerTime: number, patience: number) {
    this.#answerTime = answerTime
    this.#patience = patience
  }

  /** `requestTimeout` 0: as long as it takes. */
  async handle(
    request: HttpRequest,
    { abortSignal, requestTimeout = this.#answerTime }: HttpHandlerOptions = {},
  ): Answer {
    const late = new AbortController()
    const isLate = Object.assign(new Error(`no answer for ${requestTimeout / 1000} s`), { name: 'TimeoutError' })
    const timer = requestTimeout > 0 ? setTimeout(() => late.abort(isLate), requestTimeout) : undefined
    const signals = abortSignal instanceof AbortSignal ? [abortSignal, late.signal] : [late.signal]
    try {
      const { status, statusText, headers, body } = await fetch(addressOf(request), {
        method: request.method,
        headers: request.headers,
        body: bodyOf(request),
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
      clearTimeout(timer)
    }
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

/** Large ones piece by piece: the runtime copies what it is given whole. */
function bodyOf({ method, body }: HttpRequest): Bun.BodyInit | null {
  if (method === 'GET' || method === 'HEAD') return null
  if (!(body instanceof Uint8Array) || body.length <= piece) return body
  let at = 0
  return new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        if (at >= body.length) return controller.close()
        controller.enqueue(body.subarray(at, at + piece))
        at += piece
      },
    },
    { highWaterMark: 0 },
  )
}
