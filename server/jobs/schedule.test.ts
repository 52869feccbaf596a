import { afterEach, describe, expect, jest, test } from 'bun:test'
import { Schedule, type Task } from './schedule.ts'

/** A task whose every run ends when the test says so. */
function heldTask(every = 1_000) {
  const runs: { end: () => void; fail: (error: unknown) => void; signal: AbortSignal }[] = []
  let [now, most] = [0, 0]
  const task: Task = {
    name: 'held',
    every,
    run: async (signal) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      runs.push({ end: resolve, fail: reject, signal })
      now += 1
      most = Math.max(most, now)
      try {
        await promise
      } finally {
        now -= 1
      }
    },
  }
  return { task, runs, mostAtOnce: () => most }
}

/** Lets everything that is ready run; no clock moves. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve()
}

const unexpected = (_: Task, error: unknown) => {
  throw error
}

afterEach(() => {
  jest.useRealTimers()
})

describe('a task', () => {
  test('is told at once that it was woken, where it runs and wants to know', () => {
    const { task, runs } = heldTask()
    let nudges = 0
    const schedule = new Schedule([{ ...task, nudge: () => (nudges += 1) }], unexpected)
    schedule.start()
    expect(nudges).toBe(0)
    schedule.wake('held')
    expect({ nudges, runs: runs.length }).toEqual({ nudges: 1, runs: 1 })
  })

  test('runs at the start', () => {
    const { task, runs } = heldTask()
    const schedule = new Schedule([task], unexpected)
    expect(runs).toHaveLength(0)
    schedule.start()
    expect(runs).toHaveLength(1)
  })

  test('runs again when its time has passed since its end', async () => {
    jest.useFakeTimers()
    const { task, runs } = heldTask(1_000)
    const schedule = new Schedule([task], unexpected)
    schedule.start()
    jest.advanceTimersByTime(5_000)
    await settle()
    expect(runs).toHaveLength(1)
    runs[0]?.end()
    await settle()
    jest.advanceTimersByTime(999)
    expect(runs).toHaveLength(1)
    jest.advanceTimersByTime(1)
    expect(runs).toHaveLength(2)
  })

  test('is never run twice at once', async () => {
    const { task, runs, mostAtOnce } = heldTask()
    const schedule = new Schedule([task], unexpected)
    schedule.start()
    for (let round = 0; round < 5; round++) {
      schedule.wake('held')
      schedule.wake('held')
      runs.at(-1)?.end()
      await settle()
    }
    expect(mostAtOnce()).toBe(1)
  })

  test('that is woken while it runs, runs once more', async () => {
    jest.useFakeTimers()
    const { task, runs } = heldTask()
    const schedule = new Schedule([task], unexpected)
    schedule.start()
    for (let call = 0; call < 10; call++) schedule.wake('held')
    expect(runs).toHaveLength(1)
    runs[0]?.end()
    await settle()
    expect(runs).toHaveLength(2)
    runs[1]?.end()
    await settle()
    expect(runs).toHaveLength(2)
  })

  test('that is woken while it waits, runs at once, and its clock begins anew', async () => {
    jest.useFakeTimers()
    const { task, runs } = heldTask(1_000)
    const schedule = new Schedule([task], unexpected)
    schedule.start()
    runs[0]?.end()
    await settle()
    jest.advanceTimersByTime(900)
    schedule.wake('held')
    expect(runs).toHaveLength(2)
    runs[1]?.end()
    await settle()
    jest.advanceTimersByTime(999)
    expect(runs).toHaveLength(2)
    jest.advanceTimersByTime(1)
    expect(runs).toHaveLength(3)
  })

  test('that fails is told of, and runs again', async () => {
    jest.useFakeTimers()
    const { task, runs } = heldTask(1_000)
    const failures: unknown[] = []
    const schedule = new Schedule([task], (failed, error) => failures.push([failed.name, error]))
    schedule.start()
    runs[0]?.fail('no such disk')
    await settle()
    expect(failures).toEqual([['held', 'no such disk']])
    jest.advanceTimersByTime(1_000)
    expect(runs).toHaveLength(2)
  })

  test('does not wait for another', () => {
    const [one, two] = [heldTask(), heldTask()]
    const schedule = new Schedule([one.task, { ...two.task, name: 'other' }], unexpected)
    schedule.start()
    expect([one.runs.length, two.runs.length]).toEqual([1, 1])
  })

  test('that nobody knows is not woken', () => {
    expect(() => new Schedule([], unexpected).wake('held')).not.toThrow()
  })
})

describe('stopping', () => {
  test('waits for what runs, and tells it', async () => {
    const { task, runs } = heldTask()
    const schedule = new Schedule([task], unexpected)
    schedule.start()
    let stopped = false
    const stopping = schedule.stop().then(() => {
      stopped = true
    })
    expect(runs[0]?.signal.aborted).toBe(true)
    await settle()
    expect(stopped).toBe(false)
    runs[0]?.end()
    await stopping
    expect(stopped).toBe(true)
  })

  test('begins nothing any more', async () => {
    jest.useFakeTimers()
    const { task, runs } = heldTask(1_000)
    const schedule = new Schedule([task], unexpected)
    schedule.start()
    schedule.wake('held')
    const stopping = schedule.stop()
    runs[0]?.end()
    await stopping
    schedule.wake('held')
    await settle()
    jest.advanceTimersByTime(10_000)
    expect(runs).toHaveLength(1)
  })

  test('ends the clock of what waits', async () => {
    jest.useFakeTimers()
    const { task, runs } = heldTask(1_000)
    const schedule = new Schedule([task], unexpected)
    schedule.start()
    runs[0]?.end()
    await settle()
    await schedule.stop()
    jest.advanceTimersByTime(10_000)
    expect(runs).toHaveLength(1)
  })

  test('makes no failure of a task that ends by it', async () => {
    const { task, runs } = heldTask()
    const schedule = new Schedule([task], unexpected)
    schedule.start()
    const stopping = schedule.stop()
    runs[0]?.fail(new Error('aborted'))
    await stopping
  })

  test('is possible before anything began', async () => {
    await new Schedule([heldTask().task], unexpected).stop()
  })
})
