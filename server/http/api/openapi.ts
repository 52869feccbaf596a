import { createHash } from 'node:crypto'
import { Hono } from 'hono'
import { z } from 'zod'
import { evaluate } from '../../lib/conditional.ts'
import type { HttpParts } from '../parts.ts'
import { lengthOf } from './answers.ts'
import type { ApiEnv } from './app.ts'
import { type ApiDocument, documentOf } from './document.ts'
import { documented } from './documented.ts'

/** Text that stays the same while the server runs, with a strong entity tag. */
export interface FixedText {
  text: string
  etag: string
}

/**
 * `GET /openapi.json`: this API, described. It holds no data, so it is for everybody, also where sign-in is required, and nobody's
 * credentials are looked at. Made when it is asked for first.
 */
export function openapi(document: () => Promise<ApiDocument>): Hono<ApiEnv> {
  const made = once(async () => fixed(JSON.stringify(await document())))
  return new Hono<ApiEnv>().get(
    '/openapi.json',
    documented({
      tag: 'site',
      id: 'getOpenApi',
      summary: 'This document',
      callers: 'not asked',
      answers: {
        200: {
          description: 'OpenAPI 3.1.',
          schema: z.looseObject({ openapi: z.string(), paths: z.looseObject({}) }),
          headers: { ETag: { description: 'Of this release, at this address.', required: true } },
        },
        304: { description: 'It is the one that the caller has.' },
      },
    }),
    async (c) => unlessKnown(c.req.raw, await made(), 'application/json; charset=utf-8'),
  )
}

/** The document of these routes at this address, made once. */
// biome-ignore lint/suspicious/noExplicitAny: whatever the handlers find in their context.
export function documentFor(parts: HttpParts, app: () => Hono<any>): () => Promise<ApiDocument> {
  return once(() => documentOf(app(), { version: parts.version, publicUrl: parts.publicUrl() }))
}

/** Does it at the first call, and again only if it failed. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make().catch((error) => {
      made = undefined
      throw error
    })
    return made
  }
}

export function fixed(text: string): FixedText {
  return { text, etag: `"${createHash('sha256').update(text).digest('hex')}"` }
}

/** The text, or 304 for who has it. */
export function unlessKnown(
  request: Request,
  { text, etag }: FixedText,
  type: string,
  more: Record<string, string> = {},
): Response {
  const headers = { ETag: etag, 'Cache-Control': 'no-cache', 'X-Content-Type-Options': 'nosniff', ...more }
  const outcome = evaluate(request.headers, request.method, { etag, lastModified: new Date() })
  if (outcome === 'not-modified') return new Response(null, { status: 304, headers })
  return new Response(text, { headers: { ...headers, 'Content-Type': type, 'Content-Length': lengthOf(text) } })
}
