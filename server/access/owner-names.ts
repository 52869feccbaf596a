import {
  countFormerNames,
  type FormerName,
  formerNames,
  freeName,
  keepName,
  nameIsTaken,
} from '../catalogue/former-names.ts'
import { alone, lockByName, shared } from '../catalogue/named-locks.ts'
import { nameKeyOf, renameOwner } from '../catalogue/owners.ts'
import type { Tx } from '../catalogue/schema.ts'
import { type Catalogue, transaction } from '../catalogue/transaction.ts'
import { type OwnerName, ownerKey, ownerName } from '../names.ts'
import { Problem } from '../problems.ts'
import { audit } from './audit.ts'
import { type AdminGrant, administer, type Claim, callerNow, type Standing, standingOf } from './grant.ts'
import { leaveClaim, leaveNow, type OwnerLeave } from './owner-leave.ts'

/** For those who may not import the catalogue. */
export type { FormerName }

/** Throws unless nobody has the name or had it; `owner` is the one who takes it, null where he is new. The name is held alone. */
export async function mustBeFree(tx: Tx, name: { text: string; key: string }, owner: number | null): Promise<void> {
  const taken = await nameIsTaken(tx, name.key, owner)
  if (taken === 'taken') throw new Problem('unprocessable', `user already exists [name: ${name.text}]`)
  if (taken === 'reserved') {
    throw new Problem(
      'unprocessable',
      `the name "${name.text}" is reserved for whoever had it before, until an administrator frees it`,
    )
  }
}

interface Rename {
  claim: Claim
  name: OwnerName
  now: number
}

/** The name before goes on leading to the owner, who may have it again; nobody else gets it. */
export const rename = transaction('rename owner', async (tx, { claim, name, now }: Rename): Promise<void> => {
  const { userId, ownerId } = claim
  await lockByName(tx, [shared(`account ${userId}`), alone(`owner ${ownerId}`)])
  const { owner, caller } = await leaveNow(tx, claim, now)
  const formerKey = await nameKeyOf(tx, ownerId)
  if (formerKey !== undefined && formerKey !== name.key) {
    await lockByName(
      tx,
      [formerKey, name.key].sort().map((key) => alone(`name ${key}`)),
    )
    await mustBeFree(tx, name, ownerId)
    await freeName(tx, name.key)
    await keepName(tx, { nameKey: formerKey, name: owner.name, ownerId, now })
  }
  await renameOwner(tx, { id: ownerId, name: name.text, nameKey: name.key })
  await audit(tx, caller, now, {
    action: owner.kind === 'user' ? 'account.renamed' : 'organisation.renamed',
    owner: { id: ownerId, name: name.text },
    details: { from: owner.name, to: name.text },
  })
})

interface Free {
  standing: Standing
  nameKey: string
  now: number
}

export const free = transaction('free name', async (tx, { standing, nameKey, now }: Free): Promise<void> => {
  const { caller } = administer(await callerNow(tx, standing, now), 'write')
  await lockByName(tx, [alone(`name ${nameKey}`)])
  const name = await freeName(tx, nameKey)
  if (name === undefined) throw notReserved()
  await audit(tx, caller, now, { action: 'reserved-name.freed', subject: name })
})

function notReserved(): Problem {
  return new Problem('not-found', 'This name is not reserved for anybody.')
}

/** The names of users and organisations, those of today and those of before. */
export class OwnerNames {
  readonly #catalogue: Catalogue
  readonly #now: () => number

  constructor(parts: { catalogue: Catalogue; now: () => number }) {
    this.#catalogue = parts.catalogue
    this.#now = parts.now
  }

  /** The name as it is spelled from now on; `unprocessable` where it is taken, reserved or not allowed. */
  async rename(leave: OwnerLeave, wanted: string): Promise<string> {
    const name = ownerName(wanted)
    await this.#catalogue.transact(rename, { claim: leaveClaim(leave), name, now: this.#now() })
    return name.text
  }

  /** Names that nobody gets but who had them before, in their order. */
  async reserved(
    _: AdminGrant,
    page: { limit: number; offset: number },
  ): Promise<{ names: FormerName[]; total: number }> {
    const { read } = this.#catalogue
    return { names: await formerNames(read, page), total: await countFormerNames(read) }
  }

  /** Lets anybody take the name; from then on it leads nowhere. */
  async free({ caller }: AdminGrant, name: string): Promise<void> {
    const nameKey = ownerKey(name)
    if (nameKey === undefined) throw notReserved()
    await this.#catalogue.transact(free, { standing: standingOf(caller), nameKey, now: this.#now() })
  }
}
