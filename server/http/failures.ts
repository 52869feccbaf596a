import { randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import { pathOf } from '../lib/raw-path.ts'
import { Problem } from '../problems.ts'
import { statusOf } from './problem-response.ts'

/** Logs a failed request once, where that is worth a line, and returns the id that the answer carries. */
export function logFailure(log: Logger, request: Request, error: unknown): string {
  const requestId = randomUUID()
  const fields = {
    'request.id': requestId,
    'http.request.method': request.method,
    // Without the query: it may hold a token.
    'url.path': withoutToken(pathOf(request.url)),
  }
  if (!(error instanceof Problem)) {
    log.error(
      { ...fields, err: error instanceof Error ? error : new Error(String(error)) },
      'A request failed unforeseen',
    )
  } else if (statusOf(error) >= 500) {
    const cause = error.cause === undefined ? undefined : String(error.cause)
    log.error({ ...fields, 'problem.code': error.code, 'problem.cause': cause }, `A request failed: ${error.message}`)
  } else {
    log.debug({ ...fields, 'problem.code': error.code }, `A request was refused: ${error.message}`)
  }
  return requestId
}

/** A token is deleted by its name or its id; somebody may take it for its own name. */
function withoutToken(path: string): string {
  return path.replace(/(?<=\/tokens\/)[0-9a-f]{40}(?=\/|$)/i, '[token]')
}
