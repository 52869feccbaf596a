import { createHmac, randomBytes } from 'node:crypto'
import { Problem } from '../problems.ts'

/** What Argon2id (RFC 9106) costs: memory in KiB, passes over it. */
export interface PasswordCost {
  memoryCost: number
  timeCost: number
}

/** OWASP's smallest: 19 MiB, 2 passes. The default of 64 MiB a run would let sign-ins eat the memory. */
const usualCost: PasswordCost = { memoryCost: 19 * 1024, timeCost: 2 }
const atOnce = 2
const queueLength = 32
/** How long a verified password is remembered, in milliseconds. */
const rememberFor = 5 * 60_000
const rememberAtMost = 10_000

/** Whose password is asked for. */
export interface PasswordHolder {
  /** A user's id; for an unknown user, the name as typed. */
  id: number | string
  hash: string
  /** The name or address as it was typed, folded; undefined where nobody typed any. */
  typed?: string
}

/** As one of the usual cost is written (PHC string format), of which nobody knows a password: made without computing one. */
const nobodysHash = `$argon2id$v=19$m=${usualCost.memoryCost},t=${usualCost.timeCost},p=1$${random256()}$${random256()}`

function random256(): string {
  return randomBytes(32).toString('base64').replace(/=$/, '')
}

function argon2id(password: string, cost: PasswordCost): Promise<string> {
  return Bun.password.hash(password, { algorithm: 'argon2id', ...cost })
}

/** An unknown user, whose password is never right and costs as much as a wrong one. */
export function nobody(name: string): PasswordHolder {
  return { id: name, hash: nobodysHash }
}

/**
 * Hashes and verifies passwords, few at once, and remembers for some minutes which were right.
 *
 * What is remembered is an HMAC, under a secret of this process, of the account, its stored hash and the password: a
 * changed password is another key, and the memory gives no password away.
 */
export class Passwords {
  readonly #now: () => number
  readonly #cost: PasswordCost
  readonly #secret = randomBytes(32)
  readonly #remembered = new Map<string, number>()
  /** Verifications under way: 40 jobs that start together with one password cost one. */
  readonly #underWay = new Map<string, Promise<boolean>>()
  readonly #queue: (() => void)[] = []
  #running = 0
  /** How often Argon2 ran, for tests that count it. */
  computations = 0

  /** `cost` of new hashes: less than usual only where a test makes hundreds of accounts. */
  constructor(now: () => number, cost = usualCost) {
    this.#now = now
    this.#cost = cost
  }

  async hash(password: string): Promise<string> {
    return this.#inTurn(() => argon2id(password, this.#cost))
  }

  isRemembered(user: PasswordHolder, password: string): boolean {
    const key = this.#key(user, password)
    const until = this.#remembered.get(key)
    if (until === undefined || until <= this.#now()) return false
    // Used, so remembered on: a job that runs all day must not meet the limit on wrong passwords in between.
    this.#remember(key)
    return true
  }

  /** Whether this very password is being verified now: another request with it adds no guess. */
  isUnderWay(user: PasswordHolder, password: string): boolean {
    return this.#underWay.has(this.#typedKey(user, password))
  }

  /** Whether the password is right. `too-many-attempts` when the queue is full. */
  async verify(user: PasswordHolder, password: string): Promise<boolean> {
    const key = this.#typedKey(user, password)
    const underWay = this.#underWay.get(key)
    if (underWay) return underWay
    const verification = this.#inTurn(() => Bun.password.verify(password, user.hash))
    this.#underWay.set(key, verification)
    try {
      const right = await verification
      if (right) this.#remember(this.#key(user, password))
      return right
    } finally {
      this.#underWay.delete(key)
    }
  }

  /** By what was typed: who asks by name and address at once must not learn that both lead to one account. */
  #typedKey(user: PasswordHolder, password: string): string {
    return this.#key({ ...user, id: user.typed ?? user.id }, password)
  }

  #key(user: PasswordHolder, password: string): string {
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
