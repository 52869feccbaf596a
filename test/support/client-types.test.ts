import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { Api } from 'gitea-js'
import { checkedClient, demandFit } from './checked-client.ts'
import { answerOf, compare, groups } from './client-types.ts'
import { readType } from './type-grammar.ts'

const file = { id: 1, size: 5, name: 'a', md5: 'a', sha1: 'b', sha256: 'c', sha512: 'd' }
const organization = {
  id: 1,
  name: 'acme',
  username: 'acme',
  full_name: '',
  email: '',
  avatar_url: '',
  description: '',
  website: '',
  location: '',
  visibility: 'public',
  repo_admin_change_team_access: false,
}
const team = {
  id: 2,
  name: 'writers',
  description: '',
  organization,
  permission: 'write',
  units: ['repo.packages'],
  units_map: { 'repo.packages': 'write' },
  includes_all_repositories: false,
  can_create_org_repo: false,
}

describe('a value fits', () => {
  const fitting: [name: string, type: string, value: unknown][] = [
    ['its type', 'PackageFile', file],
    ['with more fields than declared', 'PackageFile', { ...file, content_type: null }],
    ['as a list', 'PackageFile[]', [file, file]],
    ['as an empty list', 'PackageFile[]', []],
    ['with what is nested in it', 'Team', team],
    ['with an empty record', 'Team', { ...team, units_map: {} }],
    ['an alias', 'CommitStatusState', 'success'],
    ['an alias of a list', 'IssueTemplateStringSlice', ['a']],
    ['a record of an alias', 'CreateHookOptionConfig', { url: 'http://localhost' }],
    ['one of two', 'string | undefined', undefined],
  ]
  test.each(fitting)('%s', (_, type, value) => {
    expect(compare(type, value)).toEqual({ mismatches: [], missing: [] })
  })

  test.each(['2024-02-29T23:59:59Z', '0001-01-01T00:00:00Z', '2026-01-31T12:00:00.25+02:00'])('time %s', (time) => {
    expect(compare('Package', { created_at: time }).mismatches).toEqual([])
  })
})

describe('a value does not fit', () => {
  const wrong: [type: string, value: unknown, ...mismatches: string[]][] = [
    ['PackageFile', { ...file, name: 5 }, '.name: 5 is not a string'],
    ['PackageFile', { ...file, size: '5' }, '.size: "5" is not a number'],
    ['PackageFile', { ...file, size: 1.5 }, '.size: 1.5 is not a int64'],
    ['PackageFile', { ...file, id: 2 ** 53 }, '.id: 9007199254740992 is not a int64'],
    ['PackageFile', { ...file, md5: null }, '.md5: null is not a string'],
    ['PackageFile', null, 'the answer: null is not a PackageFile'],
    ['PackageFile', [], 'the answer: [] is not a PackageFile'],
    ['PackageFile[]', {}, 'the answer: {} is not a list'],
    ['PackageFile[]', [file, { ...file, sha1: false }], '[1].sha1: false is not a string'],
    ['PackageFile[]', [null], '[0]: null is not a PackageFile'],
    ['AccessToken', { scopes: 'all' }, '.scopes: "all" is not a list'],
    ['AccessToken', { scopes: ['all', null] }, '.scopes[1]: null is not a string'],
    ['Team', { ...team, organization: null }, '.organization: null is not a Organization'],
    ['Team', { ...team, organization: { ...organization, id: '1' } }, '.organization.id: "1" is not a number'],
    ['Team', { ...team, units_map: { a: 1 } }, '.units_map.a: 1 is not a string'],
    ['Team', { ...team, units_map: ['a'] }, '.units_map: ["a"] is not an object'],
    [
      'Team',
      { ...team, permission: 'all', can_create_org_repo: 0 },
      '.can_create_org_repo: 0 is not a boolean',
      ".permission: \"all\" is not 'none' or 'read' or 'write' or 'admin' or 'owner'",
    ],
    ['User', { email: '' }, '.email: "" is not a email'],
    ['Package', { repository: [] }, '.repository: [] is not a Repository'],
    ['AddTimeOption', {}, '.time: undefined is not a number'],
  ]
  test.each(wrong)('%s %j', (type, value, ...mismatches) => {
    expect(compare(type, value).mismatches).toEqual(mismatches)
  })

  const noTimes = [
    '2024-02-30T00:00:00Z',
    '2023-02-29T00:00:00Z',
    '2024-13-01T00:00:00Z',
    '2024-01-01T24:00:00Z',
    '2024-01-01T00:00:00',
    '2024-01-01 00:00:00Z',
    '2024-01-01',
    '1704067200',
    '',
  ]
  test.each(noTimes)('time %j', (time) => {
    const mismatches = [`.created_at: ${JSON.stringify(time)} is not a date-time`]
    expect(compare('Package', { created_at: time }).mismatches).toEqual(mismatches)
  })
})

test('what is missing is told, however deep', () => {
  const { id: _, ...lacking } = organization
  const { description: __, ...of } = team
  expect(compare('Team[]', [team, { ...of, organization: lacking }])).toEqual({
    mismatches: [],
    missing: ['[1].description', '[1].organization.id'],
  })
  expect(compare('ServerVersion | undefined', {})).toEqual({ mismatches: [], missing: ['.version'] })
})

test('null is only where the protocol has it', () => {
  expect(compare('Package', { repository: null, owner: null }).mismatches).toEqual(['.owner: null is not a User'])
})

test('a field that is spelled otherwise now is checked under that name', () => {
  const { size: _, ...lacking } = file
  expect(compare('PackageFile', lacking).missing).toEqual(['.size'])
  expect(compare('PackageFile', { ...lacking, Size: 5 }).missing).toEqual(['.size'])
})

test('what is no type of JSON, or none that is known, is an error and no answer', () => {
  expect(() => compare('Nonsense', {})).toThrow('declares no type Nonsense')
  expect(() => compare('any', {})).toThrow('type any cannot be read')
  expect(() => compare('Promise<User>', {})).toThrow('Promise<…> cannot be read')
  expect(() => compare('Record<number, string>', {})).toThrow('unknown kind of Record')
  expect(() => compare('() => string', {})).toThrow('a function is no type')
  expect(() => compare('{ /** @format lunar */ day?: string; }', { day: 'x' })).toThrow('format lunar cannot be read')
})

test('every method of the client has its answer', () => {
  const api = new Api<unknown>() as unknown as Record<string, object>
  const methods = groups().flatMap((group) =>
    Object.keys(api[group] as object).map((method) => answerOf(group, method)),
  )
  expect(methods.length).toBeGreaterThan(400)
  expect(answerOf('admin', 'adminCreateUser')).toEqual(readType('User'))
  expect(answerOf('orgs', 'teamSearch')).toMatchObject({ kind: 'fields', fields: [{ name: 'data' }, { name: 'ok' }] })
  expect(answerOf('packages', 'listPackages')).toEqual(readType('Package[]'))
  expect(answerOf('users', 'userDeleteAccessToken')).toEqual(readType('any'))
  expect(() => answerOf('admin', 'adminCreateNobody')).toThrow('The client has no adminCreateNobody')
})

describe('a checked client', () => {
  const answers = new Map<string, { body: string | null; status: number }>()
  const answer = (path: string, status: number, body?: unknown) =>
    answers.set(path, { body: body === undefined ? null : JSON.stringify(body), status })
  const requests: { path: string; authorization: string | null }[] = []
  let server: Bun.Server<undefined>
  let url: string

  beforeAll(() => {
    server = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch(request) {
        const path = new URL(request.url).pathname
        requests.push({ path, authorization: request.headers.get('authorization') })
        const { body, status } = answers.get(path) ?? { body: 'nothing here', status: 404 }
        return new Response(body, { status })
      },
    })
    url = server.url.origin
  })
  afterAll(() => server.stop(true))

  test('answers with the data', async () => {
    answer('/api/v1/teams/2', 200, team)
    expect(await checkedClient(url).teams.orgGetTeam(2)).toEqual(team as never)
  })

  test('throws what does not fit, and what is missing', async () => {
    const { units: _, ...lacking } = team
    answer('/api/v1/teams/3', 200, { ...lacking, id: '3' })
    const reasons = 'teams.orgGetTeam does not fit the client\'s type:\n.id: "3" is not a number\n.units: is missing'
    await expect(checkedClient(url).teams.orgGetTeam(3)).rejects.toThrow(reasons)
    answers.set('/api/v1/teams/4', { body: '{', status: 200 })
    await expect(checkedClient(url).teams.orgGetTeam(4)).rejects.toThrow('the answer: null is not a Team')
  })

  test('throws an answer where the types have none', async () => {
    answer('/api/v1/teams/5/members/ada', 204)
    expect(await checkedClient(url).teams.orgAddTeamMember(5, 'ada')).toBeUndefined()
    answer('/api/v1/teams/5/members/grace', 200, {})
    await expect(checkedClient(url).teams.orgAddTeamMember(5, 'grace')).rejects.toThrow('200 where 204 must be')
  })

  test('throws refusals with status and message, if they look like errors of the API', async () => {
    answer('/api/v1/teams/6', 403, { message: 'no', url: 'http://localhost' })
    await expect(checkedClient(url).teams.orgGetTeam(6)).rejects.toMatchObject({
      name: 'Refused',
      status: 403,
      message: 'no',
    })
    answer('/api/v1/teams/7', 403, { message: 'no' })
    await expect(checkedClient(url).teams.orgGetTeam(7)).rejects.toThrow('orgGetTeam, 403 does not fit')
    await expect(checkedClient(url).teams.orgGetTeam(8)).rejects.toThrow('orgGetTeam, 404 does not fit')
  })

  test('sends its credentials', async () => {
    answer('/api/v1/version', 200, { version: '1' })
    const sent = async (...credentials: [Parameters<typeof checkedClient>[1]?]) => {
      await checkedClient(url, ...credentials).version.getVersion()
      return requests.at(-1)?.authorization
    }
    expect(await sent()).toBeNull()
    expect(await sent({ token: 'abc' })).toBe('Bearer abc')
    expect(await sent({ user: 'ada', password: 'secret' })).toBe(`Basic ${btoa('ada:secret')}`)
  })
})

test('an answer that no method asks for can be held against a type too', () => {
  expect(() => demandFit('files', 'PackageFile[]', [file])).not.toThrow()
  expect(() => demandFit('files', 'PackageFile[]', [{}])).toThrow('[0].sha512: is missing')
})
