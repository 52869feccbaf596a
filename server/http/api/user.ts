import { Hono } from 'hono'
import { z } from 'zod'
import { byPassword, signedIn } from '../../access/grant.ts'
import { Problem } from '../../problems.ts'
import type { HttpParts } from '../parts.ts'
import { bodyOf, json, jsonBody, newPassword } from './answers.ts'
import type { ApiEnv } from './app.ts'
import { documented } from './documented.ts'
import { user as userSchema } from './schemas.ts'
import { userShape } from './shapes.ts'

export const changeOfPassword = bodyOf({ old_password: z.string('is missing'), new_password: newPassword })
  .refine(({ old_password, new_password }) => old_password !== new_password, {
    path: ['new_password'],
    error: 'must be another one than the old one',
  })
  .meta({ id: 'ChangePasswordOption' })

/** `/user`: who is calling, and his password. */
export function user(parts: HttpParts): Hono<ApiEnv> {
  return new Hono<ApiEnv>()
    .get(
      '/user',
      documented({
        tag: 'account',
        id: 'getCurrentUser',
        summary: 'Who is calling',
        answers: { 200: { description: 'The caller.', schema: userSchema } },
      }),
      async (c) => {
        const caller = signedIn(await c.env.askCaller(), 'read:user')
        const row = await parts.accounts.byId(caller.account.id)
        if (!row) throw new Problem('credentials-wrong', 'Failed to authenticate user')
        return json(userShape(row, caller, parts.publicUrl()))
      },
    )
    .post(
      '/user/password',
      documented({
        tag: 'account',
        id: 'changePassword',
        summary: 'Set oneself a new password',
        description: 'The one route that is open to an account that must change its password.',
        callers: 'password',
        scope: null,
        body: changeOfPassword,
        answers: {
          204: {
            description: 'The new password counts from now on; tokens and sessions that the old one made are gone.',
          },
        },
      }),
      async (c) => {
        const caller = byPassword(await c.env.askAnyCaller())
        const { old_password, new_password } = await jsonBody(c.req.raw, changeOfPassword)
        if (!(await c.env.isPasswordOf(caller, old_password))) {
          throw new Problem('forbidden', 'The old password is not right.')
        }
        await parts.ownAccount.changePassword(caller, new_password)
        parts.log.info({ 'user.name': caller.account.name }, `${caller.account.name} has a new password`)
        return new Response(null, { status: 204 })
      },
    )
}
