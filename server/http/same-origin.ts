/** Where a request was made: on a page of ours, on somebody else's, or by a program that says nothing of pages. */
export type Sender = 'own-page' | 'elsewhere' | 'no-browser'

/** Methods that change nothing (RFC 9110 §9.2.1), so that it does not matter who sends them. */
const harmless = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Who sent a request that is authenticated by what a browser adds by itself: a cookie, or the header of a sign-in proxy. Any
 * page in the world can have a browser send such a request; only those from our own pages may change something. `origin` is
 * that of the configured public address. Harmless methods are never asked and count as `own-page`.
 *
 * A cookie belongs to a browser, so whoever reads one refuses `no-browser` too; behind a sign-in proxy that is a script.
 */
export function sentBy(
  headers: Pick<Headers, 'get'>,
  { origin, method }: { origin: string | undefined; method: string },
): Sender {
  if (harmless.has(method)) return 'own-page'
  const site = headers.get('sec-fetch-site')
  const sender = headers.get('origin')
  // Browsers send it only to https and to this machine (Fetch Metadata §2.4). No page can set or leave out either header.
  // `none`: no page sent it, but the person himself, who loads an address anew. `same-site` is a neighbour on the domain.
  if (site !== null) return site === 'same-origin' || site === 'none' ? 'own-page' : 'elsewhere'
  if (sender === null) return 'no-browser'
  return isOurs(sender, origin, headers.get('host')) ? 'own-page' : 'elsewhere'
}

/**
 * Without a configured origin the scheme is not known, as TLS may have ended at a proxy: the sender's own one tells which
 * port is the usual one.
 */
function isOurs(sender: string, configured: string | undefined, host: string | null): boolean {
  const url = originOf(sender)
  if (!url) return false
  if (configured !== undefined) return url.origin === originOf(configured)?.origin
  return host !== null && url.origin === originOf(`${url.protocol}//${host}`)?.origin
}

/** Scheme, host and port alone: neither `null` nor a list, and nothing that only resembles an origin. */
function originOf(text: string): URL | undefined {
  return /^https?:\/\/[^\s/\\?#@,]+$/i.test(text) ? (URL.parse(text) ?? undefined) : undefined
}
