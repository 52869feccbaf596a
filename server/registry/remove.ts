import { type Claim, claimOf, type Grant, recheck, rightsOf } from '../access/grant.ts'
import { releaseBlobs } from '../catalogue/blobs.ts'
import { deleteFileByName, deleteFilesOf, hasFiles } from '../catalogue/files.ts'
import { alone, lockByName } from '../catalogue/named-locks.ts'
import { deletePackageIfEmpty, findPackage, isOnlyVersion } from '../catalogue/packages.ts'
import type { Tx } from '../catalogue/schema.ts'
import { transaction } from '../catalogue/transaction.ts'
import { deleteVersion, lockVersion } from '../catalogue/versions.ts'
import { possibleFile, possiblePackage, possibleVersion } from '../names.ts'
import { Problem } from '../problems.ts'
import type { Address } from './download.ts'
import type { RegistryParts } from './parts.ts'

interface RemoveVersion {
  claim: Claim
  packageKey: string
  versionKey: string
  now: number
}

interface RemoveFile extends RemoveVersion {
  fileKey: string
}

/** Removes a file; with the last one its version, and with the last version the package. */
export const removeFileRow = transaction('remove file', async (tx, args: RemoveFile) => {
  const version = await enter(tx, args)
  const blobId = await deleteFileByName(tx, version.id, args.fileKey)
  if (blobId === undefined) throw new Problem('not-found', 'package file does not exist')
  const wasLast = !(await hasFiles(tx, version.id))
  await releaseBlobs(tx, [blobId], args.now)
  if (wasLast) await dropVersion(tx, version)
})

export const removeVersionRows = transaction('remove version', async (tx, args: RemoveVersion) => {
  const version = await enter(tx, args)
  const blobIds = await deleteFilesOf(tx, version.id)
  await releaseBlobs(tx, blobIds, args.now)
  await dropVersion(tx, version)
})

/** Removes a file. Its bytes go once nothing refers to them and their grace is over. */
export async function removeFile(
  parts: RegistryParts,
  grant: Grant<'write'>,
  address: Omit<Address, 'owner'>,
): Promise<void> {
  const keys = versionKeys(address)
  const fileKey = possibleFile(address.file)
  await parts.catalogue.transact(removeFileRow, {
    claim: claimOf(grant),
    ...keys,
    fileKey: fileKey ?? '',
    now: parts.now(),
  })
}

/** Removes a version with all its files. */
export async function removeVersion(
  parts: RegistryParts,
  grant: Grant<'write'>,
  address: Omit<Address, 'owner' | 'file'>,
): Promise<void> {
  const keys = versionKeys(address)
  await parts.catalogue.transact(removeVersionRows, { claim: claimOf(grant), ...keys, now: parts.now() })
}

function versionKeys(address: Pick<Address, 'package' | 'version'>): { packageKey: string; versionKey: string } {
  const packageKey = possiblePackage(address.package)
  const versionKey = possibleVersion(address.version)
  if (packageKey === undefined || versionKey === undefined) throw packageUnknown()
  return { packageKey, versionKey }
}

/** A version whose files nobody else changes now. */
interface Entered {
  id: number
  packageId: number
  /** Whether its package goes with it. */
  isOnly: boolean
}

/** Takes the locks in their order, asks again for the rights, and finds the version. */
async function enter(tx: Tx, args: RemoveVersion): Promise<Entered> {
  const { claim } = args
  await lockByName(tx, [...rightsOf(claim), alone(`package ${claim.ownerId} ${args.packageKey}`)])
  await recheck(tx, claim, args.now)
  const packageId = await findPackage(tx, { ownerId: args.claim.ownerId, nameKey: args.packageKey })
  if (packageId === undefined) throw packageUnknown()
  const isOnly = await isOnlyVersion(tx, { packageId, versionKey: args.versionKey })
  const id = await lockVersion(tx, { packageId, versionKey: args.versionKey })
  if (id === undefined) throw packageUnknown()
  return { id, packageId, isOnly }
}

/** The last that a transaction does: the owner's count is held from here on. */
async function dropVersion(tx: Tx, version: Entered): Promise<void> {
  await deleteVersion(tx, version.id)
  if (version.isOnly) await deletePackageIfEmpty(tx, version.packageId)
}

function packageUnknown(): Problem {
  return new Problem('not-found', 'package does not exist')
}
