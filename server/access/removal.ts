import { alone, lockByName, lockFound } from '../catalogue/named-locks.ts'
import { deleteOwner, nameKeyOf, organisationsOwnedBy, organisationsOwnedOnlyBy } from '../catalogue/owners.ts'
import { hasPackages, hasVersions } from '../catalogue/packages.ts'
import type { Tx } from '../catalogue/schema.ts'
import { teamsOfUser } from '../catalogue/teams.ts'
import { holdersOfAll, tokensGoingWith } from '../catalogue/tokens.ts'
import { StartAgain, transaction } from '../catalogue/transaction.ts'
import { lockUser } from '../catalogue/users.ts'
import { Problem } from '../problems.ts'
import { type AuditEvent, audit } from './audit.ts'
import { type Claim, signedIn } from './grant.ts'
import { leaveClaim, leaveNow, type OwnerLeave } from './owner-leave.ts'
import { tokenDeleted } from './tokens.ts'

declare const removal: unique symbol

/** Leave to delete an owner. Only `leaveToRemove` makes one. */
export interface Removal {
  readonly [removal]: true
  readonly leave: OwnerLeave
  /** Whether his packages go with him. */
  readonly purge: boolean
}

/** The removal as plain values. */
export interface RemovalClaim extends Claim {
  purge: boolean
}

export function leaveToRemove(leave: OwnerLeave, purge: boolean): Removal {
  if (purge) signedIn(leave.caller, 'write:package')
  // So an administrator stays who can sign in: the one who deletes the others.
  if (leave.owner.id === leave.caller.account.id) {
    throw new Problem('unprocessable', 'Nobody can delete himself: ask another administrator.')
  }
  return { leave, purge } as Removal
}

export function removalClaim({ leave, purge }: Removal): RemovalClaim {
  return { ...leaveClaim(leave), purge }
}

/** The leave again; throws unless the owner may be removed now; the transaction holds, or shares, the locks of account and owner. */
export async function recheckRemoval(tx: Tx, claim: RemovalClaim, now: number): Promise<OwnerLeave> {
  const leave = await leaveNow(tx, claim, now)
  leaveToRemove(leave, claim.purge)
  const { id, name, kind } = leave.owner
  const orphans = kind === 'user' ? await organisationsOwnedOnlyBy(tx, id) : []
  if (orphans.length > 0) {
    const names = orphans.map((organisation) => organisation.name).join(', ')
    throw new Problem('unprocessable', `${name} is the last owner of ${names}: give them another one first.`)
  }
  if (claim.purge || !(await hasVersions(tx, id))) return leave
  throw new Problem('unprocessable', `${name} still owns packages: delete them first, or all at once with purge=true.`)
}

/** Removes the owner; false where he has packages (again), be they without a version. The name can be taken at once; names of before stay reserved. */
export const removeOwnerRow = transaction(
  'remove owner',
  async (tx, { claim, now }: { claim: RemovalClaim; now: number }): Promise<boolean> => {
    const { ownerId, userId } = claim
    await holdAccounts(tx, ownerId, userId)
    await holdOwners(tx, ownerId)
    const { caller, owner } = await recheckRemoval(tx, claim, now)
    if (await hasPackages(tx, ownerId)) return false
    const elsewhere = owner.kind === 'user' ? await goingElsewhere(tx, owner) : []
    await deleteOwner(tx, ownerId)
    const action = owner.kind === 'user' ? 'account.deleted' : 'organisation.deleted'
    await audit(tx, caller, now, ...elsewhere, { action, owner, details: { purge: claim.purge } })
    return true
  },
)

/** What goes with a user at others: his place in their teams, and the tokens that came of his. */
async function goingElsewhere(tx: Tx, { id, name }: { id: number; name: string }): Promise<AuditEvent[]> {
  const teams = await teamsOfUser(tx, id)
  const tokens = await tokensGoingWith(tx, { column: 'user_id', is: id })
  return [
    ...teams.map(({ team, organisationId, organisation }) => ({
      action: 'member.removed' as const,
      owner: { id: organisationId, name: organisation },
      subject: name,
      details: { teams: [team] },
    })),
    ...tokens.filter((token) => token.user_id !== id).map(tokenDeleted),
  ]
}

/** Holds the account, be it an organisation's, which has tokens of its own, and those that have tokens made with a user's. */
async function holdAccounts(tx: Tx, ownerId: number, actor: number): Promise<void> {
  const losersNow = async () => [ownerId, ...(await holdersOfAll(tx, ownerId))]
  await lockFound(tx, losersNow, [actor])
}

/**
 * Holds the owner and his name and, of a user, the organisations that he owns: of two last owners who go at once, each would
 * see the other one.
 */
async function holdOwners(tx: Tx, id: number): Promise<void> {
  const owned = await organisationsOwnedBy(tx, id)
  const ids = [id, ...owned].sort((a, b) => a - b)
  await lockByName(
    tx,
    ids.map((each) => alone(`owner ${each}`)),
  )
  const nameKey = await nameKeyOf(tx, id)
  if (nameKey !== undefined) await lockByName(tx, [alone(`name ${nameKey}`)])
  await lockUser(tx, id)
  const later = await organisationsOwnedBy(tx, id)
  if (later.some((each) => !owned.includes(each))) throw new StartAgain('the user was made an owner meanwhile')
}
