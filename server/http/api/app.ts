import { Hono } from 'hono'
import { Problem } from '../../problems.ts'
import type { Calling } from '../callers.ts'
import { logFailure } from '../failures.ts'
import { withLocation } from '../moved.ts'
import type { HttpParts } from '../parts.ts'
import { tell } from '../problem-response.ts'
import { adminJobs } from './admin-jobs.ts'
import { adminUsers } from './admin-users.ts'
import { packages } from './packages.ts'
import { tokens } from './tokens.ts'
import { user } from './user.ts'
import { version } from './version.ts'

/** What a handler of the JSON API finds in its context. */
export interface ApiEnv {
  Bindings: Calling
}

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']

/** `/api/v1`, one file for each noun. */
export function apiApp(parts: HttpParts): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>({ strict: false }).basePath('/api/v1')
  app.route('/', version(parts))
  app.route('/', user(parts))
  app.route('/', tokens(parts))
  app.route('/', adminUsers(parts))
  app.route('/', adminJobs(parts))
  app.route('/', packages(parts))

  app.notFound((c) => {
    const allowed = methods.filter((method) => app.router.match(method, c.req.path)[0].length > 0)
    if (allowed.length === 0) return failed(parts, c.req.raw, new Problem('not-found', 'Not found.'))
    const allow = allowed.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ')
    return failed(parts, c.req.raw, new Problem('method-not-allowed', `This address takes ${allow}.`, { allow }))
  })
  app.onError((error, c) => failed(parts, c.req.raw, error))
  return app
}

/** Errors of the JSON API: `{"message", "url"}`. */
export function failed(parts: HttpParts, request: Request, error: unknown): Response {
  const told = withLocation(parts, request, error)
  const { status, sentence, headers } = tell(told, logFailure(parts.log, request, error))
  headers.set('Content-Type', 'application/json; charset=utf-8')
  return new Response(JSON.stringify({ message: sentence, url: `${parts.publicUrl()}/api/swagger` }), {
    status,
    headers,
  })
}
