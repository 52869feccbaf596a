import { type Context, Hono } from 'hono'
import { z } from 'zod'
import type { OwnerGrant } from '../../access/owner-grant.ts'
import { type HolderKind, mostHolders } from '../../access/package-access.ts'
import type { HttpParts } from '../parts.ts'
import { bodyOf, json, jsonBody } from './answers.ts'
import type { ApiEnv } from './app.ts'
import { documented, type RouteText } from './documented.ts'
import { ownerToRunAt } from './package-calls.ts'
import { packageAccess } from './schemas.ts'
import { packageAccessShape } from './shapes.ts'

const changedAccess = bodyOf({
  visibility: z.enum(['inherit', 'private'], 'must be inherit or private').meta({
    description: '`private`: for who may write to the owner, and whom the package names.',
  }),
}).meta({ id: 'EditPackageAccessOption' })

const given = bodyOf({ permission: z.enum(['read', 'write'], 'must be read or write') }).meta({
  id: 'GivePackageAccessOption',
})

const who = 'For the user, the owners of the organisation, and administrators.'
const notThere = 'Also of a package that is not there yet.'

/** By what the address calls them. */
const kinds = { users: 'user', teams: 'team', 'deploy-tokens': 'deploy-token' } as const satisfies Record<
  string,
  HolderKind
>

/** `/packages/{owner}/generic/{name}/-/access`: who sees a package, and whom it names. */
export function packageAccessRoutes(parts: HttpParts): Hono<ApiEnv> {
  const { packageAccess: access } = parts
  const nameIn = (c: Context<ApiEnv>) => c.req.param('name') ?? ''
  const shown = async (grant: OwnerGrant, name: string) => json(packageAccessShape(await access.show(grant, name)))
  const log = ({ owner, caller }: OwnerGrant<'write'>, name: string, what: string) =>
    parts.log.info(
      { 'package.owner': owner.name, 'package.name': name, 'user.name': caller.account.name },
      `${what} ${owner.name}/${name}`,
    )
  const give = (kind: HolderKind) => async (c: Context<ApiEnv>) => {
    const grant = await ownerToRunAt(c, 'write')
    const { permission } = await jsonBody(c.req.raw, given)
    const id = c.req.param(kind === 'user' ? 'user' : 'id') ?? ''
    await access.name(grant, nameIn(c), { kind, id }, permission)
    log(grant, nameIn(c), `Gave the ${kind} ${id} ${permission} on`)
    return new Response(null, { status: 204 })
  }
  const take = (kind: HolderKind) => async (c: Context<ApiEnv>) => {
    const grant = await ownerToRunAt(c, 'write')
    const id = c.req.param(kind === 'user' ? 'user' : 'id') ?? ''
    await access.unname(grant, nameIn(c), { kind, id })
    log(grant, nameIn(c), `Took from the ${kind} ${id} the right on`)
    return new Response(null, { status: 204 })
  }
  // It takes `user` where the owner is one, which the descriptions say.
  const about = { tag: 'packages', callers: 'signed in', scope: 'organization' } as const satisfies Partial<RouteText>
  const named = { 204: { description: 'Done.' } }

  return new Hono<ApiEnv>()
    .get(
      '/packages/:owner/generic/:name/-/access',
      documented({
        ...about,
        id: 'getPackageAccess',
        summary: 'Who sees a package, and whom it names',
        description: `${who} ${notThere} At a user it takes \`read:user\`.`,
        answers: { 200: { description: 'Who sees it.', schema: packageAccess } },
      }),
      async (c) => shown(await ownerToRunAt(c, 'read'), nameIn(c)),
    )
    .patch(
      '/packages/:owner/generic/:name/-/access',
      documented({
        ...about,
        id: 'changePackageAccess',
        summary: 'Make a package private, or as visible as its owner',
        description: `${who} ${notThere} At a user it takes \`write:user\`, as all changes here.`,
        body: changedAccess,
        answers: { 200: { description: 'Who sees it now.', schema: packageAccess } },
      }),
      async (c) => {
        const grant = await ownerToRunAt(c, 'write')
        const { visibility } = await jsonBody(c.req.raw, changedAccess)
        await access.setVisibility(grant, nameIn(c), visibility)
        log(grant, nameIn(c), `Set the visibility ${visibility} of`)
        return shown(grant, nameIn(c))
      },
    )
    .put(
      '/packages/:owner/generic/:name/-/access/users/:user',
      documented({
        ...about,
        id: 'givePackageToUser',
        summary: 'Let a user read a package, or write to it',
        description: `${who} ${notThere} A package names ${mostHolders} users, teams and tokens at most.`,
        params: { user: { description: 'A user whom the caller may see, or a member of the organisation.' } },
        body: given,
        answers: named,
      }),
      give(kinds.users),
    )
    .delete(
      '/packages/:owner/generic/:name/-/access/users/:user',
      documented({
        ...about,
        id: 'takePackageFromUser',
        summary: 'Name a user no more',
        description: who,
        params: { user: { description: 'The name of the user.' } },
        answers: named,
      }),
      take(kinds.users),
    )
    .put(
      '/packages/:owner/generic/:name/-/access/teams/:id',
      documented({
        ...about,
        id: 'givePackageToTeam',
        summary: 'Let a team read a package, or write to it',
        description: who,
        params: { id: { description: 'Of a team of the organisation.' } },
        body: given,
        answers: named,
      }),
      give(kinds.teams),
    )
    .delete(
      '/packages/:owner/generic/:name/-/access/teams/:id',
      documented({
        ...about,
        id: 'takePackageFromTeam',
        summary: 'Name a team no more',
        description: who,
        params: { id: { description: 'Of the team.' } },
        answers: named,
      }),
      take(kinds.teams),
    )
    .put(
      '/packages/:owner/generic/:name/-/access/deploy-tokens/:id',
      documented({
        ...about,
        id: 'givePackageToDeployToken',
        summary: 'Let a deploy token read a private package, or write to it',
        description: `${who} To write, the token needs \`write:package\`: with it, it may write to every package of its owner that is within its patterns.`,
        params: { id: { description: "Of one of the owner's deploy tokens." } },
        body: given,
        answers: named,
      }),
      give(kinds['deploy-tokens']),
    )
    .delete(
      '/packages/:owner/generic/:name/-/access/deploy-tokens/:id',
      documented({
        ...about,
        id: 'takePackageFromDeployToken',
        summary: 'Name a deploy token no more',
        description: who,
        params: { id: { description: 'Of the deploy token.' } },
        answers: named,
      }),
      take(kinds['deploy-tokens']),
    )
}
