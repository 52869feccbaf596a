import { type Claim, claimOf, type Grant, recheck, rightsOf } from '../access/grant.ts'
import { type Removal, type RemovalClaim, recheckRemoval, removalClaim, removeOwnerRow } from '../access/removal.ts'
import { releaseBlobs } from '../catalogue/blobs.ts'
import { deleteSomeFilesOf, forgetUploader } from '../catalogue/files.ts'
import { alone, lockByName } from '../catalogue/named-locks.ts'
import { deletePackageIfEmpty, findPackage, lockPackage, packageKeysOf } from '../catalogue/packages.ts'
import { transaction } from '../catalogue/transaction.ts'
import { deleteEmptyVersions, forgetCreator, lockVersions, versionsOfFirstFiles } from '../catalogue/versions.ts'
import { Problem } from '../problems.ts'
import { packageNow } from './lists.ts'
import type { RegistryParts } from './parts.ts'

/** Leave to remove a package: as somebody who may write there, or because its owner goes. */
export type PurgeClaim = Claim | RemovalClaim

/** Files that one transaction removes: it has ten seconds, and who publishes there waits for it. */
const fewFiles = 500

/**
 * Removes the first files of a package, the versions that have none left and, with the last of them, the package. Whether there
 * is more to do.
 */
export const purgeSome = transaction(
  'purge some',
  async (tx, args: { claim: PurgeClaim; packageKey: string; now: number }): Promise<boolean> => {
    const { claim, packageKey, now } = args
    await lockByName(tx, [...rightsOf(claim), alone(`package ${claim.ownerId} ${packageKey}`)])
    if ('purge' in claim) await recheckRemoval(tx, claim, now)
    else await recheck(tx, claim, now)
    const packageId = await findPackage(tx, { ownerId: claim.ownerId, nameKey: packageKey })
    if (packageId === undefined) return false
    const { ids, areAll } = await versionsOfFirstFiles(tx, packageId, fewFiles)
    // Before its versions: who publishes another one holds this row and wants those.
    if (areAll) await lockPackage(tx, packageId)
    await lockVersions(tx, ids)
    const files = await deleteSomeFilesOf(tx, ids, fewFiles)
    await releaseBlobs(tx, [...new Set(files.map(({ blob_id }) => blob_id))], now)
    await deleteEmptyVersions(tx, ids)
    if (areAll) await deletePackageIfEmpty(tx, packageId)
    return !areAll || files.length === fewFiles
  },
)

/** Removes a package with all that was in it when this was asked for. Where it is broken off, the same call goes on. */
export async function purgePackage(parts: RegistryParts, claim: PurgeClaim, packageKey: string): Promise<void> {
  let isMore = true
  while (isMore) isMore = await parts.catalogue.transact(purgeSome, { claim, packageKey, now: parts.now() })
}

/** Removes a package with all its versions; `not-found` where there is none. */
export async function removePackage(parts: RegistryParts, grant: Grant<'write'>, name: string): Promise<void> {
  const { key } = await packageNow(parts, grant.owner.id, name)
  await purgePackage(parts, claimOf(grant), key)
}

/** What one transaction forgets: as many as the database does in a moment. */
const fewWorks = 2_000

/** Takes a user off what he has made elsewhere: all at once, with the account, could take longer than a transaction may. */
export const forgetSome = transaction(
  'forget some',
  async (tx, { claim, now }: { claim: RemovalClaim; now: number }): Promise<boolean> => {
    await lockByName(tx, rightsOf(claim))
    await recheckRemoval(tx, claim, now)
    const versions = await forgetCreator(tx, claim.ownerId, fewWorks)
    const files = await forgetUploader(tx, claim.ownerId, fewWorks)
    return versions === fewWorks || files === fewWorks
  },
)

/** How often what was published meanwhile is removed too. */
const rounds = 5

/** Deletes a user or an organisation, with the packages where that is wanted. Where it is broken off, the same call goes on. */
export async function removeOwner(parts: RegistryParts, removal: Removal): Promise<void> {
  const claim = removalClaim(removal)
  for (let round = 0; round < rounds; round += 1) {
    if (claim.purge) await purgePackagesOf(parts, claim)
    let isMore = true
    while (isMore) isMore = await parts.catalogue.transact(forgetSome, { claim, now: parts.now() })
    if (await parts.catalogue.transact(removeOwnerRow, { claim, now: parts.now() })) return
  }
  const { name } = removal.leave.owner
  throw new Problem('unprocessable', `Somebody goes on publishing at ${name}. Stop that first, then try again.`)
}

const fewPackages = 100

/** One pass: whoever publishes as fast as this removes does not keep it going. */
async function purgePackagesOf(parts: RegistryParts, claim: RemovalClaim): Promise<void> {
  let after = ''
  for (;;) {
    const keys = await packageKeysOf(parts.catalogue.read, { ownerId: claim.ownerId, after, limit: fewPackages })
    for (const key of keys) await purgePackage(parts, claim, key)
    if (keys.length < fewPackages) return
    after = keys.at(-1) ?? ''
  }
}
