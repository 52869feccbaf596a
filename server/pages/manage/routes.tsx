import { Hono } from 'hono'
import type { HttpParts } from '../../http/parts.ts'
import type { Render } from '../page.tsx'
import type { PageEnv } from '../visit.ts'
import { accessRoutes } from './access-routes.tsx'
import { editRoutes } from './edit-routes.tsx'
import { removalRoutes } from './removal-routes.tsx'
import { settingsRoutes } from './settings-routes.tsx'
import { usageRoutes } from './usage-routes.tsx'

/** What those who may write change at a package, and what owners change at an owner. */
export function managePages(parts: HttpParts, render: Render): Hono<PageEnv> {
  return new Hono<PageEnv>()
    .route('/', settingsRoutes(parts, render))
    .route('/', usageRoutes(parts, render))
    .route('/', accessRoutes(parts, render))
    .route('/', editRoutes(parts, render))
    .route('/', removalRoutes(parts, render))
}
