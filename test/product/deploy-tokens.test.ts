import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { startReceiver } from '../support/receiver.ts'
import { SlowUpload } from '../support/slow-upload.ts'
import { basic, type Client, startStowage, type TestStowage } from '../support/stowage.ts'

const clock = { now: Date.parse('2031-05-06T07:08:09Z') }
const later = (seconds: number) => new Date(clock.now + seconds * 1000).toISOString().replace('.000Z', 'Z')

let stowage: TestStowage
beforeAll(async () => {
  stowage = await startStowage({ replace: { now: () => clock.now, addresses: 'every' as const } })
})
afterAll(() => stowage[Symbol.asyncDispose]())

const at = (owner: string, ...more: (string | number)[]) =>
  `/api/v1/owners/${[owner, 'deploy-tokens', ...more].join('/')}`

interface Shown {
  id: number
  name: string
  sha1: string
  token_last_eight: string
  scopes: string[]
  packages: string[] | null
  created_by: string | null
  created_at: string
  last_used_at: string | null
  expires_at: string | null
}

const jsonOf = async <T>(response: Response | Promise<Response>): Promise<T> => (await (await response).json()) as T
const said = async (response: Response | Promise<Response>): Promise<string> => {
  const answer = await response
  return `${answer.status} ${(await jsonOf<{ message: string }>(answer)).message}`
}
const refusal = async (response: Response | Promise<Response>): Promise<string> =>
  `${(await response).status} ${(await (await response).text()).trim()}`

/** A deploy token, as a client that calls with it, for addresses below its owner. */
async function made(by: Client, owner: string, fields: object = {}) {
  const response = await by.post(at(owner), { name: `ci-${Math.random()}`, scopes: ['write:package'], ...fields })
  if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`)
  const shown = await jsonOf<Shown>(response)
  const client = stowage.anonymous.as(owner).with({ Authorization: `token ${shown.sha1}` })
  return Object.assign(client, { shown, secret: shown.sha1 })
}

let count = 0
/** An organisation with an owner of its own. */
async function organisation(visibility = 'public'): Promise<{ org: string; owner: Client }> {
  count += 1
  const owner = await stowage.user(`owner-${count}`)
  const org = `org-${count}`
  expect((await owner.post('/api/v1/orgs', { username: org, visibility })).status).toBe(201)
  return { org, owner }
}

describe('a deploy token', () => {
  test('is made, shown, and publishes, whoever leaves', async () => {
    const { org, owner } = await organisation('private')
    const second = await stowage.user('second')
    const [team] = await jsonOf<{ id: number }[]>(owner.fetch(`/api/v1/orgs/${org}/teams`))
    expect((await owner.fetch(`/api/v1/teams/${team?.id}/members/second`, { method: 'PUT' })).status).toBe(204)

    const response = await owner.post(at(org), {
      ...{ name: 'ci', scopes: ['write:package'], packages: ['Tool-*', `${org}/lib`, 'tool-**'] },
      expires_at: later(60),
    })
    expect(response.status).toBe(201)
    const token = await jsonOf<Shown>(response)
    expect(token).toEqual({
      ...{ id: expect.any(Number), name: 'ci', sha1: expect.stringMatching(/^[0-9a-f]{40}$/) },
      ...{ token_last_eight: token.sha1.slice(-8), scopes: ['write:package'], packages: ['tool-*', 'lib'] },
      ...{ created_by: owner.name, created_at: later(0), last_used_at: null, expires_at: later(60) },
    } as never)
    expect(await jsonOf(owner.fetch(at(org)))).toEqual([{ ...token, sha1: '' }])
    expect(await jsonOf(owner.fetch(at(org.toUpperCase(), token.id)))).toEqual({ ...token, sha1: '' })

    const ci = stowage.anonymous.as(org).with({ Authorization: `Bearer ${token.sha1}` })
    expect((await ci.put({ package: 'tool-a' }, 'one')).status).toBe(201)

    // Who made it goes, and it publishes on.
    expect((await second.fetch(`/api/v1/orgs/${org}/members/${owner.name}`, { method: 'DELETE' })).status).toBe(204)
    expect((await stowage.admin.fetch(`/api/v1/admin/users/${owner.name}`, { method: 'DELETE' })).status).toBe(204)
    expect((await ci.put({ package: 'TOOL-b' }, 'two')).status).toBe(201)
    expect(await (await ci.get({ package: 'tool-b' })).text()).toBe('two')
    const [shown] = await jsonOf<Shown[]>(second.fetch(at(org)))
    expect(shown?.created_by).toBeNull()

    clock.now += 61_000
    expect((await ci.get({ package: 'tool-b' })).status).toBe(401)
  })

  test('does what its scopes and its packages allow, and nothing else', async () => {
    const { org, owner } = await organisation()
    const all = await made(owner, org)
    const some = await made(owner, org, { packages: ['tool-*'] })
    const reading = await made(owner, org, { scopes: ['read:package'] })
    expect((await all.put({ package: 'tool-a' }, 'a')).status).toBe(201)
    expect((await all.put({ package: 'other' }, 'b')).status).toBe(201)

    expect(await refusal(some.put({ package: 'other', version: '2' }, 'x'))).toBe(
      `403 This token is limited to other packages of ${org}.`,
    )
    expect((await some.get({ package: 'other' })).status).toBe(403)
    expect((await some.delete({ package: 'other' })).status).toBe(403)
    expect((await some.put({ package: 'tool-', version: '2' }, 'x')).status).toBe(201)
    expect((await reading.get({ package: 'other' })).status).toBe(200)
    expect(await refusal(reading.put({ package: 'other', version: '2' }, 'x'))).toBe(
      `403 ${'This token may read'} the packages of ${org}, but not publish or delete there.`,
    )
    const texts = (token: Client, name: string) =>
      token.fetch(`/api/v1/packages/${org}/generic/${name}/-/metadata`, {
        ...{ method: 'PATCH', body: '{"description":"by CI"}' },
      })
    expect((await texts(some, 'tool-a')).status).toBe(200)
    expect([(await texts(some, 'other')).status, (await texts(reading, 'tool-a')).status]).toEqual([403, 403])
    const drop = (token: Client, name: string) =>
      token.post(`/api/v1/packages/${org}/generic/${name}/-/delete-versions`, { versions: ['2'] })
    expect([(await drop(some, 'tool-')).status, (await drop(some, 'other')).status]).toEqual([200, 403])
    expect((await some.put({ package: 'tool-' }, 'x')).status).toBe(201)
    expect((await all.delete({ package: 'other' })).status).toBe(204)
    expect((await all.fetch(`/api/v1/packages/${org}/generic/tool-`, { method: 'DELETE' })).status).toBe(204)
  })

  test('opens nothing but packages, and neither does a token of a person that is for some packages', async () => {
    const { org, owner } = await organisation()
    const { secret } = await made(owner, org)
    const person = await owner.token(['write:package'], { packages: [`${org}/tool-*`] })
    interface Operation {
      'x-access'?: unknown
    }
    const { paths } = await jsonOf<{ paths: Record<string, Record<string, Operation>> }>(
      stowage.anonymous.fetch('/api/v1/openapi.json'),
    )
    const inPath: Record<string, string> = { owner: org, org, name: owner.name, user: owner.name, username: owner.name }
    const routes = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods)
        .filter((method) => /^(get|post|put|patch|delete)$/.test(method))
        .map((method) => ({ method: method.toUpperCase(), path })),
    )
    const isOpen = ({ path }: { path: string }) =>
      /^\/api\/packages\/|^(\/api\/v1)?\/(packages|search|usage|token|version|openapi\.json|oidc\/token)(\/|$)/.test(
        path,
      ) || !/^(\/api\/v1)?\/(user|users|orgs|teams|admin|owners)(\/|$)/.test(path)
    const shut = routes.filter((route) => !isOpen(route))
    expect(shut.length).toBeGreaterThan(90)
    const open: string[] = []
    for (const { method, path } of shut) {
      const target = path.replace(/^(\/api\/v1)?/, '/api/v1').replace(/\{(\w+)\}/g, (_, name) => inPath[name] ?? '1')
      for (const sent of [secret, person.secret]) {
        for (const Authorization of [`token ${sent}`, basic('x', sent)]) {
          const body = method === 'GET' ? {} : { body: '{}' }
          const answer = await stowage.anonymous.with({ Authorization }).fetch(target, { method, ...body })
          const { message } = await jsonOf<{ message: string }>(answer)
          const isRefused = answer.status === 403 || (answer.status === 401 && message.startsWith('This takes Basic'))
          if (!isRefused) open.push(`${method} ${target} ${answer.status} ${message}`)
        }
      }
    }
    expect(open).toEqual([])
  })

  test('reads at others what everybody reads, and writes nothing there', async () => {
    const { org, owner } = await organisation()
    const token = await made(owner, org)
    for (const [visibility, status] of [
      ['public', 200],
      ['limited', 404],
      ['private', 404],
    ] as const) {
      const other = await stowage.user(`other-${visibility}`, { visibility })
      await other.put({}, 'bytes')
      expect((await token.get({ owner: other.name })).status).toBe(status)
      expect((await token.put({ owner: other.name, version: '2' }, 'x')).status).toBe(status === 200 ? 403 : 404)
    }
    // One that is limited reads what it is limited to, which is never another owner's.
    const limited = await made(owner, org, { packages: ['*'] })
    expect((await limited.get({ owner: 'other-public' })).status).toBe(403)
  })

  test('reads or writes at others the packages that name it, and knows of no other there', async () => {
    const { org, owner } = await organisation()
    const hidden = await stowage.user('hidden', { visibility: 'private' })
    await hidden.put({ package: 'named' }, 'a')
    await hidden.put({ package: 'other' }, 'b')
    const token = await made(owner, org)
    await stowage.change(`
      insert into package_grants (owner_id, package_id, deploy_token_id, access, created_at)
      select owner_id, id, ${token.shown.id}, 1, 0 from packages where name_key = 'named'`)
    const there = token.as('hidden')
    expect((await there.get({ package: 'named' })).status).toBe(200)
    expect((await there.get({ package: 'other' })).status).toBe(404)
    expect((await there.put({ package: 'named', version: '2' }, 'x')).status).toBe(403)
    const listed = async (path: string) =>
      (await jsonOf<{ name: string }[]>(token.fetch(`/api/v1${path}`))).map(({ name }) => name)
    expect(await listed('/packages/hidden')).toEqual(['named'])
    expect(await listed('/search/packages?owner=hidden')).toEqual(['named'])

    await stowage.change(`update package_grants set access = 2 where deploy_token_id = ${token.shown.id}`)
    expect((await there.put({ package: 'named', version: '2' }, 'x')).status).toBe(201)
    // Its owner is not known there, but for the name.
    const shown = await jsonOf<{ creator: { login: string } }>(hidden.fetch('/api/v1/packages/hidden/generic/named/2'))
    expect(shown.creator.login).toBe(org)
    const [{ named }] = (await stowage.change('select count(*) as named from package_grants')) as [{ named: unknown }]
    expect(Number(named)).toBe(1)
    expect((await owner.fetch(at(org, token.shown.id), { method: 'DELETE' })).status).toBe(204)
    expect(await stowage.change('select id from package_grants')).toEqual([])
  })

  test('that only reads sees a private package of its owner where that names it, and one that writes sees all', async () => {
    const { org, owner } = await organisation()
    for (const name of ['open', 'shut']) await owner.put({ owner: org, package: name }, name)
    await stowage.change(`update packages set visibility = 'private' where name_key = 'shut'`)
    const reading = await made(owner, org, { scopes: ['read:package'] })
    const writing = await made(owner, org, { packages: ['shut', 'open'] })
    const names = async (token: Client) =>
      (await jsonOf<{ name: string }[]>(token.fetch(`/api/v1/packages/${org}`))).map(({ name }) => name).sort()
    expect([await names(reading), await names(writing)]).toEqual([['open'], ['open', 'shut']])
    expect((await reading.get({ package: 'shut' })).status).toBe(404)
    expect((await writing.get({ package: 'shut' })).status).toBe(200)
    await stowage.change(`
      insert into package_grants (owner_id, package_id, deploy_token_id, access, created_at)
      select owner_id, id, ${reading.shown.id}, 1, 0 from packages where name_key = 'shut'`)
    expect(await names(reading)).toEqual(['open', 'shut'])
    expect((await reading.get({ package: 'shut' })).status).toBe(200)
    await stowage.change('delete from package_grants')
  })

  test('lists, searches and counts what it may read', async () => {
    const { org, owner } = await organisation('private')
    for (const name of ['tool-a', 'tool-b', 'other']) await owner.put({ owner: org, package: name }, name)
    const some = await made(owner, org, { packages: ['tool-*'], scopes: ['read:package'] })
    const names = async (path: string) => {
      const response = await some.fetch(`/api/v1${path}`)
      const rows = await jsonOf<{ name?: string; package?: string }[]>(response)
      expect(response.headers.get('x-total-count')).toBe(String(rows.length))
      return rows.map((row) => row.name ?? row.package).sort()
    }
    const both = ['tool-a', 'tool-b']
    expect(await names(`/packages/${org}`)).toEqual(both)
    expect(await names(`/search/packages?owner=${org}`)).toEqual(both)
    expect(await names(`/search/packages?q=ool&owner=${org}`)).toEqual(both)
    expect(await names(`/usage/${org}/packages`)).toEqual(both)
    expect(await jsonOf(some.fetch(`/api/v1/usage/${org}`))).toMatchObject({ packages: 2, versions: 2, quota: null })
    expect(await said(some.fetch(`/api/v1/packages/${org}/generic/other/-/metadata`))).toStartWith('403 ')
    const writing = await made(owner, org, { packages: ['tool-*'] })
    // What uploads elsewhere have reserved is not told.
    const usage = { packages: 2, versions: 2, reserved_versions: null, reserved_size: null, quota: null }
    expect(await jsonOf(writing.fetch(`/api/v1/usage/${org}`))).toMatchObject(usage)
    // The log names people.
    for (const name of ['tool-a', 'other']) {
      expect(await said(writing.fetch(`/api/v1/packages/${org}/generic/${name}/-/audit`))).toStartWith('403 ')
    }
  })

  test('that is for public owners only reaches no other, not even its own', async () => {
    const { org, owner } = await organisation()
    const token = await made(owner, org, { scopes: ['write:package', 'public-only'] })
    expect((await token.put({}, 'x')).status).toBe(201)
    await owner.fetch(`/api/v1/orgs/${org}`, { method: 'PATCH', body: '{"visibility":"limited"}' })
    expect((await token.get({})).status).toBe(403)
    expect((await token.put({ version: '2' }, 'x')).status).toBe(403)
  })

  test.each([
    ['active', false],
    ['prohibit_login', true],
  ])('of a user is refused while the account is not let in (%s)', async (field, value) => {
    const name = `shut-${field.replaceAll('_', '-')}`
    const person = await stowage.user(name)
    const token = await made(person, name)
    expect((await token.put({}, 'x')).status).toBe(201)
    const edit = (to: unknown) =>
      stowage.admin.fetch(`/api/v1/admin/users/${name}`, { method: 'PATCH', body: JSON.stringify({ [field]: to }) })
    expect((await edit(value)).status).toBe(200)
    expect((await token.get({})).status).toBe(401)
    expect((await edit(!value)).status).toBe(200)
    expect((await token.get({})).status).toBe(200)
  })

  test('of a user whom his provider has suspended is refused', async () => {
    const person = await stowage.user('suspended')
    const token = await made(person, 'suspended')
    expect((await token.fetch('/api/v1/token')).status).toBe(200)
    await stowage.change(
      `update users set suspended_at = 1 where id = (select id from owners where name = 'suspended')`,
    )
    expect((await token.fetch('/api/v1/token')).status).toBe(401)
  })

  test('stays through a rename of its owner, and goes with him', async () => {
    const { org, owner } = await organisation()
    const token = await made(owner, org, { packages: ['tool*'] })
    expect((await owner.post(`/api/v1/orgs/${org}/rename`, { new_name: `${org}-new` })).status).toBe(204)
    expect((await token.as(`${org}-new`).put({}, 'x')).status).toBe(201)
    expect(await jsonOf(token.fetch('/api/v1/token'))).toMatchObject({ owner: `${org}-new` })
    expect((await owner.fetch(`/api/v1/orgs/${org}-new?purge=true`, { method: 'DELETE' })).status).toBe(204)
    expect((await token.fetch('/api/v1/token')).status).toBe(401)
  })
})

describe('who makes one', () => {
  test('is the user, an owner of the organisation, or an administrator', async () => {
    const { org, owner } = await organisation()
    const eve = await stowage.user('eve')
    const member = await stowage.user('member')
    const { id } = await jsonOf<{ id: number }>(
      owner.post(`/api/v1/orgs/${org}/teams`, { name: 'writers', permission: 'write' }),
    )
    await owner.fetch(`/api/v1/teams/${id}/members/member`, { method: 'PUT' })
    const wanted = { name: 'x', scopes: ['read:package'] }
    expect(await said(eve.post(at(org), wanted))).toBe(`403 eve is not an owner of ${org}.`)
    expect(await said(member.post(at(org), wanted))).toBe(`403 member is not an owner of ${org}.`)
    expect(await said(eve.post(at(owner.name), wanted))).toBe(`403 ${owner.name} is somebody else.`)
    expect((await stowage.anonymous.post(at(org), wanted)).status).toBe(401)
    expect((await stowage.admin.post(at(org), wanted)).status).toBe(201)
    expect((await owner.post(at(owner.name), wanted)).status).toBe(201)
    const { org: hidden } = await organisation('private')
    expect(await said(eve.post(at(hidden), wanted))).toBe('404 Not found.')
    expect(await said(eve.fetch(at('nobody-at-all')))).toBe('404 Not found.')
  })

  test('with a token makes none that may do more, or lives longer', async () => {
    const { org, owner } = await organisation()
    const plain = await owner.token(['write:organization'])
    const reads = await owner.token(['write:organization', 'read:package'], { expires_at: later(60) })
    const asking = (scope: string, fields: object = {}) => ({
      name: `${scope} ${Math.random()}`,
      scopes: [scope],
      ...fields,
    })
    expect(await said(plain.post(at(org), asking('read:package')))).toStartWith('403 token does not have')
    expect(await said(reads.post(at(org), asking('write:package')))).toStartWith('403 token does not have')
    for (const [wanted, given] of [
      [null, later(60)],
      [later(120), later(60)],
      [later(30), later(30)],
    ]) {
      const shown = await jsonOf<Shown>(reads.post(at(org), asking('read:package', { expires_at: wanted })))
      expect(shown.expires_at).toBe(given ?? '')
    }
    for (const limits of [
      { scopes: ['all', 'public-only'] },
      { scopes: ['read:package'], packages: [`${org}/*`] },
    ] as const) {
      const limited = await owner.token([...limits.scopes], 'packages' in limits ? { packages: limits.packages } : {})
      expect((await limited.post(at(org), asking('read:package'))).status).toBe(403)
      expect((await limited.fetch(at(org))).status).toBe(403)
    }
  })

  test.each([
    [{ scopes: [] }, 'scopes: must be read:package or write:package; public-only may stand beside it'],
    [{ scopes: ['public-only'] }, 'scopes: must be read:package or write:package; public-only may stand beside it'],
    [{ scopes: ['all'] }, 'scopes: must be read:package or write:package; public-only may stand beside it'],
    [
      { scopes: ['write:package', 'read:user'] },
      'scopes: must be read:package or write:package; public-only may stand beside it',
    ],
    [{ scopes: ['write:everything'] }, 'scopes: write:everything is none'],
    [{ packages: [] }, 'packages: name one at least, or leave it out for all'],
    [
      { packages: ['a b'] },
      'packages: "a b" is no pattern: letters, digits and - _ . + as in the name of a package, and * for any of them',
    ],
    [{ packages: ['else/tool'] }, 'packages: "else/tool" is of another owner than picky'],
    [{ packages: ['*/tool'] }, 'packages: "*/tool" is of another owner than picky'],
    [{ packages: Array.from({ length: 51 }, (_, index) => `p${index}`) }, 'packages: may be 50 at most'],
    [{ expires_at: '2031-01-01T00:00:00Z' }, 'expires_at: must be in the future'],
    [{ name: ' ' }, 'name: is missing: name the token after what it is for'],
  ])('is told what is wrong: %j', async (fields, sentence) => {
    await stowage.user('picky').catch(() => undefined)
    const picky = stowage.admin.as('picky')
    const answer = await picky.post(at('picky'), { name: 'x', scopes: ['write:package'], ...fields })
    expect(await said(answer)).toBe(`422 ${sentence}`)
    expect(await jsonOf<Shown[]>(picky.fetch(at('picky')))).toEqual([])
  })

  test('gives each its own name, and no more than a hundred', async () => {
    const { org, owner } = await organisation()
    await made(owner, org, { name: 'ci' })
    expect(await said(owner.post(at(org), { name: 'ci', scopes: ['read:package'] }))).toBe(
      '422 name: is used for another deploy token of this owner',
    )
    const rows = Array.from({ length: 98 }, (_, index) => `select ${index} as n`).join(' union all ')
    await stowage.change(`
      insert into deploy_tokens (owner_id, name, sha256, last_eight, scopes, created_at)
      select owners.id, 'n' || n, 'sha' || n, 'x', 'read:package', 0 from owners, (${rows}) as numbers
      where owners.name = '${org}'`)
    const both = await Promise.all(
      ['one', 'two'].map((name) => owner.post(at(org), { name, scopes: ['read:package'] })),
    )
    expect(both.map(({ status }) => status).sort()).toEqual([201, 422])
    expect((await owner.fetch(`${at(org)}?limit=1`)).headers.get('x-total-count')).toBe('100')
    // Another owner's are counted apart.
    await made(owner, owner.name)
  })

  test('reads and deletes those of that owner alone', async () => {
    const { org, owner } = await organisation()
    const mine = await made(owner, owner.name)
    for (const id of [mine.shown.id, 999_999, 'x', '1e3', '-1', '0', '9'.repeat(40)]) {
      expect(await said(owner.fetch(at(org, id)))).toBe('404 There is no such deploy token.')
      expect((await owner.fetch(at(org, id), { method: 'DELETE' })).status).toBe(404)
    }
    expect((await mine.fetch('/api/v1/token')).status).toBe(200)
  })
})

describe('GET /token', () => {
  test('says what a deploy token is, and DELETE gives it up', async () => {
    const { org, owner } = await organisation('private')
    const token = await made(owner, org, { name: 'ci', packages: ['tool-*'], scopes: ['read:package'] })
    const sent: Record<string, string>[] = [
      { Authorization: `token ${token.secret}` },
      { Authorization: basic(token.secret, '') },
      { Authorization: basic('whoever', token.secret) },
      { 'Job-Token': token.secret },
    ]
    for (const headers of sent) {
      expect(await jsonOf(token.with(headers).fetch('/api/v1/token'))).toEqual({
        ...{ id: token.shown.id, name: 'ci', sha1: '', token_last_eight: token.secret.slice(-8) },
        ...{ scopes: ['read:package'], packages: ['tool-*'], created_at: token.shown.created_at },
        ...{ last_used_at: null, expires_at: null, user: null, owner: org },
      })
    }
    expect((await token.fetch('/api/v1/token', { method: 'DELETE' })).status).toBe(204)
    expect((await token.fetch('/api/v1/token')).status).toBe(401)
    expect((await token.fetch('/api/v1/token', { method: 'DELETE' })).status).toBe(401)
    expect(await jsonOf<Shown[]>(owner.fetch(at(org)))).toEqual([])
    const events = await jsonOf<{ action: string; actor: { name: string }; credential: string; subject: string }[]>(
      owner.fetch(`/api/v1/orgs/${org}/audit?action=deploy-token.`),
    )
    expect(events.map(({ action, actor, credential, subject }) => [action, actor.name, credential, subject])).toEqual([
      ['deploy-token.deleted', org, 'deploy-token', 'ci'],
      ['deploy-token.created', owner.name, 'password', 'ci'],
    ])
  })

  test('tells when it was last used', async () => {
    const { org, owner } = await organisation()
    const token = await made(owner, org)
    await token.get({})
    await stowage.stowage.flushUses()
    const [shown] = await jsonOf<Shown[]>(owner.fetch(at(org)))
    expect(shown?.last_used_at).toBe(later(0))
  })
})

describe('an upload that runs', () => {
  const losses: [
    string,
    (its: { owner: Client; org: string; id: number; token: Client }) => Promise<Response>,
    number,
  ][] = [
    ['the token is deleted', ({ owner, org, id }) => owner.fetch(at(org, id), { method: 'DELETE' }), 401],
    ['it gives itself up', ({ token }) => token.fetch('/api/v1/token', { method: 'DELETE' }), 401],
    [
      'its owner is made private, and it is for public ones only',
      ({ owner, org }) => owner.fetch(`/api/v1/orgs/${org}`, { method: 'PATCH', body: '{"visibility":"private"}' }),
      403,
    ],
  ]

  test.each(losses)('is refused when %s', async (_, lose, status) => {
    const { org, owner } = await organisation()
    const token = await made(owner, org, { scopes: ['write:package', 'public-only'] })
    const headers = { Authorization: `token ${token.secret}` }
    using upload = await SlowUpload.begin(stowage.port, token.path(), headers, 4)
    await upload.send('ab')
    expect((await lose({ owner, org, id: token.shown.id, token })).ok).toBe(true)
    await upload.send('cd')
    expect((await upload.answer()).status).toBe(status)
    expect((await owner.get({ owner: org })).status).toBe(404)
  })

  test('is refused when the account that its owner is may not sign in any more', async () => {
    const person = await stowage.user('going')
    const token = await made(person, 'going')
    using upload = await SlowUpload.begin(stowage.port, token.path(), { Authorization: `token ${token.secret}` }, 4)
    await upload.send('ab')
    const body = JSON.stringify({ prohibit_login: true })
    expect((await stowage.admin.fetch('/api/v1/admin/users/going', { method: 'PATCH', body })).status).toBe(200)
    await upload.send('cd')
    expect((await upload.answer()).status).toBe(401)
  })
})

test("what it publishes is told as its owner's, by that token", async () => {
  await using receiver = await startReceiver()
  await using own = await startStowage({ settings: { STOWAGE_WEBHOOK_ALLOWED_HOSTS: '127.0.0.1' } })
  const owner = await own.user('olga')
  await owner.post('/api/v1/orgs', { username: 'acme', visibility: 'limited' })
  const config = { url: receiver.url, content_type: 'json' }
  const hook = { type: 'gitea', active: true, config, events: ['package'] }
  expect((await owner.post('/api/v1/orgs/acme/hooks', hook)).status).toBe(201)
  const { sha1 } = await jsonOf<Shown>(owner.post(at('acme'), { name: 'ci', scopes: ['write:package'] }))
  const token = own.anonymous.as('acme').with({ Authorization: `token ${sha1}` })
  expect((await token.put({}, 'bytes')).status).toBe(201)

  const version = '/api/v1/packages/acme/generic/tool/1.0'
  expect(await jsonOf(owner.fetch(version))).toMatchObject({ creator: { login: 'acme' }, owner: { login: 'acme' } })
  const [event] = await jsonOf<object[]>(owner.fetch('/api/v1/packages/acme/generic/tool/-/audit'))
  expect(event).toMatchObject({
    ...{ action: 'file.published', actor: { name: 'acme' } },
    ...{ credential: 'deploy-token', token_last_eight: sha1.slice(-8) },
  })
  const filtered = await owner.fetch('/api/v1/orgs/acme/audit?credential=deploy-token')
  expect(filtered.headers.get('x-total-count')).toBe('1')

  await own.stowage.runJobs()
  await own.stowage.runJobs('deliveries')
  expect(receiver.bodies('/')).toMatchObject([
    { action: 'created', sender: { login: 'acme' }, package: { creator: { login: 'acme' }, name: 'tool' } },
  ])
})
