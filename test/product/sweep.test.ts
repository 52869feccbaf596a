import { describe, expect, test } from 'bun:test'
import { mkdir, rename, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { BlobStore } from '../../server/blobs/blob-store.ts'
import { mostDigestedAtOnce } from '../../server/registry/publish.ts'
import { bytesForJob, digestsLater } from '../support/bytes-for-job.ts'
import { blobFiles, rowCounts } from '../support/inventory.ts'
import { seededBytes } from '../support/seeded.ts'
import { temporaryFolder } from '../support/server-process.ts'
import { SlowUpload } from '../support/slow-upload.ts'
import { adminPassword, basic, startStowage, type TestStowage } from '../support/stowage.ts'
import { until } from '../support/until.ts'

const body = seededBytes(20_000, 1)
const hour = 60 * 60_000

const rows = (stowage: TestStowage) => rowCounts(stowage.stowage.registry.catalogue.read)
const files = async (stowage: TestStowage) => (await blobFiles(stowage.dataDir)).size

async function expectStored(stowage: TestStowage, file: string, bytes: Uint8Array = body): Promise<void> {
  const answer = await stowage.admin.get({ file })
  expect(answer.status).toBe(200)
  expect(Buffer.compare(await answer.bytes(), bytes)).toBe(0)
}

async function put(stowage: TestStowage, file: string, bytes: Uint8Array<ArrayBuffer> = body): Promise<void> {
  expect((await stowage.admin.put({ file }, bytes)).status).toBe(201)
}

async function remove(stowage: TestStowage, file: string): Promise<void> {
  expect((await stowage.admin.delete({ file })).status).toBe(204)
}

describe('bytes that were freed', () => {
  test('stay for the grace, and go after it', async () => {
    let now = Date.now()
    await using stowage = await startStowage({ settings: { STOWAGE_BLOB_GRACE: '1h' }, replace: { now: () => now } })
    await put(stowage, 'a')
    await remove(stowage, 'a')
    for (const passed of [0, 1, hour - 2]) {
      now += passed
      expect(await stowage.stowage.sweep()).toMatchObject({ doomed: { blobs: 0 }, leftover: { blobs: 0 } })
      expect(await files(stowage)).toBe(1)
    }
    now += 1
    expect(await stowage.stowage.sweep()).toMatchObject({ doomed: { blobs: 1 }, leftover: { blobs: 0 } })
    expect(await files(stowage)).toBe(0)
    expect(await rows(stowage)).toMatchObject({ blobs: 0, doomed: 0 })
  })

  test('stay while another file has them', async () => {
    await using stowage = await startStowage({ settings: { STOWAGE_BLOB_GRACE: '0' } })
    for (const file of ['a', 'b', 'c']) await put(stowage, file)
    expect(await files(stowage)).toBe(1)
    for (const [gone, ...left] of [
      ['a', 'b', 'c'],
      ['b', 'c'],
    ]) {
      await remove(stowage, gone as string)
      await stowage.stowage.sweep()
      for (const file of left) await expectStored(stowage, file)
    }
    await remove(stowage, 'c')
    await stowage.stowage.sweep()
    expect(await files(stowage)).toBe(0)
  })

  test('published again within the grace, they lie at a new place and outlive the old one', async () => {
    let now = Date.now()
    await using stowage = await startStowage({ replace: { now: () => now } })
    await put(stowage, 'a')
    const [before] = (await blobFiles(stowage.dataDir)).keys()
    await remove(stowage, 'a')
    await put(stowage, 'a')
    expect(await files(stowage)).toBe(2)
    now += hour
    await stowage.stowage.sweep()
    const [after, ...others] = (await blobFiles(stowage.dataDir)).keys()
    expect(others).toEqual([])
    expect(after).not.toBe(before as string)
    await expectStored(stowage, 'a')
  })

  test('stay while a hold is on', async () => {
    await using stowage = await startStowage({ settings: { STOWAGE_BLOB_GRACE: '0' } })
    await put(stowage, 'a')
    await stowage.change("insert into holds (reason, created_at) values ('a backup', 0)")
    await remove(stowage, 'a')
    await stowage.stowage.sweep()
    expect(await files(stowage)).toBe(1)
    await stowage.change('delete from holds')
    await stowage.stowage.sweep()
    expect(await files(stowage)).toBe(0)
  })

  test('more than a batch of them go in one sweep', async () => {
    await using stowage = await startStowage({ settings: { STOWAGE_BLOB_GRACE: '0' } })
    for (let index = 0; index < 600; index += 40) {
      await Promise.all(
        Array.from({ length: 40 }, (_, at) => put(stowage, `f${index + at}`, seededBytes(10, index + at))),
      )
    }
    expect((await stowage.admin.deleteVersion()).status).toBe(204)
    expect(await stowage.stowage.sweep()).toMatchObject({ doomed: { blobs: 600 }, leftover: { blobs: 0 } })
    expect(await files(stowage)).toBe(0)
  }, 60_000)

  test('are tried again when they could not be removed', async () => {
    let broken = true
    const blobs = (store: BlobStore) =>
      new Proxy(store, {
        get(target, name) {
          if (name === 'remove' && broken) return () => Promise.reject(new Error('the disk is away'))
          const member: unknown = Reflect.get(target, name)
          return typeof member === 'function' ? member.bind(target) : member
        },
      })
    await using stowage = await startStowage({ settings: { STOWAGE_BLOB_GRACE: '0' }, replace: { blobs } })
    await put(stowage, 'a')
    await remove(stowage, 'a')
    await expect(stowage.stowage.sweep()).rejects.toThrow('the disk is away')
    expect(await rows(stowage)).toMatchObject({ doomed: 1 })
    broken = false
    await stowage.stowage.sweep()
    expect(await rows(stowage)).toMatchObject({ doomed: 0 })
    expect(await files(stowage)).toBe(0)
  })
})

describe('what a process left behind', () => {
  test('goes at the next start; what is published stays', async () => {
    await using folder = await temporaryFolder()
    const first = await startStowage({ dataDir: folder.path })
    await put(first, 'a')
    const lease = first.stowage.registry.lease.id
    await first.stop()
    // As a kill in the middle of an upload, of a probe, and of making a folder leaves it.
    for (const path of [`${lease}/0/${'a'.repeat(32)}`, `${lease}/z/${'b'.repeat(32)}`, `.probe/${'c'.repeat(32)}`]) {
      const file = join(folder.path, 'blobs', path)
      await mkdir(dirname(file), { recursive: true })
      await writeFile(file, 'half')
    }
    await using second = await startStowage({ dataDir: folder.path })
    expect(await second.stowage.sweep()).toMatchObject({ doomed: { blobs: 0 }, leftover: { blobs: 2 } })
    expect(await files(second)).toBe(1)
    await expectStored(second, 'a')
    const { catalogue } = second.stowage.registry
    const leases = await catalogue.read.selectFrom('leases').select('id').execute()
    expect(leases).toEqual([{ id: second.stowage.registry.lease.id }])
  })

  test('goes too where its lease was swept but not struck off', async () => {
    await using folder = await temporaryFolder()
    const first = await startStowage({ dataDir: folder.path })
    const lease = first.stowage.registry.lease.id
    await first.stop()
    await using second = await startStowage({ dataDir: folder.path })
    const failing = { on: true }
    const { blobs } = second.stowage.registry
    const forget = blobs.forget.bind(blobs)
    blobs.forget = async (id) => {
      if (failing.on) throw new Error('power cut')
      return forget(id)
    }
    await expect(second.stowage.sweep()).rejects.toThrow('power cut')
    failing.on = false
    await second.stowage.sweep()
    const leases = await second.stowage.registry.catalogue.read.selectFrom('leases').select('id').execute()
    expect(leases.map(({ id }) => id)).not.toContain(lease)
  })

  test('is never what a living server is just receiving, however long that takes', async () => {
    let now = Date.now()
    await using stowage = await startStowage({ settings: { STOWAGE_BLOB_GRACE: '0' }, replace: { now: () => now } })
    const target = '/api/packages/admin/generic/tool/1.0/slow'
    const headers = { Authorization: basic('admin', adminPassword) }
    using upload = await SlowUpload.begin(stowage.port, target, headers, body.length)
    await upload.send(body.subarray(0, 10_000))
    await until(async () => (await files(stowage)) === 1, 'the upload is on the disk')
    for (const passed of [0, hour, 24 * hour, 400 * 24 * hour]) {
      now += passed
      await stowage.stowage.registry.lease.renew()
      expect(await stowage.stowage.sweep()).toMatchObject({ doomed: { blobs: 0 }, leftover: { blobs: 0 } })
      expect(await files(stowage)).toBe(1)
    }
    // A clock that jumps back decides nothing either.
    now -= 1_000 * 24 * hour
    await stowage.stowage.sweep()
    await upload.send(body.subarray(10_000))
    expect((await upload.answer()).status).toBe(201)
    await expectStored(stowage, 'slow')
  })

  test('an upload whose lease was declared dead is refused, and its bytes go', async () => {
    await using stowage = await startStowage({ settings: { STOWAGE_BLOB_GRACE: '0' } })
    const target = '/api/packages/admin/generic/tool/1.0/slow'
    using upload = await SlowUpload.begin(stowage.port, target, { Authorization: basic('admin', adminPassword) }, 10)
    await upload.send('hello')
    await until(async () => (await files(stowage)) === 1, 'the upload has begun')
    const dead = stowage.stowage.registry.lease.id
    await stowage.change(`update leases set dead_since = 1 where id = '${dead}'`)
    await stowage.stowage.registry.lease.renew()
    expect(stowage.stowage.registry.lease.id).not.toBe(dead)
    expect(await stowage.stowage.sweep()).toMatchObject({ leftover: { blobs: 1 } })
    await upload.send('world')
    expect((await upload.answer()).status).toBe(503)
    await until(async () => (await files(stowage)) === 0, 'nothing is left')
    await put(stowage, 'slow')
    await expectStored(stowage, 'slow')
  })
})

test('the folder of another process that lives stays, also when its last blob goes', async () => {
  await using stowage = await startStowage({ settings: { STOWAGE_BLOB_GRACE: '0' } })
  const lease = 'a'.repeat(20)
  const folder = join(stowage.dataDir, 'blobs', lease, '0')
  await mkdir(folder, { recursive: true })
  await stowage.change(`insert into leases (id, kind, expires_at) values ('${lease}', 'process', ${Date.now() + hour})`)
  await stowage.change(`insert into doomed (location, since) values ('${lease}/0/${'b'.repeat(32)}', 0)`)
  expect(await stowage.stowage.sweep()).toMatchObject({ doomed: { blobs: 1 } })
  expect((await stat(folder)).isDirectory()).toBe(true)
})

describe('a blob that is broken', () => {
  test.each(['quarantined', 'missing'])(
    '%s: publishing the bytes again repairs every file that has it',
    async (state) => {
      await using stowage = await startStowage({ settings: { STOWAGE_BLOB_GRACE: '0' } })
      await put(stowage, 'a')
      const [before] = (await blobFiles(stowage.dataDir)).keys()
      await writeFile(join(stowage.dataDir, 'blobs', before as string), 'rotten')
      await stowage.change(`update blobs set state = '${state}'`)
      await put(stowage, 'b')
      await expectStored(stowage, 'a')
      await expectStored(stowage, 'b')
      await stowage.stowage.sweep()
      expect(await files(stowage)).toBe(1)
      expect(await rows(stowage)).toMatchObject({ blobs: 1, doomed: 0 })
      await expectStored(stowage, 'a')
    },
  )
})

describe('digests', () => {
  const body = bytesForJob(1)
  const real = (name: 'md5' | 'sha1' | 'sha512', bytes = body) => new Bun.CryptoHasher(name).update(bytes).digest('hex')
  const stored = (stowage: TestStowage) =>
    stowage.stowage.registry.catalogue.read
      .selectFrom('blobs')
      .select(['md5', 'sha1', 'sha512'])
      .orderBy('id')
      .executeTakeFirst()
  const all = { md5: real('md5'), sha1: real('sha1'), sha512: real('sha512') }

  test.each(['declared', 'chunked'])('of a small file are stored by the publish itself, its size %s', async (size) => {
    await using stowage = await startStowage({ replace: { blobs: digestsLater } })
    const bytes = seededBytes(mostDigestedAtOnce, 3)
    const sent = size === 'declared' ? bytes : new Blob([bytes]).stream()
    expect((await stowage.admin.put({}, sent)).status).toBe(201)
    const digests = { md5: real('md5', bytes), sha1: real('sha1', bytes), sha512: real('sha512', bytes) }
    expect(await stored(stowage)).toEqual(digests)
    expect(await rows(stowage)).toMatchObject({ jobs: 0 })
  })

  test('of a larger file are asked for also where its size is seen only as it comes', async () => {
    await using stowage = await startStowage({ replace: { blobs: digestsLater } })
    expect((await stowage.admin.put({}, new Blob([body]).stream(), { 'X-Checksum-Sha1': all.sha1 })).status).toBe(201)
    expect(await stored(stowage)).toEqual({ md5: null, sha1: all.sha1, sha512: null })
    expect(await rows(stowage)).toMatchObject({ jobs: 1 })
  })

  test('are asked for by the publish itself, and computed by the job', async () => {
    await using stowage = await startStowage({ replace: { blobs: digestsLater } })
    await put(stowage, 'a', body)
    expect(await rows(stowage)).toMatchObject({ jobs: 1 })
    expect(await stored(stowage)).toEqual({ md5: null, sha1: null, sha512: null })
    expect(await stowage.stowage.runJobs()).toBe(1)
    expect(await stored(stowage)).toEqual(all)
    expect(await rows(stowage)).toMatchObject({ jobs: 0 })
  })

  test('come by themselves within moments', async () => {
    await using stowage = await startStowage({ replace: { background: 'on' } })
    await put(stowage, 'a', body)
    await until(async () => (await rows(stowage)).jobs === 0, 'the job is done')
    expect(await stored(stowage)).toEqual(all)
  })

  test('are computed after a restart where a stop came first', async () => {
    await using folder = await temporaryFolder()
    const first = await startStowage({ dataDir: folder.path, replace: { blobs: digestsLater } })
    await put(first, 'a', body)
    await first.stop()
    await using second = await startStowage({ dataDir: folder.path })
    expect(await rows(second)).toMatchObject({ jobs: 1 })
    await second.stowage.runJobs()
    expect(await stored(second)).toEqual(all)
  })

  test('that the client declared are stored at once, and not computed again', async () => {
    await using stowage = await startStowage({ replace: { blobs: digestsLater } })
    const asked: string[][] = []
    const { blobs } = stowage.stowage.registry
    const digest = blobs.digest.bind(blobs)
    blobs.digest = (location, algorithms) => {
      asked.push([...algorithms])
      return digest(location, algorithms)
    }
    const declared = { 'X-Checksum-Md5': all.md5, 'X-Checksum-Sha1': all.sha1 }
    expect((await stowage.admin.put({}, body, declared)).status).toBe(201)
    expect(await stored(stowage)).toEqual({ ...all, sha512: null })
    await stowage.stowage.runJobs()
    expect(asked).toEqual([['sha512']])
    expect(await stored(stowage)).toEqual(all)
    await put(stowage, 'again', body)
    expect(await rows(stowage)).toMatchObject({ jobs: 0 })
  })

  test('all declared: no job at all', async () => {
    await using stowage = await startStowage({ replace: { blobs: digestsLater } })
    const declared = { 'X-Checksum-Md5': all.md5, 'X-Checksum-Sha1': all.sha1, 'X-Checksum-Sha512': all.sha512 }
    expect((await stowage.admin.put({}, body, declared)).status).toBe(201)
    expect(await stored(stowage)).toEqual(all)
    expect(await rows(stowage)).toMatchObject({ jobs: 0 })
  })

  test('declared by a later publish of the same bytes are written down too', async () => {
    await using stowage = await startStowage({ replace: { blobs: digestsLater } })
    await put(stowage, 'a', body)
    expect((await stowage.admin.put({ file: 'b' }, body, { 'X-Checksum-Sha512': all.sha512 })).status).toBe(201)
    expect(await stored(stowage)).toEqual({ md5: null, sha1: null, sha512: all.sha512 })
    expect(await rows(stowage)).toMatchObject({ jobs: 1, blobs: 1 })
  })

  test('of a blob that was deleted meanwhile cost nothing and leave no job', async () => {
    await using stowage = await startStowage({ settings: { STOWAGE_BLOB_GRACE: '0' } })
    await put(stowage, 'a', body)
    await remove(stowage, 'a')
    await stowage.stowage.sweep()
    await stowage.stowage.runJobs()
    expect(await rows(stowage)).toMatchObject({ jobs: 0, blobs: 0 })
  })

  test('that cannot be computed are tried again later, and others are not held up', async () => {
    let now = Date.now()
    await using stowage = await startStowage({ replace: { now: () => now } })
    await put(stowage, 'a', body)
    const [path] = (await blobFiles(stowage.dataDir)).keys()
    const file = join(stowage.dataDir, 'blobs', path as string)
    await rename(file, `${file}.away`)
    await put(stowage, 'b', bytesForJob(2))
    expect(await stowage.stowage.runJobs()).toBe(1)
    expect(await rows(stowage)).toMatchObject({ jobs: 1 })
    await rename(`${file}.away`, file)
    expect(await stowage.stowage.runJobs()).toBe(0)
    now += hour
    expect(await stowage.stowage.runJobs()).toBe(1)
    expect(await stored(stowage)).toEqual(all)
  })
})
