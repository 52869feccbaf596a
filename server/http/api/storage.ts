import { Hono } from 'hono'
import { administer } from '../../access/grant.ts'
import { SharedRun } from '../../lib/shared-run.ts'
import { type StorageView, sweepSoon, viewStorage } from '../../registry/storage.ts'
import type { HttpParts } from '../parts.ts'
import { json } from './answers.ts'
import type { ApiEnv } from './app.ts'
import { documented } from './documented.ts'
import * as schemas from './schemas.ts'
import { storageShape } from './shapes.ts'

/** `/admin/storage`: what lies in the blob store, and what became of what was deleted. */
export function storage(parts: HttpParts): Hono<ApiEnv> {
  // Adding up a million blobs takes a second or two: one at a time, for all who ask.
  const views = new SharedRun<StorageView>()
  return new Hono<ApiEnv>()
    .get(
      '/admin/storage',
      documented({
        tag: 'admin',
        id: 'getStorage',
        summary: 'What lies in the blob store',
        description: 'Adds up what is stored each time it is asked: no more often than somebody looks at it.',
        answers: { 200: { description: 'The blob store.', schema: schemas.storage } },
      }),
      async (c) => {
        const grant = administer(await c.env.askCaller(), 'read')
        return json(storageShape(await views.ask(() => viewStorage(parts.registry, grant))))
      },
    )
    .post(
      '/admin/storage/sweep',
      documented({
        tag: 'admin',
        id: 'sweepStorage',
        summary: 'Remove what nothing refers to, now',
        description:
          'As soon as possible, by whichever server. What was deleted stays for its grace, and while a hold is on.',
        answers: { 202: { description: 'It will be done: `last_sweep` tells.' } },
      }),
      async (c) => {
        const grant = administer(await c.env.askCaller(), 'write')
        await sweepSoon(parts.registry, grant)
        parts.log.info({ 'admin.name': grant.caller.account.name }, 'A sweep was asked for')
        return new Response(null, { status: 202 })
      },
    )
}
