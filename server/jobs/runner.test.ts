import { describe, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { askForJob, finishJob, type Job } from '../catalogue/jobs.ts'
import { migrateSqlite, openSqlite } from '../catalogue/sqlite.ts'
import { transaction } from '../catalogue/transaction.ts'
import { runDueJobs, type Work } from './runner.ts'

const ask = transaction('ask', (tx, args: { kind: string; subject: string; now: number }) =>
  askForJob(tx, args.kind, args.subject, args.now),
)
const finish = transaction('finish', (tx, id: number) => finishJob(tx, id))

/** A queue of its own, with a clock that stands still until it is moved. */
async function startQueue() {
  const folder = await mkdtemp(join(tmpdir(), 'stowage-jobs-'))
  const file = join(folder, 'stowage.db')
  await migrateSqlite(file)
  const catalogue = openSqlite(file)
  const clock = { now: 1_000_000 }
  const failures: { subject: string; attempts: number; error: unknown }[] = []
  return {
    catalogue,
    clock,
    failures,
    ask: (subject: string, kind = 'count') => catalogue.transact(ask, { kind, subject, now: clock.now }),
    finish: (job: Job) => catalogue.transact(finish, job.id),
    run: (work: Work, signal?: AbortSignal) =>
      runDueJobs(catalogue, 'count', work, {
        now: () => clock.now,
        ...(signal ? { signal } : {}),
        failed: ({ subject, attempts }, error) => failures.push({ subject, attempts, error }),
      }),
    rows: () => catalogue.read.selectFrom('jobs').selectAll().orderBy('id').execute(),
    [Symbol.asyncDispose]: async () => {
      await catalogue.close()
      await rm(folder, { recursive: true })
    },
  }
}

describe('jobs', () => {
  test('are all done, also more than are looked up at once', async () => {
    await using queue = await startQueue()
    for (let index = 0; index < 120; index++) await queue.ask(`subject ${index}`)
    const done: string[] = []
    const work: Work = async (job) => {
      done.push(job.subject)
      await queue.finish(job)
    }
    expect(await queue.run(work)).toBe(120)
    expect(new Set(done).size).toBe(120)
    expect(await queue.rows()).toEqual([])
    expect(await queue.run(work)).toBe(0)
  })

  test('asked for twice are one', async () => {
    await using queue = await startQueue()
    await queue.ask('same')
    await queue.ask('same')
    expect(await queue.run(queue.finish)).toBe(1)
  })

  test('of another kind are left alone', async () => {
    await using queue = await startQueue()
    await queue.ask('other', 'paint')
    expect(await queue.run(queue.finish)).toBe(0)
    expect(await queue.rows()).toHaveLength(1)
  })

  test('that were done but not struck off are done again, and that is fine', async () => {
    await using queue = await startQueue()
    await queue.ask('twice')
    const counted = new Map<string, number>()
    let crash = true
    const work: Work = async (job) => {
      counted.set(job.subject, (counted.get(job.subject) ?? 0) + 1)
      if (crash) throw new Error('the power went away before the row did')
      await queue.finish(job)
      await queue.finish(job)
    }
    await queue.run(work)
    crash = false
    queue.clock.now += 60_000
    expect(await queue.run(work)).toBe(1)
    expect(counted.get('twice')).toBe(2)
    expect(await queue.rows()).toEqual([])
  })
})

describe('a job that fails', () => {
  test('is postponed, told of, and holds no other up', async () => {
    await using queue = await startQueue()
    for (const subject of ['one', 'bad', 'three']) await queue.ask(subject)
    const work: Work = async (job) => {
      if (job.subject === 'bad') throw new Error('no such disk')
      await queue.finish(job)
    }
    expect(await queue.run(work)).toBe(2)
    expect(queue.failures).toEqual([{ subject: 'bad', attempts: 0, error: new Error('no such disk') }])
    expect(await queue.rows()).toMatchObject([
      { subject: 'bad', attempts: 1, last_error: 'Error: no such disk', due_at: queue.clock.now + 5_000 },
    ])
  })

  test('is not tried before its time', async () => {
    await using queue = await startQueue()
    await queue.ask('bad')
    let tried = 0
    const work: Work = async () => {
      tried += 1
      throw new Error('again')
    }
    await queue.run(work)
    queue.clock.now += 4_999
    await queue.run(work)
    expect(tried).toBe(1)
    queue.clock.now += 1
    await queue.run(work)
    expect(tried).toBe(2)
  })

  test('waits twice as long each time, and an hour at most', async () => {
    await using queue = await startQueue()
    await queue.ask('bad')
    const waits: number[] = []
    for (let attempt = 0; attempt < 30; attempt++) {
      await queue.run(() => Promise.reject(new Error('again')))
      const [row] = await queue.rows()
      waits.push((row?.due_at ?? 0) - queue.clock.now)
      queue.clock.now = row?.due_at ?? 0
    }
    expect(waits.slice(0, 4)).toEqual([5_000, 10_000, 20_000, 40_000])
    expect(Math.max(...waits)).toBe(3_600_000)
    expect(waits.at(-1)).toBe(3_600_000)
    expect(waits).toEqual([...waits].sort((a, b) => a - b))
  })

  test('that threw no error is postponed too', async () => {
    await using queue = await startQueue()
    await queue.ask('bad')
    await queue.run(() => Promise.reject('a text'))
    expect(await queue.rows()).toMatchObject([{ attempts: 1, last_error: 'a text' }])
  })
})

describe('a server that stops', () => {
  test('begins no other job', async () => {
    await using queue = await startQueue()
    for (const subject of ['one', 'two', 'three']) await queue.ask(subject)
    const stop = new AbortController()
    const work: Work = async (job) => {
      await queue.finish(job)
      stop.abort()
    }
    expect(await queue.run(work, stop.signal)).toBe(1)
    expect(await queue.rows()).toHaveLength(2)
  })

  test('does not count what it cut off as a failure', async () => {
    await using queue = await startQueue()
    await queue.ask('one')
    const stop = new AbortController()
    const work: Work = async () => {
      stop.abort()
      throw stop.signal.reason
    }
    expect(await queue.run(work, stop.signal)).toBe(0)
    expect(queue.failures).toEqual([])
    expect(await queue.rows()).toMatchObject([{ attempts: 0, due_at: queue.clock.now }])
  })
})
