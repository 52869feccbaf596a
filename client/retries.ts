import { type ConnectionLost, isPassing, Refused } from './errors.ts'

/** How often and when something is tried again. */
export interface Retries {
  /** All in all; 1 is never again. */
  attempts?: number
  /** Milliseconds before the second attempt; twice as many before each further one. */
  firstWaitMs?: number
  /** Milliseconds; a server that wants to be left alone for longer has refused. */
  longestWaitMs?: number
  /** In place of a timer. */
  wait?: (milliseconds: number, signal: AbortSignal | undefined) => Promise<void>
}

/** Counts attempts, and waits between them. */
export class Attempts {
  readonly #settings: Required<Retries>
  readonly #signal: AbortSignal | undefined
  #made = 1

  constructor(retries: Retries = {}, signal?: AbortSignal) {
    this.#settings = { attempts: 5, firstWaitMs: 500, longestWaitMs: 60_000, wait: pause, ...retries }
    this.#signal = signal
  }

  /** Waits until the next attempt is due; throws what ended the last one where there is no other. */
  async again(failure: ConnectionLost | Refused): Promise<void> {
    const { attempts, longestWaitMs, wait } = this.#settings
    const asked = failure instanceof Refused ? (failure.retryAfterMs ?? 0) : 0
    if (this.#made >= attempts || asked > longestWaitMs) throw failure
    await wait(Math.max(asked, this.#backOff()), this.#signal)
    this.#signal?.throwIfAborted()
    this.#made += 1
  }

  /** Milliseconds. Half of it is chance: clients that failed together must not come back together. */
  #backOff(): number {
    const { firstWaitMs, longestWaitMs } = this.#settings
    const whole = Math.min(longestWaitMs, firstWaitMs * 2 ** (this.#made - 1))
    return whole * (0.5 + Math.random() / 2)
  }
}

function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, milliseconds)
    signal?.addEventListener('abort', done)
  })
}

/** Does what can be done again and again, until it is done or fails for good. */
export async function repeated<Result>(
  retries: Retries | undefined,
  signal: AbortSignal | undefined,
  work: () => Promise<Result>,
): Promise<Result> {
  const attempts = new Attempts(retries, signal)
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!isPassing(error)) throw error
      await attempts.again(error)
    }
  }
}
