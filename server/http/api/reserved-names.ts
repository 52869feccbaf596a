import { Hono } from 'hono'
import { administer } from '../../access/grant.ts'
import type { HttpParts } from '../parts.ts'
import { jsonPage, pageOf, publicAddress } from './answers.ts'
import type { ApiEnv } from './app.ts'
import { documented } from './documented.ts'
import { reservedName } from './schemas.ts'
import { reservedNameShape } from './shapes.ts'

/** `/admin/reserved-names`: names that users and organisations had before. */
export function reservedNames(parts: HttpParts): Hono<ApiEnv> {
  return new Hono<ApiEnv>()
    .get(
      '/admin/reserved-names',
      documented({
        tag: 'admin',
        id: 'listReservedNames',
        summary: 'Names that users and organisations had before',
        page: reservedName,
      }),
      async (c) => {
        const grant = administer(await c.env.askCaller(), 'read')
        const page = pageOf(new URL(c.req.url))
        const { names, total } = await parts.ownerNames.reserved(grant, page)
        return jsonPage(names.map(reservedNameShape), total, page, publicAddress(parts.publicUrl(), c.req.raw))
      },
    )
    .delete(
      '/admin/reserved-names/:name',
      documented({
        tag: 'admin',
        id: 'deleteReservedName',
        summary: 'Free a name',
        answers: { 204: { description: 'Anybody may take it; it leads nowhere any more.' } },
      }),
      async (c) => {
        const grant = administer(await c.env.askCaller(), 'write')
        const name = c.req.param('name')
        await parts.ownerNames.free(grant, name)
        parts.log.info({ 'owner.name': name, 'admin.name': grant.caller.account.name }, `Freed the name ${name}`)
        return new Response(null, { status: 204 })
      },
    )
}
