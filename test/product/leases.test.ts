import { describe, expect, test } from 'bun:test'
import { readdir, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { addAccount } from '../../server/access/accounts.ts'
import { type Predecessors, workerOf } from '../../server/catalogue/leases.ts'
import { siteFact } from '../../server/catalogue/site.ts'
import type { AroundStatement } from '../../server/catalogue/statement.ts'
import { ProcessLease, takeLease } from '../../server/registry/leases.ts'
import { bytesForJob } from '../support/bytes-for-job.ts'
import { Choreography } from '../support/choreography.ts'
import { behindItsBack, databaseSettings, onPostgres, testOnSqlite } from '../support/database.ts'
import { blobFiles, rowCounts } from '../support/inventory.ts'
import { sharedPostgres } from '../support/postgres.ts'
import { secondNode as nodeBeside } from '../support/second-node.ts'
import { seededBytes } from '../support/seeded.ts'
import { ServerProcess, temporaryFolder } from '../support/server-process.ts'
import { SlowUpload } from '../support/slow-upload.ts'
import { adminPassword, basic, type StartOptions, startStowage } from '../support/stowage.ts'
import { until } from '../support/until.ts'

/** Several processes on one database; SQLite has one. */
const described = onPostgres ? describe : describe.skip

const body = seededBytes(200_000, 1)
const half = body.byteLength / 2
const slowly = '/api/packages/admin/generic/slow/1.0/slow.bin'
const rights = { Authorization: basic('admin', adminPassword) }
const noGrace = { STOWAGE_BLOB_GRACE: '0' }

/** A second node, which gives freed bytes no time either. */
const secondNode = (of: string, options: StartOptions = {}) =>
  nodeBeside(of, { ...options, settings: { ...noGrace, ...options.settings } })

async function upload({ port, dataDir }: { port: number; dataDir: string }): Promise<SlowUpload> {
  const before = (await blobFiles(dataDir)).size
  const slow = await SlowUpload.begin(port, slowly, rights, body.byteLength)
  await slow.send(body.subarray(0, half))
  await until(async () => (await blobFiles(dataDir)).size === before + 1, 'the upload is being staged')
  return slow
}

async function livingLeases(dataDir: string): Promise<string[]> {
  const rows = await behindItsBack(dataDir, 'select id from leases where dead_since is null order by id')
  return rows.map(({ id }) => String(id))
}

const leases = async (dataDir: string) => (await behindItsBack(dataDir, 'select id from leases')).map(({ id }) => id)

test('leases end with the processes that cannot live any more, and with no other', async () => {
  await using stowage = await startStowage()
  const { catalogue, now } = stowage.stowage.registry
  const storageId = (await siteFact(catalogue.read, 'storage-id')) ?? ''
  const take = (id: string, holder: string, predecessors: Predecessors) =>
    catalogue.transact(takeLease, { id, holder, predecessors, storageId, now: now() })
  const living = async () => {
    const rows = await stowage.change(
      "select id from leases where dead_since is null and holder like '%-node%' order by id",
    )
    return rows.map(({ id }) => id)
  }
  await take('a1', workerOf('a-node', 1), { node: 'a-node' })
  await take('a2', workerOf('a-node', 2), { holder: workerOf('a-node', 2) })
  await take('c1', 'a-node-more', { node: 'a-node-more' })
  expect(await living()).toEqual(['a1', 'a2', 'c1'])
  // A worker that has ended and was started again.
  await take('a3', workerOf('a-node', 2), { holder: workerOf('a-node', 2) })
  expect(await living()).toEqual(['a1', 'a3', 'c1'])
  // Then the server is started without workers, and with them again.
  await take('a4', 'a-node', { node: 'a-node' })
  expect(await living()).toEqual(['a4', 'c1'])
  await take('a5', workerOf('a-node', 1), { node: 'a-node' })
  expect(await living()).toEqual(['a5', 'c1'])
  await take('c2', 'a-node-more', 'all')
  expect(await living()).toEqual(['c2'])
})

describe('a process that was silent for longer than its lease', () => {
  testOnSqlite('refuses the upload that was under way, leaves nothing of it, and goes on', async () => {
    await using stowage = await startStowage({ settings: noGrace })
    const { dataDir, admin } = stowage
    const { lease } = stowage.stowage.registry
    const dead = lease.id
    using slow = await upload(stowage)
    // Time does that, while a machine sleeps: the next look would take a new lease.
    await stowage.change(`update leases set dead_since = 1 where id = '${dead}'`)
    expect(await stowage.stowage.sweep()).toMatchObject({ doomed: { blobs: 0 }, leftover: { blobs: 1 } })
    expect((await blobFiles(dataDir)).size).toBe(0)
    expect(await leases(dataDir)).toEqual([])

    await slow.send(body.subarray(half))
    const answer = await slow.answer()
    expect(answer.status).toBe(503)
    expect(answer.headers['retry-after']).toMatch(/^\d+$/)
    expect(await rowCounts(stowage.stowage.registry.catalogue.read)).toMatchObject({ files: 0, versions: 0, blobs: 0 })
    expect((await blobFiles(dataDir)).size).toBe(0)

    expect((await admin.put({}, body)).status).toBe(201)
    expect(lease.id).not.toBe(dead)
    expect(await leases(dataDir)).toEqual([lease.id])
    expect(Buffer.compare(await (await admin.get()).bytes(), body)).toBe(0)
  })

  test('begins no upload under the lease of before: what it left there would be found by nobody', async () => {
    const clock = { now: Date.now() }
    await using stowage = await startStowage({ settings: noGrace, replace: { now: () => clock.now } })
    const { lease } = stowage.stowage.registry
    const dead = lease.id
    await stowage.change('update leases set dead_since = 1')
    await stowage.stowage.sweep()
    expect(await leases(stowage.dataDir)).toEqual([])
    clock.now += 10 * 60_000
    using _ = await upload(stowage)
    const staged = [...(await blobFiles(stowage.dataDir)).keys()]
    expect(staged).toHaveLength(1)
    expect(staged[0]).toStartWith(`${lease.id}/`)
    expect(lease.id).not.toBe(dead)
    expect(await livingLeases(stowage.dataDir)).toEqual([lease.id])
  })

  test('takes one new lease, however many find out at once that the old one is dead', async () => {
    await using stowage = await startStowage()
    const { lease } = stowage.stowage.registry
    await stowage.change('update leases set dead_since = 1')
    await Promise.all([1, 2, 3, 4, 5].map(() => lease.renew()))
    expect(await livingLeases(stowage.dataDir)).toEqual([lease.id])
    expect(await leases(stowage.dataDir)).toHaveLength(2)
  })

  test('tells that another process has its place, where it was not silent', async () => {
    const clock = { now: Date.now() }
    await using stowage = await startStowage()
    const { catalogue } = stowage.stowage.registry
    const storageId = (await siteFact(catalogue.read, 'storage-id')) ?? ''
    const holder = { holder: 'a-node', predecessors: { node: 'a-node' }, storageId }
    const told: string[] = []
    const take = (name: string) =>
      ProcessLease.take(
        catalogue,
        () => clock.now,
        holder,
        () => told.push(name),
      )
    const first = await take('first')
    await first.renew()
    expect(told).toEqual([])
    const second = await take('second')
    await first.renew()
    expect(told).toEqual(['first'])
    await second.renew()
    expect(told).toEqual(['first', 'second'])
    // Who slept has lost its lease by that.
    clock.now += 10 * 60_000
    await first.renew()
    expect(told).toEqual(['first', 'second'])
    // Requests may go on for a moment in a server that stops.
    await first.giveUp()
    await first.renew()
    expect(told).toEqual(['first', 'second'])
  })

  test('takes one new lease for all uploads that were under way', async () => {
    await using stowage = await startStowage({ settings: noGrace })
    const { port, dataDir } = stowage
    const uploads = await Promise.all(
      [1, 2, 3, 4].map((number) => SlowUpload.begin(port, `${slowly}.${number}`, rights, body.byteLength)),
    )
    for (const slow of uploads) await slow.send(body.subarray(0, half))
    await until(async () => (await blobFiles(dataDir)).size === 4, 'they are being staged')
    await stowage.change(`update leases set dead_since = 1`)
    await Promise.all(uploads.map((slow) => slow.send(body.subarray(half))))
    const answers = await Promise.all(uploads.map((slow) => slow.answer()))
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 503, 503])
    expect(await livingLeases(dataDir)).toEqual([stowage.stowage.registry.lease.id])
    expect((await stowage.admin.put({}, body)).status).toBe(201)
    await stowage.stowage.sweep()
    expect((await blobFiles(dataDir)).size).toBe(1)
  })

  if (onPostgres) {
    test('is swept by another one, its jobs are done there; continued, it refuses the upload and goes on', async () => {
      await using folder = await temporaryFolder()
      await using stopped = await ServerProcess.start(folder.path, noGrace)
      await using other = await secondNode(folder.path)
      const { registry, sweep, runJobs } = other.stowage
      const [mine = ''] = (await livingLeases(folder.path)).filter((id) => id !== registry.lease.id)
      using slow = await upload(stopped)
      await halt(stopped, folder.path)

      // As it may stand at any moment: a job that the stopped process had begun.
      expect((await other.admin.put({ package: 'other' }, bytesForJob(2))).status).toBe(201)
      await behindItsBack(folder.path, `update jobs set claimed_by = '${mine}' where kind = 'digests'`)
      expect(await runJobs()).toBe(0)
      expect(await registry.lease.expireOthers()).toEqual([])
      expect(await sweep()).toMatchObject({ doomed: { blobs: 0 }, leftover: { blobs: 0 } })
      expect((await blobFiles(folder.path)).size).toBe(2)

      // That is what time does.
      await behindItsBack(folder.path, `update leases set expires_at = 0 where id = '${mine}'`)
      expect(await registry.lease.expireOthers()).toEqual([mine])
      expect(await runJobs()).toBe(1)
      expect(await sweep()).toMatchObject({ doomed: { blobs: 0 }, leftover: { blobs: 1 } })
      expect((await blobFiles(folder.path)).size).toBe(1)
      expect(await leases(folder.path)).toEqual([registry.lease.id])

      stopped.child.kill('SIGCONT')
      await slow.send(body.subarray(half))
      const answer = await slow.answer()
      expect(answer.status).toBe(503)
      expect(answer.headers['retry-after']).toMatch(/^\d+$/)
      expect(await rowCounts(registry.catalogue.read)).toMatchObject({ files: 1, versions: 1, blobs: 1 })
      expect((await blobFiles(folder.path)).size).toBe(1)

      expect((await stopped.admin.put({ package: 'slow' }, body)).status).toBe(201)
      expect(Buffer.compare(await (await other.admin.get({ package: 'slow' })).bytes(), body)).toBe(0)
      expect(await livingLeases(folder.path)).toHaveLength(2)
      expect(await stopped.stop()).toBe(0)
    })
  }
})

/** Stops it between two transactions: the locks of one that it had begun would stay until the database ends it. */
async function halt({ child }: ServerProcess, dataDir: string): Promise<void> {
  const begun = `select pid from pg_stat_activity where datname = current_database() and backend_type = 'client backend'
    and pid <> pg_backend_pid() and xact_start is not null`
  await until(async () => {
    child.kill('SIGSTOP')
    if ((await behindItsBack(dataDir, begun)).length === 0) return true
    child.kill('SIGCONT')
    return false
  }, 'the process is between two transactions')
}

describe('a process that ends', () => {
  test('cleanly, gives its lease and its jobs up at once', async () => {
    await using folder = await temporaryFolder()
    const stowage = await startStowage({ settings: noGrace, dataDir: folder.path })
    expect((await stowage.admin.put({}, bytesForJob(2))).status).toBe(201)
    await behindItsBack(folder.path, `update jobs set claimed_by = '${stowage.stowage.registry.lease.id}'`)
    await stowage.stop()
    expect(await livingLeases(folder.path)).toEqual([])
    expect(await behindItsBack(folder.path, 'select id from jobs where claimed_by is not null')).toEqual([])
  })

  test('by a kill: the next one on its data directory takes leftovers and jobs over at once', async () => {
    await using folder = await temporaryFolder()
    const killed = await ServerProcess.start(folder.path, noGrace)
    const [dead = ''] = await livingLeases(folder.path)
    const neighbour = onPostgres ? await secondNode(folder.path) : undefined
    using slow = await upload(killed)
    await killed.kill()
    await slow.answer().catch(() => undefined)
    expect((await blobFiles(folder.path)).size).toBe(1)
    // It had begun one, in the middle of which it was killed.
    const job = "insert into jobs (kind, subject, due_at, created_at, claimed_by) values ('digests', '7', 0, 0,"
    await behindItsBack(folder.path, `${job} '${dead}')`)

    await using next = await startStowage({ settings: noGrace, dataDir: folder.path })
    const { registry, runJobs, sweep } = next.stowage
    const others = neighbour ? [neighbour.stowage.registry.lease.id] : []
    expect(await livingLeases(folder.path)).toEqual([registry.lease.id, ...others].toSorted())
    expect(await runJobs()).toBe(1)
    expect(await sweep()).toMatchObject({ doomed: { blobs: 0 }, leftover: { blobs: 1 } })
    expect((await blobFiles(folder.path)).size).toBe(0)
    expect(await leases(folder.path)).not.toContain(dead)
    await neighbour?.[Symbol.asyncDispose]()
  })
})

described('two nodes on one PostgreSQL', () => {
  test('with a disk each: the second one does not start, and says why', async () => {
    await using first = await startStowage()
    await using folder = await temporaryFolder()
    const { STOWAGE_DATABASE_URL: url = '' } = await databaseSettings(first.dataDir)
    const start = () => startStowage({ dataDir: folder.path, settings: { STOWAGE_DATABASE_URL: url } })
    await expect(start()).rejects.toThrow('The blob folder is empty or not the one that this database belongs to')
    expect(await livingLeases(first.dataDir)).toEqual([first.stowage.registry.lease.id])

    // Nor with a disk that is in use elsewhere.
    await using elsewhere = await startStowage()
    await rm(join(folder.path, 'blobs'), { recursive: true })
    await symlink(join(elsewhere.dataDir, 'blobs'), join(folder.path, 'blobs'))
    await expect(start()).rejects.toThrow('The blob folder belongs to another database')
    expect((await first.admin.put({}, body)).status).toBe(201)
  })

  /** Nodes that all start at the same time, on a database and disks that nobody has used. */
  async function startTogether(
    count: number,
    diskOf: (number: number) => Promise<string | undefined>,
    keyOf = (_: number) => 'one secret key for all of these nodes',
  ) {
    const url = await (await sharedPostgres()).createDatabase()
    const starting = Array.from({ length: count }, async (_, number) => {
      const folder = await temporaryFolder()
      const disk = await diskOf(number)
      if (disk !== undefined) await symlink(disk, join(folder.path, 'blobs'))
      const settings = { ...noGrace, STOWAGE_DATABASE_URL: url, STOWAGE_SECRET_KEY: keyOf(number) }
      const node = await startStowage({ dataDir: folder.path, settings }).catch((error: Error) => error)
      return { node, folder }
    })
    const started = await Promise.all(starting)
    return {
      nodes: started.flatMap(({ node }) => (node instanceof Error ? [] : [node])),
      refusals: started.flatMap(({ node }) => (node instanceof Error ? [node.message] : [])),
      [Symbol.asyncDispose]: async () => {
        for (const { node, folder } of started) {
          if (!(node instanceof Error)) await node.stowage.stop(0)
          await folder[Symbol.asyncDispose]()
        }
        await (await sharedPostgres()).dropDatabase(url)
      },
    }
  }

  test('that start together for the first time agree on the disk, the schema and the first account', async () => {
    await using disk = await temporaryFolder()
    await using all = await startTogether(6, async () => disk.path)
    const [first, ...others] = all.nodes
    expect(all.refusals).toEqual([])
    expect(await readdir(disk.path)).toContain('storage-id')
    expect((await first?.admin.put({}, body))?.status).toBe(201)
    for (const node of others) expect((await node.admin.get()).status).toBe(200)
  })

  test('that start together for the first time with a disk each: only one does', async () => {
    await using all = await startTogether(4, async () => undefined)
    expect(all.nodes).toHaveLength(1)
    for (const refusal of all.refusals) expect(refusal).toStartWith('The blob folder')
    expect((await all.nodes[0]?.admin.put({}, body))?.status).toBe(201)
  })

  test('that start together for the first time with a secret key each: only one does', async () => {
    await using disk = await temporaryFolder()
    const keyOf = (number: number) => `the secret key of node ${number} and no other`
    await using all = await startTogether(4, async () => disk.path, keyOf)
    expect(all.nodes).toHaveLength(1)
    expect(all.refusals).toHaveLength(3)
    for (const refusal of all.refusals) expect(refusal).toContain('Set STOWAGE_SECRET_KEY')
    expect((await all.nodes[0]?.admin.put({}, body))?.status).toBe(201)
  })

  test('make one first account, whatever each of them would call it', async () => {
    const choreography = new Choreography()
    await using stowage = await startStowage({ replace: { aroundStatement: choreography.around } })
    const { catalogue } = stowage.stowage.registry
    await stowage.change("delete from owners where name_key = 'admin'")
    const add = (name: string) =>
      catalogue.transact(addAccount, { account: { name }, nameKey: name, passwordHash: '', now: 1, standing: null })
    const begun = choreography.stopAfter(/^insert into "owners"/)
    const first = add('ada')
    await begun.arrived
    let isAnswered = false
    const second = add('bob').finally(() => {
      isAnswered = true
    })
    const waiting = "select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    await until(async () => isAnswered || (await stowage.change(waiting)).length > 0, 'the second waits')
    begun.goOn()
    expect((await first)?.name).toBe('ada')
    expect(await second).toBeUndefined()
    expect(await stowage.change('select id from users')).toHaveLength(1)
  })

  test('what one does counts on the other from the next request', async () => {
    await using one = await startStowage({ settings: noGrace })
    await using two = await secondNode(one.dataDir)
    for (let number = 0; number < 10; number += 1) {
      const [here, there] = number % 2 ? [two, one] : [one, two]
      const file = `file-${number}`
      expect((await there.admin.get({ file })).status).toBe(404)
      expect((await here.admin.put({ file }, file)).status).toBe(201)
      expect(await (await there.admin.get({ file })).text()).toBe(file)
      expect((await there.admin.put({ file }, 'other')).status).toBe(409)
      expect((await there.admin.delete({ file })).status).toBe(204)
      expect((await here.admin.get({ file })).status).toBe(404)
    }
    const ada = await one.user('ada')
    const token = await ada.token(['write:package'], { name: 'ci' })
    const onTwo = two.admin.as('ada').with({ Authorization: `token ${token.secret}` })
    expect((await onTwo.put({}, body)).status).toBe(201)
    expect((await ada.fetch('/api/v1/users/ada/tokens/ci', { method: 'DELETE' })).status).toBe(204)
    expect((await onTwo.put({ file: 'later' }, body)).status).toBe(401)
    expect((await token.get()).status).toBe(401)
  })

  test('bytes that both publish are stored once, and each sweeps what the other one freed', async () => {
    await using one = await startStowage({ settings: noGrace })
    await using two = await secondNode(one.dataDir)
    expect((await one.admin.put({ file: 'a' }, body)).status).toBe(201)
    expect((await two.admin.put({ file: 'b' }, body)).status).toBe(201)
    expect((await blobFiles(one.dataDir)).size).toBe(1)
    expect((await two.admin.delete({ file: 'a' })).status).toBe(204)
    expect(await two.stowage.sweep()).toMatchObject({ doomed: { blobs: 0 }, leftover: { blobs: 0 } })
    expect(Buffer.compare(await (await two.admin.get({ file: 'b' })).bytes(), body)).toBe(0)
    expect((await one.admin.delete({ file: 'b' })).status).toBe(204)
    expect(await two.stowage.sweep()).toMatchObject({ doomed: { blobs: 1 }, leftover: { blobs: 0 } })
    expect((await blobFiles(one.dataDir)).size).toBe(0)
    // The first one goes on where the second has just cleared away.
    expect((await one.admin.put({ file: 'c' }, body)).status).toBe(201)
    expect(Buffer.compare(await (await two.admin.get({ file: 'c' })).bytes(), body)).toBe(0)
  })

  test('sweep once for both, each time that it is due', async () => {
    const clock = { now: Date.now() }
    const looks = [0, 0]
    let sweeps = 0
    const watching = (node: number): AroundStatement => {
      return (sql, run) => {
        if (/from "jobs"/.test(sql)) looks[node] = (looks[node] ?? 0) + 1
        if (/from "doomed"/.test(sql)) sweeps += 1
        return run(sql)
      }
    }
    const replace = (node: number) => ({
      now: () => clock.now,
      background: 'on' as const,
      aroundStatement: watching(node),
    })
    await using one = await startStowage({ settings: noGrace, replace: replace(0) })
    await using two = await secondNode(one.dataDir, { replace: replace(1) })
    for (let round = 1; round <= 2; round += 1) {
      const before = [...looks]
      // Both have looked, and after the sweep again.
      const bothLooked = () => looks.every((count, node) => count >= (before[node] ?? 0) + 3)
      await until(() => sweeps >= round && bothLooked(), `sweep ${round}`)
      expect(sweeps).toBe(round)
      clock.now += 1_500
    }
    expect(two.stowage.url).not.toBe(one.stowage.url)
  })
})
