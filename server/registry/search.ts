import type { Grant } from '../access/grant.ts'
import type { SearchGrant } from '../access/viewers.ts'
import { type Digests, type FoundVersion, searchDigests } from '../catalogue/digest-search.ts'
import type { Sorting, Window } from '../catalogue/listings.ts'
import type { NamePart } from '../catalogue/name-search.ts'
import { type FoundPackage, type FoundPage, searchPackages, type Wanted } from '../catalogue/search.ts'
import { NoTurn } from '../lib/turns.ts'
import { packageNamePart } from '../names.ts'
import { Problem } from '../problems.ts'
import { ownerNow } from './lists.ts'
import type { RegistryParts } from './parts.ts'

/** For those who may not import the catalogue. */
export type { Digests, FoundPackage, FoundPage, FoundVersion }

/** Among everybody's packages, or one owner's. */
export type SearchIn = SearchGrant | Grant<'read'>

/** Letters of the shortest text that is looked for anywhere in a name; a shorter one is looked for at its beginning. */
const shortestAnywhere = 3

/** A search that looks through much when its turn comes; `too-many-attempts` where that takes too long. */
export async function inTurn<Result>(
  { searches }: RegistryParts,
  signal: AbortSignal,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await searches.take(work, signal)
  } catch (error) {
    if (!(error instanceof NoTurn)) throw error
    throw new Problem('too-many-attempts', 'Too many searches at once. Try again in a moment.', { retry_after: 5 })
  }
}

/** Packages whose names hold the text, each by its newest version; all where it is empty. */
export async function findPackages(
  parts: RegistryParts,
  grant: SearchIn,
  text: string,
  window: Window,
  sorting: Sorting,
): Promise<FoundPage<FoundPackage>> {
  const wanted = await wantedOf(parts, grant, text)
  return wanted ? searchPackages(parts.catalogue.read, wanted, window, sorting) : { found: [], total: 0 }
}

/** Versions with a file that has all of these digests. MD5, SHA-1 and SHA-512 are known a moment after an upload. */
export async function findFiles(
  parts: RegistryParts,
  grant: SearchIn,
  { text, digests }: { text: string; digests: Digests },
  window: Window,
  sorting: Sorting,
): Promise<FoundPage<FoundVersion>> {
  const wanted = await wantedOf(parts, grant, text)
  if (!wanted) return { found: [], total: 0 }
  return searchDigests(parts.catalogue.read, { ...wanted, digests }, window, sorting)
}

/** Undefined where no package can have such a name. */
async function wantedOf(parts: RegistryParts, grant: SearchIn, text: string): Promise<Wanted | undefined> {
  const name = nameWith(text)
  if (text !== '' && !name) return undefined
  if ('viewer' in grant) return { name, reach: { viewer: grant.viewer } }
  const { packages, sight } = await ownerNow(parts, grant)
  return { name, reach: { ownerId: grant.owner.id, packages, sight } }
}

/** Anybody may ask, of all there is: so what is short is not looked for in every name. */
function nameWith(text: string): NamePart | undefined {
  const part = packageNamePart(text)
  return part === undefined
    ? undefined
    : { text: part, place: part.length < shortestAnywhere ? 'beginning' : 'anywhere' }
}
