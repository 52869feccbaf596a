import { Hono } from 'hono'
import { z } from 'zod'
import { administer } from '../../access/grant.ts'
import { Problem } from '../../problems.ts'
import { type JobState, jobStates, listJobs, removeJob, retryJobNow } from '../../registry/jobs.ts'
import type { HttpParts } from '../parts.ts'
import { jsonPage, pageOf, publicAddress } from './answers.ts'
import type { ApiEnv } from './app.ts'
import { documented } from './documented.ts'
import { job } from './schemas.ts'
import { jobShape } from './shapes.ts'

/** `/admin/jobs`: administrators see the work that no request waits for, and decide about what was given up. */
export function adminJobs(parts: HttpParts): Hono<ApiEnv> {
  return new Hono<ApiEnv>()
    .get(
      '/admin/jobs',
      documented({
        tag: 'admin',
        id: 'listJobs',
        summary: 'Work that no request waits for',
        query: { state: { description: 'Only those in this state.', schema: z.enum(jobStates) } },
        page: job,
      }),
      async (c) => {
        const grant = administer(await c.env.askCaller(), 'read')
        const page = pageOf(new URL(c.req.url))
        const { jobs, total } = await listJobs(parts.registry, grant, stateFrom(c.req.query('state')), page)
        return jsonPage(jobs.map(jobShape), total, page, publicAddress(parts.publicUrl(), c.req.raw))
      },
    )
    .post(
      '/admin/jobs/:id/retry',
      documented({
        tag: 'admin',
        id: 'retryJob',
        summary: 'Try a job again at once',
        answers: { 204: { description: 'It is due now.' } },
      }),
      async (c) => {
        const grant = administer(await c.env.askCaller(), 'write')
        const id = c.req.param('id')
        await retryJobNow(parts.registry, grant, id)
        parts.log.info({ 'job.id': id, 'admin.name': grant.caller.account.name }, `Job ${id} will be tried again`)
        return new Response(null, { status: 204 })
      },
    )
    .delete(
      '/admin/jobs/:id',
      documented({
        tag: 'admin',
        id: 'deleteJob',
        summary: 'Forget a job that was given up',
        answers: { 204: { description: 'It is gone.' } },
      }),
      async (c) => {
        const grant = administer(await c.env.askCaller(), 'write')
        const id = c.req.param('id')
        await removeJob(parts.registry, grant, id)
        parts.log.info({ 'job.id': id, 'admin.name': grant.caller.account.name }, `Deleted job ${id}`)
        return new Response(null, { status: 204 })
      },
    )
}

function stateFrom(text: string | undefined): JobState | undefined {
  if (!text) return undefined
  const state = jobStates.find((known) => known === text)
  if (!state) throw new Problem('unprocessable', `state: must be ${jobStates.join(', ')}, or not be there`)
  return state
}
