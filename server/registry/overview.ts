import type { AdminGrant } from '../access/grant.ts'
import { holdReason } from '../catalogue/doomed.ts'
import { countsOfSite, type SiteCounts, type SiteQuotas, siteQuotas } from '../catalogue/quotas.ts'
import { type Figures, siteFigures } from './figures.ts'
import type { RegistryParts } from './parts.ts'

/** For those who may not import the catalogue. */
export type { SiteCounts }

/** What whoever runs the site wants to see first. */
export interface Overview extends Figures {
  counts: SiteCounts
  quotas: SiteQuotas
  /** Why nothing that was published is removed now. */
  hold: string | undefined
}

export async function viewSite(parts: RegistryParts, _: AdminGrant): Promise<Overview> {
  const { read } = parts.catalogue
  return {
    ...(await siteFigures(parts)),
    counts: await countsOfSite(read),
    quotas: await siteQuotas(read),
    hold: await holdReason(read),
  }
}

/** What all owners have together. */
export function countSite({ catalogue }: RegistryParts, _: AdminGrant): Promise<SiteCounts> {
  return countsOfSite(catalogue.read)
}
