import type { OwnerRow } from '../catalogue/owners.ts'
import { ownerByKey } from '../catalogue/owners.ts'
import { tokenBySha256 } from '../catalogue/tokens.ts'
import type { Catalogue } from '../catalogue/transaction.ts'
import { type UserRow, userByEmailKey, userById, userByNameKey } from '../catalogue/users.ts'
import { sha256 } from '../lib/digests.ts'
import { ownerKey } from '../names.ts'
import { Problem } from '../problems.ts'
import { emailKey } from './accounts.ts'
import {
  accountFrom,
  anonymous,
  type Caller,
  maySignIn,
  type SignedIn,
  tokenCredential,
  tokenIsValid,
} from './caller.ts'
import type { Credentials } from './credentials.ts'
import { FailedAttempts } from './failed-attempts.ts'
import { type Grant, grant, wrongCredentials } from './grant.ts'
import { nobody, type PasswordHolder, type Passwords } from './passwords.ts'
import type { Verb } from './rules.ts'

/** Credentials → `Caller` → `Grant`. */
export class Access {
  readonly #catalogue: Catalogue
  readonly #passwords: Passwords
  readonly #attempts: FailedAttempts
  readonly #now: () => number

  constructor(parts: { catalogue: Catalogue; passwords: Passwords; now: () => number }) {
    this.#catalogue = parts.catalogue
    this.#passwords = parts.passwords
    this.#now = parts.now
    this.#attempts = new FailedAttempts(parts.now)
  }

  /** Who is calling from that address; `credentials-wrong` when what was sent is not right. */
  async caller(credentials: Credentials, address: string): Promise<Caller> {
    switch (credentials.kind) {
      case 'none':
        return anonymous
      case 'malformed':
        throw wrongCredentials()
      case 'token': {
        const caller = await this.#byToken(credentials.token, credentials.viaBasic)
        if (!caller) throw wrongCredentials()
        return caller
      }
      case 'password':
        return (await this.#byToken(credentials.password, true)) ?? this.#byPassword(credentials, address)
    }
  }

  /** Leave to read or write at the owner of that name, or the refusal that the protocol wants. */
  async grant<V extends Verb>(verb: V, caller: Caller, owner: string): Promise<Grant<V>> {
    return grant(verb, caller, await this.owner(owner))
  }

  /** The owner of that name, whoever asks. */
  async owner(name: string): Promise<OwnerRow | undefined> {
    const key = ownerKey(name)
    return key === undefined ? undefined : ownerByKey(this.#catalogue.read, key)
  }

  async #byToken(token: string, viaBasic: boolean): Promise<SignedIn | undefined> {
    if (!/^[0-9a-f]{40}$/.test(token)) return undefined
    // Tokens are long and random: one SHA-256 is enough to store and find them by.
    const row = await tokenBySha256(this.#catalogue.read, sha256(token))
    if (!row) return undefined
    const user = await userById(this.#catalogue.read, row.user_id)
    if (!user || !maySignIn(user) || !tokenIsValid(row, this.#now())) throw wrongCredentials()
    return { kind: 'user', account: accountFrom(user), credential: tokenCredential(row, viaBasic) }
  }

  async #byPassword({ user, password }: { user: string; password: string }, address: string): Promise<SignedIn> {
    const row = await this.#userNamed(user)
    const hash = row?.password_hash
    // An unknown name goes the same way as a known one, with a hash that no password has.
    const known = row && hash ? { id: row.id, hash } : nobody(user)
    if (!this.#passwords.isRemembered(known, password)) {
      // Keyed by what was typed where there is no account: an unknown name must not answer otherwise than a known one.
      const account = row ? String(row.id) : sha256(user.toLowerCase())
      if (!(await this.#tryPassword(known, password, account, address))) throw wrongCredentials()
    }
    if (!row || !maySignIn(row)) throw wrongCredentials()
    return { kind: 'user', account: accountFrom(row), credential: { kind: 'password', hash: known.hash } }
  }

  /** Whether the password is right; `too-many-attempts` where this address has guessed too often at this account. */
  async #tryPassword(known: PasswordHolder, password: string, account: string, address: string): Promise<boolean> {
    if (this.#passwords.isUnderWay(known, password)) return this.#passwords.verify(known, password)
    const wait = this.#attempts.mustWait(account, address)
    if (wait !== undefined) {
      const sentence = `Too many wrong passwords. Try again in ${wait} seconds, or use a token.`
      throw new Problem('too-many-attempts', sentence, { retry_after: wait })
    }
    this.#attempts.begin(account, address)
    const right = await this.#passwords.verify(known, password).catch((error) => {
      this.#attempts.undecided(account, address)
      throw error
    })
    if (right) this.#attempts.succeeded(account, address)
    return right
  }

  async #userNamed(user: string): Promise<UserRow | undefined> {
    const email = emailKey(user)
    if (email !== undefined) return userByEmailKey(this.#catalogue.read, email)
    const key = ownerKey(user)
    return key === undefined ? undefined : userByNameKey(this.#catalogue.read, key)
  }
}
