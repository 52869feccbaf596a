import { Database } from 'bun:sqlite'
import { test } from 'bun:test'
import { rmSync } from 'node:fs'
import { copyFile, mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { migratePostgres } from '../../server/catalogue/postgres.ts'
import { migrateSqlite } from '../../server/catalogue/sqlite.ts'
import { type PostgresServer, sharedPostgres } from './postgres.ts'
import { until } from './until.ts'

/** `TEST_DATABASE=postgres` runs every test whose server nobody gave a database on PostgreSQL; else it is SQLite. */
export const onPostgres = process.env.TEST_DATABASE === 'postgres'

/** For what only one of them has: its file, its threads, its error codes. */
export const testOnSqlite = onPostgres ? test.skip : test

let emptyFile: Promise<string> | undefined

/** An empty database with the newest schema for a server that begins: copied, since to make it is a quarter of a server's start. */
export async function layDatabase(dataDir: string): Promise<void> {
  if (onPostgres) return
  emptyFile ??= migratedFile()
  await copyFile(await emptyFile, join(dataDir, 'stowage.db'))
}

async function migratedFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'stowage-empty-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'stowage.db')
  await migrateSqlite(file, '0.1.0')
  return file
}

/** Databases by the data directory whose catalogue they hold. */
const databases = new Map<string, Promise<string>>()
let template: Promise<string> | undefined

/** The settings for a server on this data directory; a server that comes back to it finds its database again. */
export async function databaseSettings(dataDir: string): Promise<{ STOWAGE_DATABASE_URL?: string }> {
  if (!onPostgres) return {}
  let url = databases.get(dataDir)
  if (!url) {
    url = freshDatabase()
    databases.set(dataDir, url)
  }
  return { STOWAGE_DATABASE_URL: await url }
}

/** An empty database with the newest schema, of the server's superuser. */
export async function freshDatabase(): Promise<string> {
  const used = emptied.pop()
  if (used) return used
  const server = await sharedPostgres()
  template ??= migratedTemplate(server)
  shapeAsMigrated ??= await withClient(await template, shapeOf)
  return server.createDatabase(await template)
}

async function migratedTemplate(server: PostgresServer): Promise<string> {
  const url = await server.createDatabase()
  await migratePostgres(url, '0.1.0')
  return url
}

/** For when the data directory is gone: the database is emptied, since that is quicker than to make the next one. */
export async function dropDatabaseOf(dataDir: string): Promise<void> {
  const url = databases.get(dataDir)
  databases.delete(dataDir)
  if (!url) return
  if (await isAsMigrated(await url)) emptied.push(await url)
  else await (await sharedPostgres()).dropDatabase(await url)
}

const emptied: string[] = []

/** Empties a database; false where a test has changed more than its rows. */
async function isAsMigrated(url: string): Promise<boolean> {
  return withClient(url, async (client) => {
    // Sessions of a server that was killed may still hold locks.
    await client.query(`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`)
    const shape = await shapeOf(client)
    const { rows } = await client.query(`select tablename from pg_tables where schemaname = 'public'`)
    const tables = rows.map(({ tablename }) => tablename as string).filter((name) => !name.startsWith('kysely_'))
    const deletes = tables.map((name) =>
      name === 'site' ? "delete from site where key <> 'oldest-release'" : `delete from "${name}"`,
    )
    // As a superuser: without foreign keys and triggers, in any order.
    await client.query(`set session_replication_role = replica; ${deletes.join('; ')}; ${await restarts(client)}`)
    return shape === shapeAsMigrated
  })
}

let shapeAsMigrated: string | undefined

/** Everything but rows that a test can change. */
async function shapeOf(client: Client): Promise<string> {
  const { rows } = await client.query(`
    select 'table' as what, relname as name, relkind::text as kind from pg_class where relnamespace = 'public'::regnamespace
    union all select 'function', proname, '' from pg_proc where pronamespace = 'public'::regnamespace
    union all select 'trigger', tgname, tgrelid::regclass::text from pg_trigger where not tgisinternal
    union all select 'setting', setconfig::text, '' from pg_db_role_setting
      join pg_database on pg_database.oid = setdatabase and datname = current_database()
    union all select 'migration', name, '' from kysely_migration
    order by 1, 2, 3`)
  return JSON.stringify(rows)
}

async function restarts(client: Client): Promise<string> {
  const { rows } = await client.query(`select sequencename from pg_sequences where schemaname = 'public'`)
  return rows.map(({ sequencename }) => `alter sequence "${sequencename}" restart`).join('; ')
}

/** Runs a statement behind the server's back, as another process would; answers its rows. */
export async function behindItsBack(dataDir: string, sql: string): Promise<Record<string, unknown>[]> {
  const url = databases.get(dataDir)
  if (url) return onServer(await url, sql)
  const database = new Database(join(dataDir, 'stowage.db'))
  try {
    database.run('pragma busy_timeout = 5000')
    return database.query<Record<string, unknown>, []>(sql).all()
  } finally {
    database.close()
  }
}

export async function onServer(url: string, sql: string): Promise<Record<string, unknown>[]> {
  return withClient(url, async (client) => (await client.query(sql)).rows)
}

/** When nobody at the database is busy any more with what a lost connection asked for. */
export async function untilNothingIsUnderWay(url: string): Promise<void> {
  const busy = `
    select pid from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend' and state <> 'idle'`
  await until(async () => (await onServer(url, busy)).length === 0, 'nothing is under way', 30_000)
}

async function withClient<Result>(url: string, work: (client: Client) => Promise<Result>): Promise<Result> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

/** All that the database holds, as it lies in its file or as its server tells it. */
export async function wholeDatabase(dataDir: string): Promise<Buffer> {
  const url = databases.get(dataDir)
  if (!url) {
    // What was written last lies in the log beside it while a server runs.
    const log = await readFile(join(dataDir, 'stowage.db-wal')).catch(() => Buffer.alloc(0))
    return Buffer.concat([await readFile(join(dataDir, 'stowage.db')), log])
  }
  const tables = await onServer(await url, "select tablename from pg_tables where schemaname = 'public'")
  const contents = tables.map(async ({ tablename }) => onServer(await url, `select * from "${tablename}"`))
  return Buffer.from(JSON.stringify(await Promise.all(contents)))
}
