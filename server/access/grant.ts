import { callingAccount } from '../catalogue/callers.ts'
import { lockByName, shared } from '../catalogue/named-locks.ts'
import type { OwnerRow } from '../catalogue/owners.ts'
import { ownerById } from '../catalogue/owners.ts'
import type { Tx } from '../catalogue/schema.ts'
import { sessionLives } from '../catalogue/sessions.ts'
import { Problem } from '../problems.ts'
import {
  accountFrom,
  type Caller,
  maySignIn,
  type PasswordCredential,
  type ProxyCredential,
  type SessionCredential,
  type SignedIn,
  type TokenCredential,
  tokenCredential,
  tokenIsValid,
} from './caller.ts'
import { permission, type Verb, verdict } from './rules.ts'
import { hasScope, type ScopeName, scopeList } from './scopes.ts'

declare const granted: unique symbol

/** Leave to do something at an owner. Only this file makes one, so a route that forgets to ask does not compile. */
export interface Grant<V extends Verb = Verb> {
  readonly [granted]: V
  readonly owner: OwnerRow
  readonly caller: V extends 'write' ? SignedIn : Caller
}

/** Leave to run the site. */
export interface AdminGrant {
  readonly [granted]: 'administer'
  readonly caller: SignedIn
}

/** A `Grant<V>`, or the refusal that the protocol wants. */
export function grant<V extends Verb>(verb: V, caller: Caller, owner: OwnerRow | undefined): Grant<V> {
  const refusal = refuse(verdict(caller, owner, verb), caller, owner, verb)
  if (refusal) throw refusal
  return { owner, caller } as Grant<V>
}

/**
 * The owner at the address that was resolved; undefined where there is none. `moved` where the address has a name that the
 * owner had before, unless the caller may not know of him.
 */
export function ownerAt({
  caller,
  found,
}: {
  caller: Caller
  found: { owner: OwnerRow; isFormerName: boolean } | undefined
}): OwnerRow | undefined {
  if (!found?.isFormerName) return found?.owner
  if (!maySee(caller, found.owner)) return undefined
  throw new Problem('moved', `This is called ${found.owner.name} now.`, { name: found.owner.name })
}

/** The same for the JSON API, where an owner that is hidden from the caller is unknown also to who has not signed in. */
export function grantToShow(caller: Caller, owner: OwnerRow | undefined): Grant<'read'> {
  const found = verdict(caller, owner, 'read')
  if (found === 'sign-in' && !(caller.kind === 'anonymous' && caller.mustSignIn))
    throw new Problem('not-found', 'Not found.')
  if (found === 'scope') throw scopeMissing(caller, 'read:package')
  return grant('read', caller, owner)
}

/** The same to publish or delete: who may see the owner and may not write there is told so. */
export function grantToChange(caller: Caller, owner: OwnerRow | undefined): Grant<'write'> {
  grantToShow(caller, owner)
  if (verdict(caller, owner, 'write') === 'scope') throw scopeMissing(caller, 'write:package')
  return grant('write', caller, owner)
}

function refuse(
  found: ReturnType<typeof verdict>,
  caller: Caller,
  owner: OwnerRow | undefined,
  verb: Verb,
): Problem | undefined {
  const name = caller.kind === 'user' ? caller.account.name : ''
  switch (found) {
    case 'allowed':
      return undefined
    case 'unknown-owner':
      return new Problem('not-found', 'Not found.')
    case 'sign-in':
      return verb === 'write'
        ? new Problem(
            'credentials-missing',
            'Sign in to publish or delete here: send a token or a user name and password.',
          )
        : new Problem('credentials-missing', 'Sign in to read this: send a token or a user name and password.')
    case 'public-only':
      return new Problem('forbidden', `This token is for public packages only, and ${owner?.name} is not public.`)
    case 'scope':
      return new Problem('forbidden', `This token lacks the scope ${verb}:package.`)
    case 'no-write':
      return new Problem(
        'forbidden',
        `${name} may read the packages of ${owner?.name}, but not publish or delete there.`,
      )
  }
}

/** Who called, and with what, as plain values: to be asked again inside a transaction, since a body can take hours. */
export interface Standing {
  userId: number
  credential:
    | PasswordCredential
    | SessionCredential
    | ProxyCredential
    | Pick<TokenCredential, 'kind' | 'id' | 'viaBasic'>
  /** Of the client. */
  address: string
}

export function standingOf({ account, credential, address }: SignedIn): Standing {
  if (credential.kind !== 'token') return { userId: account.id, credential, address }
  const { kind, id, viaBasic } = credential
  return { userId: account.id, credential: { kind, id, viaBasic }, address }
}

/**
 * The caller as he is now; `credentials-wrong` unless account and credential still stand. They stand until the transaction has
 * ended: whoever changes them holds the account alone, and so is answered after it.
 */
export async function callerNow(tx: Tx, standing: Standing, now: number): Promise<SignedIn> {
  await lockByName(tx, [shared(`account ${standing.userId}`)])
  return lockedCaller(tx, standing, now)
}

async function lockedCaller(tx: Tx, standing: Standing, now: number): Promise<SignedIn> {
  const { userId, credential, address } = standing
  const found = await callingAccount(tx, { userId, tokenId: credential.kind === 'token' ? credential.id : null })
  if (!found || !maySignIn(found.user)) throw wrongCredentials()
  const { user, token } = found
  const account = accountFrom(user)
  switch (credential.kind) {
    case 'password':
      if (user.password_hash !== credential.hash) throw wrongCredentials()
      if (user.totp_secret !== credential.secondFactor) throw wrongCredentials()
      if (credential.session !== undefined && !(await sessionLives(tx, { id: credential.session, userId, now })))
        throw wrongCredentials()
      return { kind: 'user', account, credential, address }
    case 'session':
      // Idle or not: it was not when the request began.
      if (!(await sessionLives(tx, { ...credential, userId, now }))) throw wrongCredentials()
      return { kind: 'user', account, credential, address }
    case 'proxy':
      return { kind: 'user', account, credential, address }
    case 'token':
      if (!token || !tokenIsValid(token, now)) throw wrongCredentials()
      return { kind: 'user', account, credential: tokenCredential(token, credential.viaBasic), address }
  }
}

/** A write grant as plain values. */
export interface Claim extends Standing {
  ownerId: number
}

export function claimOf({ owner, caller }: Grant<'write'>): Claim {
  return { ...standingOf(caller), ownerId: owner.id }
}

/**
 * The grant again; throws unless it would be given now, with the same account, credential and owner. The transaction shares the
 * locks of account and owner, which it has taken by an earlier statement: see `rightsOf`.
 */
export async function recheck(tx: Tx, claim: Claim, now: number): Promise<Grant<'write'>> {
  const { ownerId, userId } = claim
  return grant('write', await lockedCaller(tx, claim, now), await ownerById(tx, { id: ownerId, userId }))
}

/** The locks under which a claim stays what it is. */
export function rightsOf({ userId, ownerId }: Claim): ReturnType<typeof shared>[] {
  return [shared(`account ${userId}`), shared(`owner ${ownerId}`)]
}

export function wrongCredentials(): Problem {
  return new Problem('credentials-wrong', 'Failed to authenticate user')
}

/** The caller, unless he sent a token in another way than Basic: some routes are not for scripts that hold only a token. */
export function byBasic(caller: Caller): Caller {
  if (caller.kind === 'user' && caller.credential.kind === 'token' && !caller.credential.viaBasic) {
    throw new Problem('credentials-missing', 'This takes Basic: a user name and password, or a token as the password.')
  }
  return caller
}

/** Somebody who calls with a token. */
export type TokenCaller = SignedIn & { credential: TokenCredential }

/** The caller, who must have sent a token, in whatever way. */
export function byToken(caller: Caller): TokenCaller {
  if (caller.kind === 'anonymous') throw new Problem('credentials-missing', 'Send the token that this is about.')
  const { credential } = caller
  if (credential.kind === 'token') return { ...caller, credential }
  throw new Problem('bad-request', 'This is about the token that calls. Send a token: you have signed in without one.')
}

/** Somebody who calls with his password. */
export type PasswordCaller = SignedIn & { credential: PasswordCredential }

/** The caller, who must have sent his password: some things are not for whoever holds one of his tokens. */
export function byPassword(caller: Caller): PasswordCaller {
  if (caller.kind === 'anonymous') throw new Problem('credentials-missing', 'Sign in with your user name and password.')
  const { credential } = caller
  if (credential.kind === 'password') return { ...caller, credential }
  throw new Problem(
    'forbidden',
    'This takes the password itself: sign in with user name and password, not with a token.',
  )
}

/** The caller, signed in and, where it is a token, with that scope. */
export function signedIn(caller: Caller, scope: ScopeName): SignedIn {
  if (caller.kind === 'anonymous')
    throw new Problem('credentials-missing', 'Sign in: send a token or a user name and password.')
  if (caller.credential.kind === 'token' && !hasScope(caller.credential.scopes, scope))
    throw scopeMissing(caller, scope)
  return caller
}

/** As the JSON API tells it. */
function scopeMissing(caller: Caller, scope: ScopeName): Problem {
  const credential = caller.kind === 'user' ? caller.credential : undefined
  const held = credential?.kind === 'token' ? scopeList(credential.scopes).join(',') : ''
  return new Problem(
    'forbidden',
    `token does not have at least one of required scope(s), required=[${scope}], token scope=${held}`,
  )
}

export function administer(caller: Caller, verb: Verb): AdminGrant {
  const known = signedIn(caller, `${verb}:admin`)
  if (!known.account.isAdmin)
    throw new Problem('forbidden', `${known.account.name} is not an administrator of this site.`)
  return { caller: known } as AdminGrant
}

/** Whether the caller may know that this owner exists. Of an organisation it takes the row that was looked up for him. */
export function maySee(
  caller: Caller,
  owner: Pick<OwnerRow, 'id' | 'kind' | 'visibility'> & Partial<Pick<OwnerRow, 'membership'>>,
): boolean {
  if (isPublicOnly(caller) && owner.visibility !== 'public') return false
  // Seeing an owner's name takes no package scope, so what the account itself may do decides.
  return permission(caller, { name: '', membership: 'none', ...owner }) !== 'none'
}

/** The owner at the address, where the caller may know of it; for the JSON API. */
export function ownerToShow(resolved: Parameters<typeof ownerAt>[0], scope: ScopeName): OwnerRow {
  const { caller } = resolved
  if (caller.kind === 'user' || caller.mustSignIn) signedIn(caller, scope)
  const owner = ownerAt(resolved)
  if (!owner || permission(caller, owner) === 'none') throw new Problem('not-found', 'Not found.')
  mustBeInReach(caller, owner)
  return owner
}

/** A token that is for public owners only does not reach the others. */
export function mustBeInReach(caller: Caller, owner: Pick<OwnerRow, 'name' | 'visibility'>): void {
  if (!isPublicOnly(caller) || owner.visibility === 'public') return
  throw new Problem('forbidden', `This token is for what is public only, and ${owner.name} is not public.`)
}

/** Whether the caller came with a token that is for public owners only. */
export function isPublicOnly(caller: Caller): boolean {
  return caller.kind === 'user' && caller.credential.kind === 'token' && caller.credential.scopes.publicOnly
}
