import { type Context, Hono } from 'hono'
import { organisationGrant } from '../../access/organisations.ts'
import type { HttpParts } from '../../http/parts.ts'
import { knowsOfOwner, ownerNow } from '../../registry/lists.ts'
import { findPackages, inTurn } from '../../registry/search.ts'
import { ownerStanding } from '../components/places.tsx'
import { pagingOf, shownOf, sortingOf } from '../lists.ts'
import type { Render } from '../page.tsx'
import { type PageEnv, visitOf } from '../visit.ts'
import { OwnerPage } from './owner-page.tsx'

/** `/{owner}`: who that is, and the packages there. */
export function ownerPages(parts: HttpParts, render: Render): Hono<PageEnv> {
  const show = async (c: Context<PageEnv, '/:owner'>) => {
    const visit = visitOf(c)
    const grant = await visit.mayRead(c.req.param('owner'))
    const query = (c.req.query('q') ?? '').trim()
    const page = shownOf(c)
    const sorting = sortingOf(c)
    const { owner, packages, versions } = await ownerNow(parts.registry, grant)
    const results = await inTurn(parts.registry, c.req.raw.signal, () =>
      findPackages(parts.registry, grant, query, page, sorting),
    )
    const standing = ownerStanding(visit.caller, grant.owner)
    return render(
      c,
      { title: owner.name },
      <OwnerPage
        owner={owner}
        standing={standing}
        counts={{ packages, versions }}
        isNameAlone={!knowsOfOwner(grant)}
        members={
          standing.isInside && owner.kind === 'organisation' ? await countMembers(visit.caller, grant) : undefined
        }
        list={{ query, sorting, sent: { sort: c.req.query('sort'), order: c.req.query('order') } }}
        packages={results.found}
        paging={pagingOf(results, page)}
      />,
    )
  }

  const countMembers = async (
    caller: Parameters<typeof ownerStanding>[0],
    { owner }: { owner: Parameters<typeof ownerStanding>[1] },
  ) => {
    const leave = organisationGrant('reader', 'read', caller, owner)
    return (await parts.organisations.members(leave, { offset: 0, limit: 1 })).total
  }

  return new Hono<PageEnv>().get('/:owner', show).get('/:owner/-/packages', show)
}
