import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import {
  covers,
  hasScope,
  parseScopes,
  type ScopeName,
  type Scopes,
  scopeList,
  scopesFrom,
  storedScopes,
} from './scopes.ts'

const categories = [
  'package',
  'user',
  'organization',
  'admin',
  'activitypub',
  'misc',
  'notification',
  'issue',
  'repository',
]
const pairs = categories.flatMap((category) => [`read:${category}`, `write:${category}`])
const everyName = ['all', 'public-only', ...pairs]

function scopes(...names: string[]): Scopes {
  const parsed = parseScopes(names)
  if ('unknown' in parsed) throw new Error(`there is no scope ${parsed.unknown}`)
  return parsed
}

describe('scope names', () => {
  test('every name of the protocol is known', () => {
    for (const name of everyName) expect(parseScopes([name])).not.toHaveProperty('unknown')
  })

  test.each([
    '',
    'package',
    'read',
    'read:',
    'READ:package',
    'read:packages',
    'delete:package',
    'read:package ',
    'sudo',
  ])('%p is not one', (name) => {
    expect(parseScopes(['read:user', name])).toEqual({ unknown: name })
  })

  test('are shown as they were asked for, each once, with the restriction at the end', () => {
    expect(scopeList(scopes('write:package', 'public-only', 'read:user', 'write:package'))).toEqual([
      'write:package',
      'read:user',
      'public-only',
    ])
  })

  test('what cannot be read any more allows nothing', () => {
    const lost = scopesFrom('read:package,from-a-later-release')
    for (const name of pairs) expect(hasScope(lost, name as ScopeName)).toBe(false)
    expect(scopeList(lost)).toEqual(['public-only'])
  })

  test('are stored and read back', () => {
    fc.assert(
      fc.property(fc.subarray(everyName), (names) => {
        const asked = scopes(...names)
        expect(scopesFrom(storedScopes(asked))).toEqual(asked)
      }),
    )
  })
})

describe('a token', () => {
  test.each<[string, string[], string[]]>([
    ['read is read', ['read:package'], ['read:package']],
    ['write includes read', ['write:package'], ['read:package', 'write:package']],
    ['one noun is not another', ['write:user', 'read:admin'], ['read:user', 'write:user', 'read:admin']],
    ['all is everything', ['all'], pairs],
    ['public-only gives nothing', ['public-only'], []],
    ['public-only takes no scope away', ['public-only', 'read:package'], ['read:package']],
    ['nothing is nothing', [], []],
  ])('%s', (_, held, allowed) => {
    expect(pairs.filter((name) => hasScope(scopes(...held), name as ScopeName)).sort()).toEqual([...allowed].sort())
  })
})

describe('a token makes another', () => {
  test.each<[string[], string[], boolean]>([
    [['all'], ['all'], true],
    [['all'], ['write:admin', 'read:package'], true],
    [['all'], ['all', 'public-only'], true],
    [['all', 'public-only'], ['all'], false],
    [['all', 'public-only'], ['all', 'public-only'], true],
    [['write:package'], ['write:package'], true],
    [['write:package'], ['read:package'], true],
    [['read:package'], ['write:package'], false],
    [['write:package'], ['write:package', 'public-only'], true],
    [['write:package', 'public-only'], ['read:package'], false],
    [['write:user', 'write:package'], ['read:user', 'write:package'], true],
    [['write:user', 'write:package'], ['read:user', 'read:admin'], false],
    [['write:user'], ['all'], false],
    [pairs, ['all'], false],
  ])('%j may make %j: %p', (held, wanted, expected) => {
    expect(covers(scopes(...held), scopes(...wanted))).toBe(expected)
  })

  test('only when the other may do nothing that it may not', () => {
    fc.assert(
      fc.property(fc.subarray(everyName), fc.subarray(everyName), (heldNames, wantedNames) => {
        const [held, wanted] = [scopes(...heldNames), scopes(...wantedNames)]
        if (!covers(held, wanted)) return
        for (const name of pairs as ScopeName[]) expect(hasScope(held, name) || !hasScope(wanted, name)).toBe(true)
        expect(wanted.publicOnly || !held.publicOnly).toBe(true)
      }),
    )
  })

  test('always one like itself', () => {
    fc.assert(
      fc.property(fc.subarray(everyName), (names) => {
        expect(covers(scopes(...names), scopes(...names))).toBe(true)
      }),
    )
  })
})
