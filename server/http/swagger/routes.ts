import { createHash } from 'node:crypto'
import { Problem } from '../../problems.ts'
import type { ApiDocument } from '../api/document.ts'
import { fixed, once, unlessKnown } from '../api/openapi.ts'
import type { HttpParts } from '../parts.ts'
import { page } from './page.ts'

/** Nothing but our own style sheet: no script, no picture, no frame around. */
const policy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/**
 * `/api/swagger`: the document as a page for people, and its style sheet, whose name changes with it. `rest`: the segments behind
 * that. Both are made when they are asked for first.
 */
export function swagger(
  parts: HttpParts,
  document: () => Promise<ApiDocument>,
): (request: Request, rest: readonly string[]) => Promise<Response> {
  const style = once(async () => {
    const text = await Bun.file(new URL('style.css', import.meta.url)).text()
    return { text, name: `${createHash('sha256').update(text).digest('hex').slice(0, 16)}.css` }
  })
  const made = once(async () => {
    const { pathname } = new URL(parts.publicUrl())
    const base = `${pathname.replace(/\/$/, '')}/api`
    return fixed(
      page(await document(), { style: `${base}/swagger/${(await style()).name}`, json: `${base}/v1/openapi.json` }),
    )
  })
  return async (request, rest) => {
    if (rest.length === 0) {
      const headers = { 'Content-Security-Policy': policy, 'Referrer-Policy': 'no-referrer' }
      return unlessKnown(request, await made(), 'text/html; charset=utf-8', headers)
    }
    const { name, text } = await style()
    if (rest.length > 1 || rest[0] !== name) throw new Problem('not-found', 'Not found.')
    return new Response(text, {
      headers: {
        'Content-Type': 'text/css; charset=utf-8',
        'Cache-Control': 'public, max-age=31536000, immutable',
        'X-Content-Type-Options': 'nosniff',
      },
    })
  }
}
