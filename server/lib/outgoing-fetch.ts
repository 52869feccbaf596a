import { ask, OutgoingError, type OutgoingParts } from './outgoing.ts'
import { type AllowedHosts, parseAllowedHosts } from './outgoing-addresses.ts'

/** What a caller says of a request; `redirect` is always as `manual`. */
export interface OutgoingInit {
  /** Usually GET. */
  method?: string
  headers?: Record<string, string> | Headers
  body?: unknown
  signal?: AbortSignal | null | undefined
}

/** Shaped like `fetch`, as libraries take it. */
export type OutgoingFetch = (url: string, init?: OutgoingInit) => Promise<Response>

/**
 * `fetch` for addresses that were configured, or that what answers there has named: bounded in time and size, follows no redirect, and
 * connects to nothing beside the internet but what is allowed. An answer that is longer than `limits.body` is none.
 *
 * Rejects with an `OutgoingError` whose sentence may be shown, or with what the signal was aborted with.
 */
export function outgoingFetch(parts: OutgoingParts): OutgoingFetch {
  const { limits } = parts
  return async (url, init = {}) => {
    const method = (init.method ?? 'GET').toUpperCase()
    if (method !== 'GET' && method !== 'POST') throw new OutgoingError(`${method} is not asked here.`)
    const headers = Object.fromEntries(new Headers(init.headers))
    const { status, body, ...answer } = await ask(
      { ...parts, limits: { ...limits, body: limits.body + 1 } },
      // What comes packed would have no bound.
      { method, url, headers: { ...headers, 'accept-encoding': 'identity' }, body: bytesOf(init.body) },
      init.signal ?? new AbortController().signal,
    )
    if (body.byteLength > limits.body) throw new OutgoingError(`The answer has more than ${limits.body} bytes.`)
    // These have no body, and `Response` takes none for them.
    const isEmpty = status === 204 || status === 205 || status === 304
    if (status < 200 || status > 599) throw new OutgoingError(`What answered does not speak HTTP: status ${status}.`)
    return new Response(isEmpty ? null : new Uint8Array(body), { status, headers: answer.headers })
  }
}

/** The hosts of these addresses, which may be private, and no others. */
export function hostsOf(urls: readonly string[]): AllowedHosts {
  const hosts = urls.map((url) => new URL(url).hostname)
  const allowed = parseAllowedHosts(hosts.join(' '))
  return 'wrong' in allowed ? { names: new Set(), suffixes: [], ranges: [] } : allowed
}

function bytesOf(body: unknown): Buffer {
  if (body === undefined || body === null) return Buffer.alloc(0)
  if (typeof body === 'string' || body instanceof URLSearchParams) return Buffer.from(String(body))
  if (body instanceof ArrayBuffer) return Buffer.from(body)
  if (body instanceof Uint8Array) return Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  throw new OutgoingError('Only texts and bytes are sent.')
}
