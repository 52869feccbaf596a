import { createHash } from 'node:crypto'
import type { Compilable, CompiledQuery } from 'kysely'
import type { Db, Tx } from './schema.ts'
import { OneConnectionAdapter } from './sqlite-dialect.ts'

/** Stands for a value while a query is built. */
class Placeholder {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

/** A query for which PostgreSQL may keep a plan, under this name. */
export type NamedQuery<Row = unknown> = CompiledQuery<Row> & { statementName?: string | undefined }

/** A query, and the same for who does not wait: `now` is undefined where the database cannot answer without that. */
export type Prepared<Values, Row> = ((db: Db | Tx, values: Values) => Promise<Row[]>) & {
  now(db: Db | Tx, values: Values): Row[] | undefined
}

/**
 * A query that is built once and then run with other values: building costs many times what a look-up by key does. Only
 * for statements on the path of every upload or download; elsewhere a plain query reads better.
 *
 * `build` gets a placeholder in each value's place and must use them as values alone: it sees no real value, so the
 * statement cannot depend on one. `plannedOnce`: PostgreSQL may keep a plan of it that is for any values, where it is run
 * outside transactions: so for look-ups by key alone.
 */
export function prepared<Values extends object, Row>(
  names: readonly (keyof Values & string)[],
  build: (db: Db | Tx, values: Values) => Compilable<Row>,
  { plannedOnce = false }: { plannedOnce?: boolean } = {},
): Prepared<Values, Row> {
  const placeholders = Object.fromEntries(names.map((name) => [name, new Placeholder(name)])) as unknown as Values
  /** One text for each kind of database. */
  const compiled = new Map<unknown, NamedQuery<Row>>()
  const queryFor = (db: Db | Tx, values: Values) => {
    const { adapter } = db.getExecutor()
    const kind = adapter.constructor
    let query = compiled.get(kind)
    if (!query) {
      const built = build(db, placeholders).compile()
      // By its text, which two releases or programs may not both mean by one name.
      const digest = createHash('sha256').update(built.sql).digest('hex')
      query = plannedOnce ? { ...built, statementName: `stowage_${digest.slice(0, 32)}` } : built
      compiled.set(kind, query)
    }
    const parameters = query.parameters.map((parameter) =>
      parameter instanceof Placeholder ? values[parameter.name as keyof Values] : parameter,
    )
    return { adapter, query, parameters }
  }
  const run = async (db: Db | Tx, values: Values) => {
    const { adapter, query, parameters } = queryFor(db, values)
    if (adapter instanceof OneConnectionAdapter) return adapter.connection.rows<Row>(query.sql, parameters)
    return (await db.executeQuery<Row>({ ...query, parameters })).rows
  }
  const now = (db: Db | Tx, values: Values) => {
    const { adapter, query, parameters } = queryFor(db, values)
    if (adapter instanceof OneConnectionAdapter) return adapter.connection.rowsNow<Row>(query.sql, parameters)
    return undefined
  }
  return Object.assign(run, { now })
}
