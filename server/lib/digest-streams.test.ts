import { expect, test } from 'bun:test'
import { DigestStreams } from './digest-streams.ts'
import { type DigestAlgorithm, digestAlgorithms, RunningDigests } from './digests.ts'

function digestsOf(...chunks: Uint8Array[]) {
  const running = new RunningDigests(digestAlgorithms)
  for (const chunk of chunks) running.update(chunk)
  return running.finish()
}

test('streams beside each other do not mix, and their chunks may be used again', async () => {
  const threads = new DigestStreams()
  const found = await Promise.all(
    [1, 2, 3].map(async (number) => {
      using running = threads.open(digestAlgorithms)
      const chunk = new Uint8Array(700_000)
      for (let round = 0; round < 5; round += 1) await running.update(chunk.fill(number + round))
      return await running.finish()
    }),
  )
  const filled = (value: number) => new Uint8Array(700_000).fill(value)
  const expected = [1, 2, 3].map((number) => digestsOf(...[0, 1, 2, 3, 4].map((round) => filled(number + round))))
  expect(found).toEqual(expected)
  threads.close()
})

test('a stretch of a larger buffer is what counts', async () => {
  const threads = new DigestStreams()
  using running = threads.open(['md5'])
  const buffer = Buffer.from('xabcx')
  await running.update(buffer.subarray(1, 4))
  expect(buffer.toString()).toBe('xabcx')
  expect(await running.finish()).toEqual({ md5: '900150983cd24fb0d6963f7d28e17f72' })
  threads.close()
})

test('one that is given up leaves the others alone', async () => {
  const threads = new DigestStreams()
  {
    using given = threads.open(['sha512'])
    await given.update(new Uint8Array(10))
  }
  using running = threads.open(['sha512'])
  await running.update(Buffer.from('abc'))
  expect(await running.finish()).toEqual({ sha512: digestsOf(Buffer.from('abc')).sha512 as string })
  threads.close()
})

test('a stream waits while all together are far behind, though it is not itself', async () => {
  const threads = new DigestStreams()
  using large = threads.open(['sha512'])
  using small = threads.open(['sha512'])
  const taken: string[] = []
  await Promise.all([
    large.update(new Uint8Array(9 * 1024 * 1024)).then(() => taken.push('large')),
    small.update(new Uint8Array(1)).then(() => taken.push('small')),
  ])
  expect(taken).toEqual(['large', 'small'])
  threads.close()
})

test('what a stream that was given up left does not count for ever', async () => {
  const threads = new DigestStreams()
  {
    using given = threads.open(['sha512'])
    given.update(new Uint8Array(9 * 1024 * 1024))
  }
  using running = threads.open(['sha512'])
  await running.update(new Uint8Array(1))
  const taken: string[] = []
  const later = async () => {
    // The thread's answer would take longer than this.
    for (let turn = 0; turn < 10; turn += 1) await undefined
    taken.push('later')
  }
  await Promise.all([running.update(new Uint8Array(1)).then(() => taken.push('taken')), later()])
  expect(taken).toEqual(['taken', 'later'])
  threads.close()
})

test('a thread that dies fails those that it had, and another one takes its place', async () => {
  const threads = new DigestStreams()
  using running = threads.open(['sha512'])
  await running.update(new Uint8Array(10))
  using other = threads.open(['md5'])
  await other.update(new Uint8Array(10))
  using wrong = threads.open(['none' as DigestAlgorithm])
  expect(await wrong.finish().catch((error) => error)).toMatchObject({ code: 'ECANCELED' })
  expect(await other.update(new Uint8Array(10)).catch((error) => error)).toMatchObject({ code: 'ECANCELED' })
  expect(await other.finish().catch((error) => error)).toMatchObject({ code: 'ECANCELED' })
  expect(Object.keys(await running.finish())).toEqual(['sha512'])
  using next = threads.open(['md5'])
  await next.update(Buffer.from('abc'))
  expect(await next.finish()).toEqual({ md5: '900150983cd24fb0d6963f7d28e17f72' })
  threads.close()
})

test('closing fails what runs and what comes later', async () => {
  const threads = new DigestStreams()
  using running = threads.open(['md5'])
  const finished = running.finish().catch((error) => error)
  threads.close()
  expect(await finished).toMatchObject({ code: 'ECANCELED' })
  expect(() => threads.open(['md5'])).toThrow('closed')
})
