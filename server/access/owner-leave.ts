import type { OwnerRow } from '../catalogue/owners.ts'
import { ownerById } from '../catalogue/owners.ts'
import type { Tx } from '../catalogue/schema.ts'
import { Problem } from '../problems.ts'
import type { Resolved } from './access.ts'
import type { Caller, SignedIn } from './caller.ts'
import { administer, type Claim, callerNow, mustBeInReach, ownerAt, signedIn, standingOf } from './grant.ts'
import { permission, rankAt, reaches } from './rules.ts'

declare const leave: unique symbol

/** Leave to rename or delete a user or an organisation. Only this file makes one. */
export interface OwnerLeave {
  readonly [leave]: true
  readonly owner: OwnerRow
  readonly caller: SignedIn
}

/** For administrators. A name that the user had before leads nowhere: what is changed for good is named as it is. */
export function leaveForUser({ caller, found }: Resolved): OwnerLeave {
  administer(caller, 'write')
  return leaveFor(caller, found?.isFormerName === false && found.owner.kind === 'user' ? found.owner : undefined)
}

/** For the organisation's owners, and administrators. */
export function leaveForOrganisation(resolved: Resolved): OwnerLeave {
  const caller = signedIn(resolved.caller, 'write:organization')
  const owner = ownerAt(resolved)
  return leaveFor(caller, owner?.kind === 'organisation' ? owner : undefined)
}

function leaveFor(caller: Caller, owner: OwnerRow | undefined): OwnerLeave {
  if (!owner || permission(caller, owner) === 'none') throw new Problem('not-found', 'Not found.')
  mustBeInReach(caller, owner)
  if (owner.kind === 'user') return { owner, caller: administer(caller, 'write').caller } as OwnerLeave
  const known = signedIn(caller, 'write:organization')
  if (!reaches(rankAt(known, owner), 'owner')) {
    throw new Problem('forbidden', `${known.account.name} is not an owner of ${owner.name}.`)
  }
  return { owner, caller: known } as OwnerLeave
}

/** The leave as plain values. */
export function leaveClaim({ owner, caller }: OwnerLeave): Claim {
  return { ...standingOf(caller), ownerId: owner.id }
}

/** The leave as it would be given now; the transaction holds, or shares, the locks of account and owner. */
export async function leaveNow(tx: Tx, claim: Claim, now: number): Promise<OwnerLeave> {
  const caller = await callerNow(tx, claim, now)
  return leaveFor(caller, await ownerById(tx, { id: claim.ownerId, userId: claim.userId }))
}
