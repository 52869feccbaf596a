import { ConnectionLost, isSha256, refusalFrom, StowageError } from './errors.ts'

/** Where a server is, and who calls. Without a token and a user it is anybody, who may read what is public. */
export interface ConnectionOptions {
  /** The server's address: what its pages begin with. */
  url: string | URL
  token?: string | undefined
  /** Together with `password`, in place of a token. */
  user?: string | undefined
  password?: string | undefined
  /** In place of the runtime's own. */
  fetch?: (input: string | URL | Request, init?: RequestInit) => Promise<Response>
  /** Sent with each request to this server, and to no other. */
  headers?: Record<string, string>
}

export interface Connection {
  /** Without a slash at its end. */
  url: string
  headers: Headers
  fetch: NonNullable<ConnectionOptions['fetch']>
}

/** A file's address. */
export interface Address {
  owner: string
  package: string
  version: string
  file: string
}

export function connectionTo(options: ConnectionOptions): Connection {
  const url = new URL(options.url)
  if (url.username || url.password) throw new TypeError('Credentials belong into `token` or `user`, not into `url`')
  if (options.token !== undefined && options.user !== undefined) throw new TypeError('Either a token, or a user')
  const headers = new Headers(options.headers)
  if (options.token !== undefined) headers.set('Authorization', `Bearer ${options.token}`)
  if (options.user !== undefined) headers.set('Authorization', basic(options.user, options.password ?? ''))
  return {
    url: (url.origin + url.pathname).replace(/\/+$/, ''),
    headers,
    fetch: options.fetch ?? ((input, init) => fetch(input, init)),
  }
}

function basic(user: string, password: string): string {
  const bytes = new TextEncoder().encode(`${user}:${password}`)
  return `Basic ${btoa(String.fromCharCode(...bytes))}`
}

export function fileUrl(connection: Connection, address: Address): URL {
  const segments = [address.owner, 'generic', address.package, address.version, address.file]
  return new URL(`${connection.url}/api/packages/${segments.map(escaped).join('/')}`)
}

/** An address with its places filled in. */
export function filledIn(path: string, values: Record<string, unknown> | undefined): string {
  return path.replace(/\{(\w+)\}/g, (place, name: string) => {
    const value = values?.[name]
    if (value === undefined) throw new TypeError(`${path} lacks ${place}`)
    return escaped(String(value))
  })
}

function escaped(segment: string): string {
  // A URL would swallow these, escaped or not: a version `.` would become its package, and be deleted in its place.
  if (segment === '' || segment === '.' || segment === '..') {
    throw new TypeError(`Nothing has the name ${JSON.stringify(segment)}`)
  }
  return encodeURIComponent(segment)
}

export interface Asked {
  method: 'GET' | 'HEAD' | 'PUT'
  /** Beside the connection's own. */
  headers?: Record<string, string>
  body?: ReadableStream<Uint8Array> | Uint8Array
  signal: AbortSignal | undefined
}

/**
 * One request, whose redirects are not followed. Throws `ConnectionLost` where there is no answer, and the signal's reason
 * where it was ended.
 */
export async function ask(connection: Connection, url: URL, asked: Asked): Promise<Response> {
  const { method, body, signal } = asked
  signal?.throwIfAborted()
  const headers = new Headers(isAt(connection, url) ? connection.headers : undefined)
  for (const [name, value] of Object.entries(asked.headers ?? {})) headers.set(name, value)
  const isStreamed = body !== undefined && !(body instanceof Uint8Array)
  const init = {
    method,
    headers,
    redirect: 'manual',
    ...(signal ? { signal } : {}),
    ...(body ? { body: body as NonNullable<RequestInit['body']> } : {}),
    ...(isStreamed ? { duplex: 'half', ...(clonesRequests() ? { redirect: 'error', window: null } : {}) } : {}),
  } as RequestInit
  try {
    const response = await connection.fetch(url, init)
    // Browsers do not show redirects. They follow them without the credentials where they lead elsewhere.
    if (response.type !== 'opaqueredirect' || body) return response
    return await connection.fetch(url, { ...init, redirect: 'follow' })
  } catch (error) {
    signal?.throwIfAborted()
    const response = isUnexpectedRedirect(error) && (await ask(connection, url, { method: 'HEAD', signal }))
    if (response && redirection(response, url)) return response
    throw lost(error)
  }
}

/**
 * Whether this is Node's own `fetch`. It clones every request that it may have to send again, and so keeps all that was read of
 * a stream: a gigabyte sent is a gigabyte held (seen with Node 20). Only what may not be redirected, and has no window, is not cloned.
 */
function clonesRequests(): boolean {
  return globalThis.process?.versions?.undici !== undefined && globalThis.process.versions.bun === undefined
}

function isUnexpectedRedirect(error: unknown): boolean {
  const { cause } = Object(error) as { cause?: unknown }
  return cause instanceof Error && cause.message === 'unexpected redirect'
}

export function lost(cause: unknown): ConnectionLost {
  const { cause: below } = Object(cause) as { cause?: unknown }
  const reason = [cause, below].filter((each) => each instanceof Error).map((each) => each.message)
  return new ConnectionLost(['The connection was lost', ...reason].join(': '), { cause })
}

const mostRedirects = 5

export interface Found {
  response: Response
  /** SHA-256 of the file, hexadecimal, by the server: where bytes come from somewhere else, by what sent there. */
  sha256: string | undefined
}

/**
 * What is at an address, wherever it lies. Redirects are followed here because only the server may see its credentials: an
 * object store gets what it must know, and nothing of the connection's headers. Throws `Refused` for what is no file.
 */
export async function find(connection: Connection, from: URL, asked: Asked): Promise<Found> {
  let url = from
  let sha256: string | undefined
  for (let hops = 0; hops <= mostRedirects; hops += 1) {
    const response = await ask(connection, url, asked)
    sha256 ??= sha256In(response.headers)
    const next = redirection(response, url)
    if (next === undefined && response.status >= 400) throw await refusalFrom(response)
    if (next === undefined || (asked.method === 'HEAD' && sha256 !== undefined)) return { response, sha256 }
    await response.body?.cancel()
    url = next
  }
  throw new StowageError(`${from.href} is redirected more than ${mostRedirects} times`)
}

/** A request of the JSON API. It is sent on within the server alone: where an owner has another name now. */
export async function askApi(connection: Connection, request: Request): Promise<Response> {
  let asking = request
  for (let hops = 0; ; hops += 1) {
    const spare = asking.clone() as Request
    const response = await connection.fetch(new Request(asking, { redirect: 'manual' }))
    if (response.type === 'opaqueredirect') return connection.fetch(spare)
    const next = redirection(response, new URL(asking.url))
    const keepsMethod = response.status === 307 || response.status === 308
    if (!next || !keepsMethod || !isAt(connection, next) || hops === mostRedirects) return response
    await response.body?.cancel()
    asking = new Request(next.href, spare as RequestInit)
  }
}

/** Where an answer sends to. */
export function redirection({ status, headers }: Response, from: URL): URL | undefined {
  const location = headers.get('location')
  return [301, 302, 303, 307, 308].includes(status) && location !== null ? new URL(location, from) : undefined
}

export function isAt(connection: Connection, url: URL): boolean {
  return url.origin === new URL(connection.url).origin
}

function sha256In(headers: Headers): string | undefined {
  const checksum = headers.get('x-checksum-sha256')?.trim().toLowerCase()
  if (isSha256(checksum)) return checksum
  const base64 = /(?:^|[\s,])sha-256=:([A-Za-z0-9+/]{43}=):/.exec(headers.get('repr-digest') ?? '')?.[1]
  if (base64 === undefined) return undefined
  return Array.from(atob(base64), (character) => character.charCodeAt(0).toString(16).padStart(2, '0')).join('')
}
