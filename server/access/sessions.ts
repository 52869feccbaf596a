import { randomBytes } from 'node:crypto'
import { accountOfSession } from '../catalogue/callers.ts'
import { lockAccounts } from '../catalogue/named-locks.ts'
import {
  deleteEndedSessions,
  deleteSession,
  endSessions,
  holderOfSession,
  insertSession,
  keepNewestSessions,
  type SessionRow,
  sessionsOf,
} from '../catalogue/sessions.ts'
import { type Catalogue, transaction } from '../catalogue/transaction.ts'
import { type UserRow, updateUser, userById } from '../catalogue/users.ts'
import { sha256 } from '../lib/digests.ts'
import { Problem } from '../problems.ts'
import { type AuditEvent, audit } from './audit.ts'
import { accountFrom, maySignIn, type SignedIn } from './caller.ts'
import {
  type AdminGrant,
  administer,
  callerNow,
  type PasswordCaller,
  type Standing,
  standingOf,
  wrongCredentials,
} from './grant.ts'
import type { LastUses } from './last-uses.ts'

/** For those who may not import the catalogue. */
export type { SessionRow }

/** The job that removes the sessions that have ended. */
export const endedSessionsJob = 'ended-sessions'

/** Sessions that an account may have: whoever signs in once more loses the oldest. */
const mostSessions = 100
/** Characters of what a browser says of itself. */
const longestAgent = 255

/** Where somebody sits who signs in. */
export interface Browser {
  address: string
  agent: string
  /** The session that it brought; undefined where it brought none. */
  secret: string | undefined
}

/** Who has signed in with a browser, and his whole account. */
export interface Visitor extends SignedIn {
  user: UserRow
}

/**
 * The visitor as if he had called by the password that the account has, for what only the password decides: the second factor
 * was asked for when he signed in, so the old password is enough while that session lives. Not yet checked, which is the caller's
 * to do.
 */
export function passwordHolder({ account, user, credential, address }: Visitor): PasswordCaller {
  if (credential.kind !== 'session' || user.password_hash === null)
    throw new Problem('forbidden', 'This takes a password: sign in with user name and password.')
  const { password_hash: hash, totp_secret: secondFactor } = user
  const password = { kind: 'password', hash, secondFactor, session: credential.id } as const
  return { kind: 'user', account, credential: password, address }
}

interface StartSession {
  standing: Standing
  sha256: string
  /** Of the session that the browser brought: it is replaced, so that nobody goes on with one that he was slipped. */
  replaced: string | null
  address: string
  agent: string
  expiresAt: number
  now: number
}

export const startSession = transaction('start session', async (tx, args: StartSession): Promise<UserRow> => {
  const { standing, now } = args
  const { userId } = standing
  const replaced = args.replaced === null ? undefined : await holderOfSession(tx, args.replaced)
  await lockAccounts(tx, { alone: [userId, ...(replaced ? [replaced.userId] : [])] })
  const caller = await callerNow(tx, standing, now)
  if (replaced && (await deleteSession(tx, replaced)) && replaced.userId !== userId) {
    // Somebody else had the browser before, and is signed out by this.
    const other = await userById(tx, replaced.userId)
    if (other) await audit(tx, caller, now, ended(other, 1))
  }
  await insertSession(tx, {
    user_id: userId,
    sha256: args.sha256,
    created_at: now,
    last_used_at: now,
    expires_at: args.expiresAt,
    address: args.address,
    agent: args.agent,
  })
  await keepNewestSessions(tx, userId, mostSessions)
  await updateUser(tx, userId, { last_login_at: now })
  const user = await userById(tx, userId)
  if (!user) throw wrongCredentials()
  await audit(tx, caller, now, { action: 'sign-in', owner: caller.account })
  return user
})

interface SignOut {
  sha256: string
  address: string
  now: number
}

/** Takes no caller: whoever has the session's secret may end it. */
export const signOut = transaction('sign out', async (tx, { sha256, address, now }: SignOut) => {
  const session = await holderOfSession(tx, sha256)
  if (!session) return
  // What a page of this session began ends before this is answered.
  await lockAccounts(tx, { alone: [session.userId] })
  const user = await userById(tx, session.userId)
  if (!(await deleteSession(tx, session)) || !user) return
  const account = accountFrom(user)
  const actor = { account, credential: { kind: 'session', id: session.id }, address } as const
  await audit(tx, actor, now, { action: 'sign-out', owner: account })
})

interface EndOwn {
  standing: Standing
  /** Null: all but the one that asks. */
  id: number | null
  now: number
}

/** False where there is no such session. */
export const endOwnSessions = transaction('end own sessions', async (tx, args: EndOwn): Promise<boolean> => {
  const { userId, credential } = args.standing
  await lockAccounts(tx, { alone: [userId] })
  const caller = await callerNow(tx, args.standing, args.now)
  const keep = credential.kind === 'session' ? credential.id : null
  const one = args.id === null ? undefined : await deleteSession(tx, { userId, id: args.id })
  const sessions = one === undefined ? await endSessions(tx, userId, keep) : Number(one)
  if (sessions > 0) await audit(tx, caller, args.now, ended(caller.account, sessions))
  return one ?? true
})

function ended(owner: { id: number; name: string }, sessions: number): AuditEvent {
  return { action: 'session.ended', owner, details: { sessions } }
}

interface EndSessionsOf {
  standing: Standing
  userId: number
  now: number
}

export const endSessionsOf = transaction('end sessions of user', async (tx, args: EndSessionsOf) => {
  await lockAccounts(tx, { alone: [args.userId], shared: [args.standing.userId] })
  const { caller } = administer(await callerNow(tx, args.standing, args.now), 'write')
  const user = await userById(tx, args.userId)
  const sessions = await endSessions(tx, args.userId)
  if (user && sessions > 0) await audit(tx, caller, args.now, ended(user, sessions))
})

export const dropEndedSessions = transaction(
  'drop ended sessions',
  async (tx, args: { now: number; idleSince: number }) => deleteEndedSessions(tx, args),
)

/** Browsers that have signed in. */
export class Sessions {
  readonly #catalogue: Catalogue
  readonly #now: () => number
  readonly #idle: number
  readonly #lifetime: number
  readonly #lastUses: LastUses

  /** `idle` and `lifetime` in milliseconds: how long a session lasts without a request, and in any case. */
  constructor(parts: {
    catalogue: Catalogue
    now: () => number
    idle: number
    lifetime: number
    lastUses: LastUses
  }) {
    this.#catalogue = parts.catalogue
    this.#now = parts.now
    this.#idle = parts.idle
    this.#lifetime = parts.lifetime
    this.#lastUses = parts.lastUses
  }

  /** A new session for who has just given his password; `secret` is for the browser alone and not stored. */
  async start(caller: SignedIn, browser: Browser): Promise<{ secret: string; user: UserRow }> {
    const now = this.#now()
    const secret = randomBytes(32).toString('base64url')
    const user = await this.#catalogue.transact(startSession, {
      standing: standingOf(caller),
      sha256: sha256(secret),
      replaced: browser.secret === undefined ? null : sha256(browser.secret),
      address: browser.address,
      agent: browser.agent.slice(0, longestAgent),
      expiresAt: now + this.#lifetime,
      now,
    })
    return { secret, user }
  }

  /** Whose session it is; undefined where it has ended, or its account may not sign in any more. */
  async visitor(secret: string, address: string): Promise<Visitor | undefined> {
    const found = await accountOfSession(this.#catalogue.read, { sha256: sha256(secret), ...this.#limits() })
    if (!found || !maySignIn(found.user)) return undefined
    this.#lastUses.note('sessions', found.sessionId)
    const credential = { kind: 'session', id: found.sessionId } as const
    return { kind: 'user', account: accountFrom(found.user), credential, address, user: found.user }
  }

  async signOut({ secret, address }: Browser): Promise<void> {
    if (secret === undefined) return
    const known = sha256(secret)
    // A read first: anybody may send anything, and the writer is for those who change something.
    if (!(await holderOfSession(this.#catalogue.read, known))) return
    await this.#catalogue.transact(signOut, { sha256: known, address, now: this.#now() })
  }

  /** The visitor's own, newest first. */
  async list({ account }: Visitor): Promise<SessionRow[]> {
    return sessionsOf(this.#catalogue.read, { userId: account.id, ...this.#limits() })
  }

  /** When the visitor gave his password for the session that he asks by; undefined where he asks by none. */
  async begunAt(visitor: Visitor): Promise<number | undefined> {
    const { credential } = visitor
    if (credential.kind !== 'session') return undefined
    return (await this.list(visitor)).find(({ id }) => id === credential.id)?.created_at
  }

  /** Ends one of the visitor's own. */
  async end(visitor: Visitor, id: number): Promise<void> {
    const args = { standing: standingOf(visitor), id, now: this.#now() }
    if (!(await this.#catalogue.transact(endOwnSessions, args)))
      throw new Problem('not-found', 'session does not exist')
  }

  /** Ends the visitor's own, but for the one that he asks by. */
  async endOthers(visitor: Visitor): Promise<void> {
    const args = { standing: standingOf(visitor), id: null, now: this.#now() }
    await this.#catalogue.transact(endOwnSessions, args)
  }

  async endAllOf({ caller }: AdminGrant, userId: number): Promise<void> {
    const args = { standing: standingOf(caller), userId, now: this.#now() }
    await this.#catalogue.transact(endSessionsOf, args)
  }

  /** Removes the rows of those that have ended. */
  async dropEnded(): Promise<void> {
    await this.#catalogue.transact(dropEndedSessions, this.#limits())
  }

  #limits(): { now: number; idleSince: number } {
    const now = this.#now()
    return { now, idleSince: now - this.#idle }
  }
}
