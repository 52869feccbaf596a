import { describe, expect, test } from 'bun:test'
import type { Membership, OwnerRow } from '../catalogue/owners.ts'
import { Problem } from '../problems.ts'
import { anonymous, type Caller, type SignedIn } from './caller.ts'
import { verdict } from './rules.ts'
import { parseScopes } from './scopes.ts'
import { grantToSearch } from './viewers.ts'

const account = { id: 7, name: 'eve', isAdmin: false, isRestricted: false, mustChangePassword: false }
const password: SignedIn['credential'] = { kind: 'password', hash: 'x', secondFactor: null }
const calling = (change: Partial<typeof account>, credential: SignedIn['credential'] = password): Caller => ({
  kind: 'user',
  account: { ...account, ...change },
  credential,
  address: '127.0.0.1',
})

function token(...names: string[]): SignedIn['credential'] {
  const scopes = parseScopes(names)
  if ('unknown' in scopes) throw new Error(`there is no scope ${scopes.unknown}`)
  return { kind: 'token', id: 1, lastEight: '12345678', scopes, expiresAt: null, viaBasic: false, packages: null }
}

const callers: Record<string, Caller> = {
  anonymous,
  'a user': calling({}),
  'a restricted user': calling({ isRestricted: true }),
  'an administrator': calling({ isAdmin: true }),
  'a restricted administrator': calling({ isAdmin: true, isRestricted: true }),
  'a token': calling({}, token('read:package')),
  'a token for what is public': calling({}, token('read:package', 'public-only')),
  'a restricted token for what is public': calling({ isRestricted: true }, token('all', 'public-only')),
  "an administrator's token for what is public": calling({ isAdmin: true }, token('all', 'public-only')),
}

const memberships: Membership[] = ['none', 'member', 'writer', 'owner']
const owners: OwnerRow[] = (['public', 'limited', 'private'] as const).flatMap((visibility) => [
  { id: 7, kind: 'user', name: 'eve', visibility, membership: 'none' },
  { id: 8, kind: 'user', name: 'ada', visibility, membership: 'none' },
  ...memberships.map((membership): OwnerRow => ({ id: 9, kind: 'organisation', name: 'acme', visibility, membership })),
])

describe('a search shows what the rules let read, one owner by one', () => {
  test.each(Object.keys(callers))('%s', (name) => {
    const caller = callers[name] as Caller
    const { visibilities, memberId } = grantToSearch(caller).viewer
    for (const owner of owners) {
      // As the condition of the query has it.
      const isIn = memberId === 7 && owner.membership !== 'none'
      const isSeen = visibilities.includes(owner.visibility) || owner.id === memberId || isIn
      expect([owner, isSeen]).toEqual([owner, verdict(caller, owner, 'read') === 'allowed'])
    }
  })
})

describe('a search is refused', () => {
  const refused: [string, Caller, string][] = [
    ['where everybody must sign in', { kind: 'anonymous', mustSignIn: true }, 'credentials-missing'],
    ['to a token that is not for packages', calling({}, token('read:user')), 'forbidden'],
    ['to such a token of an administrator', calling({ isAdmin: true }, token('write:admin')), 'forbidden'],
  ]
  test.each(refused)('%s', (_, caller, code) => {
    const refusal = (() => {
      try {
        return grantToSearch(caller)
      } catch (error) {
        return error
      }
    })()
    expect(refusal).toBeInstanceOf(Problem)
    expect(refusal).toMatchObject({ code })
  })
})
