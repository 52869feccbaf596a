import { deleteResetLinks } from '../catalogue/links.ts'
import { alone, lockAccounts, lockByName } from '../catalogue/named-locks.ts'
import { updateOwner } from '../catalogue/owners.ts'
import type { Tx, Visibility } from '../catalogue/schema.ts'
import { endSessions } from '../catalogue/sessions.ts'
import { type Catalogue, transaction } from '../catalogue/transaction.ts'
import { type UserRow, updateUser, userById } from '../catalogue/users.ts'
import { toldOfAccount } from './accounts.ts'
import { emailColumns, mustNotBeTaken } from './administration.ts'
import { audit } from './audit.ts'
import { changesOf } from './audit-changes.ts'
import type { SignedIn } from './caller.ts'
import {
  byPassword,
  callerNow,
  mustBeInReach,
  type PasswordCaller,
  type Standing,
  signedIn,
  standingOf,
  wrongCredentials,
} from './grant.ts'
import type { Passwords } from './passwords.ts'

interface ChangePassword {
  standing: Standing
  passwordHash: string
  /** The session by which it is changed; null where it is by none. */
  keep: number | null
  now: number
}

/** What runs by the old password ends before this is answered, and nothing begins by it any more. */
export const changePassword = transaction('change password', async (tx, args: ChangePassword) => {
  const { userId } = args.standing
  await lockAccounts(tx, { alone: [userId] })
  const caller = byPassword(await callerNow(tx, args.standing, args.now))
  await updateUser(tx, userId, { password_hash: args.passwordHash, must_change_password: 0 })
  await endSessions(tx, userId, args.keep)
  await deleteResetLinks(tx, userId)
  await audit(tx, caller, args.now, { action: 'password.changed', owner: caller.account })
})

/** What somebody changes of himself; what is undefined stays as it is. */
export interface SettingsChange {
  fullName?: string | undefined
  description?: string | undefined
  website?: string | undefined
  location?: string | undefined
  visibility?: Visibility | undefined
  /** '' is none. By password only: whoever has the address can get a new password. */
  email?: string | undefined
}

interface ChangeSettings {
  standing: Standing
  change: SettingsChange
  now: number
}

export const changeSettings = transaction('change settings', async (tx, args: ChangeSettings): Promise<UserRow> => {
  const { change } = args
  // The address is a key of the row, which all who publish share: it would be waited for as long as somebody does.
  if (change.email !== undefined) await lockAccounts(tx, { alone: [args.standing.userId] })
  const caller = signedIn(await callerNow(tx, args.standing, args.now), 'write:user')
  const { id } = caller.account
  // A token that is for public owners only must not go on where the account is public no longer.
  if (change.visibility !== undefined) await lockByName(tx, [alone(`owner ${id}`)])
  const before = await ownRow(tx, id)
  mustBeInReach(caller, before)
  if (change.email !== undefined) {
    byPassword(caller)
    // They were sent to the address as it was.
    await deleteResetLinks(tx, id)
  }
  if (change.email) await mustNotBeTaken(tx, id, change.email)
  await updateUser(tx, id, { ...emailColumns(change.email), full_name: change.fullName })
  const { visibility, description, website, location } = change
  await updateOwner(tx, id, { visibility, description, website, location })
  const changed = await ownRow(tx, id)
  const details = changesOf(before, changed, toldOfAccount)
  if (details) await audit(tx, caller, args.now, { action: 'account.changed', owner: changed, details })
  return changed
})

async function ownRow(tx: Tx, id: number): Promise<UserRow> {
  const user = await userById(tx, id)
  if (!user) throw wrongCredentials()
  return user
}

/** What somebody sees and does about his own account. */
export class OwnAccount {
  readonly #catalogue: Catalogue
  readonly #passwords: Passwords
  readonly #now: () => number

  constructor(parts: { catalogue: Catalogue; passwords: Passwords; now: () => number }) {
    this.#catalogue = parts.catalogue
    this.#passwords = parts.passwords
    this.#now = parts.now
  }

  /** Sets another password, which ends every session but the one by which it is changed. */
  async changePassword(caller: PasswordCaller, password: string, keep: number | null = null): Promise<void> {
    const passwordHash = await this.#passwords.hash(password)
    const args = { standing: standingOf(caller), passwordHash, keep, now: this.#now() }
    await this.#catalogue.transact(changePassword, args)
  }

  async settings(caller: SignedIn): Promise<UserRow> {
    const user = await userById(this.#catalogue.read, caller.account.id)
    if (!user) throw wrongCredentials()
    mustBeInReach(caller, user)
    return user
  }

  /** The account as it is from now on. */
  async changeSettings(caller: SignedIn, change: SettingsChange): Promise<UserRow> {
    return this.#catalogue.transact(changeSettings, { standing: standingOf(caller), change, now: this.#now() })
  }
}
