import { z } from 'zod'
import { jobStates } from '../../registry/jobs.ts'

/*
 * What the JSON API answers with, for the functions of `shapes.ts` and for `/api/v1/openapi.json`. A field that is here is
 * always there; new ones may be added, none is removed.
 */

/** RFC 3339, as `shapes.ts` writes it. */
export const time = z.string().meta({ format: 'date-time' })
const id = z.int()

export const apiError = z
  .object({ message: z.string(), url: z.string() })
  .meta({ id: 'APIError', description: 'Why something was refused.' })

export const job = z
  .object({
    id,
    kind: z.string(),
    subject: z.string(),
    state: z.enum(jobStates),
    attempts: z.int(),
    due_at: time,
    last_error: z.string().nullable(),
    given_up_at: time.nullable(),
    created_at: time,
  })
  .meta({ id: 'Job', description: 'Work that no request waits for.' })
