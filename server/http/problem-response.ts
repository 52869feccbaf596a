import { prefersJson } from '../lib/accept.ts'
import { Problem, type ProblemCode } from '../problems.ts'

/** The one table from problems to HTTP. */
const statuses: Record<ProblemCode, number> = {
  moved: 307,
  'bad-request': 400,
  'invalid-name': 400,
  'digest-mismatch': 400,
  'partial-put': 400,
  'body-incomplete': 400,
  'credentials-wrong': 401,
  'credentials-missing': 401,
  forbidden: 403,
  'too-large': 403,
  'quota-exceeded': 403,
  'not-found': 404,
  'method-not-allowed': 405,
  'already-exists': 409,
  'precondition-failed': 412,
  'body-too-large': 413,
  'range-not-satisfiable': 416,
  unprocessable: 422,
  'too-many-attempts': 429,
  'issuer-unavailable': 503,
  'storage-unavailable': 503,
  'outcome-unknown': 503,
  'out-of-touch': 503,
  stopping: 503,
  'storage-full': 507,
}

export function statusOf(problem: Problem): number {
  return statuses[problem.code]
}

const titles: Record<number, string> = {
  307: 'Temporary Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  412: 'Precondition Failed',
  413: 'Content Too Large',
  416: 'Range Not Satisfiable',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
  507: 'Insufficient Storage',
}

/** What stands in for something that nobody foresaw: the client learns nothing from inside. */
const unforeseen = { status: 500, sentence: 'internal server error', facts: {} }

/** How a failure is told, before it has a format. */
export interface Told {
  status: number
  sentence: string
  facts: Problem['facts']
  headers: Headers
}

/** Status, sentence and headers of a failure, for every format alike. */
export function tell(error: unknown, requestId: string): Told {
  const problem = error instanceof Problem ? error : undefined
  const headers = new Headers({
    'X-Request-Id': requestId,
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': 'no-store',
  })
  if (!problem) return { ...unforeseen, headers }
  const status = statuses[problem.code]
  const { retry_after, allow, content_range, location, ...facts } = problem.facts
  if (status === 401) headers.set('WWW-Authenticate', 'Basic realm="Stowage"')
  if (status === 429 || status === 503) headers.set('Retry-After', String(retry_after ?? 5))
  if (location !== undefined) headers.set('Location', String(location))
  if (allow !== undefined) headers.set('Allow', String(allow))
  if (content_range !== undefined) headers.set('Content-Range', String(content_range))
  return { status, sentence: problem.message, facts, headers }
}

/** Whether a person looks at the answer, in a browser: who asks for something else reads a sentence sooner than a page. */
export function isForPeople({ headers }: Request): boolean {
  return headers.has('sec-fetch-site') || /\btext\/html\b/i.test(headers.get('accept') ?? '')
}

/** The registry's own format: plain text, or problem details (RFC 9457) for clients that prefer JSON. */
export function problemResponse(error: unknown, request: Request, requestId: string): Response {
  const { status, sentence, facts, headers } = tell(error, requestId)
  if (prefersJson(request.headers.get('accept'))) {
    headers.set('Content-Type', 'application/problem+json')
    const details = {
      type: 'about:blank',
      title: titles[status],
      status,
      detail: sentence,
      ...facts,
      request_id: requestId,
    }
    return new Response(JSON.stringify(details), { status, headers })
  }
  headers.set('Content-Type', 'text/plain; charset=utf-8')
  const text = status === 500 ? `${sentence}\nrequest id: ${requestId}` : sentence
  return new Response(`${text}\n`, { status, headers })
}
