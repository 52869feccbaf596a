import { Hono } from 'hono'
import { z } from 'zod'
import { emailKey } from '../../access/accounts.ts'
import { bodyOf, jsonBody, newPassword, text } from '../api/answers.ts'
import type { HttpParts } from '../parts.ts'
import type { SignInEnv } from './app.ts'
import { welcomeIn } from './visitors.ts'

const newAccount = bodyOf({
  username: z.string('is missing'),
  email: text('is missing').refine((address) => emailKey(address) !== undefined, 'must be an e-mail address'),
  password: newPassword,
})

/** `POST /user/sign-up`: somebody makes himself an account, where the site lets strangers do so. */
export function signUp(parts: HttpParts): Hono<SignInEnv> {
  return new Hono<SignInEnv>().post('/sign-up', async (c) => {
    parts.signUp.mustBeOpen()
    const { username, email, password } = await jsonBody(c.req.raw, newAccount)
    const caller = await parts.signUp.signUp({ name: username, email, password }, c.env.browser().address)
    parts.log.info({ 'user.name': caller.account.name }, `${caller.account.name} signed up`)
    return welcomeIn(parts, c, caller, 201)
  })
}
