/** How a browser keeps its session. */
export interface SessionCookie {
  /** Whether browsers reach this server by https alone. */
  isSecure: boolean
  /** Milliseconds, after which the session ends in any case. */
  lifetime: number
}

/**
 * The session's secret that a browser sent; undefined where it sent none. Two that differ are none: a neighbour on the domain
 * may have set one of them, and which comes first tells nothing.
 */
export function sessionSecret(header: string | null, cookie: SessionCookie): string | undefined {
  const begin = `${nameOf(cookie)}=`
  const sent = (header ?? '').split(';').map((pair) => pair.trim())
  const secrets = new Set(sent.filter((pair) => pair.startsWith(begin)).map((pair) => pair.slice(begin.length)))
  const [secret, ...others] = secrets
  return secret !== undefined && others.length === 0 && /^[A-Za-z0-9_-]{43}$/.test(secret) ? secret : undefined
}

/** `Set-Cookie` with the secret, or without one: then the browser forgets it. */
export function setCookie(secret: string | undefined, cookie: SessionCookie): string {
  const seconds = secret === undefined ? 0 : Math.ceil(cookie.lifetime / 1000)
  const usual = `${nameOf(cookie)}=${secret ?? ''}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax`
  return cookie.isSecure ? `${usual}; Secure` : usual
}

/** `__Host-` (RFC 6265bis §4.1.3.2): no other host of the domain can set it, nor can plain http. */
function nameOf({ isSecure }: SessionCookie): string {
  return isSecure ? '__Host-stowage_session' : 'stowage_session'
}
