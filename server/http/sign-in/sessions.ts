import { Hono } from 'hono'
import { Problem } from '../../problems.ts'
import { json } from '../api/answers.ts'
import { sessionShape } from '../api/shapes.ts'
import type { HttpParts } from '../parts.ts'
import type { SignInEnv } from './app.ts'
import { noContent, signedInHere, visitorShape } from './visitors.ts'

/** `/user/session`: who has signed in here. `/user/sessions`: where else he has. */
export function sessions(parts: HttpParts): Hono<SignInEnv> {
  return new Hono<SignInEnv>()
    .get('/session', async (c) => json(visitorShape(signedInHere(await c.env.askVisitor()), parts)))
    .get('/sessions', async (c) => {
      const visitor = signedInHere(await c.env.askSession())
      const { credential } = visitor
      const current = credential.kind === 'session' ? credential.id : undefined
      const own = await parts.sessions.list(visitor)
      return json(own.map((session) => sessionShape(session, session.id === current)))
    })
    .delete('/sessions', async (c) => {
      const visitor = signedInHere(await c.env.askSession())
      await parts.sessions.endOthers(visitor)
      parts.log.info({ 'user.name': visitor.account.name }, `Ended the other sessions of ${visitor.account.name}`)
      return noContent()
    })
    .delete('/sessions/:id', async (c) => {
      const visitor = signedInHere(await c.env.askSession())
      await parts.sessions.end(visitor, sessionId(c.req.param('id')))
      parts.log.info({ 'user.name': visitor.account.name }, `Ended a session of ${visitor.account.name}`)
      return noContent()
    })
}

function sessionId(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw new Problem('not-found', 'session does not exist')
}
