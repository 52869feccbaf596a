import { expect, test } from 'bun:test'
import type { Location } from '../blobs/blob-store.ts'
import { memoryBlobStore } from '../blobs/memory.ts'
import { watchedBlobs } from './watched.ts'

const location = 'lease/blob' as Location

/** A store that streams, as one behind a network does, and what is told of it. */
function streaming(pull: (controller: ReadableStreamDefaultController<Uint8Array>) => Promise<void> | void) {
  const told: string[] = []
  const body = () => new ReadableStream<Uint8Array>({ pull }, { highWaterMark: 0 })
  const store = Object.assign(memoryBlobStore(), { body })
  const watched = watchedBlobs(store, (operation, error) => told.push(`${operation}: ${(error as Error).message}`))
  return { told, stream: watched.body(location) as ReadableStream<Uint8Array> }
}

test('a stream that fails is told once', async () => {
  let pulls = 0
  const { told, stream } = streaming((controller) => {
    pulls += 1
    if (pulls === 2) throw new Error('away')
    controller.enqueue(new Uint8Array(5))
  })
  const reader = stream.getReader()
  expect((await reader.read()).value).toHaveLength(5)
  expect(told).toEqual([])
  await expect(reader.read()).rejects.toThrow('away')
  await expect(reader.read()).rejects.toThrow('away')
  expect(told).toEqual(['read: away'])
})

test('a stream that nobody reads any more has not failed', async () => {
  const pulled = Promise.withResolvers<void>()
  const broken = Promise.withResolvers<void>()
  const { told, stream } = streaming(() => {
    pulled.resolve()
    return broken.promise
  })
  const reader = stream.getReader()
  const read = reader.read()
  await pulled.promise
  await reader.cancel()
  broken.reject(new Error('broken off'))
  expect((await read).done).toBe(true)
  expect(told).toEqual([])
})

test('a stream that is read to its end is the same', async () => {
  const pieces = ['one', 'two']
  const { told, stream } = streaming((controller) => {
    const next = pieces.shift()
    if (next === undefined) controller.close()
    else controller.enqueue(Buffer.from(next))
  })
  expect(await new Response(stream).text()).toBe('onetwo')
  expect(told).toEqual([])
})
