import { Hono } from 'hono'
import type { HttpParts } from '../../http/parts.ts'
import { showOwnerOf } from '../../registry/lists.ts'
import { listUsage, showUsage, usageOrders } from '../../registry/usage.ts'
import { pageIn } from '../audit/routes.tsx'
import type { Render } from '../page.tsx'
import { type PageEnv, visitOf } from '../visit.ts'
import { UsagePage } from './usage.tsx'

const perPage = 30

/** What an owner has, for everybody who may read there; what it may have, for those who may write. */
export function usageRoutes(parts: HttpParts, render: Render): Hono<PageEnv> {
  const { registry } = parts
  return new Hono<PageEnv>().get('/:owner/-/usage', async (c) => {
    const grant = await visitOf(c).mayRead(c.req.param('owner'))
    const order = usageOrders.find((known) => known === c.req.query('sort')) ?? 'size'
    const page = pageIn(new URL(c.req.url).searchParams)
    const window = { offset: (page - 1) * perPage, limit: perPage }
    const { packages, total } = await listUsage(registry, grant, order, window)
    return render(
      c,
      { title: `Usage · ${grant.owner.name}` },
      <UsagePage
        grant={grant}
        profile={await showOwnerOf(registry, grant)}
        usage={await showUsage(registry, grant)}
        packages={packages}
        order={order}
        paging={{ page, limit: perPage, total, shown: packages.length }}
      />,
    )
  })
}
