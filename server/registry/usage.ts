import type { Grant } from '../access/grant.ts'
import { permission } from '../access/rules.ts'
import {
  type PackageUsage,
  type QuotaNumbers,
  standingOfOwner,
  type UsageOrder,
  usageOfPackages,
  usageOrders,
} from '../catalogue/quotas.ts'
import { seesEverything } from '../catalogue/sight.ts'
import { Problem } from '../problems.ts'
import { ownerNow } from './lists.ts'
import type { RegistryParts } from './parts.ts'
import { effectiveQuota } from './quotas.ts'

/** For those who may not import the catalogue. */
export { type PackageUsage, type UsageOrder, usageOrders }

/** What an owner's packages take; bytes of every file, also where equal ones are stored once. */
export interface OwnerUsage {
  owner: string
  versions: number
  packages: number
  files: number
  bytes: number
  /** What uploads have reserved that are under way, and what there may be; for those who may write there. */
  bounds: { reservedVersions: number; reservedBytes: number; quota: QuotaNumbers } | undefined
}

/** No upload and no version: nothing is left out. */
const nobodys = { packageKey: '', versionKey: '', uploadId: '' }

export async function showUsage(parts: RegistryParts, grant: Grant<'read'>): Promise<OwnerUsage> {
  const { read } = parts.catalogue
  const { owner, caller, sight } = grant
  const { versions, packages, files, bytes } = await ownerNow(parts, grant)
  const counts = { owner: owner.name, versions, packages, files, bytes }
  // Reserved is also what a token does not see that is for some packages only.
  if (permission(caller, owner) !== 'write' || !seesEverything(sight)) return { ...counts, bounds: undefined }
  const standing = await standingOfOwner(read, { ownerId: owner.id, ...nobodys })
  if (!standing) throw new Problem('not-found', 'Not found.')
  const { reservedVersions, reservedBytes } = standing.usage
  const quota = effectiveQuota(parts, standing.quotas, standing.own)
  return { ...counts, bounds: { reservedVersions, reservedBytes, quota } }
}

/** An owner's packages with what each takes, and how many there are. */
export async function listUsage(
  parts: RegistryParts,
  grant: Grant<'read'>,
  order: UsageOrder,
  page: { offset: number; limit: number },
): Promise<{ packages: PackageUsage[]; total: number }> {
  const { read } = parts.catalogue
  const { sight, packages: total } = await ownerNow(parts, grant)
  return { packages: await usageOfPackages(read, { ownerId: grant.owner.id, sight }, order, page), total }
}
