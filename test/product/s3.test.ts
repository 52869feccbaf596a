import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import {
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { type S3Place, s3Client } from '../../server/blobs/s3-client.ts'
import { HttpProxy } from '../support/http-proxy.ts'
import { bestS3Server, type S3Server } from '../support/s3.ts'
import { seededBytes } from '../support/seeded.ts'
import { temporaryFolder } from '../support/server-process.ts'
import { s3Settings } from '../support/store.ts'
import { startStowage } from '../support/stowage.ts'

const { name, start } = bestS3Server()
const listed = name === 's3rver' ? test.skip : test
const large = seededBytes(20_000_000, 1)
const small = seededBytes(2_000, 2)

describe('a server whose files are in S3', () => {
  let server: S3Server

  beforeAll(async () => {
    server = await start()
  })

  afterAll(() => server[Symbol.asyncDispose]())

  /** What is in the bucket, below the prefix. */
  async function keysIn(place: S3Place): Promise<string[]> {
    const client = s3Client(place, 'WHEN_REQUIRED')
    const { Contents = [] } = await client.send(
      new ListObjectsV2Command({ Bucket: place.bucket, Prefix: place.prefix }),
    )
    client.destroy()
    return Contents.map(({ Key = '' }) => Key.slice(place.prefix.length))
  }

  test('keeps nothing on its disk, and what is deleted goes from the bucket', async () => {
    const place = server.place()
    const settings = { ...s3Settings(place), STOWAGE_BLOB_GRACE: '0' }
    await using stowage = await startStowage({ settings })
    const { admin } = stowage
    for (const [file, bytes] of Object.entries({ large, small })) {
      expect((await admin.put({ file }, bytes)).status).toBe(201)
      expect((await admin.put({ file: `${file}-again` }, new Blob([bytes]).stream())).status).toBe(201)
      const answer = await admin.get({ file })
      expect(Buffer.compare(await answer.bytes(), bytes)).toBe(0)
      const part = await admin.get({ file }, { Range: 'bytes=1000-1999' })
      expect(part.status).toBe(206)
      expect(Buffer.compare(await part.bytes(), bytes.subarray(1000, 2000))).toBe(0)
    }
    expect((await admin.put({ file: 'empty' }, '')).status).toBe(201)
    expect((await admin.get({ file: 'empty' })).status).toBe(200)
    await stowage.stowage.runJobs()
    const known = await admin.head({ file: 'large' })
    expect(known.headers.get('x-checksum-sha256')).toBe(new Bun.CryptoHasher('sha256').update(large).digest('hex'))

    // Equal bytes are stored once.
    expect(await keysIn(place)).toHaveLength(4)
    expect(await stat(join(stowage.dataDir, 'blobs')).catch(() => 'none')).toBe('none')
    for (const file of ['large', 'large-again', 'small', 'small-again', 'empty']) {
      expect((await admin.delete({ file })).status).toBe(204)
    }
    await stowage.stowage.sweep()
    expect(await keysIn(place)).toEqual(['storage-id'])
  })

  test('finds its files again, and nobody else takes them for his', async () => {
    const place = server.place()
    const settings = s3Settings(place)
    await using folder = await temporaryFolder()
    {
      await using stowage = await startStowage({ settings, dataDir: folder.path })
      expect((await stowage.admin.put({ file: 'small' }, small)).status).toBe(201)
    }
    await expect(startStowage({ settings })).rejects.toThrow('is in use, but this database is new')
    const other = { ...settings, STOWAGE_S3_PREFIX: 'another' }
    await expect(startStowage({ settings: other, dataDir: folder.path })).rejects.toThrow(
      'not the one that this database',
    )
    await using again = await startStowage({ settings, dataDir: folder.path })
    expect(Buffer.compare(await (await again.admin.get({ file: 'small' })).bytes(), small)).toBe(0)
  })

  test('sweeps what a process left when it ended in the middle of an upload', async () => {
    const place = server.place()
    const settings = s3Settings(place)
    await using folder = await temporaryFolder()
    const stowage = await startStowage({ settings, dataDir: folder.path })
    const { blobs, lease } = stowage.stowage.registry
    const whole = await blobs.stage(lease.id)
    await whole.write(small)
    await whole.commit()
    const unfinished = await blobs.stage(lease.id, large.length)
    await unfinished.write(large.subarray(0, 19_000_000))
    await stowage.stop()

    await using again = await startStowage({ settings, dataDir: folder.path })
    const left = await Array.fromAsync(again.stowage.registry.blobs.locations(lease.id))
    expect(left).toContain(whole.location)
    await again.stowage.sweep()
    expect(await Array.fromAsync(again.stowage.registry.blobs.locations(lease.id))).toEqual([])
    expect(await keysIn(place)).toEqual(['storage-id'])
  })

  listed(
    'ends the second multipart upload of a file whose first answer was lost, once its process is gone',
    async () => {
      await using proxy = await HttpProxy.start(server.url, { keepsHost: true })
      const place = server.place(proxy.url)
      const settings = s3Settings(place)
      await using folder = await temporaryFolder()
      const client = s3Client(place, 'WHEN_REQUIRED')
      const unfinished = async () => {
        const command = new ListMultipartUploadsCommand({ Bucket: place.bucket, Prefix: place.prefix })
        return ((await client.send(command)).Uploads ?? []).length
      }
      const stowage = await startStowage({ settings, dataDir: folder.path })
      proxy.plan({ kind: 'lose answer', method: 'POST' })
      expect((await stowage.admin.put({ file: 'large' }, large)).status).toBe(201)
      // As long as the process lives, it may be one of an upload that runs.
      await stowage.stowage.sweep()
      expect(await unfinished()).toBe(1)
      await stowage.stop()

      await using again = await startStowage({ settings, dataDir: folder.path })
      await again.stowage.sweep()
      expect(await unfinished()).toBe(0)
      expect(Buffer.compare(await (await again.admin.get({ file: 'large' })).bytes(), large)).toBe(0)
      client.destroy()
    },
  )

  test('answers 503 while the store does not work, and goes on when it does', async () => {
    await using proxy = await HttpProxy.start(server.url, { keepsHost: true })
    const place = server.place(proxy.url)
    await using stowage = await startStowage({ settings: s3Settings(place) })
    proxy.plan({ kind: 'answer', method: 'PUT', status: 403 })
    const refused = await stowage.admin.put({ file: 'small' }, small)
    expect(refused.status).toBe(503)
    expect(refused.headers.get('retry-after')).toBeString()
    expect((await stowage.admin.get({ file: 'small' })).status).toBe(404)
    expect((await stowage.admin.put({ file: 'small' }, small)).status).toBe(201)
  })

  test('gives no short file out where the bucket has fewer bytes than it should', async () => {
    const place = server.place()
    await using stowage = await startStowage({ settings: s3Settings(place) })
    expect((await stowage.admin.put({ file: 'large' }, large)).status).toBe(201)
    const [key = ''] = (await keysIn(place)).filter((name) => name !== 'storage-id')
    const client = s3Client(place, 'WHEN_REQUIRED')
    await client.send(new PutObjectCommand({ Bucket: place.bucket, Key: place.prefix + key, Body: small }))
    client.destroy()
    const refused = await stowage.admin.get({ file: 'large' })
    expect([refused.status, refused.headers.has('retry-after')]).toEqual([503, true])
  })

  test.each([
    ['small', small],
    ['large', large],
  ])('says so where the bytes of a %s file are gone, before it says anything else', async (file, bytes) => {
    const place = server.place()
    await using stowage = await startStowage({
      settings: { ...s3Settings(place), STOWAGE_METRICS_ALLOWED_ADDRESSES: '127.0.0.1' },
    })
    expect((await stowage.admin.put({ file }, bytes)).status).toBe(201)
    const [key = ''] = (await keysIn(place)).filter((name) => name !== 'storage-id')
    const client = s3Client(place, 'WHEN_REQUIRED')
    await client.send(new DeleteObjectCommand({ Bucket: place.bucket, Key: place.prefix + key }))
    client.destroy()
    for (const range of ['bytes=0-', 'bytes=1-5']) {
      const refused = await stowage.admin.get({ file }, { Range: range })
      expect([refused.status, refused.headers.has('retry-after')]).toEqual([503, true])
    }
    const metrics = await (await fetch(`${stowage.url}/metrics`)).text()
    expect(metrics).toMatch(/^stowage_store_errors_total\{operation="read",code="storage-unavailable"\} 2$/m)
    await stowage.stowage.flushDownloads()
    const counted = await stowage.admin.fetch('/api/v1/packages/admin/generic/tool/-/downloads')
    expect(await counted.json()).toMatchObject({ total: 0 })
  })

  test('tells the length of what it sends', async () => {
    await using stowage = await startStowage({ settings: s3Settings(server.place()) })
    const bytes = large.subarray(0, 1024 * 1024)
    expect((await stowage.admin.put({}, bytes)).status).toBe(201)
    const whole = await stowage.admin.get()
    expect(whole.headers.get('content-length')).toBe('1048576')
    expect(Buffer.compare(await whole.bytes(), bytes)).toBe(0)
    const part = await stowage.admin.get({}, { Range: 'bytes=100-199' })
    expect([part.status, part.headers.get('content-length')]).toEqual([206, '100'])
    expect(Buffer.compare(await part.bytes(), bytes.subarray(100, 200))).toBe(0)
  })

  test('sends several ranges', async () => {
    await using stowage = await startStowage({ settings: s3Settings(server.place()) })
    expect((await stowage.admin.put({ file: 'small' }, 'abcdefghij')).status).toBe(201)
    const answer = await stowage.admin.get({ file: 'small' }, { Range: 'bytes=1-2,5-6' })
    expect(answer.status).toBe(206)
    expect(await answer.text()).toMatch(/\r\nbc\r\n[\s\S]*\r\nfg\r\n/)
  })

  test('breaks a download off where the store does for good', async () => {
    await using proxy = await HttpProxy.start(server.url, { keepsHost: true })
    const place = server.place(proxy.url)
    await using stowage = await startStowage({ settings: s3Settings(place) })
    expect((await stowage.admin.put({ file: 'large' }, large)).status).toBe(201)
    proxy.plan({ kind: 'cut answer', method: 'GET', after: 5_000_000 }, { kind: 'answer', method: 'GET', status: 403 })
    const download = stowage.admin.get({ file: 'large' }).then((answer) => answer.bytes())
    await expect(download).rejects.toThrow()
    const whole = await stowage.admin.get({ file: 'large' })
    expect(Buffer.compare(await whole.bytes(), large)).toBe(0)
  })
})
