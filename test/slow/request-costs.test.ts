import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { CopiedBytes } from '../support/copied-bytes.ts'
import { onPostgres } from '../support/database.ts'
import { notRun } from '../support/not-run.ts'
import { roomyPlace } from '../support/roomy-place.ts'
import { ServerProcess, temporaryFolder } from '../support/server-process.ts'
import { basic, Client } from '../support/stowage.ts'
import { type SystemCall, SystemCallWatch, whyNoWatch } from '../support/system-calls.ts'
import { until } from '../support/until.ts'
import table from './request-costs.json'

/*
 * What a request of each kind asks of the kernel, and how many bytes it copies: numbers that do not depend on how busy the
 * machine is. They stand in request-costs.json. One that rises is a regression; one that falls is written down there:
 *
 *     UPDATE_COSTS=1 npx bun test test/slow/request-costs.test.ts
 *
 * writes all of them anew. `git diff` then shows what the change costs, and its commit says why.
 *
 * Calls are of one request, on average; those that depend on timing (waking threads, waiting for sockets, the database's reads) are
 * not counted. Bytes are multiples of the file's size. Statements, on both databases, are counted in
 * test/product/statement-counts.test.ts.
 */

const KiB = 1024
const MiB = 1024 * KiB

/** Calls on the files of blobs, on the database, and on clients' sockets. What is 0 is left out. */
type Costs = Record<string, number>

interface Kind {
  name: string
  /** Bytes of the file that each request is about. */
  size?: number
  /** Requests that are counted. */
  times: number
  /** Before the first one. Each request has a number of its own, and some that are not counted come before those that are. */
  prepare?: (numbers: number[]) => Promise<unknown>
  send: (number: number) => Promise<Response>
  status: number
  /** For files of so many pieces that only their bytes and these calls are the same each time. */
  only?: string[]
  /** After the last one: what it has set going. */
  settle?: (numbers: number[]) => Promise<unknown>
}

let ada: Client
let token: Client
let anybody: Client

const fresh = (size: number) => new Uint8Array(randomBytes(size))

const put = (name: string, version: number | string, bytes: Uint8Array) =>
  token.put({ package: name, version: `${version}` }, bytes)

const putAll = (name: string, size: number) => async (numbers: number[]) => {
  for (const number of numbers) await drained(await put(name, number, fresh(size)), 201)
}

const kilobyte = fresh(KiB)
const kilobytes = fresh(4 * KiB)
const large = fresh(64 * MiB)

/** Other bytes each time. */
function putLarge(name: string, size: number, number: number): Promise<Response> {
  large.set(randomBytes(16))
  return put(name, number, large.subarray(0, size))
}

const digestsAreKnown = (name: string) => async (versions: (string | number)[]) => {
  for (const version of versions) {
    const files = `/api/v1/packages/ada/generic/${name}/${version}/files`
    await until(async () => !(await (await anybody.fetch(files)).text()).includes('null'), 'all digests are known')
  }
}

const kinds: Kind[] = [
  {
    name: 'GET 1 KiB for the first time',
    size: KiB,
    times: 50,
    prepare: putAll('once', KiB),
    send: (number) => anybody.get({ package: 'once', version: `${number}` }),
    status: 200,
  },
  { name: 'GET 1 KiB', size: KiB, times: 50, send: () => anybody.get({ file: '1k' }), status: 200 },
  { name: 'GET 1 KiB by token', size: KiB, times: 50, send: () => token.get({ file: '1k' }), status: 200 },
  { name: 'GET 1 KiB by password', size: KiB, times: 50, send: () => ada.get({ file: '1k' }), status: 200 },
  { name: 'HEAD', times: 50, send: () => anybody.head({ file: '1k' }), status: 200 },
  {
    name: 'GET of what the client has',
    times: 50,
    send: () =>
      anybody.get({ file: '1k' }, { 'If-None-Match': `"${new Bun.SHA256().update(kilobyte).digest('hex')}"` }),
    status: 304,
  },
  {
    name: 'GET of a range',
    size: KiB,
    times: 50,
    send: () => anybody.get({ file: '64k' }, { Range: 'bytes=1024-2047' }),
    status: 206,
  },
  { name: 'GET 64 KiB', size: 64 * KiB, times: 50, send: () => anybody.get({ file: '64k' }), status: 200 },
  {
    name: 'GET 1 MiB for the first time',
    size: MiB,
    times: 10,
    prepare: async (numbers) => {
      await putAll('once-larger', MiB)(numbers)
      await digestsAreKnown('once-larger')(numbers)
    },
    send: (number) => anybody.get({ package: 'once-larger', version: `${number}` }),
    only: ['open'],
    status: 200,
  },
  { name: 'GET 1 MiB', size: MiB, times: 20, send: () => anybody.get({ file: '1m' }), only: ['open'], status: 200 },
  {
    name: 'GET 64 MiB',
    size: 64 * MiB,
    times: 2,
    send: () => anybody.get({ file: '64m' }),
    only: ['open'],
    status: 200,
  },
  { name: 'GET of a list', times: 50, send: () => anybody.fetch('/api/v1/packages/ada/generic/tool'), status: 200 },
  {
    name: 'PUT 4 KiB, a new package',
    size: 4 * KiB,
    times: 30,
    send: (number) => put(`package-${number}`, '1.0', fresh(4 * KiB)),
    status: 201,
  },
  {
    name: 'PUT 4 KiB, a new version',
    size: 4 * KiB,
    times: 30,
    send: (number) => put('versions', number, fresh(4 * KiB)),
    status: 201,
  },
  {
    name: 'PUT 4 KiB that are there',
    size: 4 * KiB,
    times: 30,
    prepare: async () => drained(await put('same', 'first', kilobytes), 201),
    send: (number) => put('same', number, kilobytes),
    status: 201,
  },
  {
    name: 'PUT 1 MiB and its other digests',
    size: MiB,
    times: 8,
    send: (number) => putLarge('1m', MiB, number),
    settle: digestsAreKnown('1m'),
    status: 201,
    only: ['open', 'sync'],
  },
  {
    name: 'PUT 64 MiB and its other digests',
    size: 64 * MiB,
    times: 1,
    send: (number) => putLarge('64m', 64 * MiB, number),
    settle: digestsAreKnown('64m'),
    status: 201,
    only: ['open', 'sync'],
  },
  {
    name: 'DELETE of a file',
    times: 30,
    prepare: putAll('going', KiB),
    send: (number) => token.delete({ package: 'going', version: `${number}` }),
    status: 204,
  },
]

/** Whether the table is made anew instead of compared. */
const updates = Boolean(process.env.UPDATE_COSTS)

const why = await whyNoWatch()
if (why && !process.env.CI) notRun(`what a request costs is not counted: ${why}`)
// Files cost the same on PostgreSQL, and what its own processes do is not seen from here.
const isCounted = !onPostgres && (!why || process.env.CI)

describe.skipIf(!isCounted)('what a request costs', () => {
  const measured: Record<string, Costs> = {}
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  let server: ServerProcess
  let copied: CopiedBytes

  beforeAll(async () => {
    folder = await temporaryFolder(await roomyPlace())
    copied = new CopiedBytes(join(folder.path, 'copied-bytes'))
    server = await ServerProcess.start(folder.path, copied.settings)
    const password = 'ada-Pass-1234'
    const account = { username: 'ada', email: 'ada@example.com', password }
    expect((await server.admin.post('/api/v1/admin/users', account)).status).toBe(201)
    ada = new Client(server.url, 'ada', { Authorization: basic('ada', password) })
    token = await ada.token(['all'])
    anybody = new Client(server.url, 'ada', {})
    const files = { '1k': kilobyte, '64k': fresh(64 * KiB), '1m': fresh(MiB), '64m': large }
    for (const [file, bytes] of Object.entries(files)) await drained(await token.put({ file }, bytes), 201)
    await digestsAreKnown('tool')(['1.0'])
  }, 180_000)

  afterAll(async () => {
    await server[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
    if (!updates) return
    expect(Object.keys(measured)).toHaveLength(kinds.length)
    await Bun.write(new URL('request-costs.json', import.meta.url), written(measured))
  })

  test.each(kinds)(
    '$name',
    async (kind) => {
      const numbers = Array.from({ length: kind.times }, (_, index) => index)
      const uncounted = numbers.length > 2 ? numbers.slice(0, 10).map((number) => number - 10) : []
      const sendAll = async (some: number[]) => {
        for (const number of some) await drained(await kind.send(number), kind.status)
        await kind.settle?.(some)
      }
      await kind.prepare?.([...uncounted, ...numbers])
      await sendAll(uncounted)
      const before = copied.now()
      await using watch = await SystemCallWatch.begin(server.child.pid)
      await sendAll(numbers)
      const calls = await watch.end()
      const copies = copiedSince(before, copied.now())
      const costs = costsOf(kind, calls, copies)
      measured[kind.name] = rounded(costs)
      if (updates) return
      const changes = changesOf((table as Record<string, Costs>)[kind.name] ?? {}, costs)
      if (changes.length > 0) console.error(kind.name, counted(calls), copies)
      expect(changes).toEqual([])
    },
    60_000,
  )

  test('publishes side by side share all syncs but those of their own bytes', async () => {
    const publishes = 64
    // A disk that takes so long that all others have come meanwhile.
    const slowDisk = ['-e', 'trace=fsync,fdatasync', '-e', 'inject=fsync,fdatasync:delay_exit=200000']
    await using watch = await SystemCallWatch.begin(server.child.pid, slowDisk)
    let begun = 0
    const one = async () => {
      while (begun < publishes) {
        begun += 1
        await drained(await put('side-by-side', begun, fresh(4 * KiB)), 201)
      }
    }
    await Promise.all(Array.from({ length: 16 }, one))
    const syncs = (await watch.end()).filter((call) => kindOf(call)?.endsWith('sync')).length
    // Three each if nothing were shared; the files' own are one each.
    expect(syncs).toBeGreaterThanOrEqual(publishes)
    expect(syncs / publishes).toBeLessThan(2)
  }, 180_000)
})

async function drained(response: Response, status: number): Promise<void> {
  expect(response.status).toBe(status)
  for await (const _ of response.body ?? []);
}

const groups: Record<string, string[]> = {
  open: ['open', 'openat', 'openat2', 'creat'],
  stat: ['stat', 'lstat', 'fstat', 'newfstatat', 'statx'],
  read: ['read', 'pread64', 'readv', 'preadv', 'preadv2'],
  write: ['write', 'pwrite64', 'writev', 'pwritev', 'pwritev2'],
  sync: ['fsync', 'fdatasync', 'sync_file_range', 'syncfs', 'sync'],
  send: ['sendto', 'sendmsg', 'sendmmsg'],
}
const groupOf = new Map(Object.entries(groups).flatMap(([group, names]) => names.map((name) => [name, group])))

/** What a call is counted as; undefined where that depends on timing, or is nobody's request. */
function kindOf({ name, args }: SystemCall): string | undefined {
  const group = groupOf.get(name) ?? name
  if (name === 'sendfile' || name === 'splice') return 'sendfile'
  if (args.includes('/blobs/')) return group
  if (args.startsWith('AT_FDCWD') ? args.includes('stowage.db') : /^\d+<[^>]*(?:stowage\.db|\(deleted\))/.test(args)) {
    return group === 'write' || group === 'sync' ? `database ${group}` : undefined
  }
  if (/^\d+<(?:socket|TCP)/.test(args)) return group === 'write' ? 'send' : group === 'recvfrom' ? undefined : group
  return undefined
}

function costsOf(kind: Kind, calls: SystemCall[], copies: Record<string, number>): Costs {
  const isChange = kind.status === 201 || kind.status === 204
  const costs: Costs = {}
  const add = (name: string, number: number) => {
    costs[name] = (costs[name] ?? 0) + number / kind.times
  }
  for (const call of calls) {
    const name = kindOf(call)
    if (!name) continue
    // What is done once a minute writes many pages at once; a GET that wrote anything would sync, too.
    if (name === 'database write' && !isChange) continue
    if (!kind.only || kind.only.includes(name)) add(name, 1)
    const moved = ['read', 'write', 'sendfile'].includes(name) ? Math.max(call.result, 0) : 0
    if (kind.size && moved > 0) add(`${name} bytes`, moved / kind.size)
  }
  if (kind.size) for (const bytes of Object.values(copies)) add('copied bytes', bytes / kind.size)
  return costs
}

function copiedSince(before: Record<string, number>, after: Record<string, number>): Record<string, number> {
  const copies = Object.entries(after).map(([way, bytes]) => [way, bytes - (before[way] ?? 0)] as const)
  return Object.fromEntries(copies.filter(([, bytes]) => bytes > 0))
}

/** What has risen, and what has fallen, in words. */
function changesOf(before: Costs, now: Costs): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(now)])].flatMap((name) => {
    const [was, is] = [before[name] ?? 0, now[name] ?? 0]
    if (Math.abs(is - was) <= tolerance(name, was)) return []
    return is > was
      ? [`${name} rose from ${was} to ${is.toFixed(2)}`]
      : [`${name} fell from ${was} to ${is.toFixed(2)}: write it down (UPDATE_COSTS=1)`]
  })
}

/** How often each call was made, for whoever looks for the one that is new. */
function counted(calls: SystemCall[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const call of calls) {
    const name = kindOf(call)
    if (!name) continue
    const line = `${name}: ${call.name}(${call.args.replaceAll(/[0-9a-f]{20,}|\d+/g, 'N')})`
    counts[line] = (counts[line] ?? 0) + 1
  }
  return Object.fromEntries(
    Object.entries(counts)
      .sort(([, one], [, other]) => other - one)
      .slice(0, 30),
  )
}

/** How far a measured number may be from the one that is written down: half a call, a quarter of the file's size. */
function tolerance(name: string, number: number): number {
  if (name.endsWith(' bytes')) return 0.25
  // Keys are random, so which pages they touch is too; and what is done once a minute is among them.
  return name === 'database write' ? Math.max(number / 10, 5) : 0.5
}

/** To quarters, so that what is written down has as much room on both sides. */
const rounded = (costs: Costs): Costs =>
  Object.fromEntries(
    Object.entries(costs)
      .map(([name, number]) => [name, Math.round(number * 4) / 4] as const)
      .filter(([, number]) => number !== 0)
      .sort(([one], [other]) => (one < other ? -1 : 1)),
  )

/** As Biome has it: a line for each kind, if that is not too long. */
function written(measured: Record<string, Costs>): string {
  const rows = Object.entries(measured).map(([name, costs]) => {
    const entries = Object.entries(costs).map(([name, number]) => `${JSON.stringify(name)}: ${number}`)
    const line = `  ${JSON.stringify(name)}: { ${entries.join(', ')} }`
    return line.length < 120 ? line : `  ${JSON.stringify(name)}: {\n    ${entries.join(',\n    ')}\n  }`
  })
  return `{\n${rows.join(',\n')}\n}\n`
}
