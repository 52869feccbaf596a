import { Hono } from 'hono'
import { administer, mustBeInReach } from '../../access/grant.ts'
import { longestReset } from '../../access/password-resets.ts'
import { Problem } from '../../problems.ts'
import type { HttpParts } from '../parts.ts'
import { bodyOf, json, jsonBody } from './answers.ts'
import type { ApiEnv } from './app.ts'
import { documented } from './documented.ts'
import { lasting } from './invitations.ts'
import { passwordReset } from './schemas.ts'
import { resetShape } from './shapes.ts'

const newReset = bodyOf({ expires_in: lasting(longestReset) }).meta({ id: 'CreatePasswordResetOption' })

/** `POST /admin/users/{name}/password-reset`: a link by which a user sets himself a new password. */
export function passwordResets(parts: HttpParts): Hono<ApiEnv> {
  return new Hono<ApiEnv>().post(
    '/admin/users/:name/password-reset',
    documented({
      tag: 'admin',
      id: 'createPasswordReset',
      summary: 'Make a link by which somebody sets himself a new password',
      body: newReset,
      answers: { 201: { description: 'The link.', schema: passwordReset } },
    }),
    async (c) => {
      const grant = administer(await c.env.askCaller(), 'write')
      const user = await parts.accounts.byName(c.req.param('name'))
      if (!user) throw new Problem('not-found', 'Not found.')
      mustBeInReach(grant.caller, user)
      const { expires_in } = await jsonBody(c.req.raw, newReset)
      const { link, url } = await parts.passwordResets.create(grant, user.id, expires_in ?? undefined)
      parts.log.info(
        { 'link.id': link.id, 'user.name': user.name, 'admin.name': grant.caller.account.name },
        `Made a link to set a new password for ${user.name}`,
      )
      return json({ ...resetShape(link), url }, 201)
    },
  )
}
