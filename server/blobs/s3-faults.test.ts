import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3'
import { type HttpFault, HttpProxy } from '../../test/support/http-proxy.ts'
import { bestS3Server, type S3Server } from '../../test/support/s3.ts'
import { objectsIn } from '../../test/support/store.ts'
import type { Location } from './blob-store.ts'
import { PartMemory } from './part-memory.ts'
import { type S3Place, s3Client } from './s3-client.ts'
import { Download, type DownloadParts, objectStream } from './s3-download.ts'
import { type OpenedS3, type OpenS3, openS3 } from './s3-open.ts'
import { partSizeFor, usualPartSizes } from './s3-upload.ts'

const { name, start } = bestS3Server()
const listed = name === 's3rver' ? test.skip : test
const mebibyte = 1024 * 1024
const lease = 'lease-1'
/** The smallest that S3 takes. */
const smallParts = { usual: 5 * mebibyte, blind: 5 * mebibyte, most: 10_000 }
/** Lets a request through. */
const pass = (method: string): HttpFault => ({ kind: 'wait', method, after: 0, until: Promise.resolve() })
const refuse = (method: string, status: number): HttpFault => ({ kind: 'answer', method, status })

interface Bucket extends OpenedS3, AsyncDisposable {
  proxy: HttpProxy
  place: S3Place
  put(bytes: Uint8Array, size?: number): Promise<Location>
  locations(): Promise<Location[]>
  /** Multipart uploads that the server knows of. */
  unfinished(): Promise<number>
}

describe(`an S3 store on ${name}`, () => {
  let server: S3Server

  beforeAll(async () => {
    server = await start()
  })

  afterAll(() => server[Symbol.asyncDispose]())

  async function openBucket(options: OpenS3 = {}): Promise<Bucket> {
    const proxy = await HttpProxy.start(server.url, { keepsHost: true })
    const place = server.place(proxy.url)
    const opened = await openS3(place, { sizes: smallParts, ...options })
    proxy.take()
    const { store, clients } = opened
    return {
      ...opened,
      ...{ proxy, place },
      put: async (bytes, size) => {
        await using staged = await store.stage(lease, size)
        for (let at = 0; at < bytes.length; at += 300_000) await staged.write(bytes.subarray(at, at + 300_000))
        await staged.commit()
        staged.keep()
        return staged.location
      },
      locations: () => Array.fromAsync(store.locations(lease)),
      unfinished: async () => {
        const command = new ListMultipartUploadsCommand({ Bucket: place.bucket, Prefix: place.prefix })
        return ((await clients.parts.send(command)).Uploads ?? []).length
      },
      [Symbol.asyncDispose]: async () => {
        await store.close()
        await proxy[Symbol.asyncDispose]()
      },
    }
  }

  const bytesOf = ({ store }: Bucket, location: Location) => new Response(store.body(location)).bytes()

  async function expectStored(bucket: Bucket, location: Location, bytes: Uint8Array): Promise<void> {
    expect(Buffer.compare(await bytesOf(bucket, location), bytes)).toBe(0)
    expect(await bucket.locations()).toEqual([location])
  }

  test.each<[string, number, HttpFault[]]>([
    ['a PUT that is answered 503 and 500', 1000, [refuse('PUT', 503), refuse('PUT', 500)]],
    ['a PUT whose answer is lost', 1000, [{ kind: 'lose answer', method: 'PUT' }]],
    ['a PUT that is cut off', 400_000, [{ kind: 'cut request', method: 'PUT', after: 100_000 }]],
    ['a beginning that is answered 503', 11 * mebibyte, [refuse('POST', 503)]],
    ['a part that is answered 500', 11 * mebibyte, [pass('PUT'), refuse('PUT', 500)]],
    ['a part whose answer is lost', 11 * mebibyte, [pass('PUT'), { kind: 'lose answer', method: 'PUT' }]],
    ['an end whose answer is lost', 11 * mebibyte, [pass('POST'), { kind: 'lose answer', method: 'POST' }]],
    // As most stores answer the second time.
    [
      'an end whose answer is lost, by a store that has forgotten the upload,',
      11 * mebibyte,
      [
        pass('POST'),
        { kind: 'lose answer', method: 'POST' },
        { kind: 'answer', method: 'POST', status: 404, body: '<Error><Code>NoSuchUpload</Code></Error>' },
      ],
    ],
  ])('%s is sent again', async (_, size, faults) => {
    await using bucket = await openBucket()
    const bytes = patterned(size)
    bucket.proxy.plan(...faults)
    const location = await bucket.put(bytes, size)
    expect(bucket.proxy.take().left).toBe(0)
    await expectStored(bucket, location, bytes)
  })

  listed('a part that fails for good leaves nothing', async () => {
    await using bucket = await openBucket()
    bucket.proxy.plan(pass('PUT'), refuse('PUT', 403))
    await expect(bucket.put(patterned(16 * mebibyte), 16 * mebibyte)).rejects.toMatchObject({
      code: 'storage-unavailable',
    })
    expect(await bucket.unfinished()).toBe(0)
    expect(await bucket.locations()).toEqual([])
  })

  test.each([
    [507, 'storage-full'],
    [403, 'storage-unavailable'],
  ])('a store that answers %d is %s', async (status, code) => {
    await using bucket = await openBucket()
    bucket.proxy.plan(refuse('PUT', status), refuse('PUT', status), refuse('PUT', status), refuse('PUT', status))
    bucket.proxy.plan(refuse('PUT', status))
    await expect(bucket.put(patterned(10))).rejects.toMatchObject({ name: 'Problem', code })
    bucket.proxy.take()
    expect(await bucket.locations()).toEqual([])
  })

  test('an object whose removal fails is removed later', async () => {
    await using bucket = await openBucket()
    {
      await using staged = await bucket.store.stage(lease)
      await staged.write(patterned(10))
      await staged.commit()
      bucket.proxy.plan(refuse('DELETE', 403))
    }
    expect(await bucket.locations()).toHaveLength(1)
    await bucket.store.tidy()
    expect(await bucket.locations()).toEqual([])
  })

  listed('what a crash left of an upload is found under its lease, and removed', async () => {
    await using bucket = await openBucket()
    await using staged = await bucket.store.stage(lease, 16 * mebibyte)
    await staged.write(patterned(11 * mebibyte))
    const { store: another } = await openS3(bucket.place)
    expect(await Array.fromAsync(another.locations(lease))).toEqual([staged.location])
    expect(await another.remove([staged.location])).toEqual({ gone: [staged.location] })
    expect(await Array.fromAsync(another.locations(lease))).toEqual([])
    expect(await bucket.unfinished()).toBe(0)
    await another.close()
  })

  listed(
    'where the answer to a beginning was lost, the other one ends with the lease, and what was published stays',
    async () => {
      await using bucket = await openBucket()
      const bytes = patterned(11 * mebibyte)
      bucket.proxy.plan({ kind: 'lose answer', method: 'POST' })
      const location = await bucket.put(bytes, bytes.length)
      expect(await bucket.unfinished()).toBe(1)
      // As the sweep does: it takes what nothing refers to, which is not this one.
      expect(await bucket.locations()).toEqual([location])
      await bucket.store.forget(lease)
      expect(await bucket.unfinished()).toBe(0)
      await expectStored(bucket, location, bytes)
    },
  )

  describe('that takes what it is sent and says nothing', () => {
    const hold = (method: string): HttpFault => ({ kind: 'hold', method })

    test.each([
      ['an upload', 1000, 'PUT'],
      ['an upload whose pieces are many', 4 * mebibyte, 'PUT'],
      ['the beginning of one in parts', 11 * mebibyte, 'POST'],
    ])('is asked twice for %s', async (_, size, method) => {
      await using bucket = await openBucket({ answerTime: 200 })
      bucket.proxy.plan(...Array.from({ length: 9 }, () => hold(method)))
      await expect(bucket.put(patterned(size), size)).rejects.toMatchObject({ code: 'storage-unavailable' })
      expect(bucket.proxy.take().seen.filter((request) => request.method === method)).toHaveLength(2)
      expect(await bucket.locations()).toEqual([])
    })

    test('is no hindrance without memory for parts either', async () => {
      await using bucket = await openBucket({ answerTime: 200, memory: new PartMemory({ most: 0 }) })
      bucket.proxy.plan(hold('PUT'), hold('PUT'))
      await expect(bucket.put(patterned(1000), 1000)).rejects.toMatchObject({ code: 'storage-unavailable' })
      expect(bucket.proxy.take().left).toBe(1)
    })

    test('is asked twice for a download', async () => {
      await using bucket = await openBucket({ answerTime: 200 })
      const location = await bucket.put(patterned(10))
      bucket.proxy.take()
      bucket.proxy.plan(...Array.from({ length: 9 }, () => hold('GET')))
      await expect(bytesOf(bucket, location)).rejects.toMatchObject({ code: 'storage-unavailable' })
      expect(bucket.proxy.take().seen).toHaveLength(2)
    })
  })

  test('a store that removes one at a time only is asked so', async () => {
    await using bucket = await openBucket()
    const locations = [await bucket.put(patterned(1)), await bucket.put(patterned(2))]
    bucket.proxy.plan(refuse('POST', 501))
    expect(await bucket.store.remove(locations)).toEqual({ gone: locations })
    expect(await bucket.locations()).toEqual([])
  })

  describe('a download', () => {
    const size = 3 * mebibyte

    test('that is cut off goes on from there', async () => {
      await using bucket = await openBucket()
      const bytes = patterned(size)
      const location = await bucket.put(bytes)
      bucket.proxy.take()
      bucket.proxy.plan({ kind: 'cut answer', method: 'GET', after: 500_000 })
      bucket.proxy.plan({ kind: 'cut answer', method: 'GET', after: 700_000 })
      expect(Buffer.compare(await bytesOf(bucket, location), bytes)).toBe(0)
      const { seen, left } = bucket.proxy.take()
      expect(left).toBe(0)
      expect(seen.map(({ headers }) => headers.range ?? 'whole')).toEqual([
        'whole',
        expect.stringMatching(/^bytes=[1-9]\d*-3145727$/),
        expect.stringMatching(/^bytes=[1-9]\d*-3145727$/),
      ])
      expect(seen[1]?.headers['if-match']).toBeString()
    })

    test('that cannot go on fails, and is no short file', async () => {
      await using bucket = await openBucket()
      const location = await bucket.put(patterned(size))
      bucket.proxy.plan({ kind: 'cut answer', method: 'GET', after: 500_000 }, refuse('GET', 403))
      await expect(bytesOf(bucket, location)).rejects.toMatchObject({ code: 'storage-unavailable' })
    })

    test('from a store that is down asks five times, and no more', async () => {
      await using bucket = await openBucket()
      const location = await bucket.put(patterned(10))
      bucket.proxy.take()
      bucket.proxy.plan(...Array.from({ length: 30 }, () => refuse('GET', 503)))
      await expect(bytesOf(bucket, location)).rejects.toMatchObject({ code: 'storage-unavailable' })
      expect(bucket.proxy.take().seen).toHaveLength(5)
    })

    test('of bytes that are gone says so', async () => {
      await using bucket = await openBucket()
      const location = await bucket.put(patterned(10))
      await bucket.store.remove([location])
      await expect(bytesOf(bucket, location)).rejects.toThrow('the stored bytes are not there')
    })

    test('of more bytes than there are fails', async () => {
      await using bucket = await openBucket()
      const location = await bucket.put(patterned(10))
      const more = new Response(bucket.store.body(location, { start: 5, end: 20 }))
      await expect(more.bytes()).rejects.toMatchObject({ code: 'storage-unavailable' })
    })

    /** Of a server that sends what it likes. */
    async function answeredBy(respond: (answer: ServerResponse) => void): Promise<ReadableStream<Uint8Array>> {
      return objectStream(await partsFrom(respond))
    }

    async function partsFrom(respond: (answer: ServerResponse) => void): Promise<DownloadParts> {
      const sending = createServer((_, answer) => respond(answer))
      await new Promise<void>((resolve) => sending.listen(0, '127.0.0.1', resolve))
      servers.push(sending)
      const place = server.place(`http://127.0.0.1:${(sending.address() as AddressInfo).port}`)
      const client = s3Client(place, 'WHEN_REQUIRED')
      return { client, object: { Bucket: place.bucket, Key: 'any' }, span: undefined }
    }
    const servers: Server[] = []

    afterAll(() => {
      for (const sending of servers) sending.close().closeAllConnections()
    })

    test('that nobody reads any more ends at the store too', async () => {
      const { promise: closed, resolve } = Promise.withResolvers<void>()
      const stream = await answeredBy((answer) => {
        answer.writeHead(200, { 'Content-Length': 1_000_000 })
        answer.write(patterned(1000))
        answer.on('close', resolve)
      })
      const reader = stream.getReader()
      expect((await reader.read()).value).toHaveLength(1000)
      await reader.cancel()
      await closed
    })

    test('that nobody reads any more is not asked for again', async () => {
      const answers: ServerResponse[] = []
      const { promise: broken, resolve } = Promise.withResolvers<void>()
      const download = new Download(
        await partsFrom((answer) => {
          answers.push(answer)
          answer.writeHead(200, { 'Content-Length': 1_000_000 })
          answer.write(patterned(1000))
          answer.on('close', resolve)
        }),
      )
      expect(await download.read()).toHaveLength(1000)
      const more = download.read()
      answers[0]?.destroy()
      await broken
      // Now it rests for a moment before it would go on.
      await new Promise((turn) => setImmediate(turn))
      download.cancel()
      await expect(more).rejects.toMatchObject({ code: 'storage-unavailable' })
      expect(answers).toHaveLength(1)
    })

    test('whose length the store does not tell fails, and is no empty file', async () => {
      const stream = await answeredBy((answer) => {
        answer.write(patterned(1000))
        answer.end()
      })
      await expect(new Response(stream).bytes()).rejects.toMatchObject({ code: 'storage-unavailable' })
    })
  })

  describe('the size that was told', () => {
    test.each([
      ['smaller', 1000, 999],
      ['larger', 999, 1000],
      ['smaller, in parts', 12 * mebibyte, 11 * mebibyte],
      ['larger, in parts', 11 * mebibyte, 12 * mebibyte],
    ])('is %s than the file: nothing is stored', async (_, size, told) => {
      await using bucket = await openBucket()
      await expect(bucket.put(patterned(size), told)).rejects.toMatchObject({ code: 'body-incomplete' })
      expect(await bucket.locations()).toEqual([])
    })

    test('decides how large the parts are', () => {
      const sizes = [1, 80_000 * mebibyte, 80_000 * mebibyte + 1, 5 * 1024 ** 4]
      expect(sizes.map((size) => partSizeFor(size, usualPartSizes) / mebibyte)).toEqual([8, 8, 9, 525])
      for (const size of sizes) expect(size / partSizeFor(size, usualPartSizes)).toBeLessThanOrEqual(10_000)
    })
  })

  test('a file that nobody told the size of may have so many parts and no more', async () => {
    await using bucket = await openBucket({ sizes: { ...smallParts, most: 2 } })
    const most = patterned(10 * mebibyte)
    await expectStored(bucket, await bucket.put(most), most)
    await bucket.store.remove(await bucket.locations())
    const more = bucket.put(patterned(10 * mebibyte + 1))
    await expect(more).rejects.toMatchObject({
      code: 'too-large',
      message: expect.stringContaining('Send Content-Length'),
    })
    expect(await bucket.locations()).toEqual([])
  })

  describe('without memory for parts', () => {
    test('what has a size goes straight through', async () => {
      await using bucket = await openBucket({ memory: new PartMemory({ most: 0 }) })
      for (const size of [1000, 12 * mebibyte]) {
        const bytes = patterned(size)
        const location = await bucket.put(bytes, size)
        await expectStored(bucket, location, bytes)
        await bucket.store.remove([location])
      }
    })

    test('the caller may use its chunk again', async () => {
      await using bucket = await openBucket({ memory: new PartMemory({ most: 0 }) })
      const chunk = new Uint8Array(100_000)
      await using staged = await bucket.store.stage(lease, 12_000_000)
      for (let round = 1; round <= 120; round += 1) await staged.write(chunk.fill(round))
      await staged.commit()
      staged.keep()
      const found = await bytesOf(bucket, staged.location)
      expect(found.findIndex((byte, index) => byte !== Math.floor(index / 100_000) + 1)).toBe(-1)
      expect(found).toHaveLength(12_000_000)
    })

    listed.each([
      ['refused', refuse('PUT', 403)],
      ['cut off', { kind: 'cut request', method: 'PUT', after: 2_000_000 } as const],
    ])('what is %s on its way leaves nothing', async (_, fault) => {
      await using bucket = await openBucket({ memory: new PartMemory({ most: 0 }) })
      bucket.proxy.plan(pass('PUT'), fault)
      const size = 12 * mebibyte
      await expect(bucket.put(patterned(size), size)).rejects.toMatchObject({ code: 'storage-unavailable' })
      expect(await bucket.locations()).toEqual([])
      expect(await bucket.unfinished()).toBe(0)
    })

    test('a large file without a size waits, and in the end is refused', async () => {
      await using bucket = await openBucket({ memory: new PartMemory({ most: 0, patience: 1 }) })
      const small = patterned(200_000)
      await expectStored(bucket, await bucket.put(small), small)
      await expect(bucket.put(patterned(mebibyte))).rejects.toThrow('send Content-Length')
    })
  })

  test('an address lets anybody fetch the file, for a while, as it says', async () => {
    await using bucket = await openBucket()
    const location = await bucket.put(patterned(1000))
    const contentDisposition = 'attachment; filename="a b.txt"'
    const answer = { seconds: 60, contentType: 'application/octet-stream', contentDisposition, cacheControl: 'private' }
    const address = await bucket.store.presigned(location, { method: 'GET', ...answer })
    const response = await fetch(address)
    expect(response.headers.get('content-disposition')).toBe(contentDisposition)
    expect(response.headers.get('content-type')).toBe('application/octet-stream')
    expect(Buffer.compare(await response.bytes(), patterned(1000))).toBe(0)
    expect(new URL(address).searchParams.get('X-Amz-Expires')).toBe('60')
    if (name !== 's3rver') expect((await fetch(address.replace('a%20b', 'b'))).status).toBe(403)
  })

  test('large uploads need little memory', async () => {
    const place = server.place()
    const script = `
      import { MemoryWatch, ownMemory } from ${JSON.stringify(join(import.meta.dir, '../../test/support/process-memory.ts'))}
      import { openS3 } from ${JSON.stringify(join(import.meta.dir, 's3-open.ts'))}
      const { store } = await openS3(${JSON.stringify(place)})
      const chunk = new Uint8Array(256 * 1024)
      const before = ownMemory(process.pid)
      using watch = new MemoryWatch(process.pid)
      const size = 100 * 1024 * 1024
      const put = async (told) => {
        await using staged = await store.stage('lease-1', told)
        for (let sent = 0; sent < size; sent += chunk.length) await staged.write(chunk)
        await staged.commit()
      }
      await Promise.all([put(size), put(undefined), put(size), put(size)])
      console.log(watch.peak - before)
      process.exit(0)
    `
    const child = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe', stderr: 'inherit' })
    // 64 MiB for parts, and what the runtime needs beside them.
    expect(Number(await new Response(child.stdout).text())).toBeWithin(1, 110)
  })

  describe('at the start', () => {
    test('newer checksums are used where the store takes them, and only there', async () => {
      await using newer = await openBucket()
      expect(newer.checksums).toBe('WHEN_SUPPORTED')
      await newer.put(patterned(10))
      expect(newer.proxy.take().seen[0]?.headers['x-amz-checksum-crc32']).toBeString()

      await using proxy = await HttpProxy.start(server.url, { keepsHost: true })
      proxy.plan(refuse('PUT', 400))
      const { store, checksums } = await openS3(server.place(proxy.url))
      expect(checksums).toBe('WHEN_REQUIRED')
      proxy.take()
      await using staged = await store.stage(lease)
      await staged.commit()
      expect(proxy.take().seen[0]?.headers['x-amz-checksum-crc32']).toBeUndefined()
    })

    test('a bucket that is not there is named, and what the store says of it', async () => {
      const place = { ...server.place(), bucket: 'no-such-bucket' }
      const failure = openS3(place)
      await expect(failure).rejects.toThrow(
        /^The S3 bucket no-such-bucket at http.*cannot be used: .*NoSuchBucket, 404\)\. Check STOWAGE_S3_BUCKET\.$/,
      )
    })

    test('where nobody listens, the address is named', async () => {
      const endpoint = 'http://127.0.0.1:1'
      await expect(openS3({ ...server.place(), endpoint }, { patience: 0 })).rejects.toThrow(
        /at http:\/\/127\.0\.0\.1:1( \(under .*\))? cannot be used: ECONNREFUSED\. Check STOWAGE_S3_ENDPOINT\.$/,
      )
    })

    test.each(['InvalidAccessKeyId', 'SignatureDoesNotMatch', 'AccessDenied'])(
      'of %s, the keys are named',
      async (code) => {
        await using proxy = await HttpProxy.start(server.url, { keepsHost: true })
        const body = `<Error><Code>${code}</Code><Message>No entry.</Message></Error>`
        const answer: HttpFault = { kind: 'answer', status: 403, headers: { 'Content-Type': 'application/xml' }, body }
        proxy.plan(answer, answer)
        await expect(openS3(server.place(proxy.url))).rejects.toThrow(
          `cannot be used: No entry. (${code}, 403). Check STOWAGE_S3_ACCESS_KEY_ID and STOWAGE_S3_SECRET_ACCESS_KEY.`,
        )
      },
    )

    test('a store that lists nothing is refused', async () => {
      await using proxy = await HttpProxy.start(server.url, { keepsHost: true })
      const round = [pass('PUT'), pass('GET'), refuse('GET', 403)]
      // With either kind of checksums.
      proxy.plan(...round, ...round)
      await expect(openS3(server.place(proxy.url))).rejects.toThrow(/^The S3 bucket .* cannot be used: /)
      expect(proxy.take().left).toBe(0)
    })

    test('a store that gives back something else is refused', async () => {
      await using proxy = await HttpProxy.start(server.url, { keepsHost: true })
      proxy.plan(pass('PUT'), { kind: 'answer', method: 'GET', status: 200, body: 'Welcome' })
      const failure = openS3(server.place(proxy.url), { patience: 0 })
      await expect(failure).rejects.toThrow('cannot be used: what was read is not what was written')
    })

    test('what is no S3 store is refused', async () => {
      await using proxy = await HttpProxy.start(server.url, { keepsHost: true })
      const page = { headers: { 'Content-Type': 'text/html' }, body: '<!doctype html><h1>Welcome</h1>' }
      proxy.plan(...Array.from({ length: 20 }, (): HttpFault => ({ kind: 'answer', status: 404, ...page })))
      await expect(openS3(server.place(proxy.url))).rejects.toThrow(
        /^The S3 bucket .* cannot be used: .*404\)\. Check STOWAGE_S3_ENDPOINT\.$/,
      )
    })

    test('a store that is just starting is waited for', async () => {
      await using proxy = await HttpProxy.start(server.url, { keepsHost: true })
      proxy.plan(...Array.from({ length: 5 }, () => refuse('PUT', 503)))
      const reasons: string[] = []
      const { store } = await openS3(server.place(proxy.url), { waits: (reason) => reasons.push(reason) })
      expect(reasons).toEqual([expect.stringContaining('503')])
      await store.close()
    })

    test('attempts that fail leave nothing', async () => {
      await using proxy = await HttpProxy.start(server.url, { keepsHost: true })
      proxy.plan(pass('PUT'), { kind: 'cut answer', method: 'GET', after: 1 })
      const place = server.place(proxy.url)
      const { store } = await openS3(place)
      expect(proxy.take().left).toBe(0)
      expect(await objectsIn(place)).toEqual(new Map())
      await store.close()
    })
  })
})

function patterned(size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  for (let at = 0; at < size; at += 1) bytes[at] = (at * 31 + (at >> 8) + (at >> 16)) & 0xff
  return bytes
}
