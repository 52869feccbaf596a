import type { Tx } from '../catalogue/schema.ts'
import {
  countRecoveryCodes,
  deleteEnrolment,
  deleteSecondFactor,
  type EnrolmentRow,
  enrolmentOf,
  putEnrolment,
  putRecoveryCodes,
  takeRecoveryCode,
  takeStep,
} from '../catalogue/second-factors.ts'
import { endSessions } from '../catalogue/sessions.ts'
import { type Catalogue, transaction } from '../catalogue/transaction.ts'
import { type UserRow, updateUser, userById } from '../catalogue/users.ts'
import type { Sealer } from '../lib/sealed.ts'
import { Problem } from '../problems.ts'
import { audit } from './audit.ts'
import type { Caller, SignedIn } from './caller.ts'
import { FailedAttempts } from './failed-attempts.ts'
import { type AdminGrant, callerNow, type Standing, signedIn, standingOf, wrongCredentials } from './grant.ts'
import { accountToUnprotect, callerAlone, mustExist, notOwn } from './other-accounts.ts'
import type { SignIns } from './sign-ins.ts'
import { newRecoveryCodes, newTotpSecret, recoveryKey, totpStep } from './totp.ts'

/** How long a new secret waits for the first code of it, in milliseconds. */
const enrolmentLasts = 60 * 60_000

declare const own: unique symbol

/** Leave to see and change one's own second factor. Only `SecondFactors.of` makes one. */
export interface OwnSecondFactor {
  readonly [own]: true
  readonly caller: SignedIn
}

/** What shows that somebody has the second factor: a code's time step, or a recovery code. */
type Evidence = { step: number } | { recoverySha256: string }

/** Every code works once; `secret` is the stored one of which the code is. */
export const useCode = transaction(
  'use code',
  async (tx, { userId, secret, evidence }: { userId: number; secret: string; evidence: Evidence }): Promise<boolean> =>
    'step' in evidence
      ? takeStep(tx, { userId, secret, step: evidence.step })
      : takeRecoveryCode(tx, { userId, sha256: evidence.recoverySha256 }),
)

export const beginEnrolment = transaction(
  'begin enrolment',
  async (tx, args: { standing: Standing; secret: string; now: number }) => {
    const caller = await callerNow(tx, args.standing, args.now)
    const { account } = caller
    if ((await mustExist(tx, account.id)).totp_secret !== null) throw confirmedAlready()
    await putEnrolment(tx, { user_id: account.id, secret: args.secret, created_at: args.now })
    await audit(tx, caller, args.now, { action: 'second-factor.begun', owner: account })
  },
)

interface ConfirmEnrolment {
  standing: Standing
  /** As it is stored: whoever began anew meanwhile has another one. */
  secret: string
  /** Of the code that confirms: it counts as used. */
  step: number
  recoverySha256s: readonly string[]
  now: number
}

/** From here on the password alone is nothing: who came by it has to end, also in the middle of an upload. */
export const confirmEnrolment = transaction('confirm enrolment', async (tx, args: ConfirmEnrolment) => {
  const caller = await callerAlone(tx, args)
  const { id } = caller.account
  if ((await mustExist(tx, id)).totp_secret !== null) throw confirmedAlready()
  const enrolment = await enrolmentOf(tx, id)
  if (!isOpen(enrolment, args.now) || enrolment.secret !== args.secret) throw nothingToConfirm()
  await updateUser(tx, id, { totp_secret: enrolment.secret, totp_last_step: args.step })
  await deleteEnrolment(tx, id)
  await putRecoveryCodes(tx, id, args.recoverySha256s)
  await endOtherSessions(tx, caller)
  await audit(tx, caller, args.now, { action: 'second-factor.enabled', owner: caller.account })
})

export const removeOwnSecondFactor = transaction(
  'remove own second factor',
  async (tx, args: { standing: Standing; now: number }) => {
    const caller = await callerAlone(tx, args)
    if (!(await deleteSecondFactor(tx, caller.account.id))) throw noSecondFactor()
    await endOtherSessions(tx, caller)
    await audit(tx, caller, args.now, { action: 'second-factor.removed', owner: caller.account })
  },
)

export const replaceRecoveryCodes = transaction(
  'replace recovery codes',
  async (tx, args: { standing: Standing; recoverySha256s: readonly string[]; now: number }) => {
    const caller = await callerAlone(tx, args)
    const { account } = caller
    if ((await mustExist(tx, account.id)).totp_secret === null) throw noSecondFactor()
    await putRecoveryCodes(tx, account.id, args.recoverySha256s)
    await audit(tx, caller, args.now, { action: 'second-factor.recovery-codes', owner: account })
  },
)

export const removeSecondFactorOf = transaction(
  'remove second factor of user',
  async (tx, args: { standing: Standing; userId: number; now: number }) => {
    const refusal = 'The second factor of an administrator is not removed with a token: use your password.'
    const { caller, user } = await accountToUnprotect(tx, args, refusal)
    if (!(await deleteSecondFactor(tx, args.userId))) throw noSecondFactor()
    await endSessions(tx, args.userId)
    await audit(tx, caller, args.now, { action: 'second-factor.removed', owner: user })
  },
)

async function endOtherSessions(tx: Tx, { account, credential }: SignedIn): Promise<void> {
  await endSessions(tx, account.id, credential.kind === 'session' ? credential.id : null)
}

function isOpen(enrolment: EnrolmentRow | undefined, now: number): enrolment is EnrolmentRow {
  return enrolment !== undefined && enrolment.created_at > now - enrolmentLasts
}

/** Said only to who has given the right password. */
function codeMissing(): Problem {
  return new Problem(
    'credentials-wrong',
    'This account has a second factor: send its code in the header X-Gitea-OTP beside the password, or use a token.',
    { second_factor: true },
  )
}

function confirmedAlready(): Problem {
  return new Problem('unprocessable', 'This account has a second factor: remove that one before you begin another.')
}

function nothingToConfirm(): Problem {
  return new Problem('unprocessable', 'There is nothing to confirm, or it is older than an hour: begin anew.')
}

function noSecondFactor(): Problem {
  return new Problem('not-found', 'This account has no second factor.')
}

/** Time-based codes beside the password: RFC 6238. */
export class SecondFactors {
  readonly #catalogue: Catalogue
  readonly #sealer: Sealer
  readonly #now: () => number
  readonly #signIns: SignIns
  /**
   * Wrong codes of an account from everywhere, counted in each process. They come after the right password, so they are the
   * owner's own or a thief's, who may have many addresses and may not guess on. What it costs: for as long as such a thief
   * tries, the owner cannot use his password either; his tokens and sessions work, and an administrator can give him another
   * password. A right code does not start the count anew, or each one would give a thief another ten.
   */
  readonly #wrongCodes: FailedAttempts

  constructor(parts: { catalogue: Catalogue; sealer: Sealer; signIns: SignIns; now: () => number }) {
    this.#catalogue = parts.catalogue
    this.#signIns = parts.signIns
    this.#sealer = parts.sealer
    this.#now = parts.now
    this.#wrongCodes = new FailedAttempts(parts.now)
  }

  /**
   * Uses up a code or a recovery code of an account whose password was right; nothing where it has no second factor. Throws
   * `credentials-wrong`, or `too-many-attempts` after too many wrong ones; `remote` is from where it is tried.
   */
  async demand(user: UserRow, code: string | undefined, remote: string): Promise<void> {
    const { id: userId, totp_secret: secret } = user
    if (secret === null) return
    if (code === undefined) {
      this.#signIns.failed('code-missing', remote, user)
      throw codeMissing()
    }
    this.#refuseGuessing(user, remote)
    const evidence = this.#evidence(userId, secret, code)
    if (evidence && (await this.#catalogue.transact(useCode, { userId, secret, evidence }))) return
    // A code that was used before is no guess: jobs that start together with one code must not lock their owner out.
    if (!evidence || !('step' in evidence)) this.#wrongCodes.begin(String(userId), 'anywhere')
    this.#signIns.failed('wrong-code', remote, user)
    throw wrongCredentials()
  }

  /** Leave to handle one's own: for who gave the password, or has signed in with a browser. */
  of(caller: Caller): OwnSecondFactor {
    const isOwner = caller.kind === 'anonymous' || /^(password|session)$/.test(caller.credential.kind)
    if (isOwner) return { caller: signedIn(caller, 'write:user') } as OwnSecondFactor
    throw new Problem('forbidden', 'The second factor belongs to the password: send user name and password, no token.')
  }

  async status({ caller }: OwnSecondFactor): Promise<{ isConfirmed: boolean; recoveryCodesLeft: number }> {
    const { id } = caller.account
    const user = await userById(this.#catalogue.read, id)
    const isConfirmed = user !== undefined && user.totp_secret !== null
    return { isConfirmed, recoveryCodesLeft: isConfirmed ? await countRecoveryCodes(this.#catalogue.read, id) : 0 }
  }

  /** A new secret, in base32, shown this once. It counts when a code of it has been confirmed. */
  async begin({ caller }: OwnSecondFactor): Promise<string> {
    const secret = newTotpSecret()
    const sealed = this.#sealer.seal(secret, contextOf(caller.account.id))
    await this.#catalogue.transact(beginEnrolment, {
      standing: standingOf(caller),
      secret: sealed,
      now: this.#now(),
    })
    return secret
  }

  /** Turns it on; the recovery codes are shown this once. */
  async confirm({ caller }: OwnSecondFactor, code: string): Promise<string[]> {
    const now = this.#now()
    const { id } = caller.account
    const enrolment = await enrolmentOf(this.#catalogue.read, id)
    if (!isOpen(enrolment, now)) throw nothingToConfirm()
    const step = totpStep(this.#open(id, enrolment.secret), code, now, null)
    if (step === undefined) {
      throw new Problem('unprocessable', 'code: is not the one that the authenticator shows now; is its clock right?')
    }
    const codes = newRecoveryCodes()
    await this.#catalogue.transact(confirmEnrolment, {
      standing: standingOf(caller),
      secret: enrolment.secret,
      step,
      recoverySha256s: codes.map(keyOf),
      now,
    })
    return codes
  }

  /** Turns it off. A browser's session has shown no code yet, so it brings one. */
  async remove({ caller }: OwnSecondFactor, code?: string): Promise<void> {
    await this.#demandOfSession(caller, code)
    await this.#catalogue.transact(removeOwnSecondFactor, { standing: standingOf(caller), now: this.#now() })
  }

  /** New recovery codes, shown this once, in the place of all earlier ones. */
  async renewRecoveryCodes({ caller }: OwnSecondFactor, code?: string): Promise<string[]> {
    await this.#demandOfSession(caller, code)
    const codes = newRecoveryCodes()
    await this.#catalogue.transact(replaceRecoveryCodes, {
      standing: standingOf(caller),
      recoverySha256s: codes.map(keyOf),
      now: this.#now(),
    })
    return codes
  }

  /** For whose authenticator is lost. */
  async removeOf({ caller }: AdminGrant, userId: number): Promise<void> {
    if (caller.account.id === userId && caller.credential.kind === 'session') throw notOwn()
    await this.#catalogue.transact(removeSecondFactorOf, { standing: standingOf(caller), userId, now: this.#now() })
  }

  async #demandOfSession({ account, credential, address }: SignedIn, code: string | undefined): Promise<void> {
    if (credential.kind !== 'session') return
    const user = await userById(this.#catalogue.read, account.id)
    if (user) await this.demand(user, code, address)
  }

  #refuseGuessing(user: UserRow, remote: string): void {
    const wait = this.#wrongCodes.mustWait(String(user.id), 'anywhere')
    if (wait === undefined) return
    this.#signIns.failed('too-many-attempts', remote, user)
    const sentence = `Too many wrong codes for this account. Try again in ${wait} seconds, or use a token.`
    throw new Problem('too-many-attempts', sentence, { retry_after: wait })
  }

  #evidence(userId: number, secret: string, code: string): Evidence | undefined {
    // First, because it needs no key: a recovery code also helps where the secret cannot be read.
    const recoverySha256 = recoveryKey(code)
    if (recoverySha256 !== undefined) return { recoverySha256 }
    const step = totpStep(this.#open(userId, secret), code, this.#now(), null)
    return step === undefined ? undefined : { step }
  }

  #open(userId: number, sealed: string): string {
    try {
      return this.#sealer.open(sealed, contextOf(userId))
    } catch (error) {
      throw new Problem(
        'storage-unavailable',
        'The second factor of this account cannot be read: use a recovery code, or have an administrator remove it.',
        {},
        error,
      )
    }
  }
}

/** Where a secret belongs: it opens for no other account. */
function contextOf(userId: number): string {
  return `totp ${userId}`
}

function keyOf(code: string): string {
  const key = recoveryKey(code)
  if (key === undefined) throw new Error('a new recovery code could not be read')
  return key
}
