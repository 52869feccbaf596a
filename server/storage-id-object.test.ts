import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type HttpFault, HttpProxy } from '../test/support/http-proxy.ts'
import { type S3Server, s3Servers } from '../test/support/s3.ts'
import type { S3Clients } from './blobs/s3-client.ts'
import { openS3 } from './blobs/s3-open.ts'
import { storageIdObject } from './storage-id-object.ts'

describe.each(s3Servers())('the storage id of a bucket on $name', ({ name, start }) => {
  let server: S3Server

  beforeAll(async () => {
    server = await start()
  })

  afterAll(() => server[Symbol.asyncDispose]())

  /** A catalogue that keeps the first id that it hears of. */
  function catalogue(): (id: string) => Promise<string> {
    let kept: string | undefined
    return async (id) => {
      kept ??= id
      return kept
    }
  }

  async function opened(place = server.place()) {
    const { store, clients } = await openS3(place)
    const idFor = (remember = catalogue(), by: S3Clients = clients) => storageIdObject(place, by, remember)
    return { store, idFor, [Symbol.asyncDispose]: () => store.close() }
  }

  test('is what was said first', async () => {
    await using bucket = await opened()
    expect(await bucket.idFor().read()).toBeUndefined()
    expect(await bucket.idFor().claim('one')).toBe('one')
    expect(await bucket.idFor().claim('two')).toBe('one')
    expect(await bucket.idFor().read()).toBe('one')
  })

  // What s3rver is in the middle of writing can be read.
  const together = name === 's3rver' ? test.skip : test
  together('of nodes that start together is the one that their catalogue keeps', async () => {
    await using bucket = await opened()
    const shared = catalogue()
    const said = await Promise.all(['one', 'two', 'three'].map((id) => bucket.idFor(shared).claim(id)))
    const kept = await shared('four')
    expect(said).toEqual([kept, kept, kept])
    expect(await bucket.idFor(shared).read()).toBe(kept)
  })

  test("is the catalogue's where a store that knows no conditions let another node say it later", async () => {
    await using bucket = await opened()
    const shared = catalogue()
    await shared('one')
    expect(await bucket.idFor(shared).claim('two')).toBe('one')
    expect(await bucket.idFor(shared).read()).toBe('one')
  })

  test('knows whether a lease has left something', async () => {
    await using bucket = await opened()
    await bucket.idFor().claim('one')
    await bucket.store.probe()
    expect(await bucket.idFor().isUsed()).toBe(false)
    await using staged = await bucket.store.stage('0123456789abcdef0123')
    await staged.commit()
    expect(await bucket.idFor().isUsed()).toBe(true)
  })

  describe('among names of others', () => {
    const page = (prefix: string, name: string, next?: string): HttpFault => ({
      kind: 'answer',
      method: 'GET',
      status: 200,
      headers: { 'Content-Type': 'application/xml' },
      body: `<ListBucketResult>
        <IsTruncated>${next !== undefined}</IsTruncated><NextContinuationToken>${next ?? ''}</NextContinuationToken>
        <CommonPrefixes><Prefix>${prefix}${name}/</Prefix></CommonPrefixes>
      </ListBucketResult>`,
    })

    async function isUsed(...pages: [name: string, next?: string][]) {
      await using proxy = await HttpProxy.start(server.url, { keepsHost: true })
      const place = server.place(proxy.url)
      await using bucket = await opened(place)
      proxy.take()
      proxy.plan(...pages.map(([name, next]) => page(place.prefix, name, next)))
      const answer = await bucket.idFor().isUsed()
      const { seen } = proxy.take()
      return {
        answer,
        asked: seen.map(({ path }) => new URLSearchParams(path.split('?')[1]).get('continuation-token')),
      }
    }

    test('it is found on a later page of them', async () => {
      const pages = [
        ['0', 'a'],
        ['1', 'b'],
        ['0123456789abcdef0123', 'c'],
      ] as [string, string][]
      expect(await isUsed(...pages)).toEqual({ answer: true, asked: [null, 'a', 'b'] })
      expect(await isUsed(['0', 'a'], ['1'])).toEqual({ answer: false, asked: [null, 'a'] })
    })

    test('a prefix is asked for where there are too many', async () => {
      const { answer, asked } = await isUsed(
        ...Array.from({ length: 101 }, (_, n): [string, string] => [`${n}`, `${n}`]),
      )
      expect({ answer, pages: asked.length }).toEqual({ answer: true, pages: 100 })
    })
  })
})
