import { type AuditEvent, audit } from '../access/audit.ts'
import { actorOf, type Publisher } from '../access/caller.ts'
import { changeClaimOf, type PackageClaim, type PackageGrant, recheck, rightsOf } from '../access/grant.ts'
import { releaseBlobs } from '../catalogue/blobs.ts'
import { deleteFileByName, deleteFilesOf, hasFiles, type RemovedFile } from '../catalogue/files.ts'
import { alone, lockByName } from '../catalogue/named-locks.ts'
import type { OwnerRow } from '../catalogue/owners.ts'
import { deletePackageIfBare, findPackage, isOnlyVersion } from '../catalogue/packages.ts'
import type { Tx } from '../catalogue/schema.ts'
import { transaction } from '../catalogue/transaction.ts'
import { deleteVersion, lockVersion, type VersionRow } from '../catalogue/versions.ts'
import { deliveriesJob, listenersAt } from '../catalogue/webhooks.ts'
import { possibleFile, possibleVersion } from '../names.ts'
import { Problem } from '../problems.ts'
import { type ChangeAction, tell, toldFiles } from './changes.ts'
import type { Address } from './download.ts'
import type { RegistryParts } from './parts.ts'

interface RemoveVersion {
  claim: PackageClaim
  versionKey: string
  now: number
}

interface RemoveFile extends RemoveVersion {
  fileKey: string
}

/** Removes a file; with the last one its version, and with the last version the package. Whether a webhook is told of it. */
export const removeFileRow = transaction('remove file', async (tx, args: RemoveFile): Promise<boolean> => {
  const entered = await enter(tx, args)
  const file = await deleteFileByName(tx, entered.version.id, args.fileKey)
  if (file === undefined) throw new Problem('not-found', 'package file does not exist')
  const wasLast = !(await hasFiles(tx, entered.version.id))
  const isTold = await announce(tx, entered, { files: [file], wasLast, now: args.now })
  await releaseBlobs(tx, [file.blobId], args.now)
  const dropped = wasLast ? await dropVersion(tx, entered, 0) : []
  await audit(tx, entered.caller, args.now, { action: 'file.deleted', ...entered.place, file: file.name }, ...dropped)
  return isTold
})

export const removeVersionRows = transaction('remove version', async (tx, args: RemoveVersion): Promise<boolean> => {
  const entered = await enter(tx, args)
  const files = await deleteFilesOf(tx, entered.version.id)
  const isTold = await announce(tx, entered, { files, wasLast: true, now: args.now })
  const blobIds = files.map(({ blobId }) => blobId)
  await releaseBlobs(tx, [...new Set(blobIds)], args.now)
  await audit(tx, entered.caller, args.now, ...(await dropVersion(tx, entered, files.length)))
  return isTold
})

/** Removes a file. Its bytes go once nothing refers to them and their grace is over. */
export async function removeFile(
  parts: RegistryParts,
  grant: PackageGrant<'write'>,
  address: Pick<Address, 'version' | 'file'>,
): Promise<void> {
  const fileKey = possibleFile(address.file)
  const isTold = await parts.catalogue.transact(removeFileRow, {
    claim: changeClaimOf(grant),
    versionKey: versionKey(address.version),
    fileKey: fileKey ?? '',
    now: parts.now(),
  })
  if (isTold) parts.wake(deliveriesJob)
}

/** Removes a version with all its files. */
export async function removeVersion(
  parts: RegistryParts,
  grant: PackageGrant<'write'>,
  version: string,
): Promise<void> {
  const args = { claim: changeClaimOf(grant), versionKey: versionKey(version), now: parts.now() }
  if (await parts.catalogue.transact(removeVersionRows, args)) parts.wake(deliveriesJob)
}

function versionKey(version: string): string {
  const key = possibleVersion(version)
  if (key === undefined) throw packageUnknown()
  return key
}

/** A version whose files nobody else changes now. */
interface Entered {
  version: VersionRow
  packageId: number
  /** Whether its package goes with it. */
  isOnly: boolean
  caller: Publisher
  /** As the audit log has it. */
  place: { owner: OwnerRow; package: { name: string; key: string }; version: string }
}

/** Takes the locks in their order, asks again for the rights, and finds the version. */
async function enter(tx: Tx, args: RemoveVersion): Promise<Entered> {
  const { claim } = args
  const { packageKey } = claim
  await lockByName(tx, [...rightsOf(claim), alone(`package ${claim.ownerId} ${packageKey}`)])
  const { caller, owner } = await recheck(tx, claim, args.now)
  const found = await findPackage(tx, { ownerId: args.claim.ownerId, nameKey: packageKey })
  if (found === undefined) throw packageUnknown()
  const isOnly = await isOnlyVersion(tx, { packageId: found.id, versionKey: args.versionKey })
  const version = await lockVersion(tx, { packageId: found.id, versionKey: args.versionKey })
  if (version === undefined) throw packageUnknown()
  const place = { owner, package: { name: found.name, key: packageKey }, version: version.version }
  return { version, packageId: found.id, isOnly, caller, place }
}

/** Tells webhooks of files that have just been removed, and of their version where these were its last. */
async function announce(
  tx: Tx,
  { version, caller, place }: Entered,
  { files, wasLast, now }: { files: readonly RemovedFile[]; wasLast: boolean; now: number },
): Promise<boolean> {
  const listeners = await listenersAt(tx, place.owner.id)
  if (listeners.length === 0) return false
  const change = {
    owner: place.owner,
    package: place.package.name,
    version,
    sender: actorOf(caller),
    files: await toldFiles(tx, files),
  }
  const actions: ChangeAction[] = wasLast ? ['file_deleted', 'deleted'] : ['file_deleted']
  return tell(
    tx,
    listeners,
    actions.map((action) => ({ action, ...change })),
    now,
  )
}

/**
 * Removes a version that has no file left, and its package where it was the only one; what the log says of that. The last change
 * of a transaction.
 */
async function dropVersion(
  tx: Tx,
  { version, packageId, isOnly, place }: Entered,
  files: number,
): Promise<AuditEvent[]> {
  await deleteVersion(tx, version.id)
  const wentToo = isOnly && (await deletePackageIfBare(tx, packageId))
  const { owner, package: its } = place
  return [
    { action: 'version.deleted', ...place, details: { files } },
    ...(wentToo ? [{ action: 'package.deleted' as const, owner, package: its }] : []),
  ]
}

function packageUnknown(): Problem {
  return new Problem('not-found', 'package does not exist')
}
