import { audit } from '../access/audit.ts'
import { changeClaimOf, type PackageClaim, type PackageGrant, recheck, rightsOf } from '../access/grant.ts'
import { alone, lockByName } from '../catalogue/named-locks.ts'
import {
  type DescribedPackage,
  describedPackage,
  dropTexts,
  noTexts,
  type PackageTexts,
  setTexts,
} from '../catalogue/package-texts.ts'
import { deletePackageIfBare, lockPackage } from '../catalogue/packages.ts'
import { transaction } from '../catalogue/transaction.ts'
import { sha256 } from '../lib/digests.ts'
import { Problem } from '../problems.ts'
import type { RegistryParts } from './parts.ts'

/** For those who may not import the catalogue. */
export type { DescribedPackage, PackageTexts }

/** Characters, as JavaScript counts them. */
export const longest = { description: 1_000, readme: 100_000, address: 255, label: 50 }
export const mostLabels = 20

/** Fields that are not there stay as they are. */
export type TextChange = { [Name in keyof PackageTexts]?: PackageTexts[Name] | undefined }

const fields = Object.keys(noTexts) as (keyof PackageTexts)[]

/** The fields in which the texts differ. */
function changedFields(before: PackageTexts, after: PackageTexts): (keyof PackageTexts)[] {
  // As JSON, for the labels.
  return fields.filter((field) => JSON.stringify(before[field]) !== JSON.stringify(after[field]))
}

/** What tells these texts from others, for who has looked at them and comes back later. */
export function markOf(texts: PackageTexts): string {
  return sha256(JSON.stringify(fields.map((field) => texts[field])))
}

interface ChangeTexts {
  claim: PackageClaim
  change: TextChange
  /** The mark of the texts as they were when somebody began to change them; undefined: whatever they are. */
  seen: string | undefined
  now: number
}

/**
 * Changes what is said of a package. One of which nothing is said any more, and that has no version, goes.
 *
 * Holds the package's name alone, as whoever removes versions does: else the last of them could go, and with it the package,
 * between this look at it and the texts.
 */
export const changeTexts = transaction('change texts', async (tx, args: ChangeTexts): Promise<DescribedPackage> => {
  const { claim, change, now } = args
  const { packageKey } = claim
  await lockByName(tx, [...rightsOf(claim), alone(`package ${claim.ownerId} ${packageKey}`)])
  const { caller, owner } = await recheck(tx, claim, now)
  const before = await describedPackage(tx, { ownerId: claim.ownerId, nameKey: packageKey })
  if (!before) throw packageUnknown()
  if (args.seen !== undefined && args.seen !== markOf(before)) {
    throw new Problem('precondition-failed', 'Somebody else has changed what is said of the package meanwhile.')
  }
  const said = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined))
  const after: DescribedPackage = { ...before, ...said }
  const changed = changedFields(before, after)
  if (changed.length === 0) return before
  await audit(tx, caller, now, {
    action: 'package.changed',
    owner,
    package: { name: before.name, key: packageKey },
    details: { fields: changed },
  })
  if (changedFields(noTexts, after).length > 0) {
    await setTexts(tx, before.id, after, now)
  } else {
    await lockPackage(tx, before.id)
    await dropTexts(tx, before.id)
    await deletePackageIfBare(tx, before.id)
  }
  return { ...after, updatedAt: Math.max(before.updatedAt, now) }
})

/** A package with what is said of it, also where it has no version. */
export async function showPackage(
  parts: RegistryParts,
  { owner, packageKey }: PackageGrant<'read'>,
): Promise<DescribedPackage> {
  const found = await describedPackage(parts.catalogue.read, { ownerId: owner.id, nameKey: packageKey })
  if (!found) throw packageUnknown()
  return found
}

/** Changes what is said of a package; as it is from then on. `precondition-failed` where it is not any more what was `seen`. */
export async function changePackage(
  parts: RegistryParts,
  grant: PackageGrant<'write'>,
  change: TextChange,
  seen?: string,
): Promise<DescribedPackage> {
  return parts.catalogue.transact(changeTexts, { claim: changeClaimOf(grant), change, seen, now: parts.now() })
}

function packageUnknown(): Problem {
  return new Problem('not-found', 'package does not exist')
}
