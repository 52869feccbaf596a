import { describe, expect, test } from 'bun:test'
import { type FileCalls, systemCalls } from '../../server/blobs/file-calls.ts'
import { openFileSystemBlobStore } from '../../server/blobs/file-system.ts'
import { blobFiles, emptyParents, rowCounts } from '../support/inventory.ts'
import { seededBytes } from '../support/seeded.ts'
import { startStowage, type TestStowage } from '../support/stowage.ts'

type Call = keyof FileCalls

/** Counts the store's system calls, and makes one of them fail. */
class Calls {
  readonly seen: Call[] = []
  #failing: { at: number; code: string } | undefined
  readonly calls: FileCalls

  constructor() {
    const wrap = <Name extends Call>(name: Name): FileCalls[Name] => {
      const real = systemCalls[name] as (...args: unknown[]) => Promise<unknown>
      return (async (...args: unknown[]) => {
        this.seen.push(name)
        if (this.#failing?.at !== this.seen.length - 1) return real(...args)
        const { code } = this.#failing
        if (code === 'short' && name !== 'write') return real(...args)
        this.#failing = undefined
        if (code === 'short') {
          const [handle, bytes] = args as [number, Uint8Array]
          return real(handle, bytes.subarray(0, Math.ceil(bytes.length / 3)))
        }
        // The number of a file is freed whatever close says: so here too.
        if (name === 'close') await real(...args)
        throw Object.assign(new Error(`${code}: made to fail, ${name}`), { code, syscall: name })
      }) as FileCalls[Name]
    }
    this.calls = Object.fromEntries((Object.keys(systemCalls) as Call[]).map((name) => [name, wrap(name)])) as never
  }

  /** Counts from here on; the call with that number fails, once. */
  arm(at?: number, code = ''): void {
    this.seen.length = 0
    this.#failing = at === undefined ? undefined : { at, code }
  }

  get fired(): boolean {
    return this.#failing === undefined
  }
}

async function start(calls: Calls): Promise<TestStowage> {
  return startStowage({
    settings: { STOWAGE_BLOB_GRACE: '0' },
    replace: { openBlobs: (folder) => openFileSystemBlobStore({ folder, calls: calls.calls }) },
  })
}

const body = seededBytes(300_000, 1)

/** Nothing of a refused upload, on the disk or in the tables, once a sweep has been. */
async function expectNothing(stowage: TestStowage): Promise<void> {
  await stowage.stowage.sweep()
  await stowage.stowage.runJobs()
  expect([...(await blobFiles(stowage.dataDir))]).toEqual([])
  const rows = await rowCounts(stowage.stowage.registry.catalogue.read)
  expect(rows).toMatchObject({ packages: 0, versions: 0, files: 0, blobs: 0, doomed: 0, jobs: 0 })
}

async function expectStored(stowage: TestStowage, file = 'tool.bin'): Promise<void> {
  const answer = await stowage.admin.get({ file })
  expect(answer.status).toBe(200)
  expect(Buffer.compare(await answer.bytes(), body)).toBe(0)
}

/** The calls of an upload that nothing disturbs: the first of a server, or a later one. */
async function undisturbed(first: boolean): Promise<Call[]> {
  const calls = new Calls()
  await using stowage = await start(calls)
  if (!first) expect((await stowage.admin.put({ file: 'first' }, 'first')).status).toBe(201)
  calls.arm()
  expect((await stowage.admin.put({}, body)).status).toBe(201)
  return [...calls.seen]
}

const statusOf: Record<string, number> = { ENOSPC: 507, EIO: 503, EACCES: 503 }

describe.each([
  ['the first upload', true],
  ['a later upload', false],
])('%s, when a system call of it fails', (_, first) => {
  test.each(Object.keys(statusOf))(
    '%s: refused whole, nothing left over, the next attempt works',
    async (code) => {
      const all = await undisturbed(first)
      expect(all).toContain('fdatasync')
      expect(all).toContain('fsync')
      const failAt = async (stowage: TestStowage, calls: Calls, at: number) => {
        calls.arm(at, code)
        const { status } = await stowage.admin.put({}, body)
        const name = calls.seen[at]
        // How many writes there are depends on how the bytes come in: the last ones may not be needed.
        const expected = calls.fired ? statusOf[code] : 201
        calls.arm()
        expect({ at, name, status }).toEqual({ at, name, status: expected as number })
        if (expected === 201) expect((await stowage.admin.delete()).status).toBe(204)
        await expectNothing(stowage)
        expect((await stowage.admin.put({}, body)).status).toBe(201)
        await expectStored(stowage)
        expect((await stowage.admin.delete()).status).toBe(204)
        await expectNothing(stowage)
      }
      if (first) {
        await Promise.all(
          all.map(async (_, at) => {
            const calls = new Calls()
            await using stowage = await start(calls)
            await failAt(stowage, calls, at)
          }),
        )
        return
      }
      const calls = new Calls()
      await using stowage = await start(calls)
      expect((await stowage.admin.put({}, body)).status).toBe(201)
      expect((await stowage.admin.delete()).status).toBe(204)
      for (let at = 0; at < all.length; at += 1) await failAt(stowage, calls, at)
    },
    30_000,
  )

  test('a write that takes only a part of the bytes goes on with the rest', async () => {
    const all = await undisturbed(first)
    for (const [at, name] of all.entries()) {
      if (name !== 'write') continue
      const calls = new Calls()
      await using stowage = await start(calls)
      if (!first) expect((await stowage.admin.put({ file: 'first' }, 'first')).status).toBe(201)
      calls.arm(at, 'short')
      expect((await stowage.admin.put({}, body)).status).toBe(201)
      await expectStored(stowage)
    }
  })
})

test('forty uploads that share one failing fsync of their folder: none is half stored', async () => {
  const calls = new Calls()
  await using stowage = await start(calls)
  expect((await stowage.admin.put({ file: 'first' }, body)).status).toBe(201)
  const { fsync } = calls.calls
  let failures = 1
  calls.calls.fsync = async (handle) => {
    if (failures-- > 0) throw Object.assign(new Error('EIO'), { code: 'EIO' })
    return fsync(handle)
  }
  const names = Array.from({ length: 40 }, (_, index) => `file-${index}`)
  const statuses = await Promise.all(
    names.map(async (file, index) => (await stowage.admin.put({ file }, seededBytes(5_000, index))).status),
  )
  expect(statuses.every((status) => status === 201 || status === 503)).toBe(true)
  expect(statuses).toContain(503)
  await stowage.stowage.sweep()
  const { read } = stowage.stowage.registry.catalogue
  expect(await emptyParents(read)).toEqual([])
  const stored = statuses.filter((status) => status === 201).length
  expect(await rowCounts(read)).toMatchObject({ files: stored + 1, blobs: stored + 1, doomed: 0 })
  expect((await blobFiles(stowage.dataDir)).size).toBe(stored + 1)
  for (const [index, file] of names.entries()) {
    const answer = await stowage.admin.get({ file })
    expect(answer.status).toBe(statuses[index] === 201 ? 200 : 404)
    if (answer.status === 200) expect(Buffer.compare(await answer.bytes(), seededBytes(5_000, index))).toBe(0)
  }
  expect((await stowage.admin.put({ file: 'later' }, body)).status).toBe(201)
})

test('an upload that is refused, and whose bytes cannot be removed either, is tidied up later', async () => {
  const calls = new Calls()
  await using stowage = await start(calls)
  const { unlink } = calls.calls
  let broken = true
  calls.calls.unlink = async (path) => {
    if (broken) throw Object.assign(new Error('EIO'), { code: 'EIO' })
    return unlink(path)
  }
  const wrong = { 'X-Checksum-Sha256': '0'.repeat(64) }
  expect((await stowage.admin.put({}, body, wrong)).status).toBe(400)
  expect((await blobFiles(stowage.dataDir)).size).toBe(1)
  broken = false
  await expectNothing(stowage)
})

describe('a sweep, when a system call of it fails', () => {
  test.each(['EIO', 'ENOSPC'])('%s: what is stored stays, and the next sweep finishes', async (code) => {
    const prepare = async (stowage: TestStowage) => {
      expect((await stowage.admin.put({ file: 'gone' }, 'gone')).status).toBe(201)
      expect((await stowage.admin.put({}, body)).status).toBe(201)
      expect((await stowage.admin.delete({ file: 'gone' })).status).toBe(204)
    }
    const cleanCalls = new Calls()
    await using clean = await start(cleanCalls)
    await prepare(clean)
    cleanCalls.arm()
    await clean.stowage.sweep()
    const all = [...cleanCalls.seen]
    expect(all).toContain('unlink')

    await Promise.all(
      all.map(async (_, at) => {
        const calls = new Calls()
        await using stowage = await start(calls)
        await prepare(stowage)
        calls.arm(at, code)
        await stowage.stowage.sweep().catch((error: unknown) => {
          expect(error).toMatchObject({ code: code === 'ENOSPC' ? 'storage-full' : 'storage-unavailable' })
        })
        expect({ at, fired: calls.fired }).toEqual({ at, fired: true })
        await expectStored(stowage)
        await stowage.stowage.sweep()
        await expectStored(stowage)
        expect((await blobFiles(stowage.dataDir)).size).toBe(1)
        expect(await rowCounts(stowage.stowage.registry.catalogue.read)).toMatchObject({ blobs: 1, doomed: 0 })
      }),
    )
  })
})

test('a disk that fails shows in /readyz, and no longer once it is well again', async () => {
  const calls = new Calls()
  let now = Date.now()
  await using stowage = await startStowage({
    replace: { now: () => now, openBlobs: (folder) => openFileSystemBlobStore({ folder, calls: calls.calls }) },
  })
  const ready = async () => {
    now += 60_000
    return (await stowage.anonymous.fetch('/readyz')).status
  }
  calls.arm()
  expect(await ready()).toBe(200)
  const all = [...calls.seen]
  for (const [at, name] of all.entries()) {
    calls.arm(at, 'EIO')
    expect({ name, status: await ready() }).toEqual({ name, status: 503 })
    calls.arm()
    expect(await ready()).toBe(200)
  }
  await stowage.stowage.sweep()
  expect([...(await blobFiles(stowage.dataDir))]).toEqual([])
})
