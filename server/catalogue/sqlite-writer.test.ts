import { Database } from 'bun:sqlite'
import { describe, expect, test } from 'bun:test'
import { sql } from 'kysely'
import { Problem } from '../problems.ts'
import { SqliteWriter } from './sqlite-writer.ts'
import { transaction } from './transaction.ts'

const write = transaction('write', async (tx, value: string) => {
  await sql`insert into notes (value) values (${value})`.execute(tx)
  return value
})

const writeThenFail = transaction('write then fail', async (tx, args: { value: string; error: unknown }) => {
  await sql`insert into notes (value) values (${args.value})`.execute(tx)
  throw args.error
})

const count = transaction('count', async (tx) => {
  const { rows } = await sql<{ count: number }>`select count(*) as count from notes`.execute(tx)
  return rows[0]?.count
})

/** A database in memory, the statements that reached it, and a place to make one of them fail. */
function start() {
  const database = new Database(':memory:')
  database.run('create table notes (value text not null unique)')
  const statements: string[] = []
  const control: { fail: (statement: string) => void } = { fail: () => {} }
  const writer = new SqliteWriter(database, (statement, run) => {
    statements.push(statement)
    control.fail(statement)
    return run(statement)
  })
  return {
    writer,
    control,
    database,
    commits: () => statements.filter((statement) => statement === 'commit').length,
    notes: () => database.query<{ value: string }, []>('select value from notes order by rowid').values().flat(),
  }
}

function sqliteError(code: string): Error {
  return Object.assign(new Error(code), { code })
}

const reasonOf = (promise: Promise<unknown>) =>
  promise.then(
    () => {
      throw new Error('it should have failed')
    },
    (error: unknown) => error,
  )

describe('transactions that wait together', () => {
  test('share one commit', async () => {
    const { writer, commits, notes } = start()
    const answers = await Promise.all(Array.from({ length: 40 }, (_, index) => writer.run(write, `note ${index}`)))
    expect(answers).toEqual(Array.from({ length: 40 }, (_, index) => `note ${index}`))
    expect(notes()).toHaveLength(40)
    expect(commits()).toBe(1)
  })

  test('are not gathered without end', async () => {
    const { writer, commits, notes } = start()
    await Promise.all(Array.from({ length: 200 }, (_, index) => writer.run(write, `note ${index}`)))
    expect(notes()).toHaveLength(200)
    expect(commits()).toBe(4)
  })

  test('run in the order in which they came, and see each other', async () => {
    const { writer } = start()
    const [, first, , second] = await Promise.all([
      writer.run(write, 'one'),
      writer.run(count, undefined),
      writer.run(write, 'two'),
      writer.run(count, undefined),
    ])
    expect([first, second]).toEqual([1, 2])
  })

  test('those that come while a group runs are the next group', async () => {
    const { writer, control, commits } = start()
    let late: Promise<unknown> | undefined
    control.fail = (statement) => {
      if (statement === 'commit') late ??= writer.run(write, 'late')
    }
    await writer.run(write, 'early')
    expect(commits()).toBe(1)
    expect(await late).toBe('late')
    expect(commits()).toBe(2)
  })
})

describe('one that fails', () => {
  test('undoes only itself', async () => {
    const { writer, commits, notes } = start()
    const refusal = new Problem('already-exists', 'package file already exists')
    const answers = await Promise.allSettled([
      writer.run(write, 'one'),
      writer.run(writeThenFail, { value: 'two', error: refusal }),
      writer.run(write, 'three'),
    ])
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(answers[1]).toEqual({ status: 'rejected', reason: refusal })
    expect(notes()).toEqual(['one', 'three'])
    expect(commits()).toBe(1)
  })

  test('by a rule of the database undoes only itself too', async () => {
    const { writer, notes } = start()
    const answers = await Promise.allSettled([
      writer.run(write, 'one'),
      writer.run(write, 'one'),
      writer.run(write, 'two'),
    ])
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(notes()).toEqual(['one', 'two'])
  })

  test('by a bug says so as it is', async () => {
    const { writer } = start()
    const bug = new TypeError('undefined is not a function')
    expect(await reasonOf(writer.run(writeThenFail, { value: 'one', error: bug }))).toBe(bug)
  })

  test.each([
    ['SQLITE_FULL', 'storage-full'],
    ['SQLITE_IOERR_WRITE', 'storage-unavailable'],
    ['SQLITE_BUSY', 'storage-unavailable'],
    ['SQLITE_CORRUPT', 'storage-unavailable'],
  ])('by %s is told as %s, and the next one works', async (code, expected) => {
    const { writer, control, notes } = start()
    control.fail = (statement) => {
      if (!statement.startsWith('insert')) return
      control.fail = () => {}
      throw sqliteError(code)
    }
    expect(await reasonOf(writer.run(write, 'one'))).toMatchObject({ name: 'Problem', code: expected })
    expect(await writer.run(write, 'two')).toBe('two')
    expect(notes()).toEqual(['two'])
  })
})

describe('an answer', () => {
  test('waits for the commit, a refusal too', async () => {
    const { writer, control } = start()
    const answered: string[] = []
    let before: string[] | undefined
    control.fail = (statement) => {
      if (statement === 'commit') before = [...answered]
    }
    const error = new Problem('already-exists', 'taken')
    await Promise.all([
      writer.run(write, 'one').then(() => answered.push('done')),
      writer.run(writeThenFail, { value: 'two', error }).catch(() => answered.push('refused')),
    ])
    expect(before).toEqual([])
    expect(answered.sort()).toEqual(['done', 'refused'])
  })
})

describe('a commit that fails', () => {
  test('fails everybody: nobody knows whether it is there', async () => {
    const { writer, control, notes } = start()
    control.fail = (statement) => {
      if (statement !== 'commit') return
      control.fail = () => {}
      throw sqliteError('SQLITE_IOERR_FSYNC')
    }
    const answers = await Promise.allSettled([
      writer.run(write, 'one'),
      writer.run(writeThenFail, { value: 'two', error: new Problem('already-exists', 'taken') }),
      writer.run(write, 'three'),
    ])
    for (const answer of answers) {
      expect(answer).toMatchObject({ status: 'rejected', reason: { name: 'Problem', code: 'outcome-unknown' } })
    }
    expect(notes()).toEqual([])
    expect(await writer.run(write, 'four')).toBe('four')
    expect(notes()).toEqual(['four'])
  })

  test('is the same for a group that could not begin, but nothing is unknown', async () => {
    const { writer, control, notes } = start()
    control.fail = (statement) => {
      if (statement !== 'begin immediate') return
      control.fail = () => {}
      throw sqliteError('SQLITE_IOERR')
    }
    for (const answer of await Promise.allSettled([writer.run(write, 'one'), writer.run(write, 'two')])) {
      expect(answer).toMatchObject({ status: 'rejected', reason: { code: 'storage-unavailable' } })
    }
    expect(await writer.run(write, 'three')).toBe('three')
    expect(notes()).toEqual(['three'])
  })

  test.each(['savepoint one', 'release one', 'rollback to one'])(
    'a failing "%s" leaves nothing half done',
    async (text) => {
      const { writer, control, notes, database } = start()
      control.fail = (statement) => {
        if (statement !== text) return
        control.fail = () => {}
        throw sqliteError('SQLITE_IOERR')
      }
      const answers = await Promise.allSettled([
        writer.run(write, 'one'),
        writer.run(writeThenFail, { value: 'two', error: new Problem('already-exists', 'taken') }),
        writer.run(write, 'three'),
      ])
      const kept = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
      expect(notes()).toEqual(kept as string[])
      expect(database.inTransaction).toBe(false)
      expect(await writer.run(write, 'four')).toBe('four')
    },
  )

  test('a transaction that SQLite itself rolled back fails its siblings as well', async () => {
    const { writer, control, database, notes } = start()
    control.fail = (statement) => {
      if (!statement.startsWith('insert')) return
      database.run('rollback')
      control.fail = () => {}
      throw sqliteError('SQLITE_FULL')
    }
    const answers = await Promise.allSettled([
      writer.run(count, undefined),
      writer.run(write, 'one'),
      writer.run(write, 'two'),
    ])
    for (const answer of answers) expect(answer).toMatchObject({ status: 'rejected', reason: { code: 'storage-full' } })
    expect(notes()).toEqual([])
    expect(await writer.run(write, 'three')).toBe('three')
  })
})

test('idle waits for everything that was asked for', async () => {
  const { writer, notes } = start()
  for (let index = 0; index < 100; index++) void writer.run(write, `note ${index}`)
  await writer.idle()
  expect(notes()).toHaveLength(100)
})
