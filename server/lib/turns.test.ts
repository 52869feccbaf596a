import { expect, test } from 'bun:test'
import { NoTurn, Turns } from './turns.ts'

const nobody = new AbortController().signal

/** Work that ends when it is told to. */
function work() {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const begun = Promise.withResolvers<void>()
  const run = () => {
    begun.resolve()
    return promise
  }
  return { run, begun: begun.promise, end: () => resolve('done'), fail: () => reject(new Error('failed')) }
}

test('so many have their turn at once, the next when one has ended, however it did', async () => {
  const turns = new Turns({ atOnce: 2, line: 2, patience: 5_000 })
  const all = [work(), work(), work(), work()] as const
  const results = all.map(({ run }) => turns.take(run, nobody))
  await Promise.all([all[0].begun, all[1].begun])
  await expect(turns.take(async () => 'never', nobody)).rejects.toThrow(NoTurn)
  all[0].fail()
  await expect(results[0]).rejects.toThrow('failed')
  await all[2].begun
  all[1].end()
  await all[3].begun
  all[2].end()
  all[3].end()
  expect(await Promise.all(results.slice(1))).toEqual(['done', 'done', 'done'])
  expect(await turns.take(async () => 'free again', nobody)).toBe('free again')
})

test('who waits too long, or has gone, leaves his place to others', async () => {
  const turns = new Turns({ atOnce: 1, line: 1, patience: 20 })
  const one = work()
  const first = turns.take(one.run, nobody)
  await expect(turns.take(async () => 'late', nobody)).rejects.toThrow(NoTurn)
  const gone = new AbortController()
  const second = turns.take(async () => 'gone', gone.signal)
  gone.abort()
  await expect(second).rejects.toThrow(NoTurn)
  await expect(turns.take(async () => 'gone before', gone.signal)).rejects.toThrow(NoTurn)
  const third = turns.take(async () => 'third', nobody)
  one.end()
  expect(await first).toBe('done')
  expect(await third).toBe('third')
})
