import { Hono } from 'hono'
import { mostDeployTokens } from '../../access/deploy-tokens.ts'
import type { OwnerGrant } from '../../access/owner-grant.ts'
import type { HttpParts } from '../parts.ts'
import { bodyOf, json, jsonBody, jsonPage, pageOf, publicAddress } from './answers.ts'
import type { ApiEnv } from './app.ts'
import { documented } from './documented.ts'
import { ownerToRunAt } from './package-calls.ts'
import { deployToken } from './schemas.ts'
import { deployTokenShape } from './shapes.ts'
import { patterns, scopeNames, tokenEnd, tokenName } from './tokens.ts'

const newToken = bodyOf({
  name: tokenName,
  scopes: scopeNames.nullish().meta({
    description: '`read:package` or `write:package`; `public-only` beside it keeps the token to public owners.',
    examples: [['write:package']],
  }),
  packages: patterns.nullish().meta({
    description: "Patterns of the owner's packages that it is for; `*` stands for any characters. null for all.",
    examples: [['tool-*']],
  }),
  expires_at: tokenEnd.nullish().meta({ description: 'When it ends; null for never.' }),
}).meta({ id: 'CreateDeployTokenOption' })

const owners = 'For the user, the owners of the organisation, and administrators.'

/** `/owners/{owner}/deploy-tokens`: tokens that belong to an owner, and stay when people leave. */
export function deployTokens(parts: HttpParts): Hono<ApiEnv> {
  const log = ({ owner, caller }: OwnerGrant<'write'>, name: string, what: string) =>
    parts.log.info(
      { 'package.owner': owner.name, 'deploy_token.name': name, 'user.name': caller.account.name },
      `${what} the deploy token ${name} of ${owner.name}`,
    )

  return new Hono<ApiEnv>()
    .get(
      '/owners/:owner/deploy-tokens',
      documented({
        tag: 'packages',
        id: 'listDeployTokens',
        summary: 'The deploy tokens of an owner',
        description: owners,
        page: deployToken,
      }),
      async (c) => {
        const page = pageOf(new URL(c.req.url))
        const { tokens, total } = await parts.deployTokens.list(await ownerToRunAt(c, 'read'), page)
        const shown = tokens.map((token) => deployTokenShape(token))
        return jsonPage(shown, total, page, publicAddress(parts.publicUrl(), c.req.raw))
      },
    )
    .post(
      '/owners/:owner/deploy-tokens',
      documented({
        tag: 'packages',
        id: 'createDeployToken',
        summary: 'Make a deploy token',
        description: `${owners} ${mostDeployTokens} at most. A token makes none that may do more than itself, or ends later.`,
        body: newToken,
        answers: {
          201: { description: 'The token; `sha1` is what to call with, and is told this once.', schema: deployToken },
        },
      }),
      async (c) => {
        const grant = await ownerToRunAt(c, 'write')
        const { name, scopes, packages, expires_at } = await jsonBody(c.req.raw, newToken)
        const { token, secret } = await parts.deployTokens.create(grant, {
          name,
          scopes: scopes ?? [],
          packages: packages ?? undefined,
          expiresAt: expires_at ?? undefined,
        })
        log(grant, name, 'Made')
        return json(deployTokenShape(token, secret), 201)
      },
    )
    .get(
      '/owners/:owner/deploy-tokens/:id',
      documented({
        tag: 'packages',
        id: 'getDeployToken',
        summary: 'A deploy token of an owner',
        description: owners,
        answers: { 200: { description: 'The token, without its secret.', schema: deployToken } },
      }),
      async (c) =>
        json(deployTokenShape(await parts.deployTokens.show(await ownerToRunAt(c, 'read'), c.req.param('id')))),
    )
    .delete(
      '/owners/:owner/deploy-tokens/:id',
      documented({
        tag: 'packages',
        id: 'deleteDeployToken',
        summary: 'Delete a deploy token',
        description: owners,
        answers: { 204: { description: 'It is gone, and what packages gave it.' } },
      }),
      async (c) => {
        const grant = await ownerToRunAt(c, 'write')
        const { id, name } = await parts.deployTokens.show(grant, c.req.param('id'))
        await parts.deployTokens.remove(grant, String(id))
        log(grant, name, 'Deleted')
        return new Response(null, { status: 204 })
      },
    )
}
