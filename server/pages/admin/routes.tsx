import { Hono } from 'hono'
import type { HttpParts } from '../../http/parts.ts'
import type { Render } from '../page.tsx'
import type { PageEnv } from '../visit.ts'

/** Running the site. */
export function adminPages(_parts: HttpParts, _render: Render): Hono<PageEnv> {
  return new Hono<PageEnv>()
}
