import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { createHash, createHmac } from 'node:crypto'
import { dropDeliveries } from '../../server/registry/deliveries.ts'
import { checkedClient } from '../support/checked-client.ts'
import { type Receiver, startReceiver } from '../support/receiver.ts'
import { adminPassword, type Client, startStowage, type TestStowage } from '../support/stowage.ts'
import { until } from '../support/until.ts'

const hour = 60 * 60_000
const day = 24 * hour

let clock = Date.parse('2030-01-01T00:00:00Z')
/** The transaction of this name fails before it begins, once. */
let failing: string | undefined
let stowage: TestStowage
let receiver: Receiver

beforeAll(async () => {
  receiver = await startReceiver()
  stowage = await startStowage({
    settings: { STOWAGE_WEBHOOK_ALLOWED_HOSTS: '127.0.0.1' },
    replace: {
      now: () => clock,
      // Long enough for a receiver on a busy machine.
      outgoing: { limits: { time: 1_500 } },
      catalogue: (catalogue) => ({
        ...catalogue,
        read: catalogue.read,
        transact: async (work, args) => {
          if (work.name !== failing) return catalogue.transact(work, args)
          failing = undefined
          throw new Error('the server was killed')
        },
        probe: () => catalogue.probe(),
        close: () => catalogue.close(),
      }),
    },
  })
})
afterAll(async () => {
  await stowage[Symbol.asyncDispose]()
  await receiver[Symbol.asyncDispose]()
})
afterEach(() => {
  receiver.answers((response) => response.writeHead(204).end())
})

let users = 0
/** Somebody with a receiver's path of his own. */
async function person() {
  users += 1
  const client = await stowage.user(`person-${users}`)
  return Object.assign(client, { place: `/${client.name}`, hooks: '/api/v1/user/hooks' })
}

// biome-ignore lint/suspicious/noExplicitAny: the answers of a dozen routes.
type Json = any

async function asked(answer: Promise<Response>, status: number): Promise<Json> {
  const response = await answer
  const body = await response.text()
  expect({ status: response.status, body }).toMatchObject({ status })
  return body === '' ? undefined : JSON.parse(body)
}

const hookFor = (path: string, fields: Record<string, unknown> = {}, config: Record<string, unknown> = {}) => ({
  type: 'gitea',
  active: true,
  config: { url: receiver.url + path, content_type: 'json', ...config },
  ...fields,
})

/** Makes a webhook; answers the address of it. */
async function addHook(
  client: Client & { place?: string },
  { hooks = '/api/v1/user/hooks', path = client.place ?? '', ...fields }: Record<string, Json> = {},
  config = {},
): Promise<string> {
  const { id } = await asked(client.post(hooks, hookFor(path, fields, config)), 201)
  return `${hooks}/${id}`
}

const patch = (client: Client, path: string, body: unknown) =>
  client.fetch(path, { method: 'PATCH', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } })
const get = (client: Client, path: string) => asked(client.fetch(path), 200)

/** Computes what digests are missing, and sends what is due. */
async function deliver(): Promise<void> {
  await stowage.stowage.runJobs()
  await stowage.stowage.runJobs('deliveries')
}

async function publish(client: Client, version = '1.0', fields: Record<string, string> = {}, body = version) {
  const { status } = await client.put({ version, ...fields }, body)
  expect(status).toBe(201)
}

const versionsOf = (bodies: Json[]) => bodies.map((body) => `${body.action} ${body.package.version}`)

describe('webhooks are managed', () => {
  test('by gitea-js: of the site, of organisations, of users', async () => {
    const admin = checkedClient(stowage.url, { user: 'admin', password: adminPassword })
    await admin.orgs.orgCreate({ username: 'managed' })
    const { user, orgs, admin: site } = admin
    const sets = [
      {
        create: user.userCreateHook,
        list: user.userListHooks,
        get: user.userGetHook,
        edit: user.userEditHook,
        remove: user.userDeleteHook,
      },
      {
        create: (body: Json) => orgs.orgCreateHook('managed', body),
        list: () => orgs.orgListHooks('managed'),
        get: (id: number) => orgs.orgGetHook('managed', id),
        edit: (id: number, body: Json) => orgs.orgEditHook('managed', id, body),
        remove: (id: number) => orgs.orgDeleteHook('managed', id),
      },
      {
        create: site.adminCreateHook,
        list: site.adminListHooks,
        get: site.adminGetHook,
        edit: site.adminEditHook,
        remove: site.adminDeleteHook,
      },
    ]
    for (const { create, list, get, edit, remove } of sets) {
      const config = { url: 'https://hooks.example.com/in', content_type: 'json', secret: 'a secret' }
      const made = await create({ type: 'gitea', config, events: ['package'], authorization_header: 'Bearer secret' })
      expect(made).toMatchObject({
        type: 'gitea',
        active: false,
        events: ['package'],
        config: { url: 'https://hooks.example.com/in', content_type: 'json' },
        authorization_header: '',
        branch_filter: '',
      })
      expect(await get(made.id)).toEqual(made)
      expect(await list()).toEqual([made])
      clock += 1_000
      const edited = await edit(made.id, { active: true, events: ['file_added', 'package', 'package'] })
      expect(edited).toMatchObject({
        ...made,
        active: true,
        events: ['file_added', 'package'],
        updated_at: expect.any(String),
      })
      expect(edited.updated_at > made.updated_at).toBe(true)
      await remove(made.id)
      expect(await list()).toEqual([])
      await expect(get(made.id)).rejects.toMatchObject({ status: 404 })
    }
  })

  test('by those alone whose they are', async () => {
    const [ada, bob] = [await person(), await person()]
    const its = await addHook(ada)
    for (const [client, hooks] of [
      [bob, its],
      [stowage.admin, its],
      [stowage.admin, its.replace('/user/', '/admin/')],
    ] as const) {
      await asked(client.fetch(hooks), 404)
      await asked(patch(client, hooks, { active: false }), 404)
      await asked(client.fetch(hooks, { method: 'DELETE' }), 404)
      await asked(client.fetch(`${hooks}/deliveries`), 404)
    }
    await publish(ada)
    await deliver()
    const [delivery] = await get(ada, `${its}/deliveries`)
    // Nor by way of another webhook.
    const others = await addHook(bob)
    await asked(bob.fetch(`${others}/deliveries/${delivery.id}`), 404)
    await asked(bob.post(`${others}/deliveries/${delivery.id}/replay`, ''), 404)
    expect(await get(ada, its)).toMatchObject({ active: true })
  })

  test('by no token that is for what is public only, nor by one without the scope', async () => {
    const ada = await person()
    const reading = await ada.token(['read:user', 'read:organization'])
    await asked(reading.fetch(ada.hooks), 200)
    await asked(reading.post(ada.hooks, hookFor('/')), 403)
    const limited = await ada.token(['public-only', 'write:user', 'write:organization'])
    for (const answer of [limited.fetch(ada.hooks), limited.post(ada.hooks, hookFor('/'))]) await asked(answer, 403)
    await asked(ada.post('/api/v1/orgs', { username: `${ada.name}-private`, visibility: 'private' }), 201)
    await asked(limited.fetch(`/api/v1/orgs/${ada.name}-private/hooks`), 403)
    // A public one has private packages, of which they would be told.
    await asked(ada.post('/api/v1/orgs', { username: `${ada.name}-public` }), 201)
    await asked(limited.fetch(`/api/v1/orgs/${ada.name}-public/hooks`), 403)
  })

  test.each<[string, Record<string, Json>, string]>([
    ['another type', { type: 'slack' }, 'type: must be gitea or stowage'],
    ['forms', { config: { content_type: 'form' } }, 'config.content_type: must be json'],
    ['another method', { config: { http_method: 'GET' } }, 'config.http_method: must be POST'],
    ['an unknown event', { events: ['push'] }, 'events.0: must be of package, file_added, file_deleted'],
    ['another scheme', { config: { url: 'ftp://a.example/' } }, 'config.url: must be an http or https address'],
    ['no address', { config: { url: 'https://' } }, 'config.url: must be'],
    ['a user name', { config: { url: 'https://ada:x@a.example/' } }, 'config.url: must be'],
    ['white space', { config: { url: 'https://a.example/ x' } }, 'config.url: must be'],
    ['too long', { config: { url: `https://a.example/${'a'.repeat(2_000)}` } }, 'config.url: may have 2000'],
    ['this machine', { config: { url: 'http://[::1]:80/' } }, 'STOWAGE_WEBHOOK_ALLOWED_HOSTS'],
    ['a private address', { config: { url: 'http://0x0a000001/' } }, '10.0.0.1 is not on the internet'],
    ['a header of two lines', { authorization_header: 'a\r\nX: b' }, 'authorization_header: must be printable'],
    ['branches', { branch_filter: 'main' }, 'branch_filter: must be empty'],
    ['an unknown field', { config: { room: 'x' } }, 'config: unknown field: room'],
  ])('and refused with %s', async (_, { config = {}, ...fields }, reason) => {
    const answer = await asked(stowage.admin.post('/api/v1/user/hooks', hookFor('/', fields, config)), 422)
    expect(answer.message).toContain(reason)
    if (fields.type) return
    const its = await addHook(stowage.admin, { path: '/unchanged' })
    expect((await asked(patch(stowage.admin, its, { config, ...fields }), 422)).message).toContain(reason)
    expect(await get(stowage.admin, its)).toMatchObject({ config: { url: `${receiver.url}/unchanged` } })
    await asked(stowage.admin.fetch(its, { method: 'DELETE' }), 204)
  })

  test('up to fifty of an owner', async () => {
    const ada = await person()
    const made = await Promise.all(
      Array.from({ length: 52 }, async () => (await ada.post(ada.hooks, hookFor('/', { active: false }))).status),
    )
    expect(made.filter((status) => status === 201)).toHaveLength(50)
    expect(made.filter((status) => status === 422)).toHaveLength(2)
    const listed = await ada.fetch(`${ada.hooks}?limit=20&page=3`)
    expect(await listed.json()).toHaveLength(10)
    expect(listed.headers.get('x-total-count')).toBe('50')
  })

  test('with a header that goes to no other host than it was meant for', async () => {
    const ada = await person()
    const its = await addHook(ada, { authorization_header: 'Bearer 12345678' })
    const elsewhere = { config: { url: 'https://elsewhere.example/' } }
    expect((await asked(patch(ada, its, elsewhere), 422)).message).toContain('Send it again')
    await asked(patch(ada, its, { config: { url: `${receiver.url}/other` } }), 200)
    await asked(patch(ada, its, { ...elsewhere, authorization_header: '' }), 200)
  })
})

describe('a webhook is told', () => {
  test("of new versions and of versions that go, signed, in the protocol's shape", async () => {
    const ada = await person()
    await addHook(ada, { authorization_header: 'Bearer let-me-in' }, { secret: 'known to both' })
    await publish(ada, '1.0', {}, 'hello')
    await deliver()
    const [got, ...others] = receiver.at(ada.place)
    expect(others).toEqual([])
    const body = JSON.parse(got?.body ?? '')
    const shown = await get(ada, `/api/v1/packages/${ada.name}/generic/tool/1.0`)
    const files = await get(ada, `/api/v1/packages/${ada.name}/generic/tool/1.0/files`)
    expect(body).toMatchObject({
      action: 'created',
      repository: null,
      organization: null,
      package: { ...shown, owner: expect.anything(), creator: expect.anything() },
      sender: { login: ada.name, email: `${ada.name}@noreply.localhost` },
      files,
    })
    expect(body.files[0].sha256).toBe(createHash('sha256').update('hello').digest('hex'))
    expect(body.files[0].md5).toBe(createHash('md5').update('hello').digest('hex'))
    const signature = createHmac('sha256', 'known to both')
      .update(got?.body ?? '')
      .digest('hex')
    const uuid = got?.headers['x-gitea-delivery']
    expect(uuid).toMatch(/^[0-9a-f-]{36}$/)
    expect(got?.headers).toMatchObject({
      'content-type': 'application/json',
      'user-agent': expect.stringMatching(/^Stowage\/\d/),
      authorization: 'Bearer let-me-in',
      'x-gitea-event': 'package',
      'x-gitea-event-type': 'package',
      'x-gitea-signature': signature,
      'x-stowage-delivery': uuid,
      'x-stowage-event': 'package',
      'x-stowage-event-type': 'package',
      'x-stowage-signature': signature,
      'x-hub-signature-256': `sha256=${signature}`,
    })

    // Another file of the same version is no event that it asked for.
    await publish(ada, '1.0', { file: 'second.bin' })
    expect((await ada.deleteVersion()).status).toBe(204)
    await deliver()
    expect(versionsOf(receiver.bodies(ada.place))).toEqual(['created 1.0', 'deleted 1.0'])
    expect(receiver.bodies(ada.place)[1].files).toHaveLength(2)
  })

  test('without a signature where it has no secret', async () => {
    const ada = await person()
    await addHook(ada)
    await publish(ada)
    await deliver()
    const names = Object.keys(receiver.at(ada.place)[0]?.headers ?? {})
    expect(names.filter((name) => /signature|authorization/.test(name))).toEqual([])
  })

  test('of files, where it asked for them', async () => {
    const ada = await person()
    await addHook(ada, { events: ['file_added', 'file_deleted'] })
    await publish(ada)
    await publish(ada, '1.0', { file: 'second.bin' })
    expect((await ada.delete({ file: 'second.bin' })).status).toBe(204)
    expect((await ada.delete()).status).toBe(204)
    await deliver()
    const told = receiver.bodies(ada.place).map(({ action, files }) => [action, files.map(({ name }: Json) => name)])
    expect(told).toEqual([
      ['file_added', ['tool.bin']],
      ['file_added', ['second.bin']],
      ['file_deleted', ['second.bin']],
      ['file_deleted', ['tool.bin']],
    ])
  })

  test('as is one of the whole site; nobody is told of others', async () => {
    const [ada, bob] = [await person(), await person()]
    const organisation = `org-of-${ada.name}`
    await asked(ada.post('/api/v1/orgs', { username: organisation, full_name: 'The Org' }), 201)
    await addHook(ada)
    await addHook(bob)
    await addHook(ada, { hooks: `/api/v1/orgs/${organisation}/hooks`, path: `/${organisation}` })
    const site = await addHook(stowage.admin, { hooks: '/api/v1/admin/hooks', path: '/site' })
    await publish(ada)
    await publish(ada, '2.0', { owner: organisation })
    await deliver()
    expect(versionsOf(receiver.bodies(ada.place))).toEqual(['created 1.0'])
    expect(versionsOf(receiver.bodies(`/${organisation}`))).toEqual(['created 2.0'])
    expect(versionsOf(receiver.bodies('/site'))).toEqual(['created 1.0', 'created 2.0'])
    expect(receiver.bodies(bob.place)).toEqual([])
    const [body] = receiver.bodies(`/${organisation}`)
    expect(body.organization).toMatchObject({ name: organisation, full_name: 'The Org' })
    expect(body.package.owner).toMatchObject({ login: organisation })
    expect(body.sender).toMatchObject({ login: ada.name })
    await asked(stowage.admin.fetch(site, { method: 'DELETE' }), 204)
    await publish(ada, '3.0')
    await deliver()
    expect(receiver.bodies('/site')).toHaveLength(2)
  })

  test('nothing of what did not happen', async () => {
    const ada = await person()
    await publish(ada)
    await addHook(ada, { events: ['package', 'file_added', 'file_deleted'] })
    expect((await ada.put({}, 'again')).status).toBe(409)
    expect((await ada.put({ version: '2.0' }, 'x', { 'X-Checksum-Sha256': '0'.repeat(64) })).status).toBe(400)
    expect((await ada.deleteVersion({ version: '3.0' })).status).toBe(404)
    failing = 'add file'
    expect((await ada.put({ version: '4.0' }, 'x')).status).toBe(500)
    await deliver()
    expect(receiver.at(ada.place)).toEqual([])
  })

  test('of every version of a package that is deleted', async () => {
    const ada = await person()
    for (const version of ['1', '2', '3']) await publish(ada, version)
    await addHook(ada)
    await asked(ada.fetch(`/api/v1/packages/${ada.name}/generic/tool`, { method: 'DELETE' }), 204)
    await deliver()
    expect(versionsOf(receiver.bodies(ada.place)).sort()).toEqual(['deleted 1', 'deleted 2', 'deleted 3'])
    expect(receiver.bodies(ada.place).map(({ files }) => files.length)).toEqual([1, 1, 1])
  })

  test('of each, where so many are told that a package goes in several parts', async () => {
    const ada = await person()
    for (const version of Array.from({ length: 12 }, (_, index) => `1.${index}`)) await publish(ada, version)
    const hook = await addHook(ada)
    const id = hook.split('/').at(-1)
    const columns = 'owner_id, type, url, seal_id, events, is_active, created_at, updated_at'
    const copies = `with recursive copy (number) as (select 1 union all select number + 1 from copy where number < 199)
      insert into webhooks (${columns}) select ${columns} from webhooks cross join copy where webhooks.id = ${id}`
    await stowage.change(copies)
    await asked(ada.fetch(`/api/v1/packages/${ada.name}/generic/tool`, { method: 'DELETE' }), 204)
    const [told] =
      await stowage.change(`select count(*) as deliveries, count(distinct change) as changes from deliveries
      join webhooks on webhooks.id = webhook_id where owner_id = (select owner_id from webhooks where id = ${id})`)
    expect([Number(told?.deliveries), Number(told?.changes)]).toEqual([12 * 200, 12])
    await stowage.change(`delete from webhooks where id > ${id}`)
    await asked(ada.fetch(hook, { method: 'DELETE' }), 204)
  })

  test('of somebody who is gone by what is known of him', async () => {
    const ada = await person()
    const site = await addHook(stowage.admin, { hooks: '/api/v1/admin/hooks', path: '/of-the-gone' })
    await publish(ada)
    await asked(stowage.admin.fetch(`/api/v1/admin/users/${ada.name}?purge=true`, { method: 'DELETE' }), 204)
    await deliver()
    const bodies = receiver.bodies('/of-the-gone')
    expect(versionsOf(bodies)).toEqual(['created 1.0', 'deleted 1.0'])
    for (const body of bodies)
      expect(body.package).toMatchObject({ owner: { login: ada.name }, creator: { login: 'Ghost', id: -1 } })
    expect(bodies[0].sender).toMatchObject({ login: ada.name })
    expect(bodies[1].sender).toMatchObject({ login: 'admin' })
    await asked(stowage.admin.fetch(site, { method: 'DELETE' }), 204)
  })
})

describe('a delivery', () => {
  test.each<[string, Parameters<Receiver['answers']>[0], string, Record<string, Json> | null]>([
    ['500', (response) => response.writeHead(500).end('broken'), 'It answered 500.', { status: 500, body: 'broken' }],
    ['404', (response) => response.writeHead(404).end(), 'It answered 404.', { status: 404, body: '' }],
    [
      'a redirect',
      (response) => response.writeHead(307, { Location: `${receiver.url}/redirected` }).end(),
      'It answered 307, and redirects are not followed.',
      { status: 307, headers: { location: expect.any(String) } },
    ],
    ['garbage', (response) => response.socket?.end('NONSENSE\r\n\r\n'), 'What answered does not speak HTTP.', null],
    ['a cut', (response) => response.socket?.destroy(), 'socket hang up', null],
    ['nothing', () => {}, 'No complete answer within 1.5 seconds.', null],
  ])('that is answered with %s is tried again', async (what, answer, error, response) => {
    const ada = await person()
    const its = await addHook(ada)
    receiver.answers(answer)
    await publish(ada)
    await deliver()
    const [{ id }] = await get(ada, `${its}/deliveries?state=waiting`)
    const told = await get(ada, `${its}/deliveries/${id}`)
    expect(told).toMatchObject({ state: 'waiting', attempts: 1, event: 'package', action: 'created' })
    expect(told.error).toContain(error)
    if (response === null) expect(told.response).toBeNull()
    else expect(told.response).toMatchObject(response)
    expect(Date.parse(told.next_attempt_at)).toBe(Math.floor((clock + 5_000) / 1_000) * 1_000)
    receiver.answers((response) => response.writeHead(200).end('thanks'))
    clock += 5_000
    await deliver()
    const [first, second, ...more] = receiver.at(ada.place)
    expect(second).toEqual(first as never)
    expect(more).toEqual([])
    expect(receiver.at('/redirected')).toEqual([])
    expect(await get(ada, `${its}/deliveries/${id}`)).toMatchObject({
      state: 'delivered',
      attempts: 2,
      error: null,
      next_attempt_at: null,
      response: { status: 200, body: 'thanks' },
    })
    void what
  })

  test('keeps what was answered, a mebibyte of it, whatever it is', async () => {
    const ada = await person()
    const its = await addHook(ada)
    receiver.answers((response) => {
      response.writeHead(200, { 'X-Odd': 'ä' })
      response.write(Buffer.from([0x61, 0, 0xff, 0xc3]))
      response.end(Buffer.alloc(2 * 1024 * 1024, 'b'))
    })
    await publish(ada)
    await deliver()
    const [{ id }] = await get(ada, `${its}/deliveries?state=delivered`)
    const { response } = await get(ada, `${its}/deliveries/${id}`)
    expect(response.body).toHaveLength(1024 * 1024)
    expect(response.body.slice(0, 6)).toBe('a\uFFFD\uFFFD\uFFFDbb')
  })

  test('waits for those before it; the next failure counts anew', async () => {
    const ada = await person()
    const its = await addHook(ada)
    receiver.answers((response) => response.writeHead(503).end())
    for (const version of ['1', '2', '3']) await publish(ada, version)
    for (const wait of [5_000, 10_000, 20_000, 40_000]) {
      await deliver()
      clock += wait - 1
      await deliver()
      clock += 1
    }
    expect(versionsOf(receiver.bodies(ada.place))).toEqual(Array(4).fill('created 1'))
    receiver.answers((response, { body }) => response.writeHead(body.includes('"version":"2"') ? 500 : 200).end())
    await deliver()
    clock += 4_999
    await deliver()
    expect(versionsOf(receiver.bodies(ada.place)).slice(4)).toEqual(['created 1', 'created 2'])
    receiver.answers((response) => response.writeHead(200).end())
    clock += 1
    await deliver()
    expect(versionsOf(receiver.bodies(ada.place)).slice(6)).toEqual(['created 2', 'created 3'])
    const states = await get(ada, `${its}/deliveries`)
    expect(states.map(({ state, attempts }: Json) => [state, attempts])).toEqual([
      ['delivered', 1],
      ['delivered', 2],
      ['delivered', 5],
    ])
  })

  test('is given up after a day, and the next one begins', async () => {
    const ada = await person()
    const its = await addHook(ada)
    receiver.answers((response) => response.writeHead(500).end())
    await publish(ada, '1')
    const made = clock
    clock += 12 * hour
    await publish(ada, '2')
    clock = made
    let attempts = 0
    while (attempts < 60 && clock < made + day) {
      attempts += 1
      await deliver()
      clock += hour
    }
    const states = async () => (await get(ada, `${its}/deliveries`)).map(({ state }: Json) => state)
    expect(await states()).toEqual(['waiting', 'waiting'])
    await deliver()
    expect(await states()).toEqual(['waiting', 'given-up'])
    receiver.answers((response) => response.writeHead(200).end())
    clock += hour
    await deliver()
    expect(await states()).toEqual(['delivered', 'given-up'])
    expect(await get(ada, `${its}/deliveries?state=given-up`)).toHaveLength(1)
    await asked(ada.fetch(`${its}/deliveries?state=lost`), 422)
  })

  test('is repeated, byte for byte, where the server was killed before it wrote down what came of it', async () => {
    const ada = await person()
    const its = await addHook(ada, {}, { secret: 'known to both' })
    await publish(ada)
    await stowage.stowage.runJobs()
    failing = 'record attempt'
    await stowage.stowage.runJobs('deliveries')
    expect((await get(ada, `${its}/deliveries`))[0]).toMatchObject({ state: 'waiting', attempts: 0 })
    clock += 5_000
    await deliver()
    const [first, second] = receiver.at(ada.place)
    expect(first).toBeDefined()
    expect(second).toEqual(first as never)
    expect((await get(ada, `${its}/deliveries`))[0]).toMatchObject({ state: 'delivered', attempts: 1 })
  })

  test('can be sent once more, as a new one', async () => {
    const ada = await person()
    const its = await addHook(ada)
    await publish(ada)
    await deliver()
    const [{ id, uuid }] = await get(ada, `${its}/deliveries`)
    const replayed = await asked(ada.post(`${its}/deliveries/${id}/replay`, ''), 202)
    expect(replayed).toMatchObject({ state: 'waiting', attempts: 0, action: 'created' })
    expect(replayed.uuid).not.toBe(uuid)
    await deliver()
    const [first, second] = receiver.at(ada.place)
    expect(second?.body).toBe(first?.body as string)
    expect(second?.headers['x-gitea-delivery']).toBe(replayed.uuid)
    await asked(ada.post(`${its}/deliveries/999999/replay`, ''), 404)
  })

  test('waits while its webhook is not active', async () => {
    const ada = await person()
    const its = await addHook(ada)
    await publish(ada, '1')
    await asked(patch(ada, its, { active: false }), 200)
    await publish(ada, '2')
    await deliver()
    expect(receiver.at(ada.place)).toEqual([])
    expect(await get(ada, `${its}/deliveries`)).toMatchObject([{ state: 'waiting', next_attempt_at: null }])
    await asked(patch(ada, its, { active: true }), 200)
    await publish(ada, '3')
    await deliver()
    expect(versionsOf(receiver.bodies(ada.place))).toEqual(['created 1', 'created 3'])
  })

  test('is tried at once where its webhook was mended', async () => {
    const ada = await person()
    const its = await addHook(ada, { path: '/wrong' })
    receiver.answers((response, { path }) => response.writeHead(path === '/wrong' ? 404 : 200).end())
    await publish(ada)
    await deliver()
    await asked(patch(ada, its, { config: { url: receiver.url + ada.place } }), 200)
    await deliver()
    expect(receiver.at(ada.place)).toHaveLength(1)
  })

  test('keeps the beginning alone of what was answered, when a hundred others have come', async () => {
    const ada = await person()
    const its = await addHook(ada)
    receiver.answers((response) => response.writeHead(200).end('b'.repeat(5_000)))
    await publish(ada)
    await deliver()
    const [{ id }] = await get(ada, `${its}/deliveries`)
    const lengthNow = async () => (await get(ada, `${its}/deliveries/${id}`)).response.body.length
    const columns = 'webhook_id, uuid, action, change, state, attempts, created_at, request_body'
    const copy = async (more: number) => {
      const values = Array.from({ length: more }, () => `select ${id}, '${crypto.randomUUID()}'`).join(' union all ')
      await stowage.change(`insert into deliveries (${columns})
        select webhook_id, copies.uuid, action, change, 'waiting', 0, created_at, request_body
        from (select 0 as id, '' as uuid union all ${values}) as copies join deliveries on deliveries.id = copies.id`)
    }
    receiver.answers((response) => response.writeHead(200).end())
    await copy(98)
    await publish(ada, '2')
    await deliver()
    expect(await lengthNow()).toBe(5_000)
    await publish(ada, '3')
    await deliver()
    expect(await lengthNow()).toBe(1_000)
    expect(receiver.at(ada.place)).toHaveLength(101)
  })

  test('cannot be made where the secret was sealed with another key, and says so', async () => {
    const ada = await person()
    const its = await addHook(ada, {}, { secret: 'known to both' })
    await stowage.change(`update webhooks set seal_id = 'another' where id = ${its.split('/').at(-1)}`)
    await publish(ada)
    await deliver()
    expect((await get(ada, `${its}/deliveries`))[0]).toMatchObject({
      state: 'waiting',
      error: expect.stringContaining('set it again'),
    })
    expect(receiver.at(ada.place)).toEqual([])
    await asked(patch(ada, its, { config: { secret: 'known again' } }), 200)
    await deliver()
    expect(receiver.at(ada.place)).toHaveLength(1)
  })

  test('goes with its webhook, and with its owner', async () => {
    const ada = await person()
    const its = await addHook(ada)
    const other = await addHook(ada)
    await publish(ada)
    await deliver()
    await asked(ada.fetch(its, { method: 'DELETE' }), 204)
    await asked(ada.fetch(`${its}/deliveries`), 404)
    expect(await get(ada, `${other}/deliveries`)).toHaveLength(1)
    await asked(stowage.admin.fetch(`/api/v1/admin/users/${ada.name}?purge=true`, { method: 'DELETE' }), 204)
    await deliver()
    const left = `select count(*) as n from deliveries where webhook_id in (${its.split('/').at(-1)}, ${other.split('/').at(-1)})`
    expect(Number((await stowage.change(left))[0]?.n)).toBe(0)
  })

  test('is kept for thirty days', async () => {
    const ada = await person()
    const its = await addHook(ada)
    await publish(ada, '1')
    clock += 20 * day
    await publish(ada, '2')
    await deliver()
    clock += 11 * day
    await dropDeliveries(stowage.stowage.registry, new AbortController().signal)
    const left = await get(ada, `${its}/deliveries`)
    expect(left.map(({ created_at }: Json) => Date.parse(created_at))).toEqual([clock - 11 * day])
  })
})

describe('a webhook that never answers', () => {
  test('holds up no other one, nor the server when it stops', async () => {
    const settings = { STOWAGE_WEBHOOK_ALLOWED_HOSTS: '127.0.0.1' }
    const server = await startStowage({ settings, replace: { background: 'on' } })
    try {
      receiver.answers((response, { path }) => path.startsWith('/never') || response.writeHead(200).end())
      const slow = await server.user('slow')
      const quick = await server.user('quick')
      await addHook(slow, { path: '/never' })
      await addHook(quick, { path: '/quick' })
      await publish(slow)
      await until(() => receiver.at('/never').length > 0, 'the slow one is asked')
      // It is being waited for from now on.
      await publish(quick)
      await until(() => receiver.at('/quick').length > 0, 'the quick one is told', 4_000)
      expect(receiver.at('/never')).toHaveLength(1)
    } finally {
      const begun = performance.now()
      await server[Symbol.asyncDispose]()
      expect(performance.now() - begun).toBeLessThan(3_000)
    }
  })
})

describe('secrets', () => {
  test('are in no row, no answer, no log of deliveries; also where the receiver says them back', async () => {
    const ada = await person()
    const [secret, token] = ['s3cr3t-of-the-signature', 't0ken-of-the-header']
    const its = await addHook(ada, { authorization_header: `Bearer ${token}`, path: '/p4th-of-a-hook' }, { secret })
    receiver.answers((response, { headers }) => {
      response.writeHead(500, { 'X-Echo': `${headers.authorization}` })
      response.end(`${headers.authorization} ${secret}`)
    })
    await publish(ada)
    await deliver()
    await asked(patch(ada, its, { authorization_header: `Bearer ${token}2`, config: { secret: `${secret}2` } }), 200)
    const [{ id }] = await get(ada, `${its}/deliveries`)
    const whole = await get(ada, `${its}/deliveries/${id}`)
    expect(whole.request).toMatchObject({
      origin: receiver.url,
      headers: { Authorization: '[secret]', 'X-Gitea-Signature': '[secret]' },
    })
    expect(whole.response).toMatchObject({ headers: { 'x-echo': '[secret]' }, body: '[secret] [secret]' })
    const rows = []
    for (const table of ['webhooks', 'deliveries', 'jobs', 'audit_events'])
      rows.push(...(await stowage.change(`select * from ${table}`)))
    const text = JSON.stringify([rows.map(({ url: _, ...row }) => row), whole, await get(ada, its)])
    expect([secret, token].filter((hidden) => text.includes(hidden))).toEqual([])
    const told = JSON.stringify([rows.map(({ url: _, ...row }) => row), whole])
    expect(told.includes('p4th-of-a-hook')).toBe(false)
    const audited = await stowage.change(
      `select action, details from audit_events where action like 'webhook.%' order by id desc limit 2`,
    )
    expect(audited).toMatchObject([{ action: 'webhook.changed' }, { action: 'webhook.created' }])
    expect(JSON.parse(String(audited[0]?.details))).toEqual({ url: receiver.url, events: ['package'], active: true })
    await asked(ada.fetch(its, { method: 'DELETE' }), 204)
    const [deleted] = await stowage.change(
      `select details from audit_events where action = 'webhook.deleted' order by id desc`,
    )
    expect(JSON.parse(String(deleted?.details))).toEqual({ url: receiver.url, events: ['package'] })
  })
})
