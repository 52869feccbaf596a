import { describe, expect, test } from 'bun:test'
import packageJson from '../../package.json' with { type: 'json' }
import { rawRequest } from '../support/raw-socket.ts'
import { basic, type Client, startStowage, type TestStowage } from '../support/stowage.ts'

const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/
const wrong = { Authorization: basic('ada', 'not the password') }

async function answer(response: Response | Promise<Response>) {
  const { status, headers } = await response
  const text = await (await response).text()
  const body = text && headers.get('content-type')?.includes('json') ? JSON.parse(text) : text
  return { status, headers, body }
}

/** An error of the JSON API, as every one of them looks. */
async function refusal(stowage: TestStowage, response: Promise<Response>) {
  const { status, headers, body } = await answer(response)
  expect(headers.get('content-type')).toBe('application/json; charset=utf-8')
  expect(headers.get('x-request-id')).toBeTruthy()
  expect(Object.keys(body).sort()).toEqual(['message', 'url'])
  expect(body.url).toBe(`${stowage.url}/api/swagger`)
  if (status === 401) expect(headers.get('www-authenticate')).toBe('Basic realm="Stowage"')
  return { status, message: body.message as string }
}

const tokensOf = (name: string) => `/api/v1/users/${name}/tokens`

/** The same person, sending a token as a Basic password. */
const withBasicToken = (client: Client, secret: string) => client.with({ Authorization: basic(client.name, secret) })

describe('GET /version', () => {
  test('answers everybody, whatever he sends', async () => {
    await using stowage = await startStowage()
    const { anonymous } = stowage
    for (const client of [anonymous, anonymous.with(wrong), anonymous.with({ Authorization: 'nonsense' })]) {
      const { status, headers, body } = await answer(client.fetch('/api/v1/version'))
      expect({ status, body }).toEqual({ status: 200, body: { version: `1.27.0+stowage-${packageJson.version}` } })
      expect(headers.get('content-type')).toBe('application/json; charset=utf-8')
    }
  })
})

describe('GET /user', () => {
  const types = {
    id: 'number',
    login: 'string',
    login_name: 'string',
    source_id: 'number',
    full_name: 'string',
    email: 'string',
    avatar_url: 'string',
    html_url: 'string',
    language: 'string',
    is_admin: 'boolean',
    last_login: 'string',
    created: 'string',
    restricted: 'boolean',
    active: 'boolean',
    prohibit_login: 'boolean',
    location: 'string',
    website: 'string',
    description: 'string',
    visibility: 'string',
    followers_count: 'number',
    following_count: 'number',
    starred_repos_count: 'number',
    username: 'string',
  }

  test('shows the caller, with every field of a user', async () => {
    await using stowage = await startStowage()
    const ada = await stowage.user('Ada', { full_name: 'Ada Lovelace', visibility: 'limited', restricted: true })
    const { status, headers, body } = await answer(ada.fetch('/api/v1/user'))
    expect(status).toBe(200)
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(Object.fromEntries(Object.entries(body).map(([name, value]) => [name, typeof value]))).toMatchObject(types)
    expect(body).toMatchObject({
      login: 'Ada',
      username: 'Ada',
      full_name: 'Ada Lovelace',
      email: 'ada@example.com',
      html_url: `${stowage.url}/Ada`,
      is_admin: false,
      restricted: true,
      active: true,
      prohibit_login: false,
      visibility: 'limited',
    })
    expect(body.id).toBeGreaterThan(0)
    expect(body.created).toMatch(rfc3339)
    expect(body.last_login).toMatch(rfc3339)
  })

  test('shows an administrator as one', async () => {
    await using stowage = await startStowage()
    expect((await answer(stowage.admin.fetch('/api/v1/user'))).body).toMatchObject({ login: 'admin', is_admin: true })
  })

  test('works with every kind of credential', async () => {
    await using stowage = await startStowage()
    const ada = await stowage.user('ada')
    const { secret } = await ada.token(['read:user'])
    const sent: Record<string, string>[] = [
      { Authorization: `token ${secret}` },
      { Authorization: `Bearer ${secret}` },
      { Authorization: `bEaReR ${secret}` },
      { Authorization: basic(secret, '') },
      { Authorization: basic(secret, 'x-oauth-basic') },
      { Authorization: basic('ada', secret) },
      { Authorization: basic('whoever', secret) },
      { Authorization: basic('', secret) },
      { 'X-NuGet-ApiKey': secret },
      { 'Job-Token': secret },
      { 'Private-Token': secret },
      { Authorization: basic('ada', 'ada-Pass-1234') },
      { Authorization: basic('ADA', 'ada-Pass-1234') },
      { Authorization: basic('ada@example.com', 'ada-Pass-1234') },
      { Authorization: basic('ADA@Example.com', 'ada-Pass-1234') },
    ]
    for (const headers of sent) {
      const { status, body } = await answer(stowage.anonymous.with(headers).fetch('/api/v1/user'))
      expect({ headers, status, login: body.login }).toEqual({ headers, status: 200, login: 'ada' })
    }
  })

  test('answers 401 to wrong credentials of every kind', async () => {
    await using stowage = await startStowage()
    const ada = await stowage.user('ada')
    const { secret } = await ada.token(['all'])
    const other = secret.replace(/^./, (digit) => (digit === '0' ? '1' : '0'))
    const sent: Record<string, string>[] = [
      wrong,
      { Authorization: basic('nobody', 'ada-Pass-1234') },
      { Authorization: basic('', 'ada-Pass-1234') },
      { Authorization: basic('ada', 'ADA-PASS-1234') },
      { Authorization: `token ${other}` },
      { Authorization: `token ${secret}0` },
      { Authorization: 'token' },
      { Authorization: `Digest ${secret}` },
      { Authorization: 'Basic !!!' },
      { Authorization: `Basic ${btoa('no colon')}` },
      { Authorization: basic(other, '') },
      { 'Private-Token': other },
      { 'X-NuGet-ApiKey': 'nonsense', 'Private-Token': secret },
    ]
    for (const headers of sent) {
      const refused = await refusal(stowage, stowage.anonymous.with(headers).fetch('/api/v1/user'))
      expect({ headers, ...refused }).toEqual({ headers, status: 401, message: 'Failed to authenticate user' })
    }
  })

  test('answers 401 to nobody, and takes no cookie for somebody', async () => {
    await using stowage = await startStowage()
    const ada = await stowage.user('ada')
    const { secret } = await ada.token(['all'])
    expect((await refusal(stowage, stowage.anonymous.fetch('/api/v1/user'))).status).toBe(401)
    const cookie = { Cookie: `token=${secret}; stowage=${secret}` }
    expect((await refusal(stowage, stowage.anonymous.with(cookie).fetch('/api/v1/user'))).status).toBe(401)
  })

  test('reads a token in the address only where that is turned on', async () => {
    await using usual = await startStowage()
    const { secret } = await (await usual.user('ada')).token(['all'])
    for (const name of ['token', 'access_token']) {
      expect((await refusal(usual, usual.anonymous.fetch(`/api/v1/user?${name}=${secret}`))).status).toBe(401)
    }
    await using open = await startStowage({ settings: { STOWAGE_QUERY_TOKENS: 'true' } })
    const ada = await open.user('ada')
    const token = await ada.token(['all'])
    for (const name of ['token', 'access_token']) {
      const address = `/api/v1/user?${name}=${token.secret}`
      expect((await answer(open.anonymous.fetch(address))).body).toMatchObject({ login: 'ada' })
      expect((await answer(open.anonymous.with(wrong).fetch(address))).body).toMatchObject({ login: 'ada' })
    }
    expect((await refusal(open, ada.fetch('/api/v1/user?token=nonsense'))).status).toBe(401)
  })

  test('needs read:user of a token, and names what is missing', async () => {
    await using stowage = await startStowage()
    const ada = await stowage.user('ada')
    const token = await ada.token(['write:package', 'read:admin'])
    expect(await refusal(stowage, token.fetch('/api/v1/user'))).toEqual({
      status: 403,
      message:
        'token does not have at least one of required scope(s), required=[read:user], token scope=write:package,read:admin',
    })
    for (const scope of ['read:user', 'write:user', 'all']) {
      expect((await (await ada.token([scope])).fetch('/api/v1/user')).status).toBe(200)
    }
  })
})

describe('POST /admin/users', () => {
  const body = { username: 'eve', email: 'eve@example.com', password: 'eve-Pass-1234' }
  const add = (client: Client, fields: unknown = body) => client.post('/api/v1/admin/users', fields)

  test('adds a user, and shows all of him', async () => {
    await using stowage = await startStowage()
    const wanted = {
      ...body,
      full_name: 'Eve',
      visibility: 'private',
      restricted: true,
      send_notify: true,
      source_id: 9,
    }
    const { status, body: shown } = await answer(add(stowage.admin, wanted))
    expect(status).toBe(201)
    expect(shown).toMatchObject({
      login: 'eve',
      username: 'eve',
      full_name: 'Eve',
      email: 'eve@example.com',
      visibility: 'private',
      restricted: true,
      active: true,
      is_admin: false,
      prohibit_login: false,
      source_id: 0,
    })
    const eve = stowage.anonymous.with({ Authorization: basic('eve', 'eve-Pass-1234') })
    expect((await answer(eve.fetch('/api/v1/user'))).body).toEqual(shown)
  })

  test('needs a name and a password only', async () => {
    await using stowage = await startStowage()
    const { status, body: shown } = await answer(add(stowage.admin, { username: 'eve', password: 'eve-Pass-1234' }))
    expect(status).toBe(201)
    expect(shown).toMatchObject({ login: 'eve', full_name: '', visibility: 'public', restricted: false })
    expect(shown.email).toContain('@')
  })

  test('is for administrators, with a token for that', async () => {
    await using stowage = await startStowage()
    const ada = await stowage.user('ada')
    expect((await refusal(stowage, add(stowage.anonymous))).status).toBe(401)
    expect((await refusal(stowage, add(stowage.anonymous.with(wrong)))).status).toBe(401)
    expect((await refusal(stowage, add(ada))).status).toBe(403)
    expect((await refusal(stowage, add(await ada.token(['all'])))).status).toBe(403)
    expect(await refusal(stowage, add(await stowage.admin.token(['read:admin', 'write:user'])))).toEqual({
      status: 403,
      message:
        'token does not have at least one of required scope(s), required=[write:admin], token scope=read:admin,write:user',
    })
    expect((await add(await stowage.admin.token(['write:admin']))).status).toBe(201)
  })

  test('refuses a name that is taken, in any letter case, and an e-mail address that is', async () => {
    await using stowage = await startStowage()
    await stowage.user('Ada')
    for (const username of ['Ada', 'ada', 'ADA', 'Admin']) {
      expect((await refusal(stowage, add(stowage.admin, { ...body, username }))).status).toBe(422)
    }
    for (const email of ['ada@example.com', 'Ada@Example.com']) {
      expect((await refusal(stowage, add(stowage.admin, { ...body, email }))).status).toBe(422)
    }
    // The refused ones left nothing behind.
    expect((await add(stowage.admin)).status).toBe(201)
  })

  test('gives one name to one of many who want it at once', async () => {
    await using stowage = await startStowage()
    const wanted = Array.from({ length: 12 }, (_, index) => ({
      ...body,
      username: index % 2 ? 'eve' : 'EVE',
      email: `eve${index}@example.com`,
    }))
    const answers = await Promise.all(wanted.map((fields) => add(stowage.admin, fields)))
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array.from({ length: 11 }, () => 422)])
  })

  const reserved =
    'api assets attachments avatars explore login logout org orgs repo user users v2 metrics healthz readyz ghost gitea-actions search settings favicon.ico robots.txt .well-known new packages'
  const malformed = [
    '',
    ' ',
    '-a',
    'a-',
    '_a',
    'a.',
    'a--b',
    'a._b',
    'a b',
    'a/b',
    'a\\b',
    'ä',
    'ᴋ',
    'a\0',
    'a'.repeat(41),
    '..',
  ]

  test('refuses names that are reserved or malformed', async () => {
    await using stowage = await startStowage()
    const names = [...reserved.split(' '), 'API', 'Ghost', 'a.keys', 'a.gpg', 'a.rss', 'a.atom', 'A.PNG', ...malformed]
    for (const username of names) {
      const { status } = await refusal(stowage, add(stowage.admin, { ...body, username }))
      expect({ username, status }).toEqual({ username, status: 422 })
    }
    for (const username of ['a', '7', 'A-b_c.d', 'a'.repeat(40), 'apis', 'png']) {
      const { status } = await add(stowage.admin, { username, password: body.password })
      expect({ username, status }).toEqual({ username, status: 201 })
    }
  })

  test('refuses fields that are missing, too long or of another kind, and names them', async () => {
    await using stowage = await startStowage()
    const wrongFields: Record<string, unknown>[] = [
      { password: '1234567' },
      { password: 'x'.repeat(257) },
      { password: undefined },
      { password: 12345678 },
      { username: undefined },
      { username: ['eve'] },
      { email: 'eve' },
      { email: `${'e'.repeat(300)}@example.com` },
      { full_name: 'x'.repeat(256) },
      { visibility: 'secret' },
      { restricted: 'yes' },
    ]
    for (const fields of wrongFields) {
      const { status, message } = await refusal(stowage, add(stowage.admin, { ...body, ...fields }))
      expect({ fields, status }).toEqual({ fields, status: 422 })
      expect(message).toContain(Object.keys(fields)[0] ?? '')
    }
  })

  test('refuses a body that is no JSON, or no object', async () => {
    await using stowage = await startStowage()
    const send = (text: string) => refusal(stowage, add(stowage.admin, text))
    for (const text of ['', '{', 'username=eve', '{"username":"eve"', '\u0000', '{"a":1}x']) {
      expect({ text, ...(await send(text)) }).toMatchObject({ text, status: 400 })
    }
    for (const text of ['[]', 'null', '7', '"eve"', 'true', JSON.stringify([body])]) {
      expect({ text, ...(await send(text)) }).toMatchObject({ text, status: 422 })
    }
    expect((await send(JSON.stringify({ ...body, note: 'x'.repeat(2_000_000) }))).status).toBe(413)
  })

  test('survives text that few programs like', async () => {
    await using stowage = await startStowage()
    const odd = ['\uffff', '‮', '🔑'.repeat(60), '"\\<script>', '%00']
    for (const [index, text] of odd.entries()) {
      const fields = { username: `eve${index}`, password: `${text}12345678`, full_name: text }
      expect({ text, status: (await add(stowage.admin, fields)).status }).toEqual({ text, status: 201 })
    }
    // One database could hold these and the other could not: so neither does.
    for (const text of ['\0', 'a\0b', '\ud800', 'a\udc00']) {
      const fields = { username: 'nul', password: `${text}12345678`, full_name: text }
      expect({ text, ...(await refusal(stowage, add(stowage.admin, fields))) }).toMatchObject({ text, status: 422 })
      const token = stowage.admin.post(tokensOf('admin'), { name: text, scopes: ['all'] })
      expect({ text, ...(await refusal(stowage, token)) }).toMatchObject({ text, status: 422 })
    }
    const named = `${tokensOf('admin')}/${encodeURIComponent('a\0b')}`
    expect((await stowage.admin.fetch(named, { method: 'DELETE' })).status).toBe(404)
    const proto = '{"username":"proto","password":"12345678","__proto__":{"isAdmin":true},"is_admin":true}'
    const { message } = await refusal(stowage, add(stowage.admin, proto))
    expect(message).toBe('unknown field: __proto__, is_admin')
  })
})

describe('tokens', () => {
  test('are made, shown once, listed, used and deleted', async () => {
    await using stowage = await startStowage()
    const ada = await stowage.user('ada')
    const made = await answer(ada.post(tokensOf('ada'), { name: 'ci', scopes: ['write:package', 'read:user'] }))
    expect(made.status).toBe(201)
    expect(made.body).toMatchObject({ name: 'ci', scopes: ['write:package', 'read:user'], last_used_at: null })
    expect(made.body.id).toBeGreaterThan(0)
    expect(made.body.sha1).toMatch(/^[0-9a-f]{40}$/)
    expect(made.body.token_last_eight).toBe(made.body.sha1.slice(-8))
    expect(made.body.created_at).toMatch(rfc3339)
    expect(made.body.expires_at).toBeNull()

    const listed = await answer(ada.fetch(tokensOf('ada')))
    expect(listed.status).toBe(200)
    expect(listed.body).toMatchObject([{ id: made.body.id, name: 'ci', scopes: ['write:package', 'read:user'] }])
    expect(JSON.stringify(listed.body)).not.toContain(made.body.sha1)

    const token = ada.with({ Authorization: `token ${made.body.sha1}` })
    expect((await token.fetch('/api/v1/user')).status).toBe(200)
    expect((await token.put({}, 'bytes')).status).toBe(201)

    const deleted = await ada.fetch(`${tokensOf('ada')}/${made.body.id}`, { method: 'DELETE' })
    expect({ status: deleted.status, text: await deleted.text() }).toEqual({ status: 204, text: '' })
    expect((await token.fetch('/api/v1/user')).status).toBe(401)
    expect((await token.get()).status).toBe(401)
    expect((await answer(ada.fetch(tokensOf('ada')))).body).toEqual([])
    expect((await refusal(stowage, ada.fetch(`${tokensOf('ada')}/${made.body.id}`, { method: 'DELETE' }))).status).toBe(
      404,
    )
  })

  test('are deleted by name, also by one that addresses do not like', async () => {
    await using stowage = await startStowage()
    const ada = await stowage.user('ada')
    for (const name of ['ci', 'a b', 'a/b', 'ü%', '12345678', '?#']) {
      const { secret } = await ada.token(['read:user'], { name })
      const address = `${tokensOf('ada')}/${encodeURIComponent(name)}`
      expect({ name, status: (await ada.fetch(address, { method: 'DELETE' })).status }).toEqual({ name, status: 204 })
      const token = ada.with({ Authorization: `token ${secret}` })
      expect((await token.fetch('/api/v1/user')).status).toBe(401)
      expect((await ada.fetch(address, { method: 'DELETE' })).status).toBe(404)
    }
  })

  test('of another are not deleted by their id', async () => {
    await using stowage = await startStowage()
    const [ada, eve] = [await stowage.user('ada'), await stowage.user('eve')]
    const { body } = await answer(ada.post(tokensOf('ada'), { name: 'ci', scopes: ['all'] }))
    for (const idOrName of [body.id, 'ci']) {
      expect((await eve.fetch(`${tokensOf('eve')}/${idOrName}`, { method: 'DELETE' })).status).toBe(404)
    }
    expect((await answer(ada.fetch(tokensOf('ada')))).body).toHaveLength(1)
  })

  test('are not made of a wrong wish', async () => {
    await using stowage = await startStowage()
    const ada = await stowage.user('ada')
    await ada.token(['all'], { name: 'taken' })
    const wishes: [unknown, number, string | undefined][] = [
      [{ scopes: ['all'] }, 422, undefined],
      [{ name: '', scopes: ['all'] }, 422, undefined],
      [{ name: 'x'.repeat(256), scopes: ['all'] }, 422, undefined],
      [{ name: 7, scopes: ['all'] }, 422, undefined],
      [{ name: 'a', scopes: 'all' }, 422, undefined],
      [{ name: 'a' }, 400, 'access token must have a scope'],
      [{ name: 'a', scopes: [] }, 400, 'access token must have a scope'],
      [{ name: 'a', scopes: ['public-only'] }, 400, 'access token must have a scope'],
      [{ name: 'a', scopes: ['read:package', 'sudo'] }, 400, undefined],
      [{ name: 'taken', scopes: ['all'] }, 400, 'access token name has been used already'],
      [{ name: 'a', scopes: ['all'], expires_at: '2020-01-01T00:00:00Z' }, 422, undefined],
      [{ name: 'a', scopes: ['all'], expires_at: 'tomorrow' }, 422, undefined],
      // In UTC it has five digits, which no client reads.
      [{ name: 'a', scopes: ['all'], expires_at: '9999-12-31T23:59:59-01:00' }, 422, undefined],
      ['{', 400, undefined],
      [[], 422, undefined],
    ]
    for (const [wish, status, message] of wishes) {
      const refused = await refusal(stowage, ada.post(tokensOf('ada'), wish))
      expect({ wish, ...refused }).toEqual({ wish, status, message: message ?? expect.any(String) })
    }
    expect((await answer(ada.fetch(tokensOf('ada')))).body).toHaveLength(1)
  })

  test('of two people may have one name', async () => {
    await using stowage = await startStowage()
    for (const name of ['ada', 'eve']) await (await stowage.user(name)).token(['all'], { name: 'ci' })
  })

  test('of one name are made once, also by many at once', async () => {
    await using stowage = await startStowage()
    const ada = await stowage.user('ada')
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => ada.post(tokensOf('ada'), { name: 'ci', scopes: ['all'] })),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array.from({ length: 19 }, () => 400)])
  })

  test('keep scopes that nothing here needs', async () => {
    await using stowage = await startStowage()
    const ada = await stowage.user('ada')
    const scopes = ['write:repository', 'read:issue', 'write:activitypub', 'read:misc', 'read:notification']
    expect((await answer(ada.post(tokensOf('ada'), { name: 'ci', scopes }))).body.scopes).toEqual(scopes)
  })

  test('are listed in pages', async () => {
    await using stowage = await startStowage()
    const ada = await stowage.user('ada')
    for (let index = 0; index < 5; index++) await ada.token(['all'], { name: `token ${index}` })
    const list = async (query: string) => answer(ada.fetch(`${tokensOf('ada')}${query}`))
    const names = (body: { name: string }[]) => body.map(({ name }) => name).join()
    const links = (headers: Headers) =>
      Object.fromEntries(
        (headers.get('link') ?? '').split(', ').map((link) => {
          const [, address = '', relation = ''] = /^<(.+)>; rel="(\w+)"$/.exec(link) ?? []
          return [relation, address]
        }),
      )
    const page = (number: number) => `${stowage.url}${tokensOf('ada')}?page=${number}&limit=2`

    const first = await list('?page=1&limit=2')
    expect(names(first.body)).toBe('token 0,token 1')
    expect(first.headers.get('x-total-count')).toBe('5')
    expect(first.headers.get('access-control-expose-headers')).toBe('Link, X-Total-Count')
    expect(links(first.headers)).toEqual({ next: page(2), last: page(3) })

    const second = await list('?page=2&limit=2')
    expect(names(second.body)).toBe('token 2,token 3')
    expect(links(second.headers)).toEqual({ next: page(3), last: page(3), first: page(1), prev: page(1) })

    const last = await list('?page=3&limit=2')
    expect(names(last.body)).toBe('token 4')
    expect(links(last.headers)).toEqual({ first: page(1), prev: page(2) })

    expect((await list('?page=99&limit=2')).body).toEqual([])
    for (const odd of ['', '?page=0', '?page=-1', '?page=x&limit=x', '?limit=0', '?limit=1000']) {
      expect((await list(odd)).body).toHaveLength(5)
    }
  })

  test('come 30 to a page, and 50 at most', async () => {
    await using stowage = await startStowage()
    const ada = await stowage.user('ada')
    await Promise.all(Array.from({ length: 52 }, (_, index) => ada.token(['all'], { name: `token ${index}` })))
    for (const [query, length] of [
      ['', 30],
      ['?limit=50', 50],
      ['?limit=51', 50],
      ['?page=2&limit=50', 2],
    ] as const) {
      expect((await answer(ada.fetch(`${tokensOf('ada')}${query}`))).body).toHaveLength(length)
    }
  })

  test('are made and seen by Basic only', async () => {
    await using stowage = await startStowage()
    const ada = await stowage.user('ada')
    const { secret } = await ada.token(['all'])
    const sent: Record<string, string>[] = [
      { Authorization: `token ${secret}` },
      { Authorization: `Bearer ${secret}` },
      { 'Private-Token': secret },
    ]
    for (const headers of sent) {
      const client = ada.with(headers)
      expect((await refusal(stowage, client.fetch(tokensOf('ada')))).status).toBe(401)
      expect((await refusal(stowage, client.post(tokensOf('ada'), { name: 'x', scopes: ['all'] }))).status).toBe(401)
      expect((await refusal(stowage, client.fetch(`${tokensOf('ada')}/1`, { method: 'DELETE' }))).status).toBe(401)
    }
    expect((await withBasicToken(ada, secret).fetch(tokensOf('ada'))).status).toBe(200)
    expect((await ada.with({ Authorization: basic(secret, '') }).fetch(tokensOf('ada'))).status).toBe(200)
  })

  test('are handled with a token as the password: read:user to see, write:user to change', async () => {
    await using stowage = await startStowage()
    const ada = await stowage.user('ada')
    const reader = withBasicToken(ada, (await ada.token(['read:user'])).secret)
    const writer = withBasicToken(ada, (await ada.token(['write:user'])).secret)
    const other = withBasicToken(ada, (await ada.token(['write:package'])).secret)
    const make = (client: Client) => client.post(tokensOf('ada'), { name: 'child', scopes: ['read:user'] })
    const remove = (client: Client) => client.fetch(`${tokensOf('ada')}/child`, { method: 'DELETE' })

    expect((await reader.fetch(tokensOf('ada'))).status).toBe(200)
    expect(await refusal(stowage, make(reader))).toEqual({
      status: 403,
      message: 'token does not have at least one of required scope(s), required=[write:user], token scope=read:user',
    })
    expect((await refusal(stowage, remove(reader))).status).toBe(403)
    expect((await refusal(stowage, other.fetch(tokensOf('ada')))).status).toBe(403)
    expect((await writer.fetch(tokensOf('ada'))).status).toBe(200)
    expect((await make(writer)).status).toBe(201)
    expect((await remove(writer)).status).toBe(204)
  })

  test('make none that may do more than themselves', async () => {
    await using stowage = await startStowage()
    const ada = await stowage.user('ada')
    const parent = withBasicToken(ada, (await ada.token(['write:user', 'read:package'])).secret)
    const make = (scopes: string[]) => parent.post(tokensOf('ada'), { name: scopes.join(), scopes })
    for (const scopes of [['write:package'], ['all'], ['read:package', 'read:admin']]) {
      expect((await refusal(stowage, make(scopes))).status).toBe(403)
    }
    for (const scopes of [['read:package'], ['read:user'], ['write:user', 'read:package']]) {
      expect((await make(scopes)).status).toBe(201)
    }
  })

  test('that are public-only make public-only ones', async () => {
    await using stowage = await startStowage()
    const ada = await stowage.user('ada')
    const parent = withBasicToken(ada, (await ada.token(['all', 'public-only'])).secret)
    const { status, body } = await answer(parent.post(tokensOf('ada'), { name: 'child', scopes: ['write:package'] }))
    expect({ status, scopes: body.scopes }).toEqual({ status: 201, scopes: ['write:package', 'public-only'] })
  })

  test('of others are for administrators, and hidden with who has them', async () => {
    await using stowage = await startStowage()
    await stowage.user('ada')
    await stowage.user('shy', { visibility: 'private' })
    const [eve, rob] = [await stowage.user('eve'), await stowage.user('rob', { restricted: true })]
    await stowage.user('lee', { visibility: 'limited' })
    const list = (client: Client, name: string) => client.fetch(tokensOf(name))

    const asked = async (client: Client, name: string) => (await refusal(stowage, list(client, name))).status
    expect(await asked(stowage.anonymous, 'ada')).toBe(401)
    expect(await asked(eve, 'ada')).toBe(403)
    expect(await asked(eve, 'lee')).toBe(403)
    expect(await asked(rob, 'lee')).toBe(404)
    expect(await refusal(stowage, list(eve, 'shy'))).toEqual(await refusal(stowage, list(eve, 'nobody')))
    expect(await asked(eve, 'shy')).toBe(404)
    expect(await asked(eve, 'not a name')).toBe(404)

    expect((await eve.post(tokensOf('ada'), { name: 'mine', scopes: ['all'] })).status).toBe(403)
    for (const name of ['ada', 'ADA', 'shy', 'lee']) expect((await list(stowage.admin, name)).status).toBe(200)
    const { status, body } = await answer(
      stowage.admin.post(tokensOf('shy'), { name: 'ci', scopes: ['read:user', 'write:package'] }),
    )
    expect(status).toBe(201)
    const shy = stowage.anonymous.with({ Authorization: `token ${body.sha1}` })
    expect((await answer(shy.fetch('/api/v1/user'))).body).toMatchObject({ login: 'shy' })
    expect((await stowage.admin.fetch(`${tokensOf('shy')}/ci`, { method: 'DELETE' })).status).toBe(204)
    expect((await shy.fetch('/api/v1/user')).status).toBe(401)
  })

  test('end when they said they would', async () => {
    const clock = { now: Date.parse('2031-05-06T07:08:09Z') }
    await using stowage = await startStowage({ replace: { now: () => clock.now } })
    const ada = await stowage.user('ada')
    const make = (fields: object) => ada.post(tokensOf('ada'), { name: 'ci', scopes: ['all'], ...fields })
    expect((await refusal(stowage, make({ expires_at: '2031-05-06T07:08:09Z' }))).status).toBe(422)
    const { status, body } = await answer(make({ expires_at: '2031-05-06T10:08:09+02:00' }))
    expect(status).toBe(201)
    expect(Date.parse(body.expires_at)).toBe(Date.parse('2031-05-06T08:08:09Z'))
    expect(Date.parse(body.created_at)).toBe(clock.now)

    const token = ada.with({ Authorization: `token ${body.sha1}` })
    clock.now = Date.parse('2031-05-06T08:08:08Z')
    expect((await token.fetch('/api/v1/user')).status).toBe(200)
    clock.now = Date.parse('2031-05-06T08:08:09Z')
    expect(await refusal(stowage, token.fetch('/api/v1/user'))).toEqual({
      status: 401,
      message: 'Failed to authenticate user',
    })
    expect((await withBasicToken(ada, body.sha1).fetch('/api/v1/user')).status).toBe(401)
    expect((await answer(ada.fetch(tokensOf('ada')))).body).toMatchObject([{ name: 'ci' }])
  })
})

describe('wrong passwords', () => {
  const ask = (client: Client, user: string, password: string, headers = {}) =>
    client.with({ Authorization: basic(user, password), ...headers }).fetch('/api/v1/user')

  test('cost the same whether the user exists or not', async () => {
    await using stowage = await startStowage()
    await stowage.user('ada')
    const cost = async (user: string) => {
      const before = stowage.stowage.passwords.computations
      expect((await ask(stowage.anonymous, user, 'wrong')).status).toBe(401)
      return stowage.stowage.passwords.computations - before
    }
    const costs = [await cost('ada'), await cost('nobody'), await cost('ada@example.com'), await cost('no@example.com')]
    expect([...costs, await cost('not a name')]).toEqual([1, 1, 1, 1, 1])
  })

  test('too many from one address have to wait; tokens, remembered passwords and other addresses do not', async () => {
    const clock = { now: Date.parse('2031-05-06T07:08:09Z') }
    await using stowage = await startStowage({
      settings: { STOWAGE_TRUSTED_PROXIES: 'loopback' },
      replace: { now: () => clock.now },
    })
    const ada = await stowage.user('ada')
    const token = await ada.token(['read:user'])
    for (const user of ['ada', 'nobody']) {
      const guess = (from = '192.0.2.1') => ask(stowage.anonymous, user, 'wrong', { 'X-Forwarded-For': from })
      const statuses: number[] = []
      for (let attempt = 0; attempt < 12; attempt++) statuses.push((await guess()).status)
      expect(statuses.slice(0, 3)).toEqual([401, 401, 401])
      expect(statuses.at(-1)).toBe(429)
      const refused = await guess()
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
      expect((await refusal(stowage, guess())).status).toBe(429)
      expect((await guess('192.0.2.2')).status).toBe(401)
    }
    const here = { 'X-Forwarded-For': '192.0.2.1' }
    expect((await token.fetch('/api/v1/user', { headers: here })).status).toBe(200)
    expect((await ada.fetch('/api/v1/user', { headers: here })).status).toBe(200)
    clock.now += 60 * 60_000
    expect((await ask(stowage.anonymous, 'ada', 'wrong', here)).status).toBe(401)
    expect((await ada.fetch('/api/v1/user', { headers: here })).status).toBe(200)
  })

  test('a right password that is not remembered has to wait too', async () => {
    await using stowage = await startStowage()
    const response = await stowage.admin.post('/api/v1/admin/users', { username: 'ada', password: 'ada-Pass-1234' })
    expect(response.status).toBe(201)
    for (let attempt = 0; attempt < 12; attempt++) await ask(stowage.anonymous, 'ada', 'wrong')
    expect((await ask(stowage.anonymous, 'ada', 'ada-Pass-1234')).status).toBe(429)
  })
})

describe('an account that may not sign in', () => {
  test.each(['is_active', 'prohibit_login'] as const)('by %s is refused with every credential', async (column) => {
    await using stowage = await startStowage()
    const ada = await stowage.user('ada')
    const token = await ada.token(['all'])
    expect((await ada.put({}, 'bytes')).status).toBe(201)
    await stowage.change(`update users set ${column} = 1 - ${column}`)
    for (const client of [ada, token, withBasicToken(ada, token.secret), stowage.admin]) {
      expect(await refusal(stowage, client.fetch('/api/v1/user'))).toEqual({
        status: 401,
        message: 'Failed to authenticate user',
      })
      expect((await client.get({ owner: 'ada' })).status).toBe(401)
    }
  })
})

describe('addresses', () => {
  test('with another method are 405, and say what is allowed', async () => {
    await using stowage = await startStowage()
    const cases: [string, string, string][] = [
      ['PUT', '/version', 'GET, HEAD'],
      ['POST', '/user', 'GET, HEAD'],
      ['OPTIONS', '/user', 'GET, HEAD'],
      ['PUT', '/admin/users', 'POST'],
      ['POST', '/admin/jobs', 'GET, HEAD'],
      ['GET', '/admin/jobs/1', 'DELETE'],
      ['GET', '/admin/jobs/1/retry', 'POST'],
      ['PATCH', '/users/ada/tokens', 'GET, HEAD, POST'],
      ['POST', '/users/ada/tokens/ci', 'DELETE'],
      ['GET', '/users/ada/tokens/ci', 'DELETE'],
    ]
    for (const [method, path, allow] of cases) {
      const response = stowage.anonymous.with(wrong).fetch(`/api/v1${path}`, { method })
      const { status } = await refusal(stowage, response)
      expect({ method, path, status }).toEqual({ method, path, status: 405 })
      const allowed = (await response).headers.get('allow')?.split(', ') ?? []
      expect(allowed).toEqual(expect.arrayContaining(allow.split(', ')))
      expect(allowed).not.toContain(method)
    }
  })

  test('that are unknown are 404, before anybody looks at credentials', async () => {
    await using stowage = await startStowage()
    const paths = ['', '/nothing', '/users', '/users/ada/nothing', '/a/b/c/d/e/f/g', '/a/b/c/d/e/f/g/h/i/j/k']
    for (const path of paths) {
      const { status } = await refusal(stowage, stowage.anonymous.with(wrong).fetch(`/api/v1${path}`))
      expect({ path, status }).toEqual({ path, status: 404 })
    }
  })

  test('that lead elsewhere or cannot be decoded are refused in the same form', async () => {
    await using stowage = await startStowage()
    for (const [path, status] of [
      ['/api/v1/users/../user', 404],
      ['/api/v1/users/%2e%2e/tokens', 404],
      ['/api/v1/users/a\\b/tokens', 404],
      ['/api/v1/users/%zz/tokens', 400],
    ] as const) {
      const raw = await rawRequest(stowage.port, 'GET', path)
      const { message, url } = JSON.parse(raw.body.toString())
      expect({ path, status: raw.status, url }).toEqual({ path, status, url: `${stowage.url}/api/swagger` })
      expect(message).toBeTruthy()
    }
  })

  test('repeated and trailing slashes do not matter', async () => {
    await using stowage = await startStowage({ replace: { addresses: 'every' } })
    const ada = await stowage.user('ada')
    for (const path of ['/api/v1/user/', '//api//v1/user', '/api/v1//users/ada//tokens/']) {
      expect({ path, status: (await ada.fetch(path)).status }).toEqual({ path, status: 200 })
    }
  })

  test('HEAD works wherever GET does, with the same headers and no body', async () => {
    await using stowage = await startStowage()
    const ada = await stowage.user('ada')
    await ada.token(['all'])
    for (const path of ['/api/v1/version', '/api/v1/user', tokensOf('ada'), '/healthz', '/readyz', '/']) {
      const get = await ada.fetch(path)
      const head = await ada.fetch(path, { method: 'HEAD' })
      expect({ path, status: head.status, body: await head.text() }).toEqual({ path, status: get.status, body: '' })
      for (const name of ['content-type', 'content-length', 'x-total-count', 'cache-control']) {
        expect({ path, name, value: head.headers.get(name) }).toEqual({ path, name, value: get.headers.get(name) })
      }
    }
    for (const path of ['/api/v1/user', '/api/v1/nothing', '/user/session']) {
      const get = await stowage.anonymous.fetch(path)
      const head = await stowage.anonymous.fetch(path, { method: 'HEAD' })
      const length = String((await get.bytes()).length)
      expect({ path, status: head.status, length: head.headers.get('content-length') }).toEqual({
        path,
        status: get.status,
        length,
      })
    }
    const reader = withBasicToken(ada, (await ada.token(['read:user'])).secret)
    expect((await reader.fetch(tokensOf('ada'), { method: 'HEAD' })).status).toBe(200)
  })

  test('links follow the public address, with or without its prefix in the request', async () => {
    const settings = { STOWAGE_PUBLIC_URL: 'https://example.com/stowage/' }
    await using stowage = await startStowage({ settings })
    for (let index = 0; index < 3; index++) await stowage.admin.token(['all'])
    for (const prefix of ['', '/stowage']) {
      const { headers } = await stowage.admin.fetch(`${prefix}${tokensOf('admin')}?limit=2`)
      expect(headers.get('link')).toContain(
        `<https://example.com/stowage${tokensOf('admin')}?limit=2&page=2>; rel="next"`,
      )
      const { body } = await answer(stowage.admin.fetch(`${prefix}/api/v1/user`))
      expect(body.html_url).toBe('https://example.com/stowage/admin')
      expect((await answer(stowage.anonymous.fetch(`${prefix}/api/v1/user`))).body.url).toBe(
        'https://example.com/stowage/api/swagger',
      )
    }
  })

  test('links take no credential along', async () => {
    await using stowage = await startStowage()
    const { admin } = stowage
    const { secret } = await admin.token(['all'], { name: 'one' })
    await admin.token(['all'], { name: 'two' })
    const query = `?limit=1&token=${secret}&access_token=${secret}&other=kept`
    const { status, headers } = await admin.fetch(`${tokensOf('admin')}${query}`)
    expect(status).toBe(200)
    expect(headers.get('link')).toContain('other=kept')
    expect(headers.get('link')).not.toContain(secret)
  })
})
