/** Milliseconds that a transaction waits for another process that writes. */
const patience = 30_000

/**
 * Runs `begin immediate` until no other process writes. It looks every millisecond: SQLite's own waiting grows to a tenth of a second
 * between two looks, finds nothing for seconds where that process writes all the time, and holds up this thread.
 */
export async function beginImmediate(execute: (sql: string) => Promise<unknown>): Promise<void> {
  const until = performance.now() + patience
  for (;;) {
    try {
      await execute('begin immediate')
      return
    } catch (error) {
      if (!isBusy(error) || performance.now() > until) throw error
      await Bun.sleep(1)
    }
  }
}

/** Also in the problem that became of it. */
function isBusy(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return ('code' in error && String(error.code).startsWith('SQLITE_BUSY')) || isBusy(error.cause)
}
