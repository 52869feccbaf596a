import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { type TOTP, URI } from 'otpauth'
import type { AroundStatement } from '../../server/catalogue/statement.ts'
import { onPostgres } from '../support/database.ts'
import { type Client, startStowage, type TestStowage } from '../support/stowage.ts'

interface Request {
  name: string
  /** Statements, as [SQLite, PostgreSQL]: each one is a round trip on the latter. */
  costs: [number, number]
  prepare?: (ada: Client) => Promise<unknown>
  send: (ada: Client, token: Client, anonymous: Client) => Promise<Response>
  status: number
}

const two = async (ada: Client) => {
  await ada.put({ file: 'a' }, 'a')
  await ada.put({ file: 'b' }, 'b')
}

const isCold = process.env.TEST_HOT_DOWNLOADS === 'off'

const warm = async (ada: Client) => {
  await two(ada)
  for (let time = 0; time < 2; time += 1) await stowage.anonymous.as('ada').get({ file: 'a' })
}

/** A file whose digests are all known, so that nobody waits for them. */
const digested = (ada: Client) => {
  const hex = (algorithm: 'md5' | 'sha1' | 'sha512') => new Bun.CryptoHasher(algorithm).update('a').digest('hex')
  return ada.put({}, 'a', {
    'X-Checksum-Md5': hex('md5'),
    'X-Checksum-Sha1': hex('sha1'),
    'X-Checksum-Sha512': hex('sha512'),
  })
}

const hooked = async (ada: Client) => {
  await ada.put({ package: 'other' }, 'x')
  const config = { url: 'https://hooks.example.com/', content_type: 'json' }
  return ada.post('/api/v1/user/hooks', { type: 'gitea', active: true, events: ['package', 'file_added'], config })
}

const limited = (ada: Client) =>
  stowage.admin.fetch(`/api/v1/admin/quotas/owners/${ada.name}`, { method: 'PATCH', body: '{"bytes":1000}' })

let phone: TOTP

/** A file, and from then on a second factor. */
const withTotp = async (ada: Client) => {
  await ada.put({}, 'a')
  const { url } = (await (await ada.post('/api/v1/user/totp', {})).json()) as { url: string }
  phone = URI.parse(url) as TOTP
  return ada.post('/api/v1/user/totp/confirm', { code: phone.generate() })
}

/** By the next code, since the one that confirmed is used. */
const byCode = (ada: Client) => ada.get({}, { 'X-Gitea-OTP': phone.generate({ timestamp: Date.now() + 30_000 }) })

/** What each kind of request costs. A number that rises is a regression; one that falls is written down here. */
const requests: Request[] = [
  { name: 'GET by anybody', costs: [1, 1], prepare: two, send: (_, __, it) => it.get({ file: 'a' }), status: 200 },
  // Answered from memory where SQLite tells that nothing was committed since.
  {
    name: 'GET once more',
    costs: [isCold ? 1 : 0, 1],
    prepare: warm,
    send: (_, __, it) => it.get({ file: 'a' }),
    status: 200,
  },
  { name: 'GET by token', costs: [1, 1], prepare: two, send: (_, it) => it.get({ file: 'a' }), status: 200 },
  {
    name: 'GET of a private package',
    costs: [1, 1],
    prepare: async (ada) => {
      await two(ada)
      const path = '/api/v1/packages/ada/generic/tool/-/access'
      return ada.fetch(path, { method: 'PATCH', body: '{"visibility":"private"}' })
    },
    send: (_, it) => it.get({ file: 'a' }),
    status: 200,
  },
  // What else the owner has is not counted for who sees one of his packages.
  ...(['public', 'beside a private package'] as const).map((where) => ({
    name: `GET of a version, ${where}, by a stranger`,
    costs: [4, 4] as [number, number],
    prepare: async (ada: Client) => {
      if (where === 'public') return two(ada)
      await two(ada)
      await ada.put({ package: 'hidden' }, 'x')
      const path = '/api/v1/packages/ada/generic/hidden/-/access'
      return ada.fetch(path, { method: 'PATCH', body: '{"visibility":"private"}' })
    },
    send: (_: Client, __: Client, it: Client) => it.fetch('/api/v1/packages/ada/generic/tool/1.0'),
    status: 200,
  })),
  { name: 'GET by password', costs: [1, 1], prepare: two, send: (it) => it.get({ file: 'a' }), status: 200 },
  { name: 'GET by password and code', costs: [6, 4], prepare: withTotp, send: byCode, status: 200 },
  { name: 'GET by password without its code', costs: [1, 1], prepare: withTotp, send: (it) => it.get(), status: 401 },
  { name: 'HEAD by anybody', costs: [1, 1], prepare: two, send: (_, __, it) => it.head({ file: 'a' }), status: 200 },
  { name: 'GET of a range', costs: [1, 1], prepare: two, send: (it) => part(it, 'bytes=0-0'), status: 206 },
  { name: 'GET of what the client has', costs: [1, 1], prepare: two, send: (_, __, it) => known(it), status: 304 },
  { name: 'GET of no file', costs: [1, 1], send: (_, __, it) => it.get({ file: 'none' }), status: 404 },
  { name: 'GET at no owner', costs: [1, 1], send: (it) => it.get({ owner: 'nobody' }), status: 404 },
  { name: 'GET by a wrong token', costs: [1, 1], send: (it) => wrong(it).get({ file: 'a' }), status: 401 },
  {
    name: 'PUT of a new package',
    costs: [16, 14],
    prepare: (it) => it.put({ package: 'other' }, 'x'),
    send: (_, it) => it.put({}, 'new'),
    status: 201,
  },
  {
    name: 'PUT of a new package with a description',
    costs: [17, 15],
    prepare: (it) => it.put({ package: 'other' }, 'x'),
    send: (_, it) => it.put({}, 'new', { 'Stowage-Description': 'New' }),
    status: 201,
  },
  {
    name: 'PUT of a new version',
    costs: [17, 15],
    prepare: two,
    send: (_, it) => it.put({ version: '2.0' }, 'new'),
    status: 201,
  },
  { name: 'PUT of one more file', costs: [18, 16], prepare: two, send: (_, it) => it.put({}, 'new'), status: 201 },
  { name: 'PUT of bytes that are there', costs: [19, 17], prepare: two, send: (_, it) => it.put({}, 'a'), status: 201 },
  // What is reserved and given back with the commit: a transaction before the body, and a statement in that of the file.
  {
    name: 'PUT where there is a quota',
    costs: [24, 21],
    prepare: limited,
    send: (_, it) => it.put({}, 'new'),
    status: 201,
  },
  // The deliveries, and the job that sends them.
  {
    name: 'PUT of a new version that a webhook is told of',
    costs: [17, 15],
    prepare: hooked,
    send: (_, it) => it.put({}, 'new'),
    status: 201,
  },
  { name: 'PUT of a name that is taken', costs: [2, 2], prepare: two, send: taken, status: 409 },
  {
    name: 'DELETE of one file of two',
    costs: [17, 16],
    prepare: two,
    send: (it) => it.delete({ file: 'a' }),
    status: 204,
  },
  {
    name: 'DELETE of the last file',
    costs: [19, 18],
    prepare: (it) => it.put({}, 'a'),
    send: (it) => it.delete(),
    status: 204,
  },
  {
    name: 'POST of a sweep',
    costs: [8, 7],
    send: () => stowage.admin.post('/api/v1/admin/storage/sweep', ''),
    status: 202,
  },
  { name: 'DELETE of a version', costs: [18, 17], prepare: two, send: (it) => it.deleteVersion(), status: 204 },
  { name: 'GET /api/v1/token', costs: [2, 2], send: (_, it) => it.fetch('/api/v1/token'), status: 200 },
  { name: 'GET of a user', costs: [2, 2], send: (_, __, it) => it.fetch('/api/v1/users/ada'), status: 200 },
  { name: 'GET of no user', costs: [1, 1], send: (_, it) => it.fetch('/api/v1/users/nobody'), status: 404 },
  { name: 'GET /api/v1/user', costs: [2, 2], send: (it) => it.fetch('/api/v1/user'), status: 200 },
  { name: 'a list of tokens', costs: [4, 4], send: (it) => it.fetch('/api/v1/users/ada/tokens'), status: 200 },
  // Who is calling and at which owner; the owner, with how many versions he has; the package with the same; what is shown.
  { name: 'versions of an owner', costs: [3, 3], prepare: two, send: (_, __, it) => list(it, ''), status: 200 },
  { name: 'versions of an owner, by token', costs: [3, 3], prepare: two, send: (_, it) => list(it, ''), status: 200 },
  { name: 'a search', costs: [5, 5], prepare: two, send: (it) => list(it, '?q=tool'), status: 200 },
  { name: 'a search for what no name holds', costs: [2, 2], send: (it) => list(it, '?q=%25'), status: 200 },
  { name: 'versions of a package', costs: [4, 4], prepare: two, send: (it) => list(it, '/generic/tool'), status: 200 },
  { name: 'a version', costs: [4, 4], prepare: two, send: (it) => list(it, '/generic/tool/1.0'), status: 200 },
  { name: 'the latest', costs: [4, 4], prepare: two, send: (it) => list(it, '/generic/tool/-/latest'), status: 200 },
  { name: 'files', costs: [2, 2], prepare: digested, send: (it) => list(it, '/generic/tool/1.0/files'), status: 200 },
  {
    name: 'what is said',
    costs: [2, 2],
    prepare: two,
    send: (it) => list(it, '/generic/tool/-/metadata'),
    status: 200,
  },
  { name: 'saying something', costs: [10, 9], prepare: two, send: (it) => say(it), status: 200 },
  { name: 'downloads', costs: [4, 4], prepare: two, send: (it) => list(it, '/generic/tool/-/downloads'), status: 200 },
  { name: 'deleting by pattern', costs: [24, 23], prepare: two, send: (it) => deleteLike(it, '*'), status: 200 },
  { name: 'a list at a hidden owner', costs: [1, 1], send: (it) => list(it.as('nobody'), ''), status: 404 },
  {
    name: 'making a token',
    costs: [10, 9],
    send: (it) => it.post('/api/v1/users/ada/tokens', { name: 'x', scopes: ['all'] }),
    status: 201,
  },
  {
    name: 'deleting a token',
    costs: [14, 14],
    prepare: (it) => it.token(['all'], { name: 'x' }),
    send: (it) => it.fetch('/api/v1/users/ada/tokens/x', { method: 'DELETE' }),
    status: 204,
  },
  // What somebody is in an organisation is looked up with the rest.
  { name: 'GET by a member of a team', costs: [1, 1], prepare: inc, send: (_, it) => it.as('inc').get(), status: 200 },
  {
    name: 'PUT by a member of a team',
    costs: [18, 16],
    prepare: inc,
    send: (_, it) => it.as('inc').put({ file: 'b' }, 'b'),
    status: 201,
  },
  {
    name: 'making an organisation',
    costs: [16, 17],
    send: (it) => it.post('/api/v1/orgs', { username: 'inc' }),
    status: 201,
  },
  { name: '/readyz', costs: [6, 4], send: (it) => it.fetch('/readyz'), status: 200 },
  {
    name: 'GET /user/session',
    costs: [1, 1],
    prepare: signIn,
    send: (_, __, it) => it.fetch('/user/session', { headers: { Cookie: cookie } }),
    status: 200,
  },
  // Pages: what is at the address, and each list that is shown.
  ...(
    [
      // Who has signed in is looked up first.
      ['the first page', [8, 8], [7, 7], '/', 200],
      ['the page of an owner', [8, 8], [7, 7], '/ada', 200],
      ['the page of a package', [7, 7], [6, 6], '/ada/-/packages/generic/tool', 200],
      ['the page of its versions', [5, 5], [4, 4], '/ada/-/packages/generic/tool/versions', 200],
      ['the page of a version', [6, 6], [5, 5], '/ada/-/packages/generic/tool/1.0', 200],
      ['the page of what is not there', [3, 3], [2, 2], '/ada/-/packages/generic/none', 404],
      ['a page of search', [6, 6], [5, 5], '/-/search?q=tool', 200],
    ] as [string, [number, number], [number, number], string, number][]
  ).flatMap(([name, costs, ofStranger, path, status]): Request[] => [
    { name, costs, prepare: visited, send: (_, __, it) => it.fetch(path, asPage()), status },
    {
      name: `${name}, by a stranger`,
      costs: ofStranger,
      prepare: two,
      send: (_, __, it) => it.fetch(path, { headers: { Accept: 'text/html' } }),
      status,
    },
  ]),
  {
    name: 'GET of a file by a session',
    costs: [3, 3],
    prepare: visited,
    send: (_, __, it) => it.fetch(filePath, asPage()),
    status: 200,
  },
  { name: '/healthz', costs: [0, 0], send: (it) => it.fetch('/healthz'), status: 200 },
]

type AtOrganisation = [
  name: string,
  costs: [number, number],
  method: string,
  rest: string,
  status: number,
  body?: object,
]

/** What is sent to `inc` by the one who owns it. */
const atOrganisation: AtOrganisation[] = [
  ['GET of an organisation', [2, 2], 'GET', 'orgs/inc', 200],
  ['a list of organisations', [3, 3], 'GET', 'orgs', 200],
  ['those of the caller', [3, 3], 'GET', 'user/orgs', 200],
  ['those of a user', [3, 3], 'GET', 'users/ada/orgs', 200],
  ['members', [3, 3], 'GET', 'orgs/inc/members', 200],
  ['a member', [3, 3], 'GET', 'orgs/inc/members/ada', 204],
  ['teams', [4, 4], 'GET', 'orgs/inc/teams', 200],
  ['GET of a team', [3, 3], 'GET', 'teams/TEAM', 200],
  ['members of a team', [4, 4], 'GET', 'teams/TEAM/members', 200],
  ['a member of a team', [3, 3], 'GET', 'teams/TEAM/members/ada', 200],
  ['changing an organisation', [11, 12], 'PATCH', 'orgs/inc', 200, { description: 'x' }],
  ['making a team', [10, 9], 'POST', 'orgs/inc/teams', 201, { name: 'x' }],
  ['changing a team', [13, 14], 'PATCH', 'teams/TEAM', 200, { description: 'x' }],
  ['deleting a team', [11, 12], 'DELETE', 'teams/TEAM', 204],
  ['joining a team', [11, 10], 'PUT', 'teams/TEAM/members/ada', 204],
  ['leaving a team', [13, 14], 'DELETE', 'teams/TEAM/members/ada', 204],
  ['inviting into a team', [14, 14], 'POST', 'orgs/inc/invitations', 201, { team_id: 'TEAM' }],
  ['invitations into a team', [3, 3], 'GET', 'orgs/inc/invitations', 200],
  ['leaving an organisation as its last owner', [11, 11], 'DELETE', 'orgs/inc/members/ada', 422],
]

function sent(client: Client, method: string, rest: string, body?: object): Promise<Response> {
  const text = body && JSON.stringify(body).replace('"TEAM"', String(team))
  return client.fetch(`/api/v1/${rest.replace('TEAM', String(team))}`, { method, ...(text ? { body: text } : {}) })
}

/** The id of a team of `inc`: `TEAM` stands for it. */
let team = 0

/** An organisation with a file, and a team beside its owners; Ada is in both of them. */
async function inc(ada: Client): Promise<void> {
  await ada.post('/api/v1/orgs', { username: 'inc' })
  const made = await ada.post('/api/v1/orgs/inc/teams', { name: 'publishers', permission: 'write' })
  team = ((await made.json()) as { id: number }).id
  await sent(ada, 'PUT', 'teams/TEAM/members/ada')
  await ada.as('inc').put({}, 'a')
}

/** Of the browser in which Ada has signed in. */
let cookie = ''

async function signIn(ada: Client): Promise<void> {
  const body = JSON.stringify({ user: 'ada', password: 'ada-Pass-1234' })
  const headers = { 'Sec-Fetch-Site': 'same-origin' }
  const response = await ada.fetch('/user/login', { method: 'POST', body, headers })
  cookie = response.headers.get('set-cookie')?.split(';')[0] ?? ''
}

/** Where the browser finds that file. */
let filePath = ''

/** A file, and a browser. */
async function visited(ada: Client): Promise<void> {
  await digested(ada)
  await signIn(ada)
  const [file] = (await (await list(ada, '/generic/tool/1.0/files')).json()) as { id: number }[]
  filePath = `/ada/-/packages/generic/tool/1.0/files/${file?.id}`
}

const asPage = () => ({ headers: { Cookie: cookie, Accept: 'text/html' } })

const list = (client: Client, rest: string) => client.fetch(`/api/v1/packages/${client.name}${rest}`)

const say = (client: Client) =>
  client.fetch('/api/v1/packages/ada/generic/tool/-/metadata', { method: 'PATCH', body: '{"readme":"new"}' })

const deleteLike = (client: Client, pattern: string) =>
  client.post('/api/v1/packages/ada/generic/tool/-/delete-versions', { pattern })

const part = (client: Client, range: string) => client.get({ file: 'a' }, { Range: range })

const known = (client: Client) =>
  client.get({ file: 'a' }, { 'If-None-Match': `"${new Bun.SHA256().update('a').digest('hex')}"` })

const wrong = (client: Client) => client.with({ Authorization: `token ${'0'.repeat(40)}` })

function taken(_: Client, token: Client): Promise<Response> {
  return token.put({ file: 'a' }, 'other')
}

let stowage: TestStowage

describe('statements of a request', () => {
  const toOrganisation = atOrganisation.map(([name, costs, method, rest, status, body]): Request => {
    return { name, costs, prepare: inc, send: (ada) => sent(ada, method, rest, body), status }
  })

  const seen: string[] = []
  const around: AroundStatement = (sql, run) => {
    seen.push(sql)
    return run(sql)
  }
  beforeAll(async () => {
    stowage = await startStowage({ replace: { aroundStatement: around } })
  })
  afterAll(() => stowage[Symbol.asyncDispose]())
  // Each begins with nothing.
  afterEach(async () => {
    await sent(stowage.admin, 'DELETE', 'orgs/inc?purge=true')
    expect((await sent(stowage.admin, 'DELETE', 'admin/users/ada?purge=true')).status).toBe(204)
  })

  test.each([...requests, ...toOrganisation])('$name: $costs', async ({ costs, prepare, send, status }) => {
    const ada = await stowage.user('ada')
    const token = await ada.token(['all'])
    await prepare?.(ada)
    // The password is remembered from here on, as it is for whoever has called before.
    await ada.get()
    seen.length = 0
    const answer = await send(ada, token, stowage.anonymous.as('ada'))
    await answer.bytes()
    expect(answer.status).toBe(status)
    const [sqlite, postgres] = costs
    if (seen.length !== (onPostgres ? postgres : sqlite)) console.error(seen.join('\n'))
    expect(seen).toHaveLength(onPostgres ? postgres : sqlite)
  })
})
