import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { wholeDatabase } from '../support/database.ts'
import { codeIn, type Made, makeLink, sendTo, told } from '../support/links.ts'
import { type MailServer, startMailServer } from '../support/mail-server.ts'
import { temporaryFolder } from '../support/server-process.ts'
import { basic, type Client, startStowage, type TestStowage } from '../support/stowage.ts'

const day = 24 * 60 * 60_000
const from = 'Packages <packages@example.com>'
const password = 'correct-Horse-1'
const noLonger =
  '404 This invitation is not valid, or not any more: it works once and for a limited time. Ask for another one.'

const clock = { now: Date.now() }
let stowage: TestStowage
let mails: MailServer
let olga: Client
/** The team of those who own the organisation acme, and one whose members may write there. */
const teams = { owners: 0, writers: 0 }

beforeAll(async () => {
  mails = await startMailServer()
  stowage = await startStowage({
    settings: { STOWAGE_SMTP_URL: mails.url, STOWAGE_MAIL_FROM: from, STOWAGE_TRUSTED_PROXIES: '127.0.0.1' },
    replace: { now: () => clock.now },
  })
  olga = await stowage.user('olga')
  Object.assign(teams, await organisation(olga, 'acme'))
})
afterAll(async () => {
  await stowage[Symbol.asyncDispose]()
  await mails.stop()
})

async function organisation(owner: Client, username: string): Promise<{ owners: number; writers: number }> {
  expect((await owner.post('/api/v1/orgs', { username })).status).toBe(201)
  const [{ id: owners = 0 } = {}] = await list(owner, `/orgs/${username}/teams`)
  const body = { name: 'Writers', permission: 'write', units: ['repo.packages'] }
  const { id: writers } = (await (await owner.post(`/api/v1/orgs/${username}/teams`, body)).json()) as { id: number }
  return { owners, writers }
}

async function list(client: Client, path: string): Promise<{ id: number; [field: string]: unknown }[]> {
  const response = await client.fetch(`/api/v1${path}`)
  expect(response.status).toBe(200)
  return (await response.json()) as { id: number }[]
}

const invite = (body: object = {}, by = stowage.admin) => makeLink(by, '/admin/invitations', body)
const inviteInto = (team_id: number, by = olga) => makeLink(by, '/orgs/acme/invitations', { team_id })
const accept = (code: string, username: string, fields: object = {}) =>
  sendTo(stowage, 'invitation', { code, username, password, ...fields })
const joinWith = (client: Client, code: string) => client.post('/api/v1/user/invitations', { code })
const withdraw = (client: Client, path: string) => client.fetch(`/api/v1${path}`, { method: 'DELETE' })
const asNewcomer = (name: string) => stowage.anonymous.as(name).with({ Authorization: basic(name, password) })
const change = async (name: string, body: object) => {
  const init = { method: 'PATCH', body: JSON.stringify(body) }
  expect((await stowage.admin.fetch(`/api/v1/admin/users/${name}`, init)).status).toBe(200)
}
const sentence = async (response: Response | Promise<Response>) => (await told(response)).join(' ')

describe('an invitation', () => {
  test('makes an account, once, and is told to whoever made it only then', async () => {
    const made = await invite({ full_name: 'Ada Lovelace', expires_in: 3600 })
    const created = clock.now - (clock.now % 1000)
    const shown = {
      id: made.id,
      kind: 'invitation',
      created_by: 'admin',
      created_at: new Date(created).toISOString().replace('.000Z', 'Z'),
      expires_at: new Date(created + 3_600_000).toISOString().replace('.000Z', 'Z'),
      mailed: false,
      email: '',
      full_name: 'Ada Lovelace',
      team: null,
    }
    const { code, ...body } = made
    expect(body).toEqual({ ...shown, url: `${stowage.url}/user/invitation#${code}` })
    expect((await list(stowage.admin, '/admin/invitations')).at(-1)).toEqual(shown)

    const response = await accept(code, 'Ada', { email: 'ada@example.com' })
    expect(response.status).toBe(201)
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(await response.json()).toMatchObject({
      login: 'Ada',
      full_name: 'Ada Lovelace',
      email: 'ada@example.com',
      is_admin: false,
      active: true,
    })
    expect((await asNewcomer('Ada').put({}, 'bytes')).status).toBe(201)
    expect(await sentence(accept(code, 'another'))).toBe(noLonger)
    expect((await list(stowage.admin, '/admin/invitations')).map(({ id }) => id)).not.toContain(made.id)
  })

  test('that was used, has expired, was withdrawn, or never was, is told apart by nobody', async () => {
    const [used, expired, withdrawn] = [await invite(), await invite({ expires_in: 60 }), await invite()]
    const reset = await makeLink(stowage.admin, '/admin/users/olga/password-reset')
    expect((await accept(used.code, 'user')).status).toBe(422)
    expect((await accept(used.code, 'used')).status).toBe(201)
    clock.now += 60_000
    expect((await withdraw(stowage.admin, `/admin/invitations/${withdrawn.id}`)).status).toBe(204)
    const codes = [used, expired, withdrawn, reset].map(({ code }) => code)
    for (const code of [...codes, 'x'.repeat(43), 'x', `${used.code}x`, '🙂']) {
      expect(await sentence(accept(code, 'late'))).toBe(noLonger)
      expect(await sentence(joinWith(await stowage.admin.token(['all']), code))).toBe(noLonger)
      // Wrong codes are counted by the account.
      clock.now += 10 * 60_000
    }
  })

  test('lasts seven days where nobody says otherwise, to the second', async () => {
    const { code, ...made } = await invite()
    expect(Date.parse(String(made.expires_at)) - Date.parse(String(made.created_at))).toBe(7 * day)
    const [first, second] = [await invite(), { code }]
    clock.now += 7 * day - 1
    expect((await accept(first.code, 'punctual')).status).toBe(201)
    clock.now += 1
    expect(await sentence(accept(second.code, 'tardy'))).toBe(noLonger)
  })

  test('is not used up by a name or an address that is taken or not allowed', async () => {
    const { code } = await invite({ email: 'grace@example.com' })
    await stowage.user('taken', { email: 'taken@example.com' })
    const refused: [object, string][] = [
      [{ username: 'taken' }, '422 user already exists [name: taken]'],
      [{ username: 'acme' }, '422 user already exists [name: acme]'],
      [{ username: 'api' }, '422 the name "api" is reserved'],
      [{ email: 'Taken@example.com' }, '422 e-mail already in use [email: Taken@example.com]'],
    ]
    for (const [fields, told] of refused) expect(await sentence(accept(code, 'grace', fields))).toBe(told)
    // The invitation's address, where nobody says another.
    expect(await (await accept(code, 'grace')).json()).toMatchObject({ login: 'grace', email: 'grace@example.com' })
  })

  test('a name that somebody had before is nobody else’s by an invitation either', async () => {
    await stowage.user('before')
    const renamed = await stowage.admin.post('/api/v1/admin/users/before/rename', { new_username: 'after' })
    expect(renamed.status).toBe(204)
    const { code } = await invite()
    expect(await sentence(accept(code, 'before'))).toBe(
      '422 the name "before" is reserved for whoever had it before, until an administrator frees it',
    )
    expect((await accept(code, 'unnamed')).status).toBe(201)
  })

  test('that two accept at once makes one account', async () => {
    for (let round = 0; round < 5; round++) {
      const { code } = await invite()
      const names = [`twin-a${round}`, `twin-b${round}`]
      const answers = await Promise.all(names.map((name) => accept(code, name)))
      expect(answers.map(({ status }) => status).sort()).toEqual([201, 404])
      const found = await Promise.all(names.map((name) => stowage.anonymous.fetch(`/api/v1/users/${name}`)))
      expect(found.map(({ status }) => status).sort()).toEqual([200, 404])
    }
  })
})

describe('an invitation into a team', () => {
  test('of an owner makes a member', async () => {
    const { code, ...made } = await inviteInto(teams.writers)
    expect(made.team).toMatchObject({ id: teams.writers, name: 'Writers', organization: { name: 'acme' } })
    expect((await accept(code, 'wilma')).status).toBe(201)
    expect((await asNewcomer('wilma').put({ owner: 'acme' }, 'bytes')).status).toBe(201)
    expect((await list(olga, `/teams/${teams.writers}/members`)).map(({ login }) => login)).toContain('wilma')
  })

  test('may lead to the owners, and may be an administrator’s', async () => {
    const { code } = await invite({ team_id: teams.owners })
    expect((await accept(code, 'oskar')).status).toBe(201)
    await inviteInto(teams.writers, asNewcomer('oskar'))
  })

  test('takes in who has an account already, and only there', async () => {
    const [fay, bob] = [await stowage.user('fay'), await stowage.user('bob')]
    const { code } = await inviteInto(teams.writers)
    const publisher = await fay.token(['write:package', 'read:organization', 'write:user'])
    expect((await joinWith(publisher, code)).status).toBe(403)
    expect((await joinWith(stowage.anonymous, code)).status).toBe(401)
    expect((await fay.put({ owner: 'acme', file: 'fay' }, 'bytes')).status).toBe(403)
    const statuses = await Promise.all([fay, bob].map(async (one) => (await joinWith(one, code)).status))
    expect(statuses.sort()).toEqual([204, 404])
    const puts = await Promise.all(
      [fay, bob].map(async (one) => (await one.put({ owner: 'acme', file: one.name }, 'x')).status),
    )
    expect(puts.sort()).toEqual([201, 403])

    const intoSite = await invite()
    expect(await sentence(joinWith(fay, intoSite.code))).toBe(
      '422 This invitation is for a new account and leads into no team: you have one.',
    )
    expect((await accept(intoSite.code, 'freddy')).status).toBe(201)
  })

  test('is gone with the team', async () => {
    const body = { name: 'Brief', permission: 'read', units: ['repo.packages'] }
    const { id } = (await (await olga.post('/api/v1/orgs/acme/teams', body)).json()) as { id: number }
    const { code } = await inviteInto(id)
    expect((await withdraw(olga, `/teams/${id}`)).status).toBe(204)
    expect(await sentence(accept(code, 'nowhere'))).toBe(noLonger)
  })
})

describe('an invitation whose maker', () => {
  test('has limits leads to an account that has them too', async () => {
    const rita = await stowage.user('rita', { restricted: true })
    await change('rita', { allow_create_organization: false })
    await stowage.user('lim', { visibility: 'limited' })
    expect((await stowage.admin.post('/api/v1/admin/users/rita/orgs', { username: 'of-rita' })).status).toBe(201)
    const [{ id: team_id = 0 } = {}] = await list(rita, '/orgs/of-rita/teams')
    const { code } = await makeLink(rita, '/orgs/of-rita/invitations', { team_id })
    expect((await accept(code, 'rita-2')).status).toBe(201)
    for (const client of [rita, asNewcomer('rita-2')]) {
      expect((await client.fetch('/api/v1/users/lim')).status).toBe(404)
      await change(client.name, { restricted: false })
      expect((await client.fetch('/api/v1/users/lim')).status).toBe(200)
      expect((await client.post('/api/v1/orgs', { username: `by-${client.name}` })).status).toBe(403)
    }
  })

  /** What he made before, and what undoes it. */
  async function voided({ code }: Made, name: string, undo?: () => Promise<unknown>): Promise<void> {
    expect(await sentence(accept(code, name))).toBe(noLonger)
    if (!undo) return
    await undo()
    expect((await accept(code, name)).status).toBe(201)
  }

  test.each([
    ['is no administrator any more', { admin: false }, { admin: true }],
    ['is not active', { active: false }, { active: true }],
    ['may not sign in', { prohibit_login: true }, { prohibit_login: false }],
  ])('%s is void as long', async (_, lost, back) => {
    const name = `maker-${Object.keys(lost)}`
    const maker = await stowage.user(name)
    await change(name, { admin: true })
    const made = await invite({}, maker)
    await change(name, lost)
    await voided(made, `guest-${Object.keys(lost)}`, () => change(name, back))
  })

  test('owns the organisation no longer is void as long', async () => {
    const pia = await stowage.user('pia')
    const member = `/api/v1/teams/${teams.owners}/members/pia`
    expect((await olga.fetch(member, { method: 'PUT' })).status).toBe(204)
    const made = await inviteInto(teams.writers, pia)
    expect((await olga.fetch(member, { method: 'DELETE' })).status).toBe(204)
    await voided(made, 'guest-of-pia', () => olga.fetch(member, { method: 'PUT' }))
  })

  test('is gone is gone too', async () => {
    const gus = await stowage.user('gus')
    await change('gus', { admin: true })
    const made = await invite({}, gus)
    expect((await withdraw(stowage.admin, '/admin/users/gus')).status).toBe(204)
    await voided(made, 'guest-of-gus')
  })

  test('is taken his rights while it is accepted makes no account', async () => {
    const eva = await stowage.user('eva')
    await change('eva', { admin: true })
    for (let round = 0; round < 3; round++) {
      const { code } = await invite({}, eva)
      const [answer] = await Promise.all([accept(code, `race${round}`), change('eva', { admin: false })])
      // Either order will do, but afterwards the link is dead.
      expect([201, 404]).toContain(answer.status)
      expect(await sentence(accept(code, `after${round}`))).toBe(noLonger)
      await change('eva', { admin: true })
    }
  })
})

describe('open invitations', () => {
  test('are listed in pages, each for its organisation', async () => {
    const eric = await stowage.user('eric')
    const other = await organisation(eric, 'other')
    const made: number[] = []
    for (let count = 0; count < 3; count++) {
      made.push((await makeLink(eric, '/orgs/other/invitations', { team_id: other.writers })).id)
    }
    const expired = await makeLink(eric, '/orgs/other/invitations', { team_id: other.owners, expires_in: 1 })
    clock.now += 1000
    const response = await eric.fetch('/api/v1/orgs/OTHER/invitations?limit=2&page=2')
    const [last, ...none] = (await response.json()) as Made[]
    expect(last).toMatchObject({ id: made[2] as number, created_by: 'eric', team: { name: 'Writers' } })
    expect(last).not.toHaveProperty('url')
    expect(none).toEqual([])
    expect(response.headers.get('x-total-count')).toBe('3')
    expect(response.headers.get('link')).toContain('/api/v1/orgs/OTHER/invitations?limit=2&page=1>; rel="prev"')

    const { id } = await inviteInto(teams.writers)
    expect((await list(eric, '/orgs/other/invitations')).map((one) => one.id)).toEqual(made)
    const all = (await list(stowage.admin, '/admin/invitations?limit=50')).map((one) => one.id)
    expect(all).toEqual(expect.arrayContaining([...made, id]))
    expect(all).not.toContain(expired.id)
    expect((await eric.fetch('/api/v1/orgs/other/invitations', { method: 'HEAD' })).status).toBe(200)

    // One organisation's owner withdraws nothing of another's.
    expect(await sentence(withdraw(eric, `/orgs/other/invitations/${id}`))).toBe('404 There is no such invitation.')
    const first = `/orgs/other/invitations/${made[0]}`
    expect((await withdraw(eric, first)).status).toBe(204)
    expect(await sentence(withdraw(eric, first))).toBe('404 There is no such invitation.')
    expect((await withdraw(stowage.admin, `/admin/invitations/${made[1]}`)).status).toBe(204)
    expect((await list(eric, '/orgs/other/invitations')).map((one) => one.id)).toEqual(made.slice(2))
  })

  test.each(['0', '-1', '1.5', 'x', '9'.repeat(15), '9'.repeat(40)])('there is none with the id %s', async (id) => {
    expect(await sentence(withdraw(stowage.admin, `/admin/invitations/${id}`))).toBe('404 There is no such invitation.')
  })

  test('a link to set a password is none', async () => {
    const { id } = await makeLink(stowage.admin, '/admin/users/olga/password-reset')
    expect((await withdraw(stowage.admin, `/admin/invitations/${id}`)).status).toBe(404)
    expect((await list(stowage.admin, '/admin/invitations?limit=50')).map((one) => one.id)).not.toContain(id)
  })

  test('are a hundred of one person at most', async () => {
    const zoe = await stowage.user('zoe')
    await change('zoe', { admin: true })
    const { id } = (await (await zoe.fetch('/api/v1/user')).json()) as { id: number }
    const end = clock.now + day
    const row = (n: number) => `('invitation', 'zoe ${n}', 'n', ${id}, '', ${clock.now}, ${end}, 0)`
    const columns = 'kind, sha256, nonce, created_by, full_name, created_at, expires_at, mailed'
    const rows = Array.from({ length: 99 }, (_, n) => row(n))
    await stowage.change(`insert into links (${columns}) values ${rows}`)
    const { id: last } = await invite({}, zoe)
    expect(await sentence(zoe.post('/api/v1/admin/invitations', {}))).toBe(
      '422 You have 100 invitations that nobody has accepted yet. Withdraw some of them first.',
    )
    await invite()
    expect((await withdraw(zoe, `/admin/invitations/${last}`)).status).toBe(204)
    await invite({}, zoe)
    clock.now += day
    await invite({}, zoe)
  })
})

describe('who may invite', () => {
  const cases: [string, string, object | undefined, string][] = [
    ['GET', '/admin/invitations', undefined, 'read:admin'],
    ['POST', '/admin/invitations', {}, 'write:admin'],
    ['DELETE', '/admin/invitations/1', undefined, 'write:admin'],
    ['GET', '/orgs/acme/invitations', undefined, 'read:organization'],
    ['POST', '/orgs/acme/invitations', {}, 'write:organization'],
    ['DELETE', '/orgs/acme/invitations/1', undefined, 'write:organization'],
  ]
  test.each(cases)('%s %s', async (method, path, body, scope) => {
    const ask = async (client: Client) => {
      const init = { method, ...(body ? { body: JSON.stringify(body) } : {}) }
      return (await client.fetch(`/api/v1${path}`, init)).status
    }
    const isAdmins = path.startsWith('/admin')
    const by = isAdmins ? stowage.admin : olga
    const name = `nobody-${cases.findIndex((one) => one[0] === method && one[1] === path)}`
    expect(await ask(stowage.anonymous)).toBe(401)
    expect(await ask(await stowage.user(name))).toBe(403)
    expect(await ask(asNewcomer('wilma'))).toBe(403)
    const others = ['read:admin', 'read:organization', 'write:user', 'write:package'].filter((one) => one !== scope)
    expect(await ask(await by.token(others))).toBe(403)
    // Allowed, and then found to be nothing.
    const allowed = { GET: 200, POST: isAdmins ? 201 : 422, DELETE: 404 }[method] as number
    expect(await ask(await by.token([scope]))).toBe(allowed)
    expect(await ask(stowage.admin)).toBe(allowed)
  })

  test('nobody at an organisation that he may not see, and nobody at a user', async () => {
    const ivo = await stowage.user('ivo')
    expect((await ivo.post('/api/v1/orgs', { username: 'hidden', visibility: 'private' })).status).toBe(201)
    for (const path of ['hidden', 'ivo', 'nowhere']) {
      expect((await olga.fetch(`/api/v1/orgs/${path}/invitations`)).status).toBe(404)
    }
  })
})

describe('bad input', () => {
  const seconds = (longest: number) => `must be a number of seconds, from 1 to ${longest}`
  test.each<[string, unknown, string]>([
    ['no JSON', 'x', '400 The body must be JSON.'],
    ['no object', [], '422 The body must be a JSON object.'],
    ['an unknown field', { emial: 'x' }, '422 unknown field: emial'],
    ['no address', { email: 'x' }, '422 email: must be an e-mail address'],
    ['a list of addresses', { email: 'a@b.c,d@e.f' }, '422 email: must be an e-mail address'],
    ['a line break in an address', { email: 'a@b.c\r\nBcc: d@e.f' }, '422 email: must be an e-mail address'],
    ['a long name', { full_name: 'x'.repeat(256) }, '422 full_name: may have 255 characters at most'],
    ['NUL', { full_name: 'a\0b' }, '422 full_name: may not hold NUL or half a character'],
    ['no time', { expires_in: 0 }, `422 expires_in: ${seconds(2_592_000)}`],
    ['a long time', { expires_in: 2_592_001 }, `422 expires_in: ${seconds(2_592_000)}`],
    ['half a second', { expires_in: 1.5 }, `422 expires_in: ${seconds(2_592_000)}`],
    ['time as text', { expires_in: '60' }, `422 expires_in: ${seconds(2_592_000)}`],
    ['a team by name', { team_id: 'Owners' }, '422 team_id: must be the id of a team'],
    ['a team that is not', { team_id: 123_456 }, '422 team_id: there is no team 123456'],
    ['a number that is none', { team_id: 1e300 }, '422 team_id: must be the id of a team'],
    [
      'several',
      { email: 1, expires_in: null, full_name: 2 },
      '422 email: must be an e-mail address; full_name: must be text',
    ],
  ])('to invite: %s', async (_, body, refused) => {
    expect(await sentence(stowage.admin.post('/api/v1/admin/invitations', body))).toBe(refused)
  })

  test.each<[string, object, string]>([
    ['no team', {}, '422 team_id: must be the id of a team'],
    ['null', { team_id: null }, '422 team_id: must be the id of a team'],
    ['a team of others', { team_id: -1 }, '422 team_id: must be the id of a team'],
  ])('to invite into an organisation: %s', async (_, body, refused) => {
    expect(await sentence(olga.post('/api/v1/orgs/acme/invitations', body))).toBe(refused)
  })

  test('to invite into another organisation’s team', async () => {
    const theirs = await organisation(await stowage.user('thea'), 'theirs')
    const answer = olga.post('/api/v1/orgs/acme/invitations', { team_id: theirs.owners })
    expect(await sentence(answer)).toBe(`422 team_id: there is no team ${theirs.owners} there`)
  })

  test.each<[string, unknown, string]>([
    ['no JSON', '{', '400 The body must be JSON.'],
    [
      'nothing',
      {},
      '422 code: is missing: the part of the link behind the #; username: is missing; password: is missing',
    ],
    [
      'a short password',
      { code: 'x', username: 'y', password: 'short' },
      '422 password: must have at least 8 characters',
    ],
    ['an administrator', { code: 'x', username: 'y', password, admin: true }, '422 unknown field: admin'],
    ['no address', { code: 'x', username: 'y', password, email: 'z' }, '422 email: must be an e-mail address'],
    ['a long code', { code: 'x'.repeat(1025), username: 'y', password }, '422 code: is too long'],
    ['NUL', { code: '\0', username: 'y', password }, '422 code: may not hold NUL or half a character'],
  ])('to accept: %s', async (_, body, refused) => {
    expect(await sentence(sendTo(stowage, 'invitation', body))).toBe(refused)
  })

  test.each<[string, unknown, string]>([
    ['nothing', {}, '422 code: is missing: the part of the link behind the #'],
    ['a number', { code: 1 }, '422 code: is missing: the part of the link behind the #'],
    ['more', { code: 'x', username: 'y' }, '422 unknown field: username'],
  ])('to join: %s', async (_, body, refused) => {
    expect(await sentence(olga.post('/api/v1/user/invitations', body))).toBe(refused)
  })
})

describe('at the link itself', () => {
  test('stands a page, and a script sends JSON there', async () => {
    const response = await fetch(`${stowage.url}/user/invitation`)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect((await fetch(`${stowage.url}/user/invitation`, { method: 'HEAD' })).status).toBe(200)
    const { code } = await invite()
    // As curl -d does, which calls everything a form and says nothing of a page.
    const curl = stowage.anonymous.with({ 'X-Forwarded-For': '10.8.8.8' })
    const init = {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: JSON.stringify({ code, username: 'curly', password }),
    }
    expect((await curl.fetch('/user/invitation', init)).status).toBe(201)
  })

  test('a page of another site may send nothing', async () => {
    const { code } = await invite()
    const send = (headers: Record<string, string>) =>
      stowage.anonymous.with(headers).post('/user/invitation', { code, username: 'sly', password })
    expect((await send({ 'Sec-Fetch-Site': 'cross-site' })).status).toBe(403)
    expect((await send({ Origin: 'https://evil.example' })).status).toBe(403)
    expect((await send({ 'Sec-Fetch-Site': 'same-origin' })).status).toBe(201)
  })

  test('wrong codes are counted by address', async () => {
    const { code } = await invite()
    const send = (sent: string, username: string) =>
      sendTo(stowage, 'invitation', { code: sent, username, password }, '10.9.9.9')
    for (let count = 0; count < 10; count++) expect((await send('x', 'guesser')).status).toBe(404)
    const refused = await send(code, 'guesser')
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '600'])
    expect((await accept(code, 'neighbour')).status).toBe(201)
    clock.now += 10 * 60_000
    expect((await send(code, 'guesser')).status).toBe(404)
  })
})

describe('mail', () => {
  const send = () => stowage.stowage.runJobs('mail')
  const jobs = async () => (await list(stowage.admin, '/admin/jobs')).filter(({ kind }) => kind === 'mail')

  test('brings an invitation that works, in plain words', async () => {
    await send()
    const before = mails.mails.length
    const made = await makeLink(olga, '/orgs/acme/invitations', {
      team_id: teams.writers,
      email: 'Maya@example.com',
      full_name: 'Buy now: https://evil.example',
    })
    expect(made.mailed).toBe(true)
    expect(await send()).toBe(1)
    const [mail] = (await mails.received(before + 1)).slice(before)
    expect(mail).toMatchObject({ from: 'packages@example.com', to: ['Maya@example.com'] })
    expect(mail?.headers.get('from')).toBe(from)
    const host = new URL(stowage.url).host
    expect(mail?.subject).toBe(`Your invitation to ${host}`)
    expect(mail?.text.split('\n')).toEqual([
      'Hello,',
      '',
      'olga invites you to Stowage, the package registry at',
      stowage.url,
      'to join the team Writers of acme.',
      '',
      'To accept, open this link:',
      made.url,
      '',
      expect.stringMatching(/^It works once, until \d+ \w+ \d{4}, \d\d:\d\d UTC\. If you did not expect it/),
    ])
    expect(await send()).toBe(0)
    const accepted = await accept(codeIn(mail?.text ?? ''), 'maya')
    expect(await accepted.json()).toMatchObject({
      email: 'Maya@example.com',
      full_name: 'Buy now: https://evil.example',
    })
    expect(mails.mails.length).toBe(before + 1)
  })

  test('that the server does not take is tried again, later, and sent once', async () => {
    const before = mails.mails.length
    const made = await invite({ email: 'late@example.com' })
    mails.refuse('late@example.com', `Later, with your ${made.url}`)
    expect(await send()).toBe(0)
    const [job] = await jobs()
    expect(job).toMatchObject({ subject: String(made.id), attempts: 1, state: 'waiting' })
    expect(job?.last_error).toStartWith('MailError: The mail server 127.0.0.1 did not take a mail:')
    // Servers repeat what they refuse.
    expect(job?.last_error).toContain('/user/invitation#[secret]')
    mails.accept('late@example.com')
    expect(await send()).toBe(0)
    clock.now += 5_000
    expect(await send()).toBe(1)
    clock.now += day
    expect(await send()).toBe(0)
    expect(await jobs()).toEqual([])
    expect(mails.mails.slice(before).map(({ to }) => to)).toEqual([['late@example.com']])
  })

  const letPass = async (time: number) => {
    clock.now += time
  }

  test.each([
    ['withdrawn', ({ id }: Made) => withdraw(stowage.admin, `/admin/invitations/${id}`)],
    ['used', ({ code }: Made) => accept(code, 'quick')],
    ['expired', () => letPass(7 * day)],
  ])('is not sent for what was %s meanwhile', async (_, before) => {
    const count = mails.mails.length
    await before(await invite({ email: 'meanwhile@example.com' }))
    expect(await send()).toBe(1)
    expect(await jobs()).toEqual([])
    expect(mails.mails.length).toBe(count)
  })

  test('is given up after thirty-six failures, which takes a day', async () => {
    mails.refuse('never@example.com')
    await invite({ email: 'never@example.com' })
    await stowage.change("update jobs set attempts = 34 where kind = 'mail'")
    await send()
    expect(await jobs()).toMatchObject([{ state: 'waiting', attempts: 35 }])
    clock.now += day / 24
    await send()
    expect(await jobs()).toMatchObject([{ state: 'given-up', attempts: 36 }])
  })
})

test('expired links are removed, and the others stay', async () => {
  const [short, long] = [await invite({ expires_in: 60 }), await invite()]
  clock.now += 60_000
  // As a server writes it when it starts, but with `background` off.
  await stowage.change("insert into jobs (kind, subject, due_at, created_at) values ('expired-links', '', 0, 0)")
  expect(await stowage.stowage.runJobs('expired-links')).toBe(1)
  const rows = await stowage.change('select id from links')
  const ids = rows.map(({ id }) => Number(id))
  expect(ids).toContain(long.id)
  expect(ids).not.toContain(short.id)
})

test('the database never holds a code', async () => {
  await using mails = await startMailServer()
  const settings = { STOWAGE_SMTP_URL: mails.url, STOWAGE_MAIL_FROM: from }
  await using stowage = await startStowage({ settings })
  mails.refuse('b@example.com', 'refused')
  const links = [
    await makeLink(stowage.admin, '/admin/invitations', { email: 'a@example.com' }),
    await makeLink(stowage.admin, '/admin/invitations', { email: 'b@example.com' }),
    await makeLink(stowage.admin, '/admin/users/admin/password-reset'),
  ]
  expect(await stowage.stowage.runJobs('mail')).toBe(1)
  await stowage.stop()
  const database = await wholeDatabase(stowage.dataDir)
  expect(database.includes('b@example.com')).toBe(true)
  for (const { code } of links) expect(database.includes(code)).toBe(false)
})

test('a server without a mail server mails nothing and leaves mails to others', async () => {
  await using stowage = await startStowage()
  const made = await makeLink(stowage.admin, '/admin/invitations', { email: 'a@example.com' })
  expect(made.mailed).toBe(false)
  expect(await (await stowage.admin.fetch('/api/v1/admin/jobs')).json()).toEqual([])
})

test('where passwords are turned off there are no invitations', async () => {
  await using folder = await temporaryFolder()
  const before = await startStowage({ dataDir: folder.path })
  const { secret } = await before.admin.token(['all'])
  await before.stop()
  const settings = { STOWAGE_PASSWORD_LOGIN: 'false' }
  await using stowage = await startStowage({ dataDir: folder.path, settings })
  const admin = stowage.admin.with({ Authorization: `token ${secret}` })
  const off =
    '422 Passwords are turned off here (STOWAGE_PASSWORD_LOGIN), so there are no invitations and no links to set one.'
  for (const path of ['invitations', 'users/admin/password-reset']) {
    expect(await sentence(admin.post(`/api/v1/admin/${path}`, {}))).toBe(off)
  }
  const bodies = { invitation: { code: 'x', username: 'y', password }, 'password-reset': { code: 'x', password } }
  for (const [path, body] of Object.entries(bodies)) expect(await sentence(sendTo(stowage, path, body))).toBe(off)
  expect(await sentence(sendTo(stowage, 'forgot-password', { email: 'a@example.com' }))).toBe(off)
})
