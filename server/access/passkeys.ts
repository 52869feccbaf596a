import { randomBytes } from 'node:crypto'
import {
  countIdentities,
  deletePasskey,
  deletePasskeysOf,
  insertPasskey,
  notePasskeyUse,
  type PasskeyRow,
  passkeyByCredential,
  passkeyStands,
  passkeysOf,
  renamePasskeyRow,
} from '../catalogue/passkeys.ts'
import type { Tx } from '../catalogue/schema.ts'
import { endSessions } from '../catalogue/sessions.ts'
import { type Catalogue, transaction } from '../catalogue/transaction.ts'
import { useOnce } from '../catalogue/used-once.ts'
import { type UserRow, userById } from '../catalogue/users.ts'
import { sha256 } from '../lib/digests.ts'
import { networkOf } from '../lib/real-address.ts'
import type { Sealer } from '../lib/sealed.ts'
import { Problem } from '../problems.ts'
import { audit } from './audit.ts'
import { accountFrom, type Caller, maySignIn, type SignedIn } from './caller.ts'
import { FailedAttempts } from './failed-attempts.ts'
import { type AdminGrant, callerNow, type Standing, signedIn, standingOf, wrongCredentials } from './grant.ts'
import { accountToUnprotect, callerAlone, mustExist, notOwn } from './other-accounts.ts'
import { type Challenge, PasskeyChallenges, type Purpose } from './passkey-challenges.ts'
import { hasOtherWayIn, mostPasskeys } from './passkey-rules.ts'
import { type NoRelyingParty, type RelyingParty, relyingParty } from './relying-party.ts'
import type { Visitor } from './sessions.ts'
import type { Refusal, SignIns } from './sign-ins.ts'
import type { Assertion, KnownCredential, NewCredential, PasskeyOptions } from './webauthn.ts'

/** For those who may not import the catalogue. */
export type { PasskeyRow }

declare const own: unique symbol

/** Leave to see and rename one's own passkeys. Only `Passkeys.of` makes one. */
export interface OwnPasskeys {
  readonly [own]: 'known'
  readonly caller: SignedIn
}

/** Leave to add and remove them too: for who has just shown once more who he is. */
export interface ProvenOwner {
  readonly [own]: 'proven'
  readonly caller: Visitor
}

/** What a browser is asked for, and what it keeps until it answers. */
export interface Asked {
  options: PasskeyOptions
  sealed: string
}

interface UsedChallenge {
  sha256: string
  expiresAt: number
}

const kindOfChallenge = 'passkey challenge'

interface UsePasskey {
  challenge: UsedChallenge
  passkey: { id: number; userId: number }
  count: number
  isBackedUp: boolean
  now: number
}

/** Every challenge is answered once; a counter that has not risen is refused, and the challenge is used up by that too. */
export const usePasskey = transaction(
  'use passkey',
  async (tx, args: UsePasskey): Promise<'right' | 'replayed' | 'counter' | 'gone'> => {
    if (!(await useOnce(tx, { kind: kindOfChallenge, ...args.challenge }))) return 'replayed'
    const { passkey, count, isBackedUp, now } = args
    if (await notePasskeyUse(tx, { ...passkey, count, isBackedUp, now })) return 'right'
    return (await passkeyStands(tx, passkey)) ? 'counter' : 'gone'
  },
)

interface AddPasskey {
  standing: Standing
  challenge: UsedChallenge
  credential: NewCredential
  userHandle: string
  name: string
  now: number
}

/** From the first one on the password alone is nothing: who came by it has to end, also in the middle of an upload. */
export const addPasskey = transaction('add passkey', async (tx, args: AddPasskey) => {
  const { credential, name, now } = args
  const caller = await callerAlone(tx, args)
  const { id: userId } = caller.account
  if (!(await useOnce(tx, { kind: kindOfChallenge, ...args.challenge }))) throw tooLate()
  const known = await passkeysOf(tx, userId)
  if (known.length >= mostPasskeys) throw tooMany()
  // Begun in two windows at once, when there was none yet: an authenticator would keep two accounts.
  if (known.some(({ user_handle }) => user_handle !== args.userHandle)) throw tooLate()
  const id = await insertPasskey(tx, {
    user_id: userId,
    credential_id: credential.credentialId,
    public_key: credential.publicKey,
    user_handle: args.userHandle,
    sign_count: credential.count,
    transports: credential.transports,
    is_backed_up: credential.isBackedUp ? 1 : 0,
    name,
    created_at: now,
    last_used_at: null,
  })
  if (id === undefined) throw new Problem('unprocessable', 'This passkey is in use already: make another one.')
  if (known.length === 0) await endOtherSessions(tx, caller)
  await audit(tx, caller, now, { action: 'passkey.added', owner: caller.account, subject: name })
})

export const renamePasskey = transaction(
  'rename passkey',
  async (tx, args: { standing: Standing; id: number; name: string; now: number }) => {
    const caller = await callerNow(tx, args.standing, args.now)
    const { account } = caller
    const before = (await passkeysOf(tx, account.id)).find(({ id }) => id === args.id)
    if (!before || !(await renamePasskeyRow(tx, { id: args.id, userId: account.id, name: args.name })))
      throw noSuchPasskey()
    if (before.name === args.name) return
    const details = { name: [before.name, args.name] }
    await audit(tx, caller, args.now, { action: 'passkey.renamed', owner: account, subject: args.name, details })
  },
)

interface RemovePasskey {
  standing: Standing
  id: number
  /** False: the last one stays, as nobody has shown who he is. */
  isProven: boolean
  takesPasswords: boolean
  now: number
}

export const removeOwnPasskey = transaction('remove own passkey', async (tx, args: RemovePasskey) => {
  const caller = await callerAlone(tx, args)
  const { account } = caller
  const known = await passkeysOf(tx, account.id)
  const passkey = known.find(({ id }) => id === args.id)
  if (!passkey) throw noSuchPasskey()
  if (known.length === 1) {
    if (!args.isProven) throw lastByToken()
    if (!(await hasOther(tx, caller, args.takesPasswords))) throw onlyWayIn()
  }
  await deletePasskey(tx, { id: passkey.id, userId: account.id })
  // Who has the lost phone may have signed in with it.
  await endOtherSessions(tx, caller)
  await audit(tx, caller, args.now, { action: 'passkey.removed', owner: account, subject: passkey.name })
})

async function hasOther(tx: Tx, { account, credential }: SignedIn, takesPasswords: boolean): Promise<boolean> {
  const user = await mustExist(tx, account.id)
  return hasOtherWayIn({
    hasPassword: user.password_hash !== null,
    takesPasswords,
    identities: await countIdentities(tx, account.id),
    isByProxy: credential.kind === 'proxy',
  })
}

export const removePasskeysOf = transaction(
  'remove passkeys of user',
  async (tx, args: { standing: Standing; userId: number; now: number }) => {
    const refusal = 'The passkeys of an administrator are not removed with a token: sign in with a browser.'
    const { caller, user } = await accountToUnprotect(tx, args, refusal)
    const removed = await deletePasskeysOf(tx, args.userId)
    if (removed === 0) throw new Problem('not-found', 'This account has no passkeys.')
    await endSessions(tx, args.userId)
    const details = { passkeys: removed }
    await audit(tx, caller, args.now, { action: 'passkey.removed', owner: user, details })
  },
)

async function endOtherSessions(tx: Tx, { account, credential }: SignedIn): Promise<void> {
  await endSessions(tx, account.id, credential.kind === 'session' ? credential.id : null)
}

function noSuchPasskey(): Problem {
  return new Problem('not-found', 'passkey does not exist')
}

function tooMany(): Problem {
  return new Problem(
    'unprocessable',
    `An account may have ${mostPasskeys} passkeys. Remove one that you no longer use.`,
  )
}

function tooLate(): Problem {
  return new Problem('unprocessable', 'That took too long, or was done already. Begin again.')
}

function lastByToken(): Problem {
  return new Problem(
    'forbidden',
    'This is the last passkey, and without it the password alone would be enough: remove it in a browser.',
  )
}

function onlyWayIn(): Problem {
  return new Problem(
    'unprocessable',
    'This passkey is the only way into your account. Add another one, or set a password, before you remove it.',
  )
}

/** WebAuthn: keys that an authenticator keeps, and shows to this site alone. */
export class Passkeys {
  readonly #catalogue: Catalogue
  readonly #challenges: PasskeyChallenges
  readonly #now: () => number
  readonly #signIns: SignIns
  readonly #publicUrl: () => string
  readonly #takesPasswords: boolean
  /** Wrong answers, by account and network; those that name no passkey of ours are counted together. */
  readonly #wrong: FailedAttempts

  constructor(parts: {
    catalogue: Catalogue
    sealer: Sealer
    signIns: SignIns
    now: () => number
    publicUrl: () => string
    passwordLogin: boolean
  }) {
    this.#catalogue = parts.catalogue
    this.#challenges = new PasskeyChallenges(parts)
    this.#now = parts.now
    this.#signIns = parts.signIns
    this.#publicUrl = parts.publicUrl
    this.#takesPasswords = parts.passwordLogin
    this.#wrong = new FailedAttempts(parts.now)
  }

  /** To whom they belong here, or why there are none. */
  get party(): RelyingParty | NoRelyingParty {
    return relyingParty(this.#publicUrl())
  }

  /** Leave to handle one's own. */
  of(caller: Caller, scope: 'read:user' | 'write:user'): OwnPasskeys {
    return { caller: signedIn(caller, scope) } as OwnPasskeys
  }

  /** The visitor has given his password once more, or has signed in just now; the caller has seen to that. */
  proven(visitor: Visitor): ProvenOwner {
    return { caller: visitor } as ProvenOwner
  }

  /** Oldest first. */
  async list({ caller }: OwnPasskeys): Promise<PasskeyRow[]> {
    return passkeysOf(this.#catalogue.read, caller.account.id)
  }

  /** One of one's own. */
  async one(own: OwnPasskeys, id: number): Promise<PasskeyRow> {
    const passkey = (await this.list(own)).find((row) => row.id === id)
    if (!passkey) throw noSuchPasskey()
    return passkey
  }

  /** Asks for a passkey that says who signs in. */
  async askToSignIn(): Promise<Asked> {
    return this.#ask({ purpose: 'sign-in', userId: null, session: null, userHandle: null }, [])
  }

  /** Asks for one beside the password of that account. */
  async askBesidePassword(userId: number): Promise<Asked> {
    const known = await passkeysOf(this.#catalogue.read, userId)
    return this.#ask({ purpose: 'second-factor', userId, session: null, userHandle: null }, known)
  }

  /** Asks who has signed in to show one of his once more. */
  async askForProof(visitor: Visitor): Promise<Asked> {
    const known = await passkeysOf(this.#catalogue.read, visitor.account.id)
    if (known.length === 0) throw new Problem('unprocessable', 'This account has no passkeys.')
    return this.#ask({ purpose: 'proof', ...whose(visitor), userHandle: null }, known)
  }

  /** Asks for a new one. That it is asked for is the proof with which it may be added. */
  async askForNew({ caller }: ProvenOwner): Promise<Asked> {
    const party = this.#mustExist()
    const known = await passkeysOf(this.#catalogue.read, caller.account.id)
    if (known.length >= mostPasskeys) throw tooMany()
    const handle = known[0]?.user_handle ?? randomBytes(32).toString('base64url')
    const { challenge, sealed } = this.#challenges.make({
      purpose: 'registration',
      ...whose(caller),
      userHandle: handle,
    })
    const { registrationOptions } = await webauthn()
    const user = { handle, name: caller.account.name, fullName: caller.user.full_name }
    const options = await registrationOptions({ party, challenge, user, known: known.map(described) })
    return { options, sealed }
  }

  /** Adds the one that was asked for. */
  async add(visitor: Visitor, sealed: string | undefined, answer: string, name: string): Promise<void> {
    const party = this.#mustExist()
    const asked = this.#opened(sealed, 'registration', visitor)
    if (!asked?.userHandle) throw tooLate()
    const { verifiedRegistration } = await webauthn()
    const credential = await verifiedRegistration(answer, { party, challenge: asked.challenge })
    if (!credential)
      throw new Problem('unprocessable', 'What the browser sent is no new passkey of this site. Begin again.')
    await this.#catalogue.transact(addPasskey, {
      standing: standingOf(visitor),
      challenge: usedUp(asked),
      credential,
      userHandle: asked.userHandle,
      name,
      now: this.#now(),
    })
  }

  async rename({ caller }: OwnPasskeys, id: number, name: string): Promise<void> {
    await this.#catalogue.transact(renamePasskey, { standing: standingOf(caller), id, name, now: this.#now() })
  }

  async remove({ caller }: ProvenOwner, id: number): Promise<void> {
    await this.#remove(caller, id, true)
  }

  /** The same for who has shown nothing but what he came with: he keeps the last one. */
  async removeOther({ caller }: OwnPasskeys, id: number): Promise<void> {
    await this.#remove(caller, id, false)
  }

  async #remove(caller: SignedIn, id: number, isProven: boolean): Promise<void> {
    const args = { standing: standingOf(caller), id, isProven, takesPasswords: this.#takesPasswords, now: this.#now() }
    await this.#catalogue.transact(removeOwnPasskey, args)
  }

  /** For whose authenticators are lost. */
  async removeAllOf({ caller }: AdminGrant, userId: number): Promise<void> {
    if (caller.account.id === userId) throw notOwn()
    const args = { standing: standingOf(caller), userId, now: this.#now() }
    await this.#catalogue.transact(removePasskeysOf, args)
  }

  /**
   * Who shows a passkey to sign in: alone or, where `besidePassword` says whose password was right, as his second factor. Throws
   * `credentials-wrong`, or `too-many-attempts` after too many wrong ones; `remote` is from where it is tried.
   */
  async signIn(
    sealed: string | undefined,
    answer: string,
    { remote, besidePassword }: { remote: string; besidePassword?: number | undefined },
  ): Promise<SignedIn> {
    const purpose = besidePassword === undefined ? 'sign-in' : 'second-factor'
    const asked = this.#challenges.open(sealed)
    const isAsked = asked?.purpose === purpose && asked.userId === (besidePassword ?? null)
    const passkey = await this.#shown(isAsked ? asked : undefined, answer, remote)
    const user = await userById(this.#catalogue.read, passkey.user_id)
    if (!user || !maySignIn(user)) throw this.#refused('prohibited', remote, user)
    const credential = { kind: 'passkey', id: passkey.id } as const
    return { kind: 'user', account: accountFrom(user), credential, address: remote }
  }

  /** The visitor who shows one of his passkeys once more. */
  async prove(visitor: Visitor, sealed: string | undefined, answer: string): Promise<ProvenOwner> {
    await this.#shown(this.#opened(sealed, 'proof', visitor), answer, visitor.address)
    return this.proven(visitor)
  }

  async #ask(wanted: Omit<Challenge, 'challenge' | 'until'>, known: readonly PasskeyRow[]): Promise<Asked> {
    const party = this.#mustExist()
    const { challenge, sealed } = this.#challenges.make(wanted)
    const { assertionOptions } = await webauthn()
    return { options: await assertionOptions({ party, challenge, known: known.map(described) }), sealed }
  }

  /** What that visitor was asked for, in this session. */
  #opened(sealed: string | undefined, purpose: Purpose, visitor: Visitor): Challenge | undefined {
    const asked = this.#challenges.open(sealed)
    const { userId, session } = whose(visitor)
    return asked?.purpose === purpose && asked.userId === userId && asked.session === session ? asked : undefined
  }

  /** The passkey that the answer shows, used up with its challenge; else the refusal, which is the same for all. */
  async #shown(asked: Challenge | undefined, answer: string, remote: string): Promise<PasskeyRow> {
    const party = this.#mustExist()
    const { assertionFrom, verifiedAssertion } = await webauthn()
    const sent = assertionFrom(answer)
    const passkey = sent && (await passkeyByCredential(this.#catalogue.read, sent.id))
    const holder = passkey && (await userById(this.#catalogue.read, passkey.user_id))
    this.#refuseGuessing(holder, remote)
    if (!sent || !passkey) throw this.#wrongAnswer('unknown-passkey', remote)
    if (!asked || !fits(asked, sent, passkey)) throw this.#wrongAnswer('wrong-passkey', remote, holder)
    const against = { credentialId: passkey.credential_id, publicKey: passkey.public_key }
    const said = await verifiedAssertion(sent, { party, challenge: asked.challenge, passkey: against })
    if (!said) throw this.#wrongAnswer('wrong-passkey', remote, holder)
    const used = await this.#catalogue.transact(usePasskey, {
      challenge: usedUp(asked),
      passkey: { id: passkey.id, userId: passkey.user_id },
      ...said,
      now: this.#now(),
    })
    if (used === 'right') return passkey
    throw this.#wrongAnswer(used === 'counter' ? 'passkey-counter' : 'wrong-passkey', remote, holder)
  }

  #mustExist(): RelyingParty {
    const { party } = this
    if (typeof party === 'object') return party
    throw new Problem('forbidden', 'There are no passkeys at this address.')
  }

  #refuseGuessing(holder: UserRow | undefined, remote: string): void {
    const wait = this.#wrong.mustWait(String(holder?.id ?? ''), networkOf(remote))
    if (wait === undefined) return
    this.#signIns.failed('too-many-attempts', remote, holder)
    throw new Problem('too-many-attempts', `Too many wrong passkeys. Try again in ${wait} seconds, or use a token.`, {
      retry_after: wait,
    })
  }

  #wrongAnswer(why: Refusal, remote: string, holder?: UserRow): Problem {
    this.#wrong.begin(String(holder?.id ?? ''), networkOf(remote))
    return this.#refused(why, remote, holder)
  }

  #refused(why: Refusal, remote: string, account: UserRow | undefined): Problem {
    this.#signIns.failed(why, remote, account)
    return wrongCredentials()
  }
}

/** The library and what it needs are for those servers alone that somebody shows a passkey. */
function webauthn() {
  return import('./webauthn.ts')
}

function whose({ account, credential }: Visitor): { userId: number; session: number | null } {
  return { userId: account.id, session: credential.kind === 'session' ? credential.id : null }
}

/**
 * Whether this passkey may answer. The authenticator says by itself under what it keeps the account; only where it was told which
 * passkeys are meant it may leave that out (Web Authentication §7.2).
 */
function fits({ userId }: Challenge, { response }: Assertion, passkey: PasskeyRow): boolean {
  if (userId !== null && userId !== passkey.user_id) return false
  const handle = response.userHandle ?? null
  return handle === null ? userId !== null : handle === passkey.user_handle
}

function usedUp({ challenge, until }: Challenge): UsedChallenge {
  return { sha256: sha256(challenge), expiresAt: until }
}

function described({ credential_id, transports }: PasskeyRow): KnownCredential {
  return { id: credential_id, transports: transports.split(',').filter(Boolean) }
}
