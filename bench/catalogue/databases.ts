import { Database } from 'bun:sqlite'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { migratePostgres, openPostgres } from '../../server/catalogue/postgres.ts'
import { migrateSqlite, openSqlite } from '../../server/catalogue/sqlite.ts'
import type { AroundStatement } from '../../server/catalogue/statement.ts'
import type { Catalogue } from '../../server/catalogue/transaction.ts'
import { startPostgres } from '../../test/support/postgres.ts'
import type { Known } from './content.ts'
import { fillPostgres, fillPostgresVersions, fillSqlite, fillSqliteVersions } from './fill.ts'
import type { KnownVersions } from './many-versions.ts'

const release = '0.1.0'

/** A catalogue full of files, and what of it can be asked for. */
export interface FilledCatalogue<Content = Known> extends AsyncDisposable {
  known: Content
  /** Another way into it; closed with it. */
  open(around?: AroundStatement): Catalogue
  /** Rows or entries, and bytes, of every table and index. */
  sizes(): Promise<Size[]>
  /** Runs a statement beside everything else. */
  execute(sql: string): Promise<Record<string, unknown>[]>
}

export interface Size {
  name: string
  table: string
  bytes: number
}

/** Where filled catalogues are made. */
export interface Databases extends AsyncDisposable {
  /** Such as `PostgreSQL 18.4`. */
  name: string
  fill(files: number): Promise<FilledCatalogue>
  fillVersions(versions: number): Promise<FilledCatalogue<KnownVersions>>
}

export async function sqliteDatabases(): Promise<Databases> {
  const folder = await mkdtemp(join(tmpdir(), 'stowage-bench-'))
  const version = new Database(':memory:').query<{ version: string }, []>('select sqlite_version() as version').get()
  const filled = async <Content>(
    name: string,
    fill: (file: string) => Content,
  ): Promise<FilledCatalogue<Awaited<Content>>> => {
    const file = join(folder, `${name}.db`)
    await migrateSqlite(file, release)
    const known = await fill(file)
    const opened: Catalogue[] = []
    const execute = async (sql: string) => {
      const database = new Database(file)
      try {
        return database.query<Record<string, unknown>, []>(sql).all()
      } finally {
        database.close()
      }
    }
    return {
      known,
      execute,
      open: (around) => remember(opened, openSqlite(file, { around })),
      sizes: async () =>
        (await execute(`
          select dbstat.name as name, tbl_name as "table", sum(pgsize) as bytes
          from dbstat join sqlite_schema on sqlite_schema.name = dbstat.name group by dbstat.name`)) as never,
      [Symbol.asyncDispose]: () => closeAll(opened),
    }
  }
  return {
    name: `SQLite ${version?.version}`,
    fill: (files) => filled(`files-${files}`, (file) => fillSqlite(file, files)),
    fillVersions: (versions) => filled(`versions-${versions}`, (file) => fillSqliteVersions(file, versions)),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}

/** On a server of its own, as durable as servers are; or, by its address, in an empty database that is emptied at the end. */
export async function postgresDatabases(address?: string): Promise<Databases> {
  const durable = { fsync: 'on', full_page_writes: 'on' }
  // What is filled is vacuumed by ourselves: a round in which the server does so cannot be compared with one in which it does not.
  const settings = { ...durable, shared_buffers: '1GB', max_wal_size: '4GB', autovacuum: 'off' }
  const server = address === undefined ? await startPostgres({ settings }) : undefined
  const created: string[] = []
  const create = async () => {
    const url = server ? await server.createDatabase() : await createBeside(String(address), created.length)
    created.push(url)
    return url
  }
  const filled = async <Content>(fill: (url: string) => Promise<Content>): Promise<FilledCatalogue<Content>> => {
    const url = await create()
    await migratePostgres(url, release)
    const known = await fill(url)
    const opened: Catalogue[] = []
    const execute = (sql: string) => query(url, sql)
    return {
      known,
      execute,
      open: (around) => remember(opened, openPostgres({ url, connections: 2, ...(around ? { around } : {}) })),
      sizes: async () =>
        (
          await execute(`
            select relname as name, coalesce(indrelid, pg_class.oid)::regclass::text as "table",
              pg_relation_size(pg_class.oid)::float8 as bytes
            from pg_class left join pg_index on indexrelid = pg_class.oid
            where relkind in ('r', 'i') and relnamespace = 'public'::regnamespace`)
        ).map((row) => row as unknown as Size),
      [Symbol.asyncDispose]: () => closeAll(opened),
    }
  }
  return {
    name: `PostgreSQL ${server?.version ?? (await versionOf(String(address)))}`,
    fill: (files) => filled((url) => fillPostgres(url, files)),
    fillVersions: (versions) => filled((url) => fillPostgresVersions(url, versions)),
    [Symbol.asyncDispose]: async () => {
      await server?.[Symbol.asyncDispose]()
      if (server) return
      for (const url of created) {
        await query(String(address), `drop database "${new URL(url).pathname.slice(1)}" with (force)`)
      }
    },
  }
}

function remember(opened: Catalogue[], catalogue: Catalogue): Catalogue {
  opened.push(catalogue)
  return catalogue
}

async function closeAll(opened: Catalogue[]): Promise<void> {
  for (const catalogue of opened.splice(0)) await catalogue.close()
}

/** Two databases next to the one that was named, which stays as it is. */
async function createBeside(address: string, number: number): Promise<string> {
  const name = `stowage_bench_${process.pid}_${number}`
  await query(address, `create database ${name} encoding 'UTF8' template template0`)
  const url = new URL(address)
  url.pathname = `/${name}`
  return url.href
}

async function versionOf(url: string): Promise<string> {
  return String((await query(url, 'show server_version'))[0]?.server_version)
}

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}
