import type { Database, SQLQueryBindings } from 'bun:sqlite'
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import { sqliteProblem } from './sqlite-problem.ts'
import { type AroundStatement, type ReadFailed, straight } from './statement.ts'

/** Kysely over one `bun:sqlite` connection. The connection belongs to the caller, who also closes it. */
export function sqliteDialect(
  database: Database,
  around: AroundStatement = straight,
  place: 'reading' | 'transaction' = 'reading',
  failed?: ReadFailed,
): Dialect {
  return {
    createAdapter: () => new TransactionalSqliteAdapter(),
    createDriver: () => new SqliteDriver(new SqliteConnection(database, (sql, run) => around(sql, run, place), failed)),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  }
}

/** SQLite's DDL is transactional; Kysely runs all new migrations in one transaction when it is told so. */
class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

class SqliteConnection implements DatabaseConnection {
  readonly #database: Database
  readonly #around: (sql: string, run: (sql: string) => unknown) => unknown
  readonly #failed: ReadFailed | undefined

  constructor(
    database: Database,
    around: (sql: string, run: (sql: string) => unknown) => unknown,
    failed: ReadFailed | undefined,
  ) {
    this.#database = database
    this.#around = around
    this.#failed = failed
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    try {
      const run = (text: string) => this.#execute<Row>(text, query.parameters as SQLQueryBindings[])
      return (await this.#around(query.sql, run)) as QueryResult<Row>
    } catch (error) {
      const problem = sqliteProblem(error)
      this.#failed?.(problem)
      throw problem
    }
  }

  #execute<Row>(text: string, parameters: SQLQueryBindings[]): QueryResult<Row> {
    const statement = this.#database.query<Row, SQLQueryBindings[]>(text)
    if (statement.columnNames.length > 0) return { rows: statement.all(...parameters) }
    const { changes, lastInsertRowid } = statement.run(...parameters)
    return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) }
  }

  // biome-ignore lint/correctness/useYield: there is nothing to stream from a synchronous driver.
  async *streamQuery<Row>(): AsyncIterableIterator<QueryResult<Row>> {
    throw new Error('streaming is not part of the SQLite driver')
  }
}

class SqliteDriver implements Driver {
  readonly #connection: SqliteConnection

  constructor(connection: SqliteConnection) {
    this.#connection = connection
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'))
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'))
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('rollback'))
  }

  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<void> {}
}
