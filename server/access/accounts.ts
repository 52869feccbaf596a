import { deleteResetLinks } from '../catalogue/links.ts'
import { alone, lockByName } from '../catalogue/named-locks.ts'
import { insertOwner } from '../catalogue/owners.ts'
import { deletePasskeysOf } from '../catalogue/passkeys.ts'
import type { Tx, Visibility } from '../catalogue/schema.ts'
import { deleteSecondFactor } from '../catalogue/second-factors.ts'
import { endSessions } from '../catalogue/sessions.ts'
import { type Catalogue, transaction } from '../catalogue/transaction.ts'
import {
  administrators,
  anyUser,
  insertUser,
  type UserRow,
  updateUser,
  userById,
  userByNameKey,
} from '../catalogue/users.ts'
import { ownerKey, ownerName } from '../names.ts'
import { Problem } from '../problems.ts'
import { type Actor, audit } from './audit.ts'
import { changesOf, type Told } from './audit-changes.ts'
import { accountFrom, type SignedIn } from './caller.ts'
import { type AdminGrant, administer, callerNow, type Standing, standingOf } from './grant.ts'
import { mustBeFree } from './owner-names.ts'
import type { Passwords } from './passwords.ts'

/** For those who may not import the catalogue. */
export type { UserRow }

export interface NewAccount {
  name: string
  password: string
  email?: string | undefined
  fullName?: string | undefined
  visibility?: Visibility | undefined
  isAdmin?: boolean | undefined
  isRestricted?: boolean | undefined
  mustChangePassword?: boolean | undefined
  mayCreateOrganisations?: boolean | undefined
}

interface AddAccount {
  account: Omit<NewAccount, 'password'>
  nameKey: string
  passwordHash: string
  now: number
  /** Who adds it; null only for the first account of all and for who makes it himself. */
  standing: Standing | null
  /** Of who makes it himself, where he is. */
  signUpFrom?: string | undefined
}

/** Adds a user; undefined where it should have been the first one and is not. */
export const addAccount = transaction('add account', async (tx, args: AddAccount): Promise<UserRow | undefined> => {
  const { standing, signUpFrom, now } = args
  if (standing) {
    const { caller } = administer(await callerNow(tx, standing, now), 'write')
    return putAccount(tx, args, caller)
  }
  if (signUpFrom !== undefined) return putAccount(tx, args, { address: signUpFrom })
  return (await isTaken(tx)) ? undefined : putAccount(tx, args, 'operator')
})

/** Writes the new account, for whom the transaction has found that he may have it; `unprocessable` when name or address are taken. */
export async function putAccount(
  tx: Tx,
  {
    account,
    nameKey,
    passwordHash,
    now,
  }: Pick<AddAccount, 'account' | 'nameKey' | 'now'> & {
    /** Null for who has another way in. */
    passwordHash: string | null
  },
  actor: Actor,
): Promise<UserRow> {
  await lockByName(tx, [alone(`name ${nameKey}`)])
  await mustBeFree(tx, { text: account.name, key: nameKey }, null)
  const visibility = account.visibility ?? 'public'
  const id = await insertOwner(tx, { kind: 'user', name: account.name, nameKey, visibility, now })
  if (id === undefined) throw new Problem('unprocessable', `user already exists [name: ${account.name}]`)
  const added = await insertUser(tx, {
    id,
    email: account.email ?? null,
    email_key: account.email === undefined ? null : (emailKey(account.email) ?? null),
    full_name: account.fullName ?? '',
    password_hash: passwordHash,
    is_admin: account.isAdmin ? 1 : 0,
    is_active: 1,
    is_restricted: account.isRestricted ? 1 : 0,
    prohibit_login: 0,
    must_change_password: account.mustChangePassword ? 1 : 0,
    may_create_organisations: account.mayCreateOrganisations === false ? 0 : 1,
    last_login_at: null,
  })
  if (!added) throw new Problem('unprocessable', `e-mail already in use [email: ${account.email}]`)
  const user = await userById(tx, id)
  if (!user) throw new Error('an account was not there right after it was added')
  await audit(tx, actor, now, {
    action: 'account.created',
    owner: user,
    details: { admin: user.is_admin === 1, restricted: user.is_restricted === 1, visibility },
  })
  return user
}

/** What the log says of an account that was changed. */
export const toldOfAccount = {
  email: ['email', 'name only'],
  full_name: ['full_name', 'name only'],
  is_admin: ['admin', 'flag'],
  is_active: ['active', 'flag'],
  is_restricted: ['restricted', 'flag'],
  prohibit_login: ['prohibit_login', 'flag'],
  must_change_password: ['must_change_password', 'flag'],
  may_create_organisations: ['allow_create_organization', 'flag'],
  visibility: ['visibility', 'value'],
  description: ['description', 'name only'],
  website: ['website', 'name only'],
  location: ['location', 'name only'],
} as const satisfies Told<UserRow>

/** Whether somebody has the first account; of nodes that start together, the second one waits for the first to make it. */
async function isTaken(tx: Tx): Promise<boolean> {
  await lockByName(tx, [alone('first account')])
  return anyUser(tx)
}

/** Who has a new password now. */
export interface ResetAdministrator {
  name: string
  lostSecondFactor: boolean
  lostPasskeys: boolean
}

/** Gives an administrator a new password and nothing else that signs him in, and lets the account in again. */
export const resetAdministrator = transaction(
  'reset administrator',
  async (tx, args: { nameKey: string | null; passwordHash: string; now: number }): Promise<ResetAdministrator> => {
    const user = args.nameKey === null ? await onlyAdministrator(tx) : await userByNameKey(tx, args.nameKey)
    if (!user) throw new Problem('not-found', await noSuchUser(tx))
    if (user.is_admin === 0 && (await administrators(tx)).length > 0) {
      throw new Problem('forbidden', `${user.name} is not an administrator.`)
    }
    await lockByName(tx, [alone(`account ${user.id}`)])
    await updateUser(tx, user.id, {
      password_hash: args.passwordHash,
      is_admin: 1,
      is_active: 1,
      prohibit_login: 0,
      suspended_at: null,
      must_change_password: 0,
    })
    const lostSecondFactor = await deleteSecondFactor(tx, user.id)
    const lostPasskeys = await deletePasskeysOf(tx, user.id)
    await endSessions(tx, user.id)
    await deleteResetLinks(tx, user.id)
    const changed = changesOf(user, { ...user, ...(await userById(tx, user.id)) }, toldOfAccount)
    await audit(
      tx,
      'operator',
      args.now,
      { action: 'password.changed', owner: user },
      ...(changed ? [{ action: 'account.changed' as const, owner: user, details: changed }] : []),
      ...(user.suspended_at !== null ? [{ action: 'account.reinstated' as const, owner: user }] : []),
      ...(lostSecondFactor ? [{ action: 'second-factor.removed' as const, owner: user }] : []),
      ...(lostPasskeys > 0
        ? [{ action: 'passkey.removed' as const, owner: user, details: { passkeys: lostPasskeys } }]
        : []),
    )
    return { name: user.name, lostSecondFactor, lostPasskeys: lostPasskeys > 0 }
  },
)

async function noSuchUser(tx: Parameters<typeof administrators>[0]): Promise<string> {
  const names = (await administrators(tx)).map((user) => user.name)
  return `There is no user of that name. The administrators are: ${names.join(', ') || 'none'}.`
}

async function onlyAdministrator(tx: Parameters<typeof administrators>[0]): Promise<UserRow> {
  const [first, ...others] = await administrators(tx)
  if (first && others.length === 0) return first
  const names = [first, ...others].flatMap((user) => (user ? [user.name] : []))
  throw new Problem(
    'unprocessable',
    first
      ? `There are several administrators: ${names.join(', ')}. Say which with --username.`
      : 'There is no administrator. Name the user who shall be one with --username.',
  )
}

/** The form in which an e-mail address is looked up: ASCII folded; undefined when the text is none. */
export function emailKey(text: string): string | undefined {
  if (text.length > 254 || !/^[^\s@,;<>"\p{Cc}\p{Cf}]+@[^\s@,;<>"\p{Cc}\p{Cf}]+$/u.test(text)) return undefined
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
}

export class Accounts {
  readonly #catalogue: Catalogue
  readonly #passwords: Passwords
  readonly #now: () => number

  constructor(parts: { catalogue: Catalogue; passwords: Passwords; now: () => number }) {
    this.#catalogue = parts.catalogue
    this.#passwords = parts.passwords
    this.#now = parts.now
  }

  /** A new user; `unprocessable` when the name or the address is taken or not allowed. */
  async create({ caller }: AdminGrant, account: NewAccount): Promise<UserRow> {
    const created = await this.#add(account, standingOf(caller))
    if (!created) throw new Error('an account that need not be the first was not added')
    return created
  }

  /** The first administrator, where no user exists yet. */
  async createFirst(account: NewAccount): Promise<UserRow | undefined> {
    return this.#add({ ...account, isAdmin: true }, null)
  }

  /** An account that somebody makes himself: never more than what anybody may have. He has signed in with it. */
  async signUp(
    { name, password, email }: Pick<NewAccount, 'name' | 'password' | 'email'>,
    address: string,
  ): Promise<SignedIn> {
    // Whoever is quicker than the first administrator would leave the site without one.
    if (await this.isEmpty())
      throw new Problem('forbidden', 'This site has no administrator yet. Try again in a moment.')
    const user = await this.#add({ name, password, email }, null, address)
    if (!user?.password_hash) throw new Error('an account that need not be the first was not added')
    const credential = { kind: 'password', hash: user.password_hash, secondFactor: null } as const
    return { kind: 'user', account: accountFrom(user), credential, address }
  }

  async isEmpty(): Promise<boolean> {
    return !(await anyUser(this.#catalogue.read))
  }

  /** `username` undefined: the only one. */
  async resetAdministrator(username: string | undefined, password: string): Promise<ResetAdministrator> {
    const nameKey = username === undefined ? null : (ownerKey(username) ?? '')
    const passwordHash = await this.#passwords.hash(password)
    return this.#catalogue.transact(resetAdministrator, { nameKey, passwordHash, now: this.#now() })
  }

  async byName(name: string): Promise<UserRow | undefined> {
    const key = ownerKey(name)
    return key === undefined ? undefined : userByNameKey(this.#catalogue.read, key)
  }

  async byId(id: number): Promise<UserRow | undefined> {
    return userById(this.#catalogue.read, id)
  }

  async #add(
    { password, ...account }: NewAccount,
    standing: Standing | null,
    signUpFrom?: string,
  ): Promise<UserRow | undefined> {
    const { text, key } = ownerName(account.name)
    const passwordHash = await this.#passwords.hash(password)
    const named = { account: { ...account, name: text }, nameKey: key }
    const args = { ...named, passwordHash, now: this.#now(), standing, signUpFrom }
    return this.#catalogue.transact(addAccount, args)
  }
}
