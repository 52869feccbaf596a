import { type Context, Hono } from 'hono'
import type { Calling } from '../http/callers.ts'
import type { HttpParts } from '../http/parts.ts'
import { sentBy } from '../http/same-origin.ts'
import { Problem } from '../problems.ts'
import { accountPages } from './account/routes.tsx'
import { adminPages } from './admin/routes.tsx'
import { auditPages } from './audit/routes.tsx'
import { deployTokenPages } from './deploy-tokens/routes.tsx'
import { failurePages } from './failures.tsx'
import { homePages } from './home/routes.tsx'
import { managePages } from './manage/routes.tsx'
import { organisationPages } from './organisations/routes.tsx'
import { ownerPages } from './owners/routes.tsx'
import { packagePages } from './packages/routes.tsx'
import { linksOf, renderer } from './page.tsx'
import { publisherPages } from './publishers/routes.tsx'
import { signInPages } from './sign-in/routes.tsx'
import { siteFiles } from './site-files.ts'
import { uploadPages } from './upload/routes.tsx'
import { type PageEnv, Visit } from './visit.ts'
import { webhookPages } from './webhooks/routes.tsx'

/** HTML for people: what a browser finds at this server. One folder for each family of pages. */
export function pagesApp(parts: HttpParts) {
  const app = pageRoutes(parts)
  return {
    fetch: (request: Request, calling: Calling) => app.fetch(request, calling),
    fail: failing(parts),
    router: app.router,
  }
}

/** A page for what failed before it was known what page was asked for. */
function failing(parts: HttpParts) {
  const fail = failurePages(parts, renderer(parts))
  return async (request: Request, calling: Calling, error: unknown): Promise<Response> => {
    const app = new Hono<PageEnv>()
    app.all('*', async (c) => {
      const visitor = await calling.askVisitor().catch(() => undefined)
      c.set('visit', new Visit(parts, calling, request, visitor))
      return fail(c, error, request)
    })
    // The address may be none that a page could come back to.
    return app.fetch(new Request('http://stowage/', { headers: request.headers }), calling)
  }
}

/** In this order: those whose addresses begin with a word before those that begin with an owner's name. */
const families = [
  homePages,
  signInPages,
  accountPages,
  adminPages,
  auditPages,
  webhookPages,
  deployTokenPages,
  publisherPages,
  organisationPages,
  uploadPages,
  managePages,
  packagePages,
  ownerPages,
]

/** Pages that somebody sees who must set a new password before anything else. */
const beforeNewPassword = ['/user/settings/password', '/user/logout', '/-/theme']

export function pageRoutes(parts: HttpParts): Hono<PageEnv> {
  const render = renderer(parts)
  const fail = failurePages(parts, render)
  const links = linksOf(parts)
  const app = new Hono<PageEnv>({ strict: false })

  // Files first: they are the same for everybody, so nobody is asked for.
  app.route('/', siteFiles())
  app.use(async (c, next) => {
    const { method, path } = c.req
    const isFromElsewhere = sentBy(c.req.raw.headers, { origin: parts.origin, method }) !== 'own-page'
    // Nobody in particular, until it is known that the request comes from a page of ours.
    c.set('visit', new Visit(parts, c.env, c.req.raw, undefined))
    if (isFromElsewhere) {
      if (!takes(app, method, path)) throw nothingAt(app, path)
      throw new Problem('forbidden', 'This was not sent by a page of this site, so nothing was done.')
    }
    const visitor = await c.env.askVisitor()
    c.set('visit', new Visit(parts, c.env, c.req.raw, visitor))
    if (visitor?.account.mustChangePassword && !beforeNewPassword.includes(path)) {
      return new Response(null, { status: 303, headers: { Location: links().path('/user/settings/password') } })
    }
    await next()
    return undefined
  })
  for (const family of families) app.route('/', family(parts, render))

  app.notFound((c) => fail(c, nothingAt(app, c.req.path)))
  app.onError((error, c: Context<PageEnv>) => fail(c, error))
  return app
}

const methods = ['GET', 'POST', 'PUT', 'DELETE']

/** Whether there is a page or form at that address. What stands before all pages does not count. */
function takes(app: Hono<PageEnv>, method: string, path: string): boolean {
  return app.router.match(method, path)[0].some(([[, route]]) => route.path !== '/*')
}

/** Why nothing answers at that address: it takes other methods, or there is none. */
function nothingAt(app: Hono<PageEnv>, path: string): Problem {
  const allowed = methods.filter((method) => takes(app, method, path))
  if (allowed.length === 0) return new Problem('not-found', 'Not found.')
  const allow = allowed.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ')
  return new Problem('method-not-allowed', `This address takes ${allow}.`, { allow })
}
