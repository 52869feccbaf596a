import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { FileDownloads } from '../../server/catalogue/downloads.ts'
import type { Catalogue } from '../../server/catalogue/transaction.ts'
import { Problem } from '../../server/problems.ts'
import { DownloadCounts } from '../../server/registry/downloads.ts'
import { type Client, type FileAddress, startStowage, type TestStowage } from '../support/stowage.ts'

const midnight = Date.parse('2026-11-26T00:00:00Z')
let now = midnight
/** Transactions of that name fail. */
let failing: string | undefined
const seen: string[] = []

const catalogue = (real: Catalogue): Catalogue => ({
  ...real,
  transact: async (work, args) => {
    seen.push(work.name)
    if (work.name === failing) throw new Error('the database is away')
    return real.transact(work, args)
  },
})

let stowage: TestStowage
let ada: Client

beforeAll(async () => {
  stowage = await startStowage({ replace: { now: () => now, catalogue } })
  ada = await stowage.user('ada')
})
afterAll(() => stowage[Symbol.asyncDispose]())

const at = (name: string) => `/api/v1/packages/ada/generic/${name}`

interface Shown {
  total: number
  days: { date: string; downloads: number }[]
  files?: { id: number; name: string; downloads: number }[]
}

async function shown(name: string, query = '', client = stowage.anonymous): Promise<Shown> {
  const response = await client.fetch(`${at(name)}/-/downloads${query}`)
  expect(response.status).toBe(200)
  return (await response.json()) as Shown
}

/** Downloads of all time, once they are written down. */
async function total(name: string): Promise<number> {
  await stowage.stowage.flushDownloads()
  return (await shown(name)).total
}

const remove = async (path: string) => (await ada.fetch(path, { method: 'DELETE' })).status

describe('what counts as a download', () => {
  const content = 'x'.repeat(100)
  let counted = 0
  const etag = `"${new Bun.CryptoHasher('sha256').update(content).digest('hex')}"`

  beforeAll(async () => {
    await ada.put({ package: 'counted' }, content)
    await ada.put({ package: 'counted', file: 'empty' }, '')
  })

  test.each<[what: string, status: number, counts: 0 | 1, headers: Record<string, string>, method?: string]>([
    ['the whole file', 200, 1, {}],
    ['HEAD', 200, 0, {}, 'HEAD'],
    ['HEAD with a range', 200, 0, { Range: 'bytes=0-9' }, 'HEAD'],
    ['the first bytes', 206, 1, { Range: 'bytes=0-9' }],
    ['all bytes as a range', 206, 1, { Range: 'bytes=0-' }],
    ['a suffix that is the whole file', 206, 1, { Range: 'bytes=-100' }],
    ['later bytes', 206, 0, { Range: 'bytes=1-' }],
    ['the last byte', 206, 0, { Range: 'bytes=-1' }],
    ['two ranges with the first byte', 206, 1, { Range: 'bytes=0-9,20-29' }],
    ['the first byte last', 206, 1, { Range: 'bytes=20-29,0-9' }],
    ['the first byte twice', 206, 1, { Range: 'bytes=0-9,0-0' }],
    ['two later ranges', 206, 0, { Range: 'bytes=10-19,20-29' }],
    ['more ranges than are sent', 200, 1, { Range: 'bytes=5-99,6-99' }],
    ['a range behind the end', 416, 0, { Range: 'bytes=100-' }],
    ['what the client has', 304, 0, { 'If-None-Match': etag }],
    ['what the client does not have', 200, 1, { 'If-None-Match': '"other"' }],
    ['another file than is there', 412, 0, { 'If-Match': '"other"' }],
    ['a resumed download', 206, 0, { Range: 'bytes=50-', 'If-Range': etag }],
    ['a resumed download of another file', 200, 1, { Range: 'bytes=50-', 'If-Range': '"other"' }],
  ])('%s: %p, %p', async (_, status, counts, headers, method = 'GET') => {
    const response = await stowage.anonymous.fetch(ada.path({ package: 'counted' }), { method, headers })
    await response.bytes()
    counted += counts
    expect([response.status, await total('counted')]).toEqual([status, counted])
  })

  test('an empty file, and no file', async () => {
    for (const [file, counts] of [
      ['empty', 1],
      ['none', 0],
    ] as const) {
      await ada.get({ package: 'counted', file })
      counted += counts
      expect(await total('counted')).toBe(counted)
    }
    await stowage.anonymous.with({ Authorization: `token ${'0'.repeat(40)}` }).get({ owner: 'ada', package: 'counted' })
    expect(await total('counted')).toBe(counted)
    expect(await remove(at('counted'))).toBe(204)
  })
})

describe('counts', () => {
  const download = async (address: FileAddress, times: number) => {
    for (let time = 0; time < times; time += 1) expect((await ada.get(address)).status).toBe(200)
  }

  test('are by day, file, version and package', async () => {
    now = midnight - 1
    for (const file of ['B', 'a']) await ada.put({ package: 'Days', version: '1.0', file }, file)
    await ada.put({ package: 'days', version: '2.0', file: 'a' }, 'a')
    await download({ package: 'days', version: '1.0', file: 'a' }, 2)
    await download({ package: 'days', version: '2.0', file: 'a' }, 1)
    // Not yet written down: both days at once.
    now = midnight
    await download({ package: 'days', version: '1.0', file: 'a' }, 1)
    await download({ package: 'days', version: '1.0', file: 'b' }, 1)
    await stowage.stowage.flushDownloads()
    // Added to what is there.
    await download({ package: 'days', version: '1.0', file: 'b' }, 1)
    await stowage.stowage.flushDownloads()
    now = midnight + 2 * 86_400_000
    expect(await shown('DAYS', '?days=5')).toEqual({
      total: 6,
      days: [
        { date: '2026-11-24', downloads: 0 },
        { date: '2026-11-25', downloads: 3 },
        { date: '2026-11-26', downloads: 3 },
        { date: '2026-11-27', downloads: 0 },
        { date: '2026-11-28', downloads: 0 },
      ],
    })
    // A parameter without a value counts as not sent, as everywhere.
    expect(await shown('days', '?days=5&version=')).toEqual(await shown('days', '?days=5'))
    expect(await shown('days', '?days=3&version=1.0')).toEqual({
      total: 5,
      days: [
        { date: '2026-11-26', downloads: 3 },
        { date: '2026-11-27', downloads: 0 },
        { date: '2026-11-28', downloads: 0 },
      ],
      files: [
        { id: expect.any(Number), name: 'a', downloads: 3 },
        { id: expect.any(Number), name: 'B', downloads: 2 },
      ],
    })
    const byDefault = await shown('days')
    expect(byDefault.days).toHaveLength(30)
    expect(byDefault.days.reduce((sum, { downloads }) => sum + downloads, 0)).toBe(6)
    expect((await shown('days', '?days=366')).days).toHaveLength(366)
    const described = await ada.fetch(`${at('days')}/-/metadata`)
    expect(await described.json()).toMatchObject({ downloads: 6 })
    await stowage.stowage.runJobs()
    const files = await ada.fetch(`${at('days')}/1.0/files`)
    expect(await files.json()).toMatchObject([
      { name: 'a', downloads: 3 },
      { name: 'B', downloads: 2 },
    ])
    expect(await stowage.change("select downloads from listings where name_key = 'days' order by downloads")).toEqual([
      { downloads: expect.anything() },
      { downloads: expect.anything() },
    ])
    expect(await remove(at('days'))).toBe(204)
  })

  test.each(['?days=0', '?days=367', '?days=-1', '?days=1.5', '?days=x', '?days=9999'])(
    'are not told for %p',
    async (query) => {
      await ada.put({ package: 'some' }, 'a')
      const response = await ada.fetch(`${at('some')}/-/downloads${query}`)
      expect([response.status, ((await response.json()) as { message: string }).message]).toEqual([
        422,
        'days: must be a number from 1 to 366',
      ])
      expect(await remove(at('some'))).toBe(204)
    },
  )

  test('are told of what is there, to who may see it', async () => {
    await ada.put({ package: 'some' }, 'a')
    for (const path of [
      `${at('none')}/-/downloads`,
      `${at('some')}/-/downloads?version=9`,
      `${at('some')}/-/downloads?version=%00`,
    ]) {
      expect((await ada.fetch(path)).status).toBe(404)
    }
    await stowage.change("update owners set visibility = 'private' where name = 'ada'")
    expect((await stowage.anonymous.fetch(`${at('some')}/-/downloads`)).status).toBe(404)
    await stowage.change("update owners set visibility = 'public' where name = 'ada'")
    expect(await remove(at('some'))).toBe(204)
  })

  test('outlive the file and the version, and end with the package', async () => {
    for (const file of ['a', 'b']) await ada.put({ package: 'going', version: '1', file }, file)
    for (const version of ['2', '3']) await ada.put({ package: 'going', version, file: 'a' }, 'a')
    const counted: FileAddress[] = [
      { version: '1', file: 'a' },
      { version: '1', file: 'b' },
      { version: '2', file: 'a' },
      { version: '3', file: 'a' },
    ]
    for (const address of counted) await download({ package: 'going', ...address }, 1)
    // Gone before they are written down.
    expect((await ada.delete({ package: 'going', version: '1', file: 'a' })).status).toBe(204)
    expect((await ada.delete({ package: 'going', version: '2', file: 'a' })).status).toBe(204)
    await stowage.stowage.flushDownloads()
    expect(await shown('going')).toMatchObject({ total: 4 })
    expect(await shown('going', '?version=1')).toMatchObject({ total: 2, files: [{ name: 'b', downloads: 1 }] })
    // And after.
    expect(await remove(at('going/3'))).toBe(204)
    expect(await shown('going', '?days=1')).toMatchObject({ total: 4, days: [{ downloads: 4 }] })
    await download({ package: 'going', version: '1', file: 'b' }, 1)
    expect(await remove(at('going'))).toBe(204)
    await stowage.stowage.flushDownloads()
    for (const table of ['file_downloads', 'version_downloads', 'package_downloads']) {
      expect(await stowage.change(`select * from ${table}`)).toEqual([])
    }
  })

  test('stay in memory while they cannot be written down', async () => {
    await ada.put({ package: 'waiting' }, 'a')
    await download({ package: 'waiting' }, 2)
    failing = 'remember downloads'
    await expect(stowage.stowage.flushDownloads()).rejects.toThrow('the database is away')
    await download({ package: 'waiting' }, 1)
    expect((await shown('waiting')).total).toBe(0)
    failing = undefined
    expect(await total('waiting')).toBe(3)
    expect(await total('waiting')).toBe(3)
    expect(await remove(at('waiting'))).toBe(204)
  })

  test('of many files are written in several transactions', async () => {
    await ada.put({ package: 'many' }, 'a')
    await stowage.change(`
      with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < 700)
      insert into files (version_id, name, name_key, blob_id, uploader_id, upload_id, created_at)
      select files.version_id, 'f' || n, 'f' || n, files.blob_id, null, 'f' || n, 0 from numbers, files`)
    const files = await stowage.change(`
      select files.id, files.version_id, versions.package_id from files join versions on versions.id = files.version_id`)
    seen.length = 0
    for (const { id, version_id, package_id } of files) {
      const its = { id: Number(id), versionId: Number(version_id), packageId: Number(package_id) }
      stowage.stowage.registry.downloads.note(its)
      stowage.stowage.registry.downloads.note(its)
    }
    expect(await total('many')).toBe(1_402)
    expect(seen.filter((name) => name === 'remember downloads')).toHaveLength(3)
    const counted = (await shown('many', '?version=1.0')).files ?? []
    expect(counted.map(({ downloads }) => downloads)).toEqual(Array.from({ length: 701 }, () => 2))
    expect(await remove(at('many'))).toBe(204)
  })

  test('by two nodes at once add up', async () => {
    for (const version of ['1', '2', '3']) await ada.put({ package: 'shared', version }, version)
    const files = await stowage.change(`
      select files.id, files.version_id, versions.package_id from files join versions on versions.id = files.version_id`)
    const nodes = Array.from({ length: 4 }, () => {
      const { catalogue } = stowage.stowage.registry
      return new DownloadCounts({ catalogue, now: () => now, wake: () => undefined })
    })
    for (let round = 0; round < 5; round += 1) {
      for (const [index, node] of nodes.entries()) {
        for (const { id, version_id, package_id } of index % 2 ? files : files.toReversed()) {
          node.note({ id: Number(id), versionId: Number(version_id), packageId: Number(package_id) })
        }
      }
      await Promise.all(nodes.map((node) => node.flush()))
    }
    expect((await shown('shared')).total).toBe(60)
    expect((await shown('shared', '?version=2')).total).toBe(20)
    expect(await remove(at('shared'))).toBe(204)
  })

  test('are written down when the server stops', async () => {
    await using other = await startStowage()
    const bo = await other.user('bo')
    await bo.put({}, 'a')
    await (await bo.get()).bytes()
    await other.stop()
    expect(await other.change('select downloads from file_downloads')).toEqual([{ downloads: expect.anything() }])
  })
})

describe('memory', () => {
  test('is bounded: many files are written early, and beyond what it holds no more of them are counted', async () => {
    const woken: string[] = []
    const written: number[] = []
    let isAway = false
    const away = { ...stowage.stowage.registry.catalogue }
    away.transact = async (_, args) => {
      if (isAway) throw new Error('the database is away')
      written.push((args as unknown as { counts: unknown[] }).counts.length)
      return undefined as never
    }
    const counts = new DownloadCounts({ catalogue: away, now: () => now, wake: (kind) => woken.push(kind) }, 10)
    const note = (id: number) => counts.note({ id, versionId: 1, packageId: 1 })
    for (let id = 1; id <= 4; id += 1) note(id)
    expect(woken).toEqual([])
    for (let id = 5; id <= 20; id += 1) note(id)
    // Nor is a database that is away asked again and again.
    isAway = true
    await expect(counts.flush()).rejects.toThrow('the database is away')
    expect(woken).toEqual(['downloads'])
    isAway = false
    await counts.flush()
    expect(written).toEqual([10])
    note(1)
    await counts.flush()
    expect(written).toEqual([10, 1])
  })
})

describe('several transactions, of which the second fails', () => {
  const unknown = new Problem('outcome-unknown', 'The database did not confirm the change.')

  test.each([
    ['lose nothing and count nothing twice', new Error('the database is away'), 0],
    ['lose those of which nobody knows, rather than count them twice', unknown, 300],
  ])('%s', async (_, failure, lost) => {
    const written = new Map<number, number>()
    let calls = 0
    const real = stowage.stowage.registry.catalogue
    const transact = async (_work: unknown, args: unknown) => {
      calls += 1
      // Meanwhile the first file is downloaded once more.
      if (calls === 2) counts.note({ id: 1, versionId: 1, packageId: 1 })
      if (calls === 2) throw failure
      for (const { fileId, downloads } of (args as { counts: FileDownloads[] }).counts) {
        written.set(fileId, (written.get(fileId) ?? 0) + downloads)
      }
    }
    const counts = new DownloadCounts({
      catalogue: { ...real, transact: transact as Catalogue['transact'] },
      now: () => now,
      wake: () => undefined,
    })
    for (let id = 1; id <= 700; id += 1) counts.note({ id, versionId: 1, packageId: 1 })
    await expect(counts.flush()).rejects.toThrow(failure.message)
    await counts.flush()
    expect(written.size).toBe(700 - lost)
    expect([...written].filter(([, downloads]) => downloads !== 1)).toEqual([[1, 2]])
  })
})
