import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { type TOTP, URI } from 'otpauth'
import { administer } from '../../server/access/grant.ts'
import type { HttpParts } from '../../server/http/parts.ts'
import { signInRoutes } from '../../server/http/sign-in/app.ts'
import { Browser } from '../support/browser.ts'
import { basic, startStowage, type TestStowage } from '../support/stowage.ts'

const clock = { now: Date.parse('2031-05-06T07:08:09Z') }
const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

let stowage: TestStowage

beforeAll(async () => {
  stowage = await startStowage({
    settings: {
      STOWAGE_SESSION_IDLE: '7d',
      STOWAGE_SESSION_LIFETIME: '30d',
      STOWAGE_TRUSTED_PROXIES: 'loopback',
      STOWAGE_SIGN_UP: 'true',
    },
    replace: { now: () => clock.now },
  })
})
afterAll(() => stowage[Symbol.asyncDispose]())

/** A browser in which that person has signed in. */
async function signedIn(name: string, headers: Record<string, string> = {}): Promise<Browser> {
  const browser = new Browser(stowage, headers)
  const { status } = await browser.signIn(name)
  expect(status).toBe(200)
  return browser
}

interface Shown {
  id: number
  created_at: string
  last_used_at: string
  expires_at: string
  address: string
  agent: string
  current: boolean
}

async function listOf(browser: Browser): Promise<Shown[]> {
  const response = await browser.fetch('/user/sessions')
  expect(response.status).toBe(200)
  return (await response.json()) as Shown[]
}

async function refusal(response: Response) {
  const body = (await response.json()) as { message: string }
  expect(Object.keys(body).sort()).toEqual(['message', 'url'])
  expect(response.headers.get('www-authenticate')).toBeNull()
  expect(response.headers.get('cache-control')).toBe('no-store')
  return { status: response.status, message: body.message }
}

const wrong = { status: 401, message: 'Failed to authenticate user' }

describe('signing in', () => {
  test('gives the browser a cookie, of which the database has the SHA-256 alone', async () => {
    await stowage.user('ada')
    const browser = new Browser(stowage)
    const response = await browser.signIn('ada')
    expect(response.status).toBe(200)
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(await response.json()).toMatchObject({
      login: 'ada',
      email: 'ada@example.com',
      active: true,
      last_login: '2031-05-06T07:08:09Z',
      must_change_password: false,
    })
    expect(browser.setCookie).toMatch(
      /^stowage_session=[A-Za-z0-9_-]{43}; Path=\/; Max-Age=2592000; HttpOnly; SameSite=Lax$/,
    )
    const secret = browser.cookie?.split('=')[1] ?? ''
    const rows = await stowage.change('select sha256 from sessions')
    expect(rows).toEqual([{ sha256: createHash('sha256').update(secret).digest('hex') }])
    expect(await browser.whoAmI()).toBe('ada')
    expect((await browser.fetch('/user/session', { method: 'HEAD' })).status).toBe(200)
  })

  test('takes the e-mail address too, and the name in any letter case', async () => {
    await stowage.user('bob')
    for (const user of ['bob@example.com', 'BOB@Example.com', 'BoB']) {
      const browser = new Browser(stowage)
      await browser.signIn(user, 'bob-Pass-1234')
      expect(await browser.whoAmI()).toBe('bob')
    }
  })

  test('with what is wrong makes no browser ask for a password', async () => {
    const eve = await stowage.user('eve')
    const { secret } = await eve.token(['all'])
    for (const [user, password] of [
      ['eve', 'wrong'],
      ['nobody', 'wrong'],
      ['not a name', 'wrong'],
      ['eve\0', 'eve-Pass-1234'],
      // A session is made from a password only.
      ['eve', secret],
      [secret, 'x-oauth-basic'],
    ] as const) {
      const browser = new Browser(stowage)
      const response = await browser.post('/user/login', { user, password })
      if (user.includes('\0')) expect(response.status).toBe(422)
      else expect(await refusal(response)).toEqual(wrong)
      expect(browser.setCookie).toBeUndefined()
    }
    expect(await refusal(await new Browser(stowage).fetch('/user/session'))).toMatchObject({ status: 401 })
  })

  test('counts wrong passwords together with those in Basic', async () => {
    const dan = await stowage.user('dan')
    for (let tries = 0; tries < 5; tries++) {
      expect((await new Browser(stowage).signIn('dan', `guess ${tries}`)).status).toBe(401)
      const guess = { Authorization: basic('dan', `other guess ${tries}`) }
      expect((await dan.with(guess).fetch('/api/v1/user')).status).toBe(401)
    }
    const response = await new Browser(stowage).signIn('dan')
    expect(response.status).toBe(429)
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(500)
    // From elsewhere he signs in.
    expect((await new Browser(stowage, { 'X-Forwarded-For': '192.0.2.7' }).signIn('dan')).status).toBe(200)
  })

  test('takes the code of a second factor, once', async () => {
    const pat = await stowage.user('pat')
    const { url } = (await (await pat.post('/api/v1/user/totp', {})).json()) as { url: string }
    const phone = URI.parse(url) as TOTP
    const code = () => phone.generate({ timestamp: clock.now })
    expect((await pat.post('/api/v1/user/totp/confirm', { code: code() })).status).toBe(200)
    clock.now += minute
    const browser = new Browser(stowage)
    const sent = { user: 'pat', password: 'pat-Pass-1234' }
    const asked = await browser.post('/user/login', sent)
    expect(asked.status).toBe(401)
    expect(asked.headers.get('www-authenticate')).toBeNull()
    expect(await asked.json()).toMatchObject({ second_factor: true })
    // Only to who has the password.
    expect(await refusal(await browser.post('/user/login', { ...sent, password: 'x', code: code() }))).toEqual(wrong)
    for (const bad of ['', '000', 'x']) {
      expect((await browser.post('/user/login', { ...sent, code: bad })).status).toBe(401)
    }
    expect((await browser.post('/user/login', { ...sent, code: ` ${code()} ` })).status).toBe(200)
    expect(await browser.whoAmI()).toBe('pat')
    expect((await new Browser(stowage).post('/user/login', { ...sent, code: code() })).status).toBe(401)
    // The session has shown it: a new password takes the old one alone.
    const change = { old_password: 'pat-Pass-1234', new_password: 'another-Pass-1' }
    expect((await browser.post('/user/password', change)).status).toBe(204)
    expect(await browser.whoAmI()).toBe('pat')
  })

  test('replaces the session that the browser brought, and ends no other', async () => {
    await stowage.user('fay')
    await stowage.user('gus')
    const elsewhere = await signedIn('fay')
    const browser = await signedIn('fay')
    const before = browser.cookie
    await browser.signIn('fay')
    expect(browser.cookie).not.toBe(before)
    expect(await browser.whoAmI()).toBe('fay')
    expect(await elsewhere.whoAmI()).toBe('fay')
    const old = new Browser(stowage)
    old.cookie = before
    expect(await old.whoAmI()).toBe(401)

    const fays = browser.cookie
    await browser.signIn('gus')
    expect(await browser.whoAmI()).toBe('gus')
    old.cookie = fays
    expect(await old.whoAmI()).toBe(401)
    // Who fails to sign in stays who he is.
    expect((await browser.signIn('fay', 'wrong')).status).toBe(401)
    expect(await browser.whoAmI()).toBe('gus')
  })

  test('leaves an account its newest 100 sessions', async () => {
    await stowage.user('many')
    const first = await signedIn('many')
    const second = await signedIn('many')
    const rows = Array.from(
      { length: 98 },
      (_, index) => `(
      (select id from owners where name = 'many'), 'x${index}', ${clock.now}, ${clock.now}, ${clock.now + day}, '', '')`,
    )
    await stowage.change(
      `insert into sessions (user_id, sha256, created_at, last_used_at, expires_at, address, agent) values ${rows}`,
    )
    expect(await first.whoAmI()).toBe('many')
    await signedIn('many')
    expect(await first.whoAmI()).toBe(401)
    expect(await second.whoAmI()).toBe('many')
    expect(await listOf(second)).toHaveLength(100)
  })
})

test('what changed while a request was under way is found by its transaction', async () => {
  await stowage.user('wim')
  const { sessions } = stowage.stowage
  const browser = await signedIn('wim')
  const visitor = await sessions.visitor(browser.cookie?.split('=')[1] ?? '', '127.0.0.1')
  if (!visitor) throw new Error('nobody has signed in')
  const refused = { code: 'credentials-wrong' }
  // The password was changed after it had been checked.
  const credential = { kind: 'password', hash: 'another', secondFactor: null } as const
  const place = { address: '', agent: '', secret: undefined }
  await expect(sessions.start({ ...visitor, credential }, place)).rejects.toMatchObject(refused)
  // The session was ended after it had been found.
  const other = await signedIn('wim')
  await browser.post('/user/logout')
  await expect(sessions.endOthers(visitor)).rejects.toMatchObject(refused)
  // The administrator was one no longer.
  await stowage.user('exadmin')
  await stowage.change(`update users set is_admin = 1 where email_key = 'exadmin@example.com'`)
  const admins = await signedIn('exadmin')
  const admin = await sessions.visitor(admins.cookie?.split('=')[1] ?? '', '127.0.0.1')
  if (!admin) throw new Error('nobody has signed in')
  const grant = administer(admin, 'write')
  await stowage.change(`update users set is_admin = 0 where email_key = 'exadmin@example.com'`)
  await expect(sessions.endAllOf(grant, visitor.account.id)).rejects.toMatchObject({ code: 'forbidden' })
  expect(await other.whoAmI()).toBe('wim')
})

describe('an account that must change its password', () => {
  test('signs in, and can do nothing but that and sign out', async () => {
    await stowage.user('new', { username: 'newbie', password: 'newbie-Pass-1234', must_change_password: true })
    const browser = new Browser(stowage)
    expect(await (await browser.signIn('newbie')).json()).toMatchObject({ must_change_password: true })
    expect(await (await browser.fetch('/user/session')).json()).toMatchObject({ must_change_password: true })
    for (const asked of [
      browser.fetch('/user/sessions'),
      browser.delete('/user/sessions'),
      browser.delete('/user/sessions/1'),
    ]) {
      expect(await refusal(await asked)).toEqual({ status: 403, message: 'Set a new password first.' })
    }
    const change = { old_password: 'newbie-Pass-1234', new_password: 'another-Pass-1' }
    expect((await browser.post('/user/password', change)).status).toBe(204)
    expect(await listOf(browser)).toHaveLength(1)
    expect(await (await browser.fetch('/user/session')).json()).toMatchObject({ must_change_password: false })
  })
})

describe('a session', () => {
  test('ends with signing out', async () => {
    await stowage.user('hal')
    const [browser, other] = [await signedIn('hal'), await signedIn('hal')]
    const copy = new Browser(stowage)
    copy.cookie = browser.cookie
    const response = await browser.post('/user/logout')
    expect(response.status).toBe(204)
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(browser.setCookie).toBe('stowage_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax')
    expect(await copy.whoAmI()).toBe(401)
    expect(await other.whoAmI()).toBe('hal')
    // Signing out once more is no mistake, nor is it for whoever never signed in.
    expect((await copy.post('/user/logout')).status).toBe(204)
    expect((await new Browser(stowage).post('/user/logout')).status).toBe(204)
  })

  test('ends when it was not used for long, and in any case at last', async () => {
    await stowage.user('ida')
    const [used, unused] = [await signedIn('ida'), await signedIn('ida')]
    for (let days = 0; days < 25; days += 5) {
      clock.now += 5 * day
      expect(await used.whoAmI()).toBe('ida')
      await stowage.stowage.flushUses()
    }
    expect(await unused.whoAmI()).toBe(401)
    expect(await listOf(used)).toHaveLength(1)
    clock.now += 5 * day - 1
    expect(await used.whoAmI()).toBe('ida')
    await stowage.stowage.flushUses()
    clock.now += 1
    expect(await used.whoAmI()).toBe(401)
  })

  test('ends after its idle time to the millisecond', async () => {
    await stowage.user('ian')
    const browser = await signedIn('ian')
    clock.now += 7 * day - 1
    expect(await browser.whoAmI()).toBe('ian')
    clock.now += 1
    expect(await browser.whoAmI()).toBe(401)
  })

  test('that has ended is removed', async () => {
    await stowage.user('jon')
    await signedIn('jon')
    clock.now += 8 * day
    const lives = await signedIn('jon')
    const ofJon = `select sessions.id from sessions join owners on owners.id = user_id where name = 'jon'`
    expect(await stowage.change(ofJon)).toHaveLength(2)
    await stowage.stowage.sessions.dropEnded()
    expect(await stowage.change(ofJon)).toHaveLength(1)
    expect(await lives.whoAmI()).toBe('jon')
  })

  test('is refused by the next request after an account is disabled, prohibited or deleted', async () => {
    for (const [name, change] of [
      ['off', 'update users set is_active = 0'],
      ['out', 'update users set prohibit_login = 1'],
      ['gone', 'delete from users'],
    ] as const) {
      await stowage.user(name)
      const browser = await signedIn(name)
      expect(await browser.whoAmI()).toBe(name)
      await stowage.change(`${change} where id = (select id from owners where name = '${name}')`)
      expect(await browser.whoAmI()).toBe(401)
      expect(await refusal(await browser.fetch('/user/sessions'))).toMatchObject({ status: 401 })
      expect(await refusal(await browser.signIn(name))).toEqual(wrong)
    }
  })

  test('is never a credential of the API', async () => {
    const kim = await stowage.user('kim', { visibility: 'private' })
    await kim.put({}, 'secret')
    const browser = await signedIn('kim')
    for (const [path, method, status] of [
      ['/api/v1/user', 'GET', 401],
      ['/api/v1/users/kim/tokens', 'GET', 401],
      ['/api/v1/packages/kim', 'GET', 404],
      [kim.path(), 'GET', 401],
      [kim.path({ file: 'other' }), 'PUT', 401],
      [kim.path(), 'DELETE', 401],
    ] as const) {
      expect((await browser.fetch(path, { method })).status).toBe(status)
    }
    // Nor do the API's credentials count here.
    const byPassword = new Browser(stowage, { Authorization: basic('kim', 'kim-Pass-1234') })
    expect(await byPassword.whoAmI()).toBe(401)
  })
})

describe('one’s sessions', () => {
  test('are listed, newest first, with where they are from', async () => {
    await stowage.user('lea')
    const first = await signedIn('lea', { 'X-Forwarded-For': '192.0.2.1', 'User-Agent': `Firefox ${'x'.repeat(300)}` })
    clock.now += 3 * minute
    const second = await signedIn('lea', { 'User-Agent': '' })
    clock.now += 2 * minute
    expect(await first.whoAmI()).toBe('lea')
    await stowage.stowage.flushUses()
    const [newer, older, ...others] = await listOf(second)
    expect(others).toEqual([])
    const time = (ago: number) => new Date(clock.now - ago).toISOString().replace('.000Z', 'Z')
    expect(older).toEqual({
      id: expect.any(Number),
      created_at: time(5 * minute),
      last_used_at: time(0),
      expires_at: time(5 * minute - 30 * day),
      address: '192.0.2.1',
      agent: `Firefox ${'x'.repeat(247)}`,
      current: false,
    })
    expect(newer).toMatchObject({ address: '127.0.0.1', agent: '', current: true })
    expect((await listOf(first)).map(({ current }) => current)).toEqual([false, true])
  })

  test('are ended one by one, by their owner alone', async () => {
    await stowage.user('mia')
    await stowage.user('ned')
    const [here, there, neds] = [await signedIn('mia'), await signedIn('mia'), await signedIn('ned')]
    const [{ id: idThere } = { id: 0 }] = await listOf(there)
    for (const id of [idThere, 0, 999_999_999]) {
      expect((await neds.delete(`/user/sessions/${id}`)).status).toBe(404)
    }
    for (const odd of ['x', '-1', '1e3', '9999999999999999', '%00', '1%2F2', ' 1']) {
      expect((await here.delete(`/user/sessions/${odd}`)).status).toBe(404)
    }
    expect(await there.whoAmI()).toBe('mia')
    expect((await here.delete(`/user/sessions/${idThere}`)).status).toBe(204)
    expect(await there.whoAmI()).toBe(401)
    expect((await here.delete(`/user/sessions/${idThere}`)).status).toBe(404)
    // The one at hand too.
    const [{ id } = { id: 0 }] = await listOf(here)
    expect((await here.delete(`/user/sessions/${id}`)).status).toBe(204)
    expect(await here.whoAmI()).toBe(401)
    expect(await neds.whoAmI()).toBe('ned')
  })

  test('are ended all but this one', async () => {
    await stowage.user('oda')
    await stowage.user('pia')
    const [here, there, pias] = [await signedIn('oda'), await signedIn('oda'), await signedIn('pia')]
    expect((await here.delete('/user/sessions')).status).toBe(204)
    expect(await Promise.all([here, there, pias].map((browser) => browser.whoAmI()))).toEqual(['oda', 401, 'pia'])
  })

  test('are ended by a new password, all but the one that set it', async () => {
    const quin = await stowage.user('quin')
    const [here, there] = [await signedIn('quin'), await signedIn('quin')]
    const change = (old_password: string, new_password: string) =>
      here.post('/user/password', { old_password, new_password })
    expect(await refusal(await change('wrong', 'another-Pass-1'))).toEqual({
      status: 403,
      message: 'The old password is not right.',
    })
    expect((await change('quin-Pass-1234', 'short')).status).toBe(422)
    expect(await there.whoAmI()).toBe('quin')
    expect((await change('quin-Pass-1234', 'another-Pass-1')).status).toBe(204)
    expect(await here.whoAmI()).toBe('quin')
    expect(await there.whoAmI()).toBe(401)
    expect((await quin.fetch('/api/v1/user')).status).toBe(401)
    expect((await new Browser(stowage).signIn('quin', 'another-Pass-1')).status).toBe(200)
    // A new password in the API ends them all.
    const byPassword = quin.with({ Authorization: basic('quin', 'another-Pass-1') })
    const again = { old_password: 'another-Pass-1', new_password: 'a-third-Pass-1' }
    expect((await byPassword.post('/api/v1/user/password', again)).status).toBe(204)
    expect(await here.whoAmI()).toBe(401)
  })

  test('count guesses at the old password', async () => {
    await stowage.user('rex')
    const browser = await signedIn('rex')
    for (let tries = 0; tries < 10; tries++) {
      const guess = { old_password: `guess ${tries}`, new_password: 'another-Pass-1' }
      expect((await browser.post('/user/password', guess)).status).toBe(403)
    }
    const guess = { old_password: 'guess', new_password: 'another-Pass-1' }
    expect((await browser.post('/user/password', guess)).status).toBe(429)
  })

  test('are ended by an administrator', async () => {
    const sue = await stowage.user('sue')
    await stowage.user('tom')
    const [sues, toms] = [await signedIn('sue'), await signedIn('tom')]
    const end = '/api/v1/admin/users/sue/sessions'
    const reader = await stowage.admin.token(['read:admin'])
    for (const [client, status] of [
      [stowage.anonymous, 401],
      [sue, 403],
      [reader, 403],
    ] as const) {
      expect((await client.fetch(end, { method: 'DELETE' })).status).toBe(status)
    }
    expect(await sues.whoAmI()).toBe('sue')
    expect((await stowage.admin.fetch(end, { method: 'DELETE' })).status).toBe(204)
    expect(await sues.whoAmI()).toBe(401)
    expect(await toms.whoAmI()).toBe('tom')
    expect((await stowage.admin.fetch(end, { method: 'DELETE' })).status).toBe(204)
    const unknown = '/api/v1/admin/users/nobody/sessions'
    expect((await stowage.admin.fetch(unknown, { method: 'DELETE' })).status).toBe(404)
    expect((await stowage.admin.fetch(end)).headers.get('allow')).toBe('DELETE')
  })
})

describe('every change below /user', () => {
  const changes = signInRoutes({} as HttpParts).routes.filter(({ method }) => method !== 'GET')

  let browser: Browser
  beforeAll(async () => {
    await stowage.user('uma')
    browser = await signedIn('uma')
  })

  // Here the secret of a link says who may, which no browser sends by itself.
  const forScripts = new Set(['/user/invitation', '/user/password-reset', '/user/forgot-password'])

  test('is there', () => expect(changes.length).toBeGreaterThan(5))

  test.each(changes)('$method $path comes from a page of this server', async ({ method, path }) => {
    const at = path.replace(/:\w+/g, '1')
    for (const headers of [
      { 'Sec-Fetch-Site': 'cross-site' },
      { 'Sec-Fetch-Site': 'same-site' },
      { 'Sec-Fetch-Site': 'cross-site', Origin: stowage.url },
      { Origin: 'https://evil.example' },
      { Origin: 'null' },
      ...(forScripts.has(path) ? [] : [{}]),
    ] as Record<string, string>[]) {
      const cookie = { Cookie: browser.cookie ?? '' }
      const body = method === 'POST' ? { body: '{}' } : {}
      const response = await fetch(stowage.url + at, { method, ...body, headers: { ...cookie, ...headers } })
      const { status, message } = await refusal(response)
      expect(status).toBe(403)
      expect(message).toMatch(Object.keys(headers).length > 0 ? /another site/ : /Sec-Fetch-Site: same-origin/)
    }
    expect(await browser.whoAmI()).toBe('uma')
    // An older browser says its origin alone.
    const { status } = await fetch(stowage.url + at, { method, headers: { Origin: stowage.url } })
    expect(status).not.toBe(403)
  })

  test('is no other address and no other method, whoever sends it', async () => {
    for (const [method, path, status, allow] of [
      ['DELETE', '/user/login', 405, 'POST'],
      ['POST', '/user/session', 405, 'GET, HEAD'],
      ['PUT', '/user/sessions', 405, 'GET, HEAD, DELETE'],
      ['POST', '/user', 404, null],
      ['POST', '/user/nothing', 404, null],
    ] as const) {
      const response = await fetch(stowage.url + path, { method })
      expect(response.headers.get('allow')).toBe(allow)
      expect((await refusal(response)).status).toBe(status)
    }
  })
})

describe('a body', () => {
  let browser: Browser
  beforeAll(async () => {
    await stowage.user('vic')
    browser = await signedIn('vic')
  })

  test.each<[string, string, number, string]>([
    ['/user/login', '', 400, 'The body must be JSON.'],
    ['/user/login', '{', 400, 'The body must be JSON.'],
    ['/user/login', '[]', 422, 'The body must be a JSON object.'],
    ['/user/login', 'null', 422, 'The body must be a JSON object.'],
    ['/user/login', '"ada"', 422, 'The body must be a JSON object.'],
    ['/user/login', '{}', 422, 'user: is missing: a user name or an e-mail address; password: is missing'],
    ['/user/login', '{"user":1,"password":[]}', 422, 'user: is missing'],
    ['/user/login', '{"user":"","password":""}', 422, 'user: is missing; password: is missing'],
    ['/user/login', '{"user":"ada","password":"x","remember":true}', 422, 'unknown field: remember'],
    ['/user/login', '{"user":"ada","password":"\\ud800"}', 422, 'password: may not hold NUL or half a character'],
    ['/user/login', '{"user":"ada","password":"x","code":1}', 422, 'code: must be text'],
    ['/user/login', JSON.stringify({ user: 'ada', password: 'x'.repeat(1025) }), 422, 'password: is too long'],
    ['/user/login', JSON.stringify({ user: 'x'.repeat(1025), password: 'x' }), 422, 'user: is too long'],
    ['/user/login', JSON.stringify({ user: 'x'.repeat(300_000) }), 413, 'The body may have 262144 bytes at most.'],
    ['/user/password', '{}', 422, 'old_password: is missing; new_password: is missing'],
    ['/user/password', '{"old_password":"a","new_password":"b","x":1}', 422, 'unknown field: x'],
    ['/user/sign-up', '{}', 422, 'username: is missing; email: is missing; password: is missing'],
    [
      '/user/sign-up',
      '{"username":"x","email":"x@","password":"short","is_admin":true}',
      422,
      'unknown field: is_admin',
    ],
    ['/user/sign-up', '{"username":"x","email":"x@","password":"short"}', 422, 'email: must be an e-mail address'],
    [
      '/user/sign-up',
      '{"username":"x","email":"","password":"long-enough-1"}',
      422,
      'email: must be an e-mail address',
    ],
    ['/user/sign-up', '{"username":"a b","email":"x@y","password":"long-enough-1"}', 422, 'a name must be 1 to 40'],
    [
      '/user/sign-up',
      '{"username":"user","email":"x@y","password":"long-enough-1"}',
      422,
      'the name "user" is reserved',
    ],
  ])('%#: %s', async (path, body, status, message) => {
    const told = await refusal(await browser.post(path, body))
    expect(told.status).toBe(status)
    expect(told.message).toContain(message)
    expect(await browser.whoAmI()).toBe('vic')
  })

  test('does not come into it where nobody has signed in', async () => {
    const browser = new Browser(stowage)
    for (const cookie of [undefined, 'stowage_session=', `stowage_session=${'A'.repeat(43)}`, 'stowage_session="; x']) {
      browser.cookie = cookie
      expect((await browser.post('/user/password', '{')).status).toBe(401)
      expect((await browser.fetch('/user/sessions')).status).toBe(401)
      expect((await browser.delete('/user/sessions')).status).toBe(401)
      expect((await browser.delete('/user/sessions/1')).status).toBe(401)
    }
  })
})

test('a server that browsers reach by https below a path has a cookie that only its host can set', async () => {
  await using behind = await startStowage({
    settings: { STOWAGE_PUBLIC_URL: 'https://example.com/stowage' },
    replace: { addresses: 'every' },
  })
  await behind.user('ada')
  const browser = new Browser(behind)
  expect((await browser.post('/stowage/user/login', { user: 'ada', password: 'ada-Pass-1234' })).status).toBe(200)
  expect(browser.setCookie).toMatch(
    /^__Host-stowage_session=[A-Za-z0-9_-]{43}; Path=\/; Max-Age=2592000; HttpOnly; SameSite=Lax; Secure$/,
  )
  for (const path of ['/stowage/user/session', '/user/session', '/stowage//user/session/']) {
    expect((await browser.fetch(path)).status).toBe(200)
  }
  // The cookie of plain http is none here.
  const cookie = browser.cookie?.replace('__Host-', '') ?? ''
  expect((await browser.fetch('/user/session', { headers: { Cookie: cookie } })).status).toBe(401)
  // The origin is that of the public address, wherever the request arrived.
  for (const [origin, status] of [
    [behind.url, 403],
    ['https://example.com', 204],
  ] as const) {
    const headers = { Cookie: browser.cookie ?? '', Origin: origin }
    expect((await fetch(`${behind.url}/user/logout`, { method: 'POST', headers })).status).toBe(status)
  }
})
