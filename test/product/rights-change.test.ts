import { describe, expect, test } from 'bun:test'
import { connect } from 'node:net'
import type { AroundStatement } from '../../server/catalogue/statement.ts'
import { blobFiles, rowCounts } from '../support/inventory.ts'
import { parseAnswer } from '../support/raw-socket.ts'
import { SlowUpload } from '../support/slow-upload.ts'
import { adminPassword, basic, type Client, startStowage, type TestStowage } from '../support/stowage.ts'
import { until } from '../support/until.ts'

/** Sends a request's head and half of its body, does something else, and sends the rest. */
async function interrupted(
  stowage: TestStowage,
  path: string,
  body: object,
  meanwhile: () => Promise<unknown>,
  sender = { authorization: basic('admin', adminPassword), isRecognised: () => isAdminRecognised(stowage) },
) {
  const text = JSON.stringify(body)
  const chunks: Buffer[] = []
  const socket = connect(stowage.port, '127.0.0.1')
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()))
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  const head = [
    `POST ${path} HTTP/1.1`,
    'Host: stowage',
    'Connection: close',
    `Authorization: ${sender.authorization}`,
    `Content-Length: ${text.length}`,
    '',
    text.slice(0, 5),
  ]
  socket.write(head.join('\r\n'))
  await until(sender.isRecognised, 'the caller is recognised')
  await meanwhile()
  socket.write(text.slice(5))
  await closed
  return parseAnswer(Buffer.concat(chunks))
}

/** The caller has been recognised once his password was computed. */
async function isAdminRecognised(stowage: TestStowage): Promise<boolean> {
  return stowage.stowage.passwords.isRemembered(await storedPassword(stowage), adminPassword)
}

async function storedPassword(stowage: TestStowage) {
  const { id, password_hash } = await stowage.stowage.registry.catalogue.read
    .selectFrom('users')
    .select(['id', 'password_hash'])
    .executeTakeFirstOrThrow()
  return { id, hash: password_hash ?? '' }
}

test.each([
  ['/api/v1/users/admin/tokens', { name: 'late', scopes: ['all'] }],
  ['/api/v1/admin/users', { username: 'eve', password: 'eve-Pass-1234' }],
  ['/api/v1/orgs', { username: 'late' }],
])('a password that is reset while a body of %s arrives makes nothing any more', async (path, body) => {
  await using stowage = await startStowage()
  const reset = () => stowage.stowage.accounts.resetAdministrator(undefined, 'another-Pass-1')
  const answer = await interrupted(stowage, path, body, reset)
  expect(answer.status).toBe(401)
  const { read } = stowage.stowage.registry.catalogue
  expect(await read.selectFrom('tokens').selectAll().execute()).toEqual([])
  expect(await read.selectFrom('users').selectAll().execute()).toHaveLength(1)
  expect(await read.selectFrom('organisations').selectAll().execute()).toEqual([])
})

test('a token makes children that end with it', async () => {
  const clock = { now: Date.now() }
  await using stowage = await startStowage({ replace: { now: () => clock.now } })
  const end = new Date(Math.floor(clock.now / 1000) * 1000 + 60_000)
  const parent = await stowage.admin.token(['all'], { expires_at: end.toISOString() })
  const byParent = stowage.admin.with({ Authorization: basic('x', parent.secret) })
  const wanted = [null, new Date(end.getTime() + 60_000).toISOString(), new Date(end.getTime() - 30_000).toISOString()]
  const given: unknown[] = []
  for (const expires_at of wanted) {
    const answer = await byParent.post('/api/v1/users/admin/tokens', {
      name: `${expires_at}`,
      scopes: ['all'],
      expires_at,
    })
    given.push(((await answer.json()) as { expires_at: string }).expires_at)
  }
  const shown = (time: Date) => time.toISOString().replace('.000Z', 'Z')
  expect(given).toEqual([shown(end), shown(end), shown(new Date(end.getTime() - 30_000))])
})

test('guesses that come at once do not pass the limit together, for a known name and an unknown one alike', async () => {
  await using stowage = await startStowage()
  for (const name of ['admin', 'nobody']) {
    const guesses = Array.from({ length: 30 }, (_, index) =>
      stowage.anonymous.fetch('/api/v1/user', { headers: { Authorization: basic(name, `guess-${index}`) } }),
    )
    const statuses = (await Promise.all(guesses)).map(({ status }) => status)
    expect({ name, wrong: statuses.filter((status) => status === 401).length }).toEqual({ name, wrong: 10 })
    expect(statuses.every((status) => status === 401 || status === 429)).toBe(true)
  }
})

test('forty jobs that start together with one right password cost one computation', async () => {
  await using stowage = await startStowage()
  const before = stowage.stowage.passwords.computations
  const calls = Array.from({ length: 40 }, () => stowage.admin.fetch('/api/v1/user'))
  expect((await Promise.all(calls)).map(({ status }) => status)).toEqual(Array(40).fill(200))
  expect(stowage.stowage.passwords.computations - before).toBe(1)
})

describe('in an organisation', () => {
  /** An organisation of the administrator's, with a team whose one member may publish. */
  async function publisher(stowage: TestStowage) {
    const { admin } = stowage
    const paul = await stowage.user('paul')
    const made = async (path: string, body: object) => (await (await admin.post(`/api/v1${path}`, body)).json()) as Made
    const organisation = await made('/orgs', { username: 'tools' })
    const team = await made('/orgs/tools/teams', { name: 'publishers', permission: 'write' })
    await put(admin, `/teams/${team.id}/members/paul`)
    return { paul, team: `/teams/${team.id}`, organisation }
  }

  interface Made {
    id: number
  }

  const change = (client: Client, method: string, path: string, body?: object) =>
    client.fetch(`/api/v1${path}`, { method, ...(body ? { body: JSON.stringify(body) } : {}) })

  async function put(client: Client, path: string): Promise<void> {
    expect((await change(client, 'PUT', path)).status).toBe(204)
  }

  const losses: [string, (by: { admin: Client; paul: Client; team: string }) => Promise<Response>][] = [
    ['its sender is taken out of the team', ({ admin, team }) => change(admin, 'DELETE', `${team}/members/paul`)],
    ['its sender leaves the organisation', ({ paul }) => change(paul, 'DELETE', '/orgs/tools/members/paul')],
    ['the team may only read from now on', ({ admin, team }) => change(admin, 'PATCH', team, { permission: 'read' })],
    ['the team is deleted', ({ admin, team }) => change(admin, 'DELETE', team)],
  ]

  test.each(losses)('an upload that is under way while %s is refused, and nothing is stored', async (_, lose) => {
    await using stowage = await startStowage()
    const { paul, team } = await publisher(stowage)
    const authorization = basic('paul', 'paul-Pass-1234')
    const body = Buffer.alloc(100_000, 'x')
    const target = paul.path({ owner: 'tools' })
    using upload = await SlowUpload.begin(stowage.port, target, { Authorization: authorization }, body.length)
    await upload.send(body.subarray(0, 60_000))
    const bytesAreThere = async () => [...(await blobFiles(stowage.dataDir)).values()].some((size) => size > 0)
    await until(bytesAreThere, 'the first bytes are on the disk')
    expect((await lose({ admin: stowage.admin, paul, team })).ok).toBe(true)
    await upload.send(body.subarray(60_000))
    const answer = await upload.answer()
    expect({ status: answer.status, text: answer.body.toString().trim() }).toEqual({
      status: 403,
      text: 'paul may read the packages of tools, but not publish or delete there.',
    })
    expect(await rowCounts(stowage.stowage.registry.catalogue.read)).toMatchObject({ files: 0, blobs: 0, packages: 0 })
  })

  test('a body that arrives while its sender stops being an owner makes nothing', async () => {
    await using stowage = await startStowage()
    const { admin } = stowage
    const { passwords } = stowage.stowage
    await publisher(stowage)
    const [owners] = await stowage.change("select id from teams where name_key = 'owners'")
    await put(admin, `/teams/${owners?.id}/members/paul`)
    const before = passwords.computations
    const sender = {
      authorization: basic('paul', 'paul-Pass-1234'),
      // What he is there has been looked up before his password is computed.
      isRecognised: async () => passwords.computations > before,
    }
    const demote = () => change(admin, 'DELETE', `/teams/${owners?.id}/members/paul`)
    const answer = await interrupted(stowage, '/api/v1/orgs/tools/teams', { name: 'late' }, demote, sender)
    expect(answer.status).toBe(403)
    expect(JSON.parse(answer.body.toString()).message).toBe('paul is not an owner of tools.')
    const { read } = stowage.stowage.registry.catalogue
    expect(await read.selectFrom('teams').selectAll().execute()).toHaveLength(2)
  })

  test.each([
    ['/orgs', 'is_admin = 0', 'may_create_organisations = 0', 'paul may not make organisations.'],
    ['/admin/users/paul/orgs', 'is_admin = 1', 'is_admin = 0', 'paul is not an administrator of this site.'],
  ])(
    'a body of %s that arrives while its sender loses the right to make one makes none',
    async (path, had, has, refused) => {
      const read: string[] = []
      const around: AroundStatement = async (sql, run) => {
        const result = await run(sql)
        read.push(sql)
        return result
      }
      await using stowage = await startStowage({ replace: { aroundStatement: around } })
      await stowage.user('paul')
      const become = (what: string) =>
        stowage.change(`update users set ${what} where id = (select id from owners where name = 'paul') returning id`)
      await become(had)
      read.length = 0
      const sender = {
        authorization: basic('paul', 'paul-Pass-1234'),
        isRecognised: async () => read.some((sql) => /from "users" inner join "owners" on/.test(sql)),
      }
      const answer = await interrupted(stowage, `/api/v1${path}`, { username: 'late' }, () => become(has), sender)
      expect([answer.status, JSON.parse(answer.body.toString()).message]).toEqual([403, refused])
    },
  )
})
