import { Hono } from 'hono'
import { z } from 'zod'
import { emailKey } from '../../access/accounts.ts'
import { administer } from '../../access/grant.ts'
import { maxPasswordLength, minPasswordLength } from '../../names.ts'
import type { HttpParts } from '../parts.ts'
import { json, jsonBody, text } from './answers.ts'
import type { ApiEnv } from './app.ts'
import { userShape } from './shapes.ts'

const newUser = z.object(
  {
    username: z.string('is missing'),
    password: z
      .string('is missing')
      .min(minPasswordLength, `must have at least ${minPasswordLength} characters`)
      .max(maxPasswordLength, `may have ${maxPasswordLength} characters at most`),
    email: text('must be an e-mail address')
      .refine((address) => address === '' || emailKey(address) !== undefined, 'must be an e-mail address')
      .nullish(),
    full_name: text('must be text').max(255, 'may have 255 characters at most').nullish(),
    visibility: z.enum(['public', 'limited', 'private', ''], 'must be public, limited or private').nullish(),
    restricted: z.boolean('must be true or false').nullish(),
    must_change_password: z.boolean('must be true or false').nullish(),
  },
  'The body must be a JSON object.',
)

/** `POST /admin/users`: administrators add people. */
export function adminUsers(parts: HttpParts): Hono<ApiEnv> {
  return new Hono<ApiEnv>().post('/admin/users', async (c) => {
    const grant = administer(await c.env.askCaller(), 'write')
    const wanted = await jsonBody(c.req.raw, newUser)
    const created = await parts.accounts.create(grant, {
      name: wanted.username,
      password: wanted.password,
      email: wanted.email || undefined,
      fullName: wanted.full_name ?? undefined,
      visibility: wanted.visibility || undefined,
      isRestricted: wanted.restricted ?? undefined,
      mustChangePassword: wanted.must_change_password ?? undefined,
    })
    parts.log.info({ 'user.name': created.name, 'admin.name': grant.caller.account.name }, `Added user ${created.name}`)
    return json(userShape(created, grant.caller, parts.publicUrl()), 201)
  })
}
