import { Hono } from 'hono'
import { z } from 'zod'
import { bodyOf, json, jsonBody, newPassword } from '../api/answers.ts'
import { linkCode } from '../api/invitations.ts'
import { emailAddress } from '../api/profile-fields.ts'
import { userShape } from '../api/shapes.ts'
import type { HttpParts } from '../parts.ts'
import type { SignInEnv } from './app.ts'

const newcomer = bodyOf({
  code: linkCode,
  username: z.string('is missing'),
  password: newPassword,
  email: emailAddress,
})

/** `POST /user/invitation`: whoever has the link's code makes himself an account. */
export function invitation(parts: HttpParts): Hono<SignInEnv> {
  return new Hono<SignInEnv>().post('/invitation', async (c) => {
    const { code, username, password, email } = await jsonBody(c.req.raw, newcomer)
    const wanted = { name: username, password, email: email || undefined }
    const { caller, user, link } = await parts.invitations.accept(code, wanted, c.env.browser().address)
    parts.log.info({ 'link.id': link.id, 'user.name': user.name }, `${user.name} joined by invitation ${link.id}`)
    return json(userShape(user, caller, parts.publicUrl()), 201)
  })
}
