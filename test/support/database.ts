import { Database } from 'bun:sqlite'
import { test } from 'bun:test'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from 'pg'
import { migratePostgres } from '../../server/catalogue/postgres.ts'
import { type PostgresServer, sharedPostgres } from './postgres.ts'

/** `TEST_DATABASE=postgres` runs every test whose server nobody gave a database on PostgreSQL; else it is SQLite. */
export const onPostgres = process.env.TEST_DATABASE === 'postgres'

/** For what only one of them has: its file, its threads, its error codes. */
export const testOnSqlite = onPostgres ? test.skip : test
export const testOnPostgres = onPostgres ? test : test.skip

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

/** An empty database with the newest schema. */
export async function freshDatabase(): Promise<string> {
  const server = await sharedPostgres()
  template ??= migratedTemplate(server)
  return server.createDatabase(await template)
}

async function migratedTemplate(server: PostgresServer): Promise<string> {
  const url = await server.createDatabase()
  await migratePostgres(url, '0.1.0')
  return url
}

/** For when the data directory is gone. */
export async function dropDatabaseOf(dataDir: string): Promise<void> {
  const url = databases.get(dataDir)
  databases.delete(dataDir)
  if (url) await (await sharedPostgres()).dropDatabase(await url)
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
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

/** All that the database holds, as it lies in its file or as its server tells it. */
export async function wholeDatabase(dataDir: string): Promise<Buffer> {
  const url = databases.get(dataDir)
  if (!url) return readFile(join(dataDir, 'stowage.db'))
  const tables = await onServer(await url, "select tablename from pg_tables where schemaname = 'public'")
  const contents = tables.map(async ({ tablename }) => onServer(await url, `select * from "${tablename}"`))
  return Buffer.from(JSON.stringify(await Promise.all(contents)))
}
