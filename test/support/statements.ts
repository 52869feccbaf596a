import { DatabaseError } from 'pg'
import type { AroundStatement } from '../../server/catalogue/statement.ts'
import { onPostgres } from './database.ts'

/** An error as the database under test raises it. */
function raised(message: string, sqlite: string, postgres: string): Error {
  if (!onPostgres) return Object.assign(new Error(message), { code: sqlite })
  return Object.assign(new DatabaseError(message, message.length, 'error'), { code: postgres, severity: 'ERROR' })
}

export const diskFull = () => raised('database or disk is full', 'SQLITE_FULL', '53100')
export const broken = () => raised('disk I/O error', 'SQLITE_IOERR_FSYNC', '58030')
export const unreadable = () => raised('disk I/O error', 'SQLITE_IOERR_READ', '58030')

/** Counts the statements of transactions, and makes one of them fail as the database would. */
export class Statements {
  readonly seen: string[] = []
  #failing: { at: number; error: () => Error } | undefined

  readonly around: AroundStatement = (sql, run, place) => {
    if (place === 'reading') return run(sql)
    this.seen.push(sql)
    if (this.#failing?.at !== this.seen.length - 1) return run(sql)
    const { error } = this.#failing
    this.#failing = undefined
    throw error()
  }

  /** Counts from here on; the statement with that number fails, once. */
  arm(at?: number, error: () => Error = broken): void {
    this.seen.length = 0
    this.#failing = at === undefined ? undefined : { at, error }
  }

  get fired(): boolean {
    return this.#failing === undefined
  }
}
