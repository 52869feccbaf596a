import { audit } from '../access/audit.ts'
import { actorOf, type Publisher } from '../access/caller.ts'
import { changeClaimOf, type PackageClaim, type PackageGrant, recheck, rightsOf } from '../access/grant.ts'
import { type Removal, type RemovalClaim, recheckRemoval, removalClaim, removeOwnerRow } from '../access/removal.ts'
import { releaseBlobs } from '../catalogue/blobs.ts'
import { deleteSomeFilesOf, forgetUploader } from '../catalogue/files.ts'
import { alone, lockByName } from '../catalogue/named-locks.ts'
import type { OwnerRow } from '../catalogue/owners.ts'
import {
  deleteEmptyPackages,
  deletePackageIfBare,
  deletePackageIfEmpty,
  findPackage,
  lockPackage,
  packageKeysOf,
} from '../catalogue/packages.ts'
import type { Tx } from '../catalogue/schema.ts'
import { transaction } from '../catalogue/transaction.ts'
import {
  deleteEmptyVersions,
  forgetCreator,
  hasOtherVersions,
  lockVersions,
  versionsAmong,
  versionsOfFirstFiles,
} from '../catalogue/versions.ts'
import { deleteSomeDeliveriesAt, deliveriesJob, type Listener, listenersAt } from '../catalogue/webhooks.ts'
import { Problem } from '../problems.ts'
import { type Change, tell, toldFiles } from './changes.ts'
import type { RegistryParts } from './parts.ts'

/** Leave to remove a package: as somebody who may write there, or because its owner goes. */
export type PurgeClaim = PackageClaim | RemovalClaim

/** Files that one transaction removes: it has ten seconds, and who publishes there waits for it. */
const fewFiles = 500

/** The same where webhooks are told of each, each of them by rows of its own. */
function fewFilesFor(listeners: readonly Listener[]): number {
  return Math.min(fewFiles, Math.max(10, Math.floor(2_000 / Math.max(1, listeners.length))))
}

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
    const listeners = await listenersAt(tx, owner.id)
    const few = fewFilesFor(listeners)
    const { ids, areAll } = await versionsOfFirstFiles(tx, its.id, few)
    // Before its versions: who publishes another one holds this row and wants those.
    if (areAll) await lockPackage(tx, its.id)
    const place = { owner, package: { name: its.name, key: packageKey } }
    const { files, isTold } = await removeSome(tx, { place, caller, ids, listeners, now })
    if (areAll && (await deletePackageIfEmpty(tx, its.id))) {
      await audit(tx, caller, now, { action: 'package.deleted', ...place })
    }
    return { isMore: !areAll || files === few, isTold }
  },
)

/** What a part of a removal is told of. */
interface Place {
  owner: OwnerRow
  package: { name: string; key: string }
}

interface RemovedSome {
  /** How many were removed; `fewFilesFor` where there may be more. */
  files: number
  /** Versions that have none left, and went. */
  gone: Set<number>
  isTold: boolean
}

/** Removes some of the files of these versions of a package, and the versions that have none left. */
async function removeSome(
  tx: Tx,
  {
    place,
    caller,
    ids,
    listeners,
    now,
  }: { place: Place; caller: Publisher; ids: readonly number[]; listeners: readonly Listener[]; now: number },
): Promise<RemovedSome> {
  const versions = await lockVersions(tx, ids)
  const files = await deleteSomeFilesOf(tx, ids, fewFilesFor(listeners))
  const told = listeners.length > 0 ? await toldFiles(tx, files) : []
  await releaseBlobs(tx, [...new Set(files.map(({ blobId }) => blobId))], now)
  const gone = await deleteEmptyVersions(tx, ids)

  const filesOf = Map.groupBy(files, ({ versionId }) => versionId)
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
  )
  const changes = versions.flatMap((version): Change[] => {
    const its = new Set(filesOf.get(version.id)?.map(({ id }) => id))
    const change = {
      owner: place.owner,
      package: place.package.name,
      version,
      sender: actorOf(caller),
      files: told.filter(({ id }) => its.has(id)),
    }
    return [
      ...(change.files.length > 0 ? [{ action: 'file_deleted' as const, ...change }] : []),
      ...(gone.has(version.id) ? [{ action: 'deleted' as const, ...change }] : []),
    ]
  })
  const isTold = listeners.length > 0 && (await tell(tx, listeners, changes, now))
  return { files: files.length, gone, isTold }
}

interface RemoveVersions {
  claim: PackageClaim
  /** Of that package; few, with few files or one of them with many. */
  ids: readonly number[]
  now: number
}

/** Removes some of the files of these versions, the versions that have none left and, with its last one, the package. */
export const removeVersionsSome = transaction(
  'remove some versions',
  async (tx, args: RemoveVersions): Promise<Purged & { gone: number[] }> => {
    const { claim, now } = args
    const { packageKey } = claim
    await lockByName(tx, [...rightsOf(claim), alone(`package ${claim.ownerId} ${packageKey}`)])
    const { owner, caller } = await recheck(tx, claim, now)
    const its = await findPackage(tx, { ownerId: claim.ownerId, nameKey: packageKey })
    // The ids of one that was made anew meanwhile are not these.
    const ids = its === undefined ? [] : await versionsAmong(tx, its.id, args.ids)
    if (its === undefined || ids.length === 0) return { isMore: false, isTold: false, gone: [] }
    const areAll = !(await hasOtherVersions(tx, its.id, ids))
    if (areAll) await lockPackage(tx, its.id)
    const place = { owner, package: { name: its.name, key: packageKey } }
    const listeners = await listenersAt(tx, owner.id)
    const { files, gone, isTold } = await removeSome(tx, { place, caller, ids, listeners, now })
    if (areAll && (await deletePackageIfBare(tx, its.id))) {
      await audit(tx, caller, now, { action: 'package.deleted', ...place })
    }
    return { isMore: files === fewFilesFor(listeners) && gone.size < ids.length, isTold, gone: [...gone] }
  },
)

/** Removes these versions of a package, a few at a time; those that were there. */
export async function removeVersions(
  parts: RegistryParts,
  claim: PackageClaim,
  versions: readonly { id: number; files: number }[],
): Promise<Set<number>> {
  const gone = new Set<number>()
  for (let from = 0; from < versions.length; ) {
    let files = 0
    let to = from
    while (to < versions.length && files < fewFiles) files += versions[to++]?.files ?? 0
    const ids = versions.slice(from, to).map(({ id }) => id)
    for (let isMore = true; isMore; ) {
      const args = { claim, ids, now: parts.now() }
      const removed = await parts.catalogue.transact(removeVersionsSome, args)
      for (const id of removed.gone) gone.add(id)
      if (removed.isTold) parts.wake(deliveriesJob)
      isMore = removed.isMore
    }
    from = to
  }
  return gone
}

/** Removes a package with all that was in it when this was asked for. Where it is broken off, the same call goes on. */
export async function purgePackage(parts: RegistryParts, claim: PurgeClaim, packageKey: string): Promise<void> {
  for (let isMore = true; isMore; ) {
    const purged = await parts.catalogue.transact(purgeSome, { claim, packageKey, now: parts.now() })
    if (purged.isTold) parts.wake(deliveriesJob)
    isMore = purged.isMore
  }
}

/** Removes a package with all its versions, be it none, and with what is said of it; `not-found` where there is none. */
export async function removePackage(parts: RegistryParts, grant: PackageGrant<'write'>): Promise<void> {
  const { owner, packageKey: nameKey } = grant
  const found = await findPackage(parts.catalogue.read, { ownerId: owner.id, nameKey })
  if (!found) throw packageUnknown()
  await purgePackage(parts, changeClaimOf(grant), nameKey)
}

/** Packages without a version of which one transaction removes at most. */
const fewEmpty = 500

/** Removes some of an owner's packages that have no version, for an owner who goes; whether there may be more. */
export const dropEmptyPackages = transaction(
  'drop empty packages',
  async (tx, { claim, now }: { claim: RemovalClaim; now: number }): Promise<boolean> => {
    await lockByName(tx, rightsOf(claim))
    const { caller, owner } = await recheckRemoval(tx, claim, now)
    const packages = await deleteEmptyPackages(tx, claim.ownerId, fewEmpty)
    const gone = packages.map((its) => ({ action: 'package.deleted' as const, owner, package: its }))
    await audit(tx, caller, now, ...gone)
    return packages.length === fewEmpty
  },
)

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
    const deliveries = await deleteSomeDeliveriesAt(tx, claim.ownerId, fewWorks)
    return [versions, files, deliveries].includes(fewWorks)
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
    while (isMore) isMore = await parts.catalogue.transact(dropEmptyPackages, { claim, now: parts.now() })
    isMore = true
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

function packageUnknown(): Problem {
  return new Problem('not-found', 'package does not exist')
}
