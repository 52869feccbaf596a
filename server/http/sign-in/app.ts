import { Hono } from 'hono'
import { Problem } from '../../problems.ts'
import { lengthOf } from '../api/answers.ts'
import { noHandler } from '../api/app.ts'
import type { Calling } from '../callers.ts'
import { logFailure } from '../failures.ts'
import type { HttpParts } from '../parts.ts'
import { tell } from '../problem-response.ts'
import { sentBy } from '../same-origin.ts'
import { invitation } from './invitation.ts'
import { login } from './login.ts'
import { passkeyOptions } from './passkey-options.ts'
import { password } from './password.ts'
import { passwordReset } from './password-reset.ts'
import { sessions } from './sessions.ts'
import { signUp } from './sign-up.ts'

/** What a handler of `/user` finds in its context. */
export interface SignInEnv {
  Bindings: Calling
}

/** `/user`: what pages ask for a person with a browser, by the session's cookie. Every change comes from a page of ours. */
export function signInApp(parts: HttpParts) {
  const app = signInRoutes(parts)
  const answer = (request: Request, calling: Calling): Response | Promise<Response> => {
    const refusal = foreign(parts, request)
    if (!refusal) return app.fetch(request, calling)
    const path = new URL(request.url).pathname
    const isKnown = app.router.match(request.method, path)[0].length > 0
    return signInFailed(parts, request, isKnown ? refusal : noHandler(app, path))
  }
  return { fetch: answer, router: app.router }
}

export function signInRoutes(parts: HttpParts): Hono<SignInEnv> {
  const app = new Hono<SignInEnv>({ strict: false }).basePath('/user')
  app.route('/', login(parts))
  app.route('/', passkeyOptions(parts))
  app.route('/', sessions(parts))
  app.route('/', password(parts))
  app.route('/', signUp(parts))
  app.route('/', invitation(parts))
  app.route('/', passwordReset(parts))

  app.notFound((c) => signInFailed(parts, c.req.raw, noHandler(app, c.req.path)))
  app.onError((error, c) => signInFailed(parts, c.req.raw, error))
  return app
}

/** What says who may stands in their bodies: a script may call them as well as a page. */
const alsoForScripts = new Set(['/user/invitation', '/user/password-reset', '/user/forgot-password'])

/** Why a request is refused of which no page of ours is known to have sent it: a cookie comes along from any page. */
function foreign({ origin }: HttpParts, { headers, method, url }: Request): Problem | undefined {
  switch (sentBy(headers, { origin, method })) {
    case 'own-page':
      return undefined
    case 'elsewhere':
      return new Problem('forbidden', 'This takes nothing from a page of another site.')
    case 'no-browser':
      if (alsoForScripts.has(new URL(url).pathname)) return undefined
      return new Problem(
        'forbidden',
        'This is for browsers, which say what page they send from: "Sec-Fetch-Site: same-origin", or an Origin. ' +
          'A script calls /api/v1 with a token.',
      )
  }
}

/** As the JSON API tells it; without `WWW-Authenticate`, at which a browser would ask for a password itself. */
export function signInFailed(parts: HttpParts, request: Request, error: unknown): Response {
  const { status, sentence, facts, headers } = tell(error, logFailure(parts.log, request, error))
  headers.delete('WWW-Authenticate')
  headers.set('Content-Type', 'application/json; charset=utf-8')
  // A page asks for the code of a second factor where it reads that there is one.
  const body = JSON.stringify({ message: sentence, url: `${parts.publicUrl()}/api/swagger`, ...facts })
  headers.set('Content-Length', lengthOf(body))
  return new Response(body, { status, headers })
}
