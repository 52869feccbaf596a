import type { Logger } from 'pino'

/**
 * Milliseconds within which the same signal is one request to stop: a terminal's Ctrl-C, or a service manager that signals the
 * whole group, reaches a process twice, from there and from npm or whoever else started it.
 */
const sameRequest = 500

/** Calls `stop` when this process is asked to stop, and `stopAtOnce` when it is asked again. */
export function onStopSignals(
  log: Logger,
  stop: (signal: NodeJS.Signals) => Promise<void>,
  stopAtOnce: () => void,
): void {
  let asked: number | undefined
  const heard = async (signal: NodeJS.Signals) => {
    const now = performance.now()
    if (asked !== undefined && now - asked < sameRequest) return
    if (asked !== undefined) {
      log.warn(`${signal} again: stopping at once`)
      stopAtOnce()
      return
    }
    asked = now
    await stop(signal)
    process.exit(0)
  }
  process.on('SIGTERM', heard)
  process.on('SIGINT', heard)
}
