import {
  type CallerKeys,
  type CallingDeployToken,
  type CallingToken,
  type FoundCaller,
  findAddressNow,
  findCaller,
  findCallerAndAddress,
} from '../catalogue/callers.ts'
import type { AddressKeys, AddressRow } from '../catalogue/files.ts'
import type { Catalogue } from '../catalogue/transaction.ts'
import { type UserRow, userById } from '../catalogue/users.ts'
import { sha256 } from '../lib/digests.ts'
import { networkOf } from '../lib/real-address.ts'
import { ownerKey } from '../names.ts'
import { Problem } from '../problems.ts'
import { emailKey } from './accounts.ts'
import type { AwaitedCodes } from './awaited-codes.ts'
import {
  accountFrom,
  anonymous,
  type Caller,
  type DeployTokenCaller,
  deployTokenCaller,
  maySignIn,
  type SignedIn,
  tokenCredential,
  tokenIsValid,
} from './caller.ts'
import type { Credentials } from './credentials.ts'
import { FailedAttempts } from './failed-attempts.ts'
import { type PasswordCaller, wrongCredentials, wrongPassword } from './grant.ts'
import type { LastUses } from './last-uses.ts'
import { nobody, type PasswordHolder, type Passwords } from './passwords.ts'
import type { SecondFactors } from './second-factor.ts'
import type { Refusal, SignIns } from './sign-ins.ts'

/** For those who may not import the catalogue. */
export type { AddressKeys, AddressRow }

/** Who is calling, and what is at the address that he named. */
export interface Resolved {
  caller: Caller
  found: AddressRow | undefined
}

/** How people may come in here. */
export interface SignInModes {
  /** Whether nobody sees anything before he has signed in. */
  requireSignIn: boolean
  /** Whether passwords are credentials. */
  passwordLogin: boolean
  /** Whether there may be accounts that have another way in than a password, and no use for one. */
  someTakeNoPassword: () => boolean
}

const nothingFound: FoundCaller = { caller: undefined, deployToken: undefined }

/** Passwords of one network that are verified or wait at once: half the places, so that nobody takes all of them. */
const mostOfOneNetwork = 16

/** Credentials → `Caller`. */
export class Access {
  readonly #catalogue: Catalogue
  readonly #passwords: Passwords
  readonly #secondFactors: SecondFactors
  readonly #awaitedCodes: AwaitedCodes
  readonly #attempts: FailedAttempts
  readonly #now: () => number
  readonly #modes: SignInModes
  /** Passwords that are being verified, by the network that sent them. */
  readonly #underWay = new Map<string, number>()
  readonly #lastUses: LastUses
  readonly #signIns: SignIns

  constructor(parts: {
    catalogue: Catalogue
    passwords: Passwords
    secondFactors: SecondFactors
    awaitedCodes: AwaitedCodes
    lastUses: LastUses
    signIns: SignIns
    now: () => number
    modes: SignInModes
  }) {
    this.#catalogue = parts.catalogue
    this.#passwords = parts.passwords
    this.#secondFactors = parts.secondFactors
    this.#awaitedCodes = parts.awaitedCodes
    this.#now = parts.now
    this.#modes = parts.modes
    this.#lastUses = parts.lastUses
    this.#signIns = parts.signIns
    this.#attempts = new FailedAttempts(parts.now)
  }

  /** Who is calling, and `remote` from where; `credentials-wrong` when what was sent is not right. */
  async caller(credentials: Credentials, remote: () => string): Promise<Caller> {
    const keys = keysOf(credentials)
    const found = keys ? await findCaller(this.#catalogue.read, keys) : nothingFound
    return this.#identify(credentials, found, remote)
  }

  /** Who is calling, as `caller` says it, and what is at the file's address: one look-up. Nothing says yet that he may see it. */
  async resolve(credentials: Credentials, remote: () => string, address: AddressKeys): Promise<Resolved> {
    const { address: found, ...who } = await findCallerAndAddress(this.#catalogue.read, keysOf(credentials), address)
    return { caller: await this.#identify(credentials, who, remote), found }
  }

  /** What is at the file's address, for who brings no credentials; undefined where that cannot be told at once. */
  resolveNow(address: AddressKeys): Resolved | undefined {
    const found = findAddressNow(this.#catalogue.read, address)
    return found && { caller: this.stranger, found: found.address }
  }

  /** A token that was let in was sent once more, and nothing has changed that decides about it. */
  tokenUsed({ used, id }: { used: 'tokens' | 'deploy_tokens'; id: number }): void {
    this.#lastUses.note(used, id)
  }

  /** What is at an address, for who is known already: by a browser's session, or as nobody. */
  async resolveFor(caller: Caller, address: AddressKeys): Promise<Resolved> {
    const isUser = caller.kind === 'user'
    const nameKey = isUser ? (ownerKey(caller.account.name) ?? null) : null
    const keys = isUser ? { tokenSha256: null, nameKey, emailKey: null } : undefined
    const { caller: again, address: found } = await findCallerAndAddress(this.#catalogue.read, keys, address)
    // His name is somebody else's by now, or nobody's: what was looked up is not about him.
    if (isUser && again?.user.id !== caller.account.id) throw wrongCredentials()
    return { caller, found }
  }

  /** Who calls without any credentials. */
  get stranger(): Caller {
    return this.#modes.requireSignIn ? { kind: 'anonymous', mustSignIn: true } : anonymous
  }

  /** Whether passwords are credentials here. */
  get takesPasswords(): boolean {
    return this.#modes.passwordLogin
  }

  /** Who gives his password to sign in with a browser. A token in its place is nothing but a wrong password. */
  async signIn(credentials: Extract<Credentials, { kind: 'password' }>, remote: string): Promise<SignedIn> {
    const user = await this.#userToSignIn(credentials)
    // That he did, is written down with his session.
    return this.#byPassword(user, credentials, remote, 'browser')
  }

  /**
   * The same in two steps, for a form that asks for the code only of who has one: then `awaited` is for his browser to bring with the
   * code. It is noted like every right password without its code.
   */
  async beginSignIn(
    { user, password }: { user: string; password: string },
    remote: string,
  ): Promise<{ caller: SignedIn; awaited?: undefined } | { caller?: undefined; awaited: string }> {
    const credentials = { kind: 'password', user, password, code: undefined } as const
    const { row, hash } = await this.#rightPassword(await this.#userToSignIn(credentials), credentials, remote)
    if (row.totp_secret === null && row.has_passkeys === 0)
      return { caller: await this.#withCode(row, hash, undefined, remote, 'browser') }
    this.#signIns.failed(row.totp_secret === null ? 'passkey-missing' : 'code-missing', remote, row)
    return { awaited: this.#awaitedCodes.seal(row) }
  }

  /**
   * Whose second factor is awaited of a browser that brings what `beginSignIn` gave it, and which he has; undefined where the first
   * step must be taken again: it is too long ago, or the account has changed.
   */
  async awaited(awaited: string): Promise<{ userId: number; hasCode: boolean; hasPasskeys: boolean } | undefined> {
    const row = await this.#awaitedUser(awaited)
    return row && { userId: row.id, hasCode: row.totp_secret !== null, hasPasskeys: row.has_passkeys === 1 }
  }

  async #awaitedUser(awaited: string): Promise<UserRow | undefined> {
    const opened = this.#awaitedCodes.open(awaited)
    const row = opened && (await userById(this.#catalogue.read, opened.userId))
    return opened && row && this.#awaitedCodes.isStill(opened, row) ? row : undefined
  }

  /** The second step; undefined where the first one must be taken again: it is too long ago, or the account has changed. */
  async finishSignIn(awaited: string, code: string, remote: string): Promise<SignedIn | undefined> {
    this.#mustTakePasswords()
    const row = await this.#awaitedUser(awaited)
    if (!row?.password_hash) return undefined
    if (!maySignIn(row)) throw this.#refused('prohibited', remote, row)
    // A passkey is awaited, and nothing else.
    if (row.totp_secret === null) throw this.#refused('passkey-missing', remote, row)
    return this.#withCode(row, row.password_hash, code, remote, 'browser')
  }

  async #userToSignIn({ user }: { user: string }): Promise<UserRow | undefined> {
    this.#mustTakePasswords()
    return (await findCaller(this.#catalogue.read, { tokenSha256: null, ...accountKeys(user) })).caller?.user
  }

  #mustTakePasswords(): void {
    if (!this.#modes.passwordLogin) throw new Problem('forbidden', 'Nobody signs in with a password here.')
  }

  /**
   * Whether it is the password that the caller came with, for what he has to say twice. The same one is remembered and costs
   * nothing; another one is a try like any other.
   */
  async isPasswordOf({ account, credential }: PasswordCaller, password: string, remote: string): Promise<boolean> {
    const typed = foldedAccount(account.name)
    const known = { id: account.id, hash: credential.hash, typed }
    if (this.#passwords.isRemembered(known, password)) return true
    const right = await this.#tryPassword(known, password, sha256(typed), remote, account)
    if (!right) this.#signIns.failed('wrong-password', remote, account)
    return right
  }

  async #identify(credentials: Credentials, who: FoundCaller, from: () => string): Promise<Caller> {
    if (credentials.kind === 'none') return this.stranger
    const remote = from()
    const { caller: found, deployToken } = who
    const isToken = credentials.kind === 'token' || credentials.kind === 'password'
    if (isToken && deployToken) {
      const viaBasic = credentials.kind === 'password' || credentials.viaBasic
      return this.#byDeployToken(deployToken, viaBasic, remote)
    }
    switch (credentials.kind) {
      case 'malformed':
        throw this.#refused('malformed', remote)
      case 'token':
        if (!found?.token) throw this.#refused('wrong-token', remote)
        return this.#byToken(found.user, found.token, credentials.viaBasic, remote)
      case 'password': {
        if (found?.token) return this.#byToken(found.user, found.token, true, remote)
        if (!this.#modes.passwordLogin) {
          this.#signIns.failed('passwords-off', remote, found?.user)
          throw passwordsOff()
        }
        const caller = await this.#byPassword(found?.user, credentials, remote)
        this.#signIns.succeeded(caller)
        return caller
      }
      case 'proxy':
        return this.#byProxy(found?.user, remote)
    }
  }

  #byProxy(user: UserRow | undefined, address: string): SignedIn {
    if (!user) throw this.#refused('unknown-account', address)
    if (!maySignIn(user)) throw this.#refused('prohibited', address, user)
    const caller = { kind: 'user', account: accountFrom(user), credential: { kind: 'proxy' }, address } as const
    this.#signIns.succeeded(caller)
    return caller
  }

  #byToken(user: UserRow, token: CallingToken, viaBasic: boolean, address: string): SignedIn {
    if (!maySignIn(user)) throw this.#refused('prohibited', address, user, token.last_eight)
    if (!tokenIsValid(token, this.#now())) throw this.#refused('expired-token', address, user, token.last_eight)
    this.#lastUses.note('tokens', token.id)
    return { kind: 'user', account: accountFrom(user), credential: tokenCredential(token, viaBasic), address }
  }

  #byDeployToken(token: CallingDeployToken, viaBasic: boolean, address: string): DeployTokenCaller {
    const owner = { id: token.owner_id, name: token.ownerName }
    if (token.account && !maySignIn(token.account)) throw this.#refused('prohibited', address, owner, token.last_eight)
    if (!tokenIsValid(token, this.#now())) throw this.#refused('expired-token', address, owner, token.last_eight)
    this.#lastUses.note('deploy_tokens', token.id)
    return deployTokenCaller(token, viaBasic, address)
  }

  /** The refusal, noted for the log. Never what was typed: people type passwords where names belong. */
  #refused(why: Refusal, remote: string, account?: Pick<UserRow, 'id' | 'name'>, token?: string): Problem {
    this.#signIns.failed(why, remote, account, token)
    return wrongCredentials()
  }

  /** The same of a password. */
  #refusedPassword(why: Refusal, remote: string, account?: UserRow): Problem {
    this.#signIns.failed(why, remote, account)
    return wrongPassword(this.#modes.someTakeNoPassword())
  }

  async #byPassword(
    found: UserRow | undefined,
    credentials: Omit<Extract<Credentials, { kind: 'password' }>, 'kind'>,
    remote: string,
    by: 'call' | 'browser' = 'call',
  ): Promise<SignedIn> {
    const { row, hash } = await this.#rightPassword(found, credentials, remote)
    if (row.has_identities === 1 && by === 'call') {
      this.#signIns.failed('provider-only', remote, row)
      throw passwordOfPerson()
    }
    if (row.has_passkeys === 1 && (by === 'call' || row.totp_secret === null)) {
      this.#signIns.failed('passkey-missing', remote, row)
      throw by === 'call' ? passwordNotEnough() : passkeyMissing()
    }
    return this.#withCode(row, hash, credentials.code, remote, by)
  }

  /** Whose password it is, and who may sign in; else the refusal, which is the same for all. */
  async #rightPassword(
    row: UserRow | undefined,
    { user, password }: { user: string; password: string },
    remote: string,
  ): Promise<{ row: UserRow; hash: string }> {
    const hash = row?.password_hash
    const typed = foldedAccount(user)
    // An unknown name goes the same way as a known one, with a hash that no password has.
    const known = row && hash ? { id: row.id, hash, typed } : nobody(typed)
    if (!this.#passwords.isRemembered(known, password)) {
      // By what was typed, also where there is an account: spellings that count together must not tell that there is one.
      const right = await this.#tryPassword(known, password, sha256(typed), remote, row)
      if (!right) throw this.#refusedPassword(row ? 'wrong-password' : 'unknown-account', remote, row)
    }
    if (!row) throw this.#refusedPassword('unknown-account', remote)
    if (!maySignIn(row)) throw this.#refusedPassword('prohibited', remote, row)
    return { row, hash: known.hash }
  }

  /** The caller whose password was right, once he has shown his second factor too, if he has one. */
  async #withCode(
    row: UserRow,
    hash: string,
    code: string | undefined,
    remote: string,
    by: 'call' | 'browser' = 'call',
  ): Promise<SignedIn> {
    const { totp_secret: secondFactor } = row
    await this.#secondFactors.demand(row, code, remote)
    const credential = { kind: 'password', hash, secondFactor, inBrowser: by === 'browser' } as const
    return { kind: 'user', account: accountFrom(row), credential, address: remote }
  }

  /** Whether the password is right; `too-many-attempts` where this address has guessed too often at this account. */
  async #tryPassword(
    known: PasswordHolder,
    password: string,
    account: string,
    remote: string,
    holder: { id: number; name: string } | undefined,
  ): Promise<boolean> {
    if (this.#passwords.isUnderWay(known, password)) return this.#passwords.verify(known, password)
    const address = networkOf(remote)
    const wait = this.#attempts.mustWait(account, address)
    if (wait !== undefined) {
      this.#signIns.failed('too-many-attempts', remote, holder)
      const sentence = `Too many wrong passwords. Try again in ${wait} seconds, or use a token.`
      throw new Problem('too-many-attempts', sentence, { retry_after: wait })
    }
    const underWay = this.#underWay.get(address) ?? 0
    if (underWay >= mostOfOneNetwork) {
      this.#signIns.failed('too-many-attempts', remote, holder)
      throw new Problem('too-many-attempts', 'Too many sign-ins from this address at once. Try again in a moment.', {
        retry_after: 2,
      })
    }
    this.#underWay.set(address, underWay + 1)
    this.#attempts.begin(account, address)
    try {
      const right = await this.#passwords.verify(known, password)
      if (right) this.#attempts.succeeded(account, address)
      return right
    } catch (error) {
      if (error instanceof Problem) this.#signIns.failed('too-many-attempts', remote, holder)
      this.#attempts.undecided(account, address)
      throw error
    } finally {
      const left = (this.#underWay.get(address) ?? 1) - 1
      if (left > 0) this.#underWay.set(address, left)
      else this.#underWay.delete(address)
    }
  }
}

/** What to look up for these credentials; undefined where they name nobody. */
function keysOf(credentials: Credentials): CallerKeys | undefined {
  switch (credentials.kind) {
    case 'none':
    case 'malformed':
      return undefined
    case 'token': {
      const tokenSha256 = tokenKey(credentials.token)
      return tokenSha256 === null ? undefined : { tokenSha256, nameKey: null, emailKey: null }
    }
    case 'password':
      return { tokenSha256: tokenKey(credentials.password), ...accountKeys(credentials.user) }
    case 'proxy':
      // Not by an e-mail address: everybody may set his own to whatever he likes.
      return { tokenSha256: null, nameKey: ownerKey(credentials.user) ?? null, emailKey: null }
  }
}

/** Of what somebody types who says who he is: an account's name or its e-mail address. */
function accountKeys(typed: string): { nameKey: string | null; emailKey: string | null } {
  const email = emailKey(typed) ?? null
  return { nameKey: email === null ? (ownerKey(typed) ?? null) : null, emailKey: email }
}

/** The same text for whatever leads to the same name or address, whether anybody has it or not. */
function foldedAccount(typed: string): string {
  const { nameKey, emailKey } = accountKeys(typed)
  return nameKey ?? emailKey ?? typed
}

/** Said only to who has given the right password. */
function passwordNotEnough(): Problem {
  return new Problem(
    'credentials-wrong',
    'This account has a passkey, so its password is not enough here: send a token in the place of the password.',
  )
}

/** The same of an account that is linked to a provider, whose password is for its browser alone. */
function passwordOfPerson(): Problem {
  return new Problem(
    'credentials-wrong',
    'This account signs in through a provider, so its password does not count here: send a token in the place of the password.',
  )
}

/** The same to a browser. */
function passkeyMissing(): Problem {
  return new Problem('credentials-wrong', 'This account has a passkey: sign in with it on the sign-in page.', {
    passkey: true,
  })
}

function passwordsOff(): Problem {
  return new Problem('credentials-wrong', 'Passwords are turned off here: send a token in the place of the password.')
}

/**
 * Tokens are long and random: one SHA-256 is enough to store and find them by. An index does not compare in constant time, but
 * what its time could tell is the beginning of a hash, which nobody can choose and from which no token follows.
 */
function tokenKey(text: string): string | null {
  return /^[0-9a-f]{40}$/.test(text) ? sha256(text) : null
}
