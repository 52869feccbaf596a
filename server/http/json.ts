import { apiApp, failed } from './api/app.ts'
import { apiCalling } from './api/calling.ts'
import { documentFor } from './api/openapi.ts'
import type { HttpParts } from './parts.ts'
import { signInApp, signInFailed } from './sign-in/app.ts'
import { swagger } from './swagger/routes.ts'

/** What answers with JSON, and describes it: `/api/v1`, `/user`, `/api/swagger`. */
export function jsonApps(parts: HttpParts) {
  const api = apiApp(parts)
  const document = documentFor(parts, () => api)
  return { api, apiCalling, failed, signIn: signInApp(parts), signInFailed, describe: swagger(parts, document) }
}

export type JsonApps = ReturnType<typeof jsonApps>
