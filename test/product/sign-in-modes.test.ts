import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { apiApp } from '../../server/http/api/app.ts'
import type { HttpParts } from '../../server/http/parts.ts'
import { Browser } from '../support/browser.ts'
import { routesOf } from '../support/routes.ts'
import { basic, type Client, startStowage, type TestStowage } from '../support/stowage.ts'

const message = async (response: Response) => ((await response.json()) as { message: string }).message

let stowage: TestStowage
let ada: Client

/** One server for all tests of a `describe`. */
function withServer(settings: Record<string, string>, now: () => number = Date.now): void {
  beforeAll(async () => {
    stowage = await startStowage({ settings, replace: { now } })
    ada = await stowage.user('ada')
    await ada.put({}, 'bytes')
  })
  afterAll(() => stowage[Symbol.asyncDispose]())
}

describe('where sign-in is required', () => {
  withServer({ STOWAGE_REQUIRE_SIGN_IN: 'true' })

  const routes = routesOf(apiApp({} as HttpParts))
  const isOpen = (path: string) => ['/api/v1/version', '/api/v1/openapi.json'].includes(path)

  // A job shows an ID token there, which is all that it has; without one there is nothing to be had.
  const exchange = '/api/v1/oidc/token'

  test('nobody gets a token for a job without an ID token', async () => {
    const response = await stowage.anonymous.fetch(exchange, { method: 'POST', body: '{}' })
    expect(response.status).toBe(400)
  })

  const asked = routes.filter(({ path }) => path !== exchange)

  test.each(asked)('nobody gets anything from $method $path without', async ({ method, path }) => {
    for (const name of ['ada', 'nobody']) {
      const at = path.replace(/:(name|owner|org|username|user)\b/g, name).replace(/:\w+/g, '1')
      const body = method === 'GET' || method === 'DELETE' ? {} : { body: '{}' }
      const response = await stowage.anonymous.fetch(at, { method, ...body })
      expect(response.status).toBe(isOpen(path) ? 200 : 401)
      if (response.status === 200) continue
      expect(response.headers.get('www-authenticate')).toBe('Basic realm="Stowage"')
      // Of no route's own: one that forgets to ask is refused too.
      expect(await message(response)).toStartWith('Sign in to use this site')
    }
  })

  test('nor any file, be there one or not', async () => {
    for (const owner of ['ada', 'nobody']) {
      const client = stowage.anonymous.as(owner)
      for (const asked of [
        client.get(),
        client.head(),
        client.get({ file: 'none' }),
        client.put({ file: 'new' }, 'x'),
        client.delete(),
        client.deleteVersion(),
      ]) {
        expect((await asked).status).toBe(401)
      }
    }
    expect((await ada.get()).status).toBe(200)
  })

  test('those who ask how it is, and who sign in, are answered', async () => {
    for (const path of ['/healthz', '/readyz', '/api/v1/version', '/api/v1/openapi.json', '/api/swagger', '/']) {
      expect((await stowage.anonymous.fetch(path)).status).toBe(200)
    }
    const browser = new Browser(stowage)
    expect(await browser.whoAmI()).toBe(401)
    expect((await browser.signIn('ada')).status).toBe(200)
    expect(await browser.whoAmI()).toBe('ada')
  })

  test('whoever sends a password or a token is served as ever', async () => {
    const eve = await stowage.user('eve')
    const token = await eve.token(['read:package'])
    for (const client of [eve, token]) {
      expect((await client.as('ada').get()).status).toBe(200)
      expect((await client.as('nobody').get()).status).toBe(404)
      expect((await client.fetch('/api/v1/packages/ada')).status).toBe(200)
    }
    expect((await eve.with({ Authorization: 'token wrong' }).get()).status).toBe(401)
  })
})

describe('where passwords are turned off', () => {
  // Nobody can make the first token by password here: an operator turns passwords off once there are some.
  async function tokenOf(name: string, stowage: TestStowage): Promise<string> {
    const secret = new Bun.CryptoHasher('sha1').update(name).digest('hex')
    const sha256 = new Bun.CryptoHasher('sha256').update(secret).digest('hex')
    await stowage.change(
      `insert into tokens (user_id, name, sha256, last_eight, scopes, created_at)
       select id, 'first', '${sha256}', '${secret.slice(-8)}', 'all', 0 from owners where name_key = '${name}'`,
    )
    return secret
  }

  test('a password is refused unread, and tokens are not', async () => {
    await using stowage = await startStowage({ settings: { STOWAGE_PASSWORD_LOGIN: 'false' } })
    const { passwords } = stowage.stowage
    const before = passwords.computations
    for (const user of ['admin', 'nobody']) {
      const response = await stowage.admin.with({ Authorization: basic(user, 'admin-Pass-1234') }).fetch('/api/v1/user')
      expect(response.status).toBe(401)
      expect(await message(response)).toBe('Passwords are turned off here: send a token in the place of the password.')
    }
    const secret = await tokenOf('admin', stowage)
    for (const Authorization of [
      `token ${secret}`,
      basic('admin', secret),
      basic('whoever', secret),
      basic(secret, ''),
      basic(secret, 'x-oauth-basic'),
    ]) {
      expect((await stowage.admin.with({ Authorization }).fetch('/api/v1/user')).status).toBe(200)
    }
    const browser = new Browser(stowage)
    const response = await browser.signIn('admin', 'admin-Pass-1234')
    expect(response.status).toBe(403)
    expect(await message(response)).toBe('Nobody signs in with a password here.')
    expect(browser.setCookie).toBeUndefined()
    expect(passwords.computations).toBe(before)

    // Administrators still add people, and these have tokens.
    const admin = stowage.admin.with({ Authorization: basic('admin', secret) })
    const body = { username: 'bob', email: 'bob@example.com', password: 'bob-Pass-1234' }
    expect((await admin.post('/api/v1/admin/users', body)).status).toBe(201)
    const made = await admin.post('/api/v1/users/bob/tokens', { name: 'ci', scopes: ['all'] })
    const { sha1 } = (await made.json()) as { sha1: string }
    const bob = admin.as('bob').with({ Authorization: `token ${sha1}` })
    expect((await bob.put({}, 'bytes')).status).toBe(201)
    const taken = { Authorization: basic('bob', 'bob-Pass-1234') }
    expect((await bob.with(taken).get()).status).toBe(401)
  })
})

describe('where strangers may make themselves an account', () => {
  const clock = { now: Date.parse('2031-05-06T07:08:09Z') }
  withServer({ STOWAGE_SIGN_UP: 'true', STOWAGE_TRUSTED_PROXIES: 'loopback' }, () => clock.now)

  const account = (name: string, fields: object = {}) => ({
    username: name,
    email: `${name}@example.com`,
    password: `${name}-Pass-1234`,
    ...fields,
  })

  test('one does, and has signed in', async () => {
    const browser = new Browser(stowage)
    const response = await browser.post('/user/sign-up', account('Zoe'))
    expect(response.status).toBe(201)
    expect(await response.json()).toMatchObject({
      login: 'Zoe',
      email: 'Zoe@example.com',
      is_admin: false,
      active: true,
      restricted: false,
      visibility: 'public',
      must_change_password: false,
    })
    expect(await browser.whoAmI()).toBe('Zoe')
    const zoe = stowage.anonymous.as('Zoe').with({ Authorization: basic('zoe', 'Zoe-Pass-1234') })
    expect((await zoe.put({}, 'bytes')).status).toBe(201)
    expect((await zoe.fetch('/api/v1/admin/jobs')).status).toBe(403)
    expect((await new Browser(stowage).signIn('zoe', 'Zoe-Pass-1234')).status).toBe(200)
  })

  test('what is taken is taken', async () => {
    const browser = new Browser(stowage, { 'X-Forwarded-For': '192.0.2.1' })
    for (const [body, told] of [
      [account('ADA', { email: 'other@example.com' }), 'user already exists [name: ADA]'],
      [account('other', { email: 'Ada@Example.com' }), 'e-mail already in use [email: Ada@Example.com]'],
    ] as const) {
      const response = await browser.post('/user/sign-up', body)
      expect(response.status).toBe(422)
      expect(await message(response)).toBe(told)
    }
    expect(browser.setCookie).toBeUndefined()
    // Nothing is left of the second one.
    expect((await browser.post('/user/sign-up', account('other'))).status).toBe(201)
  })

  test('nobody makes himself more than that', async () => {
    const browser = new Browser(stowage, { 'X-Forwarded-For': '192.0.2.2' })
    for (const more of [{ is_admin: true }, { admin: true }, { must_change_password: false }, { restricted: false }]) {
      const response = await browser.post('/user/sign-up', account('mallory', more))
      expect(response.status).toBe(422)
      expect(await message(response)).toStartWith('unknown field: ')
    }
  })

  test('from one address there are ten tries an hour', async () => {
    const from = (address: string) => new Browser(stowage, { 'X-Forwarded-For': address })
    const { passwords } = stowage.stowage
    const statuses: number[] = []
    for (let tries = 0; tries < 10; tries++) {
      // Those that fail count too: they cost as much.
      const name = tries === 0 ? 'ada' : `crowd${tries}`
      statuses.push((await from('192.0.2.3').post('/user/sign-up', account(name))).status)
    }
    expect(statuses).toEqual([422, ...Array.from({ length: 9 }, () => 201)])
    const before = passwords.computations
    const refused = await from('192.0.2.3').post('/user/sign-up', account('late'))
    expect(refused.status).toBe(429)
    expect(refused.headers.get('retry-after')).toBe('3600')
    expect(passwords.computations).toBe(before)
    // Who has an IPv6 network has more addresses than anybody can count.
    for (let host = 1; host <= 10; host++) {
      const status = (await from(`2001:db8::${host}`).post('/user/sign-up', account('ada'))).status
      expect(status).toBe(422)
    }
    expect((await from('2001:db8::b').post('/user/sign-up', account('six'))).status).toBe(429)
    expect((await from('2001:db8:0:1::b').post('/user/sign-up', account('six'))).status).toBe(201)
    expect((await from('192.0.2.4').post('/user/sign-up', account('early'))).status).toBe(201)
    clock.now += 60 * 60_000
    expect((await from('192.0.2.3').post('/user/sign-up', account('late'))).status).toBe(201)
  })
})

test('where they may not, nobody does', async () => {
  await using closed = await startStowage()
  const browser = new Browser(closed)
  for (const body of ['{}', JSON.stringify({ username: 'eve', email: 'eve@example.com', password: 'eve-Pass-1234' })]) {
    const response = await browser.post('/user/sign-up', body)
    expect(response.status).toBe(403)
    expect(await message(response)).toBe('Only administrators add users here.')
  }
  expect(browser.setCookie).toBeUndefined()
  expect(await closed.change(`select name from owners`)).toHaveLength(1)
})

describe('where a proxy says who has signed in', () => {
  withServer({
    STOWAGE_PROXY_SIGN_IN_HEADER: 'X-Remote-User',
    STOWAGE_TRUSTED_PROXIES: '127.0.0.1',
    STOWAGE_PUBLIC_URL: 'https://packages.example.com',
  })

  const proxied = (user: string, headers: Record<string, string> = {}) =>
    ada.with({ 'x-remote-user': user, ...headers })
  const whoIs = async (client: Client): Promise<string | number> => {
    const response = await client.fetch('/api/v1/user')
    return response.status === 200 ? ((await response.json()) as { login: string }).login : response.status
  }

  test('it is that person, in the API and for pages', async () => {
    for (const user of ['ada', 'ADA']) {
      expect(await whoIs(proxied(user))).toBe('ada')
      expect(await new Browser(stowage, { 'X-Remote-User': user }).whoAmI()).toBe('ada')
    }
    expect((await proxied('ada').put({ file: 'by-proxy' }, 'x')).status).toBe(201)
    expect((await proxied('ada').delete({ file: 'by-proxy' })).status).toBe(204)
    // Whom the proxy forwards for does not come into it.
    expect(await whoIs(proxied('ada', { 'X-Forwarded-For': '203.0.113.9' }))).toBe('ada')
    // The routes that insist on Basic take it for the person himself.
    expect((await proxied('ada').post('/api/v1/users/ada/tokens', { name: 'p', scopes: ['all'] })).status).toBe(201)
  })

  test('nobody is no mistake, and who is not here is', async () => {
    expect((await proxied('').get()).status).toBe(200)
    expect(await whoIs(proxied(''))).toBe(401)
    expect(await new Browser(stowage, { 'X-Remote-User': '' }).whoAmI()).toBe(401)
    await stowage.user('off')
    await stowage.user('out')
    await stowage.change(`update users set is_active = 0 where email_key = 'off@example.com'`)
    await stowage.change(`update users set prohibit_login = 1 where email_key = 'out@example.com'`)
    for (const user of [
      'nobody',
      // Everybody may set his address to what he likes.
      'ada@example.com',
      'off',
      'out',
      'ada, admin',
      'ada,',
      ',',
      'a da',
      'ada\x01',
      '\x0bada',
      'ad\tä',
      '..',
    ]) {
      // Also for what anybody may read: the proxy says that somebody has signed in. The runtime itself takes no control character.
      const status = /[^\P{Cc}\t]/u.test(user) ? 400 : 401
      expect((await proxied(user).get()).status).toBe(status)
      expect(await new Browser(stowage, { 'X-Remote-User': user }).whoAmI()).toBe(status)
    }
  })

  test('sent twice is nobody whom anybody knows', async () => {
    const headers = new Headers({ 'X-Remote-User': 'ada' })
    headers.append('X-Remote-User', 'ada')
    expect((await fetch(`${stowage.url}/api/v1/user`, { headers })).status).toBe(401)
  })

  test('other credentials count first', async () => {
    await stowage.user('eve')
    const token = await ada.token(['read:user'])
    expect(await whoIs(proxied('eve', { Authorization: `token ${token.secret}` }))).toBe('ada')
    expect(await whoIs(proxied('eve', { 'Private-Token': token.secret }))).toBe('ada')
    expect(await whoIs(proxied('eve', { Authorization: basic('ada', 'ada-Pass-1234') }))).toBe('ada')
    expect(await whoIs(proxied('eve', { Authorization: 'token wrong' }))).toBe(401)
    const browser = new Browser(stowage, { 'X-Remote-User': 'eve' })
    expect(await browser.whoAmI()).toBe('eve')
    const signedIn = await browser.post('/user/login', { user: 'ada', password: 'ada-Pass-1234' })
    expect(signedIn.status).toBe(200)
    // A session of somebody who had the browser before is nothing against the proxy's word.
    browser.cookie = browser.setCookie?.split(';')[0]
    expect(await browser.whoAmI()).toBe('eve')
    expect((await browser.post('/user/logout')).status).toBe(204)
    expect(await browser.whoAmI()).toBe('eve')
  })

  test('a page of another site changes nothing in his name', async () => {
    const tokens = '/api/v1/users/ada/tokens'
    for (const headers of [
      { 'Sec-Fetch-Site': 'cross-site' },
      { 'Sec-Fetch-Site': 'same-site' },
      { Origin: 'https://evil.example' },
      { Origin: 'null' },
    ] as Record<string, string>[]) {
      const client = proxied('ada', headers)
      expect((await client.post(tokens, { name: 'evil', scopes: ['all'] })).status).toBe(403)
      expect((await client.put({ file: 'evil' }, 'x')).status).toBe(403)
      expect((await client.delete()).status).toBe(403)
      expect((await client.fetch('/user/sessions', { method: 'DELETE' })).status).toBe(403)
      expect((await client.get()).status).toBe(200)
      expect((await client.head()).status).toBe(200)
      // What a browser does not send by itself is another matter.
      const byPassword = { ...headers, Authorization: basic('ada', 'ada-Pass-1234') }
      expect((await client.with(byPassword).put({ file: `own-${Math.random()}` }, 'x')).status).toBe(201)
    }
    const own = [{ 'Sec-Fetch-Site': 'same-origin' }, { Origin: 'https://packages.example.com' }, {}]
    for (const headers of own as Record<string, string>[]) {
      expect((await proxied('ada', headers).put({ file: `own-${Math.random()}` }, 'x')).status).toBe(201)
    }
  })

  test('it is no password', async () => {
    const change = { old_password: 'ada-Pass-1234', new_password: 'another-Pass-1' }
    const browser = new Browser(stowage, { 'X-Remote-User': 'ada' })
    const response = await browser.post('/user/password', change)
    expect(response.status).toBe(403)
    expect(await message(response)).toBe('This takes a password: sign in with user name and password.')
    expect((await proxied('ada').post('/api/v1/user/password', change)).status).toBe(403)
    expect(await whoIs(ada)).toBe('ada')
  })

  test('sessions are listed and ended by who comes through the proxy', async () => {
    await stowage.user('tim')
    const plain = new Browser(stowage)
    await plain.signIn('tim')
    const cookie = plain.setCookie?.split(';')[0] ?? ''
    const byProxy = new Browser(stowage, { 'X-Remote-User': 'tim' })
    const list = (await (await byProxy.fetch('/user/sessions')).json()) as { current: boolean }[]
    expect(list.map(({ current }) => current)).toEqual([false])
    expect((await byProxy.delete('/user/sessions')).status).toBe(204)
    expect((await plain.fetch('/user/session', { headers: { Cookie: cookie } })).status).toBe(401)
  })
})

describe('where somebody else than the proxy says who has signed in', () => {
  withServer({ STOWAGE_PROXY_SIGN_IN_HEADER: 'X-Remote-User', STOWAGE_TRUSTED_PROXIES: '10.0.0.1' })

  test('it is as if he had not said it, whomever he forwards for', async () => {
    for (const user of ['ada', 'admin', 'nobody', 'ada, admin']) {
      for (const forwarded of [{}, { 'X-Forwarded-For': '10.0.0.1' }, { 'X-Forwarded-For': '10.0.0.1, 10.0.0.1' }]) {
        const headers = { 'X-Remote-User': user, ...forwarded }
        const client = ada.with(headers as Record<string, string>)
        expect((await client.get()).status).toBe(200)
        expect((await client.fetch('/api/v1/user')).status).toBe(401)
        expect((await client.put({ file: 'x' }, 'x')).status).toBe(401)
        expect(await new Browser(stowage, headers as Record<string, string>).whoAmI()).toBe(401)
      }
    }
  })
})

test('where no header is named, none is read', async () => {
  await using plain = await startStowage({ settings: { STOWAGE_TRUSTED_PROXIES: 'loopback' } })
  for (const name of ['X-Remote-User', 'X-WEBAUTH-USER', 'undefined']) {
    expect((await plain.anonymous.with({ [name]: 'admin' }).fetch('/api/v1/user')).status).toBe(401)
  }
})
