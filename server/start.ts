import { type SqliteThread, startSqliteThread } from './catalogue/sqlite-thread.ts'

/** Starts the server of the environment's settings: in this process, or in several that it watches. */
export async function start(): Promise<void> {
  if (Number(process.env.STOWAGE_WORKERS) > 1) {
    const { supervise } = await import('./workers.ts')
    return supervise()
  }
  const thread = databaseThread()
  const { serve } = await import('./serve.ts')
  await serve({ thread })
}

/** What the threads of a server load is most of a start: SQLite's begins before this one has anything else. */
export function databaseThread(): SqliteThread | undefined {
  if (process.env.STOWAGE_DATABASE_URL) return undefined
  return startSqliteThread(new URL('./sqlite-worker.ts', import.meta.url).href)
}
