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
  const secret = onlyValue(header, nameOf('session', cookie))
  return secret !== undefined && /^[A-Za-z0-9_-]{43}$/.test(secret) ? secret : undefined
}

/** `Set-Cookie` with the secret, or without one: then the browser forgets it. */
export function setCookie(secret: string | undefined, cookie: SessionCookie): string {
  const seconds = secret === undefined ? 0 : Math.ceil(cookie.lifetime / 1000)
  return written('session', secret, seconds, cookie)
}

/** What a browser was given with the first step of a sign-in and brings with the second one; undefined where it has none. */
export function awaitedCode(header: string | null, cookie: Kind): string | undefined {
  return onlyValue(header, nameOf('awaited_code', cookie))
}

/** `Set-Cookie` for between the two steps, for `lifetime` milliseconds, or to forget it. */
export function setAwaitedCode(awaited: string | undefined, lifetime: number, cookie: Kind): string {
  return written('awaited_code', awaited, awaited === undefined ? 0 : Math.ceil(lifetime / 1000), cookie)
}

/** What a browser was given when it was asked for a passkey and brings with the answer; undefined where it has none. */
export function passkeyChallenge(header: string | null, cookie: Kind): string | undefined {
  return onlyValue(header, nameOf('passkey_challenge', cookie))
}

/** `Set-Cookie` until the answer, for `lifetime` milliseconds, or to forget it. */
export function setPasskeyChallenge(sealed: string | undefined, lifetime: number, cookie: Kind): string {
  return written('passkey_challenge', sealed, sealed === undefined ? 0 : Math.ceil(lifetime / 1000), cookie)
}

/** What a browser keeps while somebody is at his OpenID provider (`oidc`), or has to choose a name (`oidc_newcomer`). */
export type ProviderCookie = 'oidc' | 'oidc_newcomer'

export function providerCookie(of: ProviderCookie, header: string | null, cookie: Kind): string | undefined {
  return onlyValue(header, nameOf(of, cookie))
}

/** `Set-Cookie` for `lifetime` milliseconds, or to forget it. */
export function setProviderCookie(
  of: ProviderCookie,
  sealed: string | undefined,
  lifetime: number,
  cookie: Kind,
): string {
  return written(of, sealed, sealed === undefined ? 0 : Math.ceil(lifetime / 1000), cookie)
}

type Kind = Pick<SessionCookie, 'isSecure'>

/** The value that was sent under that name; of two that differ none. */
function onlyValue(header: string | null, name: string): string | undefined {
  const begin = `${name}=`
  const sent = (header ?? '').split(';').map((pair) => pair.trim())
  const values = new Set(sent.filter((pair) => pair.startsWith(begin)).map((pair) => pair.slice(begin.length)))
  const [value, ...others] = values
  return others.length === 0 && value ? value : undefined
}

function written(name: string, value: string | undefined, seconds: number, cookie: Kind): string {
  const usual = `${nameOf(name, cookie)}=${value ?? ''}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax`
  return cookie.isSecure ? `${usual}; Secure` : usual
}

/** `__Host-` (RFC 6265bis §4.1.3.2): no other host of the domain can set it, nor can plain http. */
function nameOf(name: string, { isSecure }: Kind): string {
  return isSecure ? `__Host-stowage_${name}` : `stowage_${name}`
}
