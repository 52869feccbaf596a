import type { Db, Tx } from './schema.ts'

/**
 * A transaction is a function of plain values, known by a name, so that it can run where the database's connection
 * is: on another thread for SQLite. It waits for nothing but its own statements. What it throws undoes all of it.
 */
export interface Transaction<Args, Result> {
  readonly name: string
  readonly run: (tx: Tx, args: Args) => Promise<Result>
}

export function transaction<Args, Result>(
  name: string,
  run: (tx: Tx, args: Args) => Promise<Result>,
): Transaction<Args, Result> {
  return { name, run }
}

// biome-ignore lint/suspicious/noExplicitAny: a list of transactions has no one type of arguments.
export type AnyTransaction = Transaction<any, unknown>

/** Thrown inside a transaction that found what another one was just removing: everything is undone, and it is run once more. */
export class StartAgain extends Error {
  override name = 'StartAgain'
}

/** The product's database. */
export interface Catalogue {
  /** Reads by key, each seeing everything that was committed before it began. */
  readonly read: Db
  /**
   * Runs a transaction; resolves when it is on stable storage.
   *
   * Throws the transaction's own `Problem`, or `storage-full` / `storage-unavailable` when it was rolled back, or
   * `outcome-unknown` when the answer to the commit was lost: then it may be there or not.
   */
  transact<Args, Result>(transaction: Transaction<Args, Result>, args: Args): Promise<Result>
  /**
   * A number that is another one after every commit, of whatever process, before it is answered. Undefined where it would cost as much
   * as asking.
   */
  readonly changes?: (() => number) | undefined
  /** Resolves when the database can be written; else a `Problem`. */
  probe(): Promise<void>
  close(): Promise<void>
}
