import { Hono } from 'hono'
import { z } from 'zod'
import { actorOf } from '../../access/caller.ts'
import { longestName } from '../../names.ts'
import { deleteVersions, mostNames } from '../../registry/delete-versions.ts'
import type { HttpParts } from '../parts.ts'
import { bodyOf, json, jsonBody, text } from './answers.ts'
import type { ApiEnv } from './app.ts'
import { documented } from './documented.ts'
import { packageToWriteAt } from './package-calls.ts'
import { deletedVersions } from './schemas.ts'
import { deletionShape } from './shapes.ts'

const chosenVersions = bodyOf({
  versions: z
    .array(text('must be text'), 'must be a list of versions')
    .min(1, 'must name a version')
    .max(mostNames, `may be ${mostNames} at most`)
    .optional()
    .meta({ description: 'By name.' }),
  pattern: text('must be text')
    .min(1, 'must not be empty')
    .max(longestName, `may have ${longestName} characters at most`)
    .optional()
    .meta({ description: 'With `*` and `?`, such as `1.*-rc?`.' }),
  dry_run: z.boolean('must be true or false').optional().meta({ description: 'Only tells what would be deleted.' }),
}).refine(({ versions, pattern }) => (versions === undefined) !== (pattern === undefined), {
  error: 'Send either versions or a pattern.',
})

/** `/packages/{owner}/generic/{name}/-/delete-versions`: many versions at once. */
export function deleteVersionsRoute(parts: HttpParts): Hono<ApiEnv> {
  return new Hono<ApiEnv>().post(
    '/packages/:owner/generic/:name/-/delete-versions',
    documented({
      tag: 'packages',
      id: 'deleteVersions',
      summary: 'Delete many versions of a package',
      description:
        'For those who may write to the owner. Either `versions`, by name, or `pattern`, in which `*` stands for any characters ' +
        'or none and `?` for any one; letter case does not count in either. With `dry_run` nothing is deleted. ' +
        'Versions go one after the other: where the call is broken off, the same call goes on.',
      body: chosenVersions,
      answers: { 200: { description: 'What was deleted, or would be.', schema: deletedVersions } },
    }),
    async (c) => {
      const grant = await packageToWriteAt(c)
      const { versions, pattern = '', dry_run: dryRun = false } = await jsonBody(c.req.raw, chosenVersions)
      const choice = versions ? { names: versions } : { pattern }
      const name = c.req.param('name')
      const deletion = await deleteVersions(parts.registry, grant, { choice, dryRun })
      if (!dryRun) {
        parts.log.info(
          {
            'package.owner': grant.owner.name,
            'package.name': name,
            'deletion.versions': deletion.total,
            'user.name': actorOf(grant.caller).name,
          },
          `Removed ${deletion.total} versions of ${grant.owner.name}/${name}`,
        )
      }
      return json(deletionShape(deletion, dryRun))
    },
  )
}
