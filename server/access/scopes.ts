const categories = [
  'package',
  'user',
  'organization',
  'admin',
  // Kept for clients that ask for them; nothing here needs them.
  'activitypub',
  'misc',
  'notification',
  'issue',
  'repository',
] as const

export type ScopeCategory = (typeof categories)[number]
export type ScopeName = `${'read' | 'write'}:${ScopeCategory}`

/** What a token may be used for. */
export interface Scopes {
  /** Names as granted, in the order of the request, `public-only` left out. */
  readonly names: readonly string[]
  readonly publicOnly: boolean
}

const known = new Set<string>(['all', ...categories.flatMap((category) => [`read:${category}`, `write:${category}`])])

/** Reads a list of scope names, or says which of them does not exist. */
export function parseScopes(list: readonly string[]): Scopes | { unknown: string } {
  const names = [...new Set(list)].filter((name) => name !== 'public-only')
  const unknown = names.find((name) => !known.has(name))
  return unknown === undefined ? { names, publicOnly: list.includes('public-only') } : { unknown }
}

/** Reads what `storedScopes` wrote. */
export function scopesFrom(stored: string): Scopes {
  const parsed = parseScopes(stored.split(',').filter(Boolean))
  return 'unknown' in parsed ? { names: [], publicOnly: true } : parsed
}

export function storedScopes(scopes: Scopes): string {
  return scopeList(scopes).join(',')
}

/** As the JSON API shows them. */
export function scopeList(scopes: Scopes): string[] {
  return scopes.publicOnly ? [...scopes.names, 'public-only'] : [...scopes.names]
}

/** Whether the token may do it; write includes read. */
export function hasScope(scopes: Scopes, required: ScopeName): boolean {
  const { names } = scopes
  if (names.includes('all') || names.includes(required)) return true
  return required.startsWith('read:') && names.includes(required.replace('read:', 'write:'))
}

/** Whether everything that `wanted` allows is also allowed by `held`. */
export function covers(held: Scopes, wanted: Scopes): boolean {
  if (held.publicOnly && !wanted.publicOnly) return false
  if (held.names.includes('all')) return true
  return wanted.names.every((name) => name !== 'all' && hasScope(held, name as ScopeName))
}

/** Whether they reach packages, and nothing else. */
export function isForPackagesAlone({ names }: Scopes): boolean {
  return names.length > 0 && names.every((name) => name === 'read:package' || name === 'write:package')
}
