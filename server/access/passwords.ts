import { createHmac, randomBytes } from 'node:crypto'
import { Problem } from '../problems.ts'

/** OWASP's smallest Argon2id: 19 MiB, 2 passes. The default of 64 MiB a run would let sign-ins eat the memory. */
const argon2id = { algorithm: 'argon2id', memoryCost: 19 * 1024, timeCost: 2 } as const
const atOnce = 2
const queueLength = 32
/** How long a verified password is remembered, in milliseconds. */
const rememberFor = 5 * 60_000
const rememberAtMost = 10_000

/** A hash that belongs to nobody, so that an unknown user costs as much as a wrong password. */
const nobody = await Bun.password.hash(randomBytes(16).toString('hex'), argon2id)

/**
 * Hashes and verifies passwords, few at once, and remembers for some minutes which were right.
 *
 * What is remembered is an HMAC, under a secret of this process, of the account, its stored hash and the password: a
 * changed password is another key, and the memory gives no password away.
 */
export class Passwords {
  readonly #now: () => number
  readonly #secret = randomBytes(32)
  readonly #remembered = new Map<string, number>()
  /** Verifications under way: 40 jobs that start together with one password cost one. */
  readonly #underWay = new Map<string, Promise<boolean>>()
  readonly #queue: (() => void)[] = []
  #running = 0
  /** How often Argon2 ran, for tests that count it. */
  computations = 0

  constructor(now: () => number) {
    this.#now = now
  }

  async hash(password: string): Promise<string> {
    return this.#inTurn(() => Bun.password.hash(password, argon2id))
  }

  isRemembered(user: { id: number; hash: string }, password: string): boolean {
    const until = this.#remembered.get(this.#key(user, password))
    return until !== undefined && until > this.#now()
  }

  /** Whether the password is right; for an unknown user never, at the same cost. `too-many-attempts` when the queue is full. */
  async verify(user: { id: number; hash: string } | undefined, password: string): Promise<boolean> {
    if (!user) {
      await this.#inTurn(() => Bun.password.verify(password, nobody))
      return false
    }
    const key = this.#key(user, password)
    const underWay = this.#underWay.get(key)
    if (underWay) return underWay
    const verification = this.#inTurn(() => Bun.password.verify(password, user.hash))
    this.#underWay.set(key, verification)
    try {
      const right = await verification
      if (right) this.#remember(key)
      return right
    } finally {
      this.#underWay.delete(key)
    }
  }

  #key(user: { id: number; hash: string }, password: string): string {
    return createHmac('sha256', this.#secret)
      .update(JSON.stringify([user.id, user.hash, password]))
      .digest('base64')
  }

  #remember(key: string): void {
    this.#remembered.delete(key)
    this.#remembered.set(key, this.#now() + rememberFor)
    if (this.#remembered.size > rememberAtMost) {
      const [oldest] = this.#remembered.keys()
      if (oldest !== undefined) this.#remembered.delete(oldest)
    }
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= atOnce) {
      if (this.#queue.length >= queueLength) {
        throw new Problem('too-many-attempts', 'Too many people are signing in at once. Try again in a moment.', {
          retry_after: 2,
        })
      }
      await new Promise<void>((resolve) => this.#queue.push(resolve))
    } else {
      this.#running += 1
    }
    try {
      this.computations += 1
      return await work()
    } finally {
      const next = this.#queue.shift()
      if (next) next()
      else this.#running -= 1
    }
  }
}
