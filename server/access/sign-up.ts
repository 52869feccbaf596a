import { Allowance } from '../lib/allowance.ts'
import { networkOf } from '../lib/real-address.ts'
import { Problem } from '../problems.ts'
import type { Accounts, NewAccount } from './accounts.ts'
import type { SignedIn } from './caller.ts'

/** Tries from one address: each costs a password's hash, and makes a name that nobody else can have. */
const triesAnHour = 10

/** Strangers who make themselves an account, where the site lets them. */
export class SignUp {
  readonly #accounts: Accounts
  readonly #isOpen: boolean
  readonly #tries: Allowance

  constructor(parts: { accounts: Accounts; isOpen: boolean; now: () => number }) {
    this.#accounts = parts.accounts
    this.#isOpen = parts.isOpen
    this.#tries = new Allowance({ times: triesAnHour, within: 60 * 60_000, now: parts.now })
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  mustBeOpen(): void {
    if (!this.isOpen) throw new Problem('forbidden', 'Only administrators add users here.')
  }

  /** A new account, signed in; `unprocessable` when the name or the address is taken or not allowed. */
  async signUp(account: Pick<NewAccount, 'name' | 'password' | 'email'>, address: string): Promise<SignedIn> {
    this.mustBeOpen()
    const used = this.#tries.take(networkOf(address))
    if (used) {
      const sentence = `Too many new accounts from this address. Try again in ${used.wait} seconds.`
      throw new Problem('too-many-attempts', sentence, { retry_after: used.wait })
    }
    return this.#accounts.signUp(account, address)
  }
}
