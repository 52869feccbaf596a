import { callingAccount, callingDeployToken } from '../catalogue/callers.ts'
import { identityStands } from '../catalogue/identities.ts'
import { lockByName, shared } from '../catalogue/named-locks.ts'
import { type OwnerRow, placeNow } from '../catalogue/owners.ts'
import type { PackageStanding } from '../catalogue/package-grants.ts'
import { passkeyStands } from '../catalogue/passkeys.ts'
import type { Tx } from '../catalogue/schema.ts'
import { sessionLives } from '../catalogue/sessions.ts'
import type { Sight } from '../catalogue/sight.ts'
import type { UserRow } from '../catalogue/users.ts'
import { Problem } from '../problems.ts'
import {
  accountFrom,
  type Caller,
  type DeployTokenCaller,
  type DeployTokenCredential,
  deployTokenCaller,
  maySignIn,
  type OidcCredential,
  type PasskeyCredential,
  type PasswordCredential,
  type ProxyCredential,
  type Publisher,
  type SessionCredential,
  type SignedIn,
  type TokenCredential,
  tokenCredential,
  tokenIsValid,
} from './caller.ts'
import { knowsOf, permission, sightAt, type Verb, verdict } from './rules.ts'
import { hasScope, type ScopeName, scopeList } from './scopes.ts'

declare const granted: unique symbol

/** Leave to do something at an owner. Only this file makes one, so a route that forgets to ask does not compile. */
export interface Grant<V extends Verb = Verb> {
  readonly [granted]: V
  readonly owner: OwnerRow
  readonly caller: V extends 'write' ? Publisher : Caller
  /** Which of the owner's packages lists may show. */
  readonly sight: Sight
}

/** Leave to do something with one package, be it there or not. */
export interface PackageGrant<V extends Verb = Verb> extends Grant<V> {
  /** Its folded name; '' where no package can be called what the address says. */
  readonly packageKey: string
  /** Whether he may publish there, and delete. */
  readonly mayWrite: boolean
  /** As the package itself is set; `inherit` where it is not there. */
  readonly visibility: PackageStanding['visibility']
}

/** Leave to run the site. */
export interface AdminGrant {
  readonly [granted]: 'administer'
  readonly caller: SignedIn
}

/** A `Grant<V>`, or the refusal that the protocol wants. */
export function grant<V extends Verb>(verb: V, caller: Caller, owner: OwnerRow | undefined): Grant<V> {
  const refusal = refuse(verdict(caller, owner, verb), caller, owner, verb)
  if (refusal || !owner) throw refusal ?? new Problem('not-found', 'Not found.')
  return { owner, caller, sight: sightAt(caller, owner) } as Grant<V>
}

/** What one look-up has found: who calls, and what is at an address. */
export interface FoundPlace {
  caller: Caller
  found: { owner: OwnerRow; isFormerName: boolean; package: PackageStanding } | undefined
}

/** Of an address at which there is no owner. */
const nowhere: PackageStanding = { key: '', visibility: 'inherit', named: 'none' }

/** A `PackageGrant<V>` at the address that was resolved, or the refusal that the protocol wants. */
export function packageGrant<V extends Verb>(verb: V, place: FoundPlace): PackageGrant<V> {
  return packageGrantAt(verb, place.caller, ownerAt(place), place.found?.package ?? nowhere)
}

function packageGrantAt<V extends Verb>(
  verb: V,
  caller: Caller,
  owner: OwnerRow | undefined,
  its: PackageStanding,
): PackageGrant<V> {
  const refusal = refuse(verdict(caller, owner, verb, its), caller, owner, verb)
  if (refusal || !owner) throw refusal ?? new Problem('not-found', 'Not found.')
  const mayWrite = verb === 'write' || verdict(caller, owner, 'write', its) === 'allowed'
  const { key: packageKey, visibility } = its
  return { owner, caller, sight: sightAt(caller, owner), packageKey, mayWrite, visibility } as PackageGrant<V>
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
  const mayKnow = maySee(caller, found.owner) || (knowsOf(caller, found.owner) && !isPublicOnly(caller))
  if (!mayKnow) return undefined
  throw new Problem('moved', `This is called ${found.owner.name} now.`, { name: found.owner.name })
}

/** The same for the JSON API, where an owner that is hidden from the caller is unknown also to who has not signed in. */
export function grantToShow(caller: Caller, owner: OwnerRow | undefined): Grant<'read'> {
  asTheApiSays(caller, verdict(caller, owner, 'read'), 'read:package')
  return grant('read', caller, owner)
}

/** The same to publish or delete: who may see the owner and may not write there is told so. */
export function grantToChange(caller: Caller, owner: OwnerRow | undefined): Grant<'write'> {
  grantToShow(caller, owner)
  asTheApiSays(caller, verdict(caller, owner, 'write'), 'write:package')
  return grant('write', caller, owner)
}

/** `grantToShow` of one package. */
export function packageToShow(place: FoundPlace): PackageGrant<'read'> {
  const { caller, found } = place
  asTheApiSays(caller, verdict(caller, ownerAt(place), 'read', found?.package ?? nowhere), 'read:package')
  return packageGrant('read', place)
}

/** `grantToChange` of one package. */
export function packageToChange(place: FoundPlace): PackageGrant<'write'> {
  const { caller, found } = place
  ownerOfPackage(place)
  asTheApiSays(caller, verdict(caller, ownerAt(place), 'write', found?.package ?? nowhere), 'write:package')
  return packageGrant('write', place)
}

/**
 * The owner of a package that is to be changed, where the caller may know of him. A package that is hidden is passed over here, as
 * one that is not there is: else who may write to neither would be told which of the two it is.
 */
export function ownerOfPackage(place: FoundPlace): OwnerRow {
  const { caller, found } = place
  const owner = ownerAt(place)
  const told = verdict(caller, owner, 'read', found?.package ?? nowhere)
  asTheApiSays(caller, told, 'read:package')
  const refusal = told === 'unknown-package' ? undefined : refuse(told, caller, owner, 'read')
  if (refusal || !owner) throw refusal ?? new Problem('not-found', 'Not found.')
  return owner
}

/** Throws where the JSON API tells a refusal in other words than the protocol of packages. */
function asTheApiSays(caller: Caller, found: ReturnType<typeof verdict>, scope: ScopeName): void {
  if (found === 'scope') throw scopeMissing(caller, scope)
  const isRead = scope.startsWith('read:')
  if (isRead && found === 'sign-in' && !(caller.kind === 'anonymous' && caller.mustSignIn))
    throw new Problem('not-found', 'Not found.')
}

function refuse(
  found: ReturnType<typeof verdict>,
  caller: Caller,
  owner: OwnerRow | undefined,
  verb: Verb,
): Problem | undefined {
  const name = caller.kind === 'user' ? caller.account.name : caller.kind === 'deploy-token' ? 'This token' : ''
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
      return owner?.visibility === 'public'
        ? new Problem('forbidden', 'This token is for public packages only, and this one is private.')
        : new Problem('forbidden', `This token is for public packages only, and ${owner?.name} is not public.`)
    case 'scope':
      return new Problem('forbidden', `This token lacks the scope ${verb}:package.`)
    case 'other-packages':
      return new Problem('forbidden', `This token is limited to other packages of ${owner?.name}.`)
    case 'unknown-package':
      return new Problem('not-found', 'package does not exist')
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
    | PasskeyCredential
    | OidcCredential
    | Pick<TokenCredential, 'kind' | 'id' | 'viaBasic'>
  /** Of the client. */
  address: string
}

export function standingOf({ account, credential, address }: SignedIn): Standing {
  if (credential.kind !== 'token') return { userId: account.id, credential, address }
  const { kind, id, viaBasic } = credential
  return { userId: account.id, credential: { kind, id, viaBasic }, address }
}

/** The same of who called with an owner's token. */
export interface DeployTokenStanding {
  /** Of the owner whose token it is: his lock is the one that such a token has, as a person's tokens have his. */
  userId: number
  credential: Pick<DeployTokenCredential, 'kind' | 'id' | 'viaBasic'>
  address: string
}

export function deployStandingOf({ owner, credential, address }: DeployTokenCaller): DeployTokenStanding {
  const { kind, id, viaBasic } = credential
  return { userId: owner.id, credential: { kind, id, viaBasic }, address }
}

/** Whether the account takes more than this password: of who has a passkey a second factor, and of programs a token. */
function isTooLittle(user: UserRow, { inBrowser = false, secondFactor }: PasswordCredential): boolean {
  if (user.has_passkeys === 1) return !inBrowser || secondFactor === null
  return user.has_identities === 1 && !inBrowser
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
      if (credential.session === undefined && isTooLittle(user, credential)) throw wrongCredentials()
      if (credential.session !== undefined && !(await sessionLives(tx, { id: credential.session, userId, now })))
        throw wrongCredentials()
      return { kind: 'user', account, credential, address }
    case 'session':
      // Idle or not: it was not when the request began.
      if (!(await sessionLives(tx, { ...credential, userId, now }))) throw wrongCredentials()
      return { kind: 'user', account, credential, address }
    case 'passkey':
      if (!(await passkeyStands(tx, { id: credential.id, userId }))) throw wrongCredentials()
      return { kind: 'user', account, credential, address }
    case 'oidc':
      if (!(await identityStands(tx, { id: credential.identity, userId }))) throw wrongCredentials()
      return { kind: 'user', account, credential, address }
    case 'proxy':
      return { kind: 'user', account, credential, address }
    case 'token':
      if (!token || !tokenIsValid(token, now)) throw wrongCredentials()
      return { kind: 'user', account, credential: tokenCredential(token, credential.viaBasic), address }
  }
}

/** The caller as he is now, as `callerNow` says it of people. */
export async function deployTokenNow(tx: Tx, standing: DeployTokenStanding, now: number): Promise<DeployTokenCaller> {
  await lockByName(tx, [shared(`account ${standing.userId}`)])
  return lockedDeployToken(tx, standing, now)
}

async function lockedDeployToken(tx: Tx, standing: DeployTokenStanding, now: number): Promise<DeployTokenCaller> {
  const { id, viaBasic } = standing.credential
  const found = await callingDeployToken(tx, id)
  if (!found || (found.account && !maySignIn(found.account)) || !tokenIsValid(found, now)) throw wrongCredentials()
  return deployTokenCaller(found, viaBasic, standing.address)
}

/** Leave to change an owner as plain values. */
export interface Claim extends Standing {
  ownerId: number
}

/** A write grant as plain values. */
export type PackageClaim = (Standing | DeployTokenStanding) & {
  ownerId: number
  packageKey: string
  /** Whether the package was private when the grant was given. */
  wasPrivate?: boolean
}

export function claimOf({ owner, caller, packageKey, visibility }: PackageGrant<'write'>): PackageClaim {
  const standing = caller.kind === 'user' ? standingOf(caller) : deployStandingOf(caller)
  return { ...standing, ownerId: owner.id, packageKey, wasPrivate: visibility === 'private' }
}

/** The same to change or remove what is there: for no job that came with an ID token, as it publishes and does nothing else. */
export function changeClaimOf(grant: PackageGrant<'write'>): PackageClaim {
  const { caller } = grant
  if (caller.kind === 'deploy-token' && caller.credential.origin) {
    throw new Problem('forbidden', 'This token came of an ID token: it publishes, and changes or deletes nothing.')
  }
  return claimOf(grant)
}

/**
 * The grant again; throws unless it would be given now, with the same account, credential, owner and package. The transaction shares
 * the locks of account and owner, which it has taken by an earlier statement: see `rightsOf`.
 */
export async function recheck(tx: Tx, claim: PackageClaim, now: number): Promise<PackageGrant<'write'>> {
  const { ownerId, packageKey, userId, credential } = claim
  const deployTokenId = credential.kind === 'deploy-token' ? credential.id : null
  const caller = isDeployToken(claim) ? await lockedDeployToken(tx, claim, now) : await lockedCaller(tx, claim, now)
  const place = await placeNow(tx, { ownerId, packageKey, userId: deployTokenId === null ? userId : 0, deployTokenId })
  return packageGrantAt('write', caller, place?.owner, place?.package ?? nowhere)
}

function isDeployToken(claim: PackageClaim): claim is DeployTokenStanding & { ownerId: number; packageKey: string } {
  return claim.credential.kind === 'deploy-token'
}

/** The locks under which a claim stays what it is. */
export function rightsOf({ userId, ownerId }: Pick<Claim, 'userId' | 'ownerId'>): ReturnType<typeof shared>[] {
  return [shared(`account ${userId}`), shared(`owner ${ownerId}`)]
}

export function wrongCredentials(): Problem {
  return new Problem('credentials-wrong', 'Failed to authenticate user')
}

/**
 * A user name and password that let nobody in, whatever is wrong with them. `someTakeNone`: whether there may be accounts here that
 * have no use for a password; then everybody is told so, as nobody shall learn whose they are.
 */
export function wrongPassword(someTakeNone: boolean): Problem {
  if (!someTakeNone) return wrongCredentials()
  return new Problem(
    'credentials-wrong',
    'Failed to authenticate user. Who signs in through a provider or with a passkey uses a token as the password.',
  )
}

/** The caller, unless he sent a token in another way than Basic: some routes are not for scripts that hold only a token. */
export function byBasic(caller: Caller): Caller {
  if (caller.kind !== 'anonymous' && 'viaBasic' in caller.credential && !caller.credential.viaBasic) {
    throw new Problem('credentials-missing', 'This takes Basic: a user name and password, or a token as the password.')
  }
  return caller
}

/** Somebody who calls with a token. */
export type TokenCaller = SignedIn & { credential: TokenCredential }

/** The caller, who must have sent a token, in whatever way. */
export function byAnyToken(caller: Caller): TokenCaller | DeployTokenCaller {
  if (caller.kind === 'anonymous') throw new Problem('credentials-missing', 'Send the token that this is about.')
  if (caller.kind === 'deploy-token') return caller
  const { credential } = caller
  if (credential.kind === 'token') return { ...caller, credential }
  throw new Problem('bad-request', 'This is about the token that calls. Send a token: you have signed in without one.')
}

/** Somebody who calls with his password. */
export type PasswordCaller = SignedIn & { credential: PasswordCredential }

/** The caller, who must have sent his password: some things are not for whoever holds one of his tokens. */
export function byPassword(caller: Caller): PasswordCaller {
  if (caller.kind === 'anonymous') throw new Problem('credentials-missing', 'Sign in with your user name and password.')
  if (caller.kind === 'deploy-token') throw forPackagesAlone(caller)
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
  if (caller.kind === 'deploy-token') throw forPackagesAlone(caller)
  if (caller.credential.kind === 'token' && !hasScope(caller.credential.scopes, scope))
    throw scopeMissing(caller, scope)
  return caller
}

function forPackagesAlone({ owner }: DeployTokenCaller): Problem {
  return new Problem(
    'forbidden',
    `This is a deploy token of ${owner.name}: it reads and publishes packages, nothing else.`,
  )
}

/** As the JSON API tells it. */
export function scopeMissing(caller: Caller, scope: ScopeName): Problem {
  const credential = caller.kind === 'anonymous' ? undefined : caller.credential
  const held = credential && 'scopes' in credential ? scopeList(credential.scopes).join(',') : ''
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
  if (caller.kind !== 'anonymous' || caller.mustSignIn) signedIn(caller, scope)
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
  return caller.kind !== 'anonymous' && 'scopes' in caller.credential && caller.credential.scopes.publicOnly
}
