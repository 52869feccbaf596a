import { expect, test } from 'bun:test'
import { requestBytes, wholeBody } from './request-body.ts'

const post = (chunks: Uint8Array<ArrayBuffer>[]) =>
  new Request('http://stowage/', {
    method: 'POST',
    body: new ReadableStream({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(chunk)
        controller.close()
      },
    }),
  })

test('a chunk takes no memory once the next one is pulled, unless it shares its buffer', async () => {
  const shared = new Uint8Array(20).fill(3)
  const chunks = [new Uint8Array(10).fill(1), shared.subarray(0, 10), shared.subarray(10)]
  const seen: number[] = []
  for await (const chunk of requestBytes(post(chunks))) seen.push(chunk.byteLength, chunk[0] as number)
  expect(seen).toEqual([10, 1, 10, 3, 10, 3])
  expect(chunks.map((chunk) => chunk.byteLength)).toEqual([0, 10, 10])
})

test('a body that is read as a whole keeps all its chunks', async () => {
  const body = await wholeBody(post([new Uint8Array([1, 2]), new Uint8Array([3])]), 10, 'too large')
  expect([...body]).toEqual([1, 2, 3])
})
