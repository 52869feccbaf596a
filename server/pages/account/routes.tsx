import { Hono } from 'hono'
import type { HttpParts } from '../../http/parts.ts'
import type { Render } from '../page.tsx'
import type { PageEnv } from '../visit.ts'
import { identityRoutes } from './identity-routes.tsx'
import { passkeyRoutes } from './passkey-routes.tsx'
import { profileRoutes } from './profile-routes.tsx'
import { sessionRoutes } from './session-routes.tsx'
import { tokenRoutes } from './token-routes.tsx'
import { twoFactorRoutes } from './two-factor-routes.tsx'

/** What somebody sees and changes of his own account. */
export function accountPages(parts: HttpParts, render: Render): Hono<PageEnv> {
  const app = new Hono<PageEnv>()
  for (const routes of [profileRoutes, twoFactorRoutes, passkeyRoutes, identityRoutes, tokenRoutes, sessionRoutes]) {
    app.route('/', routes(parts, render))
  }
  return app
}
