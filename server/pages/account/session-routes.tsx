import { Hono } from 'hono'
import { pageOf } from '../../http/api/answers.ts'
import type { HttpParts } from '../../http/parts.ts'
import { Problem } from '../../problems.ts'
import { Form } from '../forms.ts'
import { goTo, linksOf, type Render } from '../page.tsx'
import { type PageEnv, visitOf } from '../visit.ts'
import { SessionsPage } from './sessions-page.tsx'

/** `/user/settings/sessions`: where somebody has signed in, and ending it. */
export function sessionRoutes(parts: HttpParts, render: Render): Hono<PageEnv> {
  const links = linksOf(parts)
  return new Hono<PageEnv>()
    .get('/user/settings/sessions', async (c) => {
      const visitor = visitOf(c).signedIn()
      const { page, limit, offset } = pageOf(new URL(c.req.url))
      const all = await parts.sessions.list(visitor)
      const here = visitor.credential.kind === 'session' ? visitor.credential.id : undefined
      const shown = all.slice(offset, offset + limit)
      const paging = { page, limit, total: all.length, shown: shown.length }
      return render(c, { title: 'Sessions' }, <SessionsPage sessions={shown} here={here} paging={paging} />)
    })
    .post('/user/settings/sessions', async (c) => {
      const visitor = visitOf(c).signedIn()
      const { name } = visitor.account
      const which = (await Form.of(c.req.raw)).text('end')
      const back = links().path('/user/settings/sessions')
      if (which === 'others') {
        await parts.sessions.endOthers(visitor)
        parts.log.info({ 'user.name': name }, `Ended the other sessions of ${name}`)
        return goTo(back, 'other-sessions-ended')
      }
      if (!/^[1-9]\d{0,14}$/.test(which)) throw new Problem('unprocessable', 'Say which session is to end.')
      try {
        await parts.sessions.end(visitor, Number(which))
        parts.log.info({ 'user.name': name }, `Ended a session of ${name}`)
      } catch (error) {
        // The list was older than the session's end, which is what was wanted.
        if (!(error instanceof Problem) || error.code !== 'not-found') throw error
      }
      return goTo(back, 'session-ended')
    })
}
