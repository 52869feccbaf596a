import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { ownerName } from '../../names.ts'
import { parseProviders } from '../../oidc-settings.ts'
import { groupRules, mayComeIn, proposedName, vouchedFrom } from './vouched.ts'

function provider(settings: Record<string, string> = {}) {
  const all = { ISSUER: 'https://id.example.com', CLIENT_ID: 'stowage', ...settings }
  const environment = Object.fromEntries(Object.entries(all).map(([key, value]) => [`STOWAGE_OIDC_CORP_${key}`, value]))
  const { providers, mistakes } = parseProviders(environment)
  const [only] = providers
  if (!only || mistakes.length > 0) throw new Error(mistakes.join())
  return only
}

describe('what a provider says of somebody', () => {
  test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['nothing but who it is', {}, { label: '17', username: '', email: undefined, fullName: '', groups: [] }],
    ['a name', { preferred_username: ' ada ' }, { username: 'ada', label: 'ada' }],
    [
      'an address of his',
      { email: 'a@example.com', email_verified: true },
      { email: 'a@example.com', label: 'a@example.com' },
    ],
    ['an address that may not be his', { email: 'a@example.com', email_verified: 'true' }, { email: undefined }],
    ['an address, and nothing of whose', { email: 'a@example.com' }, { email: undefined }],
    ['a name that deceives', { preferred_username: 'a\u202ed\u0000a' }, { username: 'ada' }],
    ['a name without an end', { name: 'x'.repeat(256) }, { fullName: '' }],
    [
      'what is no text',
      { preferred_username: 7, name: ['Ada'], email: {} },
      { username: '', fullName: '', label: '17' },
    ],
    ['groups', { groups: ['a', 7, null, 'b', 'x'.repeat(256)] }, { groups: ['a', 'b'] }],
    ['one group', { groups: 'a' }, { groups: ['a'] }],
    ['no list', { groups: { a: true } }, { groups: [] }],
  ])('is read: %s', (_, claims, expected) => {
    expect(vouchedFrom(provider(), { sub: '17', ...claims })).toMatchObject({ subject: '17', ...expected })
  })

  test('is called by the claim that is set', () => {
    const claims = { sub: '17', preferred_username: 'ada', nickname: 'countess' }
    expect(vouchedFrom(provider({ USERNAME_CLAIM: 'nickname' }), claims).username).toBe('countess')
  })

  test('may be anything', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('preferred_username', 'email', 'name', 'groups'), fc.anything()),
        (claims) => {
          const { label, groups } = vouchedFrom(provider(), { ...claims, sub: '17' })
          expect(label.length).toBeWithin(1, 256)
          expect(groups.every((group) => typeof group === 'string')).toBeTrue()
        },
      ),
    )
  })
})

describe('groups', () => {
  test.each<[string | undefined, string[], boolean]>([
    [undefined, [], true],
    ['staff', ['staff'], true],
    ['staff, guests', ['others', 'guests'], true],
    ['staff', ['Staff'], false],
    ['staff', ['staff2', 'sta', ' staff'], false],
    ['/acme/staff', ['/acme/staff'], true],
    ['staff', [], false],
  ])('%p lets somebody in %p in: %p', (allowed, groups, expected) => {
    expect(mayComeIn(provider(allowed === undefined ? {} : { ALLOWED_GROUPS: allowed }), groups)).toBe(expected)
  })

  const mapped = { GROUP_TEAMS: 'dev=acme/Release, ops = Acme/release, a=b=acme/Owners' }
  test.each<[string[], Record<string, boolean>]>([
    [[], { release: false, owners: false }],
    [['dev'], { release: true, owners: false }],
    [['ops'], { release: true, owners: false }],
    [['dev', 'ops', 'a=b', 'x'], { release: true, owners: true }],
    [['a', 'b'], { release: false, owners: false }],
  ])('%p are in %p', (groups, teams) => {
    const { teams: rules } = groupRules(provider(mapped), groups)
    expect(Object.fromEntries(rules.map(({ teamKey, isIn }) => [teamKey, isIn]))).toEqual(teams)
    expect(rules.every(({ organisationKey }) => organisationKey === 'acme')).toBeTrue()
  })

  test.each<[string | undefined, string[], boolean | null]>([
    [undefined, ['admins'], null],
    ['admins', ['admins'], true],
    ['admins', ['Admins'], false],
  ])('with the administrators in %p, %p: %p', (group, groups, expected) => {
    expect(groupRules(provider(group === undefined ? {} : { ADMIN_GROUP: group }), groups).isAdmin).toBe(expected)
  })
})

describe('a name', () => {
  test.each<[string, string, boolean]>([
    ['ada', 'ada', true],
    ['Ada.Lovelace', 'Ada.Lovelace', true],
    ['ada@example.com', 'ada', false],
    ['Ada Lovelace', 'Ada-Lovelace', false],
    ['Zoë', 'Zoe', false],
    ['--ada__', 'ada', false],
    ['api', '', false],
    ['', '', false],
    ['日本', '', false],
  ])('is proposed of %p: %p', (username, name, isExact) => {
    expect(proposedName(username)).toEqual({ name, isExact })
  })

  test('is one, or none', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (username) => {
        const { name, isExact } = proposedName(username)
        if (name !== '') expect(ownerName(name).text).toBe(name)
        else expect(isExact).toBeFalse()
      }),
    )
  })
})
