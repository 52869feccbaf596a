import { expect, test } from 'bun:test'
import { FolderSync } from './folder-sync.ts'

/** An fsync that ends when the test says so. */
function heldSync() {
  const runs: { resolve(): void; reject(error: Error): void }[] = []
  const sync = new FolderSync(() => {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    runs.push({ resolve, reject })
    return promise
  })
  return { sync, runs }
}

/** Lets everything that is due happen. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve()
}

test('the first to come starts at once', () => {
  const { sync, runs } = heldSync()
  sync.join()
  expect(runs).toHaveLength(1)
})

test('who comes while one is running shares the next, never the running one', async () => {
  const { sync, runs } = heldSync()
  const done: string[] = []
  const first = sync.join().then(() => done.push('first'))
  const others = ['second', 'third'].map((name) => sync.join().then(() => done.push(name)))
  expect(runs).toHaveLength(1)
  runs[0]?.resolve()
  await first
  await settled()
  expect(done).toEqual(['first'])
  expect(runs).toHaveLength(2)
  const late = sync.join()
  runs[1]?.resolve()
  await Promise.all(others)
  await settled()
  expect(done).toEqual(['first', 'second', 'third'])
  expect(runs).toHaveLength(3)
  runs[2]?.resolve()
  await late
})

test('it starts afresh when all is quiet', async () => {
  const { sync, runs } = heldSync()
  for (const round of [0, 1, 2]) {
    const joined = sync.join()
    runs[round]?.resolve()
    await joined
  }
  expect(runs).toHaveLength(3)
})

test('a failure is for all who shared it, who waited behind it and who come later, and nothing is tried again', async () => {
  const { sync, runs } = heldSync()
  const outcomes = Promise.allSettled([sync.join(), sync.join(), sync.join()])
  const failure = new Error('the disk is broken')
  runs[0]?.reject(failure)
  for (const outcome of await outcomes) expect(outcome).toEqual({ status: 'rejected', reason: failure })
  await expect(sync.join()).rejects.toBe(failure)
  await settled()
  expect(runs).toHaveLength(1)
})

test('those who share one that fails all fail', async () => {
  const { sync, runs } = heldSync()
  const first = sync.join()
  const sharers = Promise.allSettled([sync.join(), sync.join()])
  runs[0]?.resolve()
  await first
  await settled()
  const failure = new Error('the disk is broken')
  runs[1]?.reject(failure)
  for (const outcome of await sharers) expect(outcome).toEqual({ status: 'rejected', reason: failure })
})
