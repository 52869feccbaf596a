import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { Digests } from '../lib/digests.ts'
import { digestAlgorithms } from '../lib/digests.ts'
import type { BlobStore, ByteSpan, Location } from './blob-store.ts'

export interface OpenedBlobStore {
  store: BlobStore
  [Symbol.asyncDispose](): Promise<void>
}

const lease = 'lease-1'

const digestsOfAbc: Digests = {
  md5: '900150983cd24fb0d6963f7d28e17f72',
  sha1: 'a9993e364706816aba3e25717850c26c9cd0d89d',
  sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  sha512:
    'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
}

const hostile = [
  '',
  '..',
  '../secret',
  '/etc/passwd',
  `lease-1/../../${'0'.repeat(32)}`,
  `../0/${'0'.repeat(32)}`,
  `lease-1//${'0'.repeat(32)}`,
  `lease-1/0/../${'0'.repeat(32)}`,
  `lease-1/0/${'0'.repeat(31)}.`,
  `lease-1/0/${'0'.repeat(32)}/..`,
  `lease-1/0/${'0'.repeat(32)}\n`,
  `lease-1/0/${'0'.repeat(31)}\0`,
  `lease-1\\..\\${'0'.repeat(32)}`,
  `.probe/${'0'.repeat(32)}`,
  `lease-1/0/${'0'.repeat(16)}`,
] as Location[]

/** What every blob store promises, as tests. */
export function blobStoreContract(name: string, open: () => Promise<OpenedBlobStore>): void {
  describe(name, () => {
    let opened: OpenedBlobStore
    let store: BlobStore

    beforeEach(async () => {
      opened = await open()
      store = opened.store
    })

    afterEach(async () => {
      await store.close()
      await opened[Symbol.asyncDispose]()
    })

    async function put(chunks: Iterable<Uint8Array>, under = lease, size?: number): Promise<Location> {
      await using staged = await store.stage(under, size)
      for (const chunk of chunks) await staged.write(chunk)
      await staged.commit()
      staged.keep()
      return staged.location
    }

    const putText = (text: string, under = lease) => put([Buffer.from(text)], under)
    const bytesOf = (location: Location, span?: ByteSpan) => new Response(store.body(location, span)).bytes()
    const textOf = async (location: Location) => Buffer.from(await bytesOf(location)).toString()
    const locationsOf = (under: string) => Array.fromAsync(store.locations(under))

    test('a blob of no bytes is stored', async () => {
      expect(await bytesOf(await put([]))).toHaveLength(0)
      expect(await bytesOf(await put([new Uint8Array(0)]))).toHaveLength(0)
    })

    test('a blob of one byte is stored', async () => {
      expect(await textOf(await putText('x'))).toBe('x')
    })

    test('any chunks are read back as they were, whole and span by span', async () => {
      // Around the sizes at which a store may start a new write or a new part.
      const size = fc.oneof(fc.nat(50), fc.nat(70_000), fc.constantFrom(65_536, 262_143, 262_144, 262_145, 600_001))
      const sizes = fc.array(size, { maxLength: 12 })
      await fc.assert(
        fc.asyncProperty(sizes, fc.nat(255), fc.array(fc.nat(), { maxLength: 6 }), async (sizes, seed, cuts) => {
          const chunks = sizes.map((size, index) => patterned(size, seed + index))
          const whole = Buffer.concat(chunks)
          const isTold = seed % 2 === 0
          const location = await put(chunks, lease, isTold ? whole.length : undefined)
          expect(Buffer.compare(await bytesOf(location), whole)).toBe(0)
          const edges = [0, ...cuts.map((cut) => cut % (whole.length + 1)).sort((a, b) => a - b), whole.length]
          for (const [index, end] of edges.entries()) {
            const start = edges[index - 1] ?? 0
            const stretch = await bytesOf(location, { start, end })
            expect(Buffer.compare(stretch, whole.subarray(start, end))).toBe(0)
          }
        }),
        { numRuns: 40 },
      )
    })

    test('the caller may use its chunk again', async () => {
      const chunk = new Uint8Array(100_000)
      await using staged = await store.stage(lease)
      for (let round = 1; round <= 20; round += 1) await staged.write(chunk.fill(round))
      await staged.commit()
      staged.keep()
      const found = await bytesOf(staged.location)
      expect(found).toHaveLength(2_000_000)
      expect(found.every((byte, index) => byte === Math.floor(index / 100_000) + 1)).toBe(true)
    })

    test('what is not kept is dropped, committed or not', async () => {
      const dropped: Location[] = []
      for (const commits of [true, false]) {
        await using staged = await store.stage(lease)
        await staged.write(new Uint8Array(300_000))
        if (commits) await staged.commit()
        dropped.push(staged.location)
      }
      expect(await locationsOf(lease)).toEqual([])
      for (const location of dropped) await expect(bytesOf(location)).rejects.toThrow()
    })

    test('what is kept stays', async () => {
      const location = await putText('kept')
      expect(await locationsOf(lease)).toEqual([location])
      expect(await textOf(location)).toBe('kept')
    })

    test('disposing twice does no harm', async () => {
      const staged = await store.stage(lease)
      await staged.commit()
      await staged[Symbol.asyncDispose]()
      await staged[Symbol.asyncDispose]()
      expect(await locationsOf(lease)).toEqual([])
    })

    test('nothing can be written or committed after the commit', async () => {
      await using staged = await store.stage(lease)
      await staged.commit()
      await expect(staged.write(new Uint8Array(1))).rejects.toThrow()
      await expect(staged.commit()).rejects.toThrow()
    })

    test('no location is used twice', async () => {
      const seen = new Set<string>()
      for (let round = 0; round < 1000; round += 1) {
        await using staged = await store.stage(lease)
        expect(staged.location.startsWith(`${lease}/`)).toBe(true)
        seen.add(staged.location)
      }
      expect(seen.size).toBe(1000)
    })

    test('what was removed is gone, and removing it again is fine', async () => {
      const one = await putText('one')
      const two = await putText('two')
      await store.remove([one])
      await expect(bytesOf(one)).rejects.toThrow()
      await store.remove([one])
      expect(await textOf(two)).toBe('two')
      await store.remove([one, two])
      expect(await locationsOf(lease)).toEqual([])
    })

    test('what never was can be removed', async () => {
      const gone = await putText('gone', 'other')
      await store.remove([gone])
      await store.forget('other')
      await store.remove([gone])
      await store.remove([])
    })

    test('a lease shows its own locations only', async () => {
      const mine = [await putText('one', 'mine'), await putText('two', 'mine')]
      const yours = [await putText('three', 'yours')]
      await store.probe()
      expect((await locationsOf('mine')).sort()).toEqual(mine.sort())
      expect(await locationsOf('yours')).toEqual(yours)
      expect(await locationsOf('nobody')).toEqual([])
      expect(await locationsOf('min')).toEqual([])
    })

    test('what was committed but not kept yet shows under its lease, so that a sweep can find it', async () => {
      await using staged = await store.stage(lease)
      await staged.write(new Uint8Array(10))
      await staged.commit()
      expect(await locationsOf(lease)).toEqual([staged.location])
    })

    test('digests are those of the bytes', async () => {
      const location = await putText('abc')
      expect(await store.digest(location, digestAlgorithms)).toEqual(digestsOfAbc)
      expect(await store.digest(location, ['sha1'])).toEqual({ sha1: digestsOfAbc.sha1 })
      const big = patterned(3_500_001, 7)
      const md5 = new Bun.CryptoHasher('md5').update(big).digest('hex')
      expect(await store.digest(await put([big]), ['md5'])).toEqual({ md5 })
    })

    test('several digests may be asked for at once', async () => {
      const locations = await Promise.all(['abc', 'x', 'abc'].map((text) => putText(text)))
      const [one, , three] = await Promise.all(locations.map((location) => store.digest(location, ['md5'])))
      expect([one, three]).toEqual([{ md5: digestsOfAbc.md5 }, { md5: digestsOfAbc.md5 }])
    })

    test('bytes that are gone have no digest', async () => {
      const location = await putText('abc')
      await store.remove([location])
      expect(await failureOf(store.digest(location, ['md5']))).toMatchObject({ code: 'storage-unavailable' })
    })

    test.each(hostile)('the location %j is refused', async (location) => {
      const good = await putText('good')
      const refused = { name: 'Problem', code: 'storage-unavailable' }
      await expect(bytesOf(good).then(() => bytesOf(location))).rejects.toMatchObject(refused)
      expect(await failureOf(store.digest(location, ['md5']))).toMatchObject(refused)
      const removed = await store.remove([good, location])
      expect(removed.failure).toMatchObject(refused)
      expect(removed.gone).toEqual([good])
      expect(await store.size(good)).toBeUndefined()
      expect(await failureOf(store.size(location))).toMatchObject(refused)
    })

    test.each(['', '.', '..', '../lease', 'a/b', '.probe', 'a\\b', 'a\0', 'lease\n'])(
      'the lease %j is refused',
      async (bad) => {
        const refused = { name: 'Problem', code: 'storage-unavailable' }
        await expect(store.stage(bad)).rejects.toMatchObject(refused)
        await expect(locationsOf(bad)).rejects.toMatchObject(refused)
        await expect(store.forget(bad)).rejects.toMatchObject(refused)
      },
    )

    test('fifty blobs staged beside each other do not mix', async () => {
      const numbers = Array.from({ length: 50 }, (_, number) => number)
      const whole = (number: number) => patterned(1000 * number, number)
      const locations = await Promise.all(
        numbers.map((number) =>
          put(
            Array.from({ length: 10 }, (_, at) => whole(number).subarray(at * 100 * number, (at + 1) * 100 * number)),
          ),
        ),
      )
      for (const [number, location] of locations.entries()) {
        expect(Buffer.compare(await bytesOf(location), whole(number))).toBe(0)
      }
      expect(new Set(await locationsOf(lease))).toEqual(new Set(locations))
    })

    test('a lease can be forgotten, even one that never was, and what is left in it stays', async () => {
      const location = await putText('left', 'ending')
      await store.forget('ending')
      expect(await textOf(location)).toBe('left')
      await store.remove([location])
      await store.forget('ending')
      await store.forget('ending')
      await store.forget('never-was')
      expect(await locationsOf('ending')).toEqual([])
      expect(await textOf(await putText('again', 'ending'))).toBe('again')
    })

    test('says how much it can store, where it can tell', async () => {
      const space = await store.space()
      if (space === undefined) return
      expect(space.free).toBeGreaterThan(0)
      expect(space.total).toBeGreaterThanOrEqual(space.free)
    })

    test('a working store answers a probe, and has nothing to tidy', async () => {
      await store.probe()
      await store.tidy()
    })
  })
}

/** `expect(…).rejects` holds this thread until the promise settles, and another thread's answer may never get in. */
function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => Promise.reject(new Error('It did not fail.')),
    (error) => error,
  )
}

function patterned(size: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(size)
  for (let at = 0; at < size; at += 1) bytes[at] = (at * 31 + seed * 17 + (at >> 8)) & 0xff
  return bytes
}
