/** There was no turn in time, or nobody waits for it any more. */
export class NoTurn extends Error {
  override name = 'NoTurn'
}

export interface TurnLimits {
  atOnce: number
  /** Those that wait. */
  line: number
  /** Milliseconds that each of them waits. */
  patience: number
}

/** Lets a few at a time do what takes much of a process; others wait, neither too many nor too long. */
export class Turns {
  readonly #limits: TurnLimits
  readonly #line = new Set<() => void>()
  #running = 0

  constructor(limits: TurnLimits) {
    this.#limits = limits
  }

  /** Throws `NoTurn` where it has not begun; `signal` says that nobody waits for it. */
  async take<Result>(work: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
    if (this.#running < this.#limits.atOnce) this.#running += 1
    else await this.#wait(signal)
    try {
      return await work()
    } finally {
      const [next] = this.#line
      if (next) next()
      else this.#running -= 1
    }
  }

  /** Resolves with the turn of somebody who has ended. */
  #wait(signal: AbortSignal): Promise<void> {
    if (this.#line.size >= this.#limits.line || signal.aborted) throw new NoTurn()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const begin = () => {
      this.#line.delete(begin)
      resolve()
    }
    const giveUp = () => {
      if (this.#line.delete(begin)) reject(new NoTurn())
    }
    this.#line.add(begin)
    const timer = setTimeout(giveUp, this.#limits.patience)
    signal.addEventListener('abort', giveUp)
    return promise.finally(() => {
      clearTimeout(timer)
      signal.removeEventListener('abort', giveUp)
    })
  }
}
