import { lookup as resolve } from 'node:dns'
import { type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { type AllowedHosts, literalAddress, mayConnect } from './outgoing-addresses.ts'

export interface OutgoingLimits {
  /** Milliseconds for everything: finding the address, connecting, and the whole answer. */
  time: number
  /** Bytes of the answer's body that are read; what comes after them is not. */
  body: number
  /** Bytes of the answer's head. */
  head: number
}

export interface OutgoingParts {
  allowed: AllowedHosts
  limits: OutgoingLimits
  /** Finds the addresses of a host, as `dns.lookup` does with `all`. */
  resolve?: (host: string) => Promise<{ address: string; family: number }[]>
  /** PEM text of a certificate that is trusted in the place of the usual ones. */
  ca?: string
}

export interface OutgoingAnswer {
  status: number
  /** Names are in lower case; lines of one name are one, apart by commas. */
  headers: Record<string, string>
  body: Buffer
}

/** Why there is no answer. The sentence names no more of the address than its host. */
export class OutgoingError extends Error {
  override name = 'OutgoingError'
}

export interface OutgoingRequest {
  /** Usually POST. */
  method?: 'GET' | 'POST'
  url: string
  headers: Record<string, string>
  /** Of a GET: nothing. */
  body: Buffer
}

/**
 * Asks an address that somebody else has named, on a connection of its own, by no proxy. Follows no redirect. What the address
 * may lead to is decided after its host was looked up, and no other address is connected to.
 *
 * Throws an `OutgoingError`, or what `signal` was aborted with.
 */
export async function ask(
  parts: OutgoingParts,
  request: OutgoingRequest,
  signal: AbortSignal,
): Promise<OutgoingAnswer> {
  signal.throwIfAborted()
  const address = new URL(request.url)
  mustBeAllowed(parts.allowed, address.hostname)
  const tooLate = AbortSignal.timeout(parts.limits.time)
  try {
    return await exchange(parts, address, request, AbortSignal.any([signal, tooLate]))
  } catch (error) {
    signal.throwIfAborted()
    if (tooLate.aborted) throw new OutgoingError(`No complete answer within ${parts.limits.time / 1000} seconds.`)
    throw error instanceof OutgoingError ? error : outgoingError(error, parts.limits)
  }
}

/** Throws where the host is an address that may not be connected to: such a one is looked up by nobody. */
export function mustBeAllowed(allowed: AllowedHosts, host: string): void {
  const literal = literalAddress(host)
  if (literal !== undefined && !mayConnect(allowed, host, literal)) throw notAllowed(host)
}

async function exchange(
  { allowed, limits, resolve = lookUp, ca }: OutgoingParts,
  address: URL,
  { method = 'POST', headers, body }: OutgoingRequest,
  signal: AbortSignal,
): Promise<OutgoingAnswer> {
  const isEncrypted = address.protocol === 'https:'
  const host = address.hostname.replace(/^\[(.*)\]$/, '$1')
  const { promise, resolve: answered, reject } = Promise.withResolvers<OutgoingAnswer>()
  const request = (isEncrypted ? requestHttps : requestHttp)({
    method,
    host,
    port: address.port || (isEncrypted ? 443 : 80),
    path: address.pathname + address.search,
    headers: {
      ...headers,
      Host: address.host,
      ...(method === 'GET' ? {} : { 'Content-Length': String(body.byteLength) }),
      Connection: 'close',
    },
    agent: false,
    maxHeaderSize: limits.head,
    rejectUnauthorized: true,
    ...(ca === undefined ? {} : { ca }),
    lookup: (name, options, found) => {
      allowedAddresses(allowed, name, resolve).then(
        (addresses) => {
          const [first] = addresses
          if (options.all) found(null, addresses)
          else found(null, first?.address ?? '', first?.family)
        },
        (error) => found(error, options.all ? [] : ''),
      )
    },
  })
  // Said here too: neither a look-up nor a socket that is being made can be broken off everywhere.
  const abort = () => {
    reject(new OutgoingError('It was broken off.'))
    request.destroy()
  }
  signal.addEventListener('abort', abort)
  request.on('error', reject)
  request.on('response', (response) => {
    readUpTo(limits.body, response).then(
      (read) => answered({ status: response.statusCode ?? 0, headers: headersOf(response), body: read }),
      reject,
    )
  })
  request.end(method === 'GET' ? undefined : body)
  try {
    return await promise
  } finally {
    signal.removeEventListener('abort', abort)
    request.destroy()
  }
}

async function allowedAddresses(
  allowed: AllowedHosts,
  host: string,
  resolve: NonNullable<OutgoingParts['resolve']>,
): Promise<{ address: string; family: number }[]> {
  const found = await resolve(host)
  const some = found.filter(({ address }) => mayConnect(allowed, host, address))
  if (some.length > 0) return some
  if (found.length === 0) throw new OutgoingError(`${host} has no address.`)
  throw notAllowed(`${host} leads to what`)
}

function lookUp(host: string): Promise<{ address: string; family: number }[]> {
  const { promise, resolve: found, reject } = Promise.withResolvers<{ address: string; family: number }[]>()
  resolve(host, { all: true, verbatim: true }, (error, addresses) => (error ? reject(error) : found(addresses)))
  return promise
}

/** Addresses that a name leads to are not told: whoever may make a webhook could ask for all names of the network here. */
function notAllowed(what: string): OutgoingError {
  return new OutgoingError(`${what} is not on the internet, and not among the hosts that are allowed here.`)
}

async function readUpTo(most: number, response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  // Ends the connection where the loop is left.
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk.subarray(0, most - size))
    size += chunk.byteLength
    if (size >= most) break
  }
  if (size < most && !response.complete) throw new OutgoingError('The connection ended in the middle of the answer.')
  return Buffer.concat(chunks)
}

function headersOf({ headers }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]),
  )
}

/** The runtime's own words, which say what went wrong with a host; its codes where they say more. */
function outgoingError(error: unknown, limits: OutgoingLimits): OutgoingError {
  const { code = '', message = String(error) } = error as { code?: string; message?: string }
  if (code === 'HPE_HEADER_OVERFLOW') return new OutgoingError(`The answer's head has more than ${limits.head} bytes.`)
  if (code.startsWith('HPE_')) return new OutgoingError('What answered does not speak HTTP.')
  if (message === 'aborted') return new OutgoingError('The connection ended in the middle of the answer.')
  return new OutgoingError(message && code && !message.includes(code) ? `${message} (${code})` : message || code)
}
