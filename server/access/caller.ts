import type { CallingToken } from '../catalogue/callers.ts'
import type { UserRow } from '../catalogue/users.ts'
import { type Scopes, scopesFrom } from './scopes.ts'

/** Who is calling, and with what. */
export type Caller = Anonymous | SignedIn

export interface Anonymous {
  kind: 'anonymous'
}

export interface SignedIn {
  kind: 'user'
  account: Account
  credential: PasswordCredential | TokenCredential
}

/** What the rules need to know of an account. */
export interface Account {
  id: number
  name: string
  isAdmin: boolean
  isRestricted: boolean
}

export interface PasswordCredential {
  kind: 'password'
  /** The stored hash it was checked against: another one means that the password was changed. */
  hash: string
}

export interface TokenCredential {
  kind: 'token'
  id: number
  scopes: Scopes
  /** Milliseconds since 1970. */
  expiresAt: number | null
  /** Sent as a Basic password or user name: some routes insist on Basic. */
  viaBasic: boolean
}

export const anonymous: Anonymous = { kind: 'anonymous' }

export function accountFrom(row: UserRow): Account {
  return { id: row.id, name: row.name, isAdmin: row.is_admin === 1, isRestricted: row.is_restricted === 1 }
}

/** Whether the account may sign in at all, with whatever credential. */
export function maySignIn(row: UserRow): boolean {
  return row.is_active === 1 && row.prohibit_login === 0
}

export function tokenCredential(row: CallingToken, viaBasic: boolean): TokenCredential {
  return { kind: 'token', id: row.id, scopes: scopesFrom(row.scopes), expiresAt: row.expires_at, viaBasic }
}

export function tokenIsValid(row: CallingToken, now: number): boolean {
  return row.expires_at === null || row.expires_at > now
}
