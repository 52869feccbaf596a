import { Hono } from 'hono'
import { Health } from '../../http/health.ts'
import type { HttpParts } from '../../http/parts.ts'
import { SharedRun } from '../../lib/shared-run.ts'
import { jobStates, listJobs, removeJob, retryJobNow } from '../../registry/jobs.ts'
import { viewSite } from '../../registry/overview.ts'
import { lastUsageCheck } from '../../registry/recount.ts'
import { type StorageView, sweepSoon, viewStorage } from '../../registry/storage.ts'
import { goTo, linksOf, type Render } from '../page.tsx'
import { type PageEnv, visitOf } from '../visit.ts'
import { JobList } from './jobs.tsx'
import { NameList } from './names.tsx'
import { OverviewPage } from './overview.tsx'
import { pageAsked } from './paging.ts'
import { quotaPages } from './quota-routes.tsx'
import { SettingsPage } from './settings.tsx'
import { StoragePage } from './storage.tsx'
import { userPages } from './user-routes.tsx'

/** Running the site. */
export function adminPages(parts: HttpParts, render: Render): Hono<PageEnv> {
  const links = linksOf(parts)
  const health = new Health(parts)
  // Adding up a million blobs takes a second or two: one at a time, for all who look.
  const views = new SharedRun<StorageView>()
  const at = (...more: string[]) => links().to('-', 'admin', ...more)

  return new Hono<PageEnv>()
    .get('/-/admin', async (c) => {
      const grant = visitOf(c).administers('read')
      const failing = await health.failing()
      // A disk that does not answer keeps nobody waiting.
      const disk = failing.includes('storage') ? undefined : await parts.registry.blobs.space().catch(() => undefined)
      const view = await viewSite(parts.registry, grant)
      const drift = (await lastUsageCheck(parts.registry, grant))?.corrected ?? 0
      const { startedAt } = parts
      return render(c, { title: 'Site' }, <OverviewPage {...{ view, failing, disk, startedAt, drift }} />)
    })
    .get('/-/admin/storage', async (c) => {
      const grant = visitOf(c).administers('read')
      const view = await views.ask(() => viewStorage(parts.registry, grant))
      return render(c, { title: 'Storage' }, <StoragePage view={view} />)
    })
    .post('/-/admin/storage/sweep', async (c) => {
      const grant = visitOf(c).administers('write')
      await sweepSoon(parts.registry, grant)
      parts.log.info({ 'admin.name': grant.caller.account.name }, 'A sweep was asked for')
      return goTo(`${at('storage')}#sweeps`, 'sweep-asked')
    })
    .get('/-/admin/jobs', async (c) => {
      const grant = visitOf(c).administers('read')
      const page = pageAsked(c.req.url)
      const state = jobStates.find((known) => known === c.req.query('state'))
      const { jobs, total } = await listJobs(parts.registry, grant, state, page)
      const paging = { ...page, total, shown: jobs.length }
      return render(c, { title: 'Jobs' }, <JobList jobs={jobs} state={state} paging={paging} />)
    })
    .post('/-/admin/jobs/:id/retry', async (c) => {
      const grant = visitOf(c).administers('write')
      const id = c.req.param('id')
      await retryJobNow(parts.registry, grant, id)
      parts.log.info({ 'job.id': id, 'admin.name': grant.caller.account.name }, `Job ${id} will be tried again`)
      return goTo(at('jobs'), 'job-retried')
    })
    .post('/-/admin/jobs/:id/delete', async (c) => {
      const grant = visitOf(c).administers('write')
      const id = c.req.param('id')
      await removeJob(parts.registry, grant, id)
      parts.log.info({ 'job.id': id, 'admin.name': grant.caller.account.name }, `Deleted job ${id}`)
      return goTo(at('jobs'), 'job-deleted')
    })
    .get('/-/admin/settings', (c) => {
      visitOf(c).administers('read')
      return render(c, { title: 'Settings' }, <SettingsPage settings={parts.settings} />)
    })
    .get('/-/admin/names', async (c) => {
      const grant = visitOf(c).administers('read')
      const page = pageAsked(c.req.url)
      const { names, total } = await parts.ownerNames.reserved(grant, page)
      const paging = { ...page, total, shown: names.length }
      return render(c, { title: 'Reserved names' }, <NameList names={names} paging={paging} />)
    })
    .post('/-/admin/names/:name/free', async (c) => {
      const grant = visitOf(c).administers('write')
      const name = c.req.param('name')
      await parts.ownerNames.free(grant, name)
      parts.log.info({ 'owner.name': name, 'admin.name': grant.caller.account.name }, `Freed the name ${name}`)
      return goTo(at('names'), 'name-freed')
    })
    .route('/', userPages(parts, render))
    .route('/', quotaPages(parts, render))
}
