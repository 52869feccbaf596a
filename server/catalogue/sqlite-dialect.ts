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
import { beginImmediate } from './sqlite-begin.ts'
import { sqliteProblem } from './sqlite-problem.ts'
import { type AroundStatement, type ReadFailed, straight } from './statement.ts'

/** Kysely over one `bun:sqlite` connection. The connection belongs to the caller, who also closes it. */
export function sqliteDialect(
  database: Database,
  around: AroundStatement = straight,
  place: 'reading' | 'transaction' = 'reading',
  failed?: ReadFailed,
): Dialect {
  const connection = new SqliteConnection(database, (sql, run) => around(sql, run, place), failed, around === straight)
  return {
    createAdapter: () => new OneConnectionAdapter(connection),
    createDriver: () => new SqliteDriver(connection),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new PlanOnceCompiler(),
  }
}

/**
 * SQLite plans a statement anew each time that a bare `?` in it gets another value, as the plan could depend on that: ten times the
 * cost of a look-up over several tables. Behind a plus it is an expression, and the plan stays.
 */
class PlanOnceCompiler extends SqliteQueryCompiler {
  protected override getCurrentParameterPlaceholder(): string {
    return '+?'
  }
}

export class OneConnectionAdapter extends SqliteAdapter {
  /** For what is `prepared`: Kysely's way to it costs more than most statements do. */
  readonly connection: SqliteConnection

  constructor(connection: SqliteConnection) {
    super()
    this.connection = connection
  }

  /** SQLite's DDL is transactional; Kysely runs all new migrations in one transaction when it is told so. */
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

class SqliteConnection implements DatabaseConnection {
  readonly #database: Database
  readonly #around: (sql: string, run: (sql: string) => unknown) => unknown
  readonly #failed: ReadFailed | undefined
  readonly #isPlain: boolean

  /** `isPlain`: nothing stands around statements. */
  constructor(
    database: Database,
    around: (sql: string, run: (sql: string) => unknown) => unknown,
    failed: ReadFailed | undefined,
    isPlain: boolean,
  ) {
    this.#isPlain = isPlain
    this.#database = database
    this.#around = around
    this.#failed = failed
  }

  executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
    return this.#run(sql, (text) => this.#execute<Row>(text, parameters as SQLQueryBindings[]))
  }

  /** The rows alone. */
  rows<Row>(sql: string, parameters: readonly unknown[]): Promise<Row[]> {
    return this.#run(sql, (text) => this.#all<Row>(text, parameters))
  }

  /** The same without a promise; undefined where something stands around statements. */
  rowsNow<Row>(sql: string, parameters: readonly unknown[]): Row[] | undefined {
    if (!this.#isPlain) return undefined
    try {
      return this.#all(sql, parameters)
    } catch (error) {
      throw this.#problem(error)
    }
  }

  #all<Row>(text: string, parameters: readonly unknown[]): Row[] {
    return this.#database.query<Row, SQLQueryBindings[]>(text).all(...(parameters as SQLQueryBindings[]))
  }

  #problem(error: unknown): unknown {
    const problem = sqliteProblem(error)
    this.#failed?.(problem)
    return problem
  }

  async #run<Result>(sql: string, run: (text: string) => Result): Promise<Result> {
    try {
      return (await this.#around(sql, run)) as Result
    } catch (error) {
      throw this.#problem(error)
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
    await beginImmediate((sql) => connection.executeQuery(CompiledQuery.raw(sql)))
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
