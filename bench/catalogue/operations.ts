import { randomBytes } from 'node:crypto'
import { anonymous } from '../../server/access/caller.ts'
import { grantToShow, packageToShow } from '../../server/access/grant.ts'
import { grantToSearch } from '../../server/access/viewers.ts'
import { findCallerAndAddress } from '../../server/catalogue/callers.ts'
import { jobsPage } from '../../server/catalogue/jobs.ts'
import type { SortKey } from '../../server/catalogue/listings.ts'
import type { OwnerRow } from '../../server/catalogue/owners.ts'
import { tokensOf } from '../../server/catalogue/tokens.ts'
import type { Catalogue } from '../../server/catalogue/transaction.ts'
import { fileName, packageName, versionName } from '../../server/names.ts'
import { rememberDownloads } from '../../server/registry/downloads.ts'
import { takeLease } from '../../server/registry/leases.ts'
import { listOwner, listPackage, showFiles, showLatest, showVersion } from '../../server/registry/lists.ts'
import type { RegistryParts } from '../../server/registry/parts.ts'
import { addFile } from '../../server/registry/publish.ts'
import { removeFileRow } from '../../server/registry/remove.ts'
import { findFiles, findPackages } from '../../server/registry/search.ts'
import type { Known } from './content.ts'

/** Something that the product does with its catalogue, once for each index. */
export interface Operation {
  name: string
  /** The one that it is compared with in a small catalogue, which has no such page. */
  like?: string
  run(index: number): Promise<unknown>
}

const page = 30
const nobody = { nameKey: null, emailKey: null }

/** Publishes come before the deletes that undo them, so that the catalogue stays as large as it was. */
export async function operationsOn(catalogue: Catalogue, known: Known): Promise<Operation[]> {
  const { read } = catalogue
  const { owner } = known
  const now = Date.now()
  const leaseId = randomBytes(10).toString('hex')
  await catalogue.transact(takeLease, { id: leaseId, now, holder: 'bench', predecessors: 'all', storageId: '' })

  const credential = { kind: 'token' as const, id: owner.tokenId, viaBasic: false }
  const claimAt = (packageKey: string) => ({
    ...{ userId: owner.id, credential, ownerId: owner.id, address: '127.0.0.1' },
    packageKey,
  })
  const publish = (name: string, version: string, file: string, index: number) =>
    catalogue.transact(addFile, {
      claim: claimAt(packageName(name).key),
      leaseId,
      location: `${leaseId}/0/${digits(file, index, 32)}`,
      scope: '',
      lostLocation: null,
      package: packageName(name),
      version: versionName(version),
      file: fileName(file),
      size: 1_000,
      digests: { sha256: digits(file, index, 64) },
      uploadId: digits(file, index, 36),
      isReserved: false,
      isExempt: false,
      now: Date.now(),
    })
  const remove = (packageKey: string, versionKey: string, fileKey: string) =>
    catalogue.transact(removeFileRow, { claim: claimAt(packageKey), versionKey, fileKey, now: Date.now() })
  const addressOf = (index: number) => known.addresses[index % known.addresses.length] as Known['addresses'][number]
  const find = (index: number, file?: string, tokenSha256?: string) => {
    const address = { owner: owner.key, ...addressOf(index), ...(file === undefined ? {} : { file }) }
    return findCallerAndAddress(read, tokenSha256 ? { ...nobody, tokenSha256 } : undefined, address)
  }

  const parts = { catalogue, wake: () => {} } as unknown as RegistryParts
  const place: OwnerRow = { id: owner.id, kind: 'user', name: owner.key, visibility: 'public', membership: 'none' }
  const leave = grantToShow(anonymous, place)
  const leaveFor = (key: string) => {
    const its = { key, visibility: 'inherit', named: 'none' } as const
    return packageToShow({ caller: anonymous, found: { owner: place, isFormerName: false, package: its } })
  }
  // Digests that nobody computes here are not waited for.
  const noPatience = AbortSignal.abort()
  const ofOwner = (offset: number) => () => listOwner(parts, leave, '', { offset, limit: page })
  const ofPackage = (offset: number) => () => listPackage(parts, leaveFor(known.largest.key), { offset, limit: page })

  const sorted = (by: SortKey) => ({ by, descending: by !== 'name' })
  const ofOwnerBy = (by: SortKey) => () => listOwner(parts, leave, '', { offset: 1_000, limit: page }, sorted(by))
  const everybody = grantToSearch(anonymous)
  const search = (text: string, by: SortKey, offset: number) => () =>
    findPackages(parts, everybody, text, { offset, limit: page }, sorted(by))
  const digests = { sha256: known.sha256 }

  const downloaded = await read
    .selectFrom('files')
    .innerJoin('versions', 'versions.id', 'files.version_id')
    .select(['files.id as fileId', 'version_id as versionId', 'package_id as packageId'])
    .limit(300)
    .execute()
  const day = Math.floor(now / 86_400_000)
  const counts = downloaded.map((file) => ({ ...file, day, downloads: 1 }))

  const lookups: Operation[] = [
    { name: 'download look-up: hit', run: (index) => find(index) },
    { name: 'download look-up: no such file', run: (index) => find(index, 'none') },
    { name: 'download look-up: hit, by token', run: (index) => find(index, undefined, owner.tokenSha256) },
  ]
  const publishes: Operation[] = [
    { name: 'publish: new package', run: (index) => publish(`new-${index}`, '1.0.0', 'first.zip', index) },
    { name: 'publish: new version', run: (index) => publish(known.largest.key, `new-${index}`, 'second.zip', index) },
    { name: 'publish: one more file', run: (index) => publish(known.largest.key, `new-${index}`, 'third.zip', index) },
  ]
  const counting: Operation = {
    name: 'downloads of 300 files, written down',
    run: () => catalogue.transact(rememberDownloads, { counts }),
  }
  const deletes: Operation[] = [
    { name: 'delete: one file of two', run: (index) => remove(known.largest.key, `new-${index}`, 'third.zip') },
    { name: 'delete: the last of a version', run: (index) => remove(known.largest.key, `new-${index}`, 'second.zip') },
    { name: 'delete: the last of a package', run: (index) => remove(`new-${index}`, '1.0.0', 'first.zip') },
  ]
  const lists: Operation[] = [
    { name: 'versions of an owner', run: ofOwner(0) },
    { name: 'versions of an owner, behind 1,000', like: 'versions of an owner', run: ofOwner(1_000) },
    { name: 'versions of an owner, behind 10,000', like: 'versions of an owner', run: ofOwner(10_000) },
    { name: 'versions of a package', run: ofPackage(0) },
    { name: 'versions of a package, behind 1,000', like: 'versions of a package', run: ofPackage(1_000) },
    { name: 'versions of a package, behind 10,000', like: 'versions of a package', run: ofPackage(10_000) },
    {
      name: 'a version',
      run: (index) => showVersion(parts, leaveFor(addressOf(index).package), addressOf(index).version),
    },
    { name: 'the latest version', run: (index) => showLatest(parts, leaveFor(addressOf(index).package)) },
    {
      name: 'files of a version',
      run: (index) => showFiles(parts, leaveFor(addressOf(index).package), addressOf(index).version, noPatience),
    },
    { name: 'tokens of a user', run: () => tokensOf(read, owner.id, { offset: 0, limit: page }) },
    { name: 'jobs', run: () => jobsPage(read, undefined, { offset: 0, limit: page }) },
    { name: 'jobs that wait', run: () => jobsPage(read, 'waiting', { offset: 0, limit: page }) },
    { name: 'jobs that were given up', run: () => jobsPage(read, 'given-up', { offset: 0, limit: page }) },
    { name: searches.common, run: () => listOwner(parts, leave, known.common, { offset: 0, limit: page }) },
    { name: searches.rare, run: () => listOwner(parts, leave, known.rare, { offset: 0, limit: page }) },
    { name: 'versions of an owner, by name', run: ofOwnerBy('name') },
    { name: 'versions of an owner, by version', run: ofOwnerBy('version') },
    { name: 'versions of an owner, by size', run: ofOwnerBy('size') },
    { name: 'versions of an owner, by downloads', run: ofOwnerBy('downloads') },
    { name: searches.everything, run: search('', 'created', 0) },
    { name: searches.bySize, run: search('', 'size', 0) },
    { name: searches.many, run: search('small', 'created', 0) },
    { name: searches.deep, like: searches.many, run: search('small', 'name', 10_000) },
    { name: searches.one, run: search(known.rare, 'created', 0) },
    { name: searches.beginning, run: search('sm', 'downloads', 0) },
    {
      name: searches.digest,
      run: () => findFiles(parts, everybody, { text: '', digests }, { offset: 0, limit: page }, sorted('created')),
    },
  ]
  return [...lookups, counting, ...publishes, ...deletes, ...lists]
}

/** These grow with the names that match, up to as many as are counted; the first two with those of the owner. */
export const searches = {
  common: 'search, many matches',
  rare: 'search, one match',
  everything: 'search everywhere: everything, newest first',
  bySize: 'search everywhere: everything, largest first',
  many: 'search everywhere: many matches',
  deep: 'search everywhere: many matches by name, behind 10,000',
  one: 'search everywhere: one match',
  beginning: 'search everywhere: by two letters',
  digest: 'search everywhere: by digest',
}

/** Text of hexadecimal digits that belongs to a name and a number, for what must be unlike anything else. */
function digits(of: string, index: number, length: number): string {
  return new Bun.CryptoHasher('sha512').update(`${of} ${index} ${process.pid}`).digest('hex').slice(0, length)
}
