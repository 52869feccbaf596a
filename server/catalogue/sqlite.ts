import { Database } from 'bun:sqlite'
import { closeSync, openSync } from 'node:fs'
import { Kysely } from 'kysely'
import { Problem, plainProblem, problemFrom } from '../problems.ts'
import { type MayMigrate, migrate } from './migrate.ts'
import { probeDatabase } from './probe.ts'
import type { Schema } from './schema.ts'
import { sqliteDialect } from './sqlite-dialect.ts'
import type { ToMain, ToWorker } from './sqlite-messages.ts'
import { sqliteProblem } from './sqlite-problem.ts'
import type { SqliteThread } from './sqlite-thread.ts'
import { SqliteWriter } from './sqlite-writer.ts'
import { type AroundStatement, type ReadFailed, straight } from './statement.ts'
import type { AnyTransaction, Catalogue, Transaction } from './transaction.ts'

/** Statements that a connection keeps compiled: one that adds a file, with its triggers, takes as long to compile as to run. */
Database.MAX_QUERY_CACHE_SIZE = 256

/** A connection for writing: every commit is on stable storage before it is answered. */
export function openForWriting(file: string): Database {
  // Password hashes are in it. Its log gets the same mode from the database itself.
  closeSync(openSync(file, 'a', 0o600))
  const database = new Database(file, { create: true })
  database.run('pragma busy_timeout = 5000')
  database.run('pragma journal_mode = wal')
  database.run('pragma synchronous = full')
  database.run('pragma foreign_keys = on')
  // Who writes waits to begin (`beginImmediate`); after that nobody is in his way.
  database.run('pragma busy_timeout = 0')
  return database
}

/** The same for one short transaction after the other. */
function openForPublishing(file: string): Database {
  const database = openForWriting(file)
  // What a savepoint would have to restore: 64 KiB of it and more would go to a file, which costs half of a publish.
  database.run('pragma temp_store = memory')
  // Pages in the log before it is emptied, which takes two more fsyncs: 16 MiB.
  database.run('pragma wal_autocheckpoint = 4000')
  return database
}

/** Brings the file to the newest schema, all or nothing; see `migrate`. */
export async function migrateSqlite(file: string, release: string, ask?: MayMigrate): Promise<void> {
  const database = openForWriting(file)
  try {
    await migrate(new Kysely<Schema>({ dialect: sqliteDialect(database) }), release, undefined, ask)
  } finally {
    database.close()
  }
}

function openForReading(file: string): Database {
  const database = new Database(file, { readonly: true })
  database.run('pragma busy_timeout = 5000')
  return database
}

/**
 * Counts the commits of all other connections, as this one sees them. Where one process answers all requests it is looked up once for
 * those that one poll of the event loop found: it is forgotten before the next poll, and so before any request that can know of
 * an answer given meanwhile.
 */
function changesSeenBy(reading: Database, failed: ReadFailed | undefined, answers: 'alone' | 'beside others') {
  const version = reading.query<{ data_version: number }, []>('pragma data_version')
  let known: number | undefined
  const forget = () => {
    known = undefined
  }
  return (): number => {
    if (known !== undefined) return known
    try {
      known = Number(version.values()[0]?.[0])
    } catch (error) {
      const problem = sqliteProblem(error)
      failed?.(problem)
      throw problem
    }
    const now = known
    if (answers === 'alone') setImmediate(forget)
    else forget()
    return now
  }
}

export interface HowToRead {
  readFailed?: ReadFailed | undefined
  /** Whether other processes answer requests from the same file. */
  answers?: 'alone' | 'beside others' | undefined
}

/**
 * The catalogue in a SQLite file, written on the calling thread: for commands, and for tests that make statements fail.
 * The file must have been migrated.
 */
export function openSqlite(
  file: string,
  { around, readFailed, answers = 'alone' }: { around?: AroundStatement } & HowToRead = {},
): Catalogue {
  const reading = openForReading(file)
  const writing = openForPublishing(file)
  const writer = new SqliteWriter(writing, around)
  let closing = false
  const transact: Catalogue['transact'] = async <Args, Result>(work: Transaction<Args, Result>, args: Args) => {
    if (closing) throw stopping()
    return (await writer.run(work, args)) as Result
  }
  return {
    read: new Kysely<Schema>({ dialect: sqliteDialect(reading, around, 'reading', readFailed) }),
    transact,
    changes: changesSeenBy(reading, readFailed, answers),
    probe: () => transact(probeDatabase, undefined),
    close: async () => {
      closing = true
      await writer.idle()
      // The writer last: it empties the write-ahead log into the database, where nobody else has it open.
      reading.close()
      writing.close()
    },
  }
}

/**
 * The catalogue in a SQLite file, written on a thread of its own: `bun:sqlite` is synchronous, and a commit on the main
 * thread would stop every download. The thread is one that calls `serveSqlite` with all transactions;
 * `threadLost` is called when the thread ends by itself: nothing can be written any more.
 */
export async function openSqliteOnThread(
  file: string,
  { worker, ended }: SqliteThread,
  threadLost: (reason: string) => void,
  { readFailed, answers = 'alone' }: HowToRead = {},
): Promise<Catalogue> {
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>()
  let last = 0
  let dead = false
  let closing = false

  const send = (message: ToWorker) => worker.postMessage(message)
  const ask = (message: (id: number) => ToWorker): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (dead) {
        reject(new Problem('storage-unavailable', 'The database thread has stopped: nothing was changed.'))
        return
      }
      if (closing) {
        reject(stopping())
        return
      }
      const id = ++last
      waiting.set(id, { resolve, reject })
      send(message(id))
    })

  worker.onmessage = ({ data }: MessageEvent<ToMain>) => {
    const caller = waiting.get(data.id)
    waiting.delete(data.id)
    if (data.kind === 'result') caller?.resolve(data.result)
    else if (data.kind === 'problem') caller?.reject(problemFrom(data.problem))
    else caller?.reject(Object.assign(new Error(data.message), { stack: data.stack }))
  }
  const lost = (reason: string) => {
    if (dead) return
    dead = true
    for (const caller of waiting.values()) {
      caller.reject(new Problem('outcome-unknown', 'The database did not confirm the change.', {}, reason))
    }
    waiting.clear()
    threadLost(reason)
  }
  ended.then(lost)

  await ask((id) => ({ id, kind: 'open', file }))
  const reading = openForReading(file)
  const transact: Catalogue['transact'] = <Args, Result>(work: Transaction<Args, Result>, args: Args) =>
    ask((id) => ({ id, kind: 'transact', name: work.name, args })) as Promise<Result>
  return {
    read: new Kysely<Schema>({ dialect: sqliteDialect(reading, straight, 'reading', readFailed) }),
    transact,
    changes: changesSeenBy(reading, readFailed, answers),
    probe: () => transact(probeDatabase, undefined),
    close: async () => {
      const closed = ask((id) => ({ id, kind: 'close' }))
      closing = true
      // Before the writer, which then empties the write-ahead log into the database.
      reading.close()
      await closed
      dead = true
      worker.terminate()
    },
  }
}

/** For a request that outlived the server's stop: after the close it would wait for ever. */
function stopping(): Problem {
  return new Problem('stopping', 'The server is stopping: nothing was changed.')
}

/** The other end of `openSqliteOnThread`. */
export function serveSqlite(
  transactions: readonly AnyTransaction[],
  port: { onmessage: ((event: MessageEvent<ToWorker>) => void) | null; postMessage(message: ToMain): void },
): void {
  const byName = new Map([...transactions, probeDatabase].map((work) => [work.name, work]))
  let database: Database | undefined
  let writer: SqliteWriter | undefined

  const perform = async (message: ToWorker): Promise<unknown> => {
    if (message.kind === 'open') {
      database = openForPublishing(message.file)
      writer = new SqliteWriter(database)
      return
    }
    if (message.kind === 'close') {
      await writer?.idle()
      database?.close()
      return
    }
    const work = byName.get(message.name)
    if (!work || !writer) throw new Error(`No transaction is called ${message.name}`)
    return writer.run(work, message.args)
  }

  port.onmessage = ({ data: message }) => {
    perform(message).then(
      (result) => port.postMessage({ id: message.id, kind: 'result', result }),
      (thrown) => {
        const error = sqliteProblem(thrown)
        if (error instanceof Problem) {
          port.postMessage({ id: message.id, kind: 'problem', problem: plainProblem(error) })
        } else {
          const { message: text, stack } = error instanceof Error ? error : new Error(String(error))
          port.postMessage({ id: message.id, kind: 'error', message: text, stack })
        }
      },
    )
  }
}
