import { type Context, Hono } from 'hono'
import { ownerAt } from '../../access/grant.ts'
import type { HttpParts } from '../../http/parts.ts'
import { Problem } from '../../problems.ts'
import { countSite } from '../../registry/overview.ts'
import {
  listOwnQuotas,
  type QuotaChange,
  setQuotaOf,
  setQuotas,
  showQuotaOf,
  showSiteQuotas,
} from '../../registry/quotas.ts'
import { lastUsageCheck, recountSoon } from '../../registry/recount.ts'
import { showUsage } from '../../registry/usage.ts'
import { type Faults, Form } from '../forms.ts'
import { goTo, linksOf, type Render } from '../page.tsx'
import { type PageEnv, visitOf } from '../visit.ts'
import { limitFrom } from './limits.ts'
import { pageAsked } from './paging.ts'
import { OwnerQuotaPage, QuotaPage, type QuotaPageProps, quotaFields } from './quotas.tsx'

/** How much there may be. */
export function quotaPages(parts: HttpParts, render: Render): Hono<PageEnv> {
  const links = linksOf(parts)
  const at = (...more: string[]) => links().to('-', 'admin', ...more)
  const log = (admin: string, what: string, owner?: string) =>
    parts.log.info({ 'admin.name': admin, ...(owner === undefined ? {} : { 'owner.name': owner }) }, `${admin} ${what}`)

  const site = async (c: Context<PageEnv>, more: Pick<QuotaPageProps, 'sent' | 'wanted'> = {}) => {
    const grant = visitOf(c).administers('read')
    const page = pageAsked(c.req.url)
    const { quotas: owners, total } = await listOwnQuotas(parts.registry, grant, page)
    const props = {
      quotas: await showSiteQuotas(parts.registry, grant),
      counts: await countSite(parts.registry, grant),
      owners,
      paging: { ...page, total, shown: owners.length },
      check: await lastUsageCheck(parts.registry, grant),
    }
    const status = more.sent?.faults.status ?? (more.wanted === undefined ? 200 : 404)
    return render(c, { title: 'Quotas', status }, <QuotaPage {...props} {...more} />)
  }
  const ownerOf = async (c: Context<PageEnv>, name: string) =>
    ownerAt(await visitOf(c).resolve({ owner: name, package: '', version: '', file: '' }))
  const quotaOf = async (c: Context<PageEnv>, sent?: { typed: Form; faults: Faults }) => {
    const visit = visitOf(c)
    const grant = visit.administers('read')
    const name = c.req.param('owner') ?? ''
    const owner = await ownerOf(c, name)
    if (!owner) throw new Problem('not-found', 'Not found.')
    const props = {
      shown: await showQuotaOf(parts.registry, grant, owner),
      usage: await showUsage(parts.registry, await visit.mayRead(owner.name)),
      all: (await showSiteQuotas(parts.registry, grant)).owners,
      ...(sent ? { sent } : {}),
    }
    const status = sent?.faults.status ?? 200
    return render(c, { title: `Quota of ${owner.name}`, status }, <OwnerQuotaPage {...props} />)
  }

  return new Hono<PageEnv>()
    .get('/-/admin/quotas', async (c) => {
      const wanted = c.req.query('owner')?.trim()
      if (!wanted) return site(c)
      visitOf(c).administers('read')
      const owner = await ownerOf(c, wanted)
      return owner ? goTo(at('quotas', owner.name)) : site(c, { wanted })
    })
    .post('/-/admin/quotas', async (c) => {
      const grant = visitOf(c).administers('write')
      const typed = await Form.of(c.req.raw)
      const ofSite = changeFrom(typed, 'site_', false)
      const ofOwners = changeFrom(typed, 'owners_', false)
      const fields = { ...ofSite.fields, ...ofOwners.fields }
      if (Object.keys(fields).length > 0) return site(c, { sent: { typed, faults: { status: 422, fields } } })
      await setQuotas(parts.registry, grant, { site: ofSite.change, owners: ofOwners.change })
      log(grant.caller.account.name, 'changed the quotas of the site')
      return goTo(at('quotas'), 'quotas-changed')
    })
    .post('/-/admin/recount', async (c) => {
      const grant = visitOf(c).administers('write')
      await recountSoon(parts.registry, grant)
      log(grant.caller.account.name, 'asked for a recount')
      return goTo(`${at('quotas')}#recount`, 'recount-asked')
    })
    .get('/-/admin/quotas/:owner', (c) => quotaOf(c))
    .post('/-/admin/quotas/:owner', async (c) => {
      const grant = visitOf(c).administers('write')
      const owner = await ownerOf(c, c.req.param('owner'))
      if (!owner) throw new Problem('not-found', 'Not found.')
      const typed = await Form.of(c.req.raw)
      const { change, fields } = changeFrom(typed, '', true)
      if (Object.keys(fields).length > 0) return quotaOf(c, { typed, faults: { status: 422, fields } })
      await setQuotaOf(parts.registry, grant, owner, change)
      log(grant.caller.account.name, `changed the quota of ${owner.name}`, owner.name)
      return goTo(at('quotas', owner.name), 'quotas-changed')
    })
    .post('/-/admin/quotas/:owner/remove', async (c) => {
      const grant = visitOf(c).administers('write')
      const owner = await ownerOf(c, c.req.param('owner'))
      if (!owner) throw new Problem('not-found', 'Not found.')
      await setQuotaOf(parts.registry, grant, owner, { versions: null, bytes: null, file_size: null })
      log(grant.caller.account.name, `removed the quota of ${owner.name}`, owner.name)
      return goTo(at('quotas', owner.name), 'quota-removed')
    })
}

/** The numbers that were typed, and what to say about those that are none. A field that was not sent stays as it is. */
function changeFrom(typed: Form, prefix: string, isOwn: boolean) {
  const change: QuotaChange = {}
  const fields: Record<string, string> = {}
  for (const { name, of } of quotaFields) {
    if (!typed.has(prefix + name)) continue
    const read = limitFrom(typed.text(prefix + name), { of, isOwn })
    if ('fault' in read) fields[prefix + name] = read.fault
    else change[name] = read.limit
  }
  return { change, fields }
}
