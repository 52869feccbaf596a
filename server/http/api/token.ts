import { Hono } from 'hono'
import { byToken } from '../../access/grant.ts'
import type { HttpParts } from '../parts.ts'
import { json } from './answers.ts'
import type { ApiEnv } from './app.ts'
import { documented } from './documented.ts'
import { callingToken } from './schemas.ts'
import { tokenShape } from './shapes.ts'

/** `/token`: the very token that calls, for whoever holds it. It needs no scope. */
export function token(parts: HttpParts): Hono<ApiEnv> {
  return new Hono<ApiEnv>()
    .get(
      '/token',
      documented({
        tag: 'account',
        id: 'getCurrentToken',
        summary: 'The token that calls',
        description: 'For whoever holds it; it needs no scope.',
        callers: 'token',
        scope: null,
        answers: { 200: { description: 'The token.', schema: callingToken } },
      }),
      async (c) => {
        const caller = byToken(await c.env.askCaller())
        return json({ ...tokenShape(await parts.tokens.calling(caller)), user: caller.account.name })
      },
    )
    .delete(
      '/token',
      documented({
        tag: 'account',
        id: 'deleteCurrentToken',
        summary: 'Give up the token that calls',
        description: 'For whoever holds it; it needs no scope.',
        callers: 'token',
        scope: null,
        answers: { 204: { description: 'It is gone, and with it those that it made.' } },
      }),
      async (c) => {
        const caller = byToken(await c.env.askCaller())
        await parts.tokens.removeCalling(caller)
        const { account, credential } = caller
        parts.log.info({ 'user.name': account.name, 'token.id': credential.id }, `${account.name} gave up a token`)
        return new Response(null, { status: 204 })
      },
    )
}
