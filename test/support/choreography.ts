import type { AroundStatement } from '../../server/catalogue/statement.ts'

/** A place in a transaction where it stands until it may go on. */
interface Stop {
  at: (sql: string) => boolean
  arrived: () => void
  /** Resolves when it may go on. */
  go: Promise<void>
}

/** Lets a test decide in which order the statements of several transactions run, and which locks they take. */
export class Choreography {
  /** Every statement of a transaction, in the order in which they began. */
  readonly seen: string[] = []
  readonly #stops: Stop[] = []
  #rewrite = (sql: string) => sql

  readonly around: AroundStatement = async (sql, run, place) => {
    if (place === 'reading') return run(sql)
    this.seen.push(sql)
    const result = await run(this.#rewrite(sql))
    const index = this.#stops.findIndex(({ at }) => at(sql))
    if (index === -1) return result
    const [stop] = this.#stops.splice(index, 1)
    stop?.arrived()
    await stop?.go
    return result
  }

  /** Statements run as this makes them: for showing what happens without a lock. */
  rewrite(change: (sql: string) => string): void {
    this.#rewrite = change
  }

  /** The next transaction that has run such a statement stands there. */
  stopAfter(at: RegExp): { arrived: Promise<void>; goOn: () => void; hasArrived: () => boolean } {
    const arrival = Promise.withResolvers<void>()
    const departure = Promise.withResolvers<void>()
    let there = false
    const arrived = () => {
      there = true
      arrival.resolve()
    }
    this.#stops.push({ at: (sql) => at.test(sql), arrived, go: departure.promise })
    return { arrived: arrival.promise, goOn: departure.resolve, hasArrived: () => there }
  }

  /** How many transactions were undone. */
  get undone(): number {
    return this.seen.filter((sql) => sql === 'rollback').length
  }
}

const rowLock = / for (update|key share)$/
const namedLock = /pg_advisory_xact_lock(?:_shared)?\(/g

/** Takes the row locks of a table away. */
export function withoutRowLocksOn(table: string): (sql: string) => string {
  const from = new RegExp(`from "${table}"`)
  return (sql) => (from.test(sql) ? sql.replace(rowLock, '') : sql)
}

/** Takes the locks by name away: each is computed, and not taken. */
export function withoutNamedLocks(sql: string): string {
  return sql.replace(namedLock, 'abs(')
}

export function withoutLocks(sql: string): string {
  return withoutNamedLocks(sql.replace(rowLock, ''))
}
