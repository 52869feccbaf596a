import { Hono } from 'hono'
import type { HttpParts } from '../parts.ts'
import { json } from './answers.ts'
import type { ApiEnv } from './app.ts'
import { documented } from './documented.ts'
import { serverVersion } from './schemas.ts'

/**
 * The release of Gitea whose protocol this is. Its Go library, and with it Terraform and the command lines that stand on that,
 * takes no server of less than 1.11, and asks by this number what a server can do; what comes after the `+` (Semantic Versioning
 * §10) it leaves alone.
 */
const spoken = '1.27.0'

/** `GET /version`: the one answer for which nobody's credentials are looked at. */
export function version(parts: HttpParts): Hono<ApiEnv> {
  return new Hono<ApiEnv>().get(
    '/version',
    documented({
      tag: 'site',
      id: 'getVersion',
      summary: 'The version of the server',
      callers: 'not asked',
      answers: { 200: { description: 'The version.', schema: serverVersion } },
    }),
    () => json({ version: `${spoken}+stowage-${parts.version}` }),
  )
}
