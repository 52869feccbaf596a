import { createHash } from 'node:crypto'
import type { OwnerRow } from '../catalogue/owners.ts'
import { ownerByKey } from '../catalogue/owners.ts'
import { tokenBySha256 } from '../catalogue/tokens.ts'
import type { Catalogue } from '../catalogue/transaction.ts'
import { type UserRow, userByEmailKey, userById, userByNameKey } from '../catalogue/users.ts'
import { ownerKey } from '../names.ts'
import { Problem } from '../problems.ts'
import { emailKey } from './accounts.ts'
import { accountFrom, anonymous, type Caller, maySignIn, type SignedIn, tokenIsValid } from './caller.ts'
import type { Credentials } from './credentials.ts'
import { FailedAttempts } from './failed-attempts.ts'
import { type Grant, grant, wrongCredentials } from './grant.ts'
import type { Passwords } from './passwords.ts'
import type { Verb } from './rules.ts'
import { scopesFrom } from './scopes.ts'

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
    const row = await tokenBySha256(this.#catalogue.read, sha256(token))
    if (!row) return undefined
    const user = await userById(this.#catalogue.read, row.user_id)
    if (!user || !maySignIn(user) || !tokenIsValid(row, this.#now())) throw wrongCredentials()
    const credential = { kind: 'token', id: row.id, scopes: scopesFrom(row.scopes), viaBasic } as const
    return { kind: 'user', account: accountFrom(user), credential }
  }

  async #byPassword({ user, password }: { user: string; password: string }, address: string): Promise<SignedIn> {
    const row = await this.#userNamed(user)
    const hash = row?.password_hash
    const known = row && hash ? { id: row.id, hash } : undefined
    if (!known || !this.#passwords.isRemembered(known, password)) {
      // Keyed by what was typed where there is no account: an unknown name must not answer otherwise than a known one.
      const account = row ? String(row.id) : sha256(user.toLowerCase())
      const wait = this.#attempts.mustWait(account, address)
      if (wait !== undefined) {
        throw new Problem(
          'too-many-attempts',
          `Too many wrong passwords. Try again in ${wait} seconds, or use a token.`,
          {
            retry_after: wait,
          },
        )
      }
      if (!(await this.#passwords.verify(known, password))) {
        this.#attempts.failed(account, address)
        throw wrongCredentials()
      }
      this.#attempts.succeeded(account, address)
    }
    if (!row || !known || !maySignIn(row)) throw wrongCredentials()
    return { kind: 'user', account: accountFrom(row), credential: { kind: 'password', hash: known.hash } }
  }

  async #userNamed(user: string): Promise<UserRow | undefined> {
    const email = emailKey(user)
    if (email !== undefined) return userByEmailKey(this.#catalogue.read, email)
    const key = ownerKey(user)
    return key === undefined ? undefined : userByNameKey(this.#catalogue.read, key)
  }
}

/** Tokens are long and random: one SHA-256 is enough to store and find them by. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
