import ipaddr from 'ipaddr.js'

type Address = ipaddr.IPv4 | ipaddr.IPv6

/** Says whether an address is one of the operator's own proxies. */
export type TrustedProxies = (address: Address) => boolean

export interface Hops {
  /** The other end of the connection, as the socket says. */
  peer: string
  /** `X-Forwarded-For`, all its lines as one. */
  forwardedFor: string | null | undefined
  trusted: TrustedProxies
}

/**
 * The address that a request comes from. A trusted proxy adds its own peer at the right of `X-Forwarded-For`, so the
 * header is read from there, as far as the proxies are trusted: anything further left is only what the client says.
 * An entry that is no address ends the walk.
 *
 * Addresses come out in one spelling: IPv4 inside IPv6 (`::ffff:192.0.2.1`) as IPv4, IPv6 as RFC 5952 has it, without
 * zone. A peer that is no address, such as the path of a socket, comes out as it is.
 */
export function realAddress({ peer, forwardedFor, trusted }: Hops): string {
  let address = parseAddress(peer)
  if (address === undefined) return peer
  if (forwardedFor === null || forwardedFor === undefined) return address.toString()

  const hops = forwardedFor.split(',')
  while (trusted(address)) {
    const next = parseAddress(withoutPort(hops.pop() ?? ''))
    if (next === undefined) break
    address = next
  }
  return address.toString()
}

/** Whether the other end of the connection is itself one of the operator's proxies, whatever it forwards. */
export function isTrustedPeer(peer: string, trusted: TrustedProxies): boolean {
  const address = parseAddress(peer)
  return address !== undefined && trusted(address)
}

/** Whom to count where one person has many addresses: an IPv6 network of 64 bits is what a household gets. */
export function networkOf(address: string): string {
  const parsed = parseAddress(address)
  if (!(parsed instanceof ipaddr.IPv6)) return address
  return `${parsed.parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(':')}::`
}

/**
 * Reads a list of addresses, ranges (`10.0.0.0/8`) and the words `loopback` and `private`, apart by commas or spaces.
 * An empty list trusts nobody. If entries cannot be read, the answer is those entries.
 */
export function parseTrustedProxies(text: string): TrustedProxies | { wrong: string[] } {
  const ranges: Range[] = []
  const wrong: string[] = []
  for (const entry of text.split(/[\s,]+/)) {
    if (entry === '') continue
    const found = namedRanges.get(entry.toLowerCase()) ?? parseRange(entry)
    if (found === undefined) wrong.push(entry)
    else ranges.push(...found)
  }
  if (wrong.length > 0) return { wrong }
  return (address) => ranges.some((range) => isWithin(address, range))
}

type Range = [base: Address, prefixBits: number]

const namedRanges: ReadonlyMap<string, Range[]> = new Map([
  ['loopback', knownRanges('127.0.0.0/8', '::1/128')],
  // RFC 1918 and RFC 4193.
  ['private', knownRanges('10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7')],
])

function knownRanges(...ranges: string[]): Range[] {
  return ranges.map((range) => ipaddr.parseCIDR(range))
}

function isWithin(address: Address, [base, prefixBits]: Range): boolean {
  return address.kind() === base.kind() && address.match(base, prefixBits)
}

function parseRange(text: string): Range[] | undefined {
  const [addressText = '', bitsText, ...rest] = text.split('/')
  const base = parseAddress(addressText)
  if (base === undefined || rest.length > 0) return undefined
  const allBits = base.kind() === 'ipv4' ? 32 : 128
  if (bitsText === undefined) return [[base, allBits]]
  if (!/^\d{1,3}$/.test(bitsText)) return undefined
  // `::ffff:10.0.0.0/104` is 10.0.0.0/8.
  const prefixBits = base.kind() === 'ipv4' && addressText.includes(':') ? Number(bitsText) - 96 : Number(bitsText)
  return prefixBits < 0 || prefixBits > allBits ? undefined : [[base, prefixBits]]
}

/** In characters, with room for a zone: what is longer is not worth looking at. */
const longestAddress = 100

/** Stricter than the library, which reads `10.1` and `012.0.0.1` like the oldest of network programs. */
function parseAddress(text: string): Address | undefined {
  if (text.length > longestAddress) return undefined
  const plain = text.trim().replace(/%.*$/, '')
  const dotted = plain.slice(plain.lastIndexOf(':') + 1)
  const readable = plain.includes(':') ? ipaddr.IPv6.isValid(plain) : plain.includes('.')
  if (!readable || (dotted.includes('.') && !ipaddr.IPv4.isValidFourPartDecimal(dotted))) return undefined
  return ipaddr.process(plain)
}

/** Some proxies write `192.0.2.1:4711` and `[2001:db8::1]:4711`. */
function withoutPort(entry: string): string {
  return entry
    .trim()
    .replace(/^([\d.]+):\d+$/, '$1')
    .replace(/^\[([^\]]*)\](?::\d+)?$/, '$1')
}
