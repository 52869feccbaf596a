import type { UserRow } from '../catalogue/users.ts'
import { sha256 } from '../lib/digests.ts'
import type { Sealer } from '../lib/sealed.ts'

/** How long somebody may look for his authenticator, in milliseconds. */
export const awaitedFor = 5 * 60_000

const context = 'awaited code'

/** Whose password was right, and what he had then. */
export interface Awaited {
  userId: number
  /** Of password and second factor as they were: with another one of either, or other kinds, the password is asked for again. */
  proof: string
}

/**
 * What a browser keeps between the password and the code: that the password was right, sealed, so that any node can go on from there
 * and nobody needs to send or store the password again. It signs nobody in: the code does, and what the account is by then.
 */
export class AwaitedCodes {
  readonly #sealer: Sealer
  readonly #now: () => number

  constructor({ sealer, now }: { sealer: Sealer; now: () => number }) {
    this.#sealer = sealer
    this.#now = now
  }

  seal(user: UserRow): string {
    const awaited = { userId: user.id, proof: proofOf(user), until: this.#now() + awaitedFor }
    return this.#sealer.seal(JSON.stringify(awaited), context)
  }

  /** Undefined for what is not ours, or too old. */
  open(sealed: string): Awaited | undefined {
    try {
      const { until, ...awaited } = JSON.parse(this.#sealer.open(sealed, context)) as Awaited & { until: number }
      return until > this.#now() ? awaited : undefined
    } catch {
      return undefined
    }
  }

  isStill({ proof }: Awaited, user: UserRow): boolean {
    return proof === proofOf(user)
  }
}

function proofOf({ id, password_hash, totp_secret, has_passkeys }: UserRow): string {
  return sha256(JSON.stringify([id, password_hash, totp_secret, has_passkeys]))
}
