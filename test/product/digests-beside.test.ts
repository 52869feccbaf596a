import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { BlobStore } from '../../server/blobs/blob-store.ts'
import type { StreamDigests } from '../../server/lib/digest-streams.ts'
import { digestAlgorithms, RunningDigests } from '../../server/lib/digests.ts'
import { HttpProxy } from '../support/http-proxy.ts'
import { bestS3Server, type S3Server } from '../support/s3.ts'
import { seededBytes } from '../support/seeded.ts'
import { SlowUpload } from '../support/slow-upload.ts'
import { s3Settings } from '../support/store.ts'
import { adminPassword, basic, type Client, type StartOptions, startStowage } from '../support/stowage.ts'
import { until } from '../support/until.ts'

const large = Buffer.from(seededBytes(1024 * 1024, 4))
const names = ['sha512', 'sha1', 'md5'] as const

function digestsOf(bytes: Uint8Array) {
  const running = new RunningDigests(digestAlgorithms)
  running.update(bytes)
  return running.finish()
}

const streamOf = (bytes: Uint8Array, size = 50_000) =>
  new ReadableStream<Uint8Array>({
    start: (stream) => {
      for (let at = 0; at < bytes.length; at += size) stream.enqueue(bytes.slice(at, at + size))
      stream.close()
    },
  })

/** As they stand in the database: a list would wait for what is still to come. */
async function known(stowage: { change(sql: string): Promise<Record<string, unknown>[]> }, bytes: Uint8Array) {
  const { sha256 } = digestsOf(bytes)
  const [row] = await stowage.change(`select md5, sha1, sha256, sha512 from blobs where sha256 = '${sha256}'`)
  return row
}

async function jobs(admin: Client): Promise<number> {
  const answer = await admin.fetch('/api/v1/admin/jobs?kind=digests')
  expect(answer.status).toBe(200)
  return ((await answer.json()) as unknown[]).length
}

describe('digests of files in S3', () => {
  let server: S3Server

  beforeAll(async () => {
    server = await bestS3Server().start()
  })

  afterAll(() => server[Symbol.asyncDispose]())

  const start = (options: StartOptions = {}) =>
    startStowage({ ...options, settings: { ...s3Settings(server.place()), ...options.settings } })

  test('are known with the 201, and nothing was read back for them', async () => {
    await using proxy = await HttpProxy.start(server.url, { keepsHost: true })
    await using stowage = await startStowage({ settings: s3Settings(server.place(proxy.url)) })
    const { admin } = stowage
    const bodies: [bytes: Buffer, body: () => NonNullable<RequestInit['body']>][] = [
      [large, () => large],
      [large.subarray(1), () => streamOf(large.subarray(1))],
      [large.subarray(0, 300_000), () => large.subarray(0, 300_000)],
      // One whose size nobody told, and which is small in the end.
      [large.subarray(0, 70_000), () => streamOf(large.subarray(0, 70_000))],
      [large.subarray(0, 262_144), () => large.subarray(0, 262_144)],
      [large.subarray(0, 0), () => streamOf(large.subarray(0, 0))],
    ]
    for (const [index, [bytes, body]] of bodies.entries()) {
      proxy.take()
      expect((await admin.put({ file: `file-${index}` }, body())).status).toBe(201)
      expect(proxy.take().seen.filter(({ method }) => method === 'GET')).toEqual([])
      expect(await known(stowage, bytes)).toEqual(digestsOf(bytes))
    }
    expect(await jobs(admin)).toBe(0)
  })

  test('that the client declared are compared before anything is kept', async () => {
    await using stowage = await start()
    const { admin } = stowage
    const right = digestsOf(large)
    for (const name of names) {
      const header = `X-Checksum-${name}`
      const wrong = digestsOf(large.subarray(1))[name] ?? ''
      expect((await admin.put({ file: name }, large, { [header]: wrong })).status).toBe(400)
      expect((await admin.get({ file: name })).status).toBe(404)
      expect((await admin.put({ file: name }, large, { [header]: right[name] ?? '' })).status).toBe(201)
    }
    const all = Object.fromEntries(digestAlgorithms.map((name) => [`X-Checksum-${name}`, right[name] ?? '']))
    expect((await admin.put({ file: 'all' }, large, all)).status).toBe(201)
    expect(await known(stowage, large)).toEqual(right)
  })

  type Failure = Partial<Pick<StreamDigests, 'update' | 'finish'>> | 'open'
  const died = async () => Promise.reject(Object.assign(new Error('the thread ended'), { code: 'ECANCELED' }))

  test.each<[string, Failure]>([
    ['before it begins', 'open'],
    ['in the middle', { update: died, finish: died }],
    ['at the end', { finish: died }],
  ])('come later where their thread dies %s', async (_, failure) => {
    const blobs = beside((open) => {
      if (failure === 'open') throw new Error('The digest thread is closed.')
      return { ...open(), ...failure }
    })
    await using stowage = await start({ replace: { blobs } })
    const { admin } = stowage
    expect((await admin.put({ file: 'large' }, large)).status).toBe(201)
    expect(Buffer.compare(await (await admin.get({ file: 'large' })).bytes(), large)).toBe(0)
    const { sha256 } = digestsOf(large)
    expect(await known(stowage, large)).toEqual({ md5: null, sha1: null, sha256, sha512: null })
    expect(await stowage.stowage.runJobs()).toBe(1)
    expect(await known(stowage, large)).toEqual(digestsOf(large))
  })

  test('are given up with their upload', async () => {
    const open = new Set<object>()
    const blobs = beside((really) => {
      const stream = really()
      const watched: StreamDigests = {
        ...stream,
        [Symbol.dispose]: () => {
          open.delete(watched)
          stream[Symbol.dispose]()
        },
      }
      open.add(watched)
      return watched
    })
    await using stowage = await start({ replace: { blobs } })
    const { admin } = stowage
    const wrong = await admin.put({ file: 'wrong' }, large, { 'X-Checksum-Sha256': '0'.repeat(64) })
    expect([wrong.status, open.size]).toEqual([400, 0])
    {
      const headers = { Authorization: basic('admin', adminPassword) }
      using upload = await SlowUpload.begin(stowage.port, admin.path({ file: 'broken' }), headers, large.length)
      await upload.send(large.subarray(0, 600_000))
      await until(() => open.size === 1, 'the upload has begun')
    }
    await until(() => open.size === 0, 'the upload is given up')
    expect((await admin.put({ file: 'right' }, large)).status).toBe(201)
    expect(open.size).toBe(0)
  })
})

test('digests of files on disk are computed after the 201', async () => {
  await using stowage = await startStowage()
  if (stowage.stowage.registry.blobs.digestsBeside) return
  expect((await stowage.admin.put({ file: 'large' }, large)).status).toBe(201)
  expect(await known(stowage, large)).toMatchObject({ md5: null, sha512: null })
  expect(await stowage.stowage.runJobs()).toBe(1)
  expect(await known(stowage, large)).toEqual(digestsOf(large))
})

/** A store whose streams of digests are made by the test, out of real ones. */
function beside(make: (open: () => StreamDigests) => StreamDigests) {
  return (store: BlobStore): BlobStore =>
    new Proxy(store, {
      get: (target, name: keyof BlobStore) => {
        const value = target[name]
        if (name === 'digestsBeside') {
          return (...args: Parameters<NonNullable<BlobStore['digestsBeside']>>) =>
            make(() => target.digestsBeside?.(...args) as StreamDigests)
        }
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
}
