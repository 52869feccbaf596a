/** Who vouches for jobs of a CI system by signed tokens (OpenID Connect). */
export interface Issuer {
  /** As its tokens have it in `iss`, to the letter. */
  url: string
  /** Of whose kind its tokens are: that decides which claim names a project for ever. */
  kind: IssuerKind
}

export type IssuerKind = 'github' | 'gitlab' | 'other'

const readyMade: Record<Exclude<IssuerKind, 'other'>, string> = {
  github: 'https://token.actions.githubusercontent.com',
  gitlab: 'https://gitlab.com',
}

/** Of what is at these hosts the kind is known, however it is entered: by any other claim, whoever takes a name would be let in. */
const kindsByHost: ReadonlyMap<string, IssuerKind> = new Map(
  Object.entries(readyMade).map(([kind, url]) => [new URL(url).hostname, kind as IssuerKind]),
)

/** Each may be asked for its keys, and is held in memory. */
const mostIssuers = 20

/**
 * Reads issuers, apart by commas or spaces: `github` and `gitlab`, any other by its address, and `gitlab=https://…` or `github=https://…`
 * one whose tokens are like theirs. Undefined where an entry cannot be read, or two are the same.
 */
export function parseIssuers(text: string): readonly Issuer[] | undefined {
  const issuers: Issuer[] = []
  for (const entry of text.split(/[\s,]+/).filter(Boolean)) {
    const issuer = issuerFrom(entry)
    if (!issuer || issuers.some(({ url }) => url === issuer.url)) return undefined
    issuers.push(issuer)
  }
  return issuers.length <= mostIssuers ? issuers : undefined
}

function issuerFrom(entry: string): Issuer | undefined {
  const { name, address } = /^(?:(?<name>[a-z]+)(?:=|$))?(?<address>.*)$/i.exec(entry)?.groups ?? {}
  const kind = name?.toLowerCase()
  if (kind === undefined) return isIssuer(entry) ? { url: entry, kind: kindAt(entry) ?? 'other' } : undefined
  if (kind !== 'github' && kind !== 'gitlab') return undefined
  const url = address || (entry.includes('=') ? '' : readyMade[kind])
  return isIssuer(url) && (kindAt(url) ?? kind) === kind ? { url, kind } : undefined
}

function kindAt(url: string): IssuerKind | undefined {
  return kindsByHost.get(new URL(url).hostname)
}

/**
 * An address without a query (OpenID Connect Discovery §3), and without a password. By http only on this machine: whoever stands
 * between could say who anybody is.
 */
export function isIssuer(text: string): boolean {
  const url = text.length <= 500 && /^https?:\/\/[!-~]+$/.test(text) ? URL.parse(text) : null
  if (!url?.hostname || url.username || url.password) return false
  return !/[?#]/.test(text) && (url.protocol === 'https:' || isOnThisMachine(url))
}

/** Whether an address leads to this machine itself. */
export function isOnThisMachine({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname)
}

/** Where its description is (OpenID Connect Discovery §4). */
export function discoveryAddress({ url }: Issuer): string {
  return `${url.replace(/\/$/, '')}/.well-known/openid-configuration`
}
