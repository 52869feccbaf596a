import type { OidcProvider } from '../../lib/oidc-provider.ts'
import { ownerKey, ownerName } from '../../names.ts'

/** What a provider says of somebody, once it is known that the provider says it. */
export interface Vouched {
  issuer: string
  /** Who it is: no other claim is for ever, or one person's alone. */
  subject: string
  /** What the provider calls him, to be shown. */
  label: string
  /** What he may be called here; a proposal and nothing else. */
  username: string
  /** Only one of which the provider says that it is his. */
  email: string | undefined
  fullName: string
  groups: readonly string[]
}

const longest = 255
const mostGroups = 5_000

/** Reads claims, which may be of any kind: only `sub` was checked. */
export function vouchedFrom(provider: OidcProvider, claims: Readonly<Record<string, unknown>>): Vouched {
  const subject = String(claims.sub)
  const username = shortText(claims[provider.usernameClaim])
  const email = shortText(claims.email)
  return {
    issuer: provider.issuer,
    subject,
    label: username || email || subject.slice(0, longest),
    username,
    email: claims.email_verified === true && email ? email : undefined,
    fullName: shortText(claims.name),
    groups: groupsIn(claims.groups),
  }
}

function shortText(value: unknown): string {
  if (typeof value !== 'string') return ''
  const plain = value.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '').trim()
  return plain.length <= longest ? plain : ''
}

/** One group may come as a text. What is no text is no group. */
function groupsIn(value: unknown): readonly string[] {
  const all = Array.isArray(value) ? value.slice(0, mostGroups) : [value]
  return all.filter((group): group is string => typeof group === 'string' && group.length <= longest)
}

/** Whether somebody in these groups may come in. */
export function mayComeIn({ allowedGroups }: OidcProvider, groups: readonly string[]): boolean {
  return allowedGroups === undefined || allowedGroups.some((group) => groups.includes(group))
}

/** What the groups of somebody decide; of everything else they say nothing. */
export interface GroupRules {
  /** Null: who runs the site is none of the provider's business. */
  isAdmin: boolean | null
  teams: readonly TeamRule[]
}

export interface TeamRule {
  organisationKey: string
  teamKey: string
  isIn: boolean
}

/** Several groups may lead to one team: one of them is enough. */
export function groupRules(provider: OidcProvider, groups: readonly string[]): GroupRules {
  const teams = new Map<string, TeamRule>()
  for (const { group, organisation, team } of provider.groupTeams) {
    const organisationKey = ownerKey(organisation)
    if (organisationKey === undefined) continue
    const teamKey = team.toLowerCase()
    const at = `${organisationKey}/${teamKey}`
    const isIn = groups.includes(group) || (teams.get(at)?.isIn ?? false)
    teams.set(at, { organisationKey, teamKey, isIn })
  }
  const { adminGroup } = provider
  return { isAdmin: adminGroup === undefined ? null : groups.includes(adminGroup), teams: [...teams.values()] }
}

/** The name, where it is one as it stands; else what could be made of it, to be changed. */
export function proposedName(username: string): { name: string; isExact: boolean } {
  if (isName(username)) return { name: username, isExact: true }
  const made = username
    .replace(/@.*$/, '')
    .normalize('NFKD')
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .replaceAll(/[._-]{2,}/g, '-')
    .slice(0, 40)
    .replaceAll(/^[._-]+|[._-]+$/g, '')
  return { name: isName(made) ? made : '', isExact: false }
}

function isName(text: string): boolean {
  try {
    ownerName(text)
    return true
  } catch {
    return false
  }
}
