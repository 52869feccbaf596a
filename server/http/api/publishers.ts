import { Hono } from 'hono'
import { z } from 'zod'
import type { OwnerGrant } from '../../access/owner-grant.ts'
import { mostPatterns } from '../../access/package-patterns.ts'
import { mostPublishers } from '../../access/publishers.ts'
import { versionOrigins } from '../../registry/origins.ts'
import type { HttpParts } from '../parts.ts'
import { bodyOf, json, jsonBody, jsonPage, pageOf, publicAddress, text } from './answers.ts'
import type { ApiEnv } from './app.ts'
import { documented, type RouteText } from './documented.ts'
import { ownerToRunAt, packageToReadAt } from './package-calls.ts'
import { fileOrigin, trustedPublisher } from './schemas.ts'
import { fileOriginShape, publisherShape } from './shapes.ts'

const nameIsMissing = 'is missing: name it after the project or the workflow'
export const publisherName = text(nameIsMissing)
  .trim()
  .min(1, nameIsMissing)
  .max(255, 'may have 255 characters at most')

const issuer = text('is missing: say who signs the ID tokens')
  .max(500, 'may have 500 characters at most')
  .meta({
    description: 'One of those that `STOWAGE_OIDC_PUBLISHERS` names, as its tokens have it in `iss`.',
    examples: ['https://token.actions.githubusercontent.com'],
  })
const claims = z.record(text('must be a claim'), text('must be a text'), 'must be an object of claims and texts').meta({
  description:
    'What the ID token must say. One claim pins what nobody else can ever have, and has no wildcards: `repository_id` of GitHub, `project_id` of GitLab, else `sub`. In all others `*` stands for any characters.',
  examples: [{ repository_id: '74', ref: 'refs/tags/v*' }],
})
const packages = z
  .array(text('must be a text'), 'must be a list of patterns')
  .min(1, 'name one at least, or * for all')
  .max(mostPatterns, `may be ${mostPatterns} at most`)
  .meta({
    description: "Patterns of this owner's packages; `*` stands for any characters.",
    examples: [['tool-*']],
  })

const newPublisher = bodyOf({ name: publisherName, issuer, claims, packages }).meta({
  id: 'CreateTrustedPublisherOption',
})
const changedPublisher = bodyOf({
  name: publisherName.nullish(),
  issuer: issuer.nullish(),
  claims: claims.nullish(),
  packages: packages.nullish(),
}).meta({ id: 'EditTrustedPublisherOption' })

const owners =
  'For the user, the owners of the organisation, and administrators. At a user it takes the scope `user` in the place of `organization`.'

/** `/owners/{owner}/publishers`: which jobs may publish there without a stored secret; and what is known of those that did. */
export function publishers(parts: HttpParts): Hono<ApiEnv> {
  const log = ({ owner, caller }: OwnerGrant<'write'>, name: string, what: string) =>
    parts.log.info(
      { 'package.owner': owner.name, 'publisher.name': name, 'user.name': caller.account.name },
      `${what} the trusted publisher ${name} of ${owner.name}`,
    )
  const one: RouteText['answers'] = { 200: { description: 'The rule.', schema: trustedPublisher } }

  return new Hono<ApiEnv>()
    .get(
      '/owners/:owner/publishers',
      documented({
        tag: 'packages',
        id: 'listTrustedPublishers',
        summary: 'Which jobs may publish at an owner without a stored secret',
        description: owners,
        page: trustedPublisher,
      }),
      async (c) => {
        const page = pageOf(new URL(c.req.url))
        const { publishers, total } = await parts.publishers.list(await ownerToRunAt(c, 'read'), page)
        return jsonPage(publishers.map(publisherShape), total, page, publicAddress(parts.publicUrl(), c.req.raw))
      },
    )
    .post(
      '/owners/:owner/publishers',
      documented({
        tag: 'packages',
        id: 'createTrustedPublisher',
        summary: 'Let jobs publish',
        description: `${owners} ${mostPublishers} at most. A rule that pins no immutable id is 400.`,
        body: newPublisher,
        answers: { 201: { description: 'The rule.', schema: trustedPublisher } },
      }),
      async (c) => {
        const grant = await ownerToRunAt(c, 'write')
        const made = await parts.publishers.create(grant, await jsonBody(c.req.raw, newPublisher))
        log(grant, made.name, 'Made')
        return json(publisherShape(made), 201)
      },
    )
    .get(
      '/owners/:owner/publishers/:id',
      documented({
        tag: 'packages',
        id: 'getTrustedPublisher',
        summary: 'A rule by which jobs may publish',
        description: owners,
        answers: one,
      }),
      async (c) => json(publisherShape(await parts.publishers.show(await ownerToRunAt(c, 'read'), c.req.param('id')))),
    )
    .patch(
      '/owners/:owner/publishers/:id',
      documented({
        tag: 'packages',
        id: 'editTrustedPublisher',
        summary: 'Change by what rule jobs may publish',
        description: `${owners} What is left out stays; \`claims\` and \`packages\` are taken as a whole. Tokens that jobs hold by it end.`,
        body: changedPublisher,
        answers: one,
      }),
      async (c) => {
        const grant = await ownerToRunAt(c, 'write')
        const { name, issuer, claims, packages } = await jsonBody(c.req.raw, changedPublisher)
        const changed = await parts.publishers.change(grant, c.req.param('id'), {
          ...(name == null ? {} : { name }),
          ...(issuer == null ? {} : { issuer }),
          ...(claims == null ? {} : { claims }),
          ...(packages == null ? {} : { packages }),
        })
        log(grant, changed.name, 'Changed')
        return json(publisherShape(changed))
      },
    )
    .delete(
      '/owners/:owner/publishers/:id',
      documented({
        tag: 'packages',
        id: 'deleteTrustedPublisher',
        summary: 'Let jobs publish no more',
        description: owners,
        answers: { 204: { description: 'It is gone, and the tokens that jobs hold by it.' } },
      }),
      async (c) => {
        const grant = await ownerToRunAt(c, 'write')
        const { id, name } = await parts.publishers.show(grant, c.req.param('id'))
        await parts.publishers.remove(grant, String(id))
        log(grant, name, 'Deleted')
        return new Response(null, { status: 204 })
      },
    )
    .get(
      '/packages/:owner/generic/:name/:version/origins',
      documented({
        tag: 'packages',
        id: 'listFileOrigins',
        summary: 'Which jobs published the files of a version',
        description:
          'Files that somebody published with a token or a password are left out. The claims are those of the ID token, as its issuer has vouched for them.',
        page: fileOrigin,
      }),
      async (c) => {
        const page = pageOf(new URL(c.req.url))
        const grant = await packageToReadAt(c)
        const { origins, total } = await versionOrigins(parts.registry, grant, c.req.param('version'), page)
        return jsonPage(origins.map(fileOriginShape), total, page, publicAddress(parts.publicUrl(), c.req.raw))
      },
    )
}
