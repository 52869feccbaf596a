import type { Logger } from 'pino'
import { formatDuration } from './lib/sizes.ts'
import { Problem } from './problems.ts'

/** Milliseconds between two lines that say that it lasts. */
const tellEvery = 60_000

/**
 * Tells the log once that the database or the storage is away, again each minute while that lasts, and once that it is
 * back: the background work, which asks every few seconds, would fill the log with it.
 */
export class Outage {
  readonly #log: Logger
  readonly #now: () => number
  #since: number | undefined
  #told = 0

  constructor(log: Logger, now: () => number) {
    this.#log = log
    this.#now = now
  }

  /** False where this is no outage, but something that somebody must look at. */
  noticed(error: unknown): boolean {
    if (!(error instanceof Problem) || !['storage-unavailable', 'outcome-unknown'].includes(error.code)) return false
    const now = this.#now()
    this.#since ??= now
    if (this.#told > 0 && now - this.#told < tellEvery) return true
    this.#told = now
    const fields = {
      'problem.cause': String(error.cause ?? ''),
      'outage.seconds': Math.round((now - this.#since) / 1000),
    }
    this.#log.warn(fields, `Background work waits: ${error.message}`)
    return true
  }

  over(): void {
    if (this.#since === undefined) return
    const seconds = Math.round((this.#now() - this.#since) / 1000)
    this.#log.info({ 'outage.seconds': seconds }, `Background work goes on, after ${formatDuration(seconds * 1000)}`)
    this.#since = undefined
    this.#told = 0
  }
}
