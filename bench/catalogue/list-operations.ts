import { anonymous } from '../../server/access/caller.ts'
import { grantToShow, packageToShow } from '../../server/access/grant.ts'
import { grantToSearch } from '../../server/access/viewers.ts'
import { type SortKey, sortKeys } from '../../server/catalogue/listings.ts'
import type { OwnerRow } from '../../server/catalogue/owners.ts'
import type { Catalogue } from '../../server/catalogue/transaction.ts'
import { Turns } from '../../server/lib/turns.ts'
import { listOwner, listPackage, packageNow } from '../../server/registry/lists.ts'
import type { RegistryParts } from '../../server/registry/parts.ts'
import { findPackages } from '../../server/registry/search.ts'
import { findVersions, someVersions } from '../../server/registry/shown-versions.ts'
import type { KnownVersions } from './many-versions.ts'
import type { Operation } from './operations.ts'

const limit = 30
const deep = 10_000

/** Lists and searches, each with its total as the answer's header tells it. A page that few versions do not have is compared with their last. */
export function listOperationsOn(catalogue: Catalogue, known: KnownVersions): Operation[] {
  const searches = new Turns({ atOnce: 1, line: 0, patience: 0 })
  const parts = { catalogue, searches } as unknown as RegistryParts
  const owner: OwnerRow = {
    id: known.ownerId,
    kind: 'user',
    name: 'person-1',
    visibility: 'public',
    membership: 'none',
  }
  const leave = grantToShow(anonymous, owner)
  const largest = { key: known.largest, visibility: 'inherit', named: 'none' } as const
  const ofLargestPackage = packageToShow({
    caller: anonymous,
    found: { owner, isFormerName: false, package: largest },
  })
  const everybody = grantToSearch(anonymous)
  const waits = new AbortController().signal
  const sorted = (by: SortKey) => ({ by, descending: by !== 'name' })

  const ofOwner =
    (q: string, offset = 0, by: SortKey = 'created') =>
    () =>
      listOwner(parts, leave, q, { offset, limit }, sorted(by))
  const ofPackage = (offset: number) => () => listPackage(parts, ofLargestPackage, { offset, limit })
  const shown = async () => packageNow(parts, ofLargestPackage)
  const onPage = (offset: number, by: SortKey) => async () =>
    someVersions(parts, await shown(), { offset, limit }, sorted(by))
  const holding = (text: string, offset: number) => async () =>
    findVersions(parts, await shown(), text, { offset, limit }, sorted('created'), waits)
  const everywhere =
    (q: string, offset = 0, by: SortKey = 'created') =>
    () =>
      findPackages(parts, everybody, q, { offset, limit }, sorted(by))

  /** The last page that a list of so many has, or the one that is 10,000 deep. */
  const last = (rows: number) => Math.min(deep, Math.max(0, Math.floor(rows) - limit))
  const [ofAll, ofLargest] = [last(known.versions), last(known.versions / 2)]
  const { rare, frequent, none, letter } = known.parts
  const ofFrequent = last(known.versions * 0.3)
  const packagesFrequent = last(known.packages * 0.6)
  return [
    { name: 'owner: first page', run: ofOwner('') },
    { name: 'owner: last page or 10,000 deep', run: ofOwner('', ofAll) },
    ...sortKeys.slice(1).flatMap((by) => [
      { name: `owner: first page by ${by}`, run: ofOwner('', 0, by) },
      { name: `owner: last page or 10,000 deep by ${by}`, run: ofOwner('', ofAll, by) },
    ]),
    { name: 'owner, q of one package', run: ofOwner(rare) },
    { name: 'owner, q of 6 in 10 packages', run: ofOwner(frequent) },
    { name: 'owner, q of 6 in 10 packages: last page or 10,000 deep', run: ofOwner(frequent, ofFrequent) },
    { name: 'owner, q of none', run: ofOwner(none) },
    { name: 'owner, q of one letter', run: ofOwner(letter) },
    { name: 'package: first page', run: ofPackage(0) },
    { name: 'package: last page or 10,000 deep', run: ofPackage(ofLargest) },
    { name: 'package, with figures, by size: first page', run: onPage(0, 'size') },
    { name: 'package, with figures, by size: last page or 10,000 deep', run: onPage(ofLargest, 'size') },
    { name: 'package, text in most versions', run: holding('1', 0) },
    { name: 'everywhere', run: everywhere('') },
    { name: 'everywhere: last page or 10,000 deep', run: everywhere('', last(known.packages)) },
    { name: 'everywhere, q of one package', run: everywhere(rare) },
    { name: 'everywhere, q of 6 in 10 packages', run: everywhere(frequent) },
    {
      name: 'everywhere, q of 6 in 10 packages: last page or 10,000 deep',
      run: everywhere(frequent, packagesFrequent, 'name'),
    },
    { name: 'everywhere, q of none', run: everywhere(none) },
    { name: 'everywhere, q of one letter', run: everywhere(letter) },
  ]
}
