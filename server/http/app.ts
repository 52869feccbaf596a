import { randomUUID } from 'node:crypto'
import type { BunRequest } from 'bun'
import {
  type Addresses,
  hasBadEscape,
  leadsElsewhere,
  pathOf,
  rawPathRoutes,
  rawSegments,
  searchOf,
} from '../lib/raw-path.ts'
import { Problem } from '../problems.ts'
import { addressOf, type Calling, callingOf, peerOf } from './callers.ts'
import { preflight, withCors } from './cors.ts'
import { logFailure } from './failures.ts'
import { Health } from './health.ts'
import type { HttpServer, Serve, ServeOptions } from './http-server.ts'
import type { JsonApps } from './json.ts'
import { methodLabel, metricsPage, noRoute, type Router, routeLabel } from './metrics.ts'
import { withLocation } from './moved.ts'
import { type DownloadRequest, downloadPattern, HotDownloads } from './packages/hot-downloads.ts'
import { downloadNow, packagesRoute } from './packages/routes.ts'
import type { HttpParts } from './parts.ts'
import { isForPeople, problemResponse } from './problem-response.ts'
import { takeRest } from './request-body.ts'
import { sentBy } from './same-origin.ts'

/** Segments that an address may have, empty ones counted; no address of ours has more than nine filled ones. */
const depth = 10

/**
 * Seconds without progress in either direction after which a connection is cut; the runtime takes no more than these. As the
 * kernel buffers some 4 MB, a reader is cut off only below about 16 KB a second, and can resume.
 */
const idleSeconds = 255

export interface ListenOptions {
  host: string
  /** 0 takes a free one. */
  port: number
  /** PEM texts. */
  tls: { cert: string; key: string } | undefined
  /** Plain: for a test, whose server starts in half the time. */
  addresses?: Addresses | undefined
  /** Whether the workers of one server listen there together. */
  reusePort?: boolean | undefined
  /** In the place of `Bun.serve`, where files are streams: that one does not tell their lengths. */
  serve?: Serve | undefined
}

/** Stands around every answer, in tests: what goes out is what it gives back. `segments`: the address without the public one's path. */
export type WatchAnswers = (
  request: Request,
  segments: readonly string[],
  response: Response,
) => Response | Promise<Response>

/** What answers browsers with pages, at every address that is not the protocol's own. */
export interface Pages {
  fetch(request: Request, calling: Calling): Response | Promise<Response>
  /** A failure that was found before any page was. */
  fail(request: Request, calling: Calling, error: unknown): Response | Promise<Response>
  router: Router
}

/** Everything that answers HTTP, by the first words of the address. */
export function serveHttp(parts: HttpParts, pages: Pages, listen: ListenOptions, watch?: WatchAnswers): HttpServer {
  const { addresses = 'every' } = listen
  const json = jsonWhenAsked(parts)
  const health = new Health(parts)
  const routers = { ...json.routers, pages: pages.router }
  const hot = hotDownloads(parts)

  async function answer(request: Request, segments: readonly string[]): Promise<Response> {
    if (segments.some(leadsElsewhere)) throw unreachable(request)
    if (hasBadEscape(request.url, segments))
      throw new Problem('bad-request', 'The address has a % without two hexadecimal digits.')
    const calling = callingOf(parts, request, server)
    const [first, second] = segments

    if (first === 'api' && second === 'packages') return packagesRoute(parts, request, segments.slice(2), calling, hot)
    if (first === 'api' && second === 'swagger') {
      return reading(request, async () => (await json.apps()).describe(request, segments.slice(2)))
    }
    if (first === 'api' && second === 'v1') {
      const { api, apiCalling } = await json.apps()
      return api.fetch(withPath(request, segments), apiCalling(calling))
    }
    if (first === 'api') throw new Problem('not-found', 'Not found.')
    if (first === 'user' && !isForPage(parts, request, segments)) {
      return (await json.apps()).signIn.fetch(withPath(request, segments), calling)
    }
    if (segments.length > 1) return pages.fetch(withPath(request, segments), calling)
    if (first === 'healthz') return reading(request, () => health.alive())
    if (first === 'readyz') return reading(request, () => health.ready())
    const { metrics } = parts
    if (first === 'metrics') {
      if (!metrics) throw new Problem('not-found', 'Not found.')
      return reading(request, () => metricsPage(parts, metrics, request, addressOf(parts, request, server)))
    }
    return pages.fetch(withPath(request, segments), calling)
  }

  async function handle(request: Request, segments: readonly string[]): Promise<Response> {
    const begun = performance.now()
    const asked = preflight(request, originsFor(segments))
    if (asked) return counted(request, segments, begun, asked)
    return finished(request, segments, begun, answer(request, segments))
  }

  async function finished(
    request: Request,
    segments: readonly string[],
    begun: number,
    answered: Promise<Response>,
  ): Promise<Response> {
    const response = await answered.catch((error) => refused(request, segments, error))
    if (response.status >= 400) await takeRest(request)
    return counted(request, segments, begun, withCors(response, request, originsFor(segments)))
  }

  /** `begun` is when the request's head was there; without segments it was for no address of ours. */
  function counted(request: Request, segments: readonly string[] | undefined, begun: number, response: Response) {
    if (!parts.metrics) return response
    const { method } = request
    const route = segments ? routeLabel(method, segments, routers) : noRoute
    const seconds = (performance.now() - begun) / 1000
    parts.metrics.answered(route, methodLabel(method), response.status, seconds)
    return response
  }

  const watched = async (request: Request, segments: readonly string[], response: Response | Promise<Response>) =>
    watch ? watch(request, segments, await response) : response
  const respond = watch
    ? (request: Request, segments: readonly string[]) => watched(request, segments, handle(request, segments))
    : handle

  /** Most downloads, without waiting for anything: what was answered a moment ago, or what the database tells at once. */
  function quickly(hot: HotDownloads, request: DownloadRequest): Response | Promise<Response> {
    const begun = performance.now()
    const { owner, name, version, file } = request.params
    const segments = ['api', 'packages', owner, 'generic', name, version, file]
    let response: Response | Promise<Response>
    try {
      const known = hot.answer(request, () => peerOf(request, server)) ?? downloadedNow(hot, request, segments)
      if (!known) return respond(request, segments)
      response =
        known instanceof Promise
          ? finished(request, segments, begun, known)
          : counted(request, segments, begun, withCors(known, request, originsFor(segments)))
    } catch (error) {
      response = finished(request, segments, begun, Promise.reject(error))
    }
    return watch ? watched(request, segments, response) : response
  }

  // Dots, backslashes and bad escapes have refusals of their own, which the usual way gives.
  function downloadedNow(hot: HotDownloads, request: DownloadRequest, segments: readonly string[]) {
    if (segments.some((segment) => leadsElsewhere(segment) || segment.includes('\uFFFD'))) return undefined
    const { owner, name, version, file } = request.params
    const calling = callingOf(parts, request, server)
    return downloadNow(parts, request, { owner, package: name, version, file }, calling, hot)
  }

  /** Whose pages may read what is at this address. */
  function originsFor([first]: readonly string[]): readonly string[] {
    return first === 'api' ? parts.corsOrigins : []
  }

  async function refused(request: Request, segments: readonly string[], error: unknown): Promise<Response> {
    const [first, second] = segments
    if (first === 'api' && second === 'v1') return (await json.apps()).failed(parts, request, error)
    if (first === 'user' && !isForPage(parts, request, segments)) {
      return (await json.apps()).signInFailed(parts, request, error)
    }
    const isOfPages = first === 'user' || !firstWords.has(first)
    if (isOfPages && isForPeople(request)) return pages.fail(request, callingOf(parts, request, server), error)
    const told = withLocation(parts, request, error, segments)
    return problemResponse(told, request, logFailure(parts.log, request, error))
  }

  // Deeper than any address, so that its segments as sent are not known. Where the normalised path is not, dot segments
  // went missing on the way.
  async function unmatched(request: Request): Promise<Response> {
    const [, ...segments] = pathOf(request.url).split('/')
    const isDeep = segments.length > depth
    if (addresses === 'plain' && !(isDeep && segments.every(Boolean))) return tooPlain(request)
    const error = isDeep ? new Problem('not-found', 'Not found.') : unreachable(request)
    const own = withoutPrefix(parts.prefix, segments.filter(Boolean))
    const response = withCors(await refused(request, own, error), request, originsFor(own))
    return counted(request, undefined, performance.now(), response)
  }

  // An answer that was given and then could not be sent; which request it was for is not told here.
  function failed(error: unknown): Response {
    const requestId = randomUUID()
    parts.log.error({ err: error, 'request.id': requestId }, 'An answer failed while it was being sent')
    return new Response(`internal server error\nrequest id: ${requestId}\n`, {
      status: 500,
      headers: { 'Content-Type': 'text/plain; charset=utf-8', 'X-Request-Id': requestId },
    })
  }

  /** For a server that hands over targets as they were sent. */
  function byTarget(): ServeOptions {
    const segmentsOf = rawSegments(depth, parts.prefix, addresses)
    const answer = (request: Request, target: string) => {
      const segments = segmentsOf(target)
      return segments ? respond(request, withoutPrefix(parts.prefix, segments)) : unmatched(request)
    }
    return { ...listen, reusePort: listen.reusePort ?? false, idleSeconds, answer, failed }
  }

  const server: HttpServer = listen.serve
    ? listen.serve(byTarget())
    : Bun.serve({
        hostname: listen.host,
        port: listen.port,
        ...(listen.tls ? { tls: listen.tls } : {}),
        maxRequestBodySize: Number.MAX_SAFE_INTEGER,
        idleTimeout: idleSeconds,
        development: false,
        // Said aloud: without it a second server would get a share of this one's requests instead of an error.
        reusePort: listen.reusePort ?? false,
        routes: {
          ...rawPathRoutes(
            depth,
            (request, segments) => respond(request, withoutPrefix(parts.prefix, segments)),
            addresses,
          ),
          ...prefixRoutes(parts.prefix, () => rawPathRoutes(depth, respond, addresses)),
          ...(hot ? quickRoutes(parts.prefix, (request) => quickly(hot, request as DownloadRequest)) : {}),
        },
        fetch: unmatched,
        error: failed,
      })
  return server
}

/** Loaded when the first one is asked for: a server that is only published to and fetched from does without them and their schemas. */
function jsonWhenAsked(parts: HttpParts) {
  let loaded: JsonApps | undefined
  // Until then none of them has answered.
  const router = (of: 'api' | 'signIn'): Router => ({
    match: (method, path) => (loaded?.[of].router as Router | undefined)?.match(method, path) ?? [[]],
  })
  return {
    apps: async () => {
      if (!loaded) {
        const { jsonApps } = await import('./json.ts')
        loaded ??= jsonApps(parts)
      }
      return loaded
    },
    routers: { api: router('api'), signIn: router('signIn') },
  }
}

/** An answer that no test can want: what it asked says nothing of a server with all its addresses. */
function tooPlain({ url }: Request): Response {
  return new Response(`${url}: this server was started with plain addresses only (Replacements)\n`, { status: 599 })
}

/** Dot segments and backslashes never reach another address. */
function unreachable(request: Request): Problem {
  return request.method === 'PUT'
    ? new Problem('bad-request', 'The address may hold no dot segment and no backslash.')
    : new Problem('not-found', 'Not found.')
}

/** What stands below `/user` for programs of a page alone: no page has such an address. */
const jsonForPages = new Set(['passkey-options', 'password', 'session', 'sessions'])

/** Whether a request below `/user` is for a page or its form, rather than for the JSON that stands at the same address. */
function isForPage({ origin }: HttpParts, { headers, method }: Request, segments: readonly string[]): boolean {
  if (method === 'GET' || method === 'HEAD') return !jsonForPages.has(segments[1] ?? '')
  if (method !== 'POST') return false
  // A script that sends JSON and does not say so is taken for a form by this alone, but says nothing of a page either.
  const isForm = /^application\/x-www-form-urlencoded\b/i.test(headers.get('content-type') ?? '')
  return isForm && sentBy(headers, { origin, method }) !== 'no-browser'
}

/** What an address of the protocol begins with. */
const firstWords = new Set(['api', 'user', 'healthz', 'readyz', 'metrics', undefined])

/** What may stand behind those of them that have something behind them. */
const secondWords: ReadonlyMap<string | undefined, ReadonlySet<string | undefined>> = new Map([
  ['api', new Set(['packages', 'swagger', 'v1'])],
  [
    'user',
    new Set([
      'forgot-password',
      'invitation',
      'oidc',
      'login',
      'logout',
      'organisations',
      'passkey-options',
      'password',
      'password-reset',
      'session',
      'sessions',
      'settings',
      'sign-up',
    ]),
  ],
])

/** Requests may come with the public address's path or, from a proxy that strips it, without. */
function withoutPrefix(prefix: readonly string[], segments: readonly string[]): readonly string[] {
  const carried = prefix.length > 0 && prefix.every((segment, index) => segments[index] === segment)
  // `/api/v1` is ours also where the public path is `/api`; `/api/ada` is then the page of an owner.
  const isOwn = secondWords.get(segments[0])?.has(segments[1]) && !firstWords.has(segments[prefix.length])
  return carried && !isOwn ? segments.slice(prefix.length) : segments
}

/** The same routes below a long public path, whose own segments must not count against the depth. */
function prefixRoutes<Handler>(
  prefix: readonly string[],
  routes: () => Record<string, Handler>,
): Record<string, Handler> {
  if (prefix.length < 2) return {}
  return Object.fromEntries(Object.entries(routes()).map(([pattern, handler]) => [below(prefix, pattern), handler]))
}

function quickRoutes(
  prefix: readonly string[],
  handler: (request: BunRequest) => Response | Promise<Response>,
): Record<string, typeof handler> {
  return { [downloadPattern]: handler, [below(prefix, downloadPattern)]: handler }
}

function below(prefix: readonly string[], path: string): string {
  return prefix.map((segment) => `/${segment}`).join('') + path
}

/** Undefined where an answer depends on more than the database and the request's headers. */
function hotDownloads(parts: HttpParts): HotDownloads | undefined {
  const { changes, queryTokens, prefix } = parts
  return changes && !queryTokens && prefix[0] !== 'api' ? new HotDownloads(parts, changes) : undefined
}

/** The request at its own address without prefix and repeated slashes, for a router that reads `url`. */
function withPath(request: Request, segments: readonly string[]): Request {
  const path = `/${segments.map(encodeURIComponent).join('/')}`
  if (URL.parse(request.url)?.pathname === path) return request
  // The host as sent may be none that a URL can have, and nothing reads it here.
  return new Request(`http://stowage${path}${searchOf(request.url)}`, request)
}

async function reading(request: Request, answer: () => Response | Promise<Response>): Promise<Response> {
  // The runtime sends no body to HEAD, and its length as it would be.
  if (request.method === 'GET' || request.method === 'HEAD') return answer()
  throw new Problem('method-not-allowed', 'This address takes GET, HEAD.', { allow: 'GET, HEAD' })
}
