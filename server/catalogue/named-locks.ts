import { type RawBuilder, sql } from 'kysely'
import { isPostgres } from './dialect.ts'
import type { Tx } from './schema.ts'
import { StartAgain } from './transaction.ts'

/**
 * What a transaction locks by name, until it ends. SQLite has one writer and needs none of it.
 *
 * Many transactions share an account at the same time, and one that takes it away must get its turn: row locks that are
 * shared are handed on past those who wait for the row alone, for ever under load; these are handed out in order.
 */
export type LockName =
  | 'first account'
  | 'administrators'
  | `account ${number}`
  | `owner ${number}`
  | `package ${number} ${string}`
  | `upload ${string}`
  | `name ${string}`
  /** Of an owner, or 0 for the site: how many there are. Taken last. */
  | `webhooks ${number}`
  /** What uploads at an owner, or at all of them, may still take of its quota. */
  | `quota ${number}`
  | 'quota site'
  | 'recount'

/** Held together with others who share it. */
export function shared(name: LockName): RawBuilder<unknown> {
  return sql`pg_advisory_xact_lock_shared(hashtextextended(${name}, 0))`
}

/** Held by one transaction alone. */
export function alone(name: LockName): RawBuilder<unknown> {
  return sql`pg_advisory_xact_lock(hashtextextended(${name}, 0))`
}

/** A row of PostgreSQL has 1,664 columns at most. */
const batch = 1_000

/** Takes locks in the order given. What they are for must be read by a later statement: this one sees what was before. */
export async function lockByName(tx: Tx, locks: readonly RawBuilder<unknown>[]): Promise<void> {
  if (!isPostgres(tx)) return
  for (let from = 0; from < locks.length; from += batch) {
    await sql`select ${sql.join(locks.slice(from, from + batch))}`.execute(tx)
  }
}

/**
 * Takes the accounts' locks in their order, alone of those that lose something, together with others of those that act. So what
 * runs in a loser's name ends before this goes on, and what comes after it finds what has changed.
 */
export async function lockAccounts(
  tx: Tx,
  wanted: { alone?: readonly number[]; shared?: readonly number[] },
): Promise<void> {
  const losers = new Set(wanted.alone)
  const ids = [...new Set([...losers, ...(wanted.shared ?? [])])].sort((a, b) => a - b)
  if (ids.length === 0) return
  await lockByName(
    tx,
    ids.map((id) => (losers.has(id) ? alone(`account ${id}`) : shared(`account ${id}`))),
  )
}

/**
 * Takes alone the accounts that a query finds, together with others those of who act; answers what it finds then. Those that come
 * while this waits are taken too, out of their order: what made them come is held by then, and if all began anew, more would come.
 */
export async function lockFound(tx: Tx, find: () => Promise<number[]>, actors: readonly number[]): Promise<number[]> {
  const held = new Set<number>()
  for (let round = 0; round < 3; round += 1) {
    const found = await find()
    const late = found.filter((id) => !held.has(id))
    if (round > 0 && late.length === 0) return found
    await lockAccounts(tx, { alone: late, shared: round === 0 ? actors : [] })
    for (const id of late) held.add(id)
  }
  throw new StartAgain('more accounts came than could be held')
}
