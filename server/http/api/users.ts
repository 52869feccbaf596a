import { Hono } from 'hono'
import { ownerToShow } from '../../access/grant.ts'
import { addressKeys } from '../../registry/download.ts'
import { showOwner } from '../../registry/lists.ts'
import type { HttpParts } from '../parts.ts'
import { json } from './answers.ts'
import type { ApiEnv } from './app.ts'
import { documented } from './documented.ts'
import { user as userSchema } from './schemas.ts'
import { userShape } from './shapes.ts'

/** `GET /users/{name}`: a user, or an organisation as if it were one, as lists of packages show their owner. */
export function users(parts: HttpParts): Hono<ApiEnv> {
  return new Hono<ApiEnv>().get(
    '/users/:name',
    documented({
      tag: 'users',
      id: 'getUser',
      summary: 'A user',
      callers: 'anybody',
      answers: { 200: { description: 'The user; or an organisation as if it were one.', schema: userSchema } },
    }),
    async (c) => {
      const owner = c.req.param('name')
      const resolved = await c.env.resolve(addressKeys({ owner, package: '', version: '', file: '' }))
      const shown = await showOwner(parts.registry, ownerToShow(resolved, 'read:user'))
      return json(userShape(shown, resolved.caller, parts.publicUrl()))
    },
  )
}
