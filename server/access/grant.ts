import { callingAccount } from '../catalogue/callers.ts'
import { lockByName, shared } from '../catalogue/named-locks.ts'
import type { OwnerRow } from '../catalogue/owners.ts'
import { ownerById } from '../catalogue/owners.ts'
import type { Tx } from '../catalogue/schema.ts'
import { Problem } from '../problems.ts'
import {
  accountFrom,
  anonymous,
  type Caller,
  maySignIn,
  type SignedIn,
  tokenCredential,
  tokenIsValid,
} from './caller.ts'
import { type Verb, verdict } from './rules.ts'
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

/** The same for the JSON API, where an owner that is hidden from the caller is unknown also to who has not signed in. */
export function grantToShow(caller: Caller, owner: OwnerRow | undefined): Grant<'read'> {
  const found = verdict(caller, owner, 'read')
  if (found === 'sign-in') throw new Problem('not-found', 'Not found.')
  if (found === 'scope') throw scopeMissing(caller, 'read:package')
  return grant('read', caller, owner)
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
  tokenId: number | null
  passwordHash: string | null
  viaBasic: boolean
}

export function standingOf({ account, credential }: SignedIn): Standing {
  return {
    userId: account.id,
    tokenId: credential.kind === 'token' ? credential.id : null,
    passwordHash: credential.kind === 'password' ? credential.hash : null,
    viaBasic: credential.kind === 'token' && credential.viaBasic,
  }
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
  const { userId, tokenId, passwordHash, viaBasic } = standing
  const found = await callingAccount(tx, { userId, tokenId })
  if (!found || !maySignIn(found.user)) throw wrongCredentials()
  const { user, token } = found
  const account = accountFrom(user)
  if (tokenId === null) {
    if (passwordHash === null || user.password_hash !== passwordHash) throw wrongCredentials()
    return { kind: 'user', account, credential: { kind: 'password', hash: passwordHash } }
  }
  if (!token || !tokenIsValid(token, now)) throw wrongCredentials()
  return { kind: 'user', account, credential: tokenCredential(token, viaBasic) }
}

/** A write grant as plain values. */
export interface Claim extends Standing {
  ownerId: number
}

export function claimOf({ owner, caller }: Grant<'write'>): Claim {
  return { ...standingOf(caller), ownerId: owner.id }
}

/**
 * Throws unless the claim would be granted again now, with the same account, credential and owner. The transaction shares the
 * locks of account and owner, which it has taken by an earlier statement: see `rightsOf`.
 */
export async function recheck(tx: Tx, claim: Claim, now: number): Promise<void> {
  grant('write', await lockedCaller(tx, claim, now), await ownerById(tx, claim.ownerId))
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

/** Whether the caller may know that this owner exists. */
export function maySee(caller: Caller, owner: OwnerRow): boolean {
  return !['unknown-owner', 'sign-in', 'public-only'].includes(verdictToSee(caller, owner))
}

function verdictToSee(caller: Caller, owner: OwnerRow): ReturnType<typeof verdict> {
  const scopes = caller.kind === 'user' && caller.credential.kind === 'token' ? caller.credential.scopes : undefined
  if (scopes?.publicOnly && owner.visibility !== 'public') return 'public-only'
  // Seeing an owner's name takes no package scope: ask as the account itself.
  const account: Caller = caller.kind === 'user' ? { ...caller, credential: { kind: 'password', hash: '' } } : anonymous
  return verdict(account, owner, 'read')
}
