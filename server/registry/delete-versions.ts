import { changeClaimOf, type PackageGrant } from '../access/grant.ts'
import { type ChosenVersion, contentsOf, versionsBehind, versionsWithKeys } from '../catalogue/versions.ts'
import { globMatcher } from '../lib/glob.ts'
import { possibleVersion, versionPattern } from '../names.ts'
import { packageNow } from './lists.ts'
import type { RegistryParts } from './parts.ts'
import { removeVersions } from './purge.ts'

/** Which versions of a package: those of these names, or those that are like a pattern with `*` and `?`. */
export type Choice = { names: readonly string[] } | { pattern: string }

/** Names of one choice. */
export const mostNames = 1_000

/** Versions that are removed, or would be. */
export interface Deletion {
  /** In the order of their folded names; the first `mostListed`. */
  versions: { version: string; files: number; size: number }[]
  total: number
  files: number
  /** Bytes, also those that are stored once for several files. */
  size: number
  /** Names that no version has, as they were sent. */
  unknown: string[]
}

const mostListed = 1_000

/** Removes versions of a package; with `dryRun` it only tells which. Where it is broken off, the same call goes on. */
export async function deleteVersions(
  parts: RegistryParts,
  grant: PackageGrant<'write'>,
  { choice, dryRun }: { choice: Choice; dryRun: boolean },
): Promise<Deletion> {
  const { id: packageId } = await packageNow(parts, grant)
  const deletion: Deletion = { versions: [], total: 0, files: 0, size: 0, unknown: [] }
  const chosen = 'names' in choice ? named(parts, packageId, choice.names, deletion) : like(parts, packageId, choice)
  for await (const batch of chosen) {
    const contents = await contentsOf(
      parts.catalogue.read,
      batch.map(({ id }) => id),
    )
    // One without is gone again.
    const found = batch.flatMap(({ id, version }) => {
      const its = contents.get(id)
      return its ? [{ id, version, ...its }] : []
    })
    const gone = dryRun ? undefined : await removeVersions(parts, changeClaimOf(grant), found)
    for (const { id, version, files, size } of found) {
      if (gone && !gone.has(id)) continue
      deletion.total += 1
      deletion.files += files
      deletion.size += size
      if (deletion.versions.length < mostListed) deletion.versions.push({ version, files, size })
    }
  }
  return deletion
}

/** Versions that are looked at at once: on SQLite this thread reads them, and others wait. */
const fewVersions = 500

async function* named(
  parts: RegistryParts,
  packageId: number,
  names: readonly string[],
  deletion: Deletion,
): AsyncGenerator<ChosenVersion[]> {
  const wanted = new Map<string, string>()
  for (const name of names) {
    const key = possibleVersion(name)
    if (key === undefined) deletion.unknown.push(name)
    else wanted.set(key, wanted.get(key) ?? name)
  }
  // The order in which the databases have them; those of no batch stand before those of a later one.
  const keys = [...wanted.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  for (let from = 0; from < keys.length; from += fewVersions) {
    const some = keys.slice(from, from + fewVersions)
    const found = await versionsWithKeys(parts.catalogue.read, packageId, some)
    const known = new Set(found.map(({ versionKey }) => versionKey))
    deletion.unknown.push(...some.filter((key) => !known.has(key)).map((key) => wanted.get(key) ?? key))
    yield found
  }
}

async function* like(
  parts: RegistryParts,
  packageId: number,
  { pattern }: { pattern: string },
): AsyncGenerator<ChosenVersion[]> {
  const isLike = globMatcher(versionPattern(pattern))
  for (let after = ''; ; ) {
    const some = await versionsBehind(parts.catalogue.read, { packageId, after, limit: fewVersions })
    yield some.filter(({ versionKey }) => isLike(versionKey))
    const last = some.at(-1)
    if (!last || some.length < fewVersions) return
    after = last.versionKey
    // Others have their turn: neither a look at SQLite nor a match lets them in.
    await new Promise((resolve) => setImmediate(resolve))
  }
}
