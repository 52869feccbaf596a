import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import type { AroundStatement } from '../../server/catalogue/statement.ts'
import { HotDownloads } from '../../server/http/packages/hot-downloads.ts'
import type { HttpParts } from '../../server/http/parts.ts'
import { onPostgres } from '../support/database.ts'
import { type Client, startStowage, type TestStowage } from '../support/stowage.ts'

const isHot = !onPostgres && process.env.TEST_HOT_DOWNLOADS !== 'off'
const content = 'x'.repeat(1024)
let statements = 0
let now = Date.now()
const around: AroundStatement = (sql, run) => {
  statements += 1
  return run(sql)
}

/** One whose statements are counted, and one that looks up without a promise, as a server that was started usually does. */
const kinds = ['whose statements are counted', 'as it is started']
let isCounted = true

let stowage: TestStowage
let cold: TestStowage
beforeAll(async () => {
  cold = await startStowage({ replace: { now: () => now, hotDownloads: 'off' } })
  await (await cold.user('ada')).put({}, content)
})
afterAll(() => cold[Symbol.asyncDispose]())

async function start(kind: string): Promise<void> {
  isCounted = kind === kinds[0]
  const replace = { now: () => now, addresses: 'every' as const }
  stowage = await startStowage({ replace: isCounted ? { ...replace, aroundStatement: around } : replace })
}

let ada: Client
let anonymous: Client
async function begin(): Promise<void> {
  await stowage.admin.fetch('/api/v1/orgs/inc?purge=true', { method: 'DELETE' })
  for (const name of ['ada', 'bob', 'countess'])
    await stowage.admin.fetch(`/api/v1/admin/users/${name}?purge=true`, { method: 'DELETE' })
  ada = await stowage.user('ada')
  anonymous = stowage.anonymous.as('ada')
  await ada.put({}, content)
}

/** Asks until the answer comes from memory. */
async function warmUp(client: Client): Promise<void> {
  for (let time = 0; time < 3; time += 1) expect(await (await client.get()).text()).toBe(content)
  statements = 0
  expect((await client.get()).status).toBe(200)
  if (isCounted) expect(statements).toBe(isHot ? 0 : 1)
}

const sameAs = (answer: Response) => {
  const headers = new Headers(answer.headers)
  headers.delete('date')
  headers.delete('last-modified')
  return [...headers]
}

describe.each(kinds)('at a server %s, a download that was answered before', (kind) => {
  beforeAll(() => start(kind))
  afterAll(() => stowage[Symbol.asyncDispose]())
  beforeEach(begin)

  test('is answered alike, without asking the database', async () => {
    await warmUp(anonymous)
    const [hot, usual] = [await anonymous.get(), await cold.anonymous.as('ada').get()]
    expect(sameAs(hot)).toEqual(sameAs(usual))
    expect(await hot.text()).toBe(await usual.text())
  })

  test('is counted, and a token that gets it was used', async () => {
    const token = await ada.token(['read:package'], { name: 'ci' })
    await warmUp(token)
    now += 5_000
    await token.get()
    await stowage.stowage.flushUses()
    await stowage.stowage.flushDownloads()
    const [shown] = (await (await ada.fetch('/api/v1/users/ada/tokens')).json()) as { last_used_at: string }[]
    expect(Date.parse(shown?.last_used_at ?? '')).toBe(Math.floor(now / 1000) * 1000)
    const downloads = await (await ada.fetch('/api/v1/packages/ada/generic/tool/-/downloads')).json()
    expect(downloads).toMatchObject({ total: 5 })
  })

  test('under another spelling of its names is the same', async () => {
    await warmUp(anonymous)
    const spelled = await stowage.anonymous.fetch('/api/packages/ADA/generic/t%6Fol/1.0/TOOL.BIN')
    expect(await spelled.text()).toBe(content)
  })

  test.each([
    ['HEAD', { method: 'HEAD' }, 200],
    ['a range', { headers: { Range: 'bytes=0-9' } }, 206],
    ['a condition', { headers: { 'If-None-Match': '*' } }, 304],
    ['a condition that fails', { headers: { 'If-Match': '"x"' } }, 412],
    ['a date', { headers: { 'If-Unmodified-Since': 'Thu, 01 Jan 1970 00:00:00 GMT' } }, 412],
    ['a wrong token', { headers: { Authorization: `token ${'0'.repeat(40)}` } }, 401],
    ['a wrong password', { headers: { Authorization: `Basic ${btoa('ada:wrong')}` } }, 401],
    ['a credential that is none', { headers: { Authorization: 'x' } }, 401],
    ['a wrong token in a header of its own', { headers: { 'Private-Token': 'x' } }, 401],
    ['DELETE by nobody', { method: 'DELETE' }, 401],
    ['PUT by nobody', { method: 'PUT', body: 'x' }, 401],
  ] as [string, RequestInit, number][])('is another one with %s', async (_, init, status) => {
    await warmUp(anonymous)
    expect((await anonymous.fetch(anonymous.path(), init)).status).toBe(status)
  })

  test.each([
    '/api/packages/ada/generic/tool/1.0/./tool.bin',
    '/api/packages/ada/generic/x/../tool/1.0/tool.bin',
    '/api/packages/./ada\\generic/tool/1.0/tool.bin',
    '/api/packages/ada/generic/./tool\\1.0/tool.bin',
    '/api/packages/ada/generic/tool/1.0%2Ftool.bin/x',
    '/api/packages/ada/other/tool/1.0/tool.bin',
  ])('is not what stands at %s', async (path) => {
    await warmUp(anonymous)
    // As sent: the client would resolve dots.
    const { hostname, port } = new URL(stowage.url)
    const answer = Promise.withResolvers<string>()
    const socket = await Bun.connect({
      hostname,
      port: Number(port),
      socket: {
        data: (_, bytes) => answer.resolve(bytes.toString('latin1')),
        close: () => answer.resolve(''),
      },
    })
    socket.write(`GET ${path} HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\n\r\n`)
    expect(await answer.promise).toMatch(/^HTTP\/1\.1 40[04] /)
  })

  test('is asked anew by a password that comes from elsewhere, so that the sign-in is written down', async () => {
    await using behind = await startStowage({
      settings: { STOWAGE_TRUSTED_PROXIES: 'loopback' },
      replace: { aroundStatement: around },
    })
    const eve = await behind.user('eve')
    await eve.put({}, content)
    const from = (address: string) => eve.get({}, { 'X-Forwarded-For': address })
    for (let time = 0; time < 4; time += 1) await from('192.0.2.1')
    statements = 0
    await from('192.0.2.1')
    expect(statements).toBe(isHot ? 0 : 1)
    await from('198.51.100.1')
    await behind.stowage.flushSignIns()
    const events = await behind.change("select distinct address from audit_events where action = 'sign-in'")
    const addresses = events.map(({ address }) => address)
    expect(addresses).toContain('192.0.2.1')
    expect(addresses).toContain('198.51.100.1')
  })
})

describe('what is kept of a request is bounded:', () => {
  test('a password whose forwarded addresses are longer is asked for each time', async () => {
    await using behind = await startStowage({
      settings: { STOWAGE_TRUSTED_PROXIES: 'loopback' },
      replace: { aroundStatement: around },
    })
    const eve = await behind.user('eve')
    await eve.put({}, content)
    const token = await eve.token(['all'])
    const cost = async (client: Client, addresses: number) => {
      const headers = { 'X-Forwarded-For': Array.from({ length: addresses }, () => '192.0.2.1').join(', ') }
      for (let time = 0; time < 3; time += 1) expect((await client.get({}, headers)).status).toBe(200)
      statements = 0
      expect(await (await client.get({}, headers)).text()).toBe(content)
      return statements
    }
    expect(await cost(eve, 17)).toBe(isHot ? 0 : 1)
    expect(await cost(eve, 18)).toBe(1)
    // Of a token none are kept.
    expect(await cost(token, 1_000)).toBe(isHot ? 0 : 1)
  })

  test('an address longer than that of any file is forgotten at once', () => {
    const hot = new HotDownloads({} as HttpParts, () => 1)
    const isKept = (version: string) => {
      const address = { owner: 'ada', package: 'tool', version, file: 'tool.bin' }
      const ask = () => hot.begin(new Request('http://stowage/'), address, () => '')
      ask()
      return ask() !== undefined
    }
    expect(isKept('1'.repeat(1_100))).toBe(true)
    expect(isKept('1'.repeat(1_200))).toBe(false)
  })
})

type Change = [
  name: string,
  whose: 'anybody' | 'token' | 'deploy token' | 'password' | 'bob',
  work: () => Promise<unknown>,
  status: number,
]

let token: Client & { secret: string }
let deployToken: Client & { remove: () => Promise<unknown> }
async function makeDeployToken(expires_at: string): Promise<typeof deployToken> {
  const tokens = '/api/v1/owners/ada/deploy-tokens'
  const made = await ada.post(tokens, { name: 'ci', scopes: ['read:package'], packages: ['to*'], expires_at })
  const { id, sha1 } = (await made.json()) as { id: number; sha1: string }
  const remove = () => ada.fetch(`${tokens}/${id}`, { method: 'DELETE' })
  return Object.assign(anonymous.with({ Authorization: `token ${sha1}` }), { remove })
}
const edit = (fields: object) =>
  stowage.admin.fetch('/api/v1/admin/users/ada', { method: 'PATCH', body: JSON.stringify(fields) })

const changes: Change[] = [
  ['the file is deleted', 'anybody', () => ada.delete(), 404],
  ['its version is deleted', 'anybody', () => ada.deleteVersion(), 404],
  ['its package is deleted', 'token', () => ada.fetch('/api/v1/packages/ada/generic/tool', { method: 'DELETE' }), 404],
  ['its owner becomes private', 'anybody', () => edit({ visibility: 'private' }), 401],
  ['its owner becomes limited', 'anybody', () => edit({ visibility: 'limited' }), 401],
  ['its owner becomes private', 'bob', () => edit({ visibility: 'private' }), 404],
  [
    'its owner is deleted',
    'bob',
    () => stowage.admin.fetch('/api/v1/admin/users/ada?purge=true', { method: 'DELETE' }),
    404,
  ],
  ['the token is deleted', 'token', () => ada.fetch('/api/v1/users/ada/tokens/ci', { method: 'DELETE' }), 401],
  ['the account may not sign in any more', 'token', () => edit({ prohibit_login: true }), 401],
  ['the account may not sign in any more', 'password', () => edit({ prohibit_login: true }), 401],
  ['the account is made inactive', 'password', () => edit({ active: false }), 401],
  ['the password is changed', 'password', () => edit({ password: 'other-Pass-1234' }), 401],
  ['another process deletes all tokens', 'token', () => stowage.change('delete from tokens'), 401],
  ['the deploy token is deleted', 'deploy token', () => deployToken.remove(), 401],
  ['its owner may not sign in any more', 'deploy token', () => edit({ prohibit_login: true }), 401],
  ['its owner becomes private', 'deploy token', () => edit({ visibility: 'private' }), 200],
  ['the deploy token has run out', 'deploy token', async () => (now += 7_000), 401],
  ['another process limits it', 'deploy token', () => stowage.change(`update deploy_tokens set packages = '[]'`), 403],
  ['another process limits it', 'token', () => stowage.change(`update tokens set packages = '[]'`), 403],
  ['the token has run out', 'token', async () => (now += 7_000), 401],
]

describe.each(kinds)('at a server %s, the next request is another one when', (kind) => {
  beforeAll(() => start(kind))
  afterAll(() => stowage[Symbol.asyncDispose]())
  beforeEach(begin)

  test.each(changes)('%s, for %s', async (_, whose, work, status) => {
    const expires_at = new Date(now + 5_000).toISOString()
    token = await ada.token(['all'], { name: 'ci', expires_at })
    const bob = (await stowage.user('bob')).as('ada')
    deployToken = await makeDeployToken(expires_at)
    const callers = { anybody: anonymous, token, 'deploy token': deployToken, password: ada, bob }
    await warmUp(callers[whose])
    await work()
    expect((await callers[whose].get()).status).toBe(status)
  })

  test('it is asked for by a token that is for other packages', async () => {
    const others = await ada.token(['read:package'], { packages: ['ada/other'] })
    await warmUp(anonymous)
    for (let time = 0; time < 3; time += 1) expect((await others.get()).status).toBe(403)
    await warmUp(anonymous)
  })

  test('other bytes are published in its place', async () => {
    await warmUp(anonymous)
    await ada.delete()
    await ada.put({}, 'other')
    for (let time = 0; time < 3; time += 1) expect(await (await anonymous.get()).text()).toBe('other')
  })

  test('its owner is renamed', async () => {
    const eve = await stowage.user('eve')
    await eve.put({}, content)
    await warmUp(stowage.anonymous.as('eve'))
    const body = JSON.stringify({ new_username: 'countess' })
    await stowage.admin.fetch('/api/v1/admin/users/eve/rename', { method: 'POST', body })
    const old = await fetch(`${stowage.url}${eve.path()}`, { redirect: 'manual' })
    expect(old.status).toBe(307)
    expect(await (await stowage.anonymous.as('countess').get()).text()).toBe(content)
  })

  test('a member is taken out of the team', async () => {
    const bob = await stowage.user('bob')
    await ada.post('/api/v1/orgs', { username: 'inc', visibility: 'private' })
    const made = await ada.post('/api/v1/orgs/inc/teams', { name: 'readers', permission: 'read' })
    const { id } = (await made.json()) as { id: number }
    await ada.fetch(`/api/v1/teams/${id}/members/bob`, { method: 'PUT' })
    await ada.as('inc').put({}, content)
    await warmUp(bob.as('inc'))
    await ada.fetch(`/api/v1/teams/${id}/members/bob`, { method: 'DELETE' })
    expect((await bob.as('inc').get()).status).toBe(404)
  })

  test('a second factor is demanded', async () => {
    await warmUp(ada)
    const { secret } = (await (await ada.post('/api/v1/user/totp', {})).json()) as { secret: string }
    const { TOTP } = await import('otpauth')
    const code = new TOTP({ secret }).generate({ timestamp: now })
    expect((await ada.post('/api/v1/user/totp/confirm', { code })).status).toBeLessThan(300)
    for (let time = 0; time < 3; time += 1) expect((await ada.get()).status).toBe(401)
  })
})

test('a site that shows nobody anything before he has signed in shows it to no one from memory', async () => {
  await using closed = await startStowage({ settings: { STOWAGE_REQUIRE_SIGN_IN: 'true' } })
  const eve = await closed.user('eve')
  await eve.put({}, content)
  for (let time = 0; time < 4; time += 1) expect((await eve.get()).status).toBe(200)
  expect((await closed.anonymous.as('eve').get()).status).toBe(401)
})

describe('of what is asked for', () => {
  beforeAll(() => start(kinds[0] as string))
  afterAll(() => stowage[Symbol.asyncDispose]())
  beforeEach(begin)

  const cost = async (client: Client, file: string) => {
    statements = 0
    expect((await (await client.get({ package: 'many', file })).text()).trim()).toBe(file)
    return statements
  }
  const [known, asked] = isHot ? [0, 1] : [1, 1]

  test('nothing is kept the first time', async () => {
    const token = await ada.token(['all'])
    await ada.put({ package: 'many', file: 'one' }, 'one')
    await ada.put({ package: 'many', file: 'two' }, 'two')
    for (const [client, file] of [
      [anonymous, 'one'],
      [token, 'two'],
    ] as const) {
      expect(await cost(client, file)).toBe(asked)
      expect(await cost(client, file)).toBe(asked)
      expect(await cost(client, file)).toBe(known)
    }
  })

  test('no more is kept than there is room for: what came first goes', async () => {
    const names = Array.from({ length: 300 }, (_, index) => `f${index}`)
    for (const file of names) await ada.put({ package: 'many', file }, file.padEnd(60_000))
    for (const file of names) for (let time = 0; time < 2; time += 1) await cost(anonymous, file)
    expect(await cost(anonymous, 'f299')).toBe(known)
    expect(await cost(anonymous, 'f0')).toBe(asked)
    expect(await cost(anonymous, 'f0')).toBe(known)
  })
})
