import { audit } from '../access/audit.ts'
import { changesOf, type Told } from '../access/audit-changes.ts'
import { type AdminGrant, administer, callerNow, type Standing, standingOf } from '../access/grant.ts'
import { alone, lockByName } from '../catalogue/named-locks.ts'
import { type OwnerRow, ownerById } from '../catalogue/owners.ts'
import {
  type OwnQuota,
  ownQuota,
  ownQuotas,
  type QuotaNumbers,
  type SiteQuotas,
  setOwnQuota,
  setSiteQuotas,
  siteQuotas,
} from '../catalogue/quotas.ts'
import { transaction } from '../catalogue/transaction.ts'
import { Problem } from '../problems.ts'
import type { RegistryParts } from './parts.ts'
import { limitsFor } from './quota-rules.ts'

/** For those who may not import the catalogue. */
export type { OwnQuota, QuotaNumbers, SiteQuotas }

/** Numbers that are undefined stay as they are. */
export type QuotaChange = { [Name in keyof QuotaNumbers]?: QuotaNumbers[Name] | undefined }

interface Change {
  standing: Standing
  now: number
}

export const changeSiteQuotas = transaction(
  'change site quotas',
  async (tx, args: Change & { site: QuotaChange; owners: QuotaChange }): Promise<SiteQuotas> => {
    const { caller } = administer(await callerNow(tx, args.standing, args.now), 'write')
    await lockByName(tx, [alone('quota site')])
    const before = await siteQuotas(tx)
    const after = { site: changed(before.site, args.site), owners: changed(before.owners, args.owners) }
    await setSiteQuotas(tx, after)
    const details = changesOf(flat(before), flat(after), toldOfSite)
    if (details) await audit(tx, caller, args.now, { action: 'quota.changed', details })
    return after
  },
)

const toldOfSite: Told<ReturnType<typeof flat>> = {
  versions: ['versions', 'value'],
  bytes: ['bytes', 'value'],
  file_size: ['file_size', 'value'],
  owner_versions: ['owner_versions', 'value'],
  owner_bytes: ['owner_bytes', 'value'],
  owner_file_size: ['owner_file_size', 'value'],
}

function flat({ site, owners }: SiteQuotas) {
  return {
    ...site,
    owner_versions: owners.versions,
    owner_bytes: owners.bytes,
    owner_file_size: owners.file_size,
  }
}

export const changeOwnQuota = transaction(
  'change own quota',
  async (tx, args: Change & { ownerId: number; change: QuotaChange }): Promise<QuotaNumbers> => {
    const { ownerId, now } = args
    const { caller } = administer(await callerNow(tx, args.standing, now), 'write')
    await lockByName(tx, [alone(`quota ${ownerId}`)])
    const owner = await ownerById(tx, { id: ownerId, userId: caller.account.id })
    if (!owner) throw new Problem('not-found', 'Not found.')
    const before = await ownQuota(tx, ownerId)
    const after = changed(before, args.change)
    await setOwnQuota(tx, ownerId, after)
    const details = changesOf(before, after, toldOfOwner)
    if (details) await audit(tx, caller, now, { action: 'quota.changed', owner, details })
    return after
  },
)

const toldOfOwner: Told<QuotaNumbers> = {
  versions: ['versions', 'value'],
  bytes: ['bytes', 'value'],
  file_size: ['file_size', 'value'],
}

function changed(before: QuotaNumbers, change: QuotaChange): QuotaNumbers {
  const known = Object.entries(change).filter(([, number]) => number !== undefined)
  return { ...before, ...Object.fromEntries(known) }
}

/** What is set for the site, and for owners without numbers of their own. */
export async function showSiteQuotas({ catalogue }: RegistryParts, _: AdminGrant): Promise<SiteQuotas> {
  return siteQuotas(catalogue.read)
}

/** Answers with what is set from now on. Uploads that are under way are judged by it at their next step. */
export async function setQuotas(
  parts: RegistryParts,
  { caller }: AdminGrant,
  change: { site: QuotaChange; owners: QuotaChange },
): Promise<SiteQuotas> {
  return parts.catalogue.transact(changeSiteQuotas, { standing: standingOf(caller), ...change, now: parts.now() })
}

/** Owners with numbers of their own. */
export async function listOwnQuotas(
  parts: RegistryParts,
  _: AdminGrant,
  page: { offset: number; limit: number },
): Promise<{ quotas: OwnQuota[]; total: number }> {
  return ownQuotas(parts.catalogue.read, page)
}

/** An owner's own numbers, and what binds there. */
export interface ShownQuota {
  owner: string
  own: QuotaNumbers
  effective: QuotaNumbers
}

export async function showQuotaOf(parts: RegistryParts, _: AdminGrant, owner: OwnerRow): Promise<ShownQuota> {
  return shownQuota(parts, owner, await ownQuota(parts.catalogue.read, owner.id))
}

/** As `setQuotas`, for one owner. */
export async function setQuotaOf(
  parts: RegistryParts,
  { caller }: AdminGrant,
  owner: OwnerRow,
  change: QuotaChange,
): Promise<ShownQuota> {
  const args = { standing: standingOf(caller), ownerId: owner.id, change, now: parts.now() }
  return shownQuota(parts, owner, await parts.catalogue.transact(changeOwnQuota, args))
}

async function shownQuota(parts: RegistryParts, owner: OwnerRow, own: QuotaNumbers): Promise<ShownQuota> {
  return { owner: owner.name, own, effective: effectiveQuota(parts, await siteQuotas(parts.catalogue.read), own) }
}

/** What binds at an owner whoever is no administrator; null where nothing does. */
export function effectiveQuota({ limits }: RegistryParts, quotas: SiteQuotas, own: QuotaNumbers): QuotaNumbers {
  const { owner, fileSize } = limitsFor(quotas, own, false)
  return {
    versions: finite(owner.versions),
    bytes: finite(owner.bytes),
    file_size: finite(Math.min(fileSize, limits.maxFileSize)),
  }
}

function finite(number: number): number | null {
  return Number.isFinite(number) ? number : null
}
