import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { apiApp } from '../../server/http/api/app.ts'
import type { HttpParts } from '../../server/http/parts.ts'
import { signInRoutes } from '../../server/http/sign-in/app.ts'
import { pageRoutes } from '../../server/pages/app.ts'
import { type Route, routesOf } from '../support/routes.ts'
import { adminPassword, basic, type Client, startStowage, type TestStowage } from '../support/stowage.ts'

/*
 * What no client should send, at every route of the JSON API and of the browser: the answer is a clear 4xx, never a 500. The
 * routes are those of the server; one that takes a body needs a line in `bodies`, and says so where it has none.
 */

const routes = [...routesOf(apiApp({} as HttpParts)), ...routesOf(signInRoutes({} as HttpParts))]
const named = (some: Route[]) => some.map((route) => [`${route.method} ${route.path}`, route] as const)

/** Bodies as they should be, with all fields that a route reads. What they are about is new, or not there: little is changed. */
const bodies: Record<string, Record<string, unknown>> = {
  'POST /api/v1/user/password': { old_password: 'old password', new_password: 'new password' },
  'PATCH /api/v1/user/settings': {
    full_name: 'Admin',
    description: 'd',
    website: 'https://example.com',
    location: 'here',
    visibility: 'public',
    email: 'admin@example.com',
    hide_email: false,
  },
  'POST /api/v1/user/totp/confirm': { code: '123456' },
  'POST /api/v1/user/invitations': { code: 'none' },
  'POST /api/v1/users/:name/tokens': {
    name: 'ci',
    scopes: ['read:package'],
    expires_at: '2999-01-01T00:00:00Z',
    packages: ['admin/*'],
  },
  'POST /api/v1/owners/:owner/publishers': publisher('new'),
  'PATCH /api/v1/owners/:owner/publishers/:id': publisher('changed'),
  'POST /api/v1/owners/:owner/deploy-tokens': {
    name: 'ci',
    scopes: ['read:package'],
    expires_at: '2999-01-01T00:00:00Z',
    packages: ['*'],
  },
  'POST /api/v1/admin/users': {
    username: 'newcomer',
    password: 'long enough',
    email: 'newcomer@example.com',
    full_name: 'N',
    visibility: 'public',
    restricted: false,
    must_change_password: false,
    source_id: 0,
    login_name: '',
  },
  'PATCH /api/v1/admin/users/:name': {
    password: 'long enough',
    email: 'victim@example.com',
    full_name: 'V',
    description: 'd',
    website: 'https://example.com',
    location: 'here',
    visibility: 'public',
    active: true,
    admin: false,
    prohibit_login: false,
    restricted: false,
    must_change_password: false,
    allow_create_organization: true,
    max_repo_creation: 1,
  },
  'PATCH /api/v1/packages/:owner/generic/:name/-/metadata': {
    description: 'd',
    readme: '# r',
    homepage: 'https://example.com',
    repository_url: 'https://example.com/code',
    labels: ['l'],
  },
  'PATCH /api/v1/packages/:owner/generic/:name/-/access': { visibility: 'inherit' },
  'PUT /api/v1/packages/:owner/generic/:name/-/access/users/:user': { permission: 'read' },
  'PUT /api/v1/packages/:owner/generic/:name/-/access/teams/:id': { permission: 'read' },
  'PUT /api/v1/packages/:owner/generic/:name/-/access/deploy-tokens/:id': { permission: 'write' },
  'POST /api/v1/packages/:owner/generic/:name/-/delete-versions': { versions: ['none'], dry_run: true },
  'PATCH /api/v1/admin/quotas': { site: { bytes: null }, owners: { file_size: null } },
  'PATCH /api/v1/admin/quotas/owners/:owner': { versions: 100_000, bytes: null, file_size: -1 },
  'POST /api/v1/admin/users/:name/rename': { new_username: 'admin' },
  'POST /api/v1/orgs/:org/rename': { new_name: 'admin' },
  'POST /api/v1/orgs': organisation('new-org'),
  'POST /api/v1/admin/users/:name/orgs': organisation('newer-org'),
  'PATCH /api/v1/orgs/:org': { ...organisation(), visibility: 'private' },
  'POST /api/v1/user/hooks': webhook('gitea'),
  'PATCH /api/v1/user/hooks/:id': webhook(),
  'POST /api/v1/orgs/:org/hooks': webhook('gitea'),
  'PATCH /api/v1/orgs/:org/hooks/:id': webhook(),
  'POST /api/v1/admin/hooks': webhook('stowage'),
  'PATCH /api/v1/admin/hooks/:id': webhook(),
  'POST /api/v1/orgs/:org/teams': team('new'),
  'PATCH /api/v1/teams/:id': team('release'),
  'POST /api/v1/admin/invitations': { email: 'newcomer@example.com', full_name: 'N', team_id: null, expires_in: 60 },
  'POST /api/v1/orgs/:org/invitations': {
    email: 'newcomer@example.com',
    full_name: 'N',
    team_id: 999_999,
    expires_in: 60,
  },
  'POST /api/v1/admin/users/:name/password-reset': { expires_in: 60 },
  'POST /user/login': { user: 'nobody', password: 'nothing', code: '123456' },
  'POST /user/password': { old_password: 'old password', new_password: 'new password' },
  'POST /user/sign-up': { username: 'newest', email: 'newest@example.com', password: 'long enough' },
  'POST /user/invitation': {
    code: 'none',
    username: 'newcomer',
    password: 'long enough',
    email: 'newcomer@example.com',
  },
  'POST /user/password-reset': { code: 'none', password: 'long enough' },
  'POST /user/forgot-password': { email: 'nobody@example.com' },
  'POST /user/passkey-options': { for: 'sign-in' },
}

function organisation(username?: string) {
  const fields = { full_name: 'A', email: 'a@example.com', description: 'd', website: 'https://example.com' }
  const rest = { location: 'here', visibility: 'public', repo_admin_change_team_access: true }
  return { ...(username === undefined ? {} : { username }), ...fields, ...rest }
}

function webhook(type?: string) {
  const config = { url: 'https://hooks.example.com/in', content_type: 'json', secret: 's', http_method: 'post' }
  const rest = { events: ['package'], active: false, branch_filter: '', authorization_header: 'Bearer x' }
  return { ...(type === undefined ? {} : { type }), config, ...rest }
}

function publisher(name: string) {
  const issuer = 'https://token.actions.githubusercontent.com'
  return { name, issuer, claims: { repository_id: '74' }, packages: ['tool-*'] }
}

function team(name: string) {
  const rights = { permission: 'read', units: ['repo.packages'], units_map: { 'repo.packages': 'read' } }
  return { name, description: 'd', ...rights, includes_all_repositories: false, can_create_org_repo: false }
}

/** Routes with a method that could have a body, and none that anybody reads. */
const withoutBody = [
  'POST /api/v1/user/totp',
  'POST /api/v1/user/totp/recovery-codes',
  'PUT /api/v1/teams/:id/members/:user',
  'POST /api/v1/admin/jobs/:id/retry',
  'POST /api/v1/admin/usage-check',
  'POST /api/v1/admin/storage/sweep',
  'POST /api/v1/user/hooks/:id/deliveries/:delivery/replay',
  'POST /api/v1/orgs/:org/hooks/:id/deliveries/:delivery/replay',
  'POST /api/v1/admin/hooks/:id/deliveries/:delivery/replay',
  'POST /api/v1/packages/:owner/generic/:name/-/link/:repo',
  'POST /api/v1/packages/:owner/generic/:name/-/unlink',
  'POST /user/logout',
]

type WrongBody = [what: string, body: string | Uint8Array<ArrayBuffer> | undefined, status: number]

/** Bodies that are wrong whatever the route. */
const wrongBodies: WrongBody[] = [
  ['none', undefined, 400],
  ['an empty one', '', 400],
  ['a list', '[]', 422],
  ['a list of what it should be', '[{}]', 422],
  ['null', 'null', 422],
  ['a number', '1', 422],
  ['a number beyond all', '1e400', 422],
  ['a text', '"text"', 422],
  ['a form', 'username=a&password=b', 400],
  ['JSON5', "{name: 'a',}", 400],
  ['NaN', '{"name": NaN}', 400],
  ['half of one', '{"name": "a"', 400],
  ['two', '{}{}', 400],
  ['invalid UTF-8', Uint8Array.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 400],
  ['UTF-16', new Uint8Array(Buffer.from('\uFEFF{}', 'utf16le')), 400],
  ['a NUL', '\0', 400],
  ['a field that nobody knows, behind a BOM', '\uFEFF{"no_such_field":1}', 422],
  ['a field that nobody knows', '{"no_such_field":1}', 422],
  ['a field of every object', '{"constructor":1,"toString":1}', 422],
  ['depth without end', '['.repeat(100_000), 400],
  ['a field of great depth', `{"no_such_field":${'['.repeat(5_000)}${']'.repeat(5_000)}}`, 422],
  ['1 MB', JSON.stringify({ name: 'x'.repeat(1024 * 1024) }), 413],
]

/** Values that no field takes, but for those that are named, or whose own value is of that type. */
const wrongValues: [what: string, value: string, fits: string[]][] = [
  ['a number', '12.5', ['max_repo_creation', 'source_id']],
  ['a number beyond all', '1e400', []],
  ['true', 'true', ['boolean']],
  ['an empty list', '[]', ['scopes', 'units', 'labels']],
  ['a list of numbers', '[1]', []],
  ['lists in lists', '[[[["a"]]]]', []],
  ['an empty object', '{}', ['units_map', 'site', 'owners', 'claims']],
  ['an object', '{"a":{"b":1}}', []],
]

/** Values that some fields take, and others may not fail over. */
const mayBeRight = ['', 'null', '""', '-1', '0', '2147483648', String(Number.MAX_SAFE_INTEGER)]

/** Text that no field of text takes. */
const wrongTexts: [what: string, text: string][] = [
  ['NUL', 'ab\0cdefghij'],
  ['half a character', 'ab\uD800cdefghij'],
  ['300 characters', 'x'.repeat(300)],
  ['100,000 characters', 'x'.repeat(100_000)],
]

/** Values of the right kind that these fields do not take, wherever they are. */
const wrongForms: Record<string, unknown[]> = {
  username: wrongNames(),
  new_username: wrongNames(),
  new_name: wrongNames(),
  password: ['short', 'x'.repeat(257)],
  new_password: ['', 'short', 'x'.repeat(257)],
  email: ['a', 'a@', '@b', 'a b@c', 'a@b,c@d', '<a@b.c>', 'a@b\r\nBcc: c@d'],
  website: ['javascript:alert(1)', 'data:text/html,x', 'ftp://example.com', 'http://', 'example.com'],
  homepage: ['javascript:alert(1)', 'data:text/html,x', 'ftp://example.com', 'http://', 'example.com'],
  repository_url: ['javascript:alert(1)', 'data:text/html,x', 'ftp://example.com', 'http://', 'example.com'],
  labels: [['a b'], [''], ['a', 'A'], ['x'.repeat(51)]],
  versions: [[], [1], Array.from({ length: 1_001 }, String)],
  visibility: ['Public', 'secret'],
  scopes: [[], [''], ['write:everything'], ['public-only'], ['read:package', 1]],
  expires_at: ['', 'tomorrow', '2999-01-01', '2999-13-01T00:00:00Z', '2999-01-01T00:00:00', '2020-01-01T00:00:00Z'],
  expires_in: [-1, 0, 0.5, 31 * 24 * 3600, '60'],
  team_id: [-1, 0, 0.5, '1', Number.MAX_SAFE_INTEGER],
  permission: ['owner', 'Write', 'all'],
  units: [['repo.everything'], ['']],
  units_map: [{ 'repo.everything': 'read' }, { 'repo.packages': 'owner' }, { 'repo.packages': null }],
}

function wrongNames(): string[] {
  return ['', 'a b', 'a--b', '-a', 'ä', 'a/b', '..', 'API', 'me.png', 'x'.repeat(41), '\u212Aelvin', 'a\n']
}

/** Fields that take longer texts than others, with how many characters they take. */
const longTexts: Record<string, number> = {
  'PATCH /api/v1/packages/:owner/generic/:name/-/metadata description': 1_000,
  'PATCH /api/v1/packages/:owner/generic/:name/-/metadata readme': 100_000,
  'POST /api/v1/user/hooks authorization_header': 1_000,
  'POST /api/v1/orgs/:org/hooks authorization_header': 1_000,
  'POST /api/v1/admin/hooks authorization_header': 1_000,
}

/** Fields that have no effect here: any text will do. */
const anyText = ['login_name']

/** What can be no name, no id, no version of anything that is here. */
const wrongPlaces = [
  ['0', '-1', '1.5', 'NaN', '1e400', '2147483648', '999999999999999', '9223372036854775808', '9'.repeat(30)],
  ['%00', 'a%00b', '%ff', '%ED%A0%80', '%E2%84%AA', '%2F', 'a%2Fb', '%20', 'a%20b', '%0A', '%25', '%zz', '%3F', '%23'],
  ["'", '"', '*', '%25%25', '__proto__', 'constructor', 'undefined', 'null', '[]', '{}', 'x'.repeat(8_000)],
].flat()

const wrongQueries = [
  'page=0&limit=0',
  'page=-1&limit=-1',
  'page=NaN&limit=1e400',
  'page=999999999&limit=999999999',
  'page=99999999999999999999&limit=99999999999999999999',
  'page=1.5&limit=%00',
  'page=%ff&limit=%zz',
  'page=1&page=2&limit[]=3',
  `q=%00&type=%00&state=%00&purge=%00`,
  `q=%ff&type=%ff&state=%ff&purge=%ff`,
  `q=${'x'.repeat(8_000)}`,
]

let stowage: TestStowage
let admin: Client
let teamId = 0

beforeAll(async () => {
  stowage = await startStowage({
    settings: {
      STOWAGE_SIGN_UP: 'true',
      STOWAGE_SMTP_URL: 'smtp://127.0.0.1:1',
      STOWAGE_MAIL_FROM: 'stowage@example.com',
    },
  })
  await stowage.user('victim')
  await stowage.admin.post('/api/v1/orgs', { username: 'acme' })
  const made = await stowage.admin.post('/api/v1/orgs/acme/teams', { name: 'release', permission: 'read' })
  teamId = ((await made.json()) as { id: number }).id
  await stowage.admin.put({ owner: 'acme' }, 'bytes')
  // Lists of files wait for digests.
  await stowage.stowage.runJobs()
  // One who is signed in by password and by cookie, and sends from a page of ours: nothing but the input is wrong.
  const ownPage = { 'Sec-Fetch-Site': 'same-origin' }
  const welcome = await stowage.anonymous.with(ownPage).post('/user/login', { user: 'admin', password: adminPassword })
  const cookie = welcome.headers.get('set-cookie')?.split(';')[0] ?? ''
  admin = stowage.admin.with({ ...ownPage, Authorization: basic('admin', adminPassword), Cookie: cookie })
})

afterAll(async () => {
  await stowage[Symbol.asyncDispose]()
})

/** What stands in the addresses where it is not what is wrong. */
function place({ path }: Route, parameter: string): string {
  switch (parameter) {
    case 'name':
      if (path.includes('/packages/')) return 'tool'
      return 'victim'
    case 'org':
    case 'owner':
      return 'acme'
    case 'id':
      return path.includes('/teams/') ? String(teamId) : '999999'
    case 'version':
      return '1.0'
    default:
      return 'nobody'
  }
}

function address(route: Route, wrong: Record<string, string> = {}): string {
  return route.path.replaceAll(/:(\w+)/g, (_, name: string) => wrong[name] ?? place(route, name))
}

async function send(route: Route, path: string, body?: RequestInit['body']) {
  // Who signs out here is not to be signed out for what comes after.
  const headers: Record<string, string> = route.path === '/user/logout' ? { Cookie: '' } : {}
  const response = await admin.fetch(path, { method: route.method, headers, ...(body === undefined ? {} : { body }) })
  const text = await response.text()
  return { status: response.status, text, message: response.status < 400 ? '' : sentenceOf(response, text) }
}

/** What went wrong, in words: those of the library that checks are not for people. */
function sentenceOf(response: Response, text: string): string {
  expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8')
  const { message, url } = JSON.parse(text) as { message: string; url: string }
  expect(url).toBe(`${stowage.url}/api/swagger`)
  expect(message).not.toBe('')
  expect(message.slice(0, 1_000)).not.toMatch(
    /Invalid (input|key|option)|expected |received|Unrecognized|Too (big|small)|: The body/,
  )
  return message
}

const isClear = (status: number) => status >= 400 && status < 500
const isForeseen = (status: number) => status < 500

/** All at once; those whose answer is not as it should be. */
async function failing<Item>(
  items: readonly Item[],
  ask: (item: Item) => Promise<{ status: number; message: string }>,
  isRight: (status: number) => boolean,
) {
  const answers = await Promise.all(items.map(async (item) => ({ item, ...(await ask(item)) })))
  return answers.filter(({ status }) => !isRight(status))
}

describe('what no place has', () => {
  test.each(named(routes.filter(({ path }) => path.includes(':'))))('%s', async (_, route) => {
    for (const [, parameter = ''] of route.path.matchAll(/:(\w+)/g)) {
      const ask = (wrong: string) => send(route, address(route, { [parameter]: wrong }))
      // What was done at a package, and who may see it, is told of every name that may have been one or may be.
      const isRight = parameter === 'name' && /\/-\/(audit|access)$/.test(route.path) ? isForeseen : isClear
      expect(await failing(wrongPlaces, ask, isRight)).toEqual([])
    }
  })
})

describe('a query that cannot be read', () => {
  test.each(named(routes.filter(({ method }) => method === 'GET')))('%s', async (_, route) => {
    const ask = (query: string) => send(route, `${address(route)}?${query}`)
    expect(await failing(wrongQueries, ask, isForeseen)).toEqual([])
  })
})

/** Takes a form, and says what is wrong as its standard has it: `test/product/trusted-publishing.test.ts`. */
const byForm = 'POST /api/v1/oidc/token'

const mayHaveBody = routes.filter(
  ({ method, path }) => ['POST', 'PUT', 'PATCH'].includes(method) && `${method} ${path}` !== byForm,
)
const haveBody = mayHaveBody.filter(({ method, path }) => !withoutBody.includes(`${method} ${path}`))

test('every route with a body is tried', () => {
  const known = [...Object.keys(bodies), ...withoutBody].sort()
  expect(known).toEqual([...new Set(mayHaveBody.map(({ method, path }) => `${method} ${path}`))].sort())
})

describe('a body that is none', () => {
  test.each(named(haveBody))('%s', async (_, route) => {
    const ask = async ([what, body]: WrongBody) => ({ what, ...(await send(route, address(route), body)) })
    const answers = await Promise.all(wrongBodies.map(ask))
    expect(answers.map(({ what, status }) => [what, status])).toEqual(wrongBodies.map(([what, , is]) => [what, is]))
    const unknown = answers.filter(({ what }) => what.includes('nobody knows')).map(({ message }) => message)
    expect(unknown).toEqual(unknown.map(() => expect.stringContaining('unknown field: no_such_field')))
  })

  test.each(named(mayHaveBody.filter((route) => !haveBody.includes(route))))('%s reads none', async (_, route) => {
    const ask = ([, body]: WrongBody) => send(route, address(route), body)
    expect(await failing(wrongBodies, ask, isForeseen)).toEqual([])
  })
})

describe('a field that is missing, or of another kind', () => {
  test.each(named(haveBody))('%s', async (name, route) => {
    const body = bodies[name] ?? {}
    /** The body with another value, which need be none that a program could hold, in the place of one; '' is no such field. */
    const ask = (field: string, value: string) => {
      const others = Object.entries(body).filter(([key]) => key !== field)
      const fields = [...others.map(([key, other]) => [key, JSON.stringify(other)]), ...(value ? [[field, value]] : [])]
      return send(route, address(route), `{${fields.map(([key, it]) => `"${key}":${it}`).join()}}`)
    }
    for (const [field, right] of Object.entries(body)) {
      const wrong = wrongValues.filter(([, , fits]) => !fits.includes(field) && !fits.includes(typeof right))
      const answers = await Promise.all(wrong.map(([, value]) => ask(field, value)))
      expect(answers.map(({ status, message }, i) => [wrong[i]?.[0], status, message])).toEqual(
        wrong.map(([what]) => [what, 422, expect.stringContaining(field)]),
      )
      const isTooLong = ([what, { length }]: [string, string]) =>
        !what.endsWith('0 characters') || length > (longTexts[`${name} ${field}`] ?? 0)
      const texts = anyText.includes(field) ? [] : wrongTexts.filter(isTooLong)
      expect(await failing(texts, ([, text]) => ask(field, JSON.stringify(text)), isClear)).toEqual([])
      const forms = wrongForms[field] ?? []
      expect(await failing(forms, (form) => ask(field, JSON.stringify(form)), isClear)).toEqual([])
    }
    for (const field of Object.keys(body)) {
      expect(await failing(mayBeRight, (value) => ask(field, value), isForeseen)).toEqual([])
    }
  })
})

/** The routes whose address this is. */
function methodsAt(path: string): string[] {
  const segments = path.split('/')
  const fits = (route: Route) => {
    const own = route.path.split('/')
    return own.length === segments.length && own.every((it, index) => it.startsWith(':') || it === segments[index])
  }
  return [...new Set(routes.filter(fits).map(({ method }) => method))]
}

/** Where a browser reads a page, and its programs send JSON. */
const pages = new Set(
  pageRoutes({} as HttpParts)
    .routes.filter(({ method }) => method === 'GET')
    .map(({ path }) => path),
)

describe('another method', () => {
  test.each([...new Set(routes.map(({ path }) => path))])('%s', async (path) => {
    const target = address({ method: '', path })
    const allowed = methodsAt(target)
    const told = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].filter((method) => allowed.includes(method))
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      if (allowed.includes(method === 'HEAD' ? 'GET' : method)) continue
      if (pages.has(path) && (method === 'GET' || method === 'HEAD')) continue
      const response = await admin.fetch(target, { method })
      await response.body?.cancel()
      const allow = response.headers.get('allow')
      const expected = told.flatMap((it) => (it === 'GET' ? ['GET', 'HEAD'] : [it])).join(', ')
      expect({ method, status: response.status, allow }).toEqual({ method, status: 405, allow: expected })
    }
  })
})
