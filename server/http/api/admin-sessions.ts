import { Hono } from 'hono'
import { administer, mustBeInReach } from '../../access/grant.ts'
import { Problem } from '../../problems.ts'
import type { HttpParts } from '../parts.ts'
import type { ApiEnv } from './app.ts'
import { documented } from './documented.ts'

/** `DELETE /admin/users/{name}/sessions`: whose browsers must all sign in again. */
export function adminSessions(parts: HttpParts): Hono<ApiEnv> {
  return new Hono<ApiEnv>().delete(
    '/admin/users/:name/sessions',
    documented({
      tag: 'admin',
      id: 'deleteSessionsOf',
      summary: 'Sign somebody out everywhere',
      answers: { 204: { description: 'All browsers of this user must sign in again.' } },
    }),
    async (c) => {
      const grant = administer(await c.env.askCaller(), 'write')
      const user = await parts.accounts.byName(c.req.param('name'))
      if (!user) throw new Problem('not-found', 'Not found.')
      mustBeInReach(grant.caller, user)
      await parts.sessions.endAllOf(grant, user.id)
      const fields = { 'user.name': user.name, 'admin.name': grant.caller.account.name }
      parts.log.info(fields, `Ended the sessions of ${user.name}`)
      return new Response(null, { status: 204 })
    },
  )
}
