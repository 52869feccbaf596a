import { describe, expect, test } from 'bun:test'
import { rename, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { AroundStatement } from '../../server/catalogue/statement.ts'
import type { Catalogue } from '../../server/catalogue/transaction.ts'
import { bytesForJob, digestsLater } from '../support/bytes-for-job.ts'
import { blobFiles } from '../support/inventory.ts'
import { temporaryFolder } from '../support/server-process.ts'
import { type Client, type StartOptions, startStowage, type TestStowage } from '../support/stowage.ts'
import { until } from '../support/until.ts'

const hour = 60 * 60_000
const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/

interface Shown {
  id: number
  kind: string
  subject: string
  state: string
  attempts: number
  due_at: string
  last_error: string | null
  given_up_at: string | null
  created_at: string
}

async function list(client: Client, query = ''): Promise<Shown[]> {
  const answer = await client.fetch(`/api/v1/admin/jobs${query}`)
  expect(answer.status).toBe(200)
  return (await answer.json()) as Shown[]
}

const retry = (client: Client, id: number | string) =>
  client.fetch(`/api/v1/admin/jobs/${id}/retry`, { method: 'POST' })
const remove = (client: Client, id: number | string) => client.fetch(`/api/v1/admin/jobs/${id}`, { method: 'DELETE' })

async function refusal(response: Promise<Response>): Promise<{ status: number; message: string }> {
  const { status } = await response
  const { message } = (await (await response).json()) as { message: string }
  return { status, message }
}

/** A server whose clock a test moves. */
async function startWithClock(replace: StartOptions['replace'] = {}) {
  const clock = { now: Date.now() }
  const stowage = await startStowage({ replace: { ...replace, now: () => clock.now } })
  return Object.assign(stowage, { clock })
}

/** Publishes a file and takes its bytes away, so that their digests cannot be computed. */
async function publishAndLose(stowage: TestStowage, file: string, seed: number): Promise<string> {
  const before = new Set((await blobFiles(stowage.dataDir)).keys())
  expect((await stowage.admin.put({ file }, bytesForJob(seed))).status).toBe(201)
  const [path = ''] = [...(await blobFiles(stowage.dataDir)).keys()].filter((name) => !before.has(name))
  const place = join(stowage.dataDir, 'blobs', path)
  await rename(place, join(stowage.dataDir, `away-${seed}`))
  return place
}

/** Lets days pass, and does what is due in every hour of them. */
async function letDaysPass(stowage: TestStowage & { clock: { now: number } }, days: number): Promise<void> {
  for (let hours = 0; hours < days * 24; hours++) {
    stowage.clock.now += hour
    await stowage.stowage.runJobs()
  }
}

describe('a job that keeps failing', () => {
  test('is given up, seen by an administrator, tried again when he says so, and done', async () => {
    await using stowage = await startWithClock()
    const { admin } = stowage
    const place = await publishAndLose(stowage, 'a', 1)
    const [asked] = await list(admin)
    expect(asked).toMatchObject({
      kind: 'digests',
      state: 'waiting',
      attempts: 0,
      last_error: null,
      given_up_at: null,
    })
    for (const time of [asked?.due_at, asked?.created_at]) expect(time).toMatch(rfc3339)

    expect(await stowage.stowage.runJobs()).toBe(0)
    const [failed] = await list(admin, '?state=waiting')
    expect(failed).toMatchObject({ id: asked?.id as number, state: 'waiting', attempts: 1 })
    expect(failed?.last_error).toBe('Problem: the stored bytes are not there')
    expect(await list(admin, '?state=given-up')).toEqual([])

    await letDaysPass(stowage, 3)
    const [givenUp, ...others] = await list(admin, '?state=given-up')
    expect(others).toEqual([])
    expect(givenUp).toMatchObject({ id: asked?.id as number, state: 'given-up', attempts: 36 })
    expect(givenUp?.given_up_at).toMatch(rfc3339)
    expect(Object.keys(givenUp ?? {})).toEqual(Object.keys(asked ?? {}))
    expect(await list(admin, '?state=waiting')).toEqual([])

    await rename(join(stowage.dataDir, 'away-1'), place)
    expect(await stowage.stowage.runJobs()).toBe(0)
    expect((await retry(admin, givenUp?.id as number)).status).toBe(204)
    expect(await list(admin)).toMatchObject([{ state: 'waiting', attempts: 0, given_up_at: null }])
    expect(await stowage.stowage.runJobs()).toBe(1)
    expect(await list(admin)).toEqual([])
    const { sha512 } = await stowage.stowage.registry.catalogue.read
      .selectFrom('blobs')
      .select('sha512')
      .executeTakeFirstOrThrow()
    expect(sha512).toBe(new Bun.CryptoHasher('sha512').update(bytesForJob(1)).digest('hex'))
  })

  test('can be deleted once it was given up, and not before', async () => {
    await using stowage = await startWithClock()
    const { admin } = stowage
    await publishAndLose(stowage, 'a', 1)
    const [{ id } = { id: 0 }] = await list(admin)
    expect(await refusal(remove(admin, id))).toEqual({
      status: 422,
      message: 'This job has not been given up: only one that nobody tries any more can be deleted.',
    })
    await letDaysPass(stowage, 3)
    expect((await remove(admin, id)).status).toBe(204)
    expect(await list(admin)).toEqual([])
    for (const ask of [remove, retry]) {
      expect(await refusal(ask(admin, id))).toEqual({ status: 404, message: 'There is no such job.' })
    }
  })

  test('is asked for anew by a publish of the same bytes', async () => {
    await using stowage = await startWithClock()
    await publishAndLose(stowage, 'a', 1)
    await letDaysPass(stowage, 3)
    expect(await list(stowage.admin, '?state=given-up')).toHaveLength(1)
    expect((await stowage.admin.put({ file: 'b' }, bytesForJob(1))).status).toBe(201)
    expect(await stowage.stowage.runJobs()).toBe(1)
    expect(await list(stowage.admin)).toEqual([])
  })

  test('has nothing left to do once its file is deleted', async () => {
    await using stowage = await startWithClock()
    await publishAndLose(stowage, 'a', 1)
    await unlink(join(stowage.dataDir, 'away-1'))
    await letDaysPass(stowage, 1)
    expect((await stowage.admin.delete({ file: 'a' })).status).toBe(204)
    stowage.clock.now += hour
    expect(await stowage.stowage.runJobs()).toBe(1)
    expect(await list(stowage.admin)).toEqual([])
  })
})

test('digests that were given up are waited for by nobody: a list of files shows null at once', async () => {
  let looks = 0
  const around: AroundStatement = (sql, run, place) => {
    if (place === 'reading' && /from "packages"/.test(sql)) looks += 1
    return run(sql)
  }
  await using stowage = await startWithClock({ aroundStatement: around })
  await publishAndLose(stowage, 'a', 1)
  await letDaysPass(stowage, 3)
  looks = 0
  const answer = await stowage.anonymous.fetch('/api/v1/packages/admin/generic/tool/1.0/files')
  expect(await answer.json()).toMatchObject([{ name: 'a', md5: null, sha1: null, sha512: null }])
  expect(looks).toBeLessThanOrEqual(2)
})

test('jobs are listed in pages, oldest first, with the total', async () => {
  await using stowage = await startStowage({ replace: { blobs: digestsLater } })
  for (let seed = 1; seed <= 5; seed++) {
    expect((await stowage.admin.put({ file: `f${seed}` }, bytesForJob(seed))).status).toBe(201)
  }
  const answer = await stowage.admin.fetch('/api/v1/admin/jobs?state=waiting&limit=2&page=2')
  const ids = (await list(stowage.admin)).map(({ id }) => id)
  expect(((await answer.json()) as Shown[]).map(({ id }) => id)).toEqual(ids.slice(2, 4))
  expect(answer.headers.get('x-total-count')).toBe('5')
  expect(answer.headers.get('link')).toContain(
    `<${stowage.url}/api/v1/admin/jobs?state=waiting&limit=2&page=3>; rel="next"`,
  )
  expect(ids).toEqual([...ids].sort((a, b) => a - b))
})

test('a job is shown as running while it is done, and can be neither deleted nor hurried', async () => {
  await using stowage = await startStowage({ replace: { blobs: digestsLater } })
  const { blobs } = stowage.stowage.registry
  const digest = blobs.digest.bind(blobs)
  const [begun, end] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  blobs.digest = async (...question) => {
    begun.resolve()
    await end.promise
    return digest(...question)
  }
  expect((await stowage.admin.put({}, bytesForJob(1))).status).toBe(201)
  const running = stowage.stowage.runJobs()
  await begun.promise
  const [job] = await list(stowage.admin, '?state=running')
  expect(job).toMatchObject({ kind: 'digests', state: 'running' })
  expect(await list(stowage.admin, '?state=waiting')).toEqual([])
  expect((await remove(stowage.admin, job?.id as number)).status).toBe(422)
  expect((await retry(stowage.admin, job?.id as number)).status).toBe(204)
  expect(await list(stowage.admin)).toEqual([job as Shown])
  end.resolve()
  expect(await running).toBe(1)
  expect(await list(stowage.admin)).toEqual([])
})

test('what comes again and again is one job each, however often a server starts, and nobody can delete it', async () => {
  await using folder = await temporaryFolder()
  const starts: { id: number; kind: string; subject: string }[][] = []
  for (let start = 0; start < 2; start++) {
    await using stowage = await startStowage({ dataDir: folder.path, replace: { background: 'on' } })
    const runAgain = async () =>
      (await list(stowage.admin)).every((job) => job.state === 'waiting' && Date.parse(job.due_at) > Date.now())
    await until(runAgain, 'all have run and will run again')
    const jobs = await list(stowage.admin)
    starts.push(jobs.map(({ id, kind, subject }) => ({ id, kind, subject })))
    for (const { id } of jobs) expect((await remove(stowage.admin, id)).status).toBe(422)
  }
  const [first = [], second] = starts
  expect(first.map(({ kind }) => kind).sort()).toEqual([
    'audit-retention',
    'ended-exchanges',
    'ended-sessions',
    'expired-links',
    'identities',
    'old-deliveries',
    'recount',
    'sweep',
  ])
  expect(first.every(({ subject }) => subject === '')).toBeTrue()
  expect(second).toEqual(first)
})

test('what a stopped server left to do is done by the next one', async () => {
  await using folder = await temporaryFolder()
  const first = await startStowage({ dataDir: folder.path, replace: { blobs: digestsLater } })
  const { blobs } = first.stowage.registry
  const begun = Promise.withResolvers<void>()
  blobs.digest = () => {
    begun.resolve()
    return new Promise(() => {})
  }
  expect((await first.admin.put({}, bytesForJob(1))).status).toBe(201)
  // This never ends, as in a process that was killed: its claim stays.
  void first.stowage.runJobs()
  await begun.promise
  expect(await list(first.admin, '?state=running')).toHaveLength(1)
  await first.stop()
  await using second = await startStowage({ dataDir: folder.path })
  expect(await second.stowage.runJobs()).toBe(1)
  expect(await list(second.admin)).toEqual([])
})

describe('who may see and decide', () => {
  const addresses: [method: string, path: string, scope: string][] = [
    ['GET', '/api/v1/admin/jobs', 'read:admin'],
    ['POST', '/api/v1/admin/jobs/1/retry', 'write:admin'],
    ['DELETE', '/api/v1/admin/jobs/1', 'write:admin'],
  ]

  test.each(addresses)('%s %s: administrators only, with %s', async (method, path, scope) => {
    await using stowage = await startStowage()
    const ada = await stowage.user('ada')
    const ask = (client: Client) => client.fetch(path, { method })
    expect((await refusal(ask(stowage.anonymous))).status).toBe(401)
    expect(await refusal(ask(ada))).toEqual({ status: 403, message: 'ada is not an administrator of this site.' })
    expect((await refusal(ask(await ada.token(['all'])))).status).toBe(403)
    const others = scope === 'read:admin' ? ['write:user', 'write:package'] : ['read:admin', 'write:user']
    expect((await refusal(ask(await stowage.admin.token(others)))).status).toBe(403)
    expect((await ask(await stowage.admin.token([scope]))).status).toBe(method === 'GET' ? 200 : 404)
  })

  test('what cannot be a job is not found, and what is no state is told', async () => {
    await using stowage = await startStowage()
    for (const id of ['x', '0', '-1', '1.5', '9'.repeat(15), '9'.repeat(40)]) {
      for (const ask of [remove, retry]) expect((await refusal(ask(stowage.admin, id))).status).toBe(404)
    }
    expect(await refusal(stowage.admin.fetch('/api/v1/admin/jobs?state=lost'))).toEqual({
      status: 422,
      message: 'state: must be waiting, running, given-up, or not be there',
    })
    expect(await list(stowage.admin, '?state=')).toEqual([])
  })

  test.each([
    ['revive job', retry],
    ['drop job', remove],
  ] as const)('rights that end before "%s" begins count', async (name, ask) => {
    let stowage: TestStowage | undefined
    const catalogue = (whole: Catalogue): Catalogue => ({
      ...whole,
      transact: async (work, args) => {
        if (work.name === name) await stowage?.stowage.accounts.resetAdministrator(undefined, 'another-Pass-1')
        return whole.transact(work, args)
      },
    })
    await using started = await startStowage({ replace: { catalogue, blobs: digestsLater } })
    stowage = started
    expect((await started.admin.put({}, bytesForJob(1))).status).toBe(201)
    const [job] = await list(started.admin)
    expect((await refusal(ask(started.admin, job?.id as number))).status).toBe(401)
  })
})
