import { PostgresAdapter, type RawBuilder, sql } from 'kysely'
import type { Db, Tx } from './schema.ts'

/** Whether this is PostgreSQL; else it is SQLite. */
export function isPostgres(db: Db | Tx): boolean {
  return db.getExecutor().adapter instanceof PostgresAdapter
}

interface Lockable {
  modifyEnd(modifier: RawBuilder<unknown>): this
}

type RowLock = 'for update' | 'for key share' | 'for update skip locked'

/**
 * Locks the rows that a query finds until the transaction ends: `query.$call(locked(tx, 'for update'))`. On SQLite a
 * transaction that writes is alone, so nothing need be said.
 *
 * The order in which things are locked is the same everywhere, or two transactions wait for each other: first by name
 * (`named-locks.ts`), then rows; ARCHITECTURE.md has it in full.
 */
export function locked(tx: Tx, lock: RowLock): <Query extends Lockable>(query: Query) => Query {
  return (query) => (isPostgres(tx) ? query.modifyEnd(sql.raw(lock)) : query)
}

/** Whether a column is one of these, however many they are: the statement stays the same. */
export function isOneOf(db: Db | Tx, column: string, values: readonly number[]): RawBuilder<boolean> {
  return isPostgres(db)
    ? sql<boolean>`${sql.ref(column)} = any(${values}::bigint[])`
    : sql<boolean>`${sql.ref(column)} in (select value from json_each(${JSON.stringify(values)}))`
}

/**
 * The moment, in milliseconds since 1970, that all nodes agree on: the database's own clock on PostgreSQL, since each node may
 * have another. SQLite has one process, whose clock is `now`.
 */
export function agreedNow(tx: Tx, now: number): RawBuilder<number> {
  return isPostgres(tx) ? sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint` : sql<number>`${now}`
}
