import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { generateKeyPair } from 'jose'
import { Browser } from '../support/browser.ts'
import { type Forgery, Issuer, IssuerVisitor } from '../support/issuer.ts'
import { Person, told } from '../support/single-sign-on.ts'
import { basic, startStowage, type TestStowage } from '../support/stowage.ts'

const clock = { now: Date.now() }
let corp: Issuer
let partner: Issuer
let stowage: TestStowage

beforeAll(async () => {
  corp = await Issuer.start()
  partner = await Issuer.start()
  stowage = await startStowage({
    settings: {
      ...corp.settings('CORP', { AUTO_REGISTER: 'true' }),
      ...partner.settings('PARTNER'),
    },
    replace: { now: () => clock.now, outgoing: { limits: { time: 1_500 } } },
  })
})
beforeEach(() => {
  for (const issuer of [corp, partner]) {
    issuer.forge = undefined
    issuer.isDown = false
    issuer.delay = 0
  }
})
afterAll(async () => {
  await stowage[Symbol.asyncDispose]()
  await corp[Symbol.asyncDispose]()
  await partner[Symbol.asyncDispose]()
})

/** Somebody new, who has come in by Corp. */
async function member(name: string): Promise<Person> {
  corp.account(name)
  const person = new Person(stowage)
  expect(await told(await person.comeIn('corp', name))).toEqual([303, '/'])
  expect(await person.browser.whoAmI()).toBe(name)
  return person
}

const identitiesOf = async (name: string) =>
  (await (await stowage.admin.fetch(`/api/v1/admin/users/${name}/identities`)).json()) as Record<string, unknown>[]

const notTrusted = /^What Corp sent could not be trusted/
const begunElsewhere = /^This sign-in was begun in another browser, is over already, or took longer/

describe('somebody whom a provider knows', () => {
  test('gets an account, and comes back to it, whatever he is called by then', async () => {
    const { browser } = await member('ada')
    const user = (await (await browser.fetch('/user/session')).json()) as Record<string, unknown>
    expect(user).toMatchObject({ login: 'ada', full_name: 'ada of the issuer', email: 'ada@id.example.com' })
    expect(await identitiesOf('ada')).toMatchObject([
      { provider: 'corp', issuer: corp.url, subject: 'ada', label: 'ada', lapsed_at: null, checked: true },
    ])

    corp.account('ada', { preferred_username: 'ada-lovelace' })
    const again = new Person(stowage)
    expect(await told(await again.comeIn('corp', 'ada', '/-/search?q=tool'))).toEqual([303, '/-/search?q=tool'])
    expect(await again.browser.whoAmI()).toBe('ada')
    expect(await identitiesOf('ada')).toMatchObject([{ label: 'ada-lovelace' }])
  })

  test('has no password: Basic takes a token, and the refusal says so to everybody alike', async () => {
    const { browser } = await member('bea')
    const made = await browser.submit('/user/settings/tokens', { name: 'ci', expires: '90', scopes: 'all' })
    const token = /[0-9a-f]{40}/.exec(await made.text())?.[0] ?? ''
    const read = (password: string, name = 'bea') =>
      stowage.anonymous.with({ Authorization: basic(name, password) }).fetch('/api/v1/packages/bea')
    expect((await read(token)).status).toBe(200)
    const refused = await read('a guess')
    expect(refused.status).toBe(401)
    expect(await refused.text()).toContain('uses a token as the password')
    for (const [name, password] of [
      ['nobody-at-all', 'a guess'],
      ['admin', 'a guess'],
    ] as const) {
      const other = await read(password, name)
      expect([other.status, await other.text()]).toEqual([401, await (await read('another')).text()])
    }
    const settings = await (await browser.fetch('/user/settings/password')).text()
    expect(settings).toContain('Your account has no password')
  })

  test('chooses a name where his is taken, and never gets the account that has it', async () => {
    await stowage.user('cy')
    corp.account('cy', { email: 'cy@example.com' })
    const person = new Person(stowage)
    const answer = await person.comeIn('corp', 'cy', '/user/settings')
    expect(await told(answer)).toEqual([303, '/user/oidc/corp/name'])
    expect(await person.browser.whoAmI()).toBe(401)
    const page = await (await person.browser.fetch('/user/oidc/corp/name')).text()
    expect(page).toContain('value="cy"')
    const choose = (user: string) => person.browser.submit('/user/oidc/corp/name', { user })
    expect(await told(await choose('cy'))).toEqual([422, 'Somebody has this name already. Choose another one.'])
    expect((await told(await choose('no name!')))[0]).toBe(422)
    expect((await told(await choose('')))[0]).toBe(422)

    const made = await choose('cy-of-corp')
    expect([made.status, made.headers.get('refresh')]).toEqual([200, '0; url=/user/oidc/corp?next=%2Fuser%2Fsettings'])
    expect(await told(await person.comeIn('corp', 'cy', '/user/settings'))).toEqual([303, '/user/settings'])
    expect(await person.browser.whoAmI()).toBe('cy-of-corp')
    // The address is somebody else's, so it is nobody's twice.
    const settings = (await (await person.browser.fetch('/user/session')).json()) as { email: string }
    expect(settings.email).not.toBe('cy@example.com')
    // What was kept is used up.
    expect((await told(await choose('cy-twice')))[0]).toBe(400)
  })

  test.each([
    ['an address', { preferred_username: 'dan@id.example.com' }, 'dan'],
    ['nothing', { preferred_username: '' }, ''],
    ['a reserved word', { preferred_username: 'api' }, ''],
    ['no text', { preferred_username: ['x'] }, ''],
  ])('chooses a name where the provider calls him %s', async (_, claims, proposal) => {
    const login = `dan-${Object.values(claims).join()}`.replaceAll(/[^a-z-]/g, '')
    corp.account(login, { email: undefined, ...claims })
    const person = new Person(stowage)
    expect(await told(await person.comeIn('corp', login))).toEqual([303, '/user/oidc/corp/name'])
    const page = await (await person.browser.fetch('/user/oidc/corp/name')).text()
    expect(/<input id="field-user"[^>]*value="([^"]*)"/.exec(page)?.[1] ?? '').toBe(proposal)
  })

  test('takes an address along only where the provider says that it is his', async () => {
    corp.account('eve', { email: 'admin-of-something@example.com', email_verified: false })
    const person = new Person(stowage)
    await person.comeIn('corp', 'eve')
    const { email } = (await (await person.browser.fetch('/user/session')).json()) as { email: string }
    expect(email).toBe('eve@noreply.localhost')
  })

  test('has no account where the provider makes none', async () => {
    partner.account('fay')
    const person = new Person(stowage)
    const [status, said] = await told(await person.comeIn('partner', 'fay'))
    expect([status, said]).toEqual([403, expect.stringMatching(/^Partner knows you, but nobody has an account here/)])
    expect((await stowage.admin.fetch('/api/v1/users/fay')).status).toBe(404)
  })

  test('is somebody else at another provider', async () => {
    await member('gus')
    partner.account('gus')
    expect((await told(await new Person(stowage).comeIn('partner', 'gus')))[0]).toBe(403)
  })

  test('does not come in while an administrator says so', async () => {
    await member('hal')
    await stowage.admin.fetch('/api/v1/admin/users/hal', {
      method: 'PATCH',
      headers: { 'Content-Type': 'application/json' },
      body: '{"prohibit_login":true}',
    })
    const person = new Person(stowage)
    expect(await told(await person.comeIn('corp', 'hal'))).toEqual([
      403,
      'Your account here is not to be used at the moment. Ask an administrator of this site.',
    ])
    expect(await person.browser.whoAmI()).toBe(401)
  })
})

describe('the way to the provider and back', () => {
  test('has PKCE, state and nonce, and asks for what is set', async () => {
    const begun = await new Browser(stowage).fetch('/user/oidc/corp')
    const url = new URL(begun.headers.get('location') ?? '')
    const { searchParams: query } = url
    expect(url.href).toStartWith(`${corp.url}/auth?`)
    expect(query.get('redirect_uri')).toBe(`${stowage.url}/user/oidc/corp/callback`)
    expect(query.get('scope')).toBe('openid profile email')
    expect([query.get('response_type'), query.get('code_challenge_method')]).toEqual(['code', 'S256'])
    for (const name of ['state', 'nonce', 'code_challenge']) expect(query.get(name)).toMatch(/^[\w-]{43}$/)
    const [cookie = ''] = begun.headers.getSetCookie()
    expect(cookie).toMatch(/^stowage_oidc=v1\.[^;]+; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax$/)
    expect(cookie).not.toContain(query.get('nonce') ?? '?')
  })

  test('counts once', async () => {
    corp.account('ivy')
    const person = new Person(stowage)
    const answer = await person.answerOf('corp', 'ivy')
    expect((await person.browser.fetch(answer)).status).toBe(303)
    expect(await told(await person.browser.fetch(answer))).toEqual([400, expect.stringMatching(begunElsewhere)])
  })

  test('counts once also where the browser has kept everything', async () => {
    corp.account('ivo')
    const begun = await new Browser(stowage).fetch('/user/oidc/corp')
    const [pair = ''] = (begun.headers.getSetCookie()[0] ?? '').split(';')
    const person = new Person(stowage)
    const answer = await person.goOn(begun.headers.get('location') ?? '', 'ivo')
    const send = () => fetch(stowage.url + answer, { headers: { Cookie: pair }, redirect: 'manual' })
    expect((await send()).status).toBe(303)
    const asked = corp.asked.length
    expect(await told(await send())).toEqual([400, expect.stringMatching(begunElsewhere)])
    expect(corp.asked.length).toBe(asked)
  })

  test('ends in the browser in which it was begun, in time, with the same provider', async () => {
    corp.account('jim')
    const person = new Person(stowage)
    const answer = await person.answerOf('corp', 'jim')
    expect((await told(await new Browser(stowage).fetch(answer)))[0]).toBe(400)
    const other = new Person(stowage)
    await other.answerOf('corp', 'jim')
    expect((await told(await other.browser.fetch(answer)))[0]).toBe(400)
    expect((await told(await person.browser.fetch(answer.replace('/corp/', '/partner/'))))[0]).toBe(400)
    const late = new Person(stowage)
    const lateAnswer = await late.answerOf('corp', 'jim')
    clock.now += 10 * 60_000
    expect((await told(await late.browser.fetch(lateAnswer)))[0]).toBe(400)
    expect(await late.browser.whoAmI()).toBe(401)
  })

  test.each([
    ['another state', (query: URLSearchParams) => query.set('state', 'x'.repeat(43)), begunElsewhere],
    ['no state', (query: URLSearchParams) => query.delete('state'), begunElsewhere],
    ['two states', (query: URLSearchParams) => query.append('state', query.get('state') ?? ''), notTrusted],
    ['another issuer', (query: URLSearchParams) => query.set('iss', partner.url), notTrusted],
    ['no issuer, though it says that it names itself', (query: URLSearchParams) => query.delete('iss'), notTrusted],
    ['another code', (query: URLSearchParams) => query.set('code', 'x'), /^Corp did not let you in/],
    ['no code', (query: URLSearchParams) => query.delete('code'), notTrusted],
  ])('is refused with %s', async (_, change, said) => {
    corp.account('kim')
    const person = new Person(stowage)
    const answer = new URL((await person.answerOf('corp', 'kim')).replace(/^/, stowage.url))
    change(answer.searchParams)
    expect(await told(await person.browser.fetch(answer.pathname + answer.search))).toEqual([
      400,
      expect.stringMatching(said),
    ])
    expect(await person.browser.whoAmI()).toBe(401)
  })

  test('may end at the provider', async () => {
    const person = new Person(stowage)
    const begun = await person.browser.fetch('/user/oidc/corp')
    const { searchParams } = new URL(begun.headers.get('location') ?? '')
    const query = new URLSearchParams({ error: 'access_denied', state: searchParams.get('state') ?? '', iss: corp.url })
    const [status, said] = await told(await person.browser.fetch(`/user/oidc/corp/callback?${query}`))
    expect([status, said]).toEqual([400, 'Corp did not let you in.'])
  })

  test('goes to no other site', async () => {
    corp.account('lea')
    for (const next of [
      'https://example.com/',
      '//example.com',
      '/user/oidc/corp',
      '/user/logout',
      'x'.repeat(2_000),
    ]) {
      expect(await told(await new Person(stowage).comeIn('corp', 'lea', next))).toEqual([303, '/'])
    }
  })

  test('leads to providers that there are, and to nothing else', async () => {
    for (const path of ['/user/oidc/nobody', '/user/oidc/CORP', '/user/oidc/nobody/callback', '/user/oidc/nobody/name'])
      expect((await new Browser(stowage).fetch(path)).status).toBe(404)
    expect((await new Browser(stowage).fetch('/user/oidc/corp/name')).status).toBe(400)
    expect((await new Browser(stowage).fetch(`/user/oidc/corp/callback?state=${'x'.repeat(9_000)}`)).status).toBe(400)
  })
})

describe('an ID token is refused', () => {
  const now = () => Math.floor(Date.now() / 1000)
  let foreign: CryptoKey

  beforeAll(async () => {
    foreign = (await generateKeyPair('RS256')).privateKey
  })

  test.each<[string, () => Forgery]>([
    ['with another nonce', () => ({ claims: { nonce: 'x' } })],
    ['without a nonce', () => ({ claims: { nonce: undefined } })],
    ['for another audience', () => ({ claims: { aud: 'somebody-else' } })],
    ['for others too', () => ({ claims: { aud: ['stowage', 'somebody-else'], azp: 'somebody-else' } })],
    ['that has expired', () => ({ claims: { exp: now() - 60 } })],
    ['that does not expire', () => ({ claims: { exp: undefined } })],
    ['of another issuer', () => ({ claims: { iss: partner.url } })],
    ['of nobody', () => ({ claims: { sub: undefined } })],
    ['of somebody else than he who is told of when asked', () => ({ claims: { sub: 'admin' } })],
    ['signed with another key', () => ({ key: foreign })],
    ['signed with a key that is not there', () => ({ header: { kid: 'nobodys' }, key: foreign })],
    [
      'signed with the client secret',
      () => ({ header: { alg: 'HS256', kid: undefined }, key: Buffer.from(corp.clientSecret.padEnd(32, '0')) }),
    ],
  ])('%s', async (_, forgery) => {
    corp.account('mia')
    corp.forge = forgery
    const person = new Person(stowage)
    expect(await told(await person.comeIn('corp', 'mia'))).toEqual([400, expect.stringMatching(notTrusted)])
    expect(await person.browser.whoAmI()).toBe(401)
    corp.forge = undefined
    expect((await told(await person.comeIn('corp', 'mia')))[0]).toBe(303)
  })

  test('not after the provider has changed its keys', async () => {
    await member('nia')
    await corp.rotateKeys()
    expect((await told(await new Person(stowage).comeIn('corp', 'nia')))[0]).toBe(303)
    await corp.rotateKeys()
    expect((await told(await new Person(stowage).comeIn('corp', 'nia')))[0]).toBe(303)
  })
})

describe('a provider that does not answer', () => {
  const sorry = 'Corp does not answer as it should. Try again in a few minutes.'

  test('is told of on a page, and the other one goes on', async () => {
    corp.isDown = true
    clock.now += 2 * 60 * 60_000
    expect(await told(await new Browser(stowage).fetch('/user/oidc/corp'))).toEqual([503, sorry])
    const page = await new Browser(stowage).fetch('/user/login')
    expect(await page.text()).toContain('Sign in with Corp')
    expect((await new Browser(stowage).fetch('/user/oidc/partner')).status).toBe(303)
  })

  test('is waited for within a bound, at either end of the way', async () => {
    corp.account('oda')
    const person = new Person(stowage)
    const answer = await person.answerOf('corp', 'oda')
    corp.delay = 20_000
    const begun = performance.now()
    expect(await told(await person.browser.fetch(answer))).toEqual([503, sorry])
    clock.now += 2 * 60 * 60_000
    expect(await told(await new Browser(stowage).fetch('/user/oidc/corp'))).toEqual([503, sorry])
    expect(performance.now() - begun).toBeLessThan(10_000)
    corp.delay = 0
    expect((await told(await person.comeIn('corp', 'oda')))[0]).toBe(303)
  })
})

test('the sign-in page has all of them, and nothing else where there are no passwords', async () => {
  const page = await (await new Browser(stowage).fetch('/user/login?next=%2Fada')).text()
  expect(page).toContain('href="/user/oidc/corp?next=%2Fada"')
  expect(page).toContain('href="/user/oidc/partner?next=%2Fada"')
  await using alone = await startStowage({
    settings: { ...corp.settings('CORP'), STOWAGE_PASSWORD_LOGIN: 'false' },
  })
  const other = await (await new Browser(alone).fetch('/user/login')).text()
  expect(other).toContain('Sign in with Corp')
  expect(other).not.toContain('name="password"')
})

test('a server below a path has its providers there too', async () => {
  corp.account('pia')
  await using below = await startStowage({
    nodes: 1,
    settings: { ...corp.settings('CORP', { AUTO_REGISTER: 'true' }), STOWAGE_PUBLIC_URL: 'http://127.0.0.1:1/stowage' },
  })
  const browser = new Browser(below)
  const begun = await browser.fetch('/stowage/user/oidc/corp')
  const url = begun.headers.get('location') ?? ''
  expect(new URL(url).searchParams.get('redirect_uri')).toBe('http://127.0.0.1:1/stowage/user/oidc/corp/callback')
  const { pathname, search } = new URL(await new IssuerVisitor().visit(url, 'pia'))
  expect(await told(await browser.fetch(pathname + search))).toEqual([303, '/stowage/'])
  expect(await browser.whoAmI()).toBe('pia')
})
