import type { CallingToken } from '../catalogue/callers.ts'
import type { UserRow } from '../catalogue/users.ts'
import { type Scopes, scopesFrom } from './scopes.ts'

/** Who is calling, and with what. */
export type Caller = Anonymous | SignedIn

export interface Anonymous {
  kind: 'anonymous'
  /** Whether this site shows nobody anything who has not signed in. */
  mustSignIn: boolean
}

export interface SignedIn {
  kind: 'user'
  account: Account
  credential: PasswordCredential | TokenCredential | SessionCredential | ProxyCredential
  /** Of the client. */
  address: string
}

/** What the rules need to know of an account. */
export interface Account {
  id: number
  name: string
  isAdmin: boolean
  isRestricted: boolean
  /** He may do nothing but set a new password, in the JSON API. */
  mustChangePassword: boolean
}

export interface PasswordCredential {
  kind: 'password'
  /** The stored hash it was checked against: another one means that the password was changed. */
  hash: string
  /** The stored second factor whose code came with it, null where there was none: another one means that it was changed. */
  secondFactor: string | null
  /** The browser's session in which it was typed once more, if it was: without that it says nothing. */
  session?: number
}

export interface TokenCredential {
  kind: 'token'
  id: number
  /** The end of the token itself, by which people know it. */
  lastEight: string
  scopes: Scopes
  /** Milliseconds since 1970. */
  expiresAt: number | null
  /** Sent as a Basic password or user name: some routes insist on Basic. */
  viaBasic: boolean
}

/** A browser that has signed in. Never a credential of `/api`. */
export interface SessionCredential {
  kind: 'session'
  id: number
}

/** A trusted proxy said who it is. */
export interface ProxyCredential {
  kind: 'proxy'
}

export const anonymous: Anonymous = { kind: 'anonymous', mustSignIn: false }

export function accountFrom(row: UserRow): Account {
  return {
    id: row.id,
    name: row.name,
    isAdmin: row.is_admin === 1,
    isRestricted: row.is_restricted === 1,
    mustChangePassword: row.must_change_password === 1,
  }
}

/** Whether the account may sign in at all, with whatever credential. */
export function maySignIn(row: UserRow): boolean {
  return row.is_active === 1 && row.prohibit_login === 0 && row.suspended_at === null
}

export function tokenCredential(row: CallingToken, viaBasic: boolean): TokenCredential {
  return {
    kind: 'token',
    id: row.id,
    lastEight: row.last_eight,
    scopes: scopesFrom(row.scopes),
    expiresAt: row.expires_at,
    viaBasic,
  }
}

export function tokenIsValid(row: CallingToken, now: number): boolean {
  return row.expires_at === null || row.expires_at > now
}
