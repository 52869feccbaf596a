import { pinOf, type WantedClaims } from '../../access/publisher-rules.ts'
import type { PublisherRule } from '../../access/publishers.ts'
import type { Issuer, IssuerKind } from '../../lib/issuers.ts'

/** What people call an issuer. */
export function issuerName({ url, kind }: Issuer): string {
  const host = URL.parse(url)?.host ?? url
  if (host === 'token.actions.githubusercontent.com') return 'GitHub Actions'
  if (url === 'https://gitlab.com') return 'GitLab.com'
  return kind === 'gitlab' ? `GitLab at ${host}` : kind === 'github' ? `GitHub Actions at ${host}` : host
}

/** Of an address: what it is known as, also where nobody trusts it any more. */
export function issuerAt(
  issuers: readonly Issuer[],
  url: string,
): { name: string; kind: IssuerKind; isTrusted: boolean } {
  const known = issuers.find((issuer) => issuer.url === url)
  return {
    name: issuerName(known ?? { url, kind: 'other' }),
    kind: known?.kind ?? 'other',
    isTrusted: known !== undefined,
  }
}

/** Of which jobs a rule is: `repository 74`. */
export function whoseJobs(kind: IssuerKind, claims: WantedClaims): string {
  const value = claims[pinOf(kind).claim] ?? ''
  return kind === 'github' ? `repository ${value}` : kind === 'gitlab' ? `project ${value}` : value
}

/** What is typed into the form, a text for each field. */
export interface PublisherValues {
  name: string
  issuer: string
  pin: string
  ref: string
  environment: string
  workflow_ref: string
  /** Lines of `claim=value`. */
  others: string
  packages: string
}

/** Claims that have a field of their own at an issuer of this kind, beside the pin. */
export function ownFields(kind: IssuerKind): readonly ('ref' | 'environment' | 'workflow_ref')[] {
  return kind === 'github' ? ['ref', 'environment', 'workflow_ref'] : kind === 'gitlab' ? ['ref', 'environment'] : []
}

/** What a form says, as a rule wants it; `wrong` is a line that says nothing. */
export function claimsTyped(kind: IssuerKind, values: PublisherValues): { claims: WantedClaims; wrong?: string } {
  const claims: [string, string][] = [[pinOf(kind).claim, values.pin.trim()]]
  for (const name of ownFields(kind)) if (values[name].trim() !== '') claims.push([name, values[name].trim()])
  for (const line of values.others.split('\n')) {
    if (line.trim() === '') continue
    const [, name = '', value = ''] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(line) ?? []
    const isSaidTwice = claims.some(([known]) => known === name)
    if (name === '' || value === '' || isSaidTwice) return { claims: {}, wrong: line.trim().slice(0, 100) }
    claims.push([name, value])
  }
  return { claims: Object.fromEntries(claims) }
}

/** A rule as the form shows it. */
export function valuesOf(kind: IssuerKind, { name, issuer, claims, packages }: PublisherRule): PublisherValues {
  const pin = pinOf(kind).claim
  const own = ownFields(kind)
  const others = Object.entries(claims).filter(([claim]) => claim !== pin && !own.some((field) => field === claim))
  const field = (claim: 'ref' | 'environment' | 'workflow_ref') => (own.includes(claim) ? (claims[claim] ?? '') : '')
  return {
    ...{ name, issuer, pin: claims[pin] ?? '', packages: packages.join(', ') },
    ...{ ref: field('ref'), environment: field('environment'), workflow_ref: field('workflow_ref') },
    others: others.map(([claim, value]) => `${claim}=${value}`).join('\n'),
  }
}

export function patternsTyped(text: string): string[] {
  return text.split(/[\s,]+/).filter(Boolean)
}
