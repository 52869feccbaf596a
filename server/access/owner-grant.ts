import { alone, lockAccounts, lockByName, shared } from '../catalogue/named-locks.ts'
import { type OwnerRow, ownerById } from '../catalogue/owners.ts'
import type { Tx } from '../catalogue/schema.ts'
import { Problem } from '../problems.ts'
import { type Caller, limitOf, type SignedIn } from './caller.ts'
import { callerNow, isPublicOnly, mustBeInReach, type Standing, signedIn, standingOf } from './grant.ts'
import { permission, rankAt, reaches, type Verb } from './rules.ts'

declare const granted: unique symbol

/**
 * Leave to say who may do what with an owner's packages: rights on one of them, tokens of the owner, trusted publishers. Only this
 * file makes one.
 */
export interface OwnerGrant<V extends Verb = Verb> {
  readonly [granted]: V
  readonly owner: OwnerRow
  readonly caller: SignedIn
}

/** For the user himself, the owners of the organisation and administrators of the site; by no token that is limited. */
export function ownerGrant<V extends Verb>(verb: V, caller: Caller, owner: OwnerRow | undefined): OwnerGrant<V> {
  const known = signedIn(caller, owner?.kind === 'user' ? `${verb}:user` : `${verb}:organization`)
  if (!owner || permission(known, owner) === 'none') throw new Problem('not-found', 'Not found.')
  mustBeInReach(known, owner)
  // Tokens that are made outlive the one that made them, and rights are given on everything.
  if (isPublicOnly(known) || limitOf(known) !== null) {
    throw new Problem('forbidden', 'This token is for some packages only: this is for tokens without a limit.')
  }
  const isOwn = owner.kind === 'user' && owner.id === known.account.id
  const runs = owner.kind === 'organisation' && reaches(rankAt(known, owner), 'owner')
  if (!isOwn && !runs && !known.account.isAdmin) {
    const whose =
      owner.kind === 'user'
        ? `${owner.name} is somebody else.`
        : `${known.account.name} is not an owner of ${owner.name}.`
    throw new Problem('forbidden', whose)
  }
  return { owner, caller: known } as OwnerGrant<V>
}

/** The grant as plain values. */
export interface OwnerClaim {
  standing: Standing
  ownerId: number
}

export function ownerClaim({ caller, owner }: OwnerGrant<'write'>): OwnerClaim {
  return { standing: standingOf(caller), ownerId: owner.id }
}

/**
 * The grant as it would be given now. `loses`: whether something may be taken away; then what runs at the owner, and with its tokens
 * elsewhere, ends before this is answered.
 */
export async function ownerGrantNow(
  tx: Tx,
  { standing, ownerId }: OwnerClaim,
  now: number,
  { loses = false }: { loses?: boolean } = {},
): Promise<OwnerGrant<'write'>> {
  await lockAccounts(tx, { alone: loses ? [ownerId] : [], shared: [standing.userId] })
  await lockByName(tx, [loses ? alone(`owner ${ownerId}`) : shared(`owner ${ownerId}`)])
  const caller = await callerNow(tx, standing, now)
  return ownerGrant('write', caller, await ownerById(tx, { id: ownerId, userId: standing.userId }))
}
