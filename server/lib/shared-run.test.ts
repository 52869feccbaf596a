import { expect, test } from 'bun:test'
import { SharedRun } from './shared-run.ts'

/** Runs that end when they are told to. */
function runs() {
  const begun: PromiseWithResolvers<number>[] = []
  const work = () => {
    const run = Promise.withResolvers<number>()
    begun.push(run)
    return run.promise
  }
  return { begun, work }
}

test('who asks while it runs waits for the next run, together with all others who do', async () => {
  const { begun, work } = runs()
  const shared = new SharedRun<number>()
  const first = shared.ask(work)
  const others = [shared.ask(work), shared.ask(work)]
  expect(begun).toHaveLength(1)
  begun[0]?.resolve(1)
  expect(await first).toBe(1)
  await Bun.sleep(0)
  expect(begun).toHaveLength(2)
  begun[1]?.resolve(2)
  expect(await Promise.all(others)).toEqual([2, 2])
  const last = shared.ask(work)
  begun[2]?.resolve(3)
  expect(await last).toBe(3)
})

test('a run that fails is told to those whose it was, and the next one begins', async () => {
  const { begun, work } = runs()
  const shared = new SharedRun<number>()
  const first = shared.ask(work)
  const second = shared.ask(work)
  begun[0]?.reject(new Error('away'))
  await expect(first).rejects.toThrow('away')
  await Bun.sleep(0)
  begun[1]?.resolve(2)
  expect(await second).toBe(2)
})
