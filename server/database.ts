import { join } from 'node:path'
import type { Logger } from 'pino'
import { mustBeInUse, useByCommand } from './catalogue/move.ts'
import { migrateSqlite, openSqlite, openSqliteOnThread } from './catalogue/sqlite.ts'
import { type SqliteThread, startSqliteThread } from './catalogue/sqlite-thread.ts'
import type { AroundStatement, ReadFailed } from './catalogue/statement.ts'
import type { Catalogue } from './catalogue/transaction.ts'
import type { Settings } from './config.ts'
import { Problem } from './problems.ts'

// Loaded where it is needed: a server with SQLite does without the driver of PostgreSQL.
const postgres = () => import('./catalogue/postgres.ts')
const postgresProblems = () => import('./catalogue/postgres-problem.ts')

/** Milliseconds that a start waits for a database that is itself just starting. */
const patience = 30_000

export interface OpenDatabase {
  /** This program's version, `major.minor.patch`. */
  release: string
  log: Logger
  around?: AroundStatement | undefined
  readFailed?: ReadFailed | undefined
  /** SQLite's, where it was started already. */
  thread?: SqliteThread | undefined
  /** Whether other processes answer requests from the same SQLite file. */
  answers?: 'alone' | 'beside others'
}

/** The catalogue where the settings say that it is, with the newest schema. Refuses one that was moved, or is being made. */
export async function openDatabase(settings: Settings, options: OpenDatabase): Promise<Catalogue> {
  const catalogue =
    settings.databaseUrl === undefined
      ? await openFile(databaseFile(settings.dataDir), options)
      : await openServer(settings.databaseUrl, settings.databaseConnections, options)
  return onlyIf(catalogue, () => mustBeInUse(catalogue.read))
}

async function onlyIf(catalogue: Catalogue, mayBeUsed: () => Promise<void>): Promise<Catalogue> {
  try {
    await mayBeUsed()
    return catalogue
  } catch (error) {
    await catalogue.close()
    throw error
  }
}

async function openFile(file: string, options: OpenDatabase): Promise<Catalogue> {
  const { release, log, around, thread } = options
  await migrateSqlite(file, release, mustBeInUse)
  if (around) return openSqlite(file, { ...options, around })
  const threadLost = (reason: string) => {
    // Whoever watches this process starts it again, and a restart loses nothing that was answered.
    log.fatal({ 'thread.reason': reason }, 'The database thread has ended: stopping')
    process.exit(70)
  }
  return openSqliteOnThread(file, thread ?? startSqliteThread(workerUrl), threadLost, options)
}

async function openServer(
  url: string,
  connections: number,
  { release, log, around, readFailed }: OpenDatabase,
): Promise<Catalogue> {
  const { migratePostgres, openPostgres } = await postgres()
  const { version, isDurable } = await onceItAnswers(log, () => migratePostgres(url, release, mustBeInUse))
  log.info({ 'database.version': version }, `Connected to PostgreSQL ${version}`)
  if (!isDurable) {
    log.warn('PostgreSQL runs with fsync off: a power cut can lose what was answered with 201')
  }
  return openPostgres({
    url,
    connections,
    ...(around ? { around } : {}),
    readFailed,
    startedAgain: (transaction, error) =>
      log.debug({ err: error, 'transaction.name': transaction }, `Starting the transaction ${transaction} again`),
  })
}

/** Database and server are often started together, and the database takes longer. */
async function onceItAnswers<Result>(log: Logger, attempt: () => Promise<Result>): Promise<Result> {
  const { isNotThereYet, postgresReason } = await postgresProblems()
  const until = performance.now() + patience
  for (let told = false; ; told = true) {
    try {
      return await attempt()
    } catch (error) {
      if (!isNotThereYet(error) || performance.now() > until) throw await startProblem(error)
      if (!told) log.warn({ 'problem.cause': postgresReason(error) }, 'The database cannot be used yet: trying again')
      await Bun.sleep(500)
    }
  }
}

/** What keeps the server from starting, with the database's own words: whoever starts it may see them. */
export async function startProblem(error: unknown): Promise<unknown> {
  const { postgresReason } = await postgresProblems()
  const reason = postgresReason(error)
  if (reason === undefined) return error
  return new Problem(
    'storage-unavailable',
    `The database of STOWAGE_DATABASE_URL cannot be used: ${reason}.`,
    {},
    error,
  )
}

const workerUrl = new URL('./sqlite-worker.ts', import.meta.url).href

export function databaseFile(dataDir: string): string {
  return join(dataDir, 'stowage.db')
}

/** The catalogue for a command that works beside a running server; nothing is migrated. */
export async function openDatabaseForCommand(settings: Settings): Promise<Catalogue> {
  const catalogue =
    settings.databaseUrl === undefined
      ? openSqlite(await existingFile(settings.dataDir))
      : (await postgres()).openPostgres({ url: settings.databaseUrl, connections: 2 })
  return onlyIf(catalogue, () => catalogue.transact(useByCommand, undefined))
}

/** The SQLite file of a data directory in which a server has run. */
export async function existingFile(dataDir: string): Promise<string> {
  const file = databaseFile(dataDir)
  if (await Bun.file(file).exists()) return file
  throw new Error(`There is no Stowage data in ${dataDir}. Set STOWAGE_DATA_DIR, or start the server once.`)
}
