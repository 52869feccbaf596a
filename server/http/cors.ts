/** What a script may send from another origin beside the few headers that it always may (Fetch §4.10). */
const sendable =
  /^(authorization|content-type|range|if-(match|none-match|modified-since|unmodified-since|range)|x-(gitea|stowage)-otp|x-checksum-(md5|sha1|sha256|sha512)|repr-digest|content-digest|content-md5|private-token|job-token|x-nuget-apikey|stowage-description)$/

/** What a script reads of an answer beside what its handler names: of refusals, of parts, and which bytes these are. */
const readable = 'Accept-Ranges, Allow, Content-Range, Retry-After, WWW-Authenticate, X-Checksum-Sha256, X-Request-Id'

/** Seconds; Chromium keeps no answer for longer. */
const maxAge = 7_200

/**
 * Lets scripts of the listed origins read an answer. Its headers are changed where they are: a copy of an answer from a
 * file would pass through JavaScript. Never with credentials: a browser's cookie is for our own pages only.
 */
export function withCors(response: Response, request: Request, origins: readonly string[]): Response {
  if (origins.length === 0) return response
  const origin = listedOrigin(request, origins)
  // Also where it was not allowed: a cache must not hand that answer to an origin that is.
  response.headers.append('Vary', 'Origin')
  if (origin === undefined) return response
  response.headers.set('Access-Control-Allow-Origin', origin)
  response.headers.append('Access-Control-Expose-Headers', readable)
  return response
}

/** The answer to a browser that asks before the real request (Fetch §4.8); undefined where this is no such question. */
export function preflight(request: Request, origins: readonly string[]): Response | undefined {
  if (request.method !== 'OPTIONS' || !request.headers.has('access-control-request-method')) return undefined
  const origin = listedOrigin(request, origins)
  if (origin === undefined) return undefined
  const headers = new Headers({
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Allow-Methods': 'GET, HEAD, PUT, POST, PATCH, DELETE',
    'Access-Control-Max-Age': String(maxAge),
    Vary: 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers',
  })
  const wanted = sendableOf(request.headers.get('access-control-request-headers') ?? '')
  if (wanted.length > 0) headers.set('Access-Control-Allow-Headers', wanted.join(', '))
  return new Response(null, { status: 204, headers })
}

function listedOrigin(request: Request, origins: readonly string[]): string | undefined {
  const origin = request.headers.get('origin')
  return origins.find((listed) => listed === origin)
}

function sendableOf(list: string): string[] {
  const names = list.split(',').map((name) => name.trim().toLowerCase())
  return [...new Set(names)].filter((name) => sendable.test(name))
}
