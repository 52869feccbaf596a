import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { parseProviders, providerVariable } from './oidc-settings.ts'

const needed = {
  STOWAGE_OIDC_CORP_ISSUER: 'https://id.example.com/realms/acme',
  STOWAGE_OIDC_CORP_CLIENT_ID: 'stowage',
}
const mistakesIn = (more: Record<string, string>) => parseProviders({ ...needed, ...more }).mistakes

test('there is none where nothing is set', () => {
  expect(parseProviders({ STOWAGE_OIDC_PUBLISHERS: 'github', STOWAGE_LISTEN: 'x' })).toEqual({
    providers: [],
    mistakes: [],
  })
})

test('two are enough, and everything else has a default', () => {
  const { providers, mistakes } = parseProviders({
    ...needed,
    STOWAGE_OIDC_A1_ISSUER: 'http://127.0.0.1:9000',
    STOWAGE_OIDC_A1_CLIENT_ID: 'a',
    STOWAGE_OIDC_A1_CLIENT_SECRET: 's',
    STOWAGE_OIDC_A1_SCOPES: 'openid  groups offline_access',
    STOWAGE_OIDC_A1_ALLOWED_GROUPS: 'staff, /acme/guests of all',
    STOWAGE_OIDC_A1_GROUP_TEAMS: 'a=b=acme/the team',
    STOWAGE_OIDC_A1_AUTO_REGISTER: 'true',
  })
  expect(mistakes).toEqual([])
  expect(providers).toEqual([
    {
      name: 'a1',
      title: 'A1',
      issuer: 'http://127.0.0.1:9000',
      clientId: 'a',
      clientSecret: 's',
      scopes: 'openid groups offline_access',
      usernameClaim: 'preferred_username',
      allowedGroups: ['staff', '/acme/guests of all'],
      adminGroup: undefined,
      groupTeams: [{ group: 'a=b', organisation: 'acme', team: 'the team' }],
      autoRegister: true,
    },
    {
      name: 'corp',
      title: 'Corp',
      issuer: 'https://id.example.com/realms/acme',
      clientId: 'stowage',
      clientSecret: undefined,
      scopes: 'openid profile email',
      usernameClaim: 'preferred_username',
      allowedGroups: undefined,
      adminGroup: undefined,
      groupTeams: [],
      autoRegister: false,
    },
  ])
})

test.each<[string, string]>([
  ['ISSUER', 'id.example.com'],
  ['ISSUER', 'http://id.example.com'],
  ['ISSUER', 'http://127.0.0.1.example.com'],
  ['ISSUER', 'https://id.example.com?x=1'],
  ['ISSUER', 'https://id.example.com#x'],
  ['ISSUER', 'ftp://id.example.com'],
  ['CLIENT_ID', 'a b'],
  ['SCOPES', 'profile email'],
  ['SCOPES', 'openid "quoted"'],
  ['USERNAME_CLAIM', 'a b'],
  ['ALLOWED_GROUPS', ' , '],
  ['ADMIN_GROUP', 'a, b'],
  ['GROUP_TEAMS', 'developers'],
  ['GROUP_TEAMS', 'developers=acme'],
  ['GROUP_TEAMS', 'developers=acme/'],
  ['GROUP_TEAMS', '=acme/team'],
  ['GROUP_TEAMS', 'developers=acme/team/more'],
  ['AUTO_REGISTER', 'yes'],
])('%s may not be %p, and is named', (key, value) => {
  const name = `STOWAGE_OIDC_CORP_${key}`
  const mistakes = mistakesIn({ [name]: value })
  expect(mistakes).toHaveLength(1)
  expect(mistakes[0]).toStartWith(`${name} is `)
})

describe('it is told', () => {
  test('what is missing', () => {
    expect(parseProviders({ STOWAGE_OIDC_CORP_CLIENT_SECRET: 's' }).mistakes).toEqual([
      'STOWAGE_OIDC_CORP_ISSUER is not set, but other settings of the provider CORP are.',
      'STOWAGE_OIDC_CORP_CLIENT_ID is not set, but other settings of the provider CORP are.',
    ])
  })

  test('that two are one', () => {
    const twin = { STOWAGE_OIDC_TWIN_ISSUER: needed.STOWAGE_OIDC_CORP_ISSUER, STOWAGE_OIDC_TWIN_CLIENT_ID: 'x' }
    expect(mistakesIn(twin)).toEqual(['STOWAGE_OIDC_TWIN_ISSUER is that of CORP too: each provider has its own.'])
  })

  test('without a secret', () => {
    const [mistake] = mistakesIn({ STOWAGE_OIDC_CORP_CLIENT_SECRET: 'not to be seen' })
    expect(mistake).toContain('[secret]')
    expect(mistake).not.toContain('not to be seen')
    const [other] = mistakesIn({ STOWAGE_OIDC_CORP_ISSUER: 'https://a:not-to-be-seen@id.example.com' })
    expect(other).not.toContain('not-to-be-seen')
  })
})

test.each<[string, ReturnType<typeof providerVariable>]>([
  ['STOWAGE_OIDC_CORP_ISSUER', { name: 'CORP', key: 'ISSUER' }],
  ['STOWAGE_OIDC_1_GROUP_TEAMS', { name: '1', key: 'GROUP_TEAMS' }],
  ['STOWAGE_OIDC_PUBLISHERS', undefined],
  ['STOWAGE_OIDC_CORP_ISSUERS', undefined],
  ['STOWAGE_OIDC_my_ISSUER', undefined],
  ['STOWAGE_OIDC_TWO_WORDS_ISSUER', undefined],
  ['STOWAGE_OIDC__ISSUER', undefined],
  ['XSTOWAGE_OIDC_CORP_ISSUER', undefined],
])('%s is of %p', (variable, expected) => {
  expect(providerVariable(variable)).toEqual(expected)
})

test('whatever is set is read or told', () => {
  const keys = [
    'ISSUER',
    'CLIENT_ID',
    'SCOPES',
    'ALLOWED_GROUPS',
    'GROUP_TEAMS',
    'ADMIN_GROUP',
    'AUTO_REGISTER',
  ] as const
  fc.assert(
    fc.property(fc.constantFrom(...keys), fc.string({ unit: 'binary' }), (key, value) => {
      const { providers, mistakes } = parseProviders({ ...needed, [`STOWAGE_OIDC_CORP_${key}`]: value })
      expect(providers.length + mistakes.length).toBeGreaterThan(0)
    }),
  )
})
