import { Database } from 'bun:sqlite'
import { join } from 'node:path'
import { Problem } from './problems.ts'

/** Holds a data directory for one server. */
export interface DataLock {
  release(): void
}

/**
 * Takes the data directory for this process, or says that another server has it: an exclusive transaction on a SQLite
 * file of its own, which the kernel ends with the process, however that ends.
 */
export function lockDataDirectory(folder: string): DataLock {
  const database = new Database(join(folder, 'lock.db'), { create: true })
  try {
    database.run('pragma busy_timeout = 0')
    database.run('begin exclusive')
  } catch (error) {
    database.close()
    if (!(error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_BUSY'))) throw error
    throw new Problem(
      'storage-unavailable',
      `Another Stowage server is using ${folder}. Stop it, or give this one a directory of its own with STOWAGE_DATA_DIR.`,
    )
  }
  return {
    release: () => {
      database.run('rollback')
      database.close()
    },
  }
}
