import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BlobStore } from '../../server/blobs/blob-store.ts'
import { memoryBlobStore } from '../../server/blobs/memory.ts'
import { Problem } from '../../server/problems.ts'
import { seededBytes } from '../support/seeded.ts'
import { type Client, startStowage, type TestStowage } from '../support/stowage.ts'
import { until } from '../support/until.ts'

const hour = 60 * 60_000
const none = { blobs: 0, bytes: 0 }

interface Sweep {
  at: string
  took_ms: number
  doomed: typeof none
  leftover: typeof none
  error: string | null
}

interface Storage {
  referenced: typeof none
  doomed: typeof none
  leftover: typeof none
  complete: boolean
  files: { count: number; bytes: number }
  grace_seconds: number
  hold: string | null
  last_sweep: Sweep | null
  last_freed: Sweep | null
  next_sweep_at: string | null
  disk: { free: number; total: number } | null
  error: string | null
}

async function view(admin: Client): Promise<Storage> {
  const answer = await admin.fetch('/api/v1/admin/storage')
  expect(answer.status).toBe(200)
  return (await answer.json()) as Storage
}

const askForSweep = async (who: Client) => (await who.post('/api/v1/admin/storage/sweep', '')).status
const timeOf = (milliseconds: number) => new Date(milliseconds).toISOString().replace(/\.\d{3}Z$/, 'Z')

/** What a process that died in the middle of an upload has left. */
async function leaveBehind(stowage: TestStowage, bytes: number): Promise<void> {
  const lease = 'deadbeefdeadbeefdead'
  const folder = join(stowage.dataDir, 'blobs', lease, '0')
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, '0123456789abcdef0123456789abcdef'), new Uint8Array(bytes))
  await stowage.change(`insert into leases (id, kind, expires_at, dead_since) values ('${lease}', 'process', 0, 1)`)
}

/** The store, as long as it is not said to be broken. */
function breakable(isBroken: (call: string) => boolean) {
  return (store: BlobStore) =>
    new Proxy(store, {
      get(target, name) {
        if (isBroken(String(name))) {
          const away = new Problem('storage-unavailable', 'the storage does not work just now', {}, new Error('EIO'))
          return () => Promise.reject(away)
        }
        const member: unknown = Reflect.get(target, name)
        return typeof member === 'function' ? member.bind(target) : member
      },
    })
}

describe('the storage view', () => {
  let stowage: TestStowage
  let admin: Client
  let now = Date.now()
  let broken: string[] = []

  beforeAll(async () => {
    stowage = await startStowage({
      settings: { STOWAGE_BLOB_GRACE: '1h' },
      replace: { now: () => now, blobs: breakable((call) => broken.includes(call)) },
    })
    admin = stowage.admin
  })
  afterAll(() => stowage[Symbol.asyncDispose]())

  /** Nothing is stored when a story begins. */
  beforeEach(async () => {
    broken = []
    await stowage.change('delete from holds')
    now += 2 * hour
    await stowage.stowage.sweep()
    expect(await view(admin)).toMatchObject({ referenced: none, doomed: none, leftover: none })
  })

  const put = async (file: string, bytes: Uint8Array<ArrayBuffer>) =>
    expect((await admin.put({ file }, bytes)).status).toBe(201)
  const remove = async (file: string) => expect((await admin.delete({ file })).status).toBe(204)

  test('shows equal bytes once, and files each', async () => {
    const bytes = seededBytes(1_000, 1)
    await put('a', bytes)
    await put('b', bytes)
    await put('c', seededBytes(500, 2))
    expect(await view(admin)).toMatchObject({
      referenced: { blobs: 2, bytes: 1_500 },
      doomed: none,
      leftover: none,
      complete: true,
      files: { count: 3, bytes: 2_500 },
      grace_seconds: 3_600,
      hold: null,
      error: null,
    })
    for (const file of ['a', 'b', 'c']) await remove(file)
  })

  test('what is deleted is doomed at once, and free after its grace', async () => {
    await put('a', seededBytes(3_000, 3))
    await remove('a')
    expect(await view(admin)).toMatchObject({
      referenced: none,
      doomed: { blobs: 1, bytes: 3_000 },
      files: { count: 0, bytes: 0 },
    })
    expect(await askForSweep(admin)).toBe(202)
    await stowage.stowage.runJobs('sweep')
    expect(await view(admin)).toMatchObject({
      doomed: { blobs: 1, bytes: 3_000 },
      last_sweep: { at: timeOf(now), doomed: none, leftover: none, error: null },
    })

    now += hour
    expect(await askForSweep(admin)).toBe(202)
    expect(await view(admin)).toMatchObject({ next_sweep_at: timeOf(now) })
    await stowage.stowage.runJobs('sweep')
    const freed = { at: timeOf(now), doomed: { blobs: 1, bytes: 3_000 }, leftover: none, error: null }
    expect(await view(admin)).toMatchObject({ doomed: none, last_sweep: freed, last_freed: freed })

    // The next ones remove nothing; what the last one freed can still be seen.
    now += hour
    await stowage.stowage.sweep()
    expect(await view(admin)).toMatchObject({ last_sweep: { at: timeOf(now), doomed: none }, last_freed: freed })
  })

  test('a file with bytes that another one has frees nothing', async () => {
    const bytes = seededBytes(700, 4)
    await put('a', bytes)
    await put('b', bytes)
    await remove('a')
    expect(await view(admin)).toMatchObject({ referenced: { blobs: 1, bytes: 700 }, doomed: none })
    await remove('b')
  })

  test('a hold is named, and nothing goes while it is on', async () => {
    await put('a', seededBytes(800, 5))
    await remove('a')
    now += hour
    await stowage.change("insert into holds (reason, created_at) values ('the backup of tonight', 0)")
    await askForSweep(admin)
    await stowage.stowage.runJobs('sweep')
    expect(await view(admin)).toMatchObject({ hold: 'the backup of tonight', doomed: { blobs: 1, bytes: 800 } })
    await stowage.change('delete from holds')
    await stowage.stowage.sweep()
    expect(await view(admin)).toMatchObject({ hold: null, doomed: none, last_sweep: { doomed: { bytes: 800 } } })
  })

  test('what a process left when it died is a leftover, and its removal is told', async () => {
    await leaveBehind(stowage, 1_234)
    expect(await view(admin)).toMatchObject({ leftover: { blobs: 1, bytes: 1_234 }, doomed: none, complete: true })
    await stowage.stowage.sweep()
    expect(await view(admin)).toMatchObject({ leftover: none, last_sweep: { leftover: { blobs: 1, bytes: 1_234 } } })
  })

  test('what a release without sizes doomed is measured in the store', async () => {
    await put('a', seededBytes(900, 6))
    await remove('a')
    await stowage.change('update doomed set size = null')
    expect(await view(admin)).toMatchObject({ doomed: { blobs: 1, bytes: 900 }, complete: true })
    broken = ['size']
    expect(await view(admin)).toMatchObject({
      doomed: { blobs: 1, bytes: 0 },
      complete: false,
      error: 'the storage does not work just now',
    })
    broken = []
    now += hour
    await stowage.stowage.sweep()
    expect(await view(admin)).toMatchObject({ doomed: none, last_sweep: { doomed: { blobs: 1, bytes: 900 } } })
  })

  test('a store that fails is shown, and once more when it works again', async () => {
    await put('a', seededBytes(600, 7))
    await remove('a')
    now += hour
    broken = ['remove', 'space']
    await askForSweep(admin)
    await stowage.stowage.runJobs('sweep')
    expect(await view(admin)).toMatchObject({
      doomed: { blobs: 1, bytes: 600 },
      disk: null,
      error: 'the storage does not work just now',
      last_sweep: {
        at: timeOf(now),
        doomed: none,
        error: expect.stringContaining('the storage does not work just now'),
      },
    })
    broken = []
    now += hour
    await stowage.stowage.runJobs('sweep')
    const { last_sweep, disk, error } = await view(admin)
    expect(last_sweep).toMatchObject({ doomed: { blobs: 1, bytes: 600 }, error: null })
    expect(error).toBeNull()
    expect(disk?.free).toBeGreaterThan(0)
    expect(disk?.total).toBeGreaterThanOrEqual(Number(disk?.free))
  })

  test('is for administrators alone, and asking for a sweep is written down', async () => {
    const eve = await stowage.user('eve')
    const reader = await admin.token(['read:admin'])
    for (const [who, shown, asked] of [
      [stowage.anonymous, 401, 401],
      [eve, 403, 403],
      [reader, 200, 403],
    ] as const) {
      expect((await who.fetch('/api/v1/admin/storage')).status).toBe(shown)
      expect(await askForSweep(who)).toBe(asked)
    }
    const events = "select count(*) as events from audit_events where action = 'storage.swept'"
    const [before] = await stowage.change(events)
    expect(await askForSweep(await admin.token(['write:admin']))).toBe(202)
    const [after] = await stowage.change(events)
    expect(Number(after?.events) - Number(before?.events)).toBe(1)
    expect((await admin.fetch('/api/v1/admin/storage', { method: 'DELETE' })).status).toBe(405)
  })

  test('a sweep that nobody asked for, and that does nothing, is not written down each second', async () => {
    await stowage.stowage.runJobs('sweep')
    const { last_sweep } = await view(admin)
    now += 2_000
    await stowage.stowage.sweep()
    expect((await view(admin)).last_sweep).toEqual(last_sweep)
    now += 60_000
    await stowage.stowage.sweep()
    expect((await view(admin)).last_sweep?.at).toBe(timeOf(now))
  })
})

test('a store in memory has no disk, and nothing was swept before the first time', async () => {
  await using stowage = await startStowage({ replace: { blobs: memoryBlobStore } })
  expect((await stowage.admin.put({}, 'abc')).status).toBe(201)
  expect(await view(stowage.admin)).toMatchObject({
    referenced: { blobs: 1, bytes: 3 },
    disk: null,
    last_sweep: null,
    last_freed: null,
    next_sweep_at: null,
    error: null,
  })
})

test('where work goes on in the background, a sweep that is asked for is done before its time', async () => {
  const now = Date.now()
  await using stowage = await startStowage({ replace: { background: 'on', now: () => now } })
  // The first one is over, and the next due in a minute of a clock that stands still.
  await until(async () => (await view(stowage.admin)).next_sweep_at === timeOf(now + 60_000), 'the first sweep is over')
  await leaveBehind(stowage, 77)
  expect(await askForSweep(stowage.admin)).toBe(202)
  await until(async () => (await view(stowage.admin)).last_freed?.leftover.bytes === 77, 'it is swept')
})
