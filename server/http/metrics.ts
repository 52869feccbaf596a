import { createHash, timingSafeEqual } from 'node:crypto'
import { isTrustedPeer, type TrustedProxies } from '../lib/real-address.ts'
import { Problem } from '../problems.ts'
import { logFailure } from './failures.ts'
import type { HttpParts } from './parts.ts'
import { problemResponse } from './problem-response.ts'

/** Who counts requests, and shows what is counted. */
export interface Metrics {
  /**
   * An answer is about to be sent. `route` is one of a fixed list, as is `method`; `seconds` are those from the request's head to
   * here.
   */
  answered(route: string, method: string, status: number, seconds: number): void
  page(): Promise<{ text: string; contentType: string }>
  access: MetricsAccess
}

/** Who may see them: where both are set, both must hold. */
export interface MetricsAccess {
  token: string | undefined
  addresses: TrustedProxies | undefined
}

/** What no route is for. */
export const noRoute = 'other'

const knownMethods = new Set(['GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS'])

/** Anybody may send any word for a method, and each would be a series of its own. */
export function methodLabel(method: string): string {
  return knownMethods.has(method) ? method : 'other'
}

/** Something that knows the pattern of a path, as the router of Hono does. */
export interface Router {
  match(method: string, path: string): [[[unknown, { path: string }], unknown][], ...unknown[]]
}

/** The pattern of the address, without anything that the client has chosen. */
export function routeLabel(
  method: string,
  segments: readonly string[],
  routers: { api: Router; signIn: Router; pages: Router },
): string {
  const [first, second] = segments
  if (first === 'api' && second === 'packages') {
    if (segments[3] !== 'generic') return noRoute
    if (segments.length === 7) return '/api/packages/:owner/generic/:name/:version/:file'
    return segments.length === 6 ? '/api/packages/:owner/generic/:name/:version' : noRoute
  }
  if (first === 'api' && second === 'swagger') return segments.length > 3 ? noRoute : '/api/swagger'
  if (first === 'api' && second === 'v1') return patternOf(routers.api, method, segments)
  if (first !== undefined && segments.length === 1 && ownWords.has(first)) return `/${first}`
  const own = first === 'user' ? patternOf(routers.signIn, method, segments) : noRoute
  return own === noRoute ? patternOf(routers.pages, method, segments) : own
}

const ownWords = new Set(['healthz', 'readyz', 'metrics'])

function patternOf(router: Router, method: string, segments: readonly string[]): string {
  const path = `/${segments.map(encodeURIComponent).join('/')}`
  const [handlers] = router.match(method === 'HEAD' ? 'GET' : method, path)
  const pattern = handlers.at(-1)?.[0][1].path
  return pattern === undefined || pattern.includes('*') ? noRoute : pattern
}

/** `/metrics`, for those who may see them. */
export async function metricsPage(
  parts: HttpParts,
  metrics: Metrics,
  request: Request,
  address: string,
): Promise<Response> {
  const refusal = refuse(metrics.access, request, address)
  if (refusal) {
    const response = problemResponse(refusal, request, logFailure(parts.log, request, refusal))
    if (response.status === 401) response.headers.set('WWW-Authenticate', 'Bearer realm="Stowage metrics"')
    return response
  }
  const { text, contentType } = await metrics.page()
  return new Response(text, {
    headers: {
      'Content-Type': contentType,
      'Content-Length': String(Buffer.byteLength(text)),
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
    },
  })
}

function refuse({ token, addresses }: MetricsAccess, request: Request, address: string): Problem | undefined {
  if (addresses && !isTrustedPeer(address, addresses)) {
    return new Problem(
      'forbidden',
      `Metrics are not shown to ${address}: STOWAGE_METRICS_ALLOWED_ADDRESSES says to whom.`,
    )
  }
  if (token === undefined) return undefined
  const sent = /^Bearer +(\S+) *$/i.exec(request.headers.get('authorization') ?? '')?.[1]
  if (sent === undefined) {
    return new Problem(
      'credentials-missing',
      'Send the token of STOWAGE_METRICS_TOKEN to see the metrics: "Authorization: Bearer …".',
    )
  }
  return isSame(sent, token) ? undefined : new Problem('credentials-wrong', 'This is not the token of the metrics.')
}

/** Takes as long for a wrong one, whatever it shares with the right one. */
function isSame(one: string, other: string): boolean {
  const [first, second] = [one, other].map((text) => createHash('sha256').update(text).digest())
  return first !== undefined && second !== undefined && timingSafeEqual(first, second)
}
