import type { HttpParts } from '../parts.ts'
import { plainPage } from '../welcome.ts'

/**
 * What stands at a link until there are pages: how to use it from a command line. The code stands behind the `#`, which a
 * browser does not send, so nobody can write it into the commands.
 */
export function instructions(parts: HttpParts, path: string, what: string, body: Record<string, string>): Response {
  const lines = [
    `Stowage ${parts.version}: ${what}`,
    '',
    `curl -d '${JSON.stringify(body)}' ${parts.publicUrl()}/user/${path}`,
    '',
    "CODE is the part of this page's address behind the #. It works once.",
    '',
  ]
  return plainPage(lines, { 'Cache-Control': 'no-store' })
}
