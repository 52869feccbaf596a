import { maySee, ownerAt } from '../../access/grant.ts'
import { type OrganisationGrant, organisationGrant } from '../../access/organisations.ts'
import type { Rank, Verb } from '../../access/rules.ts'
import { Problem } from '../../problems.ts'
import type { Visit } from '../visit.ts'

/** Leave to do at the organisation of the address what takes that rank. A user has no such pages. */
export async function organisationAt<R extends Rank>(
  visit: Visit,
  rank: R,
  verb: Verb,
  name: string,
): Promise<OrganisationGrant<R>> {
  const resolved = await visit.resolve({ owner: name, package: '', version: '', file: '' })
  const owner = ownerAt(resolved)
  if (owner?.kind === 'user' && maySee(resolved.caller, owner)) throw new Problem('not-found', 'Not found.')
  return organisationGrant(rank, verb, resolved.caller, owner)
}
