import { Hono } from 'hono'
import { Problem } from '../../problems.ts'
import { logFailure } from '../failures.ts'
import { withLocation } from '../moved.ts'
import type { HttpParts } from '../parts.ts'
import { tell } from '../problem-response.ts'
import { adminJobs } from './admin-jobs.ts'
import { adminSessions } from './admin-sessions.ts'
import { adminUsers } from './admin-users.ts'
import { lengthOf } from './answers.ts'
import { audit } from './audit.ts'
import type { ApiCalling } from './calling.ts'
import { deleteVersionsRoute } from './delete-versions.ts'
import { deployTokens } from './deploy-tokens.ts'
import { hooks } from './hooks.ts'
import { identities } from './identities.ts'
import { invitations } from './invitations.ts'
import { oidcToken } from './oidc-token.ts'
import { documentFor, openapi } from './openapi.ts'
import { organisations } from './organisations.ts'
import { ownerChanges } from './owner-changes.ts'
import { packageAccessRoutes } from './package-access.ts'
import { packageDownloadsRoutes } from './package-downloads.ts'
import { packageMetadataRoutes } from './package-metadata.ts'
import { packages } from './packages.ts'
import { passkeys } from './passkeys.ts'
import { passwordResets } from './password-resets.ts'
import { publishers } from './publishers.ts'
import { quotas } from './quotas.ts'
import { reservedNames } from './reserved-names.ts'
import { search } from './search.ts'
import { storage } from './storage.ts'
import { teams } from './teams.ts'
import { token } from './token.ts'
import { tokens } from './tokens.ts'
import { totp } from './totp.ts'
import { usage } from './usage.ts'
import { user } from './user.ts'
import { userSettings } from './user-settings.ts'
import { users } from './users.ts'
import { version } from './version.ts'

/** What a handler of the JSON API finds in its context. */
export interface ApiEnv {
  Bindings: ApiCalling
}

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']

/** `/api/v1`, one file for each noun. */
export function apiApp(parts: HttpParts): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>({ strict: false }).basePath('/api/v1')
  app.route('/', version(parts))
  app.route('/', openapi(documentFor(parts, () => app)))
  app.route('/', user(parts))
  app.route('/', userSettings(parts))
  app.route('/', users(parts))
  app.route('/', token(parts))
  app.route('/', tokens(parts))
  app.route('/', totp(parts))
  app.route('/', identities(parts))
  app.route('/', passkeys(parts))
  app.route('/', adminUsers(parts))
  app.route('/', adminJobs(parts))
  app.route('/', adminSessions(parts))
  app.route('/', storage(parts))
  app.route('/', quotas(parts))
  app.route('/', usage(parts))
  app.route('/', audit(parts))
  app.route('/', reservedNames(parts))
  app.route('/', ownerChanges(parts))
  app.route('/', packages(parts))
  app.route('/', search(parts))
  app.route('/', packageMetadataRoutes(parts))
  app.route('/', packageAccessRoutes(parts))
  app.route('/', packageDownloadsRoutes(parts))
  app.route('/', deleteVersionsRoute(parts))
  app.route('/', deployTokens(parts))
  app.route('/', publishers(parts))
  app.route('/', oidcToken(parts))
  app.route('/', organisations(parts))
  app.route('/', teams(parts))
  app.route('/', invitations(parts))
  app.route('/', hooks(parts))
  app.route('/', passwordResets(parts))

  app.notFound((c) => failed(parts, c.req.raw, noHandler(app, c.req.path)))
  app.onError((error, c) => failed(parts, c.req.raw, error))
  return app
}

/** Why nothing answers at that address: it takes other methods, or there is none. */
export function noHandler<Env extends object>(app: Hono<Env>, path: string): Problem {
  const allowed = methods.filter((method) => app.router.match(method, path)[0].length > 0)
  if (allowed.length === 0) return new Problem('not-found', 'Not found.')
  const allow = allowed.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ')
  return new Problem('method-not-allowed', `This address takes ${allow}.`, { allow })
}

/** Errors of the JSON API: `{"message", "url"}`. */
export function failed(parts: HttpParts, request: Request, error: unknown): Response {
  const told = withLocation(parts, request, error)
  const { status, sentence, headers } = tell(told, logFailure(parts.log, request, error))
  const body = JSON.stringify({ message: sentence, url: `${parts.publicUrl()}/api/swagger` })
  headers.set('Content-Type', 'application/json; charset=utf-8')
  headers.set('Content-Length', lengthOf(body))
  return new Response(body, { status, headers })
}
