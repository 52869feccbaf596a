import { isIssuer } from './lib/issuers.ts'
import type { GroupTeam, OidcProvider } from './lib/oidc-provider.ts'

/** What can be said of a provider, behind `STOWAGE_OIDC_<NAME>_`. */
export const providerKeys = [
  'ISSUER',
  'CLIENT_ID',
  'CLIENT_SECRET',
  'SCOPES',
  'USERNAME_CLAIM',
  'ALLOWED_GROUPS',
  'ADMIN_GROUP',
  'GROUP_TEAMS',
  'AUTO_REGISTER',
] as const

export type ProviderKey = (typeof providerKeys)[number]

/** What each does, in the words of the README's table. */
export const providerMeanings: Record<ProviderKey, string> = {
  ISSUER: 'the provider, as it calls itself: `https://id.example.com/realms/acme`',
  CLIENT_ID: 'what the provider calls this server',
  CLIENT_SECRET: 'what this server shows the provider',
  SCOPES: 'what is asked for; `groups` and `offline_access` beside them where groups are to be asked for again',
  USERNAME_CLAIM: 'the claim that proposes a user name',
  ALLOWED_GROUPS: 'groups of which somebody must be in one to come in, separated by commas',
  ADMIN_GROUP: 'the group whose people run the site',
  GROUP_TEAMS: 'which groups are in which teams: `developers=acme/release, ops=acme/Owners`',
  AUTO_REGISTER: 'whether somebody who has no account yet gets one',
}

/** The provider and what is said of it, where a variable is about one. */
export function providerVariable(variable: string): { name: string; key: ProviderKey } | undefined {
  const { name, rest } = /^STOWAGE_OIDC_(?<name>[A-Z0-9]+)_(?<rest>[A-Z_]+)$/.exec(variable)?.groups ?? {}
  const key = providerKeys.find((known) => known === rest)
  return name !== undefined && key !== undefined ? { name, key } : undefined
}

/** Each is a button on a page, and held in memory. */
const mostProviders = 20
const mostEntries = 500
const longestName = 32

/** Reads the providers from environment variables; what cannot be read is a sentence that names the variable. */
export function parseProviders(environment: Record<string, string | undefined>): {
  providers: readonly OidcProvider[]
  mistakes: readonly string[]
} {
  const said = new Map<string, Partial<Record<ProviderKey, string>>>()
  for (const [variable, value] of Object.entries(environment)) {
    const found = value ? providerVariable(variable) : undefined
    if (found) said.set(found.name, { ...said.get(found.name), [found.key]: value })
  }
  const mistakes: string[] = []
  const providers: OidcProvider[] = []
  for (const [name, values] of [...said].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const read = readProvider(name, values)
    mistakes.push(...read.mistakes)
    providers.push(read.provider)
    const twin = providers.find((other) => other !== read.provider && other.issuer === read.provider.issuer)
    // Which of the two is meant could not be told by what either says of somebody.
    if (twin && values.ISSUER)
      mistakes.push(
        `${variableOf(name, 'ISSUER')} is that of ${twin.name.toUpperCase()} too: each provider has its own.`,
      )
  }
  if (providers.length > mostProviders)
    mistakes.push(`STOWAGE_OIDC_… names ${providers.length} providers, but there may be ${mostProviders} at most.`)
  return { providers, mistakes }
}

function variableOf(name: string, key: ProviderKey): string {
  return `STOWAGE_OIDC_${name}_${key}`
}

function readProvider(name: string, values: Partial<Record<ProviderKey, string>>) {
  const mistakes: string[] = []
  const read = <T>(key: ProviderKey, usual: T, parse: (text: string) => T | undefined, expected: string): T => {
    const text = values[key]
    if (text === undefined) return usual
    const value = parse(text)
    if (value !== undefined) return value
    const shown = key === 'CLIENT_SECRET' ? '[secret]' : JSON.stringify(text).replace(/\/\/.*@/s, '//[secret]@')
    mistakes.push(`${variableOf(name, key)} is ${shown}, but ${expected}.`)
    return usual
  }
  if (name.length > longestName) mistakes.push(`STOWAGE_OIDC_${name}_…: the name has more than ${longestName} signs.`)
  for (const needed of ['ISSUER', 'CLIENT_ID'] as const) {
    if (values[needed] === undefined)
      mistakes.push(`${variableOf(name, needed)} is not set, but other settings of the provider ${name} are.`)
  }
  const groups = 'must be names of groups separated by commas'
  const provider: OidcProvider = {
    name: name.toLowerCase(),
    title: name.charAt(0) + name.slice(1).toLowerCase(),
    issuer: read('ISSUER', '', issuerAddress, 'must be an https address, or http on this machine, without a query'),
    clientId: read('CLIENT_ID', '', visible, 'must be an id without spaces'),
    clientSecret: read<string | undefined>('CLIENT_SECRET', undefined, visible, 'must be a secret without spaces'),
    scopes: read('SCOPES', 'openid profile email', scopes, 'must be scopes apart by spaces, openid among them'),
    usernameClaim: read('USERNAME_CLAIM', 'preferred_username', visible, 'must be the name of a claim'),
    allowedGroups: read<readonly string[] | undefined>('ALLOWED_GROUPS', undefined, groupList, groups),
    adminGroup: read<string | undefined>('ADMIN_GROUP', undefined, oneGroup, 'must be the name of one group'),
    groupTeams: read<readonly GroupTeam[]>(
      'GROUP_TEAMS',
      [],
      groupTeams,
      'must be groups and their teams separated by commas, such as developers=acme/release, ops=acme/Owners',
    ),
    autoRegister: read('AUTO_REGISTER', false, flag, 'must be one of true, false'),
  }
  return { provider, mistakes }
}

function issuerAddress(text: string): string | undefined {
  return isIssuer(text) ? text : undefined
}

function visible(text: string): string | undefined {
  return /^[!-~]{1,1000}$/.test(text) ? text : undefined
}

function scopes(text: string): string | undefined {
  const all = text.split(/\s+/).filter(Boolean)
  const areScopes = all.length <= 50 && all.every((scope) => /^[!#-[\]-~]{1,200}$/.test(scope))
  return areScopes && all.includes('openid') ? all.join(' ') : undefined
}

function groupList(text: string): readonly string[] | undefined {
  const groups = text
    .split(',')
    .map((group) => group.trim())
    .filter(Boolean)
  return groups.length > 0 && groups.length <= mostEntries && groups.every(isGroup) ? groups : undefined
}

function oneGroup(text: string): string | undefined {
  const [group, ...others] = groupList(text) ?? []
  return others.length === 0 ? group : undefined
}

function isGroup(text: string): boolean {
  return text.length <= 255 && !/\p{Cc}/u.test(text)
}

/** The last `=` parts them: names of groups may hold some. */
function groupTeams(text: string): readonly GroupTeam[] | undefined {
  const entries = text
    .split(',')
    .map((entry) => entry.trim())
    .filter(Boolean)
  const read = entries.map((entry) => {
    const { group, organisation, team } =
      /^(?<group>.+)=\s*(?<organisation>[A-Za-z0-9._-]{1,40})\/(?<team>[^/=]{1,255})$/.exec(entry)?.groups ?? {}
    if (group === undefined || organisation === undefined || team === undefined || !isGroup(group)) return undefined
    return { group: group.trim(), organisation, team: team.trim() }
  })
  const known = read.filter((entry) => entry !== undefined)
  return known.length === entries.length && known.length > 0 && known.length <= mostEntries ? known : undefined
}

function flag(text: string): boolean | undefined {
  return text === 'true' ? true : text === 'false' ? false : undefined
}
