import { type Context, Hono } from 'hono'
import { administer, mustBeInReach } from '../../access/grant.ts'
import { Problem } from '../../problems.ts'
import type { HttpParts } from '../parts.ts'
import { json } from './answers.ts'
import type { ApiEnv } from './app.ts'
import { documented } from './documented.ts'
import { passkey as passkeySchema } from './schemas.ts'
import { passkeyShape } from './shapes.ts'

/** `/user/passkeys`: one's own, which a browser makes. `/admin/users/{name}/passkeys`: whose authenticators are lost. */
export function passkeys(parts: HttpParts): Hono<ApiEnv> {
  const ownOf = async (c: Context<ApiEnv>, scope: 'read:user' | 'write:user') => {
    const own = parts.passkeys.of(await c.env.askCaller(), scope)
    const user = await parts.accounts.byId(own.caller.account.id)
    if (user) mustBeInReach(own.caller, user)
    return own
  }

  return new Hono<ApiEnv>()
    .get(
      '/user/passkeys',
      documented({
        tag: 'account',
        id: 'listPasskeys',
        summary: 'List your passkeys',
        description: 'They are made in a browser, at `/user/settings/passkeys`. At most 20, oldest first.',
        callers: 'signed in',
        scope: 'user',
        answers: { 200: { description: 'All of them.', schema: passkeySchema.array() } },
      }),
      async (c) => {
        const own = await ownOf(c, 'read:user')
        return json((await parts.passkeys.list(own)).map(passkeyShape))
      },
    )
    .delete(
      '/user/passkeys/:id',
      documented({
        tag: 'account',
        id: 'deletePasskey',
        summary: 'Remove a passkey of yours',
        description:
          'Ends your browser sessions. The last one stays, as without it the password alone would be enough: that one is removed in a browser.',
        callers: 'signed in',
        scope: 'user',
        answers: { 204: { description: 'It is removed.' } },
      }),
      async (c) => {
        const own = await ownOf(c, 'write:user')
        await parts.passkeys.removeOther(own, passkeyId(c.req.param('id')))
        const { name } = own.caller.account
        parts.log.info({ 'user.name': name }, `Removed a passkey of ${name}`)
        return new Response(null, { status: 204 })
      },
    )
    .delete(
      '/admin/users/:name/passkeys',
      documented({
        tag: 'admin',
        id: 'deletePasskeysOf',
        summary: 'Remove all passkeys of somebody',
        description:
          'For somebody whose authenticators are lost. His browser sessions end. Those of an administrator are not removed with a token.',
        answers: { 204: { description: 'They are removed.' } },
      }),
      async (c) => {
        const grant = administer(await c.env.askCaller(), 'write')
        const user = await parts.accounts.byName(c.req.param('name'))
        if (!user) throw new Problem('not-found', 'Not found.')
        mustBeInReach(grant.caller, user)
        await parts.passkeys.removeAllOf(grant, user.id)
        parts.log.info(
          { 'user.name': user.name, 'admin.name': grant.caller.account.name },
          `Removed the passkeys of ${user.name}`,
        )
        return new Response(null, { status: 204 })
      },
    )
}

/** The number in an address; what can be none is no passkey's. */
export function passkeyId(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw new Problem('not-found', 'passkey does not exist')
}
