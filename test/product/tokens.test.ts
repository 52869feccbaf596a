import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { rememberUses } from '../../server/access/last-uses.ts'
import type { AroundStatement } from '../../server/catalogue/statement.ts'
import { SlowUpload } from '../support/slow-upload.ts'
import { basic, type Client, startStowage, type TestStowage } from '../support/stowage.ts'

const clock = { now: Date.parse('2031-05-06T07:08:09Z') }
const seen: string[] = []
const around: AroundStatement = (sql, run) => {
  seen.push(sql)
  return run(sql)
}

let stowage: TestStowage

beforeAll(async () => {
  stowage = await startStowage({
    settings: { STOWAGE_QUERY_TOKENS: 'true' },
    replace: { now: () => clock.now, aroundStatement: around },
  })
})
afterAll(() => stowage[Symbol.asyncDispose]())

const tokensOf = (name: string) => `/api/v1/users/${name}/tokens`
const remove = async (client: Client, name: string) =>
  (await client.fetch(`${tokensOf(client.name)}/${name}`, { method: 'DELETE' })).status
const statusOf = async (client: Client) => (await client.fetch('/api/v1/token')).status
const message = async (response: Response) => ((await response.json()) as { message: string }).message

/** A token that was made with this one. */
const childOf = (parent: Client & { secret: string }, scopes = ['all'], fields: object = {}) =>
  parent.with({ Authorization: basic('whoever', parent.secret) }).token(scopes, { ...fields })

describe('a token that was made with another one', () => {
  test('goes with it, and so does what was made with that', async () => {
    const ada = await stowage.user('ada')
    const first = await ada.token(['all'], { name: 'first' })
    const child = await childOf(first, ['all'], { name: 'child' })
    const grandchild = await childOf(child)
    const other = await ada.token(['all'], { name: 'other' })
    expect(await Promise.all([first, child, grandchild, other].map(statusOf))).toEqual([200, 200, 200, 200])

    expect(await remove(ada, 'first')).toBe(204)
    expect(await Promise.all([first, child, grandchild, other].map(statusOf))).toEqual([401, 401, 401, 200])
    const listed = (await (await ada.fetch(tokensOf('ada'))).json()) as { name: string }[]
    expect(listed.map(({ name }) => name)).toEqual(['other'])
  })

  test('leaves its parent behind when it goes first', async () => {
    const bob = await stowage.user('bob')
    const parent = await bob.token(['all'])
    const child = await childOf(parent, ['all'], { name: 'child' })
    expect(await remove(bob, 'child')).toBe(204)
    expect([await statusOf(parent), await statusOf(child)]).toEqual([200, 401])
  })

  test('goes with it also where an administrator made it for somebody else', async () => {
    const cleo = await stowage.user('cleo')
    const parent = await stowage.admin.token(['all'], { name: 'for cleo' })
    const child = await cleo.with({ Authorization: basic('admin', parent.secret) }).token(['all'])
    expect(await (await child.fetch('/api/v1/token')).json()).toMatchObject({ user: 'cleo' })
    expect(await remove(stowage.admin, encodeURIComponent('for cleo'))).toBe(204)
    expect(await statusOf(child)).toBe(401)
  })

  test('goes with it also at more accounts than a row has columns', async () => {
    const parent = await stowage.admin.token(['all'], { name: 'for all' })
    const { id } = (await (await parent.fetch('/api/v1/token')).json()) as { id: number }
    await stowage.change(`
      with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < 1700)
      insert into owners (kind, name, name_key, visibility, created_at)
      select 'user', 'many' || n, 'many' || n, 'private', 0 from numbers`)
    await stowage.change(`
      insert into users (id, full_name, is_admin, is_active, is_restricted, prohibit_login, must_change_password)
      select id, '', 0, 1, 0, 0, 0 from owners where name like 'many%'`)
    await stowage.change(`
      insert into tokens (user_id, name, sha256, last_eight, scopes, created_at, parent_id)
      select id, 'x', 'sha' || id, 'x', 'all', 0, ${id} from owners where name like 'many%'`)
    expect(await remove(stowage.admin, encodeURIComponent('for all'))).toBe(204)
    expect(await stowage.change(`select id from tokens where parent_id = ${id}`)).toEqual([])
    await stowage.change(`delete from owners where name like 'many%'`)
  })

  test('makes no upload any more that runs when its parent goes', async () => {
    const dora = await stowage.user('dora')
    const parent = await dora.token(['all'], { name: 'parent' })
    const grandchild = await childOf(await childOf(parent))
    const headers = { Authorization: `token ${grandchild.secret}` }
    using upload = await SlowUpload.begin(stowage.port, dora.path(), headers, 4)
    await upload.send('ab')
    expect(await remove(dora, 'parent')).toBe(204)
    await upload.send('cd')
    expect((await upload.answer()).status).toBe(401)
    expect((await dora.get()).status).toBe(404)
  })

  test('may do no more, is public-only where that is, and ends no later', async () => {
    const emma = await stowage.user('emma')
    const end = new Date(clock.now + 60_000).toISOString().replace('.000Z', 'Z')
    const parent = await emma.token(['write:user', 'read:package', 'public-only'], { expires_at: end })
    const child = await childOf(parent, ['read:package'])
    expect(await (await child.fetch('/api/v1/token')).json()).toMatchObject({
      scopes: ['read:package', 'public-only'],
      expires_at: end,
    })
    const asking = parent.with({ Authorization: basic('x', parent.secret) })
    const refused = await asking.post(tokensOf('emma'), { name: 'more', scopes: ['write:package'] })
    expect(refused.status).toBe(403)
  })

  test('is the twentieth of its line at most', async () => {
    const fay = await stowage.user('fay')
    let last = await fay.token(['all'], { name: 'first' })
    for (let generation = 2; generation <= 20; generation++) last = await childOf(last)
    const asking = last.with({ Authorization: basic('x', last.secret) })
    const refused = await asking.post(tokensOf('fay'), { name: 'one more', scopes: ['all'] })
    expect(refused.status).toBe(403)
    expect(await message(refused)).toContain('19 times in a row')
    expect(await remove(fay, 'first')).toBe(204)
    expect(await statusOf(last)).toBe(401)
  })
})

describe('GET /token', () => {
  test('shows the token that calls, however it was sent, and needs no scope', async () => {
    const gil = await stowage.user('Gil')
    const { secret } = await gil.token(['read:package', 'public-only'], { name: 'ci' })
    const sent: [string, Record<string, string>][] = [
      ['', { Authorization: `token ${secret}` }],
      ['', { Authorization: `Bearer ${secret}` }],
      ['', { Authorization: basic(secret, '') }],
      ['', { Authorization: basic('whoever', secret) }],
      ['', { 'Private-Token': secret }],
      [`?token=${secret}`, {}],
      [`?access_token=${secret}`, {}],
    ]
    for (const [query, headers] of sent) {
      const response = await stowage.anonymous.with(headers).fetch(`/api/v1/token${query}`)
      expect({ headers, status: response.status }).toEqual({ headers, status: 200 })
      expect(await response.json()).toEqual({
        id: expect.any(Number),
        name: 'ci',
        sha1: '',
        token_last_eight: secret.slice(-8),
        scopes: ['read:package', 'public-only'],
        created_at: '2031-05-06T07:08:09Z',
        last_used_at: null,
        expires_at: null,
        packages: null,
        user: 'Gil',
        owner: null,
      })
    }
    const head = await gil.with({ Authorization: `token ${secret}` }).fetch('/api/v1/token', { method: 'HEAD' })
    expect(head.status).toBe(200)
  })

  test.each(['GET', 'DELETE'])('%s is for who sends one', async (method) => {
    const byPassword = await stowage.admin.fetch('/api/v1/token', { method })
    expect(byPassword.status).toBe(400)
    expect(await message(byPassword)).toContain('Send a token')
    expect((await stowage.anonymous.fetch('/api/v1/token', { method })).status).toBe(401)
    const wrong = stowage.anonymous.with({ Authorization: `token ${'0'.repeat(40)}` })
    expect((await wrong.fetch('/api/v1/token', { method })).status).toBe(401)
  })
})

describe('DELETE /token', () => {
  test('gives up the token that calls, with its children, and needs no scope', async () => {
    const hal = await stowage.user('hal')
    const parent = await hal.token(['read:user', 'write:user'])
    const token = await childOf(parent, ['read:user', 'write:user'])
    const child = await childOf(token, ['read:user'])
    const other = await hal.token(['read:package'])
    const gone = await token.fetch('/api/v1/token', { method: 'DELETE' })
    expect({ status: gone.status, text: await gone.text() }).toEqual({ status: 204, text: '' })
    expect(await Promise.all([parent, token, child, other].map(statusOf))).toEqual([200, 401, 401, 200])
    expect((await token.fetch('/api/v1/token', { method: 'DELETE' })).status).toBe(401)
    expect((await other.fetch('/api/v1/token', { method: 'DELETE' })).status).toBe(204)
    expect(await statusOf(other)).toBe(401)
  })

  test('ends an upload by it that runs', async () => {
    const ida = await stowage.user('ida')
    const token = await ida.token(['write:package'])
    const headers = { Authorization: `token ${token.secret}` }
    using upload = await SlowUpload.begin(stowage.port, ida.path(), headers, 4)
    await upload.send('ab')
    expect((await token.fetch('/api/v1/token', { method: 'DELETE' })).status).toBe(204)
    await upload.send('cd')
    expect((await upload.answer()).status).toBe(401)
  })
})

describe('a token for some packages', () => {
  const shownOf = async (client: Client) =>
    (await (await client.fetch('/api/v1/token')).json()) as { packages: string[] | null; scopes: string[] }

  test('reads and publishes these, at whichever owner, and is told apart nowhere else', async () => {
    const lea = await stowage.user('lea')
    const max = await stowage.user('max')
    await lea.put({ package: 'Tool-a' }, 'a')
    await lea.put({ package: 'other' }, 'b')
    await max.put({ package: 'lib' }, 'c')
    await max.put({ package: 'tool-a' }, 'd')
    const token = await lea.token(['write:package'], { packages: ['LEA/Tool-*', '*/lib', 'lea/tool-**'] })
    expect(await shownOf(token)).toMatchObject({ packages: ['lea/tool-*', '*/lib'], user: 'lea' })

    expect((await token.get({ package: 'tool-A' })).status).toBe(200)
    expect((await token.put({ package: 'TOOL-new' }, 'x')).status).toBe(201)
    expect((await token.put({ package: 'lib' }, 'x')).status).toBe(201)
    expect((await token.get({ owner: 'max', package: 'lib' })).status).toBe(200)
    expect((await token.put({ owner: 'max', package: 'lib', version: '2' }, 'x')).status).toBe(403)
    for (const address of [{ package: 'other' }, { package: 'tool' }, { owner: 'max', package: 'tool-a' }]) {
      for (const refused of [await token.get(address), await token.put(address, 'x'), await token.delete(address)]) {
        expect([refused.status, (await refused.text()).trim()]).toEqual([
          403,
          `This token is limited to other packages of ${address.owner ?? 'lea'}.`,
        ])
      }
    }

    const names = async (path: string) => {
      const response = await token.fetch(`/api/v1${path}`)
      const rows = (await response.json()) as { name?: string; package?: string }[]
      expect(response.headers.get('x-total-count')).toBe(String(rows.length))
      return rows.map((row) => row.name ?? row.package).sort()
    }
    for (const path of ['/packages/lea', '/usage/lea/packages', '/search/packages?owner=lea']) {
      expect(await names(path)).toEqual(['TOOL-new', 'Tool-a', 'lib'])
    }
    expect(await names('/packages/max')).toEqual(['lib'])
    expect(await names('/search/packages?q=tool-')).toEqual(['TOOL-new', 'Tool-a'])
    expect(await (await token.fetch('/api/v1/usage/lea')).json()).toMatchObject({ packages: 3, versions: 3 })
  })

  test('stays with its owners through a rename, and shows the names that they have', async () => {
    const nina = await stowage.user('nina')
    await nina.post('/api/v1/orgs', { username: 'ninas', visibility: 'private' })
    const token = await nina.token(['write:package'], { packages: ['ninas/tool', 'nina/*'], name: 'ci' })
    expect((await nina.post('/api/v1/orgs/ninas/rename', { new_name: 'ours' })).status).toBe(204)
    expect((await token.put({ owner: 'ours', package: 'tool' }, 'x')).status).toBe(201)
    expect(await shownOf(token)).toMatchObject({ packages: ['ours/tool', 'nina/*'] })
    // By the name that it had before, too.
    const again = await nina.token(['read:package'], { packages: ['ninas/*'] })
    expect(await shownOf(again)).toMatchObject({ packages: ['ours/*'] })

    // Whoever leaves learns no new name.
    expect((await nina.post('/api/v1/orgs/ours/rename', { new_name: 'secret-plan' })).status).toBe(204)
    await stowage.change(`delete from team_members where organisation_id = (
      select id from owners where name = 'secret-plan')`)
    expect(await shownOf(token)).toMatchObject({ packages: ['nina/*'] })
    expect((await token.get({ owner: 'secret-plan', package: 'tool' })).status).toBe(404)
    const listed = (await (await stowage.admin.fetch(tokensOf('nina'))).json()) as { packages: string[] }[]
    expect(listed.map(({ packages }) => packages)).toEqual([['secret-plan/tool', 'nina/*'], ['secret-plan/*']])

    // An owner who comes by his name has nothing of it.
    expect((await stowage.admin.fetch('/api/v1/orgs/secret-plan?purge=true', { method: 'DELETE' })).status).toBe(204)
    await nina.post('/api/v1/orgs', { username: 'secret-plan' })
    expect((await token.put({ owner: 'secret-plan', package: 'tool' }, 'x')).status).toBe(403)
  })

  test('mints nothing, and changes nothing else', async () => {
    const otto = await stowage.user('otto')
    const token = await otto.token(['write:package', 'public-only'], { packages: ['otto/*'] })
    const asking = token.with({ Authorization: basic('x', token.secret) })
    expect((await asking.post(tokensOf('otto'), { name: 'x', scopes: ['read:package'] })).status).toBe(403)
    for (const path of ['/user', '/users/otto', '/orgs', '/user/hooks', '/user/audit']) {
      expect((await token.fetch(`/api/v1${path}`)).status).toBe(403)
    }
    expect((await token.fetch('/api/v1/token', { method: 'DELETE' })).status).toBe(204)
  })

  const onlyPackages =
    'scopes: a token for some packages may have read:package, write:package and public-only, and nothing else'
  const noneSuch = (name: string) => `packages: there is no owner ${name} that you may see`

  test.each<[object, string]>([
    [{ scopes: ['all'] }, onlyPackages],
    [{ scopes: ['write:package', 'read:user'] }, onlyPackages],
    [{ scopes: ['write:package', 'read:misc'] }, onlyPackages],
    [{ packages: ['nobody-here/x'] }, noneSuch('nobody-here')],
    [{ packages: ['concealed/x'] }, noneSuch('concealed')],
    [{ packages: ['pia/x', 'CONCEALED/x'] }, noneSuch('CONCEALED')],
    [{ packages: ['api/x'] }, noneSuch('api')],
    [{ packages: ['a b/x'] }, noneSuch('a b')],
    [{ packages: ['pia*/x'] }, noneSuch('pia*')],
    [{ packages: [] }, 'packages: name one at least, or leave it out for all'],
    [{ packages: Array.from({ length: 51 }, (_, at) => `pia/p${at}`) }, 'packages: may be 50 at most'],
    [{ packages: ['tool-*'] }, 'packages: "tool-*" names no owner: write acme/tool-*, or */tool-* for every owner'],
    ...['pia/', '/x', 'pia/a/b', 'pia/ü', 'pia/a b', `pia/${'x'.repeat(256)}`].map((pattern): [object, string] => [
      { packages: [pattern] },
      `packages: "${pattern.length > 80 ? `${pattern.slice(0, 80)}…` : pattern}" is no pattern: letters, digits and - _ . + as in the name of a package, and * for any of them`,
    ]),
    [{ packages: 'pia/*' }, 'packages: must be a list of patterns, or null'],
    [{ packages: [7] }, 'packages.0: must be a text'],
  ])('is refused where it cannot be: %j', async (fields, sentence) => {
    await stowage.user('pia').catch(() => undefined)
    await stowage.user('concealed', { visibility: 'private' }).catch(() => undefined)
    const pia = stowage.anonymous.as('pia').with({ Authorization: basic('pia', 'pia-Pass-1234') })
    const wanted = { name: 'x', scopes: ['write:package'], packages: ['pia/*'], ...fields }
    const refused = await pia.post(tokensOf('pia'), wanted)
    expect({ status: refused.status, message: await message(refused) }).toEqual({ status: 422, message: sentence })
  })

  test('is for the hidden owners that one may see, and by a token that is for public ones for those alone', async () => {
    const quin = await stowage.user('quin', { visibility: 'private' })
    const token = await quin.token(['write:package'], { packages: ['quin/*'] })
    expect((await token.put({ package: 'tool' }, 'x')).status).toBe(201)
    const open = await quin.token(['all', 'public-only'])
    const asking = open.with({ Authorization: basic('x', open.secret) })
    const wanted = { name: 'y', scopes: ['read:package'], packages: ['quin/*'] }
    expect((await asking.post(tokensOf('quin'), wanted)).status).not.toBe(201)
  })

  test('is as many patterns as there may be, of the greatest length', async () => {
    const rob = await stowage.user('rob')
    const packages = Array.from({ length: 50 }, (_, at) => `rob/${'*a'.repeat(120)}*${10 + at}`)
    const token = await rob.token(['write:package'], { packages })
    const name = `${'a'.repeat(200)}59`
    await rob.put({ package: name }, 'x')
    expect((await token.get({ package: name })).status).toBe(200)
    const listed = await (await token.fetch('/api/v1/packages/rob')).json()
    expect(listed).toMatchObject([{ name }])
    expect(await (await token.fetch('/api/v1/search/packages')).json()).toMatchObject([{ name }])
    expect(await shownOf(token)).toMatchObject({ packages })
  })
})

test('a token is not made of a field that nobody knows', async () => {
  const refused = await stowage.admin.post(tokensOf('admin'), {
    name: 'x',
    scopes: ['all'],
    expires: null,
    scope: 'all',
  })
  expect(refused.status).toBe(422)
  expect(await message(refused)).toBe('unknown field: expires, scope')
})

test('of a hundred thousand mistakes not all are told', async () => {
  const refused = await stowage.admin.post(tokensOf('admin'), { name: 'x', scopes: new Array(100_000).fill(1) })
  expect(refused.status).toBe(422)
  const told = await message(refused)
  expect(told).toStartWith('scopes.0: must be a list of scope names; ')
  expect(told).toEndWith('; and 99950 more')
  expect(told.length).toBeLessThan(5_000)
})

describe('when a token was last used', () => {
  const lastUse = async (client: Client, name: string) => {
    const listed = (await (await client.fetch(tokensOf(client.name))).json()) as {
      name: string
      last_used_at: unknown
    }[]
    return listed.find((token) => token.name === name)?.last_used_at
  }

  test('is written down later, once for however many uses, and never by the request', async () => {
    const jim = await stowage.user('jim')
    const token = await jim.token(['read:package'], { name: 'ci' })
    expect(await lastUse(jim, 'ci')).toBeNull()
    await stowage.stowage.flushUses()
    seen.length = 0
    for (let use = 0; use < 30; use++) {
      clock.now += 1_000
      expect((await token.get()).status).toBe(404)
    }
    expect(seen).toHaveLength(30)
    const last = new Date(clock.now).toISOString().replace('.000Z', 'Z')

    seen.length = 0
    await stowage.stowage.flushUses()
    expect(seen.filter((sql) => /update/i.test(sql) && /last_used_at = /.test(sql))).toHaveLength(1)
    expect(await lastUse(jim, 'ci')).toBe(last)
    seen.length = 0
    await stowage.stowage.flushUses()
    expect(seen).toEqual([])
  })

  test('is not set back by a process that writes later what was earlier', async () => {
    const kim = await stowage.user('kim')
    const used = await kim.token(['read:package'], { name: 'used' })
    const unused = await kim.token(['read:package'], { name: 'unused' })
    await used.get()
    await stowage.stowage.flushUses()
    const before = await lastUse(kim, 'used')
    const idOf = async (client: Client) => ((await (await client.fetch('/api/v1/token')).json()) as { id: number }).id
    const uses = [
      { id: await idOf(used), at: clock.now - 60_000 },
      { id: await idOf(unused), at: clock.now - 60_000 },
      { id: 999_999, at: clock.now },
    ]
    await stowage.stowage.registry.catalogue.transact(rememberUses, { used: 'tokens', uses })
    expect(await lastUse(kim, 'used')).toBe(before)
    expect(Date.parse(String(await lastUse(kim, 'unused')))).toBe(clock.now - 60_000)
  })

  test('is kept for sessions as well', async () => {
    await stowage.change(`
      insert into sessions (user_id, sha256, created_at, last_used_at, expires_at, address, agent)
      select id, 'a', 1, 5, 100, '', '' from users order by id limit 1`)
    const { catalogue } = stowage.stowage.registry
    const [{ id } = { id: 0 }] = await stowage.change('select id from sessions')
    const remember = (at: number) =>
      catalogue.transact(rememberUses, { used: 'sessions', uses: [{ id: Number(id), at }] })
    const kept = async () => Number((await stowage.change('select last_used_at from sessions'))[0]?.last_used_at)
    await remember(4)
    expect(await kept()).toBe(5)
    await remember(6)
    expect(await kept()).toBe(6)
  })

  test('is written down once more when the server stops', async () => {
    await using own = await startStowage()
    const token = await own.admin.token(['read:package'])
    await token.get()
    await own.stop()
    const [row] = await own.change('select last_used_at from tokens')
    expect(Number(row?.last_used_at)).toBeGreaterThan(0)
  })
})
