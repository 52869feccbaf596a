import type { PackageGrant } from '../access/grant.ts'
import { type ListedFile, someFilesOfVersion } from '../catalogue/files.ts'
import {
  type ListedVersion,
  listedVersion,
  type Sorting,
  versionsById,
  versionsOfPackage,
  type Window,
} from '../catalogue/listings.ts'
import { figuresOfVersions, type VersionFigures, versionsHolding } from '../catalogue/shown-versions.ts'
import { possibleVersion, versionPattern } from '../names.ts'
import { Problem } from '../problems.ts'
import { packageNow } from './lists.ts'
import { type FileOrigin, originFrom } from './origins.ts'
import type { DescribedPackage } from './package-text.ts'
import type { RegistryParts } from './parts.ts'
import { inTurn } from './search.ts'

/** A version with what it has. */
export type FiguredVersion = ListedVersion & VersionFigures

/** A file with when it came. */
export type DatedFile = ListedFile & {
  createdAt: number
  /** Undefined where no job published it. */
  origin: FileOrigin | undefined
}

/** The package: as it was shown to who asks. */
type Shown = Pick<DescribedPackage, 'id' | 'versions'>

/** Some versions of a package, in an order. */
export async function someVersions(
  parts: RegistryParts,
  { id }: Shown,
  window: Window,
  sorting?: Sorting,
): Promise<FiguredVersion[]> {
  return withFigures(parts, await versionsOfPackage(parts.catalogue.read, id, window, sorting))
}

/** The same of those that hold a text, in whatever letter case; `total` is undefined where it would take long to count. */
export async function findVersions(
  parts: RegistryParts,
  { id, versions }: Shown,
  text: string,
  window: Window,
  sorting: Sorting,
  signal: AbortSignal,
): Promise<{ versions: FiguredVersion[]; total: number | undefined }> {
  const { read } = parts.catalogue
  const shown = { id, versions }
  if (text === '') return { versions: await someVersions(parts, shown, window, sorting), total: versions }
  // What no version can hold is looked for nowhere. Of dots alone there is no version, and many have some.
  if (possibleVersion(text) === undefined && text !== '.' && text !== '..') return { versions: [], total: 0 }
  const wanted = { packageId: id, text: versionPattern(text) }
  const { ids, total } = await inTurn(parts, signal, () => versionsHolding(read, wanted, window, sorting))
  const found = new Map((await versionsById(read, ids)).map((version) => [version.id, version]))
  return {
    versions: await withFigures(
      parts,
      ids.flatMap((its) => found.get(its) ?? []),
    ),
    total,
  }
}

async function withFigures(parts: RegistryParts, versions: readonly ListedVersion[]): Promise<FiguredVersion[]> {
  const figures = await figuresOfVersions(
    parts.catalogue.read,
    versions.map(({ id }) => id),
  )
  // One that went between the two looks is left out.
  return versions.flatMap((version) => {
    const its = figures.get(version.id)
    return its ? { ...version, ...its } : []
  })
}

/** A version with what it has, and some of its files. Digests that are not known yet are not waited for. */
export async function versionWithFiles(
  parts: RegistryParts,
  grant: PackageGrant<'read'>,
  name: string,
  window: Window,
): Promise<{ version: FiguredVersion; files: DatedFile[] }> {
  const { read } = parts.catalogue
  const { id: packageId } = await packageNow(parts, grant)
  const versionKey = possibleVersion(name)
  const found = versionKey && (await listedVersion(read, { packageId, versionKey }))
  const [[version], files] = found
    ? await Promise.all([withFigures(parts, [found]), someFiles(parts, found, window)])
    : [[], []]
  if (!version) throw new Problem('not-found', 'package does not exist')
  return { version, files }
}

/** Some files of a version that was shown to who asks, by name. */
export async function someFiles(parts: RegistryParts, { id }: { id: number }, window: Window): Promise<DatedFile[]> {
  const { offset, limit } = window
  const files = await someFilesOfVersion(parts.catalogue.read, { versionId: id, offset, limit })
  return files.map(({ issuer, claims, ...file }) => ({
    ...file,
    origin:
      issuer === null || claims === null
        ? undefined
        : originFrom({ file: file.name, issuer, claims, created_at: file.createdAt }),
  }))
}
