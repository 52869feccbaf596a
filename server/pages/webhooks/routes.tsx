import { Hono } from 'hono'
import type { HttpParts } from '../../http/parts.ts'
import type { Render } from '../page.tsx'
import type { PageEnv } from '../visit.ts'

/** Who is told of changes, and what he was told. */
export function webhookPages(_parts: HttpParts, _render: Render): Hono<PageEnv> {
  return new Hono<PageEnv>()
}
