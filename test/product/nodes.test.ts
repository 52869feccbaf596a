import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type TOTP, URI } from 'otpauth'
import type { BlobStore } from '../../server/blobs/blob-store.ts'
import { Browser } from '../support/browser.ts'
import { bytesForJob } from '../support/bytes-for-job.ts'
import { behindItsBack, onPostgres } from '../support/database.ts'
import { sendTo } from '../support/links.ts'
import { startMailServer } from '../support/mail-server.ts'
import { startReceiver } from '../support/receiver.ts'
import { secondNode } from '../support/second-node.ts'
import { ServerProcess, temporaryFolder } from '../support/server-process.ts'
import { type Client, startStowage, type TestStowage } from '../support/stowage.ts'
import { until } from '../support/until.ts'

const step = 30_000
let clock = Date.now()
let stowage: TestStowage
let nodes: readonly TestStowage[]

const statusOf = async (answer: Promise<Response>) => (await answer).status

/** Something that one node does, and a question whose answer it changes at every node. */
interface Change {
  act: (here: TestStowage) => Promise<Response>
  ask: (there: TestStowage) => Promise<unknown>
}

async function done(answer: Promise<Response>): Promise<Response> {
  const response = await answer
  if (!response.ok) throw new Error(`${response.status} ${response.url}: ${await response.text()}`)
  return response
}

/** Somebody who has published a file. */
async function publisher(name: string): Promise<Client> {
  const person = await stowage.user(name)
  await done(person.put({}, 'bytes'))
  return person
}

/** An organisation with a file and a team whose only member is the new person; the team's number. */
async function member(name: string, visibility: string): Promise<{ person: Client; org: string; team: number }> {
  const org = `${name}-org`
  const { admin } = stowage
  await done(admin.post('/api/v1/orgs', { username: org, visibility }))
  await done(admin.put({ owner: org }, 'bytes'))
  const made = await done(admin.post(`/api/v1/orgs/${org}/teams`, { name: 'writers', permission: 'write' }))
  const { id: team } = (await made.json()) as { id: number }
  const person = await stowage.user(name)
  await done(admin.fetch(`/api/v1/teams/${team}/members/${name}`, { method: 'PUT' }))
  return { person, org, team }
}

const send = (client: Client, method: string, path: string, body?: object) =>
  client.fetch(`/api/v1${path}`, { method, redirect: 'manual', ...(body ? { body: JSON.stringify(body) } : {}) })

const read = (client: Client, there: TestStowage) => statusOf(client.at(there).get())
let files = 0
/** Each time another file. */
const write = (client: Client, there: TestStowage) => {
  files += 1
  return statusOf(client.at(there).put({ file: `file-${files}` }, 'bytes'))
}
const asksApi = (client: Client, path: string) => (there: TestStowage) => statusOf(send(client.at(there), 'GET', path))

const changes: [what: string, was: unknown, is: unknown, prepare: (name: string) => Promise<Change>][] = [
  [
    'a file is published',
    404,
    200,
    async (name) => {
      const person = await stowage.user(name)
      return {
        act: (here) => person.at(here).put({}, 'bytes'),
        ask: (there) => read(stowage.anonymous.as(name), there),
      }
    },
  ],
  [
    'a file is published, for those who list',
    '0',
    '1',
    async (name) => {
      const person = await stowage.user(name)
      return {
        act: (here) => person.at(here).put({}, 'bytes'),
        ask: async (there) => {
          const list = await send(stowage.anonymous.at(there), 'GET', `/packages/${name}?q=oo`)
          return list.headers.get('x-total-count')
        },
      }
    },
  ],
  [
    'a file is deleted',
    200,
    404,
    async (name) => {
      const person = await publisher(name)
      return {
        act: (here) => person.at(here).delete(),
        ask: (there) => read(stowage.anonymous.as(name), there),
      }
    },
  ],
  [
    'a package is deleted',
    200,
    404,
    async (name) => {
      const person = await publisher(name)
      return {
        act: (here) => send(person.at(here), 'DELETE', `/packages/${name}/generic/tool`),
        ask: (there) => read(stowage.anonymous.as(name), there),
      }
    },
  ],
  [
    'a package is described',
    '',
    'A tool',
    async (name) => {
      const person = await publisher(name)
      const path = `/packages/${name}/generic/tool/-/metadata`
      return {
        act: (here) => send(person.at(here), 'PATCH', path, { description: 'A tool' }),
        ask: async (there) => {
          const answer = await done(send(stowage.anonymous.at(there), 'GET', path))
          return ((await answer.json()) as { description: string }).description
        },
      }
    },
  ],
  [
    'a token is deleted',
    200,
    401,
    async (name) => {
      const person = await publisher(name)
      const token = await person.token(['read:package'], { name: 'ci' })
      return {
        act: (here) => send(person.at(here), 'DELETE', `/users/${name}/tokens/ci`),
        ask: (there) => read(token, there),
      }
    },
  ],
  [
    'a password is changed',
    200,
    401,
    async (name) => {
      const person = await publisher(name)
      const body = { old_password: `${name}-Pass-1234`, new_password: 'another-Pass-1' }
      return {
        act: (here) => send(person.at(here), 'POST', '/user/password', body),
        ask: (there) => read(person, there),
      }
    },
  ],
  [
    'a deploy token is deleted',
    200,
    401,
    async (name) => {
      const person = await publisher(name)
      const made = await done(
        send(person, 'POST', `/owners/${name}/deploy-tokens`, { name: 'ci', scopes: ['read:package'] }),
      )
      const { id, sha1 } = (await made.json()) as { id: number; sha1: string }
      const token = stowage.anonymous.as(name).with({ Authorization: `token ${sha1}` })
      return {
        act: (here) => send(person.at(here), 'DELETE', `/owners/${name}/deploy-tokens/${id}`),
        ask: (there) => read(token, there),
      }
    },
  ],
  [
    'a second factor is set up',
    200,
    401,
    async (name) => {
      const person = await publisher(name)
      const { url } = (await (await done(send(person, 'POST', '/user/totp', {}))).json()) as { url: string }
      const code = (URI.parse(url) as TOTP).generate({ timestamp: clock })
      return {
        act: (here) => send(person.at(here), 'POST', '/user/totp/confirm', { code }),
        ask: (there) => read(person, there),
      }
    },
  ],
  [
    'an account is prohibited',
    200,
    401,
    async (name) => {
      const person = await publisher(name)
      return {
        act: (here) => send(stowage.admin.at(here), 'PATCH', `/admin/users/${name}`, { prohibit_login: true }),
        ask: (there) => read(person, there),
      }
    },
  ],
  [
    'an account is restricted',
    200,
    404,
    async (name) => {
      const owner = `${name}-limited`
      await done((await stowage.user(owner, { visibility: 'limited' })).put({}, 'bytes'))
      const person = await stowage.user(name)
      return {
        act: (here) => send(stowage.admin.at(here), 'PATCH', `/admin/users/${name}`, { restricted: true }),
        ask: (there) => read(person.as(owner), there),
      }
    },
  ],
  [
    'an account is deleted',
    200,
    401,
    async (name) => {
      const token = await (await stowage.user(name)).token(['all'])
      return {
        act: (here) => send(stowage.admin.at(here), 'DELETE', `/admin/users/${name}`),
        ask: asksApi(token, '/user'),
      }
    },
  ],
  [
    'an administrator is none any more',
    200,
    403,
    async (name) => {
      const person = await stowage.user(name)
      await done(send(stowage.admin, 'PATCH', `/admin/users/${name}`, { admin: true }))
      return {
        act: (here) => send(stowage.admin.at(here), 'PATCH', `/admin/users/${name}`, { admin: false }),
        ask: asksApi(person, '/admin/users'),
      }
    },
  ],
  [
    'a session is ended',
    200,
    401,
    async (name) => {
      await stowage.user(name)
      const browser = new Browser(stowage)
      await done(browser.signIn(name))
      const at = (node: TestStowage) => Object.assign(new Browser(node), { cookie: browser.cookie })
      return {
        act: (here) => at(here).post('/user/logout'),
        ask: (there) => statusOf(at(there).fetch('/user/session')),
      }
    },
  ],
  [
    'a member is removed',
    200,
    404,
    async (name) => {
      const { person, org } = await member(name, 'private')
      return {
        act: (here) => send(stowage.admin.at(here), 'DELETE', `/orgs/${org}/members/${name}`),
        ask: (there) => read(person.as(org), there),
      }
    },
  ],
  [
    'a team may only read',
    201,
    403,
    async (name) => {
      const { person, org, team } = await member(name, 'public')
      return {
        act: (here) => send(stowage.admin.at(here), 'PATCH', `/teams/${team}`, { name: 'readers', permission: 'read' }),
        ask: (there) => write(person.as(org), there),
      }
    },
  ],
  [
    'a user becomes private',
    200,
    404,
    async (name) => {
      await publisher(name)
      const stranger = await stowage.user(`${name}-stranger`)
      return {
        act: (here) => send(stowage.admin.at(here), 'PATCH', `/admin/users/${name}`, { visibility: 'private' }),
        ask: (there) => read(stranger.as(name), there),
      }
    },
  ],
  [
    'an organisation becomes private',
    200,
    404,
    async (name) => {
      await done(stowage.admin.post('/api/v1/orgs', { username: name }))
      await done(stowage.admin.put({ owner: name }, 'bytes'))
      const stranger = await stowage.user(`${name}-stranger`)
      return {
        act: (here) => send(stowage.admin.at(here), 'PATCH', `/orgs/${name}`, { visibility: 'private' }),
        ask: (there) => read(stranger.as(name), there),
      }
    },
  ],
  [
    'a package becomes private',
    200,
    404,
    async (name) => {
      await publisher(name)
      const stranger = await stowage.user(`${name}-stranger`)
      const path = `/packages/${name}/generic/tool/-/access`
      return {
        act: (here) => send(stowage.admin.at(here), 'PATCH', path, { visibility: 'private' }),
        ask: (there) => read(stranger.as(name), there),
      }
    },
  ],
  [
    'a private package names somebody',
    404,
    200,
    async (name) => {
      await publisher(name)
      const named = await stowage.user(`${name}-named`)
      const path = `/packages/${name}/generic/tool/-/access`
      await done(send(stowage.admin, 'PATCH', path, { visibility: 'private' }))
      return {
        act: (here) => send(stowage.admin.at(here), 'PUT', `${path}/users/${name}-named`, { permission: 'read' }),
        ask: (there) => read(named.as(name), there),
      }
    },
  ],
  [
    'a package names somebody no more',
    201,
    403,
    async (name) => {
      await publisher(name)
      const named = await stowage.user(`${name}-named`)
      const path = `/packages/${name}/generic/tool/-/access/users/${name}-named`
      await done(send(stowage.admin, 'PUT', path, { permission: 'write' }))
      return {
        act: (here) => send(stowage.admin.at(here), 'DELETE', path),
        ask: (there) => write(named.as(name), there),
      }
    },
  ],
  [
    'an owner is renamed',
    '200 404',
    '307 200',
    async (name) => {
      await publisher(name)
      return {
        act: (here) =>
          send(stowage.admin.at(here), 'POST', `/admin/users/${name}/rename`, { new_username: `${name}-2` }),
        ask: async (there) => {
          const both = [name, `${name}-2`].map((owner) =>
            statusOf(fetch(there.url + stowage.anonymous.path({ owner }), { redirect: 'manual' })),
          )
          return (await Promise.all(both)).join(' ')
        },
      }
    },
  ],
  [
    'an owner may store no more',
    201,
    403,
    async (name) => {
      const person = await stowage.user(name)
      return {
        act: (here) => send(stowage.admin.at(here), 'PATCH', `/admin/quotas/owners/${name}`, { bytes: 1 }),
        ask: (there) => write(person, there),
      }
    },
  ],
]

describe('what one of three nodes has done', () => {
  beforeAll(async () => {
    stowage = await startStowage({ nodes: 3, replace: { now: () => clock } })
    nodes = stowage.nodes
  })
  afterAll(() => stowage[Symbol.asyncDispose]())

  let rows = 0
  test.each(changes)(
    'counts at every other one from its next request: %s (%p, then %p)',
    async (_, was, is, prepare) => {
      rows += 1
      for (const [index, here] of nodes.entries()) {
        const { act, ask } = await prepare(`row-${rows}-${index}`)
        // More than once: what a node would remember it has been told by then.
        for (const there of [...nodes, ...nodes]) expect(await ask(there)).toBe(was)
        await done(act(here))
        const others = nodes.filter((node) => node !== here)
        expect(await Promise.all(others.map(ask))).toEqual(others.map(() => is))
        expect(await ask(here)).toBe(is)
      }
    },
  )

  test('a code of a second factor works once', async () => {
    for (const [index, here] of nodes.entries()) {
      const person = await stowage.user(`coded-${index}`)
      const { url } = (await (await done(send(person, 'POST', '/user/totp', {}))).json()) as { url: string }
      const phone = URI.parse(url) as TOTP
      await done(send(person, 'POST', '/user/totp/confirm', { code: phone.generate({ timestamp: clock }) }))
      clock += step
      const ask = (there: TestStowage) => {
        const headers = { 'X-Gitea-OTP': phone.generate({ timestamp: clock }) }
        return statusOf(person.at(there).fetch('/api/v1/user', { headers }))
      }
      expect(await ask(here)).toBe(200)
      expect(await Promise.all(nodes.map(ask))).toEqual([401, 401, 401])
    }
  })

  test('a name is taken once, also where all of them are asked at the same time', async () => {
    const person = await stowage.user('crowd')
    for (let round = 0; round < 10; round += 1) {
      const answers = nodes.map((node, index) => statusOf(person.at(node).put({ version: `${round}` }, `${index}`)))
      expect((await Promise.all(answers)).toSorted()).toEqual([201, 409, 409])
      const got = await Promise.all(
        nodes.map(async (node) => (await person.at(node).get({ version: `${round}` })).text()),
      )
      expect(new Set(got).size).toBe(1)
    }
  })

  test('downloads are added up', async () => {
    const person = await publisher('counted')
    for (const node of nodes) for (let time = 0; time < 5; time += 1) expect(await read(person, node)).toBe(200)
    await stowage.stowage.flushDownloads()
    const path = '/packages/counted/generic/tool/-/downloads'
    for (const node of nodes) {
      const told = (await (await done(send(person.at(node), 'GET', path))).json()) as { total: number }
      expect(told.total).toBe(15)
    }
  })
})

describe('in the background', () => {
  const webhooks = { STOWAGE_WEBHOOK_ALLOWED_HOSTS: '127.0.0.1' }
  const hookTo = (url: string) => ({ type: 'gitea', active: true, config: { url, content_type: 'json' } })

  test('each thing is done once, however many nodes look for it', async () => {
    await using receiver = await startReceiver()
    await using mails = await startMailServer()
    const digests = new Map<string, number>()
    const counting = (store: BlobStore): BlobStore => {
      const digest = store.digest.bind(store)
      store.digest = (location, algorithms) => {
        digests.set(location, (digests.get(location) ?? 0) + 1)
        return digest(location, algorithms)
      }
      return store
    }
    await using all = await startStowage({
      nodes: 3,
      settings: {
        ...webhooks,
        STOWAGE_SMTP_URL: mails.url,
        STOWAGE_MAIL_FROM: 'packages@example.com',
        STOWAGE_TRUSTED_PROXIES: '127.0.0.1',
      },
      replace: { background: 'on', blobs: counting },
    })
    const ada = await all.user('ada')
    await done(ada.post('/api/v1/user/hooks', hookTo(`${receiver.url}/ada`)))
    const names = Array.from({ length: 12 }, (_, index) => `person-${index}`)
    for (const name of names) await all.user(name)
    const at = (index: number) => all.nodes[index % 3] ?? all
    await Promise.all(
      names.flatMap((name, index) => [
        done(sendTo(at(index), 'forgot-password', { email: `${name}@example.com` })),
        done(ada.at(at(index)).put({ version: `${index}` }, bytesForJob(index))),
      ]),
    )
    const left = "select kind from jobs where subject <> ''"
    await until(async () => (await all.change(left)).length === 0, 'nothing is left to do')
    expect(receiver.at('/ada')).toHaveLength(names.length)
    expect(new Set(receiver.at('/ada').map(({ headers }) => headers['x-gitea-delivery'])).size).toBe(names.length)
    expect(mails.mails.flatMap(({ to }) => to).toSorted()).toEqual(
      names.map((name) => `${name}@example.com`).toSorted(),
    )
    expect([...digests.values()].filter((times) => times > 1)).toEqual([])
  })

  // On SQLite a process has no other node beside it, and its workers are tested in workers.test.ts.
  test.skipIf(!onPostgres)(
    'what a node was telling when it was killed is told by another one, once it counts as dead',
    async () => {
      await using receiver = await startReceiver()
      await using folder = await temporaryFolder()
      const killed = await ServerProcess.start(folder.path, webhooks)
      await using other = await secondNode(folder.path, { settings: webhooks })
      const { lease } = other.stowage.registry
      receiver.answers(() => undefined)
      await done(killed.admin.post('/api/v1/user/hooks', hookTo(`${receiver.url}/hook`)))
      await done(killed.admin.put({}, 'bytes'))
      await until(() => receiver.at('/hook').length === 1, 'the receiver is told')
      await killed.kill()
      receiver.answers((response) => response.writeHead(204).end())
      expect(await other.stowage.runJobs('deliveries')).toBe(0)

      // That is what time does.
      await behindItsBack(folder.path, `update leases set expires_at = 0 where id <> '${lease.id}'`)
      expect(await lease.expireOthers()).toHaveLength(1)
      expect(await other.stowage.runJobs('deliveries')).toBe(1)
      const [first, second] = receiver.at('/hook').map(({ headers }) => headers['x-gitea-delivery'])
      expect(second).toBe(first as string)
      expect(await read(other.anonymous, other)).toBe(200)
    },
  )
})
