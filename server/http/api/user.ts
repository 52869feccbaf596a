import { Hono } from 'hono'
import { signedIn } from '../../access/grant.ts'
import { Problem } from '../../problems.ts'
import type { HttpParts } from '../parts.ts'
import { json } from './answers.ts'
import type { ApiEnv } from './app.ts'
import { userShape } from './shapes.ts'

/** `GET /user`: who is calling. */
export function user(parts: HttpParts): Hono<ApiEnv> {
  return new Hono<ApiEnv>().get('/user', async (c) => {
    const caller = signedIn(await c.env.askCaller(), 'read:user')
    const row = await parts.accounts.byId(caller.account.id)
    if (!row) throw new Problem('credentials-wrong', 'Failed to authenticate user')
    return json(userShape(row, caller, parts.publicUrl()))
  })
}
