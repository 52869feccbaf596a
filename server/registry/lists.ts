import type { Grant, PackageGrant } from '../access/grant.ts'
import { permission } from '../access/rules.ts'
import { missingDigests } from '../catalogue/blobs.ts'
import { filesOfVersion, type ListedFile } from '../catalogue/files.ts'
import { anyAwaited } from '../catalogue/jobs.ts'
import {
  anyVersion,
  countsSeen,
  type ListedVersion,
  listedOwner,
  listedPackage,
  listedVersion,
  nameAlone,
  type OwnerCounts,
  type Profile,
  type Sorting,
  type SortKey,
  searchVersions,
  sortKeys,
  versionsOfOwner,
  versionsOfPackage,
  type Window,
} from '../catalogue/listings.ts'
import type { OwnerRow } from '../catalogue/owners.ts'
import type { Sight } from '../catalogue/sight.ts'
import { packageNamePart, possibleVersion } from '../names.ts'
import { Problem } from '../problems.ts'
import type { RegistryParts } from './parts.ts'
import { digestsJob } from './publish.ts'

/** For those who may not import the catalogue. */
export { type ListedFile, type ListedVersion, type Profile, type Sorting, type SortKey, sortKeys }

/** A user or an organisation that the caller may know of, as it is shown. */
export async function showOwner(parts: RegistryParts, { id }: OwnerRow): Promise<Profile> {
  return (await listedNow(parts, id)).owner
}

/** The owner of a grant, as far as its caller may know of him: the name alone, where he knows of no more than some package. */
export async function showOwnerOf(parts: RegistryParts, grant: Grant): Promise<Profile> {
  const owner = await showOwner(parts, grant.owner)
  return knowsOfOwner(grant) ? owner : nameAlone(owner)
}

/** Name and visibility of the same, as far as the caller may know of it, without looking him up. */
export function ownerHere(grant: Grant): Pick<Profile, 'name' | 'visibility'> {
  const { name, visibility } = knowsOfOwner(grant) ? grant.owner : nameAlone(grant.owner)
  return { name, visibility }
}

/** Whether nobody has published anything yet, or all of it is gone. */
export async function isEmpty(parts: RegistryParts): Promise<boolean> {
  return !(await anyVersion(parts.catalogue.read))
}

/** Some of an owner's versions. */
export interface VersionList {
  owner: Profile
  versions: ListedVersion[]
  /** Of all pages; undefined where it would take long to count them. */
  total: number | undefined
}

/** An owner's versions, where `part` is not empty of those packages only whose names hold it. */
export async function listOwner(
  parts: RegistryParts,
  grant: Grant<'read'>,
  part: string,
  window: Window,
  sorting?: Sorting,
): Promise<VersionList> {
  const { read } = parts.catalogue
  const { id } = grant.owner
  const { owner, sight, versions: total, packages } = await ownerNow(parts, grant)
  if (part === '') return { owner, total, versions: await versionsOfOwner(read, id, sight, window, sorting) }
  const text = packageNamePart(part)
  if (text === undefined) return { owner, total: 0, versions: [] }
  const wanted = { ownerId: id, packages, sight, name: { text, place: 'anywhere' } } as const
  return { owner, ...(await searchVersions(read, wanted, window, sorting)) }
}

export async function listPackage(
  parts: RegistryParts,
  grant: PackageGrant<'read'>,
  window: Window,
  sorting?: Sorting,
): Promise<VersionList> {
  const owner = await showOwnerOf(parts, grant)
  const found = await packageNow(parts, grant)
  const versions = await versionsOfPackage(parts.catalogue.read, found.id, window, sorting)
  return { owner, total: found.versions, versions }
}

export interface ShownVersion {
  owner: Profile
  version: ListedVersion
}

export async function showVersion(
  parts: RegistryParts,
  grant: PackageGrant<'read'>,
  name: string,
): Promise<ShownVersion> {
  const owner = await showOwnerOf(parts, grant)
  const { id: packageId } = await packageNow(parts, grant)
  const versionKey = possibleVersion(name)
  if (versionKey === undefined) throw packageUnknown()
  const version = await listedVersion(parts.catalogue.read, { packageId, versionKey })
  if (!version) throw packageUnknown()
  return { owner, version }
}

/** The version of a package that was made last. */
export async function showLatest(parts: RegistryParts, grant: PackageGrant<'read'>): Promise<ShownVersion> {
  const { owner, versions } = await listPackage(parts, grant, { offset: 0, limit: 1 })
  const [version] = versions
  if (!version) throw packageUnknown()
  return { owner, version }
}

/** Milliseconds that an answer waits for digests that are being computed. */
const patience = 5_000
/** Jobs that are looked for at once: both databases have a limit. */
const mostAsked = 500

/** The files of a version, with all their digests unless those take too long, or `signal` says that nobody waits any more. */
export async function showFiles(
  parts: RegistryParts,
  { owner: { id: ownerId }, packageKey }: PackageGrant<'read'>,
  version: string,
  signal: AbortSignal,
): Promise<ListedFile[]> {
  const versionKey = possibleVersion(version)
  if (versionKey === undefined) throw packageUnknown()
  const look = () => filesOfVersion(parts.catalogue.read, { ownerId, packageKey, versionKey })
  const until = performance.now() + patience
  for (let pause = 20; ; pause *= 2) {
    const files = await look()
    if (files.length === 0) throw packageUnknown()
    const left = until - performance.now()
    const incomplete = files.filter((file) => missingDigests(file).length > 0)
    if (left <= 0 || signal.aborted || incomplete.length === 0) return files
    // Those that were given up, say because their bytes are gone, are waited for by nobody.
    const subjects = incomplete.slice(0, mostAsked).map(({ blobId }) => String(blobId))
    if (!(await anyAwaited(parts.catalogue.read, digestsJob, subjects))) return look()
    parts.wake(digestsJob)
    // Another node may be the one that computes them, so there is nothing but to look again.
    await Bun.sleep(Math.min(pause, left))
  }
}

/** An owner as a caller sees him: what he has, and which of his packages. */
export interface SeenOwner extends OwnerCounts {
  /** The name alone, where the caller knows of no more than some package. */
  owner: Profile
  /** The grant's, and everything where nothing is hidden. */
  sight: Sight
}

/** An owner, and how much of his the caller sees; `not-found` where he went meanwhile. */
export async function ownerNow(parts: RegistryParts, grant: Grant): Promise<SeenOwner> {
  const { owner, hasPrivate, ...all } = await listedNow(parts, grant.owner.id)
  const isOpen = grant.sight.unnamed === 'open' && !hasPrivate
  const sight: Sight = isOpen ? { ...grant.sight, unnamed: 'all' } : grant.sight
  const counts = await countsSeen(parts.catalogue.read, grant.owner.id, sight, all)
  return { ...counts, owner: knowsOfOwner(grant) ? owner : nameAlone(owner), sight }
}

/** Whether the caller knows of more than some of the owner's packages. */
export function knowsOfOwner({ caller, owner }: Grant): boolean {
  return permission(caller, owner) !== 'none'
}

async function listedNow(parts: RegistryParts, id: number) {
  const found = await listedOwner(parts.catalogue.read, id)
  if (!found) throw new Problem('not-found', 'Not found.')
  return found
}

/** A package that has a version; `not-found` where there is none. */
export async function packageNow(
  parts: RegistryParts,
  { owner, packageKey }: PackageGrant,
): Promise<{ id: number; versions: number }> {
  const found = await listedPackage(parts.catalogue.read, { ownerId: owner.id, nameKey: packageKey })
  if (!found) throw packageUnknown()
  return found
}

function packageUnknown(): Problem {
  return new Problem('not-found', 'package does not exist')
}
