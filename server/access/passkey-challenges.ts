import { randomBytes } from 'node:crypto'
import type { Sealer } from '../lib/sealed.ts'

/** How long somebody may look for his passkey, in milliseconds. */
export const challengeLasts = 10 * 60_000

const context = 'passkey challenge'

/** What a challenge is good for. Each is for one of these alone. */
export type Purpose = 'sign-in' | 'second-factor' | 'proof' | 'registration'

export interface Challenge {
  purpose: Purpose
  /** Base64url, as authenticators sign it. */
  challenge: string
  /** Whose passkey it must be; null where that says who signs in. */
  userId: number | null
  /** The session in which it was asked for, null where there is none yet. */
  session: number | null
  /** Of a registration: under what the authenticator keeps the account. */
  userHandle: string | null
  until: number
}

/**
 * Challenges are kept by the browsers for which they were made, sealed, so that any node can go on from there. They are as good as
 * any until their time is over: whoever takes one notes that it was used.
 */
export class PasskeyChallenges {
  readonly #sealer: Sealer
  readonly #now: () => number

  constructor({ sealer, now }: { sealer: Sealer; now: () => number }) {
    this.#sealer = sealer
    this.#now = now
  }

  make(made: Omit<Challenge, 'challenge' | 'until'>): { challenge: string; sealed: string } {
    const challenge = randomBytes(32).toString('base64url')
    const whole: Challenge = { ...made, challenge, until: this.#now() + challengeLasts }
    return { challenge, sealed: this.#sealer.seal(JSON.stringify(whole), context) }
  }

  /** Undefined for what is not ours, or too old. */
  open(sealed: string | undefined): Challenge | undefined {
    if (sealed === undefined) return undefined
    try {
      const opened = JSON.parse(this.#sealer.open(sealed, context)) as Challenge
      return opened.until > this.#now() ? opened : undefined
    } catch {
      return undefined
    }
  }
}
