import { Hono } from 'hono'
import { emailKey } from '../../access/accounts.ts'
import { bodyOf, json, jsonBody, newPassword, text } from '../api/answers.ts'
import { linkCode } from '../api/invitations.ts'
import type { HttpParts } from '../parts.ts'
import type { SignInEnv } from './app.ts'
import { noContent } from './visitors.ts'

const reset = bodyOf({ code: linkCode, password: newPassword })
const forgotten = bodyOf({
  email: text('is missing').refine((address) => emailKey(address) !== undefined, 'must be an e-mail address'),
})

/** `POST /user/password-reset`: a new password by a link's code. `/user/forgot-password`: the link, by mail. */
export function passwordReset(parts: HttpParts): Hono<SignInEnv> {
  return new Hono<SignInEnv>()
    .post('/password-reset', async (c) => {
      const { code, password } = await jsonBody(c.req.raw, reset)
      const { name } = await parts.passwordResets.use(code, password, c.env.browser().address)
      parts.log.info({ 'user.name': name }, `${name} has a new password, by a link`)
      return noContent()
    })
    .post('/forgot-password', async (c) => {
      parts.passwordResets.mustSendMail()
      const { email } = await jsonBody(c.req.raw, forgotten)
      await parts.passwordResets.forgot(email, c.env.browser().address)
      return json({ message: 'If an account has this address, a mail with a link is on its way.' }, 202)
    })
}
