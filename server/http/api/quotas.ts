import { type Context, Hono } from 'hono'
import { z } from 'zod'
import { type AdminGrant, administer, ownerAt } from '../../access/grant.ts'
import { Problem } from '../../problems.ts'
import { addressKeys } from '../../registry/download.ts'
import { listOwnQuotas, setQuotaOf, setQuotas, showQuotaOf, showSiteQuotas } from '../../registry/quotas.ts'
import { lastUsageCheck, recountSoon } from '../../registry/recount.ts'
import type { HttpParts } from '../parts.ts'
import { bodyOf, json, jsonBody, jsonPage, pageOf, publicAddress } from './answers.ts'
import type { ApiEnv } from './app.ts'
import { documented } from './documented.ts'
import * as schemas from './schemas.ts'
import { ownQuotaShape, shownQuotaShape, usageCheckShape } from './shapes.ts'

const limit = z.int('must be a whole number, or null for none').min(0, 'may not be below 0').nullish()
const ownLimit = z.int('must be a whole number, or null for the default').min(-1, 'may not be below -1').nullish()

const limits = bodyOf({ versions: limit, bytes: limit, file_size: limit })
const changeOfQuotas = bodyOf({ site: limits.optional(), owners: limits.optional() })
const changeOfOwn = bodyOf({ versions: ownLimit, bytes: ownLimit, file_size: ownLimit })

/** `/admin/quotas`: how much there may be; `/admin/usage-check`: whether what is kept of it is right. */
export function quotas(parts: HttpParts): Hono<ApiEnv> {
  const ownerOf = async (c: Context<ApiEnv>, verb: 'read' | 'write') => {
    const address = { owner: c.req.param('owner') ?? '', package: '', version: '', file: '' }
    const resolved = await c.env.resolve(addressKeys(address))
    const grant = administer(resolved.caller, verb)
    const owner = ownerAt(resolved)
    if (!owner) throw new Problem('not-found', 'Not found.')
    return { grant, owner }
  }
  const log = ({ caller }: AdminGrant, what: string, owner?: string) =>
    parts.log.info(
      { 'admin.name': caller.account.name, ...(owner === undefined ? {} : { 'owner.name': owner }) },
      `${caller.account.name} ${what}`,
    )

  return new Hono<ApiEnv>()
    .get(
      '/admin/quotas',
      documented({
        tag: 'usage',
        id: 'getQuotas',
        summary: 'How much there may be',
        answers: { 200: { description: 'For all owners together, and for each.', schema: schemas.siteQuotas } },
      }),
      async (c) => {
        const grant = administer(await c.env.askCaller(), 'read')
        return json(await showSiteQuotas(parts.registry, grant))
      },
    )
    .patch(
      '/admin/quotas',
      documented({
        tag: 'usage',
        id: 'changeQuotas',
        summary: 'Change how much there may be',
        description:
          'A number that is not sent stays; null is no limit. Uploads that are under way are judged by it at their next step. ' +
          'Administrators of the site are bound by `site.file_size` alone.',
        body: changeOfQuotas,
        answers: { 200: { description: 'As they are now.', schema: schemas.siteQuotas } },
      }),
      async (c) => {
        const grant = administer(await c.env.askCaller(), 'write')
        const { site = {}, owners = {} } = await jsonBody(c.req.raw, changeOfQuotas)
        const now = await setQuotas(parts.registry, grant, { site, owners })
        log(grant, 'changed the quotas of the site')
        return json(now)
      },
    )
    .get(
      '/admin/quotas/owners',
      documented({
        tag: 'usage',
        id: 'listOwnQuotas',
        summary: 'Owners with quotas of their own',
        page: schemas.ownQuota,
      }),
      async (c) => {
        const grant = administer(await c.env.askCaller(), 'read')
        const page = pageOf(new URL(c.req.url))
        const { quotas, total } = await listOwnQuotas(parts.registry, grant, page)
        return jsonPage(quotas.map(ownQuotaShape), total, page, publicAddress(parts.publicUrl(), c.req.raw))
      },
    )
    .get(
      '/admin/quotas/owners/:owner',
      documented({
        tag: 'usage',
        id: 'getQuotaOfOwner',
        summary: 'How much an owner may have',
        answers: { 200: { description: 'Its own numbers, and those that bind.', schema: schemas.shownQuota } },
      }),
      async (c) => {
        const { grant, owner } = await ownerOf(c, 'read')
        return json(shownQuotaShape(await showQuotaOf(parts.registry, grant, owner)))
      },
    )
    .patch(
      '/admin/quotas/owners/:owner',
      documented({
        tag: 'usage',
        id: 'changeQuotaOfOwner',
        summary: 'Change how much an owner may have',
        description: 'A number that is not sent stays; null is the default of all owners, -1 is no limit.',
        body: changeOfOwn,
        answers: { 200: { description: 'As it is now.', schema: schemas.shownQuota } },
      }),
      async (c) => {
        const { grant, owner } = await ownerOf(c, 'write')
        const now = await setQuotaOf(parts.registry, grant, owner, await jsonBody(c.req.raw, changeOfOwn))
        log(grant, `changed the quota of ${owner.name}`, owner.name)
        return json(shownQuotaShape(now))
      },
    )
    .delete(
      '/admin/quotas/owners/:owner',
      documented({
        tag: 'usage',
        id: 'deleteQuotaOfOwner',
        summary: 'Let an owner have what all have',
        answers: { 204: { description: 'It has no numbers of its own any more.' } },
      }),
      async (c) => {
        const { grant, owner } = await ownerOf(c, 'write')
        await setQuotaOf(parts.registry, grant, owner, { versions: null, bytes: null, file_size: null })
        log(grant, `removed the quota of ${owner.name}`, owner.name)
        return new Response(null, { status: 204 })
      },
    )
    .get(
      '/admin/usage-check',
      documented({
        tag: 'usage',
        id: 'getUsageCheck',
        summary: 'Whether what is kept of usage is right',
        description: 'Once a day everything is counted, and what is kept corrected where it differs.',
        answers: { 200: { description: 'What the last one came to.', schema: schemas.usageCheck } },
      }),
      async (c) => {
        const grant = administer(await c.env.askCaller(), 'read')
        return json(usageCheckShape(await lastUsageCheck(parts.registry, grant)))
      },
    )
    .post(
      '/admin/usage-check',
      documented({
        tag: 'usage',
        id: 'askForUsageCheck',
        summary: 'Count everything now',
        answers: { 202: { description: 'It will be done: `last` tells.' } },
      }),
      async (c) => {
        const grant = administer(await c.env.askCaller(), 'write')
        await recountSoon(parts.registry, grant)
        log(grant, 'asked for a recount')
        return new Response(null, { status: 202 })
      },
    )
}
