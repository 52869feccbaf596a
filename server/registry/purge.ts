import { audit } from '../access/audit.ts'
import { type Claim, claimOf, type Grant, recheck, rightsOf } from '../access/grant.ts'
import { type Removal, type RemovalClaim, recheckRemoval, removalClaim, removeOwnerRow } from '../access/removal.ts'
import { releaseBlobs } from '../catalogue/blobs.ts'
import { deleteSomeFilesOf, forgetUploader } from '../catalogue/files.ts'
import { alone, lockByName } from '../catalogue/named-locks.ts'
import { deletePackageIfEmpty, findPackage, lockPackage, packageKeysOf } from '../catalogue/packages.ts'
import { transaction } from '../catalogue/transaction.ts'
import { deleteEmptyVersions, forgetCreator, lockVersions, versionsOfFirstFiles } from '../catalogue/versions.ts'
import { deliveriesJob, listenersAt } from '../catalogue/webhooks.ts'
import { Problem } from '../problems.ts'
import { type Change, tell, toldFiles } from './changes.ts'
import { packageNow } from './lists.ts'
import type { RegistryParts } from './parts.ts'

/** Leave to remove a package: as somebody who may write there, or because its owner goes. */
export type PurgeClaim = Claim | RemovalClaim

/** Files that one transaction removes: it has ten seconds, and who publishes there waits for it. */
const fewFiles = 500

/** What a part of a purge came to. */
export interface Purged {
  /** Whether there is more to do. */
  isMore: boolean
  /** Whether a webhook is told of it. */
  isTold: boolean
}

/** Removes the first files of a package, the versions that have none left and, with the last of them, the package. */
export const purgeSome = transaction(
  'purge some',
  async (tx, args: { claim: PurgeClaim; packageKey: string; now: number }): Promise<Purged> => {
    const { claim, packageKey, now } = args
    await lockByName(tx, [...rightsOf(claim), alone(`package ${claim.ownerId} ${packageKey}`)])
    const { owner, caller } = 'purge' in claim ? await recheckRemoval(tx, claim, now) : await recheck(tx, claim, now)
    const its = await findPackage(tx, { ownerId: claim.ownerId, nameKey: packageKey })
    if (its === undefined) return { isMore: false, isTold: false }
    const { ids, areAll } = await versionsOfFirstFiles(tx, its.id, fewFiles)
    // Before its versions: who publishes another one holds this row and wants those.
    if (areAll) await lockPackage(tx, its.id)
    const versions = await lockVersions(tx, ids)
    const listeners = await listenersAt(tx, owner.id)
    const files = await deleteSomeFilesOf(tx, ids, fewFiles)
    const told = listeners.length > 0 ? await toldFiles(tx, files) : []
    await releaseBlobs(tx, [...new Set(files.map(({ blobId }) => blobId))], now)
    const gone = await deleteEmptyVersions(tx, ids)
    const packageGone = areAll && (await deletePackageIfEmpty(tx, its.id))

    const filesOf = Map.groupBy(files, ({ versionId }) => versionId)
    const place = { owner, package: { name: its.name, key: packageKey } }
    await audit(
      tx,
      caller,
      now,
      ...versions
        .filter(({ id }) => gone.has(id))
        .map(({ id, version }) => ({
          action: 'version.deleted' as const,
          ...place,
          version,
          details: { files: filesOf.get(id)?.length ?? 0 },
        })),
      ...(packageGone ? [{ action: 'package.deleted' as const, ...place }] : []),
    )
    const changes = versions.flatMap((version): Change[] => {
      const its = new Set(filesOf.get(version.id)?.map(({ id }) => id))
      const change = {
        owner,
        package: place.package.name,
        version,
        sender: caller.account,
        files: told.filter(({ id }) => its.has(id)),
      }
      return [
        ...(change.files.length > 0 ? [{ action: 'file_deleted' as const, ...change }] : []),
        ...(gone.has(version.id) ? [{ action: 'deleted' as const, ...change }] : []),
      ]
    })
    const isTold = listeners.length > 0 && (await tell(tx, listeners, changes, now))
    return { isMore: !areAll || files.length === fewFiles, isTold }
  },
)

/** Removes a package with all that was in it when this was asked for. Where it is broken off, the same call goes on. */
export async function purgePackage(parts: RegistryParts, claim: PurgeClaim, packageKey: string): Promise<void> {
  for (let isMore = true; isMore; ) {
    const purged = await parts.catalogue.transact(purgeSome, { claim, packageKey, now: parts.now() })
    if (purged.isTold) parts.wake(deliveriesJob)
    isMore = purged.isMore
  }
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
