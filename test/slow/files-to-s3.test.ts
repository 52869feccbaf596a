import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { rm, symlink, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import {
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { type S3Place, s3Client } from '../../server/blobs/s3-client.ts'
import { beginLastCopy, switchFiles } from '../../server/catalogue/files-move.ts'
import type { Catalogue } from '../../server/catalogue/transaction.ts'
import { readSettings } from '../../server/config.ts'
import { openDatabaseForCommand } from '../../server/database.ts'
import { type FilesMoveEvent, type MoveFiles, moveFiles } from '../../server/move-files.ts'
import { takeLease } from '../../server/registry/leases.ts'
import { behindItsBack, databaseSettings, onPostgres } from '../support/database.ts'
import { type HttpFault, HttpProxy } from '../support/http-proxy.ts'
import { filesOnDisk, migrateFiles } from '../support/migrate-files.ts'
import { bestS3Server, type S3Server, s3Servers } from '../support/s3.ts'
import { seededBytes, sha256Of } from '../support/seeded.ts'
import { temporaryFolder } from '../support/server-process.ts'
import { s3Settings } from '../support/store.ts'
import { type Client, startStowage, type TestStowage } from '../support/stowage.ts'
import { until } from '../support/until.ts'

const noGrace = { STOWAGE_BLOB_GRACE: '0' }
const onTheDisk = (dataDir: string) => startStowage({ dataDir, nodes: 1, settings: { ...filesOnDisk, ...noGrace } })
const inBucket = (dataDir: string, place: S3Place) =>
  startStowage({ dataDir, nodes: 1, settings: { ...s3Settings(place), ...noGrace } })

async function move(dataDir: string, place: S3Place, options: MoveFiles = {}, database = dataDir) {
  const settings = readSettings({
    STOWAGE_DATA_DIR: dataDir,
    ...(await databaseSettings(database)),
    ...s3Settings(place),
  })
  if (!settings.s3) throw new Error('no bucket')
  return moveFiles({ ...settings, s3: settings.s3 }, options)
}

const startIsRefused = async (start: Promise<TestStowage>): Promise<string> => {
  const server = await start.catch((error: Error) => error)
  if (server instanceof Error) return server.message
  await server.stop()
  return 'it started'
}

const mebibyte = 1024 * 1024
/** Of no byte, of one part, of parts that are full, of several. */
const sizes = [0, 1, 1_000, mebibyte, mebibyte + 1, 8 * mebibyte, 20 * mebibyte]

/** Fifty files by name. */
function fiftyFiles(): Map<string, Uint8Array<ArrayBuffer>> {
  return new Map(
    Array.from({ length: 50 }, (_, index) => [`file-${index}`, seededBytes(sizes[index] ?? 100 * index, index + 1)]),
  )
}

async function publish(client: Client, files: Map<string, Uint8Array<ArrayBuffer>>): Promise<void> {
  for (const [file, bytes] of files) {
    const { status } = await client.put({ file }, bytes)
    if (status !== 201) throw new Error(`${file}: ${status}`)
  }
}

async function mustServe(client: Client, files: Map<string, Uint8Array>): Promise<void> {
  for (const [file, bytes] of files) {
    const answer = await client.get({ file })
    expect(answer.status).toBe(200)
    expect(Buffer.compare(await answer.bytes(), bytes)).toBe(0)
  }
}

/** What is in the bucket, below the prefix. */
async function keysIn(place: S3Place): Promise<string[]> {
  const client = s3Client(place, 'WHEN_REQUIRED')
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: place.bucket, Prefix: place.prefix }))
  client.destroy()
  return Contents.map(({ Key = '' }) => Key.slice(place.prefix.length)).sort()
}

const locationOf = async (dataDir: string, bytes: Uint8Array): Promise<string> => {
  const [row] = await behindItsBack(dataDir, `select location from blobs where sha256 = '${sha256Of(bytes)}'`)
  return String(row?.location)
}

async function locations(dataDir: string): Promise<string[]> {
  return (await behindItsBack(dataDir, 'select location from blobs')).map(({ location }) => String(location)).sort()
}

const pass = (method: string): HttpFault => ({ kind: 'wait', method, after: Infinity, until: Promise.resolve() })

const opened: AsyncDisposable[] = []
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one[Symbol.asyncDispose]()
})

/** A data directory that is gone when the test is over. */
async function folder(): Promise<string> {
  const made = await temporaryFolder()
  opened.push(made)
  return made.path
}

/** A stopped installation with these files on its disk. */
async function installation(files: Map<string, Uint8Array<ArrayBuffer>>): Promise<string> {
  const dataDir = await folder()
  await using server = await onTheDisk(dataDir)
  await publish(server.admin, files)
  await server.stop()
  return dataDir
}

/** What a server says that is to start on a bucket to which the files have not gone yet. */
const halfMoved = ({ bucket }: S3Place) =>
  new RegExp(
    `^The files are being moved to the S3 bucket ${bucket}, and that is not complete\\..* migrate --files again`,
  )

/** As the command's last step, where no server runs. */
async function switchTo(catalogue: Catalogue): Promise<void> {
  const newPlace = { storageId: 'new', now: Date.now() }
  expect(await catalogue.transact(beginLastCopy, newPlace)).toBe(0)
  expect(await catalogue.transact(switchFiles, { ...newPlace, leases: [] })).toBe(true)
}

const fewFiles = () => new Map([...fiftyFiles()].filter(([, bytes]) => bytes.length < mebibyte).slice(0, 8))

/** One kind of server for each kind of database. */
const servers = s3Servers().filter(({ name }, _, all) => all.length === 1 || (name === 's3rver') !== onPostgres)

describe.each(servers)('to $name', ({ name, start }) => {
  let s3: S3Server

  beforeAll(async () => {
    s3 = await start()
  })

  afterAll(() => s3[Symbol.asyncDispose]())

  test('files are copied beside a server that serves and takes files, and move when it has stopped', async () => {
    const [dataDir, place, files] = [await folder(), s3.place(), fiftyFiles()]
    let forgotten = ''
    {
      await using server = await onTheDisk(dataDir)
      const { admin } = server
      await publish(admin, files)
      const served: Promise<void>[] = []
      const published = new Map<string, Uint8Array<ArrayBuffer>>()
      const beside = (event: FilesMoveEvent) => {
        if (event.kind !== 'copying' || served.length >= 20) return
        const number = served.length
        const fresh = new Map([[`beside-${number}`, seededBytes(5_000, 900 + number)]])
        for (const [file, bytes] of fresh) published.set(file, bytes)
        served.push(mustServe(admin, new Map([...files].slice(number, number + 1))), publish(admin, fresh))
      }
      expect(await move(dataDir, place, { tell: beside })).toEqual({ kind: 'copied', broken: [], servers: undefined })
      await Promise.all(served)
      expect(served.length).toBeGreaterThanOrEqual(20)
      for (const [file, bytes] of published) files.set(file, bytes)
      await server.stop()
    }
    {
      await using server = await onTheDisk(dataDir)
      const { admin } = server
      const last = new Map([['last', seededBytes(9 * mebibyte, 999)]])
      await publish(admin, last)
      await mustServe(admin, new Map([...files, ...last]))
      files.set('last', last.get('last') ?? new Uint8Array())
      // One whose copy nobody will need, under a lease of which nothing is known any more; and one that is doomed but not removed
      // when the files move.
      forgotten = await locationOf(dataDir, files.get('file-2') ?? new Uint8Array())
      expect((await admin.delete({ file: 'file-2' })).status).toBe(204)
      await server.stowage.sweep()
      expect((await admin.delete({ file: 'file-6' })).status).toBe(204)
      for (const gone of ['file-2', 'file-6']) files.delete(gone)
      await server.stop()
    }
    expect(await startIsRefused(inBucket(dataDir, place))).toMatch(halfMoved(place))

    const events: FilesMoveEvent[] = []
    expect(await move(dataDir, place, { tell: (event) => events.push(event) })).toEqual({ kind: 'moved', broken: [] })
    const copied = events.flatMap((event) => (event.kind === 'copying' ? [event.copied.blobs] : [])).at(-1)
    // Less than all, but at least the one that came at the end.
    expect(copied).toBeGreaterThanOrEqual(1)
    expect(copied).toBeLessThanOrEqual(1 + 20)

    expect(await startIsRefused(onTheDisk(dataDir))).toMatch(/were moved to an S3 bucket at .*STOWAGE_S3_BUCKET/)
    await rm(join(dataDir, 'blobs'), { recursive: true })
    await using server = await inBucket(dataDir, place)
    await mustServe(server.admin, files)
    for (const file of ['file-2', 'file-6']) expect((await server.admin.get({ file })).status).toBe(404)
    await publish(server.admin, new Map([['new', seededBytes(100, 1_000)]]))
    expect((await server.admin.delete({ file: 'file-5' })).status).toBe(204)
    await server.stowage.sweep()
    // s3rver lists no folders (CommonPrefixes), so what lies in one of which nothing is known stays.
    const kept = name === 's3rver' ? [forgotten] : []
    expect(await keysIn(place)).toEqual([...(await locations(dataDir)), ...kept, 'storage-id'].sort())
    files.delete('file-5')
    await mustServe(server.admin, files)
    expect(await move(dataDir, place)).toEqual({ kind: 'there already' })
  })

  test('killed in the middle, the same command goes on where it stopped', async () => {
    const files = fiftyFiles()
    const dataDir = await installation(files)
    await using proxy = await HttpProxy.start(s3.url, { keepsHost: true })
    const place = s3.place(proxy.url)
    // Some are through, and others are on their way.
    proxy.plan(...Array.from({ length: 25 }, () => pass('PUT')))
    proxy.plan(...Array.from({ length: 4 }, (): HttpFault => ({ kind: 'hold', method: 'PUT' })))
    const { child, ended } = await migrateFiles(dataDir, place)
    const puts = () => proxy.seen.filter(({ method }) => method === 'PUT').length
    await until(() => puts() >= 29, 'four copies stand still')
    child.kill('SIGKILL')
    await ended
    const before = await keysIn(place)
    expect(before.length).toBeGreaterThan(10)
    expect(before.length).toBeLessThan(files.size)

    expect(await startIsRefused(inBucket(dataDir, place))).toMatch(halfMoved(place))
    await using server = await onTheDisk(dataDir)
    await mustServe(server.admin, files)
    await server.stop()

    proxy.take()
    const again = await (await migrateFiles(dataDir, place)).ended
    expect(again).toMatchObject({ exitCode: 0, errors: '' })
    expect(again.output).toContain('\nMoved.')
    const { seen } = proxy.take()
    const writtenAgain = seen.filter(({ method, path }) => method === 'PUT' && before.some((key) => path.includes(key)))
    expect(writtenAgain).toEqual([])
    expect(await keysIn(place)).toEqual([...(await locations(dataDir)), 'storage-id'].sort())
    await using moved = await inBucket(dataDir, place)
    await mustServe(moved.admin, files)
  })
})

describe('moving files', () => {
  let s3: S3Server

  beforeAll(async () => {
    s3 = await bestS3Server().start()
  })

  afterAll(() => s3[Symbol.asyncDispose]())

  test('what is broken on the disk is named and left out, and publishing it again mends it', async () => {
    const files = fiftyFiles()
    const dataDir = await installation(files)
    const place = s3.place()
    const pathOf = async (file: string) =>
      join(dataDir, 'blobs', await locationOf(dataDir, files.get(file) ?? new Uint8Array()))
    const flip = async (file: string, at: number) => {
      const bytes = new Uint8Array(await Bun.file(await pathOf(file)).arrayBuffer())
      bytes[at] = (bytes[at] ?? 0) ^ 1
      await Bun.write(await pathOf(file), bytes)
    }
    await flip('file-2', 999)
    // In its first part, which is sent before the last one shows that it is wrong.
    await flip('file-6', 5)
    await truncate(await pathOf('file-20'), 3)
    await rm(await pathOf('file-21'))
    const wrong = ['file-2', 'file-6', 'file-20', 'file-21']

    const { output, exitCode } = await (await migrateFiles(dataDir, place)).ended
    expect(exitCode).toBe(0)
    expect(output).toContain('NOT COPIED: 4 blobs')
    expect(output.match(/their SHA-256 is [0-9a-f]{64}\n/g)).toHaveLength(2)
    expect(output).toContain('they are 3 bytes instead of 2000')
    expect(output).toContain('they are not there')
    for (const file of wrong) {
      expect(output).toContain(`  admin/tool/1.0/${file}\n`)
      expect(output).toContain(sha256Of(files.get(file) ?? new Uint8Array()))
    }
    expect(output).toContain('\nMoved.')
    expect(await keysIn(place)).toHaveLength(files.size - wrong.length + 1)

    await using server = await inBucket(dataDir, place)
    for (const file of wrong) {
      const bytes = files.get(file) ?? new Uint8Array()
      const answer = server.admin.get({ file }).then(async (got) => (got.ok ? got.bytes() : got.status))
      expect(await answer.catch(() => 'broken off')).toBeOneOf([503, 'broken off'])
      expect((await server.admin.put({ file: `again-${file}` }, bytes)).status).toBe(201)
    }
    await mustServe(server.admin, files)
  })

  test('other bytes of the same size in the bucket are found where they are read back', async () => {
    const files = fewFiles()
    const dataDir = await installation(files)
    const place = s3.place()
    {
      await using server = await onTheDisk(dataDir)
      expect(await move(dataDir, place)).toMatchObject({ kind: 'copied' })
      await server.stop()
    }
    const bytes = files.get('file-2') ?? new Uint8Array()
    const client = s3Client(place, 'WHEN_REQUIRED')
    const Key = place.prefix + (await locationOf(dataDir, bytes))
    await client.send(new PutObjectCommand({ Bucket: place.bucket, Key, Body: new Uint8Array(bytes.length) }))
    client.destroy()
    expect(await move(dataDir, place, { verify: true })).toEqual({ kind: 'moved', broken: [] })
    await using server = await inBucket(dataDir, place)
    await mustServe(server.admin, files)
  })

  test('a store that gives back other bytes than it was given is not trusted', async () => {
    const bytes = seededBytes(1_000, 1)
    const dataDir = await installation(new Map([['one', bytes]]))
    await using proxy = await HttpProxy.start(s3.url, { keepsHost: true })
    const place = s3.place(proxy.url)
    let isPlanned = false
    const tell = (event: FilesMoveEvent) => {
      if (event.kind !== 'copying' || isPlanned) return
      isPlanned = true
      proxy.plan({ kind: 'damage answer', method: 'GET', at: 500 })
    }
    await expect(move(dataDir, place, { verify: true, tell })).rejects.toThrow('other bytes')
    // And is asked to compare what it gets.
    const location = await locationOf(dataDir, bytes)
    const puts = proxy.seen.filter(({ method, path }) => method === 'PUT' && path.includes(location))
    expect(puts.map(({ headers }) => headers['x-amz-content-sha256'])).toEqual([sha256Of(bytes)])
    expect(await startIsRefused(inBucket(dataDir, place))).toMatch(halfMoved(place))
    expect(await startIsRefused(onTheDisk(dataDir))).toBe('it started')
  })

  test('what the store cannot do just now is tried again; what it refuses is a sentence, and nothing has moved', async () => {
    const files = fewFiles()
    const dataDir = await installation(files)
    await using proxy = await HttpProxy.start(s3.url, { keepsHost: true })
    const place = s3.place(proxy.url)
    let plan: HttpFault[] = [{ kind: 'answer', method: 'PUT', status: 403 }]
    const tell = (event: FilesMoveEvent) => {
      if (event.kind === 'begun') proxy.plan(...plan)
    }
    const refused = await move(dataDir, place, { tell }).catch((error: Error) => error.message)
    expect(refused).toMatch(/nothing was stored.*\(.*403.*\)\. What was copied stays: run the command again\.$/)
    plan = [
      { kind: 'answer', method: 'PUT', status: 503 },
      { kind: 'lose answer', method: 'PUT' },
      { kind: 'cut request', method: 'PUT', after: 1 },
    ]
    expect(await move(dataDir, place, { tell })).toEqual({ kind: 'moved', broken: [] })
    expect(proxy.take().left).toBe(0)
    await using server = await inBucket(dataDir, place)
    await mustServe(server.admin, files)
  })

  test('a bucket of somebody else is refused; another one may be named, and the first is never taken for it', async () => {
    const files = fewFiles()
    const dataDir = await installation(files)
    const theirs = s3.place()
    {
      await using other = await startStowage({ nodes: 1, settings: s3Settings(theirs) })
      await publish(other.admin, new Map([['theirs', seededBytes(10, 1)]]))
    }
    await expect(move(dataDir, theirs)).rejects.toThrow('belongs to another installation')
    const client = s3Client(theirs, 'WHEN_REQUIRED')
    await client.send(new DeleteObjectCommand({ Bucket: theirs.bucket, Key: `${theirs.prefix}storage-id` }))
    client.destroy()
    await expect(move(dataDir, theirs)).rejects.toThrow('nobody knows whose they are')

    const givenUp = s3.place()
    const brokenHere = new Error('broken off here')
    const tell = (event: FilesMoveEvent) => {
      if (event.kind === 'switching') throw brokenHere
    }
    await expect(move(dataDir, givenUp, { tell })).rejects.toBe(brokenHere)
    expect(await startIsRefused(onTheDisk(dataDir))).toBe('it started')
    const place = s3.place()
    expect(await move(dataDir, place)).toEqual({ kind: 'moved', broken: [] })
    expect(await startIsRefused(inBucket(dataDir, givenUp))).toContain('belongs to another database')
    await expect(move(dataDir, givenUp)).rejects.toThrow(/were moved at .*, to another bucket/)
    await using server = await inBucket(dataDir, place)
    await mustServe(server.admin, files)
  })

  test('where a server was started since the last look, nothing moves', async () => {
    const dataDir = await installation(fewFiles())
    const settings = readSettings({ STOWAGE_DATA_DIR: dataDir, ...(await databaseSettings(dataDir)) })
    const catalogue = await openDatabaseForCommand(settings)
    try {
      const newPlace = { storageId: 'new', now: Date.now() }
      expect(await catalogue.transact(beginLastCopy, newPlace)).toBe(0)
      expect(await startIsRefused(onTheDisk(dataDir))).toBe('it started')
      expect(await catalogue.transact(switchFiles, { ...newPlace, leases: [] })).toBe(false)
      expect(await startIsRefused(onTheDisk(dataDir))).toBe('it started')
      expect(await catalogue.transact(beginLastCopy, newPlace)).toBe(0)
      expect(await catalogue.transact(switchFiles, { ...newPlace, leases: ['0123456789abcdef0123'] })).toBe(true)
    } finally {
      await catalogue.close()
    }
    expect(await startIsRefused(onTheDisk(dataDir))).toContain('were moved to an S3 bucket')
    const leases = await behindItsBack(dataDir, `select dead_since from leases where id = '0123456789abcdef0123'`)
    expect(leases).toHaveLength(1)
    expect(leases[0]?.dead_since).not.toBeNull()
  })

  test('a server that looked before the files moved, and comes into use after it, is refused', async () => {
    const dataDir = await installation(fewFiles())
    const catalogue = (under: Catalogue): Catalogue => ({
      read: under.read,
      transact: async (work, args) => {
        if ((work as unknown) === takeLease) await switchTo(under)
        return under.transact(work, args)
      },
      changes: under.changes,
      probe: () => under.probe(),
      close: () => under.close(),
    })
    const start = startStowage({ dataDir, nodes: 1, settings: filesOnDisk, replace: { catalogue } })
    expect(await startIsRefused(start)).toContain('were moved to an S3 bucket')
  })

  test('a server that slept while they moved never comes into use again', async () => {
    const dataDir = await installation(fewFiles())
    await using server = await onTheDisk(dataDir)
    const { lease, catalogue } = server.stowage.registry
    await server.change('update leases set dead_since = 1')
    await switchTo(catalogue)
    await expect(lease.renew()).rejects.toThrow('were moved to an S3 bucket')
    const answer = await server.admin.put({ file: 'late' }, 'late')
    expect(answer.status).toBe(503)
  })

  test('what is published behind the place where the copy is, is copied before anything moves', async () => {
    const files = new Map([1, 2, 3].map((number) => [`large-${number}`, seededBytes(2 * mebibyte, number)]))
    const dataDir = await installation(files)
    const [lowest = ''] = await locations(dataDir)
    await using proxy = await HttpProxy.start(s3.url, { keepsHost: true })
    const gate = Promise.withResolvers<void>()
    const tell = (event: FilesMoveEvent) => {
      if (event.kind === 'begun') proxy.plan({ kind: 'wait', method: 'PUT', after: 100_000, until: gate.promise })
    }
    const place = s3.place(proxy.url)
    const moving = move(dataDir, place, { tell })
    const reached = (key: string) => proxy.seen.some(({ method, path }) => method === 'PUT' && path.includes(key))
    await until(() => reached(lowest.slice(0, 20)), 'it copies')
    for (let number = 0; (await locations(dataDir))[0] === lowest; number += 1) {
      await using server = await onTheDisk(dataDir)
      const fresh = new Map([[`fresh-${number}`, seededBytes(100, 500 + number)]])
      await publish(server.admin, fresh)
      for (const [file, bytes] of fresh) files.set(file, bytes)
      await server.stop()
    }
    gate.resolve()
    expect(await moving).toEqual({ kind: 'moved', broken: [] })
    await using server = await inBucket(dataDir, place)
    await mustServe(server.admin, files)
  })

  test('multipart uploads that a killed run left are ended, and no others', async () => {
    const bytes = seededBytes(20 * mebibyte, 1)
    const dataDir = await installation(new Map([['one', bytes]]))
    const place = s3.place()
    const client = s3Client(place, 'WHEN_REQUIRED')
    const keys = [await locationOf(dataDir, bytes), 'of/somebody-else'].map((name) => place.prefix + name)
    for (const Key of keys) await client.send(new CreateMultipartUploadCommand({ Bucket: place.bucket, Key }))
    expect(await move(dataDir, place)).toEqual({ kind: 'moved', broken: [] })
    const left = await client
      .send(new ListMultipartUploadsCommand({ Bucket: place.bucket, Prefix: place.prefix }))
      .then(({ Uploads = [] }) => Uploads.map(({ Key }) => Key))
      // s3rver lists none.
      .catch(() => keys.slice(1))
    client.destroy()
    expect(left).toEqual(keys.slice(1))
  })

  const onNodes = onPostgres ? test : test.skip
  onNodes('a server that runs on another machine is seen', async () => {
    const files = fewFiles()
    const dataDir = await folder()
    await using server = await onTheDisk(dataDir)
    await publish(server.admin, files)
    const elsewhere = await folder()
    await symlink(join(dataDir, 'blobs'), join(elsewhere, 'blobs'))
    const place = s3.place()
    expect(await move(elsewhere, place, {}, dataDir)).toEqual({ kind: 'copied', broken: [], servers: 1 })
    await mustServe(server.admin, files)
    await server.stop()
    expect(await move(elsewhere, place, {}, dataDir)).toEqual({ kind: 'moved', broken: [] })
  })

  test('options that do not go together, and a missing bucket, are a sentence', async () => {
    const dataDir = await folder()
    const place = s3.place()
    const cases: [string[], RegExp][] = [
      [['--undo'], /--files goes with --verify alone/],
      [['--to', 'postgres://a/b'], /--files goes with --verify alone/],
    ]
    for (const [args, sentence] of cases) {
      const { exitCode, errors } = await (await migrateFiles(dataDir, place, args)).ended
      expect({ exitCode, errors }).toEqual({ exitCode: 2, errors: expect.stringMatching(sentence) })
    }
    const none = await (
      await migrateFiles(dataDir, { ...place, bucket: '', prefix: '', endpoint: '', credentials: undefined })
    ).ended
    expect(none).toMatchObject({ exitCode: 2, errors: expect.stringContaining('STOWAGE_S3_BUCKET') })
  })
})
