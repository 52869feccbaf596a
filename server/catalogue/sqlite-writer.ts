import type { Database } from 'bun:sqlite'
import { Kysely } from 'kysely'
import { Problem } from '../problems.ts'
import type { Schema } from './schema.ts'
import { beginImmediate } from './sqlite-begin.ts'
import { sqliteDialect } from './sqlite-dialect.ts'
import { sqliteProblem } from './sqlite-problem.ts'
import { type AroundStatement, straight } from './statement.ts'
import type { AnyTransaction } from './transaction.ts'

/** More than this many transactions are not gathered behind one fsync: the first one waits for the last. */
const groupSize = 64

interface Waiting {
  transaction: AnyTransaction
  args: unknown
  resolve(result: unknown): void
  reject(error: unknown): void
}

type Outcome = { result: unknown } | { error: unknown }

/**
 * Runs transactions on one connection, one after the other, those that wait together behind one commit.
 *
 * Each is a savepoint of the group, so one that fails undoes only itself. Every answer waits for the outer commit,
 * refusals too: a 409 may have seen the row of a sibling that is not yet on disk.
 */
export class SqliteWriter {
  readonly #database: Database
  readonly #db: Kysely<Schema>
  readonly #around: AroundStatement
  #waiting: Waiting[] = []
  #running: Promise<void> | undefined

  constructor(database: Database, around: AroundStatement = straight) {
    this.#database = database
    this.#around = around
    this.#db = new Kysely<Schema>({ dialect: sqliteDialect(database, around, 'transaction') })
  }

  run(transaction: AnyTransaction, args: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ transaction, args, resolve, reject })
      this.#running ??= this.#drain()
    })
  }

  /** Resolves when nothing runs or waits. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running
  }

  async #drain(): Promise<void> {
    try {
      // Those that arrive in the same turn of the event loop share the first commit.
      await new Promise((resolve) => setImmediate(resolve))
      while (this.#waiting.length > 0) {
        await this.#runGroup(this.#waiting.splice(0, groupSize))
        await new Promise((resolve) => setImmediate(resolve))
      }
    } finally {
      this.#running = undefined
    }
  }

  async #runGroup(group: Waiting[]): Promise<void> {
    const outcomes: Outcome[] = []
    try {
      await beginImmediate((sql) => this.#execute(sql))
      for (const waiting of group) outcomes.push(await this.#runOne(waiting))
    } catch (error) {
      this.#rollBack()
      for (const waiting of group) waiting.reject(sqliteProblem(error))
      return
    }
    try {
      await this.#execute('commit')
    } catch (error) {
      this.#rollBack()
      const problem = new Problem('outcome-unknown', 'The database did not confirm the change.', {}, error)
      for (const waiting of group) waiting.reject(problem)
      return
    }
    group.forEach((waiting, index) => {
      const outcome = outcomes[index]
      if (outcome && 'result' in outcome) waiting.resolve(outcome.result)
      else waiting.reject(outcome?.error)
    })
  }

  async #runOne({ transaction, args }: Waiting): Promise<Outcome> {
    await this.#execute('savepoint one')
    try {
      const result = await transaction.run(this.#db, args)
      await this.#execute('release one')
      return { result }
    } catch (error) {
      // A full disk makes SQLite roll the whole transaction back by itself: then no sibling has survived either.
      if (!this.#database.inTransaction) throw error
      await this.#execute('rollback to one')
      await this.#execute('release one')
      return { error: error instanceof Problem ? error : sqliteProblem(error) }
    }
  }

  async #execute(sql: string): Promise<void> {
    await this.#around(sql, (text) => this.#database.query(text).run(), 'transaction')
  }

  /** Never throws: whoever waits must be told in any case. Where it fails, the next `begin` does too, and says so. */
  #rollBack(): void {
    try {
      if (this.#database.inTransaction) this.#database.run('rollback')
    } catch {}
  }
}
