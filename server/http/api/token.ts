import { Hono } from 'hono'
import { actorOf } from '../../access/caller.ts'
import { byAnyToken } from '../../access/grant.ts'
import type { HttpParts } from '../parts.ts'
import { json } from './answers.ts'
import type { ApiEnv } from './app.ts'
import { documented } from './documented.ts'
import { callingToken } from './schemas.ts'
import { deployTokenShape, tokenShape } from './shapes.ts'

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
        const caller = byAnyToken(await c.env.askCaller())
        if (caller.kind === 'user') {
          return json({ ...tokenShape(await parts.tokens.calling(caller)), user: caller.account.name, owner: null })
        }
        const { created_by: _, ...shown } = deployTokenShape(await parts.deployTokens.calling(caller))
        return json({ ...shown, user: null, owner: caller.owner.name })
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
        const caller = byAnyToken(await c.env.askCaller())
        if (caller.kind === 'user') await parts.tokens.removeCalling(caller)
        else await parts.deployTokens.removeCalling(caller)
        const { name } = actorOf(caller)
        parts.log.info({ 'user.name': name, 'token.id': caller.credential.id }, `A token of ${name} was given up`)
        return new Response(null, { status: 204 })
      },
    )
}
