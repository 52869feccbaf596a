import pg from 'pg'
import { Problem } from '../problems.ts'
import { endsConnection, LostConnection, NoConnection } from './postgres-problem.ts'

/** Milliseconds that a statement may take; the server breaks it off then. Migrations are spared. */
export const statementTimeout = 10_000
/** Milliseconds after which a server that does not answer at all counts as gone. */
const answerTimeout = statementTimeout + 2_000
/** Milliseconds that a request may wait for a connection. */
const connectionTimeout = 5_000
/** Requests that may wait for a connection at the same time; who comes after is told to come back at once. */
const longestQueue = 500
/** Seconds after which a connection is replaced: what a server or a pooler in between has piled up goes with it. */
const longestLife = 30 * 60

const int8 = 20
const numeric = 1700

/** `bigint` columns are sizes, times and ids, all well below 2^53. */
const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === int8 || oid === numeric ? Number : pg.types.getTypeParser(oid, format),
}

export interface StatementResult {
  command: string
  rows: unknown[]
  rowCount: number | null
}

/** A connection that one caller has for himself. */
export class Connection {
  readonly #client: pg.PoolClient
  #broken = false

  constructor(client: pg.PoolClient) {
    this.#client = client
  }

  /** Whether something happened after which no statement may be sent any more. */
  get isBroken(): boolean {
    return this.#broken
  }

  /**
   * Runs a statement; `LostConnection` where no answer came. Without a name a pooler may hand it to any server connection; with one the
   * server keeps it, and may say `isForgotten`.
   */
  async run(sql: string, parameters: readonly unknown[] = [], name?: string): Promise<StatementResult> {
    if (this.#broken) throw new LostConnection('it broke earlier')
    try {
      if (name !== undefined) return await this.#client.query({ name, text: sql, values: [...parameters] })
      // Without parameters it goes as a simple query, which may hold several statements.
      return await (parameters.length > 0 ? this.#client.query(sql, [...parameters]) : this.#client.query(sql))
    } catch (error) {
      if (!endsConnection(error)) throw error
      this.#broken = true
      throw error instanceof pg.DatabaseError && !isGone(error) ? error : new LostConnection(error)
    }
  }

  /** The server's process behind it. */
  get processId(): number | undefined {
    return (this.#client as { processID?: number }).processID
  }

  release(): void {
    this.#client.release(this.#broken)
  }
}

/** The server ended the connection, rather than refuse a statement on it. */
function isGone(error: pg.DatabaseError): boolean {
  return /^(08|57P|25P03)/.test(error.code ?? '')
}

/**
 * The driver takes these modes for `verify-full`, and prints a page about it to standard error: said as what it means, it is
 * silent, and goes on to mean that should a later driver weaken them.
 */
export function driverAddress(url: string): string {
  if (/[?&]uselibpqcompat=true(?=&|$)/.test(url)) return url
  return url.replace(/([?&]sslmode=)(prefer|require|verify-ca)(?=&|$)/g, '$1verify-full')
}

/** A bounded number of connections, and a bounded number of those who wait for one. */
export class ConnectionPool {
  readonly #pool: pg.Pool
  readonly #url: string
  /** Milliseconds; 0 where a statement may take as long as it must. */
  readonly statementTimeout: number

  constructor(url: string, size: number, limits: { unlimitedTime?: boolean } = {}) {
    this.#url = driverAddress(url)
    this.statementTimeout = limits.unlimitedTime ? 0 : statementTimeout
    this.#pool = new pg.Pool({
      connectionString: this.#url,
      application_name: 'stowage',
      max: size,
      connectionTimeoutMillis: connectionTimeout,
      idleTimeoutMillis: 60_000,
      maxLifetimeSeconds: longestLife,
      keepAlive: true,
      types,
      ...(limits.unlimitedTime ? {} : { query_timeout: answerTimeout }),
    })
    // A connection that dies while nothing runs on it is replaced by the next who needs one: nobody need be told.
    this.#pool.on('error', () => {})
    this.#pool.on('connect', (client) => client.on('error', () => {}))
  }

  /** A connection; `storage-unavailable` when there is none in time. */
  async take(): Promise<Connection> {
    if (this.#pool.waitingCount >= longestQueue) throw busy()
    try {
      return new Connection(await this.#pool.connect())
    } catch (error) {
      if (error instanceof Error && error.message === 'timeout exceeded when trying to connect') {
        throw busy(new NoConnection(error))
      }
      throw new Problem(
        'storage-unavailable',
        'The database cannot be reached now: nothing was changed.',
        {},
        new NoConnection(error),
      )
    }
  }

  /**
   * Has the server break off what it does for a connection that was given up: a read has no time limit of its own there. Best
   * effort, on a connection beside the pool. Behind a pooler the number is no server process's, and nothing happens.
   */
  async cancel(processId: number | undefined): Promise<void> {
    if (processId === undefined) return
    const client = new pg.Client({
      connectionString: this.#url,
      application_name: 'stowage',
      connectionTimeoutMillis: connectionTimeout,
      query_timeout: connectionTimeout,
    })
    client.on('error', () => {})
    try {
      await client.connect()
      await client.query('select pg_cancel_backend($1)', [processId])
    } catch {
      // A server that stands still has nothing to be broken off.
    } finally {
      await client.end().catch(() => {})
    }
  }

  async close(): Promise<void> {
    await this.#pool.end()
  }
}

function busy(cause?: unknown): Problem {
  return new Problem(
    'storage-unavailable',
    'The database is busy: nothing was changed. Try again in a moment.',
    { retry_after: 2 },
    cause,
  )
}
