import { Kysely, sql } from 'kysely'
import { Problem } from '../problems.ts'
import { type MayMigrate, migrate } from './migrate.ts'
import { readingDialect, writingDialect } from './postgres-dialect.ts'
import { ConnectionPool } from './postgres-pool.ts'
import { mayStartAgain, postgresProblem } from './postgres-problem.ts'
import { probeDatabase } from './probe.ts'
import type { Schema } from './schema.ts'
import { type AroundStatement, type ReadFailed, straight } from './statement.ts'
import type { Catalogue, Transaction } from './transaction.ts'

export interface PostgresOptions {
  /** `postgres://user:password@host/database`, as node-postgres reads it. */
  url: string
  /** Connections at most; half of them for reading, so that a crowd of publishes does not hold up downloads. */
  connections: number
  around?: AroundStatement
  readFailed?: ReadFailed | undefined
  /** Told of each transaction that is started again, and why. */
  startedAgain?: (transaction: string, error: unknown) => void
}

/** How often a transaction that met another one is tried. */
const attempts = 5
const oldestServer = 14

/**
 * The catalogue in PostgreSQL, shared by any number of nodes. The database must have been migrated.
 *
 * A transaction is started again where another one was in its way; never once its commit has been sent.
 */
export function openPostgres({ url, connections, around = straight, ...told }: PostgresOptions): Catalogue {
  const half = Math.max(1, Math.floor(connections / 2))
  const readingPool = new ConnectionPool(url, half)
  const writingPool = new ConnectionPool(url, Math.max(1, connections - half))
  const writing = new Kysely<Schema>({ dialect: writingDialect(writingPool, around) })

  const transact = async <Args, Result>(work: Transaction<Args, Result>, args: Args): Promise<Result> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await writing.transaction().execute((tx) => work.run(tx, args))
      } catch (error) {
        if (attempt === attempts || !mayStartAgain(error)) throw postgresProblem(error)
        told.startedAgain?.(work.name, error)
        // Not all at once again: those who met would meet again.
        await Bun.sleep(Math.random() * 5 * 2 ** attempt)
      }
    }
  }
  return {
    read: new Kysely<Schema>({ dialect: readingDialect(readingPool, around, told.readFailed) }),
    transact,
    probe: () => transact(probeDatabase, undefined),
    close: async () => {
      await Promise.all([readingPool.close(), writingPool.close()])
    },
  }
}

/** What an operator should know of the server, besides that it can be used. */
export interface PostgresServer {
  version: string
  /** Whether a commit that was answered survives a power cut. */
  isDurable: boolean
}

/** Brings the database to the newest schema (see `migrate`); refuses a server that Stowage cannot use. */
export async function migratePostgres(url: string, release: string, ask?: MayMigrate): Promise<PostgresServer> {
  // Its own connection: a migration may take as long as it must.
  const pool = new ConnectionPool(url, 1, { unlimitedTime: true })
  try {
    const db = new Kysely<Schema>({ dialect: writingDialect(pool, straight) })
    const server = await db.transaction().execute(async (tx) => checkServer(tx))
    await migrate(db, release, undefined, ask)
    return server
  } catch (error) {
    throw postgresProblem(error)
  } finally {
    await pool.close()
  }
}

interface ServerFacts {
  version: string
  number: number
  encoding: string
  fsync: string
  readOnly: string
  role: string
  mayCreate: boolean
  mayHaveTrigrams: boolean
}

async function checkServer(tx: Kysely<Schema>): Promise<PostgresServer> {
  const { rows } = await sql<ServerFacts>`
    select current_setting('server_version') as version,
      current_setting('server_version_num')::int as number,
      current_setting('server_encoding') as encoding,
      current_setting('fsync') as fsync,
      current_setting('transaction_read_only') as "readOnly",
      current_user as role,
      coalesce(has_schema_privilege(current_schema(), 'create'), false) as "mayCreate",
      exists (select 1 from pg_available_extensions where name = 'pg_trgm' and (
        installed_version is not null or has_database_privilege(current_database(), 'create'))) as "mayHaveTrigrams"`.execute(
    tx,
  )
  const [found] = rows
  if (!found) throw new Error('PostgreSQL did not say what it is')
  if (found.number < oldestServer * 10_000) {
    throw new Problem(
      'storage-unavailable',
      `This is PostgreSQL ${found.version}; Stowage needs ${oldestServer} or newer.`,
    )
  }
  if (found.encoding !== 'UTF8') {
    throw new Problem(
      'storage-unavailable',
      `The database's encoding is ${found.encoding}; Stowage needs UTF8: create database stowage encoding 'UTF8' template template0.`,
    )
  }
  if (found.readOnly === 'on') {
    throw new Problem(
      'storage-unavailable',
      'PostgreSQL is read-only here (25006): the server is a standby, or default_transaction_read_only is on for it, this database or this role.',
    )
  }
  if (!found.mayCreate) {
    throw new Problem(
      'storage-unavailable',
      `The role ${found.role} may not create tables in this database: alter database … owner to ${found.role}.`,
    )
  }
  if (!found.mayHaveTrigrams) {
    throw new Problem(
      'storage-unavailable',
      `Stowage searches names with PostgreSQL's extension pg_trgm, which is missing, and the role ${found.role} may not make it. Have an administrator run CREATE EXTENSION pg_trgm in this database; where the server does not have it, it is in the package postgresql-contrib.`,
    )
  }
  return { version: found.version, isDurable: found.fsync === 'on' }
}
