import type { PropsWithChildren } from 'hono/jsx'
import type { OrganisationGrant } from '../../access/organisations.ts'
import type { Profile } from '../../registry/lists.ts'
import { OwnerHead, type OwnerPlace, ownerStanding } from '../components/places.tsx'

/** An organisation's own pages: its name, what belongs to it, and the page itself. */
export function OrganisationPage(
  props: PropsWithChildren<{ grant: OrganisationGrant; profile: Profile; here: OwnerPlace }>,
) {
  const { grant, profile, here, children } = props
  return (
    <>
      <OwnerHead owner={profile} {...ownerStanding(grant.caller, grant.organisation)} here={here} />
      {children}
    </>
  )
}

/** What stands above a list: what it is of, how many there are, and what one can do. */
export function ListHead(props: PropsWithChildren<{ title: string; hint?: string }>) {
  const { title, hint, children } = props
  return (
    <div class="flex flex-wrap items-start justify-between gap-x-6 gap-y-3 mb-4">
      <div class="min-w-0">
        <h2>{title}</h2>
        {hint && <p class="quiet prose-width">{hint}</p>}
      </div>
      {children}
    </div>
  )
}
