import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { blobFiles } from '../support/inventory.ts'
import { SlowUpload } from '../support/slow-upload.ts'
import { basic, type Client, startStowage, type TestStowage } from '../support/stowage.ts'
import { until } from '../support/until.ts'

let stowage: TestStowage
let admin: Client

beforeAll(async () => {
  stowage = await startStowage()
  admin = stowage.admin
})
afterAll(() => stowage[Symbol.asyncDispose]())

const at = (name: string) => `/api/v1/admin/users/${name}`

async function send(client: Client, method: string, path: string, body?: unknown) {
  const sent = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
  const response = await client.fetch(path, { method, body: sent as string })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : undefined }
}

const change = (name: string, body: unknown, by = admin) => send(by, 'PATCH', at(name), body)
const whoami = async (client: Client) => (await client.fetch('/api/v1/user')).status

/** A browser's session, as if the user had signed in there. */
async function addSession(name: string) {
  await stowage.change(`
    insert into sessions (user_id, sha256, created_at, last_used_at, expires_at, address, agent)
    select id, name_key || '-session', 0, 0, 9999999999999, '', '' from owners where name = '${name}'`)
}

async function sessionsOf(name: string): Promise<number> {
  const rows = await stowage.change(
    `select 1 from sessions join owners on owners.id = sessions.user_id where owners.name = '${name}'`,
  )
  return rows.length
}

/** Accounts that only this test has. */
let count = 0
const fresh = (prefix = 'user') => `${prefix}${++count}`

describe('the list of users', () => {
  test('is in pages, the newest last, and shows what administrators see', async () => {
    await using other = await startStowage()
    for (const name of ['bo', 'ada', 'cy']) await other.user(name, { visibility: 'private' })
    const page = (query: string) => send(other.admin, 'GET', `/api/v1/admin/users${query}`)
    const names = ({ body }: { body: { login: string }[] }) => body.map(({ login }) => login)
    expect(names(await page(''))).toEqual(['admin', 'bo', 'ada', 'cy'])
    const second = await page('?limit=2&page=2')
    expect(names(second)).toEqual(['ada', 'cy'])
    expect(second.headers.get('x-total-count')).toBe('4')
    expect(second.headers.get('link')).toContain('limit=2&page=1>; rel="prev"')
    expect(second.body[0]).toMatchObject({ email: 'ada@example.com', active: true, visibility: 'private' })
    const head = await other.admin.fetch('/api/v1/admin/users', { method: 'HEAD' })
    expect([head.status, head.headers.get('x-total-count')]).toEqual([200, '4'])
  })
})

describe('who may administer accounts', () => {
  const routes: [string, string, unknown?][] = [
    ['GET', '/api/v1/admin/users'],
    ['PATCH', at('victim'), { admin: true }],
    ['DELETE', `${at('victim')}?purge=true`],
    ['POST', `${at('victim')}/rename`, { new_username: 'renamed' }],
    ['GET', '/api/v1/admin/reserved-names'],
    ['DELETE', '/api/v1/admin/reserved-names/victim'],
  ]

  test('administrators with the scope for it, and nobody else', async () => {
    const victim = await stowage.user('victim')
    await victim.put({}, 'bytes')
    const callers: [string, Client, number][] = [
      ['nobody', stowage.anonymous, 401],
      ['himself', victim, 403],
      ['with his token', await victim.token(['all']), 403],
      ['an administrator by a token for other things', await admin.token(['write:user', 'write:package']), 403],
    ]
    for (const [who, client, status] of callers) {
      for (const [method, path, body] of routes) {
        const answer = await send(client, method, path, body)
        expect({ who, method, path, status: answer.status }).toEqual({ who, method, path, status })
      }
    }
    const reader = await admin.token(['read:admin'])
    const statuses = await Promise.all(
      routes.map(async ([method, path, body]) => (await send(reader, method, path, body)).status),
    )
    expect(statuses).toEqual([200, 403, 403, 403, 200, 403])
    expect((await victim.get()).status).toBe(200)
    expect((await send(admin, 'GET', '/api/v1/users/victim')).body).toMatchObject({ is_admin: false })
  })

  test('a token that is for public owners only does not reach the others', async () => {
    const name = fresh()
    await stowage.user(name, { visibility: 'private' })
    const token = await admin.token(['all', 'public-only'])
    expect((await change(name, { full_name: 'x' }, token)).status).toBe(403)
    expect((await send(token, 'DELETE', at(name))).status).toBe(403)
  })

  test('a user who does not exist, or an organisation, is 404', async () => {
    await stowage.change(`
      insert into owners (kind, name, name_key, visibility, created_at)
      values ('organisation', 'Works', 'works', 'public', 0)`)
    for (const name of ['none', 'works', 'admin%00', 'not%20a%20name', '%C3%A4da', 'x'.repeat(300)]) {
      for (const [method, path, body] of [
        ['PATCH', at(name), {}],
        ['DELETE', at(name)],
        ['POST', `${at(name)}/rename`, { new_username: 'other' }],
      ] as const) {
        expect({ name, method, status: (await send(admin, method, path, body)).status }).toEqual({
          name,
          method,
          status: 404,
        })
      }
    }
  })
})

describe('a change of an account', () => {
  test('shows in what is answered; what is not named, or null, stays', async () => {
    const name = fresh()
    await stowage.user(name)
    const wanted = {
      full_name: 'Ada Lovelace',
      email: 'Lovelace@Example.com',
      restricted: true,
      visibility: 'limited',
      description: 'counts',
      website: 'https://example.com/~ada',
      location: 'London',
    }
    const { status, body } = await change(name, wanted)
    expect({ status, body }).toMatchObject({ status: 200, body: { login: name, ...wanted } })
    expect((await change(name.toUpperCase(), { website: null, location: '', admin: true })).body).toMatchObject({
      ...wanted,
      location: '',
      is_admin: true,
    })
    expect((await change(name, {})).body).toMatchObject({ is_admin: true, active: true, prohibit_login: false })
    await change(name, { allow_create_organization: false, must_change_password: true })
    const [row] = await stowage.change(`
      select may_create_organisations, must_change_password from users
      where id = (select id from owners where name = '${name}')`)
    expect(row).toEqual({ may_create_organisations: 0, must_change_password: 1 })
  })

  test('takes what clients of this protocol send with every change', async () => {
    const name = fresh()
    const user = await stowage.user(name)
    const { status } = await change(name, {
      source_id: 0,
      login_name: name,
      email: null,
      full_name: null,
      password: '',
      description: null,
      must_change_password: null,
      website: null,
      location: null,
      active: null,
      admin: null,
      allow_git_hook: false,
      allow_import_local: null,
      max_repo_creation: -1,
      prohibit_login: null,
      allow_create_organization: null,
      restricted: null,
      visibility: '',
    })
    expect(status).toBe(200)
    expect(await whoami(user)).toBe(200)
  })

  test('gives nobody the e-mail address of somebody else, however it is spelled', async () => {
    const [one, other] = [fresh('mail'), fresh('mail')]
    await stowage.user(one)
    await stowage.user(other)
    const taken = await change(other, { email: `${one.toUpperCase()}@example.com` })
    expect({ status: taken.status, message: taken.body.message }).toEqual({
      status: 422,
      message: `e-mail already in use [email: ${one.toUpperCase()}@example.com]`,
    })
    expect((await change(one, { email: `${one}@EXAMPLE.com` })).body).toMatchObject({ email: `${one}@EXAMPLE.com` })
    expect((await change(one, { email: '' })).body.email).toBe(`${one}@noreply.localhost`)
    expect((await change(other, { email: `${one}@example.com` })).status).toBe(200)
  })

  test('of the password ends sessions and what knew the old one, but no token', async () => {
    const name = fresh()
    const user = await stowage.user(name)
    const token = await user.token(['all'])
    await addSession(name)
    expect((await change(name, { full_name: 'Same' })).status).toBe(200)
    expect(await sessionsOf(name)).toBe(1)
    expect((await change(name, { password: 'another-Pass-1' })).status).toBe(200)
    expect([await whoami(user), await whoami(token), await sessionsOf(name)]).toEqual([401, 200, 0])
    expect(await whoami(user.with({ Authorization: basic(name, 'another-Pass-1') }))).toBe(200)
  })

  test('to restricted and back counts from the next request', async () => {
    const [name, owner] = [fresh(), fresh('limited')]
    const user = await stowage.user(name)
    await (await stowage.user(owner, { visibility: 'limited' })).put({}, 'bytes')
    expect((await user.get({ owner })).status).toBe(200)
    await change(name, { restricted: true })
    expect((await user.get({ owner })).status).toBe(404)
    await change(owner, { visibility: 'public' })
    expect((await user.get({ owner })).status).toBe(200)
  })
})

describe('an account that is', () => {
  test.each([
    ['inactive', { active: false }, { active: true }],
    ['prohibited to sign in', { prohibit_login: true }, { prohibit_login: false }],
  ])('%s is refused with every credential, also an administrator, until it is let in again', async (_, out, back) => {
    const name = fresh()
    const user = await stowage.user(name)
    expect((await change(name, { admin: true })).status).toBe(200)
    const token = await user.token(['all'])
    const all = [user, token, user.with({ Authorization: basic(name, token.secret) })]
    await addSession(name)
    expect(await Promise.all(all.map(whoami))).toEqual([200, 200, 200])
    expect((await change(name, out)).status).toBe(200)
    expect(await Promise.all(all.map(whoami))).toEqual([401, 401, 401])
    expect(await sessionsOf(name)).toBe(0)
    expect((await change(name, back)).status).toBe(200)
    expect(await Promise.all(all.map(whoami))).toEqual([200, 200, 200])
  })

  test('made inactive during an upload gets no file any more', async () => {
    const name = fresh()
    const user = await stowage.user(name)
    const { secret } = await user.token(['write:package'])
    const before = (await blobFiles(stowage.dataDir)).size
    using upload = await SlowUpload.begin(stowage.port, user.path(), { Authorization: `token ${secret}` }, 10)
    await upload.send('12345')
    await until(async () => (await blobFiles(stowage.dataDir)).size > before, 'the upload is under way')
    expect((await change(name, { active: false })).status).toBe(200)
    await upload.send('67890')
    expect((await upload.answer()).status).toBe(401)
    expect((await admin.get({ owner: name })).status).toBe(404)
  })
})

describe('the last administrator', () => {
  const sentence = 'This is the last administrator who can sign in: make somebody else one first.'

  test.each([{ admin: false }, { active: false }, { prohibit_login: true }])(
    'cannot be taken away by %p, unless there is another one who can sign in',
    async (out) => {
      const name = fresh()
      await stowage.user(name)
      await stowage.change('update users set is_admin = 0 where id <> (select min(id) from users)')
      expect(await change('admin', out)).toMatchObject({ status: 422, body: { message: sentence } })
      await change(name, { admin: true, prohibit_login: true })
      expect(await change('admin', out)).toMatchObject({ status: 422, body: { message: sentence } })
      await change(name, { prohibit_login: false })
      expect(await change('admin', out)).toMatchObject({ status: 200, body: {} })
      expect(await whoami(stowage.anonymous.with({ Authorization: basic(name, `${name}-Pass-1234`) }))).toBe(200)
      await stowage.change(`
        update users set is_admin = 1, is_active = 1, prohibit_login = 0
        where id = (select id from owners where name = 'admin')`)
      await change(name, { admin: false })
    },
  )

  test('nor can an administrator delete himself', async () => {
    const { status, body } = await send(admin, 'DELETE', `${at('ADMIN')}?purge=true`)
    expect({ status, message: body.message }).toEqual({
      status: 422,
      message: 'Nobody can delete himself: ask another administrator.',
    })
  })
})

describe('a body that is wrong', () => {
  const long = 'x'.repeat(256)
  const profile: [unknown, string][] = [
    ['no JSON', 'The body must be JSON.'],
    [[], 'The body must be a JSON object.'],
    [null, 'The body must be a JSON object.'],
    [{ is_admin: true }, 'unknown field: is_admin'],
    [{ full_name: 7, email: 'x' }, 'email: must be an e-mail address; full_name: must be text'],
    [{ full_name: long }, 'full_name: may have 255 characters at most'],
    [{ full_name: 'a\0b' }, 'full_name: may not hold NUL or half a character'],
    [{ full_name: '\ud800' }, 'full_name: may not hold NUL or half a character'],
    [{ email: `${'x'.repeat(250)}@example.com` }, 'email: must be an e-mail address'],
    [{ visibility: 'secret' }, 'visibility: must be public, limited or private'],
    [{ restricted: 'yes' }, 'restricted: must be true or false'],
    [{ password: 'short' }, 'password: must have at least 8 characters'],
    [{ password: 'x'.repeat(257) }, 'password: may have 256 characters at most'],
    [{ source_id: 'one', login_name: 1 }, 'login_name: must be text; source_id: must be a number'],
  ]

  test.each([
    ...profile,
    [{ admin: 1 }, 'admin: must be true or false'],
    [{ active: 'no' }, 'active: must be true or false'],
    [{ password: 12345678 }, 'password: must be text'],
    [{ website: 'javascript:alert(1)' }, 'website: must be an http or https address'],
    [{ description: {} }, 'description: must be text'],
    [{ location: 'a\0' }, 'location: may not hold NUL or half a character'],
    [{ username: 'other' }, 'unknown field: username'],
  ] as [unknown, string][])('changes no account: %j', async (sent, message) => {
    const { status, body } = await change('admin', sent)
    expect({ sent, status: [400, 422].includes(status) }).toEqual({ sent, status: true })
    expect(body.message).toStartWith(message)
  })

  test.each([
    ...profile,
    [{}, 'username: is missing; password: is missing'],
    [{ username: '-x' }, 'a name must be 1 to 40 letters'],
    [{ username: 'ghost' }, 'the name "ghost" is reserved'],
    [{ username: 'new1', admin: true }, 'unknown field: admin'],
    [{ username: 'new1', active: true }, 'unknown field: active'],
  ] as [unknown, string][])('makes no account: %j', async (sent, message) => {
    const isObject = sent !== null && typeof sent === 'object' && !Array.isArray(sent)
    const whole =
      isObject && Object.keys(sent).length > 0 ? { username: 'new1', password: 'new-Pass-1234', ...sent } : sent
    const { status, body } = await send(admin, 'POST', '/api/v1/admin/users', whole)
    expect({ sent, status: [400, 422].includes(status) }).toEqual({ sent, status: true })
    expect(body.message).toStartWith(message)
  })

  test('a new account takes what clients of this protocol send beside', async () => {
    const username = fresh()
    const sent = {
      username,
      password: 'some-Pass-1234',
      email: `${username}@example.com`,
      login_name: '',
      source_id: 0,
    }
    const beside = { send_notify: false, created_at: '2031-05-06T07:08:09Z', visibility: '', full_name: null }
    const { status } = await send(admin, 'POST', '/api/v1/admin/users', { ...sent, ...beside })
    expect(status).toBe(201)
  })
})
