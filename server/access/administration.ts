import { deleteResetLinks } from '../catalogue/links.ts'
import { alone, lockAccounts, lockByName } from '../catalogue/named-locks.ts'
import { updateOwner } from '../catalogue/owners.ts'
import type { Tx, Visibility } from '../catalogue/schema.ts'
import { endSessions } from '../catalogue/sessions.ts'
import { type Catalogue, transaction } from '../catalogue/transaction.ts'
import {
  anotherAdministrator,
  isEmailTaken,
  type UserRow,
  updateUser,
  userById,
  usersPage,
} from '../catalogue/users.ts'
import { Problem } from '../problems.ts'
import { emailKey, toldOfAccount } from './accounts.ts'
import { audit } from './audit.ts'
import { changesOf } from './audit-changes.ts'
import type { AdminGrant, Claim } from './grant.ts'
import { leaveClaim, leaveNow, type OwnerLeave } from './owner-leave.ts'
import type { Passwords } from './passwords.ts'

/** What becomes of an account; what is undefined stays as it is. */
export interface AccountChange {
  /** '' is none. */
  email?: string | undefined
  fullName?: string | undefined
  isAdmin?: boolean | undefined
  isActive?: boolean | undefined
  isRestricted?: boolean | undefined
  prohibitLogin?: boolean | undefined
  mustChangePassword?: boolean | undefined
  mayCreateOrganisations?: boolean | undefined
  visibility?: Visibility | undefined
  description?: string | undefined
  website?: string | undefined
  location?: string | undefined
}

interface ChangeAccount {
  claim: Claim
  change: AccountChange
  /** Null: the password stays. */
  passwordHash: string | null
  now: number
}

/** What runs in the account's name ends before this is answered, and what comes after it finds the account as it is now. */
export const changeAccount = transaction('change account', async (tx, args: ChangeAccount): Promise<UserRow> => {
  const { claim, change, passwordHash } = args
  const id = claim.ownerId
  await lockAccounts(tx, { alone: [id], shared: [claim.userId] })
  await lockByName(tx, [alone(`owner ${id}`)])
  const { caller } = await leaveNow(tx, claim, args.now)
  const before = await accountRow(tx, id)
  await mustLeaveAnAdministrator(tx, id, change)
  if (change.email) await mustNotBeTaken(tx, id, change.email)
  await updateUser(tx, id, {
    ...emailColumns(change.email),
    full_name: change.fullName,
    is_admin: flag(change.isAdmin),
    is_active: flag(change.isActive),
    is_restricted: flag(change.isRestricted),
    prohibit_login: flag(change.prohibitLogin),
    must_change_password: flag(change.mustChangePassword),
    may_create_organisations: flag(change.mayCreateOrganisations),
    password_hash: passwordHash ?? undefined,
  })
  const { visibility, description, website, location } = change
  await updateOwner(tx, id, { visibility, description, website, location })
  if (passwordHash !== null || locksOut(change)) await endSessions(tx, id)
  if (passwordHash !== null || locksOut(change) || change.email !== undefined) await deleteResetLinks(tx, id)
  const changed = await accountRow(tx, id)
  const details = changesOf(before, changed, toldOfAccount)
  await audit(
    tx,
    caller,
    args.now,
    ...(details ? [{ action: 'account.changed' as const, owner: changed, details }] : []),
    ...(passwordHash === null ? [] : [{ action: 'password.changed' as const, owner: changed }]),
  )
  return changed
})

async function accountRow(tx: Tx, id: number): Promise<UserRow> {
  const user = await userById(tx, id)
  if (!user) throw new Error('an account went while it was held')
  return user
}

/** Two administrators who give up at the same moment would each see the other one. */
async function mustLeaveAnAdministrator(tx: Tx, id: number, change: AccountChange): Promise<void> {
  if (change.isAdmin !== false && !locksOut(change)) return
  await lockByName(tx, [alone('administrators')])
  if (await anotherAdministrator(tx, id)) return
  throw new Problem('unprocessable', 'This is the last administrator who can sign in: make somebody else one first.')
}

function locksOut({ isActive, prohibitLogin }: AccountChange): boolean {
  return isActive === false || prohibitLogin === true
}

/** Throws where somebody else has the e-mail address. */
export async function mustNotBeTaken(tx: Tx, id: number, email: string): Promise<void> {
  const key = emailKey(email)
  if (key === undefined) throw new Problem('unprocessable', 'email: must be an e-mail address')
  if (await isEmailTaken(tx, key, id)) throw new Problem('unprocessable', `e-mail already in use [email: ${email}]`)
}

export function emailColumns(email: string | undefined): { email?: string | null; email_key?: string | null } {
  if (email === undefined) return {}
  return email === '' ? { email: null, email_key: null } : { email, email_key: emailKey(email) ?? null }
}

function flag(value: boolean | undefined): 0 | 1 | undefined {
  return value === undefined ? undefined : value ? 1 : 0
}

/** What administrators see and do about accounts. */
export class Administration {
  readonly #catalogue: Catalogue
  readonly #passwords: Passwords
  readonly #now: () => number

  constructor(parts: { catalogue: Catalogue; passwords: Passwords; now: () => number }) {
    this.#catalogue = parts.catalogue
    this.#passwords = parts.passwords
    this.#now = parts.now
  }

  /** All users, or only those whose name or e-mail address holds a text. */
  async users(
    _: AdminGrant,
    page: { offset: number; limit: number },
    text = '',
  ): Promise<{ users: UserRow[]; total: number }> {
    return usersPage(this.#catalogue.read, page, text.toLowerCase())
  }

  /** The user as he is from now on. A new password ends his sessions. */
  async change(leave: OwnerLeave, change: AccountChange, password: string | undefined): Promise<UserRow> {
    const passwordHash = password === undefined ? null : await this.#passwords.hash(password)
    const args = { claim: leaveClaim(leave), change, passwordHash, now: this.#now() }
    return this.#catalogue.transact(changeAccount, args)
  }
}
