import type { PackageGrant } from '../access/grant.ts'
import { filesOfVersion, type ListedFile } from '../catalogue/files.ts'
import { listedVersion } from '../catalogue/listings.ts'
import { type Doomed, ownBytes } from '../catalogue/losses.ts'
import { describedPackage } from '../catalogue/package-texts.ts'
import { possibleVersion } from '../names.ts'
import { Problem } from '../problems.ts'
import { packageNow } from './lists.ts'
import type { RegistryParts } from './parts.ts'

/** What is lost with a file, a version or a package. Names as they are spelled. */
export interface Loss {
  package: string
  versions: number
  files: number
  /** Bytes, also those that other files share. */
  size: number
  downloads: number
  /** Bytes that no other file has; undefined where it would take long to find out. */
  freed: number | undefined
}

export interface VersionLoss extends Loss {
  version: string
}

export interface FileLoss extends VersionLoss {
  file: string
  /** Whether the version goes with it. */
  isLast: boolean
}

/** Files of which it is looked up, one by one, who else has their bytes. */
const fewFiles = 2_000

export async function lossOfPackage(parts: RegistryParts, grant: PackageGrant<'write'>): Promise<Loss> {
  const { owner, packageKey: nameKey } = grant
  const its = await describedPackage(parts.catalogue.read, { ownerId: owner.id, nameKey })
  if (!its) throw new Problem('not-found', 'package does not exist')
  const { versions, files, size, downloads } = its
  return {
    package: its.name,
    versions,
    files,
    size,
    downloads,
    freed: await freedBy(parts, files, { packageId: its.id }),
  }
}

export async function lossOfVersion(
  parts: RegistryParts,
  grant: PackageGrant<'write'>,
  name: string,
): Promise<VersionLoss> {
  const { files, ...its } = await versionAt(parts, grant, name)
  const freed = await freedBy(parts, files.length, { versionId: its.id })
  return { package: its.package, version: its.version, versions: 1, files: files.length, ...sumOf(files), freed }
}

export async function lossOfFile(
  parts: RegistryParts,
  grant: PackageGrant<'write'>,
  address: { version: string; id: number },
): Promise<FileLoss> {
  const { files, ...its } = await versionAt(parts, grant, address.version)
  const file = files.find(({ id }) => id === address.id)
  if (!file) throw new Problem('not-found', 'package file does not exist')
  const isLast = files.length === 1
  const freed = await freedBy(parts, 1, { fileId: file.id })
  const counts = { versions: isLast ? 1 : 0, files: 1, ...sumOf([file]), freed }
  return { package: its.package, version: its.version, file: file.name, isLast, ...counts }
}

function sumOf(files: readonly ListedFile[]): Pick<Loss, 'size' | 'downloads'> {
  return {
    size: files.reduce((sum, { size }) => sum + size, 0),
    downloads: files.reduce((sum, { downloads }) => sum + downloads, 0),
  }
}

async function freedBy(parts: RegistryParts, files: number, doomed: Doomed): Promise<number | undefined> {
  return files > fewFiles ? undefined : ownBytes(parts.catalogue.read, doomed)
}

async function versionAt(
  parts: RegistryParts,
  grant: PackageGrant<'write'>,
  name: string,
): Promise<{ id: number; package: string; version: string; files: ListedFile[] }> {
  const { read } = parts.catalogue
  const { owner, packageKey } = grant
  const { id: packageId } = await packageNow(parts, grant)
  const versionKey = possibleVersion(name)
  const found = versionKey && (await listedVersion(read, { packageId, versionKey }))
  if (!versionKey || !found) throw new Problem('not-found', 'package does not exist')
  const files = await filesOfVersion(read, { ownerId: owner.id, packageKey, versionKey })
  return { id: found.id, package: found.package, version: found.version, files }
}
