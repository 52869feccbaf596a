import { askForJob, finishJob, type Job } from '../catalogue/jobs.ts'
import { deleteResetLinks, insertLink, type LinkRow } from '../catalogue/links.ts'
import { lockAccounts } from '../catalogue/named-locks.ts'
import type { Tx } from '../catalogue/schema.ts'
import { endSessions } from '../catalogue/sessions.ts'
import { type Catalogue, transaction } from '../catalogue/transaction.ts'
import { type UserRow, updateUser, userByEmailKey, userById } from '../catalogue/users.ts'
import { Allowance } from '../lib/allowance.ts'
import { networkOf } from '../lib/real-address.ts'
import type { SecretKey } from '../lib/sealed.ts'
import { Problem } from '../problems.ts'
import { emailKey } from './accounts.ts'
import { audit } from './audit.ts'
import { maySignIn } from './caller.ts'
import { type AdminGrant, administer, callerNow, type Standing, standingOf } from './grant.ts'
import { mailJob } from './link-mail.ts'
import {
  CodeAttempts,
  goodCode,
  linkAddress,
  mustTakePasswords,
  newCode,
  noSuchLink,
  type StoredCode,
  useLink,
} from './links.ts'
import type { Passwords } from './passwords.ts'

const hour = 60 * 60
/** Seconds. */
export const usualReset = 24 * hour
export const longestReset = 7 * 24 * hour
/** Of a link that somebody asked for who has not signed in. */
const askedReset = hour
/** Mails that one address can have sent, and that one mailbox gets, in an hour. */
const asksAnHour = 5

/** The job that makes a link for who has forgotten his password; its subject is the e-mail address that was typed. */
export const forgottenPasswordJob = 'forgotten-password'

interface NewReset extends StoredCode {
  user: UserRow
  createdBy: number | null
  isMailed: boolean
  now: number
  expiresAt: number
}

async function putReset(tx: Tx, reset: NewReset): Promise<LinkRow> {
  const { user, now } = reset
  const link = await insertLink(tx, {
    kind: 'password-reset',
    nonce: reset.nonce,
    sha256: reset.sha256,
    user_id: user.id,
    team_id: null,
    email: user.email,
    full_name: user.full_name,
    created_by: reset.createdBy,
    created_at: now,
    expires_at: reset.expiresAt,
    mailed: reset.isMailed ? 1 : 0,
  })
  if (reset.isMailed) await askForJob(tx, mailJob, String(link.id), now)
  return link
}

interface AddReset extends StoredCode {
  standing: Standing
  userId: number
  canMail: boolean
  now: number
  expiresAt: number
}

/** Voids every other link of the account. */
export const addPasswordReset = transaction('add password reset', async (tx, args: AddReset): Promise<LinkRow> => {
  const { standing, userId, now } = args
  await lockAccounts(tx, { alone: [userId], shared: [standing.userId] })
  const { caller } = administer(await callerNow(tx, standing, now), 'write')
  const user = await userById(tx, userId)
  if (!user) throw new Problem('not-found', 'Not found.')
  await deleteResetLinks(tx, userId)
  const isMailed = args.canMail && user.email !== null
  await audit(tx, caller, now, { action: 'password.reset-link', owner: user, details: { mailed: isMailed } })
  return putReset(tx, { ...args, user, createdBy: standing.userId, isMailed })
})

/** The same whether somebody has that address or not, so that no answer and no waiting tells which. */
export const askForReset = transaction(
  'ask for password reset',
  async (tx, { emailKey, address, now }: { emailKey: string; address: string; now: number }) => {
    await askForJob(tx, forgottenPasswordJob, emailKey, now)
    // Whose link that becomes, if anybody's, the log says when it is made.
    await audit(tx, { address }, now, { action: 'password.reset-asked' })
  },
)

interface AnswerForgotten extends StoredCode {
  job: Job
  now: number
  expiresAt: number
}

/** Voids only links that were asked for like this one: whoever knows an address must not void those of an administrator. */
export const addForgottenReset = transaction('add forgotten reset', async (tx, args: AnswerForgotten) => {
  const { job } = args
  const found = await userByEmailKey(tx, job.subject)
  if (found) {
    await lockAccounts(tx, { alone: [found.id] })
    const user = await userById(tx, found.id)
    // Who has another way in than a password does not get one by his mailbox.
    if (user?.password_hash && maySignIn(user) && user.email_key === job.subject) {
      await deleteResetLinks(tx, user.id, 'asked')
      await putReset(tx, { ...args, user, createdBy: null, isMailed: true })
      await audit(tx, 'server', args.now, { action: 'password.reset-link', owner: user, details: { mailed: true } })
    }
  }
  await finishJob(tx, job)
})

interface ResetPassword {
  sha256: string
  passwordHash: string
  /** Where the link was used. */
  address: string
  now: number
}

/** What runs by the old password ends before this is answered. A second factor stays. */
export const resetPassword = transaction('reset password', async (tx, args: ResetPassword): Promise<UserRow> => {
  const link = await useLink(tx, { kind: 'password-reset', sha256: args.sha256, others: [], now: args.now })
  const user = link.user_id === null ? undefined : await userById(tx, link.user_id)
  if (!user || !maySignIn(user)) throw noSuchLink('password-reset')
  await updateUser(tx, user.id, { password_hash: args.passwordHash, must_change_password: 0 })
  await endSessions(tx, user.id)
  await deleteResetLinks(tx, user.id)
  const actor = { address: args.address, credential: 'link' } as const
  await audit(tx, actor, args.now, { action: 'password.reset', owner: user })
  return user
})

export interface PasswordResetParts {
  catalogue: Catalogue
  passwords: Passwords
  secrets: SecretKey
  now: () => number
  publicUrl: () => string
  passwordLogin: boolean
  /** Undefined where no mail is sent. */
  mails: { wake: () => void; wakeForgotten: () => void } | undefined
}

/** Links by which somebody sets himself a new password. */
export class PasswordResets {
  readonly #parts: PasswordResetParts
  readonly #attempts: CodeAttempts
  readonly #asks: Allowance

  constructor(parts: PasswordResetParts) {
    this.#parts = parts
    this.#attempts = new CodeAttempts(parts.now)
    this.#asks = new Allowance({ times: asksAnHour, within: hour * 1000, now: parts.now })
  }

  /** A new link for an account, `expiresIn` seconds long; its address is shown this once and not stored. */
  async create(
    { caller }: AdminGrant,
    userId: number,
    expiresIn: number = usualReset,
  ): Promise<{ link: LinkRow; url: string }> {
    mustTakePasswords(this.#parts.passwordLogin)
    const { catalogue, secrets, publicUrl, mails } = this.#parts
    const now = this.#parts.now()
    const { code, nonce, sha256 } = newCode(secrets, 'password-reset')
    const link = await catalogue.transact(addPasswordReset, {
      standing: standingOf(caller),
      userId,
      nonce,
      sha256,
      canMail: mails !== undefined,
      now,
      expiresAt: now + expiresIn * 1000,
    })
    if (link.mailed) mails?.wake()
    return { link, url: linkAddress(publicUrl(), 'password-reset', code) }
  }

  /** Sets the password of the account that the link is for; answers whose it is. */
  async use(code: string, password: string, address: string): Promise<UserRow> {
    mustTakePasswords(this.#parts.passwordLogin)
    return this.#attempts.counted(networkOf(address), async () => {
      const { catalogue, passwords, now } = this.#parts
      const sha256 = await goodCode(catalogue.read, 'password-reset', code, now())
      const passwordHash = await passwords.hash(password)
      return catalogue.transact(resetPassword, { sha256, passwordHash, address, now: now() })
    })
  }

  /** Whether people can help themselves here. */
  get areMailed(): boolean {
    return this.#parts.passwordLogin && this.#parts.mails !== undefined
  }

  mustSendMail(): void {
    mustTakePasswords(this.#parts.passwordLogin)
    if (this.#parts.mails) return
    throw new Problem('not-found', 'This site sends no mail: ask an administrator for a link to set a new password.')
  }

  /** Sends a link to that mailbox where an account has it. Whether one has does not show, not even in how long this takes. */
  async forgot(email: string, address: string): Promise<void> {
    this.mustSendMail()
    const key = emailKey(email)
    if (key === undefined) throw new Problem('unprocessable', 'email: must be an e-mail address')
    const used = this.#asks.take(`from ${networkOf(address)}`) ?? this.#asks.take(`to ${key}`)
    if (used) {
      const sentence = `That was asked for too often. Look into your mailbox, or try again in ${used.wait} seconds.`
      throw new Problem('too-many-attempts', sentence, { retry_after: used.wait })
    }
    const { catalogue, now, mails } = this.#parts
    await catalogue.transact(askForReset, { emailKey: key, address, now: now() })
    mails?.wakeForgotten()
  }

  /** The job of somebody who forgot his password. */
  async answerForgotten(job: Job): Promise<void> {
    const { catalogue, secrets, mails } = this.#parts
    const now = this.#parts.now()
    const { nonce, sha256 } = newCode(secrets, 'password-reset')
    await catalogue.transact(addForgottenReset, { job, nonce, sha256, now, expiresAt: now + askedReset * 1000 })
    mails?.wake()
  }
}
