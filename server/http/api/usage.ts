import { type Context, Hono } from 'hono'
import { z } from 'zod'
import { grantToShow, ownerAt } from '../../access/grant.ts'
import { Problem } from '../../problems.ts'
import { addressKeys } from '../../registry/download.ts'
import { listUsage, showUsage, type UsageOrder, usageOrders } from '../../registry/usage.ts'
import type { HttpParts } from '../parts.ts'
import { json, jsonPage, pageOf, publicAddress } from './answers.ts'
import type { ApiEnv } from './app.ts'
import { documented } from './documented.ts'
import * as schemas from './schemas.ts'
import { packageUsageShape, usageShape } from './shapes.ts'

/** `/usage/{owner}`: what its packages take, for everybody who may read them. */
export function usage(parts: HttpParts): Hono<ApiEnv> {
  const grantFor = async (c: Context<ApiEnv>) => {
    const address = { owner: c.req.param('owner') ?? '', package: '', version: '', file: '' }
    const resolved = await c.env.resolve(addressKeys(address))
    return grantToShow(resolved.caller, ownerAt(resolved))
  }

  return new Hono<ApiEnv>()
    .get(
      '/usage/:owner',
      documented({
        tag: 'usage',
        id: 'getUsage',
        summary: 'What an owner has',
        callers: 'anybody',
        scope: 'package',
        description:
          'Whoever may not write there is told neither what is reserved for uploads that are under way nor the quota: both are null.',
        answers: { 200: { description: 'As it is kept.', schema: schemas.usage } },
      }),
      async (c) => json(usageShape(await showUsage(parts.registry, await grantFor(c)))),
    )
    .get(
      '/usage/:owner/packages',
      documented({
        tag: 'usage',
        id: 'listUsage',
        summary: 'What each package of an owner has',
        callers: 'anybody',
        scope: 'package',
        query: { sort: { description: 'The largest first, or by name.', schema: z.enum(usageOrders).default('size') } },
        page: schemas.packageUsage,
      }),
      async (c) => {
        const grant = await grantFor(c)
        const page = pageOf(new URL(c.req.url))
        const { packages, total } = await listUsage(parts.registry, grant, orderFrom(c.req.query('sort')), page)
        return jsonPage(packages.map(packageUsageShape), total, page, publicAddress(parts.publicUrl(), c.req.raw))
      },
    )
}

function orderFrom(text: string | undefined): UsageOrder {
  if (!text) return 'size'
  const order = usageOrders.find((known) => known === text)
  if (!order) throw new Problem('unprocessable', `sort: must be ${usageOrders.join(' or ')}, or not be there`)
  return order
}
