import { describe, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freshDatabase, onPostgres } from '../../test/support/database.ts'
import { sharedPostgres } from '../../test/support/postgres.ts'
import { until } from '../../test/support/until.ts'
import { askForJob, deleteGivenUp, finishJob, type Job, releaseClaims, retryJob } from '../catalogue/jobs.ts'
import { openPostgres } from '../catalogue/postgres.ts'
import { migrateSqlite, openSqlite } from '../catalogue/sqlite.ts'
import { type Catalogue, transaction } from '../catalogue/transaction.ts'
import { type JobKind, JobRunner } from './runner.ts'

/** A fresh catalogue; it is removed when it is closed. */
async function openCatalogue(): Promise<Catalogue> {
  if (onPostgres) {
    const url = await freshDatabase()
    const catalogue = openPostgres({ url, connections: 8 })
    return {
      ...catalogue,
      close: async () => catalogue.close().then(async () => (await sharedPostgres()).dropDatabase(url)),
    }
  }
  const folder = await mkdtemp(join(tmpdir(), 'stowage-jobs-'))
  const file = join(folder, 'stowage.db')
  await migrateSqlite(file, '0.1.0')
  const catalogue = openSqlite(file)
  return { ...catalogue, close: async () => catalogue.close().then(() => rm(folder, { recursive: true })) }
}

const ask = transaction('ask', (tx, args: { kind: string; subject: string; now: number }) =>
  askForJob(tx, args.kind, args.subject, args.now),
)
const finish = transaction('finish', (tx, job: Job) => finishJob(tx, job))
const retry = transaction('retry', (tx, args: { id: number; now: number }) => retryJob(tx, args.id, args.now))
const drop = transaction('drop', (tx, id: number) => deleteGivenUp(tx, id))
const begin = transaction('begin', async (tx, id: string) => {
  await tx.insertInto('leases').values({ id, kind: 'process', expires_at: 0, dead_since: null }).execute()
})
const declareDead = transaction('declare dead', async (tx, id: string) => {
  await tx.updateTable('leases').set({ dead_since: 1 }).where('id', '=', id).execute()
  await releaseClaims(tx, [id])
})

const releaseAll = transaction('release all', (tx, id: string) => releaseClaims(tx, [id]))

type Run = JobKind['run']
interface Failure {
  subject: string
  attempts: number
  error: unknown
  isLast: boolean
}

/** Something that a test lets happen when it wants to. */
function gate() {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { opened: promise, open: resolve }
}

/** A queue of its own, with a clock that stands still until it is moved. */
async function startQueue() {
  const catalogue = await openCatalogue()
  const clock = { now: 1_000_000 }
  const failures: Failure[] = []
  /** A process with its own lease. */
  const node = async (leaseId: string, as: Catalogue = catalogue) => {
    await catalogue.transact(begin, leaseId)
    const runner = (fields: Omit<JobKind, 'kind'>) =>
      new JobRunner({
        catalogue: as,
        leaseId: () => leaseId,
        now: () => clock.now,
        kinds: [{ kind: 'count', ...fields }],
        failed: ({ subject, attempts }, error, isLast) => failures.push({ subject, attempts, error, isLast }),
      })
    return {
      runner,
      run: (run: Run, { signal, ...fields }: Partial<JobKind> & { signal?: AbortSignal } = {}) =>
        runner({ ...fields, run }).runDue('count', signal),
      ensureRecurring: () => runner({ every: 60_000, run: async () => {} }).ensureRecurring(),
      die: () => catalogue.transact(declareDead, leaseId),
    }
  }
  const first = await node('first')
  return {
    ...first,
    catalogue,
    clock,
    failures,
    node,
    ask: (subject: string, kind = 'count') => catalogue.transact(ask, { kind, subject, now: clock.now }),
    finish: (job: Job) => catalogue.transact(finish, job),
    release: () => catalogue.transact(releaseAll, 'first'),
    retry: (id: number) => catalogue.transact(retry, { id, now: clock.now }),
    drop: (id: number) => catalogue.transact(drop, id),
    rows: () => catalogue.read.selectFrom('jobs').selectAll().orderBy('id').execute(),
    [Symbol.asyncDispose]: () => catalogue.close(),
  }
}

const fail: Run = () => Promise.reject(new Error('no such disk'))

describe('jobs', () => {
  test('are all done, also more than are claimed at once', async () => {
    await using queue = await startQueue()
    for (let index = 0; index < 120; index++) await queue.ask(`subject ${index}`)
    const done: string[] = []
    const work: Run = async (job) => {
      done.push(job.subject)
      await queue.finish(job)
    }
    expect(await queue.run(work)).toBe(120)
    expect(new Set(done).size).toBe(120)
    expect(await queue.rows()).toEqual([])
    expect(await queue.run(work)).toBe(0)
  })

  test('are done in the order in which they are due', async () => {
    await using queue = await startQueue()
    await queue.ask('late')
    queue.clock.now -= 1
    for (const subject of ['one', 'two']) await queue.ask(subject)
    queue.clock.now += 1
    const done: string[] = []
    await queue.run(async (job) => {
      done.push(job.subject)
      await queue.finish(job)
    })
    expect(done).toEqual(['one', 'two', 'late'])
  })

  test('asked for twice are one', async () => {
    await using queue = await startQueue()
    await queue.ask('same')
    await queue.ask('same')
    expect(await queue.rows()).toMatchObject([{ subject: 'same', asks: 2, due_at: queue.clock.now }])
    expect(await queue.run(queue.finish)).toBe(1)
    expect(await queue.rows()).toEqual([])
  })

  test('asked for again while they run, run again', async () => {
    await using queue = await startQueue()
    await queue.ask('same')
    let runs = 0
    const work: Run = async (job) => {
      runs += 1
      if (runs === 1) await queue.ask('same')
      await queue.finish(job)
    }
    expect(await queue.run(work)).toBe(2)
    expect(await queue.rows()).toEqual([])
  })

  test('of another kind are left alone', async () => {
    await using queue = await startQueue()
    await queue.ask('other', 'paint')
    expect(await queue.run(queue.finish)).toBe(0)
    expect(await queue.rows()).toMatchObject([{ kind: 'paint', claimed_by: null }])
  })

  test('that were done but not struck off are done again, and that is fine', async () => {
    await using queue = await startQueue()
    await queue.ask('twice')
    let runs = 0
    const work: Run = async (job) => {
      runs += 1
      if (runs === 1) throw new Error('the power went away before the row did')
      await queue.finish(job)
      await queue.finish(job)
    }
    await queue.run(work)
    queue.clock.now += 60_000
    expect(await queue.run(work)).toBe(1)
    expect(await queue.rows()).toEqual([])
  })

  test('cost no transaction while none is due', async () => {
    await using queue = await startQueue()
    const transact = () => Promise.reject(new Error('a transaction'))
    const idle = await queue.node('idle', { ...queue.catalogue, transact })
    expect(await idle.run(queue.finish)).toBe(0)
    queue.clock.now += 1
    await queue.ask('later')
    queue.clock.now -= 1
    expect(await idle.run(queue.finish)).toBe(0)
  })
})

describe('a kind of which several are done at once', () => {
  test('has so many in hand and no more, each of them once', async () => {
    await using queue = await startQueue()
    for (let index = 0; index < 30; index++) await queue.ask(`subject ${index}`)
    const busy = new Set<string>()
    let most = 0
    const done: string[] = []
    const work: Run = async (job) => {
      expect(busy.has(job.subject)).toBe(false)
      busy.add(job.subject)
      most = Math.max(most, busy.size)
      // Asked for while it is in hand: it is done again, afterwards.
      if (!done.includes(job.subject)) await queue.ask(job.subject)
      await queue.rows()
      busy.delete(job.subject)
      done.push(job.subject)
      await queue.finish(job)
    }
    await queue.run(work, { atOnce: 4 })
    expect(queue.failures).toEqual([])
    expect(most).toBe(4)
    expect(done).toHaveLength(60)
    expect(new Set(done).size).toBe(30)
    expect(await queue.rows()).toEqual([])
  })

  test('lets no job wait for another one, also where it comes later', async () => {
    await using queue = await startQueue()
    await queue.ask('slow')
    const [begun, over] = [gate(), gate()]
    const done: string[] = []
    const runner = queue.runner({
      atOnce: 2,
      run: async (job) => {
        if (job.subject === 'slow') {
          begun.open()
          await over.opened
        }
        done.push(job.subject)
        await queue.finish(job)
      },
    })
    const run = runner.runDue('count')
    await begun.opened
    await queue.ask('quick')
    runner.nudge('count')
    await until(() => done.includes('quick'), 'the quick one is done')
    expect(done).toEqual(['quick'])
    over.open()
    expect(await run).toBe(2)
    expect(await queue.rows()).toEqual([])
  })

  test('claims nothing twice where its lease died and it has another one', async () => {
    await using queue = await startQueue()
    await queue.ask('slow')
    const [begun, over] = [gate(), gate()]
    let runs = 0
    const runner = queue.runner({
      atOnce: 2,
      run: async (job) => {
        runs += 1
        begun.open()
        await over.opened
        await queue.finish(job)
      },
    })
    const run = runner.runDue('count')
    await begun.opened
    await queue.release()
    await queue.ask('other')
    runner.nudge('count')
    await until(() => runs === 2, 'the other one is begun')
    expect((await queue.rows()).map(({ subject, claimed_by }) => [subject, claimed_by])).toEqual([
      ['slow', null],
      ['other', 'first'],
    ])
    over.open()
    await run
  })

  test('gives back what is cut off, and tells of failures one by one', async () => {
    await using queue = await startQueue()
    for (const subject of ['one', 'two', 'bad']) await queue.ask(subject)
    const stop = new AbortController()
    const work: Run = async (job, signal) => {
      if (job.subject === 'bad') throw new Error('no such disk')
      await until(() => queue.failures.length > 0, 'the bad one has failed')
      stop.abort()
      throw signal.reason
    }
    expect(await queue.run(work, { atOnce: 3, signal: stop.signal })).toBe(0)
    expect(queue.failures.map(({ subject }) => subject)).toEqual(['bad'])
    expect((await queue.rows()).map(({ subject, attempts, claimed_by }) => [subject, attempts, claimed_by])).toEqual([
      ['one', 0, null],
      ['two', 0, null],
      ['bad', 1, null],
    ])
  })
})

describe('a job that fails', () => {
  test('is postponed, told of, and holds no other up', async () => {
    await using queue = await startQueue()
    for (const subject of ['one', 'bad', 'three']) await queue.ask(subject)
    const work: Run = (job, signal) => (job.subject === 'bad' ? fail(job, signal) : queue.finish(job))
    expect(await queue.run(work)).toBe(2)
    expect(queue.failures).toEqual([{ subject: 'bad', attempts: 0, error: new Error('no such disk'), isLast: false }])
    expect(await queue.rows()).toMatchObject([
      {
        subject: 'bad',
        attempts: 1,
        last_error: 'Error: no such disk',
        due_at: queue.clock.now + 5_000,
        claimed_by: null,
        given_up_at: null,
      },
    ])
  })

  test('is not tried before its time', async () => {
    await using queue = await startQueue()
    await queue.ask('bad')
    await queue.run(fail)
    queue.clock.now += 4_999
    await queue.ask('bad')
    await queue.run(fail)
    expect(queue.failures).toHaveLength(1)
    queue.clock.now += 1
    await queue.run(fail)
    expect(queue.failures).toHaveLength(2)
  })

  test('waits twice as long each time, and an hour at most', async () => {
    await using queue = await startQueue()
    await queue.ask('bad')
    const waits: number[] = []
    for (let attempt = 0; attempt < 30; attempt++) {
      await queue.run(fail, { attempts: 100 })
      const [row] = await queue.rows()
      waits.push((row?.due_at ?? 0) - queue.clock.now)
      queue.clock.now = row?.due_at ?? 0
    }
    expect(waits.slice(0, 4)).toEqual([5_000, 10_000, 20_000, 40_000])
    expect(Math.max(...waits)).toBe(3_600_000)
    expect(waits.at(-1)).toBe(3_600_000)
    expect(waits).toEqual([...waits].sort((a, b) => a - b))
  })

  test('keeps the beginning of what it threw, in a form that every database takes', async () => {
    await using queue = await startQueue()
    const thrown: [unknown, string][] = [
      ['a text', 'a text'],
      ['a\0b', 'ab'],
      [undefined, 'undefined'],
      ['x'.repeat(5_000), 'x'.repeat(1_000)],
      [`${'x'.repeat(999)}😀`, `${'x'.repeat(999)}\uFFFD`],
    ]
    for (const [error] of thrown) {
      await queue.ask(`${String(error).length}`)
      await queue.run(() => Promise.reject(error))
    }
    expect((await queue.rows()).map((row) => row.last_error)).toEqual(thrown.map(([, kept]) => kept))
  })

  test('too often is given up, and told of as that', async () => {
    await using queue = await startQueue()
    await queue.ask('bad')
    for (let attempt = 0; attempt < 20; attempt++) {
      await queue.run(fail, { attempts: 3 })
      queue.clock.now += 3_600_000
    }
    expect(queue.failures.map(({ isLast }) => isLast)).toEqual([false, false, true])
    expect(await queue.rows()).toMatchObject([
      { attempts: 3, given_up_at: 1_000_000 + 2 * 3_600_000, last_error: 'Error: no such disk', claimed_by: null },
    ])
  })

  test('is tried twelve times where its kind says nothing', async () => {
    await using queue = await startQueue()
    await queue.ask('bad')
    for (let attempt = 0; attempt < 20; attempt++) {
      await queue.run(fail)
      queue.clock.now += 3_600_000
    }
    expect(queue.failures).toHaveLength(12)
  })
})

describe('a job that was given up', () => {
  async function startGivenUp() {
    const queue = await startQueue()
    await queue.ask('bad')
    await queue.run(fail, { attempts: 1 })
    const [row] = await queue.rows()
    if (row?.given_up_at === null || row === undefined) throw new Error('the job was not given up')
    queue.clock.now += 24 * 3_600_000
    return { ...queue, id: row.id }
  }

  test('begins anew when it is asked for again', async () => {
    await using queue = await startGivenUp()
    expect(await queue.run(queue.finish)).toBe(0)
    await queue.ask('bad')
    expect(await queue.rows()).toMatchObject([{ attempts: 0, given_up_at: null, due_at: queue.clock.now }])
    expect(await queue.run(queue.finish)).toBe(1)
    expect(await queue.rows()).toEqual([])
  })

  test('begins anew when an administrator says so', async () => {
    await using queue = await startGivenUp()
    await queue.retry(queue.id)
    expect(await queue.rows()).toMatchObject([{ attempts: 0, given_up_at: null, due_at: queue.clock.now }])
    expect(await queue.run(queue.finish)).toBe(1)
  })

  test('and runs again is left alone by an administrator who says so once more', async () => {
    await using queue = await startGivenUp()
    await queue.retry(queue.id)
    await queue.run(async (job) => {
      const before = await queue.rows()
      queue.clock.now += 1
      await queue.retry(job.id)
      expect(await queue.rows()).toEqual(before)
      await queue.finish(job)
    })
    expect(queue.failures).toHaveLength(1)
    expect(await queue.rows()).toEqual([])
  })

  test('can be deleted; no other can', async () => {
    await using queue = await startGivenUp()
    await queue.ask('waiting')
    const [, waiting] = await queue.rows()
    expect(await queue.drop(waiting?.id ?? 0)).toBe(false)
    await queue.run(async (job) => {
      expect(await queue.drop(job.id)).toBe(false)
      await queue.finish(job)
    })
    expect(await queue.drop(queue.id)).toBe(true)
    expect(await queue.rows()).toEqual([])
  })

  test('is not given up when it was asked for during its last attempt', async () => {
    await using queue = await startQueue()
    await queue.ask('bad')
    let runs = 0
    const work: Run = async (job) => {
      runs += 1
      if (runs > 1) return queue.finish(job)
      await queue.ask('bad')
      throw new Error('no such disk')
    }
    expect(await queue.run(work, { attempts: 1 })).toBe(1)
    expect(await queue.rows()).toEqual([])
  })
})

describe('several processes', () => {
  test('never do one job at the same time, and share what there is', async () => {
    await using queue = await startQueue()
    const subjects = Array.from({ length: 100 }, (_, index) => `subject ${index}`)
    for (const subject of subjects) await queue.ask(subject)
    const busy = new Set<string>()
    const done: string[] = []
    const work: Run = async (job) => {
      expect(busy.has(job.subject)).toBe(false)
      busy.add(job.subject)
      await queue.rows()
      await queue.finish(job)
      busy.delete(job.subject)
      done.push(job.subject)
    }
    const nodes = [queue, await queue.node('second'), await queue.node('third')]
    const counts = await Promise.all(nodes.map((node) => node.run(work)))
    expect(queue.failures).toEqual([])
    expect(done.sort()).toEqual(subjects.sort())
    expect(counts.every((count) => count >= 16)).toBe(true)
  })

  test('take over what a dead one had claimed; its late end changes nothing', async () => {
    for (const end of ['finish', 'fail', 'give up', 'break off'] as const) {
      await using queue = await startQueue()
      const second = await queue.node('second')
      await queue.ask('one')
      const [begun, late, taken, over] = [gate(), gate(), gate(), gate()]
      const stop = new AbortController()
      const dying = queue.run(
        async (job) => {
          begun.open()
          await late.opened
          if (end === 'finish') return queue.finish(job)
          if (end === 'break off') stop.abort()
          throw new Error('too late')
        },
        { signal: stop.signal, attempts: end === 'give up' ? 1 : 5 },
      )
      await begun.opened
      expect(await second.run(queue.finish)).toBe(0)
      await queue.die()
      const living = second.run(async (job) => {
        taken.open()
        await over.opened
        await queue.finish(job)
      })
      await taken.opened
      const before = await queue.rows()
      expect(before).toMatchObject([{ claimed_by: 'second' }])
      late.open()
      await dying
      expect(await queue.rows()).toEqual(before)
      over.open()
      expect(await living).toBe(1)
      expect(await queue.rows()).toEqual([])
    }
  })

  test('that are dead and have not noticed get nothing more', async () => {
    await using queue = await startQueue()
    await queue.die()
    await queue.ask('one')
    expect(await queue.run(queue.finish)).toBe(0)
    expect(await queue.rows()).toMatchObject([{ claimed_by: null }])
  })
})

describe('a database that goes away', () => {
  /** Loses the answer to a transaction of that name once, before or after it is done. */
  function losing(catalogue: Catalogue, name: string, when: 'before' | 'after'): Catalogue {
    let isLost = false
    const transact: Catalogue['transact'] = async (work, args) => {
      const loses = work.name === name && !isLost
      isLost ||= loses
      if (loses && when === 'before') throw new Error('the database is away')
      const result = await catalogue.transact(work, args)
      if (loses) throw new Error('the database is away')
      return result
    }
    return { ...catalogue, transact }
  }

  test.each([
    ['claim jobs', 'before'],
    ['claim jobs', 'after'],
    ['postpone job', 'before'],
    ['postpone job', 'after'],
    ['release jobs', 'before'],
  ] as const)('at "%s" (%s it was done) keeps no job from being done in the end', async (name, when) => {
    await using queue = await startQueue()
    const node = await queue.node('unlucky', losing(queue.catalogue, name, when))
    for (const subject of ['one', 'two', 'three']) await queue.ask(subject)
    const done: string[] = []
    const stop = new AbortController()
    const work: Run = async (job) => {
      if (name === 'release jobs') stop.abort()
      else if (done.length === 0 && queue.failures.length === 0) throw new Error('no such disk')
      await queue.finish(job)
      done.push(job.subject)
    }
    await expect(node.run(work, { signal: stop.signal })).rejects.toThrow('the database is away')
    for (let round = 0; round < 3; round++) {
      queue.clock.now += 3_600_000
      await node.run(work)
    }
    expect(done.sort()).toEqual(['one', 'three', 'two'])
    expect(await queue.rows()).toEqual([])
  })
})

describe('a recurring job', () => {
  const every = 60_000

  test('runs once in its time, however many processes there are', async () => {
    await using queue = await startQueue()
    const nodes = [queue, await queue.node('second'), await queue.node('third')]
    for (const node of nodes) await node.ensureRecurring()
    let runs = 0
    const work: Run = async () => {
      runs += 1
      await queue.rows()
    }
    const look = () => Promise.all(nodes.map((node) => node.run(work, { every })))
    for (let period = 1; period <= 3; period++) {
      await look()
      await look()
      expect(runs).toBe(period)
      queue.clock.now += every - 1
      await look()
      expect(runs).toBe(period)
      queue.clock.now += 1
    }
    for (const node of nodes) await node.ensureRecurring()
    expect(await queue.rows()).toHaveLength(1)
  })

  test('that fails is tried again by its back-off, at the latest when it is due, and never given up', async () => {
    await using queue = await startQueue()
    await queue.ensureRecurring()
    const waits: number[] = []
    for (let attempt = 0; attempt < 50; attempt++) {
      await queue.run(fail, { every, attempts: 3 })
      const [row] = await queue.rows()
      waits.push((row?.due_at ?? 0) - queue.clock.now)
      queue.clock.now = row?.due_at ?? 0
    }
    expect(waits.slice(0, 5)).toEqual([5_000, 10_000, 20_000, 40_000, every])
    expect(waits.at(-1)).toBe(every)
    expect(queue.failures.some(({ isLast }) => isLast)).toBe(false)
    expect(await queue.run(async () => {}, { every })).toBe(1)
    expect(await queue.rows()).toMatchObject([
      { attempts: 0, last_error: null, claimed_by: null, given_up_at: null, due_at: queue.clock.now + every },
    ])
  })

  test('that is asked for while it runs, runs again at once', async () => {
    await using queue = await startQueue()
    await queue.ensureRecurring()
    let runs = 0
    const work: Run = async () => {
      runs += 1
      if (runs === 1) await queue.ask('')
    }
    expect(await queue.run(work, { every })).toBe(2)
    expect(await queue.rows()).toMatchObject([{ due_at: queue.clock.now + every }])
  })
})

describe('a server that stops', () => {
  test('begins no other job, and leaves them to others', async () => {
    await using queue = await startQueue()
    for (const subject of ['one', 'two', 'three']) await queue.ask(subject)
    const stop = new AbortController()
    const work: Run = async (job) => {
      await queue.finish(job)
      stop.abort()
    }
    expect(await queue.run(work, { signal: stop.signal })).toBe(1)
    const other = await queue.node('other')
    expect(await other.run(queue.finish)).toBe(2)
  })

  test('does not count what it cut off as a failure', async () => {
    await using queue = await startQueue()
    await queue.ask('one')
    const stop = new AbortController()
    const work: Run = async (_, signal) => {
      stop.abort()
      throw signal.reason
    }
    expect(await queue.run(work, { signal: stop.signal })).toBe(0)
    expect(queue.failures).toEqual([])
    expect(await queue.rows()).toMatchObject([{ attempts: 0, due_at: queue.clock.now, claimed_by: null }])
  })
})

test('a kind that nobody knows is a mistake', async () => {
  await using queue = await startQueue()
  const runner = new JobRunner({
    catalogue: queue.catalogue,
    leaseId: () => 'first',
    now: () => 0,
    kinds: [],
    failed: () => {},
  })
  expect(() => runner.runDue('paint')).toThrow('no kind of job is called paint')
})

describe('a clock that was a day ahead and is set back', () => {
  const day = 24 * 60 * 60_000

  test.each([
    ['a recurring job', { every: 60_000 }],
    ['a job that had failed', {}],
  ])('does not hold %s up', async (_, fields) => {
    await using queue = await startQueue()
    if ('every' in fields) await queue.ensureRecurring()
    else await queue.ask('bad')
    const kind = 'every' in fields ? { every: 60_000 } : {}
    queue.clock.now += day
    let runs = 0
    const work: Run = async (job) => {
      runs += 1
      if (runs === 1 && !('every' in fields)) throw new Error('once')
      if (!('every' in fields)) await queue.finish(job)
    }
    await queue.run(work, kind)
    expect(runs).toBe(1)
    queue.clock.now -= day
    await queue.run(work, kind)
    expect(runs).toBe(2)
  })
})
