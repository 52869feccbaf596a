import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { SlowUpload } from '../support/slow-upload.ts'
import { basic, type Client, startStowage, type TestStowage } from '../support/stowage.ts'

let stowage: TestStowage

beforeAll(async () => {
  stowage = await startStowage()
})
afterAll(() => stowage[Symbol.asyncDispose]())

interface Answer {
  status: number
  // biome-ignore lint/suspicious/noExplicitAny: whatever the JSON is, the expectation says.
  body: any
}

async function answer(response: Response | Promise<Response>): Promise<Answer> {
  const { status } = await response
  const text = await (await response).text()
  return { status, body: text === '' ? undefined : JSON.parse(text) }
}

const byPassword = (name: string, password: string) => stowage.anonymous.with({ Authorization: basic(name, password) })
const withBasicToken = (client: Client & { secret: string }) =>
  client.with({ Authorization: basic(client.name, client.secret) })
const see = (client: Client, name: string) => answer(client.fetch(`/api/v1/users/${name}`))
const idOf = (name: string) => `(select id from owners where name = '${name}')`

/** A link by which that account's password can be set. */
const addResetLink = (name: string) =>
  stowage.change(`
    insert into links (kind, sha256, nonce, mailed, user_id, full_name, created_at, expires_at)
    values ('password-reset', '${name}', '', 0, ${idOf(name)}, '', 1, 1)`)

describe('POST /user/password', () => {
  const change = (client: Client, old_password: string, new_password: string) =>
    answer(client.post('/api/v1/user/password', { old_password, new_password }))

  test('sets another password: the old one is refused from then on, by the uploads that run too', async () => {
    const ada = await stowage.user('ada')
    const headers = { Authorization: basic('ada', 'ada-Pass-1234') }
    using upload = await SlowUpload.begin(stowage.port, ada.path(), headers, 4)
    await upload.send('ab')
    expect(await change(ada, 'ada-Pass-1234', 'another-Pass-1')).toEqual({ status: 204, body: undefined })
    expect((await ada.fetch('/api/v1/user')).status).toBe(401)
    expect((await byPassword('ada', 'another-Pass-1').fetch('/api/v1/user')).status).toBe(200)
    await upload.send('cd')
    expect((await upload.answer()).status).toBe(401)
    expect((await byPassword('ada', 'another-Pass-1').get({ owner: 'ada' })).status).toBe(404)
  })

  test('leaves tokens alone, and ends the browsers that have signed in and the links to set a password', async () => {
    const bob = await stowage.user('bob')
    const eve = await stowage.user('bystander')
    const token = await bob.token(['read:user'])
    for (const name of ['bob', 'bystander']) {
      await stowage.change(`
        insert into sessions (user_id, sha256, created_at, last_used_at, expires_at, address, agent)
        values (${idOf(name)}, '${name}', 1, 1, 1, '', '')`)
      await addResetLink(name)
    }
    expect((await change(bob, 'bob-Pass-1234', 'another-Pass-1')).status).toBe(204)
    for (const table of ['sessions', 'links']) {
      expect(await stowage.change(`select sha256 from ${table}`)).toEqual([{ sha256: 'bystander' }])
    }
    expect((await token.fetch('/api/v1/user')).status).toBe(200)
    expect((await eve.fetch('/api/v1/user')).status).toBe(200)
  })

  test('takes the password itself, and no token', async () => {
    const cleo = await stowage.user('cleo')
    const token = await cleo.token(['all'])
    for (const client of [token, withBasicToken(token)]) {
      const { status, body } = await change(client, 'cleo-Pass-1234', 'another-Pass-1')
      expect({ status, message: body.message }).toEqual({
        status: 403,
        message: 'This takes the password itself: sign in with user name and password, not with a token.',
      })
    }
    expect((await change(stowage.anonymous, 'cleo-Pass-1234', 'another-Pass-1')).status).toBe(401)
    expect((await cleo.fetch('/api/v1/user')).status).toBe(200)
  })

  test('refuses what is missing, of another kind or not good enough', async () => {
    const dan = await stowage.user('dan')
    const right = { old_password: 'dan-Pass-1234', new_password: 'another-Pass-1' }
    const rows: [unknown, number, string][] = [
      [{ ...right, old_password: undefined }, 422, 'old_password: is missing'],
      [{ ...right, old_password: 7 }, 422, 'old_password: is missing'],
      [{ ...right, new_password: undefined }, 422, 'new_password: is missing'],
      [{}, 422, 'old_password: is missing; new_password: is missing'],
      [{ ...right, new_password: '1234567' }, 422, 'new_password: must have at least 8 characters'],
      [{ ...right, new_password: 'x'.repeat(257) }, 422, 'new_password: may have 256 characters at most'],
      [{ ...right, new_password: right.old_password }, 422, 'new_password: must be another one than the old one'],
      [{ ...right, password: 'x' }, 422, 'unknown field: password'],
      [{ ...right, old_password: 'guess' }, 403, 'The old password is not right.'],
      [[], 422, 'The body must be a JSON object.'],
      ['{', 400, 'The body must be JSON.'],
    ]
    for (const [sent, status, message] of rows) {
      const { status: given, body } = await answer(dan.post('/api/v1/user/password', sent))
      expect({ sent, status: given, message: body.message }).toEqual({ sent, status, message })
    }
    expect((await dan.fetch('/api/v1/user')).status).toBe(200)
  })

  test('counts a wrong old password as a wrong password, and computes the right one once', async () => {
    const fay = await stowage.user('fay')
    await fay.fetch('/api/v1/user')
    const { passwords } = stowage.stowage
    const before = passwords.computations
    // The new one's hash, and nothing for the old one: it is the one in Basic, which is remembered.
    expect((await change(fay, 'fay-Pass-1234', 'another-Pass-1')).status).toBe(204)
    expect(passwords.computations - before).toBe(1)

    const changed = byPassword('fay', 'another-Pass-1')
    const statuses: number[] = []
    for (let guess = 0; guess < 11; guess++) {
      statuses.push((await change(changed, `guess-${guess}`, 'a-third-Pass-1')).status)
    }
    expect(statuses).toEqual([...Array(10).fill(403), 429])
    expect((await byPassword('fay', 'guess').fetch('/api/v1/user')).status).toBe(429)
    expect((await changed.fetch('/api/v1/user')).status).toBe(200)
  })
})

describe('an account that must set a new password', () => {
  const routes: [string, string][] = [
    ['GET', '/user'],
    ['GET', '/token'],
    ['DELETE', '/token'],
    ['GET', '/users/gus'],
    ['GET', '/users/gus/tokens'],
    ['POST', '/users/gus/tokens'],
    ['DELETE', '/users/gus/tokens/1'],
    ['GET', '/user/settings'],
    ['PATCH', '/user/settings'],
    ['GET', '/packages/gus'],
    ['GET', '/packages/gus/generic/tool'],
    ['GET', '/admin/jobs'],
    ['POST', '/admin/users'],
  ]

  test('does nothing else in the JSON API, by whatever credential; packages are as they were', async () => {
    const gus = await stowage.user('gus')
    const token = await gus.token(['all'])
    await stowage.change(`update users set must_change_password = 1 where id = ${idOf('gus')}`)
    for (const client of [gus, token, withBasicToken(token)]) {
      for (const [method, path] of routes) {
        const refused = await answer(client.fetch(`/api/v1${path}`, { method }))
        expect({ path, status: refused.status }).toEqual({ path, status: 403 })
        expect(refused.body.message).toContain('POST /api/v1/user/password')
      }
      expect((await client.fetch('/api/v1/version')).status).toBe(200)
      expect((await client.put({ file: `${Math.random()}` }, 'bytes')).status).toBe(201)
    }
    expect((await see(stowage.admin, 'gus')).status).toBe(200)

    const body = { old_password: 'gus-Pass-1234', new_password: 'another-Pass-1' }
    expect((await token.post('/api/v1/user/password', body)).status).toBe(403)
    expect((await gus.post('/api/v1/user/password', body)).status).toBe(204)
    expect((await byPassword('gus', 'another-Pass-1').fetch('/api/v1/user')).status).toBe(200)
    expect((await token.fetch('/api/v1/user')).status).toBe(200)
  })
})

describe('GET /users/{name}', () => {
  test('shows who may be seen; who is hidden is as unknown as who is not there', async () => {
    const [pia, stranger] = [await stowage.user('Pia', { full_name: 'Pia P.' }), await stowage.user('stranger')]
    const lim = await stowage.user('lim', { visibility: 'limited' })
    const prue = await stowage.user('prue', { visibility: 'private' })
    const rob = await stowage.user('rob', { restricted: true })
    const { admin, anonymous } = stowage
    const rows: [string, Client[], Client[]][] = [
      ['Pia', [anonymous, stranger, rob, pia, admin], []],
      ['lim', [stranger, lim, admin], [anonymous, rob]],
      ['prue', [prue, admin], [anonymous, stranger, rob]],
      ['nobody', [], [anonymous, stranger, admin]],
      ['not%20a%20name', [], [anonymous, admin]],
    ]
    for (const [name, seenBy, hiddenFrom] of rows) {
      for (const client of seenBy) expect((await see(client, name)).body.login).toBe(name)
      for (const client of hiddenFrom) {
        expect(await see(client, name)).toMatchObject({ status: 404, body: { message: 'Not found.' } })
      }
    }
    expect((await see(anonymous, 'PIA')).body).toMatchObject({
      login: 'Pia',
      full_name: 'Pia P.',
      email: 'pia@noreply.localhost',
      active: false,
    })
    expect((await see(pia, 'pia')).body).toMatchObject({ email: 'pia@example.com', active: true })
    expect((await anonymous.fetch('/api/v1/users/pia', { method: 'HEAD' })).status).toBe(200)
    expect((await anonymous.with({ Authorization: basic('pia', 'wrong') }).fetch('/api/v1/users/pia')).status).toBe(401)
  })

  test('tells what is private to the user and administrators, and zero values to everybody else', async () => {
    const ivo = await stowage.user('ivo', { restricted: true })
    const nosy = await stowage.user('nosy')
    const signIn = stowage.anonymous.with({ 'Sec-Fetch-Site': 'same-origin' })
    const login = await signIn.post('/user/login', { user: 'ivo', password: 'ivo-Pass-1234' })
    expect(login.status).toBe(200)
    const never = '0001-01-01T00:00:00Z'
    const nothing = { is_admin: false, active: false, restricted: false, prohibit_login: false, last_login: never }
    const signedIn = expect.stringMatching(/^20\d\d-.*Z$/)
    const own = { ...nothing, active: true, restricted: true, last_login: signedIn }
    expect((await see(ivo, 'ivo')).body).toMatchObject(own)
    const change = { method: 'PATCH', body: '{"prohibit_login":true,"admin":true}' }
    expect((await stowage.admin.fetch('/api/v1/admin/users/ivo', change)).status).toBe(200)
    expect((await see(stowage.admin, 'ivo')).body).toMatchObject({ ...own, is_admin: true, prohibit_login: true })
    for (const other of [stowage.anonymous, nosy]) expect((await see(other, 'ivo')).body).toMatchObject(nothing)
  })

  test('needs read:user of a token, and is for public users where the token is', async () => {
    const quin = await stowage.user('quin', { visibility: 'limited' })
    await stowage.user('qua')
    expect(await see(await quin.token(['read:package']), 'nobody')).toMatchObject({ status: 403 })
    expect((await see(await quin.token(['read:user']), 'quin')).status).toBe(200)
    const publicOnly = await quin.token(['read:user', 'public-only'])
    expect((await see(publicOnly, 'qua')).status).toBe(200)
    expect((await see(publicOnly, 'quin')).status).toBe(403)
    expect((await see(publicOnly, 'nobody')).status).toBe(404)
  })

  test('leads on from a name that was given up, where the new one may be known', async () => {
    await stowage.user('newname', { visibility: 'limited' })
    await stowage.change(`
      insert into former_names (name_key, name, owner_id, created_at)
      values ('oldname', 'OldName', ${idOf('newname')}, 1)`)
    const moved = await stowage.admin.fetch('/api/v1/users/OldName?x=1', { redirect: 'manual' })
    expect(moved.status).toBe(307)
    expect(moved.headers.get('location')).toBe('/api/v1/users/newname?x=1')
    expect((await see(stowage.admin, 'oldname')).body.login).toBe('newname')
    expect((await see(stowage.anonymous, 'oldname')).status).toBe(404)
  })

  test('shows an organisation as if it were a user', async () => {
    await stowage.change(`
      insert into owners (kind, name, name_key, visibility, created_at, description)
      values ('organisation', 'Guild', 'guild', 'public', 1, 'of makers')`)
    await stowage.change(`
      insert into organisations (id, full_name, repo_admin_change_team_access) values (${idOf('Guild')}, 'The Guild', 0)`)
    const { status, body } = await see(stowage.anonymous, 'guild')
    expect(status).toBe(200)
    expect(body).toMatchObject({ login: 'Guild', full_name: 'The Guild', description: 'of makers', is_admin: false })
    await stowage.change(`update owners set visibility = 'private' where name = 'Guild'`)
    expect((await see(stowage.anonymous, 'guild')).status).toBe(404)
  })

  test('asks nobody to sign in but where the site does', async () => {
    await using closed = await startStowage({ settings: { STOWAGE_REQUIRE_SIGN_IN: 'true' } })
    for (const name of ['admin', 'nobody']) expect((await see(closed.anonymous, name)).status).toBe(401)
    expect((await see(closed.admin, 'admin')).status).toBe(200)
  })
})

describe('/user/settings', () => {
  const patch = (client: Client, change: unknown) => {
    const body = typeof change === 'string' ? change : JSON.stringify(change)
    return answer(client.fetch('/api/v1/user/settings', { method: 'PATCH', body }))
  }
  const settings = (client: Client) => answer(client.fetch('/api/v1/user/settings'))

  test('are shown and changed, and seen in every shape of the user', async () => {
    const tess = await stowage.user('tess')
    const initial = {
      full_name: '',
      description: '',
      website: '',
      location: '',
      visibility: 'public',
      email: 'tess@example.com',
      language: '',
      theme: '',
      diff_view_style: '',
      hide_email: false,
      hide_activity: false,
    }
    expect(await settings(tess)).toEqual({ status: 200, body: initial })
    const said = { full_name: 'Tess T.', description: 'tests', website: 'https://example.com/~tess', location: 'Bonn' }
    expect(await patch(tess, said)).toEqual({ status: 200, body: { ...initial, ...said } })
    expect(await patch(tess, { location: '', hide_email: true, theme: 'dark', full_name: null })).toEqual({
      status: 200,
      body: { ...initial, ...said, location: '' },
    })
    expect(await patch(tess, {})).toMatchObject({ status: 200, body: { full_name: 'Tess T.' } })
    const shown = { ...said, location: '' }
    await tess.put({}, 'bytes')
    expect((await answer(tess.fetch('/api/v1/user'))).body).toMatchObject(shown)
    expect((await see(stowage.anonymous, 'tess')).body).toMatchObject(shown)
    const listed = await answer(stowage.anonymous.fetch('/api/v1/packages/tess'))
    expect(listed.body).toMatchObject([{ owner: shown, creator: shown }])
  })

  test('decide who sees the account, from the next request on', async () => {
    const uma = await stowage.user('uma')
    expect((await see(stowage.anonymous, 'uma')).status).toBe(200)
    expect((await patch(uma, { visibility: 'private' })).body).toMatchObject({ visibility: 'private' })
    expect((await see(stowage.anonymous, 'uma')).status).toBe(404)
    expect((await patch(uma, { visibility: 'public' })).status).toBe(200)
    expect((await see(stowage.anonymous, 'uma')).status).toBe(200)
  })

  test('end an upload by a public-only token where the account is public no longer', async () => {
    const vic = await stowage.user('vic')
    const { secret } = await vic.token(['write:package', 'public-only'])
    using upload = await SlowUpload.begin(stowage.port, vic.path(), { Authorization: `token ${secret}` }, 4)
    await upload.send('ab')
    expect((await patch(vic, { visibility: 'limited' })).status).toBe(200)
    await upload.send('cd')
    expect((await upload.answer()).status).toBe(403)
  })

  test('are for tokens with the scopes; a public-only one has none that is not public', async () => {
    const wes = await stowage.user('wes')
    const reader = await wes.token(['read:user'])
    const writer = await wes.token(['write:user'])
    const publicOnly = await wes.token(['write:user', 'public-only'])
    expect((await settings(await wes.token(['write:package']))).status).toBe(403)
    expect((await settings(reader)).status).toBe(200)
    expect((await patch(reader, { location: 'Ulm' })).status).toBe(403)
    expect((await patch(writer, { location: 'Ulm' })).status).toBe(200)
    expect((await settings(publicOnly)).status).toBe(200)
    expect((await patch(publicOnly, { visibility: 'limited' })).status).toBe(200)
    expect((await settings(publicOnly)).status).toBe(403)
    expect((await patch(publicOnly, { visibility: 'public' })).status).toBe(403)
    expect((await settings(stowage.anonymous)).status).toBe(401)
    expect((await patch(stowage.anonymous, {})).status).toBe(401)
  })

  test('hold the e-mail address, which only the password changes', async () => {
    const xia = await stowage.user('xia')
    await stowage.user('yan')
    const token = await xia.token(['all'])
    for (const client of [token, withBasicToken(token)]) {
      expect((await patch(client, { email: 'x@example.com', location: 'Rom' })).status).toBe(403)
    }
    expect((await settings(xia)).body).toMatchObject({ email: 'xia@example.com', location: '' })
    await addResetLink('xia')
    expect(await patch(xia, { email: 'YAN@example.com' })).toMatchObject({
      status: 422,
      body: { message: 'e-mail already in use [email: YAN@example.com]' },
    })
    expect(await stowage.change(`select id from links where sha256 = 'xia'`)).toHaveLength(1)
    expect((await patch(xia, { email: 'X@Example.com' })).body).toMatchObject({ email: 'X@Example.com' })
    expect(await stowage.change(`select id from links where sha256 = 'xia'`)).toEqual([])
    expect((await byPassword('x@example.com', 'xia-Pass-1234').fetch('/api/v1/user')).status).toBe(200)
    expect((await byPassword('xia@example.com', 'xia-Pass-1234').fetch('/api/v1/user')).status).toBe(401)
    expect((await patch(xia, { email: 'x@example.com' })).status).toBe(200)
    expect((await patch(xia, { email: '' })).body).toMatchObject({ email: '' })
    expect((await byPassword('x@example.com', 'xia-Pass-1234').fetch('/api/v1/user')).status).toBe(401)
  })

  test('of one e-mail address are given to one of two who want it at once', async () => {
    const people = await Promise.all(['one', 'two', 'three'].map((name) => stowage.user(name)))
    const statuses = await Promise.all(
      people.map(async (it) => (await patch(it, { email: 'same@example.com' })).status),
    )
    expect(statuses.sort()).toEqual([200, 422, 422])
  })

  test('refuse what is of another kind, and name it', async () => {
    const zoe = await stowage.user('zoe')
    const before = await settings(zoe)
    const bad: [Record<string, unknown>, string][] = [
      [{ full_name: 7 }, 'full_name'],
      [{ full_name: 'x'.repeat(256) }, 'full_name'],
      [{ description: 'a\0b' }, 'description'],
      [{ location: '\ud800' }, 'location'],
      [{ website: 'javascript:alert(1)' }, 'website'],
      [{ website: 'example.com' }, 'website'],
      [{ website: 'https://' }, 'website'],
      [{ visibility: 'secret' }, 'visibility'],
      [{ email: 'nobody' }, 'email'],
      [{ email: ['a@example.com'] }, 'email'],
      [{ hide_email: 'yes' }, 'hide_email'],
      [{ is_admin: true }, 'unknown field: is_admin'],
      [{ location: 'Rom', full_name: null, loc: '' }, 'unknown field: loc'],
    ]
    for (const [change, named] of bad) {
      const refused = await patch(zoe, change)
      expect({ change, status: refused.status }).toEqual({ change, status: 422 })
      expect(refused.body.message).toContain(named)
    }
    for (const [text, status] of [
      ['', 400],
      ['{', 400],
      ['[]', 422],
      ['null', 422],
      ['"x"', 422],
    ] as const) {
      expect({ text, status: (await patch(zoe, text)).status }).toEqual({ text, status })
    }
    expect(await settings(zoe)).toEqual(before)
  })
})

describe('a wrong password', () => {
  test('costs the same whoever it is for, and is answered the same', async () => {
    for (const name of ['known', 'inactive', 'prohibited', 'mustchange', 'without']) await stowage.user(name)
    await stowage.change(`update users set is_active = 0 where id = ${idOf('inactive')}`)
    await stowage.change(`update users set prohibit_login = 1 where id = ${idOf('prohibited')}`)
    await stowage.change(`update users set must_change_password = 1 where id = ${idOf('mustchange')}`)
    await stowage.change(`update users set password_hash = null where id = ${idOf('without')}`)
    await stowage.change(`
      insert into owners (kind, name, name_key, visibility, created_at)
      values ('organisation', 'club', 'club', 'public', 1)`)
    const typed = [
      'known',
      'known@example.com',
      'unheard-of',
      'unheard-of@example.com',
      'not a name',
      'inactive',
      'prohibited',
      'mustchange',
      'without',
      'club',
    ]
    const { passwords } = stowage.stowage
    for (const user of typed) {
      const before = passwords.computations
      const { status, body } = await answer(byPassword(user, 'wrong').fetch('/api/v1/user'))
      expect({ user, status, message: body.message, computations: passwords.computations - before }).toEqual({
        user,
        status: 401,
        message: 'Failed to authenticate user',
        computations: 1,
      })
    }
  })
})
