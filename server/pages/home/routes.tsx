import { Hono } from 'hono'
import type { HttpParts } from '../../http/parts.ts'
import { Form } from '../forms.ts'
import { pathHere } from '../links.ts'
import { goTo, linksOf, type Render } from '../page.tsx'
import { themes } from '../site.ts'
import type { PageEnv } from '../visit.ts'

/** The first page, the search over all packages, and the colours of all pages. */
export function homePages(parts: HttpParts, render: Render): Hono<PageEnv> {
  const links = linksOf(parts)
  return new Hono<PageEnv>()
    .get('/', (c) => render(c, { title: 'Stowage' }, <h1>Stowage</h1>))
    .post('/-/theme', async (c) => {
      const form = await Form.of(c.req.raw)
      const theme = themes.find((known) => known === form.text('theme')) ?? 'system'
      const age = theme === 'system' ? 0 : 365 * 24 * 60 * 60
      const cookie = `stowage_theme=${theme}; Path=/; Max-Age=${age}; HttpOnly; SameSite=Lax`
      return goTo(pathHere(form.text('next'), links().to()), undefined, { 'Set-Cookie': cookie })
    })
}
