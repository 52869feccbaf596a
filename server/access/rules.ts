import type { OwnerRow } from '../catalogue/owners.ts'
import type { Caller } from './caller.ts'
import { hasScope } from './scopes.ts'

export type Verb = 'read' | 'write'

/** What a caller may do at an owner, before any token narrows it: the table of the manual's chapter on access. */
export function permission(caller: Caller, owner: OwnerRow): 'none' | Verb {
  if (caller.kind === 'anonymous') return owner.visibility === 'public' && !caller.mustSignIn ? 'read' : 'none'
  const { account } = caller
  if (account.isAdmin) return 'write'
  if (owner.kind === 'user' && owner.id === account.id) return 'write'
  if (owner.membership === 'owner' || owner.membership === 'writer') return 'write'
  if (owner.membership === 'member') return 'read'
  if (owner.visibility === 'public') return 'read'
  if (owner.visibility === 'limited' && !account.isRestricted) return 'read'
  return 'none'
}

/** What somebody is at an organisation, each including those before it. */
const ranks = ['none', 'reader', 'member', 'owner'] as const
export type Rank = (typeof ranks)[number]

/** The caller's rank at an organisation, before any token narrows it. Administrators are as owners everywhere. */
export function rankAt(caller: Caller, organisation: OwnerRow): Rank {
  if (permission(caller, organisation) === 'none') return 'none'
  if (caller.kind === 'anonymous') return 'reader'
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
  | 'no-write'

/** Who may do what, in the order in which the protocol wants refusals told. Everything not allowed here is refused. */
export function verdict(caller: Caller, owner: OwnerRow | undefined, verb: Verb): Verdict {
  if (caller.kind === 'anonymous' && caller.mustSignIn) return 'sign-in'
  if (!owner) return 'unknown-owner'
  const held = permission(caller, owner)
  if (held === 'none') return caller.kind === 'anonymous' ? 'sign-in' : 'unknown-owner'
  if (caller.kind === 'user' && caller.credential.kind === 'token') {
    const { scopes } = caller.credential
    if (scopes.publicOnly && owner.visibility !== 'public') return 'public-only'
    if (!hasScope(scopes, 'read:package')) return 'scope'
    if (verb === 'write' && held === 'write' && !hasScope(scopes, 'write:package')) return 'scope'
  }
  if (verb === 'write' && held !== 'write') return caller.kind === 'anonymous' ? 'sign-in' : 'no-write'
  return 'allowed'
}
