import type { Context } from 'hono'
import type { SignedIn } from '../../access/caller.ts'
import type { Browser, Visitor } from '../../access/sessions.ts'
import { Problem } from '../../problems.ts'
import { json } from '../api/answers.ts'
import { userShape } from '../api/shapes.ts'
import type { HttpParts } from '../parts.ts'
import type { SignInEnv } from './app.ts'
import { setCookie } from './cookie.ts'

/** The visitor, who must have signed in. */
export function signedInHere(visitor: Visitor | undefined): Visitor {
  if (!visitor) throw new Problem('credentials-missing', 'Sign in first.')
  return visitor
}

/** The account of who has signed in, and whether it needs a new password before anything else. */
export function visitorShape({ user, ...caller }: Visitor, parts: HttpParts) {
  return {
    ...userShape(user, caller, parts.publicUrl()),
    must_change_password: caller.account.mustChangePassword,
  }
}

export function noContent(headers: Record<string, string> = {}): Response {
  return new Response(null, { status: 204, headers: { 'Cache-Control': 'no-store', ...headers } })
}

/** Signs this browser in; `cookie` is the `Set-Cookie` of the answer. */
export async function beginSession(
  parts: HttpParts,
  browser: Browser,
  caller: SignedIn,
): Promise<{ user: Visitor['user']; cookie: string }> {
  const { secret, user } = await parts.sessions.start(caller, browser)
  parts.log.info({ 'user.name': user.name }, `${user.name} signed in with a browser`)
  return { user, cookie: setCookie(secret, parts.cookie) }
}

/** The answer to who has just shown that he may sign in. */
export async function welcomeIn(
  parts: HttpParts,
  c: Context<SignInEnv>,
  caller: SignedIn,
  status: 200 | 201,
): Promise<Response> {
  const { user, cookie } = await beginSession(parts, c.env.browser(), caller)
  return json(visitorShape({ ...caller, user }, parts), status, { 'Set-Cookie': cookie })
}
