import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { AroundStatement } from '../../server/catalogue/statement.ts'
import { RawConnection } from '../support/raw-connection.ts'
import { basic, type Client, startStowage, type TestStowage } from '../support/stowage.ts'
import { until } from '../support/until.ts'

interface Event {
  id: number
  created_at: string
  action: string
  actor: { id: number; name: string } | null
  credential: string | null
  token_last_eight: string | null
  address: string | null
  owner: { id: number; name: string } | null
  package: string | null
  version: string | null
  file: string | null
  subject: string | null
  details: Record<string, unknown>
}

const second = 1_000
const minute = 60 * second
const day = 24 * 60 * minute

let now = Date.now()
let stowage: TestStowage

beforeAll(async () => {
  stowage = await startStowage({ replace: { now: () => now }, settings: { STOWAGE_TRUSTED_PROXIES: 'loopback' } })
})
afterAll(() => stowage[Symbol.asyncDispose]())

async function list(client: Client, path: string): Promise<Event[]> {
  // Who is asked writes down what he knows first, and the other nodes within a second.
  if (stowage.nodes.length > 0) await stowage.stowage.flushSignIns()
  const response = await client.fetch(`/api/v1${path}`)
  if (response.status !== 200) throw new Error(`${path}: ${response.status} ${await response.text()}`)
  return (await response.json()) as Event[]
}

/** What happened last, oldest first, as short as it can be told. */
async function story(client: Client, path: string): Promise<string[]> {
  const events = await list(client, path)
  return events.reverse().map(({ action, actor, credential, subject }) => {
    return [action, actor?.name ?? '–', credential ?? '–', ...(subject === null ? [] : [subject])].join(' ')
  })
}

const from = (client: Client, address: string) => ({ 'X-Forwarded-For': address, Authorization: authorization(client) })
const authorization = (client: Client) => basic(client.name, `${client.name}-Pass-1234`)

describe('an event', () => {
  test('says who did what, when, where, from where and with which token', async () => {
    const ada = await stowage.user('ada')
    const token = await ada.token(['all'], { name: 'ci' })
    const before = new Date(now).toISOString()
    await token.put({}, 'bytes', { 'X-Forwarded-For': '192.0.2.7' })
    const [published, ...others] = await list(ada, '/user/audit?action=file.published')
    expect(others).toEqual([])
    expect(published).toEqual({
      id: expect.any(Number),
      created_at: before,
      action: 'file.published',
      actor: { id: expect.any(Number), name: 'ada' },
      credential: 'token',
      token_last_eight: token.secret.slice(-8),
      address: '192.0.2.7',
      owner: published?.actor as never,
      package: 'tool',
      version: '1.0',
      file: 'tool.bin',
      subject: null,
      details: { size: 5, sha256: expect.any(String) },
    })
    const [made] = await list(ada, '/user/audit?action=token.created')
    expect(made).toMatchObject({ credential: 'password', subject: 'ci', token_last_eight: null })
    expect(made?.details).toEqual({ last_eight: token.secret.slice(-8), scopes: ['all'], expires_at: null })
  })

  test('tells of a right how it was and is, and of an e-mail address only that it changed', async () => {
    await stowage.user('bob')
    const change = { email: 'robert@example.com', admin: true, visibility: 'private', full_name: 'Robert' }
    await stowage.admin.fetch('/api/v1/admin/users/bob', { method: 'PATCH', body: JSON.stringify(change) })
    const [changed] = await list(stowage.admin, '/admin/audit?owner=bob&action=account.changed')
    expect(changed?.details).toEqual({
      fields: ['email', 'full_name', 'admin', 'visibility'],
      admin_before: false,
      admin: true,
      visibility_before: 'public',
      visibility: 'private',
    })
    // The same once more changes nothing.
    await stowage.admin.fetch('/api/v1/admin/users/bob', { method: 'PATCH', body: JSON.stringify(change) })
    expect(await list(stowage.admin, '/admin/audit?owner=bob&action=account.changed')).toHaveLength(1)
  })

  test('is not written where what it tells of was refused', async () => {
    const before = await list(stowage.admin, '/admin/audit')
    expect((await stowage.admin.post('/api/v1/admin/users', { username: 'ada', password: 'x-Pass-1234' })).status).toBe(
      422,
    )
    expect((await stowage.admin.post('/api/v1/orgs', { username: 'ada' })).status).toBe(422)
    expect(await list(stowage.admin, '/admin/audit')).toEqual(before)
  })

  test('stays when its account, organisation and package are gone, and is still found by name', async () => {
    const gus = await stowage.user('gus')
    await gus.put({ package: 'gone' }, 'bytes')
    await gus.deleteVersion({ package: 'gone' })
    expect(await story(gus, '/packages/gus/generic/GONE/-/audit')).toEqual([
      'file.published gus password',
      'version.deleted gus password',
      'package.deleted gus password',
    ])
    await stowage.admin.fetch('/api/v1/admin/users/gus', { method: 'DELETE' })
    expect(await story(stowage.admin, '/admin/audit?owner=gus&package=gone')).toHaveLength(3)
    expect(await story(stowage.admin, '/admin/audit?actor=gus&action=file.')).toEqual(['file.published gus password'])
    expect(await story(stowage.admin, '/admin/audit?owner=Gus&action=account.')).toEqual([
      'account.created admin password',
      'account.deleted admin password',
    ])
  })

  test('of a renamed owner is found by the old name and the new', async () => {
    await stowage.user('old-name')
    await stowage.admin.post('/api/v1/admin/users/old-name/rename', { new_username: 'new-name' })
    const renamed = await list(stowage.admin, '/admin/audit?owner=new-name')
    expect(renamed[0]).toMatchObject({ action: 'account.renamed', details: { from: 'old-name', to: 'new-name' } })
    expect(await list(stowage.admin, '/admin/audit?owner=old-name')).toEqual(renamed)
  })

  test('tells of each token that went with another, at whose account it was', async () => {
    const kim = await stowage.user('kim')
    const { secret } = await kim.token(['all'], { name: 'parent' })
    await kim.with({ Authorization: basic('kim', secret) }).token(['all'], { name: 'child' })
    await kim.fetch('/api/v1/users/kim/tokens/parent', { method: 'DELETE' })
    expect(await story(kim, '/user/audit?action=token.')).toEqual([
      'token.created kim password parent',
      'token.created kim token child',
      'token.deleted kim password parent',
      'token.deleted kim password child',
    ])
  })
})

describe('sign-ins', () => {
  test('by a password are written once for all requests of five minutes, and never before an answer', async () => {
    const lea = await stowage.user('lea')
    const at = '/admin/audit?owner=lea&action=sign-in'
    await Promise.all([lea.fetch('/api/v1/user'), lea.fetch('/api/v1/user'), lea.get()])
    expect(await story(stowage.admin, at)).toEqual(['sign-in lea password'])
    now += 4 * minute
    await lea.fetch('/api/v1/user')
    now += 4 * minute
    await lea.fetch('/api/v1/user')
    expect(await story(stowage.admin, at)).toHaveLength(1)
    now += 6 * minute
    await lea.fetch('/api/v1/user')
    expect(await story(stowage.admin, at)).toHaveLength(2)
    // A token is a right that was given before: its use is seen with what it does.
    const token = await lea.token(['all'])
    await token.fetch('/api/v1/user')
    expect(await story(stowage.admin, at)).toHaveLength(2)
  })

  test('by a password are written for each network that it comes from, also while it is remembered', async () => {
    const wanda = await stowage.user('wanda')
    const ask = (address: string) => stowage.anonymous.fetch('/api/v1/user', { headers: from(wanda, address) })
    for (const address of ['192.0.2.1', '198.51.100.7', '192.0.2.1', '2001:db8:5::1', '2001:db8:5::2']) {
      expect((await ask(address)).status).toBe(200)
    }
    const events = await list(stowage.admin, '/admin/audit?owner=wanda&action=sign-in')
    expect(events.map(({ address }) => address).reverse()).toEqual(['192.0.2.1', '198.51.100.7', '2001:db8:5::1'])
  })

  test('by a browser begin and end a session', async () => {
    await stowage.user('mia')
    const page = stowage.anonymous.with({ 'Sec-Fetch-Site': 'same-origin' })
    const sent = await page.post('/user/login', { user: 'mia', password: 'mia-Pass-1234' })
    expect(sent.status).toBe(200)
    const cookie = sent.headers.get('set-cookie')?.split(';')[0] ?? ''
    await page.fetch('/user/logout', { method: 'POST', headers: { Cookie: cookie } })
    await page.fetch('/user/logout', { method: 'POST', headers: { Cookie: cookie } })
    expect(await story(stowage.admin, '/admin/audit?owner=mia&action=sign-in')).toEqual(['sign-in mia password'])
    expect(await story(stowage.admin, '/admin/audit?owner=mia&action=sign-out')).toEqual(['sign-out mia session'])
  })

  test('that failed say why, and at which account where that is known, never what was typed', async () => {
    const nia = await stowage.user('nia')
    const short = await nia.token(['all'], { name: 'short', expires_at: new Date(now + minute).toISOString() })
    now += 2 * minute
    const address = '198.51.100.1'
    const try_ = (headers: Record<string, string>) =>
      stowage.anonymous.fetch('/api/v1/user', { headers: { 'X-Forwarded-For': address, ...headers } })
    await try_({ Authorization: basic('nia', 'wrong-Pass-1') })
    await try_({ Authorization: basic('NIA@example.com', 'wrong-Pass-2') })
    await try_({ Authorization: basic('my-secret-instead-of-a-name', 'wrong-Pass-3') })
    await try_({ Authorization: `token ${'1'.repeat(40)}` })
    await try_({ Authorization: 'Basic !' })
    await try_({ Authorization: `token ${short.secret}` })
    const prohibit = JSON.stringify({ prohibit_login: true })
    await stowage.admin.fetch('/api/v1/admin/users/nia', { method: 'PATCH', body: prohibit })
    await try_({ Authorization: authorization(nia) })

    const failed = await list(stowage.admin, '/admin/audit?action=sign-in.failed&limit=7')
    expect(failed.reverse().map(({ owner, details }) => [owner?.name ?? '–', details.reason])).toEqual([
      ['nia', 'wrong-password'],
      ['nia', 'wrong-password'],
      ['–', 'unknown-account'],
      ['–', 'wrong-token'],
      ['–', 'malformed'],
      ['nia', 'expired-token'],
      ['nia', 'prohibited'],
    ])
    expect(failed.map((event) => [event.address, event.actor, event.credential])).toEqual(
      Array(7).fill([address, null, null]),
    )
    expect(failed[5]?.details.token_last_eight).toBe(short.secret.slice(-8))
    const text = JSON.stringify(failed)
    for (const typed of ['wrong-Pass', 'my-secret', '1'.repeat(8), 'NIA']) expect(text).not.toContain(typed)
  })

  test('are written with the address also of who hung up before the answer', async () => {
    let held = (): Promise<unknown> | undefined => undefined
    const around: AroundStatement = async (sql, run, place) => {
      if (place === 'reading') await held()
      return run(sql)
    }
    await using slow = await startStowage({ replace: { aroundStatement: around } })
    const eve = await slow.user('eve')
    const asked = Promise.withResolvers<void>()
    const gone = Promise.withResolvers<void>()
    held = () => {
      held = () => undefined
      asked.resolve()
      return gone.promise
    }
    await using connection = await RawConnection.open(slow.port)
    const headers = `Host: stowage\r\nAuthorization: ${basic('eve', 'wrong-Pass-1')}`
    await connection.write(`GET ${eve.path()} HTTP/1.1\r\n${headers}\r\n\r\n`)
    await asked.promise
    connection.hangUp()
    // By the answer to the second the server has seen that.
    for (let time = 0; time < 2; time += 1) await fetch(`${slow.url}/healthz`)
    gone.resolve()
    const failures = "select address from audit_events where action = 'sign-in.failed'"
    await until(async () => {
      await slow.stowage.flushSignIns()
      return (await slow.change(failures)).length > 0
    }, 'the failure is written')
    expect(await slow.change(failures)).toEqual([{ address: '127.0.0.1' }])
  })

  test('that failed too often from one network are counted, by account, when the minute is over', async () => {
    const ola = await stowage.user('ola')
    const guess = (host: number, user: string) =>
      stowage.anonymous.fetch('/api/v1/user', {
        headers: { 'X-Forwarded-For': `2001:db8::${host}`, Authorization: basic(user, `guess-${host}`) },
      })
    for (let host = 1; host <= 16; host += 1) await guess(host, host % 4 === 0 ? 'nobody-here' : 'ola')
    const at = '/admin/audit?action=sign-in.failed&limit=50'
    const ofNetwork = async () =>
      (await list(stowage.admin, at)).filter((event) => event.address?.startsWith('2001:db8:'))
    expect(await ofNetwork()).toHaveLength(10)
    now += minute
    // What was counted is there when somebody looks.
    const counted = (await ofNetwork()).filter((event) => event.details.times)
    expect(counted.map(({ owner, address, details }) => [owner?.name, address, details])).toEqual([
      [undefined, '2001:db8:0:0::', { times: 2 }],
      ['ola', '2001:db8:0:0::', { times: 4 }],
    ])
    expect(await ofNetwork()).toHaveLength(12)
    expect((await list(ola, '/user/audit?action=sign-in.failed')).length).toBeGreaterThan(5)
    now += minute
    await guess(99, 'ola')
    expect(await ofNetwork()).toHaveLength(13)
  })

  test('that are said twice count too: whoever has a session, or a password that was changed, guesses on', async () => {
    const pia = await stowage.user('pia')
    await pia.post('/api/v1/user/password', { old_password: 'not-it-1234', new_password: 'another-Pass-1' })
    const failed = await list(pia, '/user/audit?action=sign-in.failed')
    expect(failed.map(({ details }) => details)).toEqual([{ reason: 'wrong-password' }])
  })
})

describe('a list', () => {
  test('is narrowed by everything at once, and told in pages', async () => {
    const rob = await stowage.user('rob')
    await rob.post('/api/v1/orgs', { username: 'inc' })
    const ci = await rob.token(['all'], { name: 'ci' })
    const token = ci.as('inc')
    const since = new Date(now).toISOString()
    now += second
    for (const file of ['a', 'b', 'c']) await token.put({ package: 'one', file }, file)
    now += second
    await token.put({ package: 'two' }, 'x')
    const until = new Date(now).toISOString()
    await token.delete({ package: 'one', file: 'a' })
    const of = async (query: string) => (await list(stowage.admin, `/admin/audit?owner=inc&${query}`)).length
    expect(await of('action=file.')).toBe(5)
    expect(await of('action=file.published')).toBe(4)
    expect(await of('package=ONE')).toBe(4)
    expect(await of('package=one&action=file.deleted')).toBe(1)
    expect(await of('package=one&actor=rob&action=file.deleted')).toBe(1)
    expect(await of('package=one&actor=admin')).toBe(0)
    expect(await of('actor=nobody-here')).toBe(0)
    expect(await of(`action=file.&since=${since}&until=${until}`)).toBe(3)
    expect(await of(`credential=token`)).toBe(5)
    expect(await of(`credential=password`)).toBe(2)
    expect(await of(`token_last_eight=${ci.secret.slice(-8)}`)).toBe(5)
    expect(await of(`token_last_eight=00000000`)).toBe(0)

    const page = await rob.fetch('/api/v1/orgs/inc/audit?action=file.&actor=rob&limit=2&page=2')
    expect([page.headers.get('x-total-count'), ((await page.json()) as Event[]).length]).toEqual(['5', 2])
    expect(page.headers.get('link')).toContain('action=file.&actor=rob&limit=2&page=3')
    expect(await story(rob, '/packages/inc/generic/one/-/audit?action=file.deleted')).toEqual([
      'file.deleted rob token',
    ])
  })

  test('of an organisation is its owners’, who see from where; that of a package is for who may write there', async () => {
    const sue = await stowage.user('sue')
    const tim = await stowage.user('tim')
    await sue.post('/api/v1/orgs', { username: 'ltd' })
    const made = await sue.post('/api/v1/orgs/ltd/teams', { name: 'readers', permission: 'read' })
    const { id } = (await made.json()) as { id: number }
    await sue.fetch(`/api/v1/teams/${id}/members/tim`, { method: 'PUT' })
    await sue.fetch(sue.path({ owner: 'ltd' }), { method: 'PUT', body: 'x', headers: from(sue, '203.0.113.9') })
    const [published] = await list(sue, '/orgs/ltd/audit?action=file.published')
    expect(published).toMatchObject({ actor: { name: 'sue' }, address: '203.0.113.9' })
    for (const path of ['/orgs/ltd/audit', '/packages/ltd/generic/tool/-/audit', '/admin/audit']) {
      expect((await tim.fetch(`/api/v1${path}`)).status).toBe(403)
    }
    expect(await list(tim, '/user/audit?action=member.')).toEqual([])
    // No package was ever called so, and none can have been.
    expect(await list(sue, '/packages/ltd/generic/none/-/audit')).toEqual([])
    expect((await sue.fetch('/api/v1/packages/ltd/generic/a%00b/-/audit')).status).toBe(404)
    // The log of what is public tells of packages that are private, too.
    const open = await sue.token(['all', 'public-only'])
    for (const path of ['/orgs/ltd/audit', '/user/audit']) {
      expect((await open.fetch(`/api/v1${path}`)).status).toBe(403)
    }
    // Hidden from a stranger, and so there is none.
    const private_ = JSON.stringify({ visibility: 'private' })
    await sue.fetch('/api/v1/orgs/ltd', { method: 'PATCH', body: private_ })
    const zoe = await stowage.user('zoe')
    for (const path of ['/orgs/ltd/audit', '/packages/ltd/generic/tool/-/audit', '/orgs/none/audit']) {
      expect((await zoe.fetch(`/api/v1${path}`)).status).toBe(404)
    }
    // A token for what is public only shows nothing of an organisation that is not, to its owner either.
    const publicOnly = await sue.token(['all', 'public-only'])
    expect((await publicOnly.fetch('/api/v1/orgs/ltd/audit')).status).toBe(403)
    expect((await publicOnly.fetch('/api/v1/packages/ltd/generic/tool/-/audit')).status).toBe(403)
    const ofAdmin = await stowage.admin.token(['all', 'public-only'])
    expect((await ofAdmin.fetch('/api/v1/admin/audit?owner=ltd')).status).toBe(403)
    expect(await story(sue, '/orgs/ltd/audit?action=member.')).toEqual([
      'member.added sue password sue',
      'member.added sue password tim',
    ])
  })

  test.each([
    ['acton=sign-in', 'unknown filter: acton'],
    ['action=sign-ins', 'action: must be one of'],
    ['action=nothing.', 'action: must be one of'],
    ['action=', 'action: must be one of'],
    ['action=sign-in&action=sign-out', 'action: must be an action, once'],
    ['since=yesterday', 'since: must be a moment'],
    ['until=2026-13-01T00:00:00Z', 'until: must be a moment'],
    ['until=2026-01-01', 'until: must be a moment'],
    ['actor=', 'actor: must be a user name'],
    ['actor=%00', 'actor: must be a user name'],
    ['credential=magic', 'credential: must be password'],
    ['token_last_eight=xyz', 'token_last_eight: must be'],
    ['package=tool', 'package: is asked for together with its owner'],
    ['page=300&limit=50', 'page: only the newest 10000'],
  ])('refuses %s', async (query, sentence) => {
    const response = await stowage.admin.fetch(`/api/v1/admin/audit?${query}`)
    expect(response.status).toBe(422)
    expect(((await response.json()) as { message: string }).message).toContain(sentence)
  })

  test('of one’s own, or of an organisation, has no filter for other owners', async () => {
    const uma = await stowage.user('uma')
    expect((await uma.fetch('/api/v1/user/audit?owner=ada')).status).toBe(422)
    expect((await uma.fetch('/api/v1/packages/uma/generic/tool/-/audit?package=x')).status).toBe(422)
    expect(await list(uma, '/packages/uma/generic/never-there/-/audit')).toEqual([])
  })
})

describe('the log', () => {
  test('is append only', async () => {
    await expect(stowage.change(`update audit_events set actor_name = 'somebody else'`)).rejects.toThrow('append only')
    await expect(stowage.change(`update audit_events set details = null where id = 1`)).rejects.toThrow('append only')
  })

  test('loses what is older than it is kept, and nothing else', async () => {
    const oldest = await stowage.change('select min(created_at) as at, count(*) as number from audit_events')
    const { at, number } = oldest[0] as { at: number; number: number }
    const newest = now
    const kind = 'audit-retention'
    const retain = async () => {
      await stowage.change(
        `insert into jobs (kind, subject, due_at, created_at) values ('${kind}', '', 0, 0) on conflict do nothing`,
      )
      await stowage.stowage.runJobs(kind)
      return list(stowage.admin, '/admin/audit?limit=50')
    }
    now = Number(at) + 365 * day
    await retain()
    const kept = await stowage.change('select count(*) as number from audit_events')
    expect(Number(kept[0]?.number)).toBeGreaterThanOrEqual(Number(number))
    now = newest + 366 * day
    const left = await retain()
    // Nothing but that somebody looked, then and now.
    expect(left.map(({ action, actor }) => `${action} ${actor?.name}`)).toEqual(['sign-in admin', 'sign-in admin'])
  })
})
