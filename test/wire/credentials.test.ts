import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { parseAnswer, rawRequest, sendRaw } from '../support/raw-socket.ts'
import { refusal } from '../support/refusal.ts'
import { adminPassword, basic, type Client, startStowage, type TestStowage } from '../support/stowage.ts'

const wrong = '0'.repeat(40)
const refused: [number, string] = [401, 'Failed to authenticate user']

/** A server on which Ada has a public file and Priscilla a private one. */
class House implements AsyncDisposable {
  readonly stowage: TestStowage
  readonly ada: Client
  readonly priscilla: Client
  /** A token of Priscilla's that may read. */
  readonly token: string
  /** The same of hers as an owner. */
  readonly deployToken: string

  private constructor(stowage: TestStowage, ada: Client, priscilla: Client, token: string, deployToken: string) {
    this.stowage = stowage
    this.ada = ada
    this.priscilla = priscilla
    this.token = token
    this.deployToken = deployToken
  }

  static async start(settings: Record<string, string> = {}): Promise<House> {
    const stowage = await startStowage({ settings })
    const [ada, priscilla] = await Promise.all([
      stowage.user('ada'),
      stowage.user('priscilla', { visibility: 'private' }),
    ])
    await ada.put({}, 'for everybody')
    await priscilla.put({}, 'for her alone')
    const { secret } = await priscilla.token(['read:package'])
    const deploy = { name: 'ci', scopes: ['read:package'] }
    const made = await priscilla.post('/api/v1/owners/priscilla/deploy-tokens', deploy)
    const { sha1 } = (await made.json()) as { sha1: string }
    return new House(stowage, ada, priscilla, secret, sha1)
  }

  /** Asks for the private file with these headers. */
  privately(headers: Record<string, string>, query = '') {
    return rawRequest(this.stowage.port, 'GET', `${this.priscilla.path()}${query}`, headers)
  }

  /** Asks for the public file, for which nobody needs credentials. */
  publicly(headers: Record<string, string>, query = '') {
    return rawRequest(this.stowage.port, 'GET', `${this.ada.path()}${query}`, headers)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stowage[Symbol.asyncDispose]()
  }
}

let house: House
beforeAll(async () => {
  house = await House.start()
})
afterAll(() => house[Symbol.asyncDispose]())

const password = 'priscilla-Pass-1234'
const base64 = (text: string) => Buffer.from(text).toString('base64')

describe('every place for a credential', () => {
  const forms: [string, (token: string) => Record<string, string>][] = [
    ['Authorization: token', (token) => ({ Authorization: `token ${token}` })],
    ['Authorization: TOKEN', (token) => ({ Authorization: `TOKEN ${token}` })],
    ['Authorization: Bearer', (token) => ({ Authorization: `Bearer ${token}` })],
    ['Authorization: bEARER', (token) => ({ Authorization: `bEARER ${token}` })],
    ['Basic, token as the user, no password', (token) => ({ Authorization: basic(token, '') })],
    ['Basic, token as the user, x-oauth-basic', (token) => ({ Authorization: basic(token, 'x-oauth-basic') })],
    ['Basic, token as the password', (token) => ({ Authorization: basic('priscilla', token) })],
    ["Basic, token as the password of somebody else's name", (token) => ({ Authorization: basic('ada', token) })],
    ['Basic, token as the password of nobody', (token) => ({ Authorization: basic('oauth2', token) })],
    ['Basic, token as the password, no user', (token) => ({ Authorization: basic('', token) })],
    ['basic in small letters', (token) => ({ authorization: basic('any', token).replace('Basic', 'basic') })],
    ['X-NuGet-ApiKey', (token) => ({ 'X-NuGet-ApiKey': token })],
    ['Job-Token', (token) => ({ 'Job-Token': token })],
    ['JOB-TOKEN', (token) => ({ 'JOB-TOKEN': token })],
    ['Private-Token', (token) => ({ 'Private-Token': token })],
    ['PRIVATE-TOKEN', (token) => ({ 'PRIVATE-TOKEN': token })],
  ]

  test.each(forms)('%s', async (_, form) => {
    for (const token of [house.token, house.deployToken]) {
      const right = await house.privately(form(token))
      expect([right.status, right.body.toString()]).toEqual([200, 'for her alone'])
    }
    expect(await refusal(await house.privately(form(wrong)))).toEqual(refused)
    // Where nobody needs to sign in, a wrong credential is refused all the same.
    expect(await refusal(await house.publicly(form(wrong)))).toEqual(refused)
  })

  test.each([
    ['the user name', basic('priscilla', password), true],
    ['the user name in another case', basic('PRISCILLA', password), true],
    ['the e-mail address', basic('priscilla@example.com', password), true],
    ['the e-mail address in another case', basic('Priscilla@Example.COM', password), true],
    ['a wrong password', basic('priscilla', 'priscilla-Pass-1235'), false],
    ['the password in another case', basic('priscilla', password.toUpperCase()), false],
    ['a password that looks like a token', basic('priscilla', wrong), false],
    ["somebody else's password", basic('ada', password), false],
    ['an unknown user', basic('nobody', password), false],
    ['an unknown address', basic('nobody@example.com', password), false],
    ['a user name that cannot be', basic('\0', password), false],
  ])('a password with %s', async (_, Authorization, isRight) => {
    const answer = await house.privately({ Authorization })
    if (isRight) expect(answer.status).toBe(200)
    else expect(await refusal(answer)).toEqual(refused)
  })

  test('a password with colons, spaces and letters beyond ASCII', async () => {
    await using stowage = await startStowage()
    const odd = 'a:b c:ü 密码 :'
    await stowage.user('odd', { password: odd, visibility: 'private' })
    expect((await stowage.anonymous.with({ Authorization: basic('odd', odd) }).put({ owner: 'odd' }, 'x')).status).toBe(
      201,
    )
  })

  test('a password is no token, wherever it is put', async () => {
    for (const name of ['X-NuGet-ApiKey', 'Job-Token', 'Private-Token']) {
      expect(await refusal(await house.privately({ [name]: password }))).toEqual(refused)
    }
    for (const scheme of ['token', 'Bearer']) {
      expect(await refusal(await house.privately({ Authorization: `${scheme} ${password}` }))).toEqual(refused)
    }
  })

  test('a cookie is none', async () => {
    const answer = await house.privately({ Cookie: `token=${house.token}; session=${house.token}` })
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, 'Basic realm="Stowage"'])
    expect((await house.publicly({ Cookie: `token=${wrong}` })).status).toBe(200)
  })

  test.each([
    ['Authorization before a header of its own', { Authorization: 'right', 'Private-Token': 'wrong' }, 200],
    ['and when it is wrong', { Authorization: 'wrong', 'Private-Token': 'right' }, 401],
    ['X-NuGet-ApiKey before Job-Token', { 'X-NuGet-ApiKey': 'right', 'Job-Token': 'wrong' }, 200],
    ['and when it is wrong', { 'X-NuGet-ApiKey': 'wrong', 'Job-Token': 'right' }, 401],
    ['Job-Token before Private-Token', { 'Private-Token': 'wrong', 'Job-Token': 'right' }, 200],
    ['and when it is wrong', { 'Private-Token': 'right', 'Job-Token': 'wrong' }, 401],
  ])('the first that is present decides: %s', async (_, sent, status) => {
    const headers = Object.entries(sent).map(([name, which]) => {
      const token = which === 'right' ? house.token : wrong
      return [name, name === 'Authorization' ? `token ${token}` : token]
    })
    expect((await house.privately(Object.fromEntries(headers))).status).toBe(status)
  })
})

describe('tokens in the query', () => {
  test.each(['token', 'access_token'])('?%s= is ignored by default', async (name) => {
    expect((await house.privately({}, `?${name}=${house.token}`)).status).toBe(401)
    expect((await house.publicly({}, `?${name}=${wrong}`)).status).toBe(200)
  })

  test('count where they are turned on, before everything else', async () => {
    await using open = await House.start({ STOWAGE_QUERY_TOKENS: 'true' })
    for (const name of ['token', 'access_token']) {
      expect((await open.privately({}, `?${name}=${open.token}`)).status).toBe(200)
      expect((await open.privately({ 'Private-Token': wrong }, `?a=b&${name}=${open.token}`)).status).toBe(200)
      expect(await refusal(await open.publicly({}, `?${name}=${wrong}`))).toEqual(refused)
      const right = { Authorization: `token ${open.token}` }
      expect(await refusal(await open.privately(right, `?${name}=${wrong}`))).toEqual(refused)
    }
  })
})

describe('what cannot be a credential is 401, never 500', () => {
  test.each([
    'Basic',
    'Basic !!!!',
    'Basic a',
    'Basic YWRhOg=',
    `Basic ${base64('no colon')}`,
    `Basic ${base64(':')}`,
    `Basic ${base64(':x-oauth-basic')}`,
    `Basic ${base64('ada:\0')}`,
    `Basic ${base64(`${'a'.repeat(3000)}:${'b'.repeat(3000)}`)}`,
    `Basic ${Buffer.from([0xff, 0xfe, 0x3a, 0xff]).toString('base64')}`,
    `Basic ${base64('ada:ada-Pass-1234')} more`,
    'token',
    'Bearer',
    'token two words',
    `token ${'0'.repeat(5000)}`,
    'token \xe4\xf6\xfc',
    'Digest username="ada", realm="x"',
    'Negotiate YII=',
    'ada:ada-Pass-1234',
    ',',
    '=',
  ])('Authorization: %p', async (Authorization) => {
    expect(await refusal(await house.publicly({ Authorization }))).toEqual(refused)
  })

  test('two schemes, in one header or in two', async () => {
    const token = `token ${house.token}`
    const byPassword = basic('priscilla', password)
    expect(await refusal(await house.privately({ Authorization: `${token}, ${byPassword}` }))).toEqual(refused)
    expect(await refusal(await house.privately({ Authorization: `${byPassword}, ${token}` }))).toEqual(refused)
    for (const [first, second] of [
      [token, byPassword],
      [byPassword, token],
      [token, token],
      [`token ${wrong}`, token],
      [token, `token ${wrong}`],
    ]) {
      const lines = [`Authorization: ${first}`, `Authorization: ${second}`, 'Host: stowage', 'Connection: close']
      const request = [`GET ${house.priscilla.path()} HTTP/1.1`, ...lines, '', ''].join('\r\n')
      expect(await refusal(parseAnswer(await sendRaw(house.stowage.port, request)))).toEqual(refused)
    }
  })

  test('a token of the wrong length, case or alphabet', async () => {
    for (const token of [house.token.slice(1), `${house.token}0`, house.token.toUpperCase(), '\0', 'ä', "' or 1=1"]) {
      expect(await refusal(await house.privately({ Authorization: basic('x', token) }))).toEqual(refused)
      const latin1 = Buffer.from(token.replace('\0', 'x')).toString('latin1')
      expect(await refusal(await house.privately({ 'Private-Token': latin1 }))).toEqual(refused)
    }
  })
})

describe('a credential ends', () => {
  test('a deleted token is refused by the next request', async () => {
    await using stowage = await startStowage()
    const ada = await stowage.user('ada')
    const token = await ada.token(['write:package'], { name: 'ci' })
    expect((await token.put({ file: 'a' }, 'x')).status).toBe(201)
    expect((await ada.fetch('/api/v1/users/ada/tokens/ci', { method: 'DELETE' })).status).toBe(204)
    expect(await refusal(await token.put({ file: 'b' }, 'x'))).toEqual(refused)
    expect(await refusal(await token.get({ file: 'a' }))).toEqual(refused)
    expect(await refusal(await token.delete({ file: 'a' }))).toEqual(refused)
  })

  test('a token that has expired', async () => {
    let now = Date.now()
    await using stowage = await startStowage({ replace: { now: () => now } })
    const token = await stowage.admin.token(['all'], { expires_at: new Date(now + 3_600_000).toISOString() })
    expect((await token.put({}, 'x')).status).toBe(201)
    now += 3_600_001
    expect(await refusal(await token.get())).toEqual(refused)
  })

  test.each(['is_active = 0', 'prohibit_login = 1'])(
    'an account with %s is let in by no credential',
    async (change) => {
      await using stowage = await startStowage()
      const ada = await stowage.user('ada', { visibility: 'limited' })
      const token = await ada.token(['all'])
      expect((await token.put({}, 'x')).status).toBe(201)
      const ids = "select id from owners where name in ('ada', 'admin')"
      await stowage.change(`update users set ${change} where id in (${ids})`)
      for (const caller of [ada, token, ada.with({ Authorization: basic(token.secret, '') }), stowage.admin]) {
        expect(await refusal(await caller.get({ owner: 'ada' }))).toEqual(refused)
        expect(await refusal(await caller.put({ owner: 'ada', file: 'b' }, 'x'))).toEqual(refused)
      }
    },
  )
})

describe('scopes of a token', () => {
  test.each([
    [['read:package'], 200, 403],
    [['write:package'], 200, 201],
    [['all'], 200, 201],
    [['all', 'public-only'], 200, 201],
    [['read:package', 'public-only'], 200, 403],
    [['read:user', 'write:user', 'write:admin', 'write:repository', 'write:organization'], 403, 403],
  ])('%j: read %d, write %d', async (scopes, read, write) => {
    const token = await house.ada.token(scopes)
    const file = `by-${scopes}`.replaceAll(':', '_').replaceAll(',', '_')
    expect((await token.get()).status).toBe(read)
    expect((await token.head()).status).toBe(read)
    expect((await token.put({ file }, 'x')).status).toBe(write)
    expect((await token.delete({ file })).status).toBe(write === 201 ? 204 : 403)
    const answer = await token.deleteVersion({ version: 'none' })
    expect(answer.status).toBe(write === 201 ? 404 : 403)
  })

  test('a missing scope is named, without asking for a password', async () => {
    const answer = await (await house.ada.token(['read:package'])).put({ file: 'b' }, 'x')
    expect(answer.headers.get('www-authenticate')).toBeNull()
    expect(await answer.text()).toContain('write:package')
  })

  test('public-only stops at what is not public, even for its own user', async () => {
    const own = await house.priscilla.token(['all', 'public-only'])
    expect((await own.get()).status).toBe(403)
    expect((await own.put({ file: 'b' }, 'x')).status).toBe(403)
    expect((await own.get({ owner: 'ada' })).status).toBe(200)

    await using stowage = await startStowage()
    const [limited, stranger] = [await stowage.user('limited', { visibility: 'limited' }), await stowage.user('eve')]
    await limited.put({}, 'x')
    expect((await stranger.get({ owner: 'limited' })).status).toBe(200)
    const token = await stranger.token(['all', 'public-only'])
    expect((await token.get({ owner: 'limited' })).status).toBe(403)
  })

  test('public-only does not show that a hidden owner exists', async () => {
    const token = await house.ada.token(['all', 'public-only'])
    expect(await refusal(await token.get({ owner: 'priscilla' }))).toEqual([404, 'Not found.'])
  })
})

describe('who may do what', () => {
  const table: Record<string, Record<string, [read: number, write: number]>> = {
    anonymous: { public: [200, 401], limited: [401, 401], private: [401, 401] },
    stranger: { public: [200, 403], limited: [200, 403], private: [404, 404] },
    restricted: { public: [200, 403], limited: [404, 404], private: [404, 404] },
    'the user itself': { public: [200, 201], limited: [200, 201], private: [200, 201] },
    administrator: { public: [200, 201], limited: [200, 201], private: [200, 201] },
  }

  test('by the visibility of the owner', async () => {
    await using stowage = await startStowage()
    const [stranger, restricted] = await Promise.all([
      stowage.user('stranger'),
      stowage.user('restricted', { restricted: true }),
    ])
    for (const visibility of ['public', 'limited', 'private']) {
      const owner = await stowage.user(visibility, { visibility })
      await owner.put({}, 'x')
      const callers = {
        anonymous: stowage.anonymous,
        stranger,
        restricted,
        'the user itself': owner,
        administrator: stowage.admin,
      }
      for (const [name, caller] of Object.entries(callers)) {
        const read = await caller.get({ owner: visibility })
        const write = await caller.put({ owner: visibility, file: name.replaceAll(' ', '-') }, 'x')
        expect([name, visibility, read.status, write.status]).toEqual([
          name,
          visibility,
          ...(table[name]?.[visibility] ?? []),
        ])
      }
    }
  })

  test('a hidden owner answers exactly as an unknown one', async () => {
    const headers = { Authorization: basic('ada', 'ada-Pass-1234') }
    for (const accept of ['*/*', 'application/json']) {
      for (const method of ['GET', 'HEAD', 'PUT', 'DELETE']) {
        for (const rest of ['tool/1.0/tool.bin', 'tool/1.0/missing', 'missing/9/f', '-/1/f']) {
          const ask = (owner: string) =>
            rawRequest(house.stowage.port, method, `/api/packages/${owner}/generic/${rest}`, {
              ...headers,
              Accept: accept,
            })
          const [hidden, unknown] = [await ask('priscilla'), await ask('nobody')]
          expect(hidden.status).toBe(404)
          expect(anonymised(hidden)).toEqual(anonymised(unknown))
        }
      }
    }
  })

  /** An answer without what differs from request to request. */
  function anonymised({ status, headers, body }: Awaited<ReturnType<typeof rawRequest>>) {
    const { date, 'x-request-id': id = '', ...others } = headers
    return { status, others, names: Object.keys(headers), body: id ? body.toString().replace(id, '') : body.toString() }
  }
})

describe('too many wrong passwords', () => {
  test('are refused for that account and that address; tokens and a remembered password are not', async () => {
    await using stowage = await startStowage({ settings: { STOWAGE_TRUSTED_PROXIES: '127.0.0.1' } })
    const [ada, bob] = [await stowage.user('ada'), await stowage.user('bob')]
    const token = await ada.token(['all'])
    await bob.put({}, 'x')
    const from = (address: string, password: string) =>
      ada.with({ Authorization: basic('ada', password), 'X-Forwarded-For': address }).get({ owner: 'bob' })

    let answer = await from('192.0.2.1', 'a guess')
    for (let guesses = 1; answer.status === 401 && guesses < 50; guesses++) {
      answer = await from('192.0.2.1', `guess number ${guesses}`)
    }
    expect(answer.status).toBe(429)
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)

    // The password was right in an earlier request, and is remembered.
    expect((await from('192.0.2.1', 'ada-Pass-1234')).status).toBe(200)
    expect(
      (
        await token
          .with({ Authorization: `token ${token.secret}`, 'X-Forwarded-For': '192.0.2.1' })
          .get({ owner: 'bob' })
      ).status,
    ).toBe(200)
    expect((await from('192.0.2.1', token.secret)).status).toBe(200)
    // Another address may still try, and another account from this one.
    expect((await from('192.0.2.2', 'a guess')).status).toBe(401)
    const other = bob.with({ Authorization: basic('bob', 'a guess'), 'X-Forwarded-For': '192.0.2.1' })
    expect((await other.get({ owner: 'bob' })).status).toBe(401)
  })

  test('the right password, not remembered, has to wait too, and then works', async () => {
    let now = Date.now()
    await using stowage = await startStowage({ replace: { now: () => now } })
    const guess = (password: string) =>
      stowage.anonymous.with({ Authorization: basic('admin', password) }).get({ owner: 'admin' })
    let answer = await guess('a guess')
    for (let guesses = 1; answer.status === 401 && guesses < 50; guesses++) answer = await guess(`guess ${guesses}`)
    expect(answer.status).toBe(429)
    const waiting = await guess(adminPassword)
    expect(waiting.status).toBe(429)
    now += Number(waiting.headers.get('retry-after')) * 1000
    expect((await guess(adminPassword)).status).toBe(404)
  })

  test('an unknown name answers as a known one does', async () => {
    await using stowage = await startStowage()
    const statuses = async (name: string) => {
      const seen: number[] = []
      for (let guesses = 0; guesses < 12; guesses++) {
        const client = stowage.anonymous.with({ Authorization: basic(name, `guess ${guesses}`) })
        seen.push((await client.get()).status)
      }
      return seen
    }
    expect(await statuses('nobody')).toEqual(await statuses('admin'))
  })

  test('no spelling of a name, and no address, tells whether there is an account', async () => {
    await using stowage = await startStowage()
    await stowage.user('mark', { visibility: 'private', email: 'mark@example.com' })
    const guess = async (name: string, password: string) =>
      (await stowage.anonymous.with({ Authorization: basic(name, password) }).get()).status
    /** How often the tenth wrong password was one too many for what may be another way to write the name. */
    const afterTen = async (name: string) => {
      for (let guesses = 0; guesses < 10; guesses++) await guess(name, `guess ${guesses}`)
      // A Kelvin sign, which lower-cases to a k and is none.
      return [await guess(`${name}@example.com`, 'x'), await guess(name.replace('k', '\u212a'), 'x')]
    }
    expect(await afterTen('jack')).toEqual(await afterTen('mark'))
  })

  test('are counted by network where a household has many addresses', async () => {
    await using stowage = await startStowage({ settings: { STOWAGE_TRUSTED_PROXIES: '127.0.0.1' } })
    const guess = async (address: string, password: string) =>
      (
        await stowage.anonymous
          .with({ Authorization: basic('admin', password), 'X-Forwarded-For': address })
          .get({ owner: 'admin' })
      ).status
    for (let guesses = 0; guesses < 10; guesses++) {
      expect(await guess(`2001:db8:1:1::${guesses}`, `guess ${guesses}`)).toBe(401)
    }
    expect(await guess('2001:db8:1:1:ffff::', 'a guess')).toBe(429)
    expect(await guess('2001:db8:1:2::', 'a guess')).toBe(401)
  })
})

describe('a password that a browser was asked for once', () => {
  const fromElsewhere: Record<string, string>[] = [
    { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' },
    { 'Sec-Fetch-Site': 'same-site' },
    { Origin: 'https://evil.example' },
    { Origin: 'null' },
  ]

  /** A form's, which a browser sends without asking. */
  const form = (name: string) =>
    ['POST', '/api/v1/admin/users', JSON.stringify({ username: name, password: 'of-Evil-1' })] as const

  const send = async (headers: Record<string, string>, [method, path, body]: readonly [string, string, string]) => {
    const answer = await fetch(house.stowage.url + path, {
      method,
      body,
      headers: { 'Content-Type': 'text/plain', ...headers },
    })
    return answer.status
  }

  test.each(fromElsewhere)('changes nothing for a page of another site: %p', async (headers) => {
    const Authorization = basic('admin', adminPassword)
    expect(await send({ ...headers, Authorization }, form('mallory'))).toBe(403)
    const token = await house.stowage.admin.token(['all'])
    for (const sent of [basic('x', token.secret), basic(token.secret, '')]) {
      expect(await send({ ...headers, Authorization: sent }, form('mallory'))).toBe(403)
    }
    expect((await house.privately({ ...headers, Authorization: basic('priscilla', password) })).status).toBe(200)
    // Nothing of this does a browser send by itself.
    const named = `mal-${Math.random()}`.replace('0.', '')
    expect(await send({ ...headers, Authorization: `token ${token.secret}` }, form(named))).toBe(201)
  })

  test('is good on our own pages, on listed ones, and for a program', async () => {
    const tools = 'https://tools.example.com'
    await using stowage = await startStowage({ settings: { STOWAGE_CORS_ORIGINS: tools } })
    const own: Record<string, string>[] = [
      { 'Sec-Fetch-Site': 'same-origin' },
      { Origin: stowage.url },
      { 'Sec-Fetch-Site': 'cross-site', Origin: tools },
      {},
    ]
    for (const [index, headers] of own.entries()) {
      const response = await stowage.admin.fetch('/api/v1/orgs', {
        method: 'POST',
        body: JSON.stringify({ username: `org-${index}` }),
        headers,
      })
      expect(response.status).toBe(201)
    }
  })
})

test('guesses of one address never take all the places: who signs in from elsewhere gets in', async () => {
  await using stowage = await startStowage({ settings: { STOWAGE_TRUSTED_PROXIES: '127.0.0.1' } })
  const ada = await stowage.user('ada')
  const from = (address: string, headers: Record<string, string>) =>
    ada.with({ ...headers, 'X-Forwarded-For': address }).fetch('/api/v1/user')
  const guesses = Array.from({ length: 60 }, (_, i) =>
    from('203.0.113.9', { Authorization: basic(`nobody-${i}`, 'guessed-Pass-1') }),
  )
  const right = from('198.51.100.7', { Authorization: basic('ada', 'ada-Pass-1234') })
  expect((await right).status).toBe(200)
  const statuses = (await Promise.all(guesses)).map(({ status }) => status)
  expect([...new Set(statuses)].sort()).toEqual([401, 429])
})
