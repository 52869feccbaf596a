import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
  sql,
} from 'kysely'
import { Problem } from '../problems.ts'
import type { Connection, ConnectionPool, StatementResult } from './postgres-pool.ts'
import { isForgotten, isTimeout, postgresProblem, refusesCommit, wasLostAtOnce } from './postgres-problem.ts'
import type { NamedQuery } from './prepared.ts'
import type { AroundStatement, ReadFailed } from './statement.ts'

/** Milliseconds that a transaction may stand still: a process that was stopped in the middle of one holds its locks no longer. */
const idleTimeout = 30_000

/** Said with `begin`, in one round trip, for this transaction alone: a session's own settings would not pass a transaction pooler. */
function beginWith(statementTimeout: number): string {
  return [
    'begin isolation level read committed',
    `set local statement_timeout = ${statementTimeout}`,
    `set local idle_in_transaction_session_timeout = ${idleTimeout}`,
    // 201 means durable, also where somebody made commits quicker for other programs; never less than what is set.
    `select set_config('synchronous_commit', 'on', true) where current_setting('synchronous_commit') = 'off'`,
  ].join('; ')
}

/** For reading outside transactions: each statement takes a connection and gives it back. */
export function readingDialect(pool: ConnectionPool, around: AroundStatement, failed?: ReadFailed): Dialect {
  return dialect(() => new ReadingDriver(pool, around, failed))
}

/** For transactions, each on a connection of its own. */
export function writingDialect(pool: ConnectionPool, around: AroundStatement): Dialect {
  return dialect(() => new WritingDriver(pool, around))
}

function dialect(createDriver: () => Driver): Dialect {
  return {
    createAdapter: () => new PooledPostgresAdapter(),
    createDriver,
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  }
}

/** Any number that no other program uses for a lock in the same database. */
const migrationLock = 7_021_895_466_123

/** Kysely's own lock is a session's, which a transaction pooler loses; this one ends with the transaction. */
class PooledPostgresAdapter extends PostgresAdapter {
  override async acquireMigrationLock(db: Parameters<PostgresAdapter['acquireMigrationLock']>[0]): Promise<void> {
    await sql`select pg_advisory_xact_lock(${sql.lit(migrationLock)})`.execute(db)
  }

  override async releaseMigrationLock(): Promise<void> {}
}

function resultOf<Row>({ command, rows, rowCount }: StatementResult): QueryResult<Row> {
  const changes = command === 'SELECT' || rowCount === null ? {} : { numAffectedRows: BigInt(rowCount) }
  return { rows: rows as Row[], ...changes }
}

abstract class PostgresDriver implements Driver {
  async init(): Promise<void> {}
  async destroy(): Promise<void> {}
  abstract acquireConnection(): Promise<DatabaseConnection>
  abstract releaseConnection(connection: DatabaseConnection): Promise<void>

  async beginTransaction(_: DatabaseConnection): Promise<void> {
    throw new Error('this connection is for reading outside transactions')
  }

  async commitTransaction(_: DatabaseConnection): Promise<void> {}
  async rollbackTransaction(_: DatabaseConnection): Promise<void> {}
}

// biome-ignore lint/correctness/useYield: nobody streams rows: lists are paged.
async function* noStream(): AsyncIterableIterator<never> {
  throw new Error('streaming is not part of the PostgreSQL driver')
}

class ReadingDriver extends PostgresDriver {
  readonly #connection: DatabaseConnection
  /** Whether the server keeps statements by their names: planning a look-up costs it many times what running it does. */
  #keepsStatements = true

  constructor(pool: ConnectionPool, around: AroundStatement, failed: ReadFailed | undefined) {
    super()
    this.#connection = {
      executeQuery: async <Row>(query: NamedQuery) => {
        const run = (text: string) =>
          this.#read(pool, text === query.sql ? query : { ...query, sql: text, statementName: undefined })
        try {
          return resultOf<Row>((await around(query.sql, run, 'reading')) as StatementResult)
        } catch (error) {
          const problem = postgresProblem(error)
          failed?.(problem)
          throw problem
        }
      },
      streamQuery: noStream,
    }
  }

  async #read(pool: ConnectionPool, { sql, parameters, statementName }: NamedQuery): Promise<StatementResult> {
    if (!this.#keepsStatements || statementName === undefined) return readOnce(pool, sql, parameters)
    try {
      return await readOnce(pool, sql, parameters, statementName)
    } catch (error) {
      if (!isForgotten(error)) throw error
      this.#keepsStatements = false
      return readOnce(pool, sql, parameters)
    }
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection
  }

  async releaseConnection(): Promise<void> {}
}

/** A read can be repeated: where the connection had died in the pool, say in a restart of the server, another one serves. */
async function readOnce(
  pool: ConnectionPool,
  text: string,
  parameters: readonly unknown[],
  name?: string,
): Promise<StatementResult> {
  for (let attempt = 1; ; attempt += 1) {
    const connection = await pool.take()
    try {
      return await connection.run(text, parameters, name)
    } catch (error) {
      if (isTimeout(error)) void pool.cancel(connection.processId)
      if (!wasLostAtOnce(error) || attempt === 3) throw error
    } finally {
      connection.release()
    }
  }
}

/** A transaction's own connection. */
class TransactionConnection implements DatabaseConnection {
  readonly connection: Connection
  readonly #around: AroundStatement

  constructor(connection: Connection, around: AroundStatement) {
    this.connection = connection
    this.#around = around
  }

  async run(text: string, parameters: readonly unknown[] = []): Promise<StatementResult> {
    return (await this.#around(
      text,
      (changed) => this.connection.run(changed, parameters),
      'transaction',
    )) as StatementResult
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    return resultOf<Row>(await this.run(query.sql, query.parameters))
  }

  streamQuery = noStream
}

class WritingDriver extends PostgresDriver {
  readonly #pool: ConnectionPool
  readonly #around: AroundStatement
  readonly #begin: string

  constructor(pool: ConnectionPool, around: AroundStatement) {
    super()
    this.#pool = pool
    this.#around = around
    this.#begin = beginWith(pool.statementTimeout)
  }

  async acquireConnection(): Promise<TransactionConnection> {
    return new TransactionConnection(await this.#pool.take(), this.#around)
  }

  override async beginTransaction(connection: TransactionConnection): Promise<void> {
    await connection.run(this.#begin)
  }

  /** Throws the server's refusal, or `outcome-unknown`: then the transaction must not be repeated. */
  override async commitTransaction(connection: TransactionConnection): Promise<void> {
    let answer: StatementResult
    try {
      answer = await connection.run('commit')
    } catch (error) {
      if (refusesCommit(error)) throw error
      throw new Problem('outcome-unknown', 'The database did not confirm the change.', {}, error)
    }
    if (answer.command === 'ROLLBACK') throw new Error('a transaction went on after one of its statements had failed')
  }

  /** Never throws: what led to it is what the caller must hear. A connection that cannot roll back is closed, which does it too. */
  override async rollbackTransaction(connection: TransactionConnection): Promise<void> {
    if (connection.connection.isBroken) return
    await connection.run('rollback').catch(() => {})
  }

  async releaseConnection({ connection }: TransactionConnection): Promise<void> {
    connection.release()
  }
}
