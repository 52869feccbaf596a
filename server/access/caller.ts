import type { CallingDeployToken, CallingToken } from '../catalogue/callers.ts'
import type { OwnerKind } from '../catalogue/schema.ts'
import type { UserRow } from '../catalogue/users.ts'
import { limitFrom, type PackageLimit } from './package-patterns.ts'
import { type Scopes, scopesFrom } from './scopes.ts'

/** Who is calling, and with what. */
export type Caller = Anonymous | SignedIn | DeployTokenCaller

/** Who may publish and delete, once he has a grant. */
export type Publisher = SignedIn | DeployTokenCaller

export interface Anonymous {
  kind: 'anonymous'
  /** Whether this site shows nobody anything who has not signed in. */
  mustSignIn: boolean
}

export interface SignedIn {
  kind: 'user'
  account: Account
  credential:
    | PasswordCredential
    | TokenCredential
    | SessionCredential
    | ProxyCredential
    | PasskeyCredential
    | OidcCredential
  /** Of the client. */
  address: string
}

/** A token that belongs to an owner instead of a person: for packages, and for nothing else. */
export interface DeployTokenCaller {
  kind: 'deploy-token'
  /** Whose token it is. */
  owner: { id: number; name: string; kind: OwnerKind }
  credential: DeployTokenCredential
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
  /** Typed into a page, which can ask for more than a program can show. */
  inBrowser?: boolean
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
  packages: PackageLimit
}

export interface DeployTokenCredential {
  kind: 'deploy-token'
  id: number
  name: string
  lastEight: string
  scopes: Scopes
  packages: PackageLimit
  /** Milliseconds since 1970. */
  expiresAt: number | null
  viaBasic: boolean
  /** What the ID token said for which a job got it; undefined of one that a person made. */
  origin: Origin | undefined
}

/** Where something comes from, as the issuer of an ID token vouches for it. */
export interface Origin {
  issuer: string
  /** By claim. */
  claims: Readonly<Record<string, string>>
}

/** A browser that has signed in. Never a credential of `/api`. */
export interface SessionCredential {
  kind: 'session'
  id: number
}

/** Shown to sign in with a browser, whose session goes on from there. */
export interface PasskeyCredential {
  kind: 'passkey'
  id: number
}

/** A trusted proxy said who it is. */
export interface ProxyCredential {
  kind: 'proxy'
}

/** An OpenID provider said who it is. */
export interface OidcCredential {
  kind: 'oidc'
  /** The identity of which it was said. */
  identity: number
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
export function maySignIn(row: Pick<UserRow, 'is_active' | 'prohibit_login' | 'suspended_at'>): boolean {
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
    packages: limitFrom(row.packages),
  }
}

export function deployTokenCaller(row: CallingDeployToken, viaBasic: boolean, address: string): DeployTokenCaller {
  return {
    kind: 'deploy-token',
    owner: { id: row.owner_id, name: row.ownerName, kind: row.ownerKind },
    credential: {
      kind: 'deploy-token',
      id: row.id,
      name: row.name,
      lastEight: row.last_eight,
      scopes: scopesFrom(row.scopes),
      packages: limitFrom(row.packages),
      expiresAt: row.expires_at,
      viaBasic,
      origin: row.claims === null ? undefined : (JSON.parse(row.claims) as Origin),
    },
    address,
  }
}

/** Whose name stands for the caller: his own, or that of the owner whose token he has. */
export function actorOf(caller: Publisher): { id: number; name: string } {
  return caller.kind === 'user' ? caller.account : caller.owner
}

/** Whether it is an administrator of the site. */
export function isSiteAdmin(caller: Caller): boolean {
  return caller.kind === 'user' && caller.account.isAdmin
}

/** What the caller's token is limited to; null where he has none, or it has no limit. */
export function limitOf(caller: Caller): PackageLimit {
  if (caller.kind === 'anonymous' || !('packages' in caller.credential)) return null
  return caller.credential.packages
}

export function tokenIsValid(row: { expires_at: number | null }, now: number): boolean {
  return row.expires_at === null || row.expires_at > now
}
