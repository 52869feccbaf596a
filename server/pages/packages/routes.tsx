import { Hono } from 'hono'
import type { HttpParts } from '../../http/parts.ts'
import type { Render } from '../page.tsx'
import type { PageEnv } from '../visit.ts'

/** A package, its versions, one of them, and the bytes of its files. */
export function packagePages(_parts: HttpParts, _render: Render): Hono<PageEnv> {
  return new Hono<PageEnv>()
}
