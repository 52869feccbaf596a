import { type RawBuilder, sql } from 'kysely'
import { isPostgres } from './dialect.ts'
import type { Tx } from './schema.ts'

/**
 * What a transaction locks by name, until it ends. SQLite has one writer and needs none of it.
 *
 * Many transactions share an account at the same time, and one that takes it away must get its turn: row locks that are
 * shared are handed on past those who wait for the row alone, for ever under load; these are handed out in order.
 */
export type LockName =
  | 'first account'
  | `account ${number}`
  | `owner ${number}`
  | `package ${number} ${string}`
  | `upload ${string}`

/** Held together with others who share it. */
export function shared(name: LockName): RawBuilder<unknown> {
  return sql`pg_advisory_xact_lock_shared(hashtextextended(${name}, 0))`
}

/** Held by one transaction alone. */
export function alone(name: LockName): RawBuilder<unknown> {
  return sql`pg_advisory_xact_lock(hashtextextended(${name}, 0))`
}

/** Takes locks in the order given. What they are for must be read by a later statement: this one sees what was before. */
export async function lockByName(tx: Tx, locks: readonly RawBuilder<unknown>[]): Promise<void> {
  if (isPostgres(tx)) await sql`select ${sql.join(locks)}`.execute(tx)
}
