import { type Context, Hono } from 'hono'
import { z } from 'zod'
import { byBasic, maySee, ownerAt, signedIn } from '../../access/grant.ts'
import type { TokenKeyring } from '../../access/tokens.ts'
import { Problem } from '../../problems.ts'
import { addressKeys } from '../../registry/download.ts'
import type { HttpParts } from '../parts.ts'
import { bodyOf, json, jsonBody, jsonPage, pageOf, publicAddress, text } from './answers.ts'
import type { ApiEnv } from './app.ts'
import { documented } from './documented.ts'
import { accessToken } from './schemas.ts'
import { tokenShape } from './shapes.ts'

export const tokenName = text('is missing: name the token after what it is for')
  .trim()
  .min(1, 'is missing: name the token after what it is for')
  .max(255, 'may have 255 characters at most')

export const scopeNames = z.array(z.string('must be a list of scope names'), 'must be a list of scope names')

export const patterns = z.array(text('must be a text'), 'must be a list of patterns, or null')

export const tokenEnd = z.iso
  .datetime({ offset: true, error: 'must be a time such as 2027-01-31T12:00:00Z, or null' })
  .transform((time) => new Date(time))
  .refine((time) => time.getUTCFullYear() <= 9999, 'must be before the year 10000')

const newToken = bodyOf({
  name: tokenName,
  scopes: scopeNames.nullish().meta({
    description:
      'One at least: `read:` or `write:` before `package`, `user`, `organization`, `admin`; or `all`. `public-only` beside them keeps the token to what is public.',
    examples: [['write:package']],
  }),
  packages: patterns.nullish().meta({
    description:
      'Patterns of the packages that it is for, each with its owner; `*` stands for any characters of a name, or for every owner. null for all packages. Such a token has no scopes but `read:package` and `write:package`.',
    examples: [['acme/tool-*']],
  }),
  expires_at: tokenEnd.nullish().meta({ description: 'When it ends; null for never.' }),
}).meta({ id: 'CreateAccessTokenOption' })

/** `/users/{name}/tokens`: making, listing and deleting access tokens. */
export function tokens(parts: HttpParts): Hono<ApiEnv> {
  const keyringFor = async (c: Context<ApiEnv>, scope: 'read:user' | 'write:user'): Promise<TokenKeyring> => {
    const owner = c.req.param('name') ?? ''
    const resolved = await c.env.resolve(addressKeys({ owner, package: '', version: '', file: '' }))
    const caller = signedIn(byBasic(resolved.caller), scope)
    const found = ownerAt(resolved)
    const user = found && (await parts.accounts.byId(found.id))
    if (!user || !maySee(caller, { ...user, kind: 'user' })) {
      throw new Problem('not-found', 'Not found.')
    }
    return parts.tokens.of(user, caller)
  }

  return new Hono<ApiEnv>()
    .get(
      '/users/:name/tokens',
      documented({
        tag: 'users',
        id: 'listTokens',
        summary: 'The tokens of a user',
        description: 'For the user and administrators.',
        callers: 'basic',
        page: accessToken,
      }),
      async (c) => {
        const page = pageOf(new URL(c.req.url))
        const { tokens, total } = await parts.tokens.list(await keyringFor(c, 'read:user'), page)
        const shown = tokens.map((token) => tokenShape(token))
        return jsonPage(shown, total, page, publicAddress(parts.publicUrl(), c.req.raw))
      },
    )
    .post(
      '/users/:name/tokens',
      documented({
        tag: 'users',
        id: 'createToken',
        summary: 'Make a token',
        description: 'For the user and administrators. A token makes none that may do more than itself.',
        callers: 'basic',
        body: newToken,
        answers: {
          201: { description: 'The token; `sha1` is what to call with, and is told this once.', schema: accessToken },
        },
      }),
      async (c) => {
        const keyring = await keyringFor(c, 'write:user')
        const wanted = await jsonBody(c.req.raw, newToken)
        const { token, secret } = await parts.tokens.create(keyring, {
          name: wanted.name,
          scopes: wanted.scopes ?? [],
          expiresAt: wanted.expires_at ?? undefined,
          packages: wanted.packages ?? undefined,
        })
        parts.log.info(
          { 'user.name': keyring.user.name, 'token.id': token.id },
          `Made a token for ${keyring.user.name}`,
        )
        return json(tokenShape(token, secret), 201)
      },
    )
    .delete(
      '/users/:name/tokens/:token',
      documented({
        tag: 'users',
        id: 'deleteToken',
        summary: 'Delete a token',
        description: 'For the user and administrators.',
        callers: 'basic',
        answers: { 204: { description: 'It is gone, and with it those that it made.' } },
      }),
      async (c) => {
        const keyring = await keyringFor(c, 'write:user')
        await parts.tokens.remove(keyring, c.req.param('token'))
        parts.log.info({ 'user.name': keyring.user.name }, `Deleted a token of ${keyring.user.name}`)
        return new Response(null, { status: 204 })
      },
    )
}
