import { describe, expect, test } from 'bun:test'
import type { OwnerRow } from '../catalogue/owners.ts'
import type { UserRow } from '../catalogue/users.ts'
import { anonymous, type Caller, maySignIn, type SignedIn } from './caller.ts'
import { permission, type Rank, rankAt, reaches, type Verb, type Verdict, verdict } from './rules.ts'
import { parseScopes, storedScopes } from './scopes.ts'

type Visibility = OwnerRow['visibility']
const visibilities: Visibility[] = ['public', 'limited', 'private']

/** The user whose packages are asked for. */
const ada = (visibility: Visibility): OwnerRow => ({
  id: 1,
  kind: 'user',
  name: 'ada',
  visibility,
  membership: 'none',
})

const people = {
  anonymous: undefined,
  'a stranger': { id: 2, name: 'eve', isAdmin: false, isRestricted: false, mustChangePassword: false },
  'a restricted stranger': { id: 3, name: 'rob', isAdmin: false, isRestricted: true, mustChangePassword: false },
  'the user itself': { id: 1, name: 'ada', isAdmin: false, isRestricted: false, mustChangePassword: false },
  'the user itself, restricted': { id: 1, name: 'ada', isAdmin: false, isRestricted: true, mustChangePassword: false },
  'an administrator': { id: 4, name: 'root', isAdmin: true, isRestricted: false, mustChangePassword: false },
  'a restricted administrator': { id: 4, name: 'root', isAdmin: true, isRestricted: true, mustChangePassword: false },
}
type Person = keyof typeof people
const everybody = Object.keys(people) as Person[]

function calling(person: Person, credential: SignedIn['credential']): Caller {
  const account = people[person]
  return account ? { kind: 'user', account, credential, address: '127.0.0.1' } : anonymous
}

const byPassword: SignedIn['credential'] = { kind: 'password', hash: 'x', secondFactor: null }

function byToken(...names: string[]): SignedIn['credential'] {
  const scopes = parseScopes(names)
  if ('unknown' in scopes) throw new Error(`there is no scope ${scopes.unknown}`)
  return { kind: 'token', id: 7, lastEight: '12345678', scopes, expiresAt: null, viaBasic: false, packages: null }
}

describe('what a caller may do at a user, before any token narrows it', () => {
  // The columns are the visibilities, as in the manual: R reads, RW reads and writes.
  const table: [Person, string, string, string][] = [
    //                               public limited private
    ['anonymous', /*                 */ 'R', '–', '–'],
    ['a stranger', /*                */ 'R', 'R', '–'],
    ['a restricted stranger', /*     */ 'R', '–', '–'],
    ['the user itself', /*           */ 'RW', 'RW', 'RW'],
    ['the user itself, restricted', 'RW', 'RW', 'RW'],
    ['an administrator', /*          */ 'RW', 'RW', 'RW'],
    ['a restricted administrator', /**/ 'RW', 'RW', 'RW'],
  ]
  const signs = { none: '–', read: 'R', write: 'RW' }

  for (const [person, ...expected] of table) {
    test(`${person}: ${expected.join(' ')}`, () => {
      const found = visibilities.map((visibility) => permission(calling(person, byPassword), ada(visibility)))
      expect(found.map((verb) => signs[verb])).toEqual(expected)
    })
  }

  test('nobody is left out', () => {
    expect(table.map(([person]) => person).sort()).toEqual([...everybody].sort())
  })
})

describe('what a caller is at an organisation', () => {
  const memberships: OwnerRow['membership'][] = ['none', 'member', 'writer', 'owner']
  // By what his teams there make of him: at a public, a limited and a private one.
  const stranger = { member: 'member member member', writer: 'member member member', owner: 'owner owner owner' }
  const table: [Person, Partial<Record<OwnerRow['membership'], string>>][] = [
    ['anonymous', { none: 'reader none none' }],
    ['a stranger', { none: 'reader reader none', ...stranger }],
    ['a restricted stranger', { none: 'reader none none', ...stranger }],
    ['an administrator', Object.fromEntries(memberships.map((membership) => [membership, 'owner owner owner']))],
  ]

  test.each(table)('%s: %j', (person, expected) => {
    for (const membership of Object.keys(expected) as OwnerRow['membership'][]) {
      const found = visibilities.map((visibility) =>
        rankAt(calling(person, byPassword), { id: 9, kind: 'organisation', name: 'tools', visibility, membership }),
      )
      expect({ membership, found: found.join(' ') }).toEqual({ membership, found: expected[membership] ?? '' })
    }
  })

  test('includes what is less', () => {
    const ranks: Rank[] = ['none', 'reader', 'member', 'owner']
    for (const [held, rank] of ranks.entries()) {
      expect(ranks.filter((wanted) => reaches(rank, wanted))).toEqual(ranks.slice(0, held + 1))
    }
  })
})

describe('what a caller is told', () => {
  const told: Record<string, Verdict> = {
    yes: 'allowed',
    '401': 'sign-in',
    '404': 'unknown-owner',
    '403 no write': 'no-write',
    '403 scope': 'scope',
    '403 public only': 'public-only',
  }

  /** What each column of a table asks: to read, then to write, at a public, a limited and a private user. */
  const questions = (['read', 'write'] as Verb[]).flatMap((verb) =>
    visibilities.map((visibility) => ({ verb, visibility })),
  )

  type Row = [Person, string, string, string, string, string, string]

  function check(credential: SignedIn['credential'], rows: Row[]) {
    const held = credential.kind === 'token' ? storedScopes(credential.scopes) : 'password'
    for (const [person, ...expected] of rows) {
      test(`${held}: ${person}`, () => {
        const found = questions.map(({ verb, visibility }) =>
          verdict(calling(person, credential), ada(visibility), verb),
        )
        expect(found).toEqual(expected.map((word) => told[word] as Verdict))
      })
    }
  }

  describe('by password, or with a token for everything', () => {
    const rows: Row[] = [
      //                            read: public, limited, private; write: public, limited, private
      ['anonymous', 'yes', '401', '401', '401', '401', '401'],
      ['a stranger', 'yes', 'yes', '404', '403 no write', '403 no write', '404'],
      ['a restricted stranger', 'yes', '404', '404', '403 no write', '404', '404'],
      ['the user itself', 'yes', 'yes', 'yes', 'yes', 'yes', 'yes'],
      ['the user itself, restricted', 'yes', 'yes', 'yes', 'yes', 'yes', 'yes'],
      ['an administrator', 'yes', 'yes', 'yes', 'yes', 'yes', 'yes'],
      ['a restricted administrator', 'yes', 'yes', 'yes', 'yes', 'yes', 'yes'],
    ]
    check(byPassword, rows)
    check(byToken('all'), rows)
    check(byToken('write:package'), rows)
    check(byToken('read:package', 'write:package'), rows)
  })

  describe('with a token that may read packages', () => {
    check(byToken('read:package'), [
      ['a stranger', 'yes', 'yes', '404', '403 no write', '403 no write', '404'],
      ['a restricted stranger', 'yes', '404', '404', '403 no write', '404', '404'],
      ['the user itself', 'yes', 'yes', 'yes', '403 scope', '403 scope', '403 scope'],
      ['an administrator', 'yes', 'yes', 'yes', '403 scope', '403 scope', '403 scope'],
    ])
  })

  describe('with a token for other things than packages', () => {
    const rows: Row[] = [
      ['a stranger', '403 scope', '403 scope', '404', '403 scope', '403 scope', '404'],
      ['a restricted stranger', '403 scope', '404', '404', '403 scope', '404', '404'],
      ['the user itself', '403 scope', '403 scope', '403 scope', '403 scope', '403 scope', '403 scope'],
      ['an administrator', '403 scope', '403 scope', '403 scope', '403 scope', '403 scope', '403 scope'],
    ]
    check(byToken('write:user'), rows)
    check(byToken('read:organization', 'write:repository', 'write:misc'), rows)
    check(byToken('write:admin'), rows)
  })

  describe('with a token for everything that is public', () => {
    const rows: Row[] = [
      ['a stranger', 'yes', '403 public only', '404', '403 no write', '403 public only', '404'],
      ['a restricted stranger', 'yes', '404', '404', '403 no write', '404', '404'],
      ['the user itself', 'yes', '403 public only', '403 public only', 'yes', '403 public only', '403 public only'],
      ['an administrator', 'yes', '403 public only', '403 public only', 'yes', '403 public only', '403 public only'],
    ]
    check(byToken('all', 'public-only'), rows)
    check(byToken('write:package', 'public-only'), rows)
  })

  describe('with a token that may read packages that are public', () => {
    check(byToken('read:package', 'public-only'), [
      ['a stranger', 'yes', '403 public only', '404', '403 no write', '403 public only', '404'],
      [
        'the user itself',
        'yes',
        '403 public only',
        '403 public only',
        '403 scope',
        '403 public only',
        '403 public only',
      ],
    ])
  })

  test('an owner that does not exist is the same to everybody, and to whoever must not see one', () => {
    for (const person of everybody) {
      for (const verb of ['read', 'write'] as Verb[]) {
        expect(verdict(calling(person, byPassword), undefined, verb)).toBe('unknown-owner')
        expect(verdict(calling(person, byToken('write:user', 'public-only')), undefined, verb)).toBe('unknown-owner')
      }
    }
  })

  test('a token never allows what the password of the same person does not', () => {
    for (const person of everybody) {
      for (const { verb, visibility } of questions) {
        const scoped = [byToken('all'), byToken('write:package'), byToken('write:admin', 'public-only')]
        if (verdict(calling(person, byPassword), ada(visibility), verb) === 'allowed') continue
        for (const credential of scoped) {
          expect(verdict(calling(person, credential), ada(visibility), verb)).not.toBe('allowed')
        }
      }
    }
  })
})

describe('what a caller is told of a package', () => {
  const told: Record<string, Verdict> = {
    yes: 'allowed',
    '401': 'sign-in',
    '404 owner': 'unknown-owner',
    '404': 'unknown-package',
    'no write': 'no-write',
    scope: 'scope',
    'public only': 'public-only',
    other: 'other-packages',
  }

  function byDeployToken(packages: string[] | null, ...names: string[]): Caller {
    const scopes = parseScopes(names)
    if ('unknown' in scopes) throw new Error(`there is no scope ${scopes.unknown}`)
    const limit = packages?.map((name) => ({ ownerId: 1, name })) ?? null
    return {
      kind: 'deploy-token',
      owner: { id: 1, name: 'ada', kind: 'user' },
      address: '127.0.0.1',
      credential: {
        ...{ kind: 'deploy-token', id: 9, name: 'ci', lastEight: '12345678', scopes, packages: limit },
        ...{ expiresAt: null, viaBasic: false, origin: undefined },
      },
    }
  }
  const limited = (ownerId: number | null, name: string): SignedIn['credential'] => ({
    ...(byToken('write:package') as Extract<SignedIn['credential'], { kind: 'token' }>),
    packages: [{ ownerId, name }],
  })
  const eve = (credential: SignedIn['credential']) => calling('a stranger', credential)
  const self = (credential: SignedIn['credential']) => calling('the user itself', credential)

  const callers: Record<string, Caller> = {
    anybody: anonymous,
    'a stranger': eve(byPassword),
    'a restricted stranger': calling('a restricted stranger', byPassword),
    'the user itself': self(byPassword),
    'an administrator': calling('an administrator', byPassword),
    'stranger, reading token': eve(byToken('read:package')),
    'stranger, public-only token': eve(byToken('all', 'public-only')),
    'stranger, token for it': eve(limited(1, 'to*')),
    'stranger, token for others': eve(limited(2, '*')),
    'itself, token for it': self(limited(null, 'tool')),
    'itself, token for others': self(limited(1, 'tool-*')),
    'itself, public-only token': self(byToken('all', 'public-only')),
    'deploy token, read': byDeployToken(null, 'read:package'),
    'deploy token, write': byDeployToken(null, 'write:package'),
    'deploy token for others': byDeployToken(['lib'], 'write:package'),
    'deploy token, public-only': byDeployToken(null, 'write:package', 'public-only'),
  }

  // To read, then to write. open: as its owner; hidden: private; +r, +w: private, and names the caller.
  const table = `
    caller                      | public open  | public hidden | public +r      | public +w      | private open  | private hidden | private +r     | private +w
    anybody                     | yes 401      | 404 401       |                |                | 401 401       | 401 401        |                |
    a stranger                  | yes no write | 404 no write  | yes no write   | yes yes        | 404 owner 404 owner | 404 owner 404 owner | yes no write | yes yes
    a restricted stranger       | yes no write | 404 no write  | yes no write   | yes yes        | 404 owner 404 owner | 404 owner 404 owner | yes no write | yes yes
    the user itself             | yes yes      | yes yes       | yes yes        | yes yes        | yes yes       | yes yes        | yes yes        | yes yes
    an administrator            | yes yes      | yes yes       | yes yes        | yes yes        | yes yes       | yes yes        | yes yes        | yes yes
    stranger, reading token     | yes no write | 404 no write  | yes no write   | yes scope      | 404 owner 404 owner | 404 owner 404 owner | yes no write | yes scope
    stranger, public-only token | yes no write | 404 no write  | public only public only | public only public only | 404 owner 404 owner | 404 owner 404 owner | public only public only | public only public only
    stranger, token for it      | yes no write | 404 no write  | yes no write   | yes yes        | 404 owner 404 owner | 404 owner 404 owner | yes no write | yes yes
    stranger, token for others  | other other  | other other   | other other    | other other    | 404 owner 404 owner | 404 owner 404 owner | other other | other other
    itself, token for it        | yes yes      | yes yes       | yes yes        | yes yes        | yes yes       | yes yes        | yes yes        | yes yes
    itself, token for others    | other other  | other other   | other other    | other other    | other other   | other other    | other other    | other other
    itself, public-only token   | yes yes      | public only public only | public only public only | public only public only | public only public only | public only public only | public only public only | public only public only
    deploy token, read          | yes no write | 404 no write  | yes no write   | yes scope      | yes no write  | 404 no write   | yes no write   | yes scope
    deploy token, write         | yes yes      | yes yes       | yes yes        | yes yes        | yes yes       | yes yes        | yes yes        | yes yes
    deploy token for others     | other other  | other other   | other other    | other other    | other other   | other other    | other other    | other other
    deploy token, public-only   | yes yes      | public only public only | public only public only | public only public only | public only public only | public only public only | public only public only | public only public only`
  const [head = [], ...rows] = table
    .trim()
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()))

  test.each(rows.map(([name = '', ...cells]) => [name, cells] as const))('%s', (name, cells) => {
    const caller = callers[name]
    if (!caller) throw new Error(`nobody is ${name}`)
    const found = cells.map((cell, index) => {
      if (cell === '') return ''
      const [visibility, kind = ''] = (head[index + 1] ?? '').split(' ')
      const named = kind === '+w' ? 'write' : kind === '+r' ? 'read' : 'none'
      const its = { key: 'tool', visibility: kind === 'open' ? 'inherit' : 'private', named } as const
      const owner = { ...ada(visibility as Visibility), isNamed: named !== 'none' }
      const words = (['read', 'write'] as Verb[]).map((verb) => {
        const verdictHere = verdict(caller, owner, verb, its)
        return Object.keys(told).find((word) => told[word] === verdictHere)
      })
      return words.join(' ')
    })
    expect(found).toEqual(cells)
  })

  test('nobody is left out', () => {
    expect(rows.map(([name]) => name)).toEqual(Object.keys(callers))
  })

  test('to write, a package that is hidden is the same as one that is not there', () => {
    for (const caller of Object.values(callers)) {
      for (const visibility of visibilities) {
        const at = (its: 'inherit' | 'private') =>
          verdict(caller, ada(visibility), 'write', { key: 'tool', visibility: its, named: 'none' })
        const mayRead = verdict(caller, ada(visibility), 'read', { key: 'tool', visibility: 'private', named: 'none' })
        if (mayRead === 'unknown-package') expect(at('private')).toBe(at('inherit'))
      }
    }
  })
})

describe('an account', () => {
  const row = { is_active: 1, prohibit_login: 0, is_admin: 0, suspended_at: null } as UserRow

  test.each<[string, Partial<UserRow>, boolean]>([
    ['in good standing signs in', {}, true],
    ['that is inactive does not', { is_active: 0 }, false],
    ['whose sign-in is prohibited does not', { prohibit_login: 1 }, false],
    ['that is suspended does not', { suspended_at: 1 }, false],
    ['of an administrator that is inactive does not', { is_active: 0, is_admin: 1 }, false],
    ['of an administrator whose sign-in is prohibited does not', { prohibit_login: 1, is_admin: 1 }, false],
  ])('%s', (_, change, expected) => {
    expect(maySignIn({ ...row, ...change })).toBe(expected)
  })
})
