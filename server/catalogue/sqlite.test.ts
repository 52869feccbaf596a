import { expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import type { Db } from './schema.ts'
import { migrateSqlite, openForWriting, openSqlite, serveSqlite } from './sqlite.ts'
import type { ToMain, ToWorker } from './sqlite-messages.ts'
import { transaction } from './transaction.ts'

/** By SQLite's numbers: 2 is `full`, of where temporary tables are 0 is its own choice and 2 memory. */
interface Pragmas {
  journal_mode: string
  synchronous: number
  foreign_keys: number
  temp_store: number
  wal_autocheckpoint: number
}

const names = ['journal_mode', 'synchronous', 'foreign_keys', 'temp_store', 'wal_autocheckpoint']

async function pragmasOf(db: Db): Promise<Pragmas> {
  const found = names.map(async (name) => {
    const { rows } = await sql<Record<string, unknown>>`pragma ${sql.raw(name)}`.execute(db)
    return [name, Object.values(rows[0] ?? {})[0]]
  })
  return Object.fromEntries(await Promise.all(found)) as Pragmas
}

const lookAtPragmas = transaction('look at pragmas', pragmasOf)

/** As the thread of a server that was started opens it. */
async function pragmasOfThread(file: string): Promise<unknown> {
  const answers: ((answer: ToMain) => void)[] = []
  const port: Parameters<typeof serveSqlite>[1] = {
    onmessage: null,
    postMessage: (answer) => answers.shift()?.(answer),
  }
  serveSqlite([lookAtPragmas], port)
  const ask = (data: ToWorker) =>
    new Promise<ToMain>((resolve) => {
      answers.push(resolve)
      port.onmessage?.(new MessageEvent('message', { data }))
    })
  await ask({ id: 1, kind: 'open', file })
  const answer = await ask({ id: 2, kind: 'transact', name: lookAtPragmas.name, args: undefined })
  await ask({ id: 3, kind: 'close' })
  return answer
}

test('connections that publish keep more in memory and in the log; those that migrate have what is usual', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'stowage-test-'))
  const file = join(folder, 'stowage.db')
  const usual: Pragmas = {
    ...{ journal_mode: 'wal', synchronous: 2, foreign_keys: 1 },
    ...{ temp_store: 0, wal_autocheckpoint: 1000 },
  }
  const publishing: Pragmas = { ...usual, temp_store: 2, wal_autocheckpoint: 4000 }
  try {
    let migrating: Pragmas | undefined
    await migrateSqlite(file, '0.1.0')
    await migrateSqlite(file, '0.1.0', async (tx) => {
      migrating = await pragmasOf(tx)
    })
    expect(migrating).toEqual(usual)
    const catalogue = openSqlite(file)
    expect(await catalogue.transact(lookAtPragmas, undefined)).toEqual(publishing)
    await catalogue.close()
    expect(await pragmasOfThread(file)).toMatchObject({ kind: 'result', result: publishing })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

/** Runs with a file that has the newest schema. */
async function withFile(work: (file: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'stowage-test-'))
  try {
    await migrateSqlite(join(folder, 'stowage.db'), '0.1.0')
    await work(join(folder, 'stowage.db'))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

test('beside other processes each look at the changes is a new one', () =>
  withFile(async (file) => {
    const beside = openSqlite(file, { answers: 'beside others' })
    const alone = openSqlite(file)
    const looks = [beside, alone].map(({ changes }) => changes?.())
    // As another process commits it, while this one is still at what one poll of its event loop has found.
    const other = openForWriting(file)
    other.run("insert into site (key, value) values ('a fact', '1')")
    expect(beside.changes?.()).not.toBe(looks[0] as number)
    expect(alone.changes?.()).toBe(looks[1] as number)
    other.close()
    await Promise.all([beside.close(), alone.close()])
  }))

test('a transaction waits for that of another process, and does not hold up the thread meanwhile', () =>
  withFile(async (file) => {
    const catalogue = openSqlite(file)
    const other = openForWriting(file)
    other.run('begin immediate')
    let isDone = false
    const waiting = catalogue.transact(lookAtPragmas, undefined).finally(() => {
      isDone = true
    })
    // Its first look is over by then, and the second one.
    for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setTimeout(resolve, 2))
    expect(isDone).toBe(false)
    other.run('commit')
    expect(await waiting).toMatchObject({ journal_mode: 'wal' })
    other.close()
    await catalogue.close()
  }))
