import { Hono } from 'hono'
import type { HttpParts } from '../../http/parts.ts'
import type { Render } from '../page.tsx'
import type { PageEnv } from '../visit.ts'

/** Publishing from the browser. */
export function uploadPages(_parts: HttpParts, _render: Render): Hono<PageEnv> {
  return new Hono<PageEnv>()
}
