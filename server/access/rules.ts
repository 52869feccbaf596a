import type { OwnerRow } from '../catalogue/owners.ts'
import type { PackageStanding } from '../catalogue/package-grants.ts'
import type { Sight } from '../catalogue/sight.ts'
import { type Caller, limitOf } from './caller.ts'
import { isWithin } from './package-patterns.ts'
import { hasScope } from './scopes.ts'

export type Verb = 'read' | 'write'

/** What a caller may do at an owner, before any token narrows it: the table of the manual's chapter on access. */
export function permission(caller: Caller, owner: OwnerRow): 'none' | Verb {
  if (caller.kind === 'anonymous') return owner.visibility === 'public' && !caller.mustSignIn ? 'read' : 'none'
  if (caller.kind === 'deploy-token') {
    if (owner.id === caller.owner.id) return hasScope(caller.credential.scopes, 'write:package') ? 'write' : 'read'
    return owner.visibility === 'public' ? 'read' : 'none'
  }
  const { account } = caller
  if (account.isAdmin) return 'write'
  if (owner.kind === 'user' && owner.id === account.id) return 'write'
  if (owner.membership === 'owner' || owner.membership === 'writer') return 'write'
  if (owner.membership === 'member') return 'read'
  if (owner.visibility === 'public') return 'read'
  if (owner.visibility === 'limited' && !account.isRestricted) return 'read'
  return 'none'
}

/**
 * The same at one of the owner's packages: whoever may write to the owner may write to it, and whom it names may do that; to
 * everybody else it is what its owner is, or nothing where it is private.
 */
export function permissionOn(caller: Caller, owner: OwnerRow, its: PackageStanding): 'none' | Verb {
  const held = permission(caller, owner)
  if (held === 'write' || its.named === 'write') return 'write'
  if (its.named === 'read') return 'read'
  return its.visibility === 'private' ? 'none' : held
}

/** Whether the caller may know that there is this owner: by what he may do there, or because a package names him. */
export function knowsOf(caller: Caller, owner: OwnerRow): boolean {
  return owner.isNamed === true || permission(caller, owner) !== 'none'
}

/** What somebody is at an organisation, each including those before it. */
const ranks = ['none', 'reader', 'member', 'owner'] as const
export type Rank = (typeof ranks)[number]

/** The caller's rank at an organisation, before any token narrows it. Administrators are as owners everywhere. */
export function rankAt(caller: Caller, organisation: OwnerRow): Rank {
  if (permission(caller, organisation) === 'none') return 'none'
  if (caller.kind !== 'user') return 'reader'
  if (caller.account.isAdmin || organisation.membership === 'owner') return 'owner'
  return organisation.membership === 'none' ? 'reader' : 'member'
}

export function reaches(held: Rank, wanted: Rank): boolean {
  return ranks.indexOf(held) >= ranks.indexOf(wanted)
}

export type Verdict =
  | 'allowed'
  /** No such owner, or one that this caller must not know of. */
  | 'unknown-owner'
  | 'sign-in'
  | 'public-only'
  | 'scope'
  /** The token is limited to other packages. */
  | 'other-packages'
  /** A package that this caller must not know of, at an owner of which he may know: answered as one that is not there. */
  | 'unknown-package'
  | 'no-write'

/**
 * Who may do what, in the order in which the protocol wants refusals told. Everything not allowed here is refused. Without a package
 * it is about the owner: his lists, which show each what he may see.
 */
export function verdict(
  caller: Caller,
  owner: OwnerRow | undefined,
  verb: Verb,
  its?: PackageStanding | undefined,
): Verdict {
  if (caller.kind === 'anonymous' && caller.mustSignIn) return 'sign-in'
  if (!owner) return 'unknown-owner'
  if (!knowsOf(caller, owner)) return caller.kind === 'anonymous' ? 'sign-in' : 'unknown-owner'
  const held = its ? permissionOn(caller, owner, its) : permission(caller, owner)
  if (caller.kind !== 'anonymous' && 'scopes' in caller.credential) {
    const { scopes, packages } = caller.credential
    const isHidden = its?.visibility === 'private' && held !== 'none'
    if (scopes.publicOnly && (owner.visibility !== 'public' || isHidden)) return 'public-only'
    if (!hasScope(scopes, 'read:package')) return 'scope'
    if (its && !isWithin(packages, { ownerId: owner.id, key: its.key })) return 'other-packages'
    if (verb === 'write' && held === 'write' && !hasScope(scopes, 'write:package')) return 'scope'
  }
  if (verb === 'write' && held !== 'write') return caller.kind === 'anonymous' ? 'sign-in' : 'no-write'
  return its && held === 'none' ? 'unknown-package' : 'allowed'
}

/** What `permissionOn`, and a token's limits, say of each package of an owner. */
export function sightAt(caller: Caller, owner: OwnerRow): Sight {
  const held = permission(caller, owner)
  const limit = limitOf(caller)
  const names = limit?.filter(({ ownerId }) => ownerId === null || ownerId === owner.id).map(({ name }) => name) ?? null
  const nobody = { userId: null, deployTokenId: null, names }
  if (caller.kind === 'anonymous') return { ...nobody, unnamed: held === 'none' ? 'none' : 'open' }
  if ('scopes' in caller.credential && caller.credential.scopes.publicOnly) {
    return { ...nobody, unnamed: owner.visibility === 'public' && held !== 'none' ? 'open' : 'none' }
  }
  return {
    unnamed: held === 'write' ? 'all' : held === 'read' ? 'open' : 'none',
    userId: caller.kind === 'user' ? caller.account.id : null,
    deployTokenId: caller.kind === 'deploy-token' ? caller.credential.id : null,
    names,
  }
}
