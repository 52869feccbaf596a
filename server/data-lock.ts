import { Database } from 'bun:sqlite'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { SettingsError } from './config.ts'
import { Problem } from './problems.ts'

/** Milliseconds that a start waits for workers whose server is gone: they end as soon as they notice. */
const leftOverPatience = 5_000

/** Holds a data directory for one server. */
export interface DataLock {
  /** From now on workers of this server may join; no other server can have it, while one of them lives. */
  share(): void
  release(): void
}

/**
 * Takes the data directory for this process, or says that another server has it: an exclusive transaction on a SQLite
 * file of its own, which the kernel ends with the process, however that ends. One that is shared is reserved instead, and read by
 * those who joined.
 */
export function lockDataDirectory(folder: string, patience = leftOverPatience): DataLock {
  const database = open(folder)
  begin(database, folder, 'begin immediate')
  database.run('rollback')
  database.run(`pragma busy_timeout = ${patience}`)
  begin(database, folder, 'begin exclusive')
  return {
    share: () => {
      database.run('rollback')
      database.run('pragma busy_timeout = 0')
      begin(database, folder, 'begin immediate')
    },
    release: () => release(database),
  }
}

/** For a worker of the server that shares its lock: as long as the worker lives, no other server starts there. */
export function joinDataDirectory(folder: string): Pick<DataLock, 'release'> {
  const database = open(folder)
  begin(database, folder, 'begin')
  // What is read is of no interest: reading takes the lock.
  begin(database, folder, 'select count(*) from sqlite_schema')
  return { release: () => release(database) }
}

/** The data directory, made where it is not there, and held for this process. */
export async function takeDataDirectory(dataDir: string): Promise<DataLock> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 })
    return lockDataDirectory(dataDir)
  } catch (error) {
    if (error instanceof Problem) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new SettingsError([`STOWAGE_DATA_DIR is ${JSON.stringify(dataDir)}, but it cannot be used: ${reason}.`])
  }
}

function open(folder: string): Database {
  const database = new Database(join(folder, 'lock.db'), { create: true })
  database.run('pragma busy_timeout = 0')
  return database
}

function begin(database: Database, folder: string, statement: string): void {
  try {
    database.run(statement)
  } catch (error) {
    database.close()
    if (!(error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_BUSY'))) throw error
    throw new Problem(
      'storage-unavailable',
      `Another Stowage server is using ${folder}. Stop it, or give this one a directory of its own with STOWAGE_DATA_DIR.`,
    )
  }
}

function release(database: Database): void {
  database.run('rollback')
  database.close()
}
