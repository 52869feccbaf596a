import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { ListObjectsV2Command } from '@aws-sdk/client-s3'
import type { BlobStore, Location } from '../../server/blobs/blob-store.ts'
import { type S3Place, s3Client } from '../../server/blobs/s3-client.ts'
import { bestS3Server, type S3Server } from '../support/s3.ts'
import { seededBytes } from '../support/seeded.ts'
import { ServerProcess, temporaryFolder } from '../support/server-process.ts'
import { s3Settings } from '../support/store.ts'
import { type Client, type FileAddress, startStowage, type TestStowage } from '../support/stowage.ts'
import { until } from '../support/until.ts'

const content = Buffer.from(seededBytes(100_000, 3))
const sha256 = new Bun.CryptoHasher('sha256').update(content).digest('hex')
const etag = `"${sha256}"`
const file = 'tool 1.0.tar.gz'
const isSqlite = process.env.TEST_DATABASE !== 'postgres'

/** The answer of the server itself. */
function asked(
  client: Client,
  address: FileAddress,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<Response> {
  return client.fetch(client.path(address), { method, headers, redirect: 'manual' })
}

const linkIn = (answer: Response) => answer.headers.get('location') ?? ''

/** What is in the bucket, below the prefix. */
async function filesIn(place: S3Place): Promise<string[]> {
  const client = s3Client(place, 'WHEN_REQUIRED')
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: place.bucket, Prefix: place.prefix }))
  client.destroy()
  return Contents.map(({ Key = '' }) => Key.slice(place.prefix.length)).filter((key) => key !== 'storage-id')
}

describe('downloads that are redirected to the bucket', () => {
  let server: S3Server
  let stowage: TestStowage
  let ada: Client

  const direct = (place: S3Place) => ({ ...s3Settings(place), STOWAGE_S3_DIRECT_DOWNLOADS: 'true' })

  beforeAll(async () => {
    server = await bestS3Server().start()
    const settings = { ...direct(server.place()), STOWAGE_CORS_ORIGINS: 'https://tools.example.com' }
    stowage = await startStowage({ settings })
    ada = await stowage.user('ada')
    expect((await ada.put({ file }, content)).status).toBe(201)
    expect((await ada.put({ file: 'empty' }, '')).status).toBe(201)
  })

  afterAll(async () => {
    await stowage?.[Symbol.asyncDispose]()
    await server?.[Symbol.asyncDispose]()
  })

  test('of a private package lead nobody there but those who may read it', async () => {
    expect((await ada.put({ package: 'hush' }, content)).status).toBe(201)
    const eve = (await stowage.user('eve')).as('ada')
    const access = '/api/v1/packages/ada/generic/hush/-/access'
    const set = async (method: string, path: string, body: object) =>
      expect((await ada.fetch(path, { method, body: JSON.stringify(body) })).ok).toBe(true)
    const asks = async (client: Client) => {
      const answer = await asked(client, { package: 'hush' })
      return { status: answer.status, leads: linkIn(answer) !== '' }
    }
    expect(await asks(eve)).toEqual({ status: 303, leads: true })
    await set('PATCH', access, { visibility: 'private' })
    for (const client of [eve, stowage.anonymous.as('ada')])
      expect(await asks(client)).toEqual({ status: 404, leads: false })
    await set('PUT', `${access}/users/eve`, { permission: 'read' })
    expect(await asks(eve)).toEqual({ status: 303, leads: true })
  })

  test('come with the same bytes, name and type, whole and in pieces', async () => {
    const answer = await asked(stowage.anonymous.as('ada'), { file })
    expect(answer.status).toBe(303)
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'cache-control': 'no-store',
      'x-checksum-sha256': sha256,
      location: expect.stringContaining('X-Amz-Expires=60&'),
    })
    // They would be of this answer, which has no bytes.
    for (const name of ['etag', 'repr-digest', 'content-type', 'content-disposition', 'accept-ranges']) {
      expect([name, answer.headers.has(name)]).toEqual([name, false])
    }
    const stored = await fetch(linkIn(answer))
    expect(stored.status).toBe(200)
    expect(stored.headers.get('content-type')).toBe('application/octet-stream')
    expect(stored.headers.get('content-disposition')).toBe(`attachment; filename="${file}"`)
    expect(stored.headers.get('cache-control')).toBe('max-age=0, private, must-revalidate')
    expect(Buffer.compare(await stored.bytes(), content)).toBe(0)

    // As clients do by themselves: they send everything on but the credentials.
    const followed = await ada.get({ file }, { Range: 'bytes=500-999' })
    expect(followed.redirected).toBe(true)
    expect(followed.status).toBe(206)
    expect(followed.headers.get('content-range')).toBe('bytes 500-999/100000')
    expect(Buffer.compare(await followed.bytes(), content.subarray(500, 1000))).toBe(0)
  })

  test('are asked for by HEAD with a link of its own', async () => {
    const answer = await asked(ada, { file }, {}, 'HEAD')
    expect([answer.status, answer.headers.get('x-checksum-sha256')]).toEqual([303, sha256])
    const stored = await fetch(linkIn(answer), { method: 'HEAD' })
    expect([stored.status, stored.headers.get('content-length')]).toEqual([200, '100000'])
    expect(stored.headers.get('content-disposition')).toBe(`attachment; filename="${file}"`)
    if (bestS3Server().name === 's3rver') return
    expect((await fetch(linkIn(answer))).status).toBe(403)
    const forGet = linkIn(await asked(ada, { file }))
    expect((await fetch(forGet, { method: 'HEAD' })).status).toBe(403)
    expect((await fetch(forGet.replace('tool', 'toil'))).status).toBe(403)
  })

  test.each<[what: string, status: number, headers: Record<string, string>, method?: string]>([
    ['what the client has', 304, { 'If-None-Match': etag }],
    ['what the client has, by HEAD', 304, { 'If-None-Match': etag }, 'HEAD'],
    ['what the client has, by its date', 304, { 'If-Modified-Since': new Date(Date.now() + 60_000).toUTCString() }],
    ['another file than is there', 412, { 'If-Match': '"other"' }],
    ['a file that is older than it is', 412, { 'If-Unmodified-Since': 'Thu, 01 Jan 1970 00:00:00 GMT' }],
    ['a range behind the end', 416, { Range: 'bytes=100000-' }],
    ['what the client does not have', 303, { 'If-None-Match': '"other"' }],
    ['a range', 303, { Range: 'bytes=0-9' }],
    // Sent on to the store, these would be compared with its own entity tags and dates.
    ['the file that is there', 200, { 'If-Match': etag }],
    ['the file that is there, by HEAD', 200, { 'If-Match': etag }, 'HEAD'],
    ['a download that is resumed', 206, { Range: 'bytes=5-', 'If-Range': etag }],
    ['a download that is resumed, and has changed', 200, { Range: 'bytes=5-', 'If-Range': '"other"' }],
    ['a file that is newer', 200, { 'If-Modified-Since': 'Thu, 01 Jan 1970 00:00:00 GMT' }],
    ['a file that is not newer', 200, { 'If-Unmodified-Since': new Date(Date.now() + 60_000).toUTCString() }],
  ])('%s: %d', async (_, status, headers, method = 'GET') => {
    const answer = await asked(ada, { file }, headers, method)
    expect(answer.status).toBe(status)
    const expected = { 200: content, 206: content.subarray(5) }[status]
    if (expected && method === 'GET') expect(Buffer.compare(await answer.bytes(), expected)).toBe(0)
    else await answer.body?.cancel()
    expect(answer.headers.has('location')).toBe(status === 303)
  })

  test('a file without bytes is sent from here, whatever range is asked for', async () => {
    for (const headers of [{}, { Range: 'bytes=0-9' }] as Record<string, string>[]) {
      const answer = await asked(ada, { file: 'empty' }, headers)
      expect([answer.status, await answer.text()]).toEqual([200, ''])
    }
  })

  test('the link on the page leads there too', async () => {
    await ada.put({ package: 'linked', file }, content)
    const page = await (await stowage.anonymous.fetch('/ada/-/packages/generic/linked/1.0')).text()
    const [, path = ''] = /href="([^"]*\/files\/\d+)"/.exec(page) ?? []
    const answer = await stowage.anonymous.fetch(new URL(path, stowage.url).pathname, { redirect: 'manual' })
    expect(answer.status).toBe(303)
    expect(answer.headers.get('x-checksum-sha256')).toBe(sha256)
  })

  test('scripts of listed origins may follow', async () => {
    const answer = await asked(ada, { file }, { Origin: 'https://tools.example.com' })
    expect(answer.status).toBe(303)
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://tools.example.com')
  })

  test('count once, by what the client asked for', async () => {
    const address = { package: 'counted', file }
    await ada.put(address, content)
    const total = async () => {
      await stowage.stowage.flushDownloads()
      return ((await (await ada.fetch('/api/v1/packages/ada/generic/counted/-/downloads')).json()) as { total: number })
        .total
    }
    let before = 0
    const cases: [counts: 0 | 1, headers: Record<string, string>, method?: string][] = [
      [1, {}],
      [1, { Range: 'bytes=0-9' }],
      [1, { Range: 'bytes=-100000' }],
      [1, { Range: 'bytes=20-29,0-9' }],
      [1, { Range: 'lines=1-2' }],
      [0, { Range: 'bytes=1-' }],
      [0, { Range: 'bytes=10-19,20-29' }],
      [0, { Range: 'bytes=100000-' }],
      [0, { 'If-None-Match': etag }],
      [0, { 'If-Match': '"other"' }],
      [1, { 'If-Match': etag }],
      [0, {}, 'HEAD'],
      [0, { Range: 'bytes=0-9' }, 'HEAD'],
    ]
    for (const [counts, headers, method] of cases) {
      await (await asked(ada, address, headers, method)).body?.cancel()
      const after = await total()
      expect([headers, method, after - before]).toEqual([headers, method, counts])
      before = after
    }
  })

  test('are for whom they are: nobody else is redirected, and from the next request on', async () => {
    const bo = await stowage.user('bo', { visibility: 'private' })
    expect((await bo.put({ file }, content)).status).toBe(201)
    for (const method of ['GET', 'HEAD']) {
      for (const [stranger, status] of [
        [stowage.anonymous.as('bo'), 401],
        [ada.as('bo'), 404],
      ] as const) {
        const refused = await asked(stranger, { file }, {}, method)
        expect([refused.status, refused.headers.has('location')]).toEqual([status, false])
      }
    }
    const token = await bo.token(['read:package'], { name: 'ci' })
    const link = linkIn(await asked(token, { file }))
    expect((await fetch(link)).status).toBe(200)
    expect((await bo.fetch('/api/v1/users/bo/tokens/ci', { method: 'DELETE' })).status).toBe(204)
    const refused = await asked(token, { file })
    expect([refused.status, refused.headers.has('location')]).toEqual([401, false])
    // The one thing that outlives it, for a minute.
    expect((await fetch(link)).status).toBe(200)
  })

  test('a link works for so long and no longer', async () => {
    const { blobs } = stowage.stowage.registry
    const [{ location } = { location: '' }] = await stowage.change(
      `select location from blobs where sha256 = '${sha256}'`,
    )
    const answer = {
      contentType: 'application/octet-stream',
      contentDisposition: 'attachment',
      cacheControl: 'private',
    }
    const link = await blobs.presigned?.(location as Location, { method: 'GET', seconds: 1, ...answer })
    const status = async () => (await fetch(link ?? '')).status
    await until(async () => (await status()) === 403, 'the link is refused')
  })

  test.if(isSqlite)('a redirect is never kept in memory', async () => {
    const places = new Set<string>()
    await asked(stowage.anonymous.as('ada'), { file })
    await until(async () => {
      const answer = await asked(stowage.anonymous.as('ada'), { file })
      expect(answer.status).toBe(303)
      places.add(linkIn(answer))
      // Links of different seconds are different links.
      return places.size > 1
    }, 'there is another link')
    expect((await ada.delete({ file: 'empty' })).status).toBe(204)
    expect((await asked(stowage.anonymous.as('ada'), { file: 'empty' })).status).toBe(404)
  })

  test('equal bytes are stored once for an owner, and again for another one', async () => {
    const place = server.place()
    let now = Date.now()
    await using another = await startStowage({
      settings: { ...direct(place), STOWAGE_BLOB_GRACE: '1m' },
      replace: { now: () => now },
    })
    const [cy, di] = [await another.user('cy'), await another.user('di')]
    await cy.put({ file: 'one' }, content)
    await cy.put({ file: 'two', package: 'other' }, content)
    expect(await filesIn(place)).toHaveLength(1)
    await di.put({ file: 'one' }, content)
    expect(await filesIn(place)).toHaveLength(2)
    const objectOf = async (client: Client, name: string) =>
      new URL(linkIn(await asked(client, { file: name }))).pathname
    expect(await objectOf(cy, 'one')).not.toBe(await objectOf(di, 'one'))

    // The bytes outlive the links to them.
    const link = linkIn(await asked(di, { file: 'one' }))
    await di.delete({ file: 'one' })
    now += 59_000
    await another.stowage.sweep()
    expect((await fetch(link)).status).toBe(200)
    now += 2_000
    await another.stowage.sweep()
    expect((await fetch(link)).status).toBe(404)
    expect(Buffer.compare(await (await cy.get({ file: 'one' })).bytes(), content)).toBe(0)
  })

  test('bytes that got lost are repaired by their owner alone', async () => {
    const place = server.place()
    await using another = await startStowage({ settings: direct(place) })
    const { blobs } = another.stowage.registry
    const [cy, di] = [await another.user('cy'), await another.user('di')]
    await cy.put({ file: 'one' }, content)
    const lost = (await filesIn(place)) as Location[]
    await blobs.remove(lost)
    await di.put({ file: 'one' }, content)
    expect((await cy.get({ file: 'one' })).status).toBe(404)
    await cy.put({ file: 'two' }, content)
    for (const [client, name] of [
      [cy, 'one'],
      [cy, 'two'],
      [di, 'one'],
    ] as const) {
      expect(Buffer.compare(await (await client.get({ file: name })).bytes(), content)).toBe(0)
    }
    expect(await filesIn(place)).toHaveLength(2)
  })

  test('can be turned on and off: what is there stays as it is', async () => {
    const place = server.place()
    await using folder = await temporaryFolder()
    const names: string[] = []
    /** Objects once two owners have published the same again, and everybody's files were read. */
    const objectsAfter = async (name: string, settings: Record<string, string>) => {
      await using running = await startStowage({ settings, dataDir: folder.path })
      const user = await running.user(name)
      for (const client of [user, running.admin]) expect((await client.put({ file: name }, content)).status).toBe(201)
      names.push(name)
      for (const file of names) {
        for (const owner of ['admin', file]) {
          const answer = await running.admin.get({ owner, file })
          expect(Buffer.compare(await answer.bytes(), content)).toBe(0)
        }
      }
      return (await filesIn(place)).length
    }
    expect(await objectsAfter('cy', s3Settings(place))).toBe(1)
    expect(await objectsAfter('di', direct(place))).toBe(3)
    expect(await objectsAfter('el', s3Settings(place))).toBe(3)
  })

  test('leave nothing of their links in the log', async () => {
    await using folder = await temporaryFolder()
    const settings = { ...direct(server.place()), STOWAGE_LOG_LEVEL: 'debug' }
    await using running = await ServerProcess.start(folder.path, settings)
    const { admin } = running
    await admin.put({ file }, content)
    const link = linkIn(await asked(admin, { file }))
    expect(link).toContain('X-Amz-Signature=')
    expect((await fetch(link)).status).toBe(200)
    expect((await asked(admin, { file: 'missing' })).status).toBe(404)
    await running.stop()
    expect(running.errors).toContain('missing')
    expect(running.errors).not.toContain('X-Amz-')
  })

  test('a store that cannot make links sends its bytes from here', async () => {
    const blobs = (store: BlobStore): BlobStore =>
      new Proxy(store, {
        get: (target, name: keyof BlobStore) => {
          if (name === 'presigned') return undefined
          const value = target[name]
          return typeof value === 'function' ? value.bind(target) : value
        },
      })
    await using another = await startStowage({ settings: direct(server.place()), replace: { blobs } })
    await another.admin.put({ file }, content)
    const answer = await asked(another.admin, { file })
    expect([answer.status, Buffer.compare(await answer.bytes(), content)]).toEqual([200, 0])
  })
})
