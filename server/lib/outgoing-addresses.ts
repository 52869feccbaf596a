import { networkInterfaces } from 'node:os'
import ipaddr from 'ipaddr.js'

type Address = ipaddr.IPv4 | ipaddr.IPv6
type Range = [base: Address, prefixBits: number]

/** Whom an operator lets a server call although they are not on the internet. */
export interface AllowedHosts {
  /** Folded, without a dot at the end. */
  names: ReadonlySet<string>
  /** `.example.com`: all below it. */
  suffixes: readonly string[]
  ranges: readonly Range[]
}

/**
 * Reads host names, `*.suffix`, addresses and ranges (`10.0.0.0/8`), apart by commas or spaces. If entries cannot be read, the answer
 * is those entries.
 */
export function parseAllowedHosts(text: string): AllowedHosts | { wrong: string[] } {
  const names = new Set<string>()
  const suffixes: string[] = []
  const ranges: Range[] = []
  const wrong: string[] = []
  for (const entry of text.split(/[\s,]+/).filter(Boolean)) {
    const range = rangeFrom(entry)
    const name = hostName(entry.replace(/^\*\./, ''))
    if (range) ranges.push(range)
    else if (name === undefined) wrong.push(entry)
    else if (entry.startsWith('*.')) suffixes.push(`.${name}`)
    else names.add(name)
  }
  return wrong.length > 0 ? { wrong } : { names, suffixes, ranges }
}

/** Letters, digits and hyphens (RFC 1123 §2.1), and `_`, which networks of containers have; the last label is no number. */
function hostName(text: string): string | undefined {
  const folded = text.toLowerCase().replace(/\.$/, '')
  const label = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?'
  if (folded.length > 253 || !new RegExp(`^${label}(?:\\.${label})*$`).test(folded)) return undefined
  return /(^|\.)\d+$/.test(folded) ? undefined : folded
}

function rangeFrom(entry: string): Range | undefined {
  const [text = '', bits, ...rest] = entry.replace(/^\[(.*)\]$/, '$1').split('/')
  const base = parseAddress(text)
  if (!base || rest.length > 0) return undefined
  const allBits = base.kind() === 'ipv4' ? 32 : 128
  if (bits === undefined) return [base, allBits]
  // Of an address that was unwrapped nobody knows of which form the number speaks.
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > allBits || text.includes(':') === (allBits === 32)) return undefined
  return [base, Number(bits)]
}

/**
 * Whether a server may connect to an address that somebody else has named, or to which the host that he named leads: addresses
 * of the internet, unless they are this machine's own; and those that its operator allows, by the host's name or by address.
 *
 * `host` is as `URL.hostname` has it, `address` as the resolver.
 */
export function mayConnect(allowed: AllowedHosts, host: string, address: string, own = ownAddresses()): boolean {
  const name = host.toLowerCase().replace(/\.$/, '')
  if (allowed.names.has(name) || allowed.suffixes.some((suffix) => name.endsWith(suffix))) return true
  const parsed = parseAddress(address)
  if (!parsed) return false
  if (allowed.ranges.some(([base, bits]) => base.kind() === parsed.kind() && parsed.match(base, bits))) return true
  return isOfInternet(parsed) && !own.has(parsed.toString())
}

/** The address, where a host of a URL is one: `[::1]` or `127.0.0.1`, however it was spelled. */
export function literalAddress(host: string): string | undefined {
  return parseAddress(host.replace(/^\[(.*)\]$/, '$1'))?.toString()
}

/** The addresses of this machine's interfaces, as `mayConnect` compares them. */
function ownAddresses(): ReadonlySet<string> {
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  return new Set(own.flatMap(({ address }) => parseAddress(address)?.toString() ?? []))
}

function isOfInternet(address: Address): boolean {
  if (address.range() !== 'unicast') return false
  // IANA has given out no other addresses so far: the rest, such as `::127.0.0.1` (RFC 4291 §2.5.5.1), leads somewhere unforeseen.
  return address instanceof ipaddr.IPv4 || address.match(ipaddr.IPv6.parse('2000::'), 3)
}

/** An address without its zone; one that wraps another, to which it leads in the end, as that one. */
function parseAddress(text: string): Address | undefined {
  const plain = text.replace(/%.*$/, '')
  if (ipaddr.IPv4.isValidFourPartDecimal(plain)) return ipaddr.IPv4.parse(plain)
  if (!plain.includes(':') || plain.length > 45 || !ipaddr.IPv6.isValid(plain)) return undefined
  return unwrapped(ipaddr.IPv6.parse(plain))
}

function unwrapped(address: ipaddr.IPv6): Address {
  const { parts } = address
  const ipv4 = (high = 0, low = 0) => new ipaddr.IPv4([high >> 8, high & 255, low >> 8, low & 255])
  if (address.isIPv4MappedAddress()) return ipv4(parts[6], parts[7])
  // NAT64 (RFC 6052 §2.1) and 6to4 (RFC 3056 §2).
  if (address.match(ipaddr.IPv6.parse('64:ff9b::'), 96)) return ipv4(parts[6], parts[7])
  if (address.match(ipaddr.IPv6.parse('2002::'), 16)) return ipv4(parts[1], parts[2])
  return address
}
