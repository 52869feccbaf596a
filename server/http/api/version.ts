import { Hono } from 'hono'
import type { HttpParts } from '../parts.ts'
import { json } from './answers.ts'
import type { ApiEnv } from './app.ts'

/** `GET /version`: the one answer for which nobody's credentials are looked at. */
export function version(parts: HttpParts): Hono<ApiEnv> {
  return new Hono<ApiEnv>().get('/version', () => json({ version: parts.version }))
}
