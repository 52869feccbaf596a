import { Hono } from 'hono'
import type { HttpParts } from '../../http/parts.ts'
import type { Render } from '../page.tsx'
import type { PageEnv } from '../visit.ts'
import { invitationPages } from './invitation-routes.tsx'
import { memberPages } from './member-routes.tsx'
import { ownOrganisationPages } from './mine-routes.tsx'
import { teamPages } from './team-routes.tsx'

/** Organisations, their members, teams and invitations. */
export function organisationPages(parts: HttpParts, render: Render): Hono<PageEnv> {
  const app = new Hono<PageEnv>()
  for (const pages of [ownOrganisationPages, invitationPages, memberPages, teamPages]) {
    app.route('/', pages(parts, render))
  }
  return app
}
