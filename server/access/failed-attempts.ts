/** Wrong passwords for one account from one address before the next one is refused unread. */
const allowed = 10
/** How long wrong passwords count, in milliseconds. */
const window = 10 * 60_000
/** Pairs that are remembered at most; the oldest are forgotten first. */
const capacity = 20_000

interface Attempts {
  count: number
  until: number
}

/**
 * Counts wrong passwords by account *and* address, so that a stranger who guesses cannot lock out anybody who signs in
 * from elsewhere.
 */
export class FailedAttempts {
  readonly #attempts = new Map<string, Attempts>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  /** Seconds until another password may be tried, or undefined when one may be tried now. */
  mustWait(account: string, address: string): number | undefined {
    const attempts = this.#current(account, address)
    return attempts && attempts.count >= allowed ? Math.ceil((attempts.until - this.#now()) / 1000) : undefined
  }

  /** Counts a try before it is known to be wrong: guesses that come at once must not pass the limit together. */
  begin(account: string, address: string): void {
    const key = pair(account, address)
    const attempts = this.#current(account, address) ?? { count: 0, until: this.#now() + window }
    this.#attempts.delete(key)
    this.#attempts.set(key, { ...attempts, count: attempts.count + 1 })
    if (this.#attempts.size > capacity) {
      const [oldest] = this.#attempts.keys()
      if (oldest !== undefined) this.#attempts.delete(oldest)
    }
  }

  succeeded(account: string, address: string): void {
    this.#attempts.delete(pair(account, address))
  }

  /** Takes back a try that was begun and not decided. */
  undecided(account: string, address: string): void {
    const attempts = this.#current(account, address)
    if (attempts) this.#attempts.set(pair(account, address), { ...attempts, count: attempts.count - 1 })
  }

  #current(account: string, address: string): Attempts | undefined {
    const attempts = this.#attempts.get(pair(account, address))
    return attempts && attempts.until > this.#now() ? attempts : undefined
  }
}

function pair(account: string, address: string): string {
  return `${address} ${account}`
}
