/** Keys that are remembered at most; the oldest are forgotten first. */
const capacity = 20_000

interface Taken {
  count: number
  until: number
}

/** How often something may be done within a time, counted by who does it. */
export class Allowance {
  readonly #times: number
  readonly #within: number
  readonly #now: () => number
  readonly #taken = new Map<string, Taken>()

  /** `within` in milliseconds, from the first time on. */
  constructor({ times, within, now }: { times: number; within: number; now: () => number }) {
    this.#times = times
    this.#within = within
    this.#now = now
  }

  /** Takes one; or says in how many seconds there will be one. */
  take(key: string): { wait: number } | undefined {
    const now = this.#now()
    const known = this.#taken.get(key)
    const taken = known && known.until > now ? known : { count: 0, until: now + this.#within }
    if (taken.count >= this.#times) return { wait: Math.ceil((taken.until - now) / 1000) }
    this.#taken.delete(key)
    this.#taken.set(key, { ...taken, count: taken.count + 1 })
    if (this.#taken.size > capacity) {
      const [oldest] = this.#taken.keys()
      if (oldest !== undefined) this.#taken.delete(oldest)
    }
    return undefined
  }
}
