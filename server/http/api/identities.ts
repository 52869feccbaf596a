import { type Context, Hono } from 'hono'
import type { Caller } from '../../access/caller.ts'
import { administer, mustBeInReach, signedIn } from '../../access/grant.ts'
import { Problem } from '../../problems.ts'
import type { HttpParts } from '../parts.ts'
import { json } from './answers.ts'
import type { ApiEnv } from './app.ts'
import { documented } from './documented.ts'
import { identity as identitySchema, suspension } from './schemas.ts'
import { identityShape, suspensionShape } from './shapes.ts'

/** `/user/identities`: one's own, which a browser links. `/admin/users/{name}/identities`, `…/suspension`: those of others. */
export function identities(parts: HttpParts): Hono<ApiEnv> {
  /** Somebody else's account, for an administrator. */
  const userFor = async (c: Context<ApiEnv>, verb: 'read' | 'write') => {
    const grant = administer(await c.env.askCaller(), verb)
    const user = await parts.accounts.byName(c.req.param('name') ?? '')
    if (!user) throw new Problem('not-found', 'Not found.')
    mustBeInReach(grant.caller, user)
    return { grant, user }
  }
  const logged = (user: string, admin: string, sentence: string) =>
    parts.log.info({ 'user.name': user, 'admin.name': admin }, sentence)

  /** A token that is for what is public only does not reach an account that is not. */
  const mayUse = async (caller: Caller, scope: 'read:user' | 'write:user') => {
    const known = signedIn(caller, scope)
    const user = await parts.accounts.byId(known.account.id)
    if (user) mustBeInReach(known, user)
    return known
  }

  return new Hono<ApiEnv>()
    .get(
      '/user/identities',
      documented({
        tag: 'account',
        id: 'listIdentities',
        summary: 'Who you are at OpenID providers',
        description: 'They are linked in a browser, at `/user/settings/identities`. Oldest first.',
        callers: 'signed in',
        scope: 'user',
        answers: { 200: { description: 'All of them.', schema: identitySchema.array() } },
      }),
      async (c) => {
        const caller = await mayUse(await c.env.askCaller(), 'read:user')
        return json((await parts.identities.list(caller)).map(identityShape))
      },
    )
    .delete(
      '/user/identities/:id',
      documented({
        tag: 'account',
        id: 'deleteIdentity',
        summary: 'Unlink an identity of yours',
        description: 'Refused where your account would have no way in any more.',
        callers: 'signed in',
        scope: 'user',
        answers: { 204: { description: 'It is unlinked.' } },
      }),
      async (c) => {
        const caller = await mayUse(await c.env.askCaller(), 'write:user')
        const { issuer } = await parts.identities.unlink(caller, c.req.param('id'))
        const { name } = caller.account
        parts.log.info({ 'user.name': name, 'oidc.issuer': issuer }, `${name} unlinked an identity`)
        return new Response(null, { status: 204 })
      },
    )
    .get(
      '/admin/users/:name/identities',
      documented({
        tag: 'admin',
        id: 'listIdentitiesOf',
        summary: 'Who somebody is at OpenID providers',
        answers: { 200: { description: 'All of them, oldest first.', schema: identitySchema.array() } },
      }),
      async (c) => {
        const { grant, user } = await userFor(c, 'read')
        return json((await parts.identities.listOf(grant, user.id)).map(identityShape))
      },
    )
    .delete(
      '/admin/users/:name/identities/:id',
      documented({
        tag: 'admin',
        id: 'deleteIdentityOf',
        summary: 'Unlink an identity of somebody',
        description: 'Also where it is his only way in.',
        answers: { 204: { description: 'It is unlinked.' } },
      }),
      async (c) => {
        const { grant, user } = await userFor(c, 'write')
        await parts.identities.unlinkOf(grant, user.id, c.req.param('id'))
        logged(user.name, grant.caller.account.name, `Unlinked an identity of ${user.name}`)
        return new Response(null, { status: 204 })
      },
    )
    .get(
      '/admin/users/:name/suspension',
      documented({
        tag: 'admin',
        id: 'getSuspension',
        summary: 'Whether a provider has suspended somebody',
        answers: { 200: { description: 'Since when.', schema: suspension } },
      }),
      async (c) => json(suspensionShape((await userFor(c, 'read')).user)),
    )
    .delete(
      '/admin/users/:name/suspension',
      documented({
        tag: 'admin',
        id: 'deleteSuspension',
        summary: 'Lift what a provider has suspended',
        description: 'Holds until the provider has vouched for him once more, and then takes it back.',
        answers: { 204: { description: 'He is not suspended.' } },
      }),
      async (c) => {
        const { grant, user } = await userFor(c, 'write')
        await parts.identities.reinstate(grant, user.id)
        logged(user.name, grant.caller.account.name, `Lifted the suspension of ${user.name}`)
        return new Response(null, { status: 204 })
      },
    )
}
