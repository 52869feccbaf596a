import { Hono } from 'hono'
import type { HttpParts } from '../../http/parts.ts'
import type { Render } from '../page.tsx'
import type { PageEnv } from '../visit.ts'

/** What somebody sees and changes of his own account. */
export function accountPages(_parts: HttpParts, _render: Render): Hono<PageEnv> {
  return new Hono<PageEnv>()
}
