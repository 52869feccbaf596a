import { describe, expect, test } from 'bun:test'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { lockDataDirectory } from '../../server/data-lock.ts'
import { ServerProcess, spawnServer, temporaryFolder } from '../support/server-process.ts'
import { until } from '../support/until.ts'

const token = 'a-token-that-only-the-scraper-has'

/** A server of several processes. */
function startWorkers(dataDir: string, count: number, settings: Record<string, string> = {}): Promise<ServerProcess> {
  return ServerProcess.start(dataDir, {
    STOWAGE_WORKERS: String(count),
    STOWAGE_LOG_LEVEL: 'info',
    STOWAGE_LOG_FORMAT: 'json',
    STOWAGE_METRICS_TOKEN: token,
    ...settings,
  })
}

/** The process ids of workers, by their numbers. */
async function workersOf(server: Pick<ServerProcess, 'child'>): Promise<Map<number, number>> {
  const task = `/proc/${server.child.pid}/task/${server.child.pid}/children`
  const ids = (await Bun.file(task).text()).trim().split(' ').filter(Boolean).map(Number)
  const found = await Promise.all(ids.map(async (id) => [await numberOf(id), id] as const))
  return new Map(found.filter(([number]) => number > 0))
}

/** 0 for a process that is no worker, or gone. */
async function numberOf(pid: number): Promise<number> {
  const command = await Bun.file(`/proc/${pid}/cmdline`)
    .text()
    .catch(() => '')
  const words = command.split('\0')
  return Number(words[words.findIndex((word) => word.endsWith('/worker.ts')) + 1]) || 0
}

/** Also where nobody has asked for its exit code yet. */
const isGone = async (pid: number) => (await numberOf(pid)) === 0
const areGone = async (pids: Iterable<number>) => (await Promise.all([...pids].map(isGone))).every(Boolean)

/** By new connections, which the kernel hands to one worker or the other. */
async function until200FromEach(server: ServerProcess, path: string, workers: number): Promise<void> {
  const seen = new Set<string>()
  const ask = async () => {
    const response = await server.admin.fetch(path, { headers: { Connection: 'close' } })
    expect(response.status).toBe(200)
    for (const [, number] of (await metrics(server)).matchAll(
      /route="\/api\/packages[^}]*status="200",worker="(\d)"/g,
    )) {
      if (number) seen.add(number)
    }
    return seen.size === workers
  }
  await until(ask, `each of ${workers} workers has answered`)
}

async function metrics(server: ServerProcess): Promise<string> {
  const headers = { Authorization: `Bearer ${token}`, Connection: 'close' }
  const response = await fetch(`${server.url}/metrics`, { headers })
  expect(response.status).toBe(200)
  return response.text()
}

describe('several workers', () => {
  test('are one server, which all of them answer for', async () => {
    await using folder = await temporaryFolder()
    await using server = await startWorkers(folder.path, 3)
    expect(server.banner.match(/listening on/g)).toHaveLength(1)
    expect([...(await workersOf(server)).keys()].toSorted()).toEqual([1, 2, 3])
    expect((await server.admin.put({}, 'bytes', { Connection: 'close' })).status).toBe(201)
    await until200FromEach(server, server.admin.path(), 3)
  })

  test('are counted together by /metrics, whichever of them is asked', async () => {
    await using folder = await temporaryFolder()
    await using server = await startWorkers(folder.path, 2)
    for (const asked of [1, 2, 3, 4]) {
      const text = await metrics(server)
      for (const number of [1, 2]) {
        expect(text, `${asked}`).toContain(`stowage_http_requests_open{worker="${number}"}`)
        expect(text, `${asked}`).toContain(`process_start_time_seconds{worker="${number}"}`)
      }
      // What the database knows is no worker's own.
      expect(text).toContain('\nstowage_processes 2\n')
      expect(text.match(/^# TYPE stowage_http_request_duration_seconds /gm)).toHaveLength(1)
    }
  })

  test('that publish at the same time wait for each other, and none in vain', async () => {
    await using folder = await temporaryFolder()
    await using server = await startWorkers(folder.path, 2)
    const publishers = Array.from({ length: 16 }, (_, client) => async () => {
      const statuses: number[] = []
      for (let file = 0; file < 25; file += 1) {
        const address = { version: '1.0', file: `${client}-${file}` }
        statuses.push((await server.admin.put(address, `${client} ${file}`, { Connection: 'close' })).status)
      }
      return statuses
    })
    const statuses = (await Promise.all(publishers.map((publish) => publish()))).flat()
    expect(new Set(statuses)).toEqual(new Set([201]))
    const both = [
      ...(await metrics(server)).matchAll(/stowage_publishes_total\{outcome="published",worker="\d"\} (\d+)/g),
    ]
    expect(both.map(([, count]) => Number(count) > 0)).toEqual([true, true])
  })

  test('are started again when they end, and the others go on meanwhile', async () => {
    await using folder = await temporaryFolder()
    await using server = await startWorkers(folder.path, 2)
    expect((await server.admin.put({}, 'bytes', { Connection: 'close' })).status).toBe(201)
    const before = await workersOf(server)
    const killed = before.get(2) ?? 0
    process.kill(killed, 'SIGKILL')
    await until(() => isGone(killed), 'it is gone')
    const answered = () => server.admin.fetch(server.admin.path(), { headers: { Connection: 'close' } })
    // A connection that it had not taken yet is reset.
    await until(async () => (await answered().catch(() => undefined))?.status === 200, 'the other one answers')
    await until(async () => (await workersOf(server)).has(2), 'another one has its place')
    expect((await workersOf(server)).get(1)).toBe(before.get(1) ?? 0)
    await until200FromEach(server, server.admin.path(), 2)
    expect(server.errors).toContain('Worker 2 has ended: starting it again in 500ms')
    // The lease of the one before it did not have to run out.
    await until(async () => (await metrics(server)).includes('\nstowage_processes 2\n'), 'two processes count as alive')
  })

  test('that end while others ask what they have counted take nobody with them', async () => {
    await using folder = await temporaryFolder()
    await using server = await startWorkers(folder.path, 3)
    expect((await server.admin.put({}, 'bytes', { Connection: 'close' })).status).toBe(201)
    let isOver = false
    const scrape = async () => {
      while (!isOver) await metrics(server).catch(() => undefined)
    }
    const scrapers = Array.from({ length: 20 }, scrape)
    for (let times = 0; times < 3; times += 1) {
      const [number = 0, pid = 0] = [...(await workersOf(server))].at(-1) ?? []
      process.kill(pid, 'SIGKILL')
      await until(async () => (await workersOf(server)).get(number) !== pid, 'it is gone')
      await until(async () => (await workersOf(server)).size === 3, 'all three are there')
    }
    isOver = true
    await Promise.all(scrapers)
    expect(server.child.exitCode).toBe(null)
    await until200FromEach(server, server.admin.path(), 3)
  })

  test('end the server where none of them can be started any more', async () => {
    await using folder = await temporaryFolder()
    await using server = await startWorkers(folder.path, 2)
    await rename(join(folder.path, 'blobs'), join(folder.path, 'away'))
    for (const pid of (await workersOf(server)).values()) process.kill(pid, 'SIGKILL')
    expect(await server.ended()).toBe(1)
    expect(server.errors).toContain('No worker can be started: stopping')
  })

  test('are started by the command, too', async () => {
    await using folder = await temporaryFolder()
    await using server = await ServerProcess.start(folder.path, { STOWAGE_WORKERS: '2' }, ['cli/stowage.ts', 'serve'])
    expect((await workersOf(server)).size).toBe(2)
  })

  test.each([1, 2, 3])(
    'that are told to stop when %d of them are starting all end, and nobody comes after',
    async (count) => {
      await using folder = await temporaryFolder()
      const child = await spawnServer(folder.path, { STOWAGE_WORKERS: '3' })
      await until(async () => (await workersOf({ child })).size >= count, 'they are starting')
      const workers = [...(await workersOf({ child })).values()]
      child.kill('SIGTERM')
      await child.exited
      expect(await areGone(workers)).toBe(true)
      lockDataDirectory(folder.path).release()
    },
  )

  test('stop with the server, which lets them finish', async () => {
    await using folder = await temporaryFolder()
    const server = await startWorkers(folder.path, 2)
    const workers = await workersOf(server)
    expect(await server.stop()).toBe(0)
    expect(await areGone(workers.values())).toBe(true)
    expect(server.errors.match(/"worker.number":\d,"msg":"Stopped"/g)).toHaveLength(2)
    await using again = await startWorkers(folder.path, 2)
    expect(await workersOf(again)).not.toEqual(workers)
  })

  test('end with the server that is killed, and until then no other one starts', async () => {
    await using folder = await temporaryFolder()
    const server = await startWorkers(folder.path, 2)
    expect((await server.admin.put({}, 'bytes')).status).toBe(201)
    const workers = [...(await workersOf(server)).values()]
    await server.kill()
    // It waits for what is left of the other one.
    await using next = await ServerProcess.start(folder.path)
    expect(await areGone(workers)).toBe(true)
    expect((await next.admin.get()).status).toBe(200)
  })

  test('hold the data directory, and their port, against any other server', async () => {
    await using folder = await temporaryFolder()
    await using server = await startWorkers(folder.path, 2)
    const refused = (dataDir: string, settings: Record<string, string>) =>
      ServerProcess.start(dataDir, settings).then(
        () => 'started',
        (error: Error) => error.message,
      )
    expect(await refused(folder.path, {})).toContain('Another Stowage server is using')
    expect(await refused(folder.path, { STOWAGE_WORKERS: '2' })).toContain('Another Stowage server is using')
    await using other = await temporaryFolder()
    const there = { STOWAGE_LISTEN: `127.0.0.1:${server.port}` }
    expect(await refused(other.path, there)).toContain('another program listens there')
    expect(await refused(other.path, { ...there, STOWAGE_WORKERS: '2' })).toContain('another program listens there')
  })

  test('that cannot start say why once, and the server ends', async () => {
    await using folder = await temporaryFolder()
    await Bun.write(`${folder.path}/blobs`, 'a file where the folder belongs')
    const failed = await ServerProcess.start(folder.path, { STOWAGE_WORKERS: '3' }).catch(
      (error: Error) => error.message,
    )
    expect(failed).toContain('The server ended with 1')
    expect(String(failed).match(/blobs/g)?.length).toBeGreaterThan(0)
  })
})
