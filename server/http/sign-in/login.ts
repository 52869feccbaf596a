import { Hono } from 'hono'
import { bodyOf, jsonBody, text } from '../api/answers.ts'
import type { HttpParts } from '../parts.ts'
import type { SignInEnv } from './app.ts'
import { setCookie } from './cookie.ts'
import { noContent, welcomeIn } from './visitors.ts'

/** Longer ones are nobody's. */
const longest = 1024

const credentials = bodyOf({
  user: text('is missing: a user name or an e-mail address').min(1, 'is missing').max(longest, 'is too long'),
  password: text('is missing').min(1, 'is missing').max(longest, 'is too long'),
  code: text('must be text').max(longest, 'is too long').nullish(),
})

/** `/user/login`, `/user/logout`. */
export function login(parts: HttpParts): Hono<SignInEnv> {
  return new Hono<SignInEnv>()
    .post('/login', async (c) => {
      const { user, password, code } = await jsonBody(c.req.raw, credentials)
      const sent = { kind: 'password', user, password, code: code?.trim() || undefined } as const
      const { address } = c.env.browser()
      const caller = await parts.refusedSignIns.watch(address, parts.access.signIn(sent, address))
      return welcomeIn(parts, c, caller, 200)
    })
    .post('/logout', async (c) => {
      await parts.sessions.signOut(c.env.browser())
      return noContent({ 'Set-Cookie': setCookie(undefined, parts.cookie) })
    })
}
