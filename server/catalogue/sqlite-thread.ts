/** A thread for `openSqliteOnThread`, which may have been started long before. */
export interface SqliteThread {
  readonly worker: Worker
  /** Resolves with the reason when the thread has ended, whoever ended it. */
  readonly ended: Promise<string>
}

/** Starts a module that calls `serveSqlite`. */
export function startSqliteThread(workerUrl: string): SqliteThread {
  const worker = new Worker(workerUrl)
  const ended = new Promise<string>((resolve) => {
    const tell = (event: Event) => resolve(event instanceof ErrorEvent ? event.message : event.type)
    worker.onerror = tell
    worker.addEventListener('close', tell)
  })
  return { worker, ended }
}
