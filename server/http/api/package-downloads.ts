import { Hono } from 'hono'
import { z } from 'zod'
import { Problem } from '../../problems.ts'
import { mostDays, showDownloads } from '../../registry/downloads.ts'
import type { HttpParts } from '../parts.ts'
import { json } from './answers.ts'
import type { ApiEnv } from './app.ts'
import { documented } from './documented.ts'
import { packageToReadAt } from './package-calls.ts'
import { packageDownloads } from './schemas.ts'
import { downloadsShape } from './shapes.ts'

const defaultDays = 30

/** `/packages/{owner}/generic/{name}/-/downloads`: how often a package, or a version, was downloaded. */
export function packageDownloadsRoutes(parts: HttpParts): Hono<ApiEnv> {
  return new Hono<ApiEnv>().get(
    '/packages/:owner/generic/:name/-/downloads',
    documented({
      tag: 'packages',
      id: 'getDownloads',
      summary: 'How often a package was downloaded',
      description:
        'A transfer counts once: a whole file, or the range with its first byte. What was counted is shown a minute later at ' +
        'most. A package keeps the downloads of versions that were deleted, and a version those of its files.',
      callers: 'anybody',
      query: {
        days: {
          description: 'Days that are told one by one, today being the last.',
          schema: z.int().min(1).max(mostDays).default(defaultDays),
        },
        version: { description: 'Of this version alone, with totals of its files.', schema: z.string() },
      },
      answers: { 200: { description: 'Downloads; days are those of UTC.', schema: packageDownloads } },
    }),
    async (c) => {
      const grant = await packageToReadAt(c)
      const days = daysFrom(c.req.query('days'))
      const version = c.req.query('version') || undefined
      return json(downloadsShape(await showDownloads(parts.registry, grant, version, days)))
    },
  )
}

function daysFrom(text: string | undefined): number {
  if (!text) return defaultDays
  if (/^\d{1,3}$/.test(text) && Number(text) >= 1 && Number(text) <= mostDays) return Number(text)
  throw new Problem('unprocessable', `days: must be a number from 1 to ${mostDays}`)
}
