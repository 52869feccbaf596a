import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { retryAfterMs } from '../../client/errors.ts'
import {
  type Address,
  ConnectionLost,
  createClient,
  DigestMismatch,
  type DownloadOptions,
  download,
  type PublishOptions,
  publish,
  Refused,
  type Source,
  type StowageClient,
  StowageError,
  Taken,
  Unverified,
} from '../../client/index.ts'
import { HttpProxy } from '../support/http-proxy.ts'
import { adminPassword, type Client, startStowage, type TestStowage } from '../support/stowage.ts'
import { until } from '../support/until.ts'

let stowage: TestStowage
let proxy: HttpProxy
let ada: Client
let token: string
let client: StowageClient
let folder: string

beforeAll(async () => {
  stowage = await startStowage()
  proxy = await HttpProxy.start(stowage.url)
  ada = await stowage.user('ada')
  token = (await ada.token(['write:package'])).secret
  client = createClient({ url: proxy.url, token })
  folder = await mkdtemp(join(tmpdir(), 'stowage-client-'))
})

afterAll(async () => {
  await proxy[Symbol.asyncDispose]()
  await stowage[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

/** Waits are written down, and over at once. */
function hurried(attempts = 5) {
  const waits: number[] = []
  return {
    waits,
    retries: {
      attempts,
      wait: async (milliseconds: number) => {
        waits.push(milliseconds)
      },
    },
  }
}

let files = 0
/** An address where nothing is. */
function somewhere(): Address {
  files += 1
  return { owner: 'ada', package: 'tool', version: '1.0', file: `file ${files}.bin` }
}

function bytesOf(size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size)
  for (let at = 0; at < size; at += 1) bytes[at] = (at * 31 + (at >> 8) * 7) & 255
  return bytes
}

function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex')
}

async function* pieces(bytes: Uint8Array, size = 100_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new Blob([bytes as Uint8Array<ArrayBuffer>]).stream()
}

async function stored(address: Address): Promise<Uint8Array | number> {
  const answer = await ada.get(address)
  return answer.status === 200 ? new Uint8Array(await answer.arrayBuffer()) : answer.status
}

async function failure(attempt: Promise<unknown>): Promise<Error> {
  try {
    await attempt
  } catch (error) {
    return error as Error
  }
  throw new Error('nothing was refused')
}

async function put(bytes: Uint8Array, address = somewhere()): Promise<Address> {
  expect((await ada.put(address, bytes as Uint8Array<ArrayBuffer>)).status).toBe(201)
  return address
}

/** Another origin, which writes down what it is told. */
function listen(answer: (request: Request) => Response) {
  const seen: Headers[] = []
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: async (request) => {
      seen.push(request.headers)
      await request.arrayBuffer()
      return answer(request)
    },
  })
  return { url: server.url.href, seen, [Symbol.asyncDispose]: () => server.stop(true) }
}

const large = bytesOf(3_000_000)
const largeSha256 = sha256(large)

describe('publish', () => {
  let path: string
  beforeAll(async () => {
    path = join(folder, 'source.bin')
    await Bun.write(path, large)
  })

  const sources: [string, () => Source, isSized: boolean][] = [
    ['bytes', () => large, true],
    ['a Blob', () => new Blob([large]), true],
    ["a file's path", () => path, true],
    ["a file's URL", () => pathToFileURL(path), true],
    ["a file of Bun's", () => Bun.file(path), true],
    ['a stream', () => streamOf(large), false],
    ['an iterable', () => pieces(large), false],
    ['a function', () => () => pieces(large), false],
    ['a function that waits', () => async () => streamOf(large), false],
  ]

  test.each(sources)('%s', async (_, source, isSized) => {
    proxy.take()
    const address = somewhere()
    expect(await publish(client, address, source())).toEqual({
      sha256: largeSha256,
      size: large.length,
      alreadyThere: false,
    })
    expect(await stored(address)).toEqual(large)
    const [sent] = proxy.take().seen
    expect(sent?.headers['content-length']).toBe(isSized ? String(large.length) : undefined)
  })

  test.each([0, 1, 262_144, 262_145])('%d bytes, sized and not', async (size) => {
    const bytes = bytesOf(size)
    for (const source of [bytes, streamOf(bytes), new Blob([bytes])]) {
      const address = somewhere()
      expect(await publish(client, address, source)).toMatchObject({ sha256: sha256(bytes), size })
      expect(await stored(address)).toEqual(bytes)
    }
  })

  test('names with all that needs escaping, by a password, at an address with a slash at its end', async () => {
    const address = { owner: 'ada', package: 'a+b', version: 'v 1 ü?#%', file: '[x] #1 ; & ~.tar.gz' }
    const byPassword = { url: `${stowage.url}/`, user: 'ada', password: 'ada-Pass-1234' }
    await publish(byPassword, address, bytesOf(10))
    expect(await stored(address)).toEqual(bytesOf(10))
    const got = await download(byPassword, address)
    expect(await new Response(got.stream).bytes()).toEqual(bytesOf(10))
  })

  test.each(['', '.', '..'])('never to another address: %j', async (segment) => {
    proxy.take()
    for (const field of ['owner', 'package', 'version', 'file']) {
      const address = { ...somewhere(), [field]: segment }
      expect(await failure(publish(client, address, bytesOf(1)))).toBeInstanceOf(TypeError)
      expect(await failure(download(client, address))).toBeInstanceOf(TypeError)
    }
    expect(proxy.take().seen).toEqual([])
  })

  test('progress is told', async () => {
    const told: unknown[] = []
    const onProgress: PublishOptions['onProgress'] = (progress) => told.push(progress)
    await publish(client, somewhere(), pieces(bytesOf(250_000)), { onProgress, size: 250_000 })
    expect(told).toEqual([100_000, 200_000, 250_000].map((sent) => ({ sent, total: 250_000 })))
  })

  test('is refused in the words of the server, once', async () => {
    const { retries, waits } = hurried()
    const reader = createClient({ url: proxy.url, token: (await ada.token(['read:package'])).secret })
    for (const [who, address, status, words] of [
      [reader, somewhere(), 403, 'write:package'],
      [createClient({ url: proxy.url }), somewhere(), 401, ''],
      [client, { ...somewhere(), owner: 'nobody' }, 404, 'Not found.'],
      [client, { ...somewhere(), package: '..a b' }, 400, 'invalid package name'],
    ] as const) {
      proxy.take()
      const error = await failure(publish(who, address, large, { retries }))
      expect(error).toBeInstanceOf(Refused)
      expect(error).toMatchObject({ status, requestId: expect.any(String), message: expect.stringContaining(words) })
      expect(proxy.take().seen).toHaveLength(1)
    }
    expect(waits).toEqual([])
  })

  test('a digest that was said is demanded of the server', async () => {
    const address = somewhere()
    const error = await failure(publish(client, address, pieces(large), { sha256: sha256('other') }))
    expect(error).toMatchObject({ status: 400, message: expect.stringContaining(largeSha256) })
    expect(await stored(address)).toBe(404)
    proxy.take()
    await publish(client, address, pieces(large), { sha256: largeSha256.toUpperCase() })
    // Nothing has to be asked for afterwards.
    expect(proxy.take().seen.map(({ method }) => method)).toEqual(['PUT'])
    expect(await failure(publish(client, address, large, { sha256: 'x' }))).toBeInstanceOf(TypeError)
  })

  test('what is stored is compared with what was sent', async () => {
    const address = somewhere()
    const other = await stowage.admin.put({ file: 'other' }, 'other')
    expect(other.status).toBe(201)
    const { url } = proxy
    // Somebody in between tells of another file.
    const lying = (input: string | URL | Request, init?: RequestInit) =>
      fetch(init?.method === 'HEAD' ? `${url}${stowage.admin.path({ file: 'other' })}` : input, init)
    const error = await failure(publish({ url, token, fetch: lying }, address, pieces(large)))
    expect(error).toBeInstanceOf(DigestMismatch)
    expect(error).toMatchObject({ expected: largeSha256, actual: sha256('other') })
    expect(await stored(address)).toEqual(large)
  })

  test('where that cannot be asked for, this is said', async () => {
    const address = somewhere()
    const deaf = (input: string | URL | Request, init?: RequestInit) =>
      init?.method === 'HEAD' ? Promise.reject(new TypeError('no')) : fetch(input, init)
    const { retries } = hurried(2)
    const error = await failure(publish({ url: proxy.url, token, fetch: deaf }, address, pieces(large), { retries }))
    expect(error).toBeInstanceOf(Unverified)
    expect(error.cause).toBeInstanceOf(ConnectionLost)
  })

  test("the source's own error comes through, at once, and nothing is stored", async () => {
    const { retries, waits } = hurried()
    const address = somewhere()
    const broken = new Error('the tape is torn')
    async function* torn() {
      yield* pieces(bytesOf(500_000))
      throw broken
    }
    expect(await failure(publish(client, address, torn(), { retries }))).toBe(broken)
    expect(await failure(publish(client, address, () => torn(), { retries }))).toBe(broken)
    expect(await failure(publish(client, address, join(folder, 'nowhere'), { retries }))).toMatchObject({
      code: 'ENOENT',
    })
    const short = publish(client, address, pieces(bytesOf(500)), { size: 501, retries })
    expect(await failure(short)).toMatchObject({ message: 'There are 500 bytes where 501 should be' })
    const long = publish(client, address, pieces(bytesOf(200_000)), { size: 150_000, retries })
    expect(await failure(long)).toMatchObject({ message: 'There are more than 150000 bytes' })
    const onProgress = () => {
      throw broken
    }
    expect(await failure(publish(client, address, large, { onProgress, retries }))).toBe(broken)
    expect(waits).toEqual([])
    expect(await stored(address)).toBe(404)
  })

  test('does not pull from a source without need', async () => {
    let pulled = 0
    let isClosed = false
    async function* endless() {
      try {
        for (;;) {
          pulled += 1
          yield bytesOf(100_000)
        }
      } finally {
        isClosed = true
      }
    }
    const address = await put(bytesOf(1))
    expect(await failure(publish(client, address, endless()))).toBeInstanceOf(Taken)
    expect(isClosed).toBe(true)
    // What fits into the buffers of four sockets.
    expect(pulled).toBeLessThan(500)
  })

  test('ends with its signal', async () => {
    const reason = new Error('enough')
    const controller = new AbortController()
    proxy.take()
    proxy.plan({ kind: 'hold' })
    const attempt = failure(publish(client, somewhere(), large, { signal: controller.signal }))
    await until(() => proxy.seen.length === 1, 'the request has come')
    controller.abort(reason)
    expect(await attempt).toBe(reason)
    const silent = new AbortController()
    async function* silence() {
      yield bytesOf(10)
      setTimeout(() => silent.abort(reason), 0)
      await new Promise(() => undefined)
    }
    expect(await failure(publish(client, somewhere(), silence(), { signal: silent.signal }))).toBe(reason)
    proxy.take()
    const already = publish(client, somewhere(), large, { signal: AbortSignal.abort(reason) })
    expect(await failure(already)).toBe(reason)
    proxy.plan({ kind: 'answer', status: 503, headers: { 'Retry-After': '50' } })
    const waiting = new AbortController()
    const retries = {
      wait: async () => waiting.abort(reason),
    }
    const between = publish(client, somewhere(), large, { signal: waiting.signal, retries })
    expect(await failure(between)).toBe(reason)
    const pausing = new AbortController()
    proxy.plan({ kind: 'answer', status: 503, headers: { 'Retry-After': '50' } })
    const asleep = failure(publish(client, somewhere(), large, { signal: pausing.signal }))
    await until(() => proxy.seen.length === 2, 'the request has come')
    pausing.abort(reason)
    expect(await asleep).toBe(reason)
    expect(proxy.take().seen).toHaveLength(2)
  })
})

describe('publish tries again', () => {
  test.each([
    ['the connection is lost in the middle', { kind: 'cut request', after: 500_000 }],
    ['the connection is lost at the beginning', { kind: 'cut request', after: 0 }],
    ['a proxy has no server', { kind: 'answer', status: 502, body: '<h1>Bad gateway</h1>' }],
    ['a server is full', { kind: 'answer', status: 503, headers: { 'Retry-After': '7' } }],
    ['a proxy has waited for too long', { kind: 'answer', status: 504 }],
    [
      'there are too many requests, and it says for how long',
      { kind: 'answer', status: 429, headers: { 'Retry-After': '7' } },
    ],
  ] as const)('when %s', async (_, fault) => {
    const { retries, waits } = hurried()
    for (const source of [new Blob([large]), () => pieces(large)]) {
      proxy.take()
      proxy.plan(fault, fault)
      const address = somewhere()
      expect(await publish(client, address, source, { retries })).toMatchObject({ alreadyThere: false })
      expect(await stored(address)).toEqual(large)
      const { seen, left } = proxy.take()
      expect([seen.map(({ method }) => method), left]).toEqual([['PUT', 'PUT', 'PUT', 'HEAD'], 0])
    }
    const [first = 0, second = 0] = waits
    if ('headers' in fault) expect([first, second]).toEqual([7_000, 7_000])
    else {
      expect(first).toBeWithin(250, 501)
      expect(second).toBeWithin(500, 1_001)
    }
  })

  test.each([
    [{ kind: 'answer', status: 500 }, 500],
    [{ kind: 'answer', status: 429 }, 429],
    [{ kind: 'answer', status: 400 }, 400],
    [{ kind: 'answer', status: 503, headers: { 'Retry-After': '3600' } }, 503],
  ] as const)('not after %j', async (fault, status) => {
    const { retries, waits } = hurried()
    proxy.take()
    proxy.plan(fault)
    expect(await failure(publish(client, somewhere(), large, { retries }))).toMatchObject({ status })
    expect([waits, proxy.take().seen.length]).toEqual([[], 1])
  })

  test('not with what can be read only once', async () => {
    const { retries, waits } = hurried()
    const address = somewhere()
    for (const source of [streamOf(large), pieces(large)]) {
      proxy.plan({ kind: 'cut request', after: 500_000 })
      expect(await failure(publish(client, address, source, { retries }))).toBeInstanceOf(ConnectionLost)
    }
    expect([waits, await stored(address)]).toEqual([[], 404])
  })

  test('so many times and no more', async () => {
    const { retries, waits } = hurried(3)
    proxy.take()
    proxy.plan(...Array.from({ length: 4 }, () => ({ kind: 'answer', status: 502, body: 'x' }) as const))
    expect(await failure(publish(client, somewhere(), large, { retries }))).toMatchObject({
      status: 502,
      message: 'The server answered 502 Bad Gateway',
    })
    expect([waits.length, proxy.take()]).toMatchObject([2, { seen: { length: 3 }, left: 1 }])
  })

  test('and where nobody listens', async () => {
    const { retries, waits } = hurried(2)
    const nobody = { url: 'http://127.0.0.1:1', token }
    expect(await failure(publish(nobody, somewhere(), large, { retries }))).toBeInstanceOf(ConnectionLost)
    expect(waits).toHaveLength(1)
  })
})

describe('an answer that was lost', () => {
  test('after the file was stored is success', async () => {
    for (const source of [large, new Blob([large]), () => pieces(large)]) {
      const { retries } = hurried()
      proxy.take()
      proxy.plan({ kind: 'lose answer' })
      const address = somewhere()
      expect(await publish(client, address, source, { retries })).toEqual({
        sha256: largeSha256,
        size: large.length,
        alreadyThere: true,
      })
      expect(proxy.take().seen.map(({ method }) => method)).toEqual(['PUT', 'PUT'])
      expect(await stored(address)).toEqual(large)
    }
  })

  test('is no success where somebody else has the name', async () => {
    const { retries } = hurried()
    const address = await put(bytesOf(5))
    proxy.plan({ kind: 'answer', status: 503 })
    const error = await failure(publish(client, address, new Blob([large]), { retries }))
    expect(error).toBeInstanceOf(Taken)
    expect(error).toMatchObject({
      status: 409,
      storedSha256: sha256(bytesOf(5)),
      message: 'package file already exists',
    })
    expect(await stored(address)).toEqual(bytesOf(5))
  })

  test('is asked for where a refusal does not say what is there', async () => {
    const { retries } = hurried()
    proxy.take()
    proxy.plan({ kind: 'lose answer' }, { kind: 'answer', status: 409, body: 'package file already exists' })
    expect(await publish(client, somewhere(), new Blob([large]), { retries })).toMatchObject({ alreadyThere: true })
    expect(proxy.take().seen.map(({ method }) => method)).toEqual(['PUT', 'PUT', 'HEAD'])
  })

  test('is asked for where the first attempt has used up a quota, which is told before the name', async () => {
    const { admin } = stowage
    const quota = '/api/v1/admin/quotas/owners/ada'
    const used = ((await (await admin.fetch('/api/v1/usage/ada')).json()) as { size: number }).size
    const limit = (bytes: number) => admin.fetch(quota, { method: 'PATCH', body: JSON.stringify({ bytes }) })
    expect((await limit(used + large.length)).status).toBe(200)
    try {
      proxy.take()
      proxy.plan({ kind: 'lose answer' })
      const { retries } = hurried()
      expect(await publish(client, somewhere(), new Blob([large]), { retries })).toMatchObject({ alreadyThere: true })
      expect(proxy.take().seen.map(({ method }) => method)).toEqual(['PUT', 'PUT', 'HEAD'])
      // And where it was not: the first one never came to be.
      proxy.plan({ kind: 'answer', status: 503 })
      const error = await failure(publish(client, somewhere(), new Blob([large]), { retries }))
      expect(error).toMatchObject({ status: 403, message: 'maximum allowed package storage quota exceeded' })
    } finally {
      await admin.fetch(quota, { method: 'DELETE' })
    }
  })

  test('without one, a name that is taken is taken, also by the same bytes', async () => {
    const address = await put(large)
    const error = await failure(publish(client, address, large))
    expect(error).toBeInstanceOf(Taken)
    expect(error).toMatchObject({ storedSha256: largeSha256 })
  })
})

describe('download', () => {
  let address: Address
  let inside: string
  beforeAll(async () => {
    address = await put(large)
  })

  /** Downloads into a folder with nothing in it; answers what is there afterwards. */
  async function land(options: DownloadOptions = {}, from: Parameters<typeof download>[0] = client, what = address) {
    inside = await mkdtemp(join(folder, 'to-'))
    const result = await download(from, what, { ...options, to: join(inside, 'got.bin') }).catch((error) => error)
    return { result, names: await readdir(inside) }
  }

  const gotIt = () => Bun.file(join(inside, 'got.bin')).bytes()

  test('to a path', async () => {
    const { result, names } = await land()
    expect(result).toEqual({ path: join(inside, 'got.bin'), size: large.length, sha256: largeSha256 })
    expect(names).toEqual(['got.bin'])
    expect(await gotIt()).toEqual(large)
  })

  test('over what is there, by URL', async () => {
    const path = join(folder, 'older')
    await Bun.write(path, 'older')
    await download(client, address, { to: pathToFileURL(path) })
    expect(await Bun.file(path).bytes()).toEqual(large)
  })

  test.each([0, 1, 65_537])('as a stream, %d bytes', async (size) => {
    const got = await download(client, await put(bytesOf(size)))
    expect([got.size, got.sha256]).toEqual([size, sha256(bytesOf(size))])
    expect(await new Response(got.stream).bytes()).toEqual(bytesOf(size))
  })

  test('progress is told', async () => {
    let last: unknown
    const onProgress: DownloadOptions['onProgress'] = (progress) => {
      last = progress
    }
    await land({ onProgress })
    expect(last).toEqual({ received: large.length, total: large.length })
  })

  test('what is not there leaves nothing', async () => {
    const { result, names } = await land({}, client, somewhere())
    expect(result).toBeInstanceOf(Refused)
    expect(result).toMatchObject({ status: 404, message: 'package file does not exist' })
    expect(names).toEqual([])
  })

  test('a folder that is not there', async () => {
    expect(await failure(download(client, address, { to: join(folder, 'no/such/folder') }))).toMatchObject({
      code: 'ENOENT',
    })
  })

  test.each([0, 1_500_000, 2_999_999])('a byte that is another one, at %d, leaves nothing', async (at) => {
    proxy.plan({ kind: 'damage answer', at })
    const { result, names } = await land()
    expect(result).toBeInstanceOf(DigestMismatch)
    expect(result).toMatchObject({ expected: largeSha256 })
    expect(names).toEqual([])
    proxy.plan({ kind: 'damage answer', at })
    const { stream } = await download(client, address)
    expect(await failure(new Response(stream).bytes())).toBeInstanceOf(DigestMismatch)
  })

  test('another file than the one that is wanted is not even begun', async () => {
    const { result, names } = await land({ sha256: sha256('wanted') })
    expect(result).toMatchObject({ name: 'DigestMismatch', expected: sha256('wanted'), actual: largeSha256 })
    expect(names).toEqual([])
    expect((await land({ sha256: largeSha256.toUpperCase() })).names).toEqual(['got.bin'])
  })

  test('goes on where the connection was lost', async () => {
    const { retries, waits } = hurried()
    proxy.take()
    proxy.plan(
      { kind: 'answer', status: 503, headers: { 'Retry-After': '2' } },
      { kind: 'cut answer', after: 700_000 },
      { kind: 'answer', status: 502 },
      { kind: 'cut answer', after: 0 },
      { kind: 'cut answer', after: 1_000_000 },
    )
    const { result } = await land({ retries: { ...retries, attempts: 6 } })
    expect(result).toMatchObject({ size: large.length, sha256: largeSha256 })
    expect(await gotIt()).toEqual(large)
    const { seen } = proxy.take()
    const ranges = seen.map(({ headers }) => headers.range)
    const [, , at] = ranges.map((range) => Number(range?.match(/^bytes=(\d+)-$/)?.[1]))
    expect(at).toBeWithin(1, 700_001)
    expect(ranges).toEqual([undefined, undefined, `bytes=${at}-`, `bytes=${at}-`, `bytes=${at}-`, expect.any(String)])
    expect(seen[3]?.headers['if-range']).toBe(`"${largeSha256}"`)
    expect(waits).toHaveLength(5)
  })

  test('not for ever', async () => {
    const { retries } = hurried(3)
    proxy.take()
    proxy.plan(...Array.from({ length: 4 }, () => ({ kind: 'cut answer', after: 1_000 }) as const))
    const { result, names } = await land({ retries })
    expect(result).toBeInstanceOf(ConnectionLost)
    expect(names).toEqual([])
    expect(proxy.take().left).toBeGreaterThan(0)
  })

  test('where ranges are not for this server, what came already is left out', async () => {
    const { retries } = hurried()
    const whole = async (input: string | URL | Request, init?: RequestInit) => {
      const headers = new Headers(init?.headers)
      headers.delete('range')
      return fetch(input, { ...init, headers })
    }
    proxy.plan({ kind: 'cut answer', after: 700_000 })
    const { result } = await land({ retries }, { url: proxy.url, token, fetch: whole })
    expect(result).toMatchObject({ sha256: largeSha256 })
    expect(await gotIt()).toEqual(large)
  })

  test('and where an answer ends early as if that were its end', async () => {
    const { retries, waits } = hurried()
    const short = async (input: string | URL | Request, init?: RequestInit) => {
      const answer = await fetch(input, init)
      if (new Headers(init?.headers).has('range')) return answer
      return new Response((await answer.bytes()).slice(0, 1_000), { headers: answer.headers })
    }
    const { result } = await land({ retries }, { url: proxy.url, token, fetch: short })
    expect([result, waits.length]).toMatchObject([{ sha256: largeSha256 }, 1])
    expect(await gotIt()).toEqual(large)
  })

  test('a file that is another one by then is not mixed with the first', async () => {
    const changing = await put(large)
    const { waits } = hurried()
    const replace = async () => {
      waits.push(0)
      expect((await ada.delete(changing)).status).toBe(204)
      await put(bytesOf(2_000_000), changing)
    }
    proxy.plan({ kind: 'cut answer', after: 700_000 })
    const { result, names } = await land({ retries: { wait: replace } }, client, changing)
    expect(result).toMatchObject({ name: 'FileChanged' })
    expect([waits.length, names]).toEqual([1, []])
  })

  test('ends with its signal, and leaves nothing', async () => {
    const reason = new Error('enough')
    const controller = new AbortController()
    const { result, names } = await land({ signal: controller.signal, onProgress: () => controller.abort(reason) })
    expect(result).toBe(reason)
    expect(names).toEqual([])
    proxy.take()
    proxy.plan({ kind: 'hold' })
    const waiting = new AbortController()
    const held = failure(download(client, address, { signal: waiting.signal }))
    await until(() => proxy.seen.length === 1, 'the request has come')
    waiting.abort(reason)
    expect(await held).toBe(reason)
  })

  test('a stream that nobody reads on lets go of its connection', async () => {
    const { stream } = await download(client, address)
    const reader = stream.getReader()
    expect((await reader.read()).value?.length).toBeGreaterThan(0)
    await reader.cancel()
  })
})

describe('redirects', () => {
  test('of a download to an object store take no credentials along, and the digest stays that of the server', async () => {
    await using store = listen(() => new Response(large))
    const to = { Location: store.url, 'X-Checksum-Sha256': largeSha256 }
    const caller = { url: proxy.url, token, headers: { 'X-Secret': 'x' } }
    proxy.take()
    proxy.plan({ kind: 'answer', status: 303, headers: to })
    const { stream } = await download(caller, somewhere())
    expect(await new Response(stream).bytes()).toEqual(large)
    expect(proxy.take().seen[0]?.headers).toMatchObject({ authorization: `Bearer ${token}`, 'x-secret': 'x' })
    expect(['authorization', 'x-secret'].map((name) => store.seen[0]?.get(name))).toEqual([null, null])

    proxy.plan({ kind: 'answer', status: 303, headers: { ...to, 'X-Checksum-Sha256': sha256('other') } })
    const damaged = await download(caller, somewhere())
    expect(await failure(new Response(damaged.stream).bytes())).toBeInstanceOf(DigestMismatch)
  })

  test('to nothing that says which bytes it has', async () => {
    await using store = listen(() => new Response(large))
    proxy.plan({ kind: 'answer', status: 302, headers: { Location: store.url } })
    expect(await failure(download(client, somewhere()))).toBeInstanceOf(Unverified)
    proxy.plan({ kind: 'answer', status: 302, headers: { Location: store.url } })
    const { stream } = await download(client, somewhere(), { sha256: largeSha256 })
    expect(await new Response(stream).bytes()).toEqual(large)
  })

  test('in a circle', async () => {
    await using circle: ReturnType<typeof listen> = listen(
      () => new Response(null, { status: 307, headers: { Location: '/again' } }),
    )
    const lost = { url: circle.url, token }
    expect(await failure(download(lost, somewhere()))).toMatchObject({ message: expect.stringContaining('redirected') })
    expect(await failure(publish(lost, somewhere(), large))).toMatchObject({
      message: expect.stringContaining('redirected'),
    })
    expect(circle.seen.length).toBeLessThan(15)
  })

  test('of an upload stay with the server', async () => {
    await using store = listen(() => new Response(null, { status: 201 }))
    proxy.plan({ kind: 'answer', status: 307, headers: { Location: store.url } })
    const error = await failure(publish(client, somewhere(), large))
    expect(error).toBeInstanceOf(StowageError)
    expect(error.message).toContain(store.url)
    expect(store.seen).toEqual([])
  })

  test('to an owner under his new name', async () => {
    const user = await stowage.user('before')
    await user.put({}, 'hello')
    const renamed = await stowage.admin.post('/api/v1/admin/users/before/rename', { new_username: 'after' })
    expect(renamed.status).toBe(204)
    const caller = { url: stowage.url, user: 'admin', password: adminPassword }
    const there = { owner: 'before', package: 'tool', version: '1.0', file: 'tool.bin' }
    const got = await download(caller, there)
    expect(await new Response(got.stream).text()).toBe('hello')
    await publish(caller, { ...there, file: 'other' }, new Blob(['bytes']))
    expect(await (await stowage.admin.get({ ...there, owner: 'after', file: 'other' })).text()).toBe('bytes')
    const once = publish(caller, { ...there, file: 'third' }, streamOf(bytesOf(10)))
    expect(await failure(once)).toMatchObject({ message: expect.stringContaining('/after/') })
  })
})

describe('where there is nothing of Node', () => {
  const { getBuiltinModule } = process
  const set = (value: unknown) => Object.assign(process, { getBuiltinModule: value })
  beforeAll(() => set(undefined))
  afterAll(() => set(getBuiltinModule))

  test('what fits into memory is published and downloaded', async () => {
    for (const source of [large, new Blob([large]), streamOf(large), () => pieces(large)]) {
      proxy.take()
      const address = somewhere()
      const published = await publish(client, address, source)
      expect(published).toEqual({ sha256: largeSha256, size: large.length, alreadyThere: false })
      // The digest goes along, so that nothing has to be asked for.
      expect(proxy.take().seen.map(({ headers }) => headers['x-checksum-sha256'])).toEqual([largeSha256])
      const { stream } = await download(client, address)
      expect(await new Response(stream).bytes()).toEqual(large)
      proxy.plan({ kind: 'damage answer', at: 5 })
      const damaged = await download(client, address)
      expect(await failure(new Response(damaged.stream).bytes())).toBeInstanceOf(DigestMismatch)
    }
  })

  test('a lost answer is understood', async () => {
    const { retries } = hurried()
    proxy.plan({ kind: 'lose answer' })
    expect(await publish(client, somewhere(), streamOf(large), { retries })).toMatchObject({ alreadyThere: true })
  })

  test('more is refused before it is held', async () => {
    const tooLarge = 64 * 1024 * 1024 + 1
    expect(await failure(publish(client, somewhere(), new Uint8Array(tooLarge)))).toBeInstanceOf(RangeError)
    const told = { 'Content-Length': String(tooLarge), 'X-Checksum-Sha256': largeSha256 }
    const huge = async () => new Response('', { headers: told })
    expect(await failure(download({ url: proxy.url, fetch: huge }, somewhere()))).toBeInstanceOf(RangeError)
  })

  test('paths are none', async () => {
    expect(await failure(publish(client, somewhere(), 'tool.tar.gz'))).toBeInstanceOf(TypeError)
    const address = await put(bytesOf(1))
    expect(await failure(download(client, address, { to: 'tool.tar.gz' }))).toBeInstanceOf(TypeError)
  })
})

test.each([
  ['120', 120_000],
  [' 0 ', 0],
  ['Thu, 26 Nov 2026 05:00:10 GMT', 10_000],
  ['Thu, 26 Nov 2026 04:00:00 GMT', 0],
  ['soon', undefined],
  [null, undefined],
])('Retry-After %j is %j ms', (text, milliseconds) => {
  expect(retryAfterMs(text, Date.parse('2026-11-26T05:00:00Z'))).toBe(milliseconds)
})

describe('the JSON API', () => {
  test('is typed by address', async () => {
    await put(bytesOf(3), { owner: 'ada', package: 'listed', version: '1', file: 'f' })
    const { data, error } = await client.GET('/api/v1/packages/{owner}', {
      params: { path: { owner: 'ada' }, query: { q: 'listed' } },
    })
    expect(error).toBeUndefined()
    expect(data?.map(({ name, version }) => [name, version])).toEqual([['listed', '1']])
  })

  test('never calls another address than it was told', async () => {
    proxy.take()
    for (const version of ['', '.', '..']) {
      const path = { owner: 'ada', name: 'tool', version }
      const call = client.DELETE('/api/v1/packages/{owner}/generic/{name}/{version}', { params: { path } })
      expect(await failure(call)).toBeInstanceOf(TypeError)
    }
    expect(proxy.take().seen).toEqual([])
  })

  test('takes names with all that needs escaping', async () => {
    const address = { owner: 'ada', package: 'a-b+c', version: "1 {name} $& %2e ü'", file: 'f' }
    await put(bytesOf(3), address)
    const path = { owner: 'ada', name: 'a-b+c', version: address.version }
    const call = await client.GET('/api/v1/packages/{owner}/generic/{name}/{version}/files', { params: { path } })
    expect(call.data?.map(({ name, sha256 }) => [name, sha256])).toEqual([['f', sha256(bytesOf(3))]])
  })

  test('is sent on to an owner under his new name, and to nobody else', async () => {
    await (await stowage.user('older')).put({}, 'hello')
    expect((await stowage.admin.post('/api/v1/admin/users/older/rename', { new_username: 'newer' })).status).toBe(204)
    const byAdmin = createClient({ url: stowage.url, user: 'admin', password: adminPassword })
    const params = { path: { name: 'older' } }
    expect((await byAdmin.GET('/api/v1/users/{name}', { params })).data?.login).toBe('newer')
    const described = await byAdmin.PATCH('/api/v1/packages/{owner}/generic/{name}/-/metadata', {
      params: { path: { owner: 'older', name: 'tool' } },
      body: { description: 'a tool' },
    })
    expect([described.error, described.data?.description]).toEqual([undefined, 'a tool'])

    await using elsewhere = listen(() => Response.json({}))
    proxy.plan({ kind: 'answer', status: 307, headers: { Location: elsewhere.url } })
    expect((await client.GET('/api/v1/user')).response.status).toBe(307)
    expect(elsewhere.seen).toEqual([])
  })

  test('says why it refuses', async () => {
    const { data, error, response } = await client.GET('/api/v1/packages/{owner}', {
      params: { path: { owner: 'nobody' } },
    })
    expect([data, response.status, error?.message]).toEqual([undefined, 404, expect.any(String)])
  })

  test('its client does not show credentials', () => {
    expect(Bun.inspect(client, { depth: 10 })).not.toContain(token)
  })
})
