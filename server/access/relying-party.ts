/** To whom passkeys belong: a browser shows one at no other origin. */
export interface RelyingParty {
  /** The host's name. */
  id: string
  origin: string
}

/** Why there can be none: the host is an IP address; or browsers do not trust the way to it. */
export type NoRelyingParty = 'address' | 'insecure'

/**
 * The relying party of a site at this address (Web Authentication §5.1.3: a domain, in a secure context). Of plain http only this
 * machine itself is one (Secure Contexts §3.1).
 */
export function relyingParty(publicUrl: string): RelyingParty | NoRelyingParty {
  const { hostname, origin, protocol } = new URL(publicUrl)
  if (isAddress(hostname)) return 'address'
  const isHere = hostname === 'localhost' || hostname.endsWith('.localhost')
  return protocol === 'https:' || isHere ? { id: hostname, origin } : 'insecure'
}

/** `URL` has written every form of an IPv4 address with its four numbers, and IPv6 in brackets. */
function isAddress(hostname: string): boolean {
  return hostname.startsWith('[') || /^\d+\.\d+\.\d+\.\d+$/.test(hostname)
}
