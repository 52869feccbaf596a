import { Hono } from 'hono'
import type { HttpParts } from '../../http/parts.ts'
import type { Render } from '../page.tsx'
import type { PageEnv } from '../visit.ts'
import { joiningPages } from './joining.tsx'
import { loginPages } from './login.tsx'
import { ownPasswordPages } from './own-password.tsx'
import { providerPages } from './provider.tsx'
import { resetPages } from './reset.tsx'

/** Coming in: by password, second factor, invitation or reset link; and going out. */
export function signInPages(parts: HttpParts, render: Render): Hono<PageEnv> {
  const app = new Hono<PageEnv>()
  for (const family of [loginPages, providerPages, joiningPages, resetPages, ownPasswordPages])
    app.route('/', family(parts, render))
  return app
}
