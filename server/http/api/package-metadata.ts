import { Hono } from 'hono'
import { z } from 'zod'
import { actorOf } from '../../access/caller.ts'
import { changePackage, longest, mostLabels, showPackage } from '../../registry/package-text.ts'
import type { HttpParts } from '../parts.ts'
import { bodyOf, json, jsonBody, text } from './answers.ts'
import type { ApiEnv } from './app.ts'
import { documented } from './documented.ts'
import { packageToReadAt, packageToWriteAt } from './package-calls.ts'
import { webAddress } from './profile-fields.ts'
import { packageMetadata } from './schemas.ts'
import { packageMetadataShape } from './shapes.ts'

function textUpTo(characters: number) {
  return text('must be text').max(characters, `may have ${characters} characters at most`).nullish()
}

const label = z
  .string('must be text')
  .regex(
    new RegExp(`^[A-Za-z0-9._:-]{1,${longest.label}}$`),
    `must have 1 to ${longest.label} letters, digits, "-", "_", "." and ":"`,
  )

const labels = z
  .array(label, 'must be a list of labels')
  .max(mostLabels, `may be ${mostLabels} at most`)
  .refine(
    (all) => new Set(all.map((one) => one.toLowerCase())).size === all.length,
    'may have no label twice, in whatever letter case',
  )
  .nullish()

export const changedMetadata = bodyOf({
  description: textUpTo(longest.description),
  readme: textUpTo(longest.readme).meta({ description: 'Markdown.' }),
  homepage: webAddress,
  repository_url: webAddress,
  labels: labels.meta({ description: 'None twice, in whatever letter case.' }),
})

/** `/packages/{owner}/generic/{name}/-/metadata`: what its people say of a package. */
export function packageMetadataRoutes(parts: HttpParts): Hono<ApiEnv> {
  return new Hono<ApiEnv>()
    .get(
      '/packages/:owner/generic/:name/-/metadata',
      documented({
        tag: 'packages',
        id: 'getPackageMetadata',
        summary: 'What is said of a package, and what it has',
        description: 'Also of a package that has no version any more, as long as something is said of it.',
        callers: 'anybody',
        answers: { 200: { description: 'The package.', schema: packageMetadata } },
      }),
      async (c) => {
        const grant = await packageToReadAt(c)
        return json(packageMetadataShape(await showPackage(parts.registry, grant), grant.mayWrite))
      },
    )
    .patch(
      '/packages/:owner/generic/:name/-/metadata',
      documented({
        tag: 'packages',
        id: 'changePackageMetadata',
        summary: 'Change what is said of a package',
        description:
          'For those who may write to the owner. Fields that are not sent stay as they are; an empty text, or no label, takes ' +
          'away. A package of which something is said outlives its last version, until it is deleted itself.',
        body: changedMetadata,
        answers: { 200: { description: 'The package as it is now.', schema: packageMetadata } },
      }),
      async (c) => {
        const grant = await packageToWriteAt(c)
        const wanted = await jsonBody(c.req.raw, changedMetadata)
        const changed = await changePackage(parts.registry, grant, {
          description: wanted.description ?? undefined,
          readme: wanted.readme ?? undefined,
          homepage: wanted.homepage ?? undefined,
          repository_url: wanted.repository_url ?? undefined,
          labels: wanted.labels ?? undefined,
        })
        parts.log.info(
          {
            'package.owner': grant.owner.name,
            'package.name': changed.name,
            'user.name': actorOf(grant.caller).name,
          },
          `Changed what is said of ${grant.owner.name}/${changed.name}`,
        )
        return json(packageMetadataShape(changed, true))
      },
    )
}
