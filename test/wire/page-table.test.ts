import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { HttpParts } from '../../server/http/parts.ts'
import { pageRoutes } from '../../server/pages/app.ts'
import { pictures } from '../screenshots/pages.ts'
import { makeWorld, password } from '../support/access-world.ts'
import { Browser } from '../support/browser.ts'
import { dropDatabaseOf } from '../support/database.ts'
import { startStowage, type TestStowage } from '../support/stowage.ts'

/*
 * Every page and every form, and who is let in. Forms are sent empty, so that nothing is changed by who is let in: 422 is somebody who
 * may, and typed nothing.
 *
 * anon: nobody; 303 leads to the sign-in. eve: a stranger. mem: member of a team of the organisation that may write. own: its owner.
 * self: the user in the address. adm: a site administrator. must: who must set a new password first, and is led there. `org` in an
 * address, and `owner`, is a public organisation; `name` below `/-/admin/users` a public user. A change of this table is written by
 * `UPDATE_PAGE_TABLE=1 npx bun test test/wire/page-table.test.ts -t 'writes the table'`, to be read line by line.
 */
const table = `
  route                                                               | anon      | eve | mem | own | self | adm | must
  GET /                                                               | 200       | 200 | 200 | 200 | 200  | 200 | 303 password
  GET /-/admin                                                        | 303 login | 403 | 403 | 403 | 403  | 200 | 303 password
  GET /-/admin/audit                                                  | 303 login | 403 | 403 | 403 | 403  | 200 | 303 password
  GET /-/admin/invitations                                            | 303 login | 403 | 403 | 403 | 403  | 200 | 303 password
  GET /-/admin/jobs                                                   | 303 login | 403 | 403 | 403 | 403  | 200 | 303 password
  GET /-/admin/names                                                  | 303 login | 403 | 403 | 403 | 403  | 200 | 303 password
  GET /-/admin/quotas                                                 | 303 login | 403 | 403 | 403 | 403  | 200 | 303 password
  GET /-/admin/quotas/:owner                                          | 303 login | 403 | 403 | 403 | 403  | 200 | 303 password
  GET /-/admin/settings                                               | 303 login | 403 | 403 | 403 | 403  | 200 | 303 password
  GET /-/admin/storage                                                | 303 login | 403 | 403 | 403 | 403  | 200 | 303 password
  GET /-/admin/users                                                  | 303 login | 403 | 403 | 403 | 403  | 200 | 303 password
  GET /-/admin/users/:name                                            | 303 login | 403 | 403 | 403 | 403  | 200 | 303 password
  GET /-/admin/users/:name/delete                                     | 303 login | 403 | 403 | 403 | 403  | 200 | 303 password
  GET /-/admin/users/new                                              | 303 login | 403 | 403 | 403 | 403  | 200 | 303 password
  GET /-/admin/webhooks                                               | 303 login | 403 | 403 | 403 | 403  | 200 | 303 password
  GET /-/admin/webhooks/:id                                           | 303 login | 403 | 403 | 403 | 403  | 404 | 303 password
  GET /-/admin/webhooks/:id/delete                                    | 303 login | 403 | 403 | 403 | 403  | 404 | 303 password
  GET /-/admin/webhooks/:id/deliveries/:delivery                      | 303 login | 403 | 403 | 403 | 403  | 404 | 303 password
  GET /-/admin/webhooks/:id/edit                                      | 303 login | 403 | 403 | 403 | 403  | 404 | 303 password
  GET /-/admin/webhooks/new                                           | 303 login | 403 | 403 | 403 | 403  | 200 | 303 password
  GET /-/search                                                       | 200       | 200 | 200 | 200 | 200  | 200 | 303 password
  GET /:org/-/invitations                                             | 303 login | 403 | 403 | 200 | 403  | 200 | 303 password
  GET /:org/-/members                                                 | 303 login | 403 | 200 | 200 | 403  | 200 | 303 password
  GET /:org/-/members/:user/remove                                    | 303 login | 403 | 404 | 404 | 403  | 404 | 303 password
  GET /:org/-/teams                                                   | 303 login | 403 | 200 | 200 | 403  | 200 | 303 password
  GET /:org/-/teams/:id                                               | 303 login | 403 | 200 | 200 | 403  | 200 | 303 password
  GET /:org/-/teams/:id/delete                                        | 303 login | 403 | 403 | 422 | 403  | 422 | 303 password
  GET /:org/-/teams/:id/members/:user/remove                          | 303 login | 403 | 404 | 404 | 403  | 404 | 303 password
  GET /:org/-/teams/new                                               | 303 login | 403 | 403 | 200 | 403  | 200 | 303 password
  GET /:owner                                                         | 200       | 200 | 200 | 200 | 200  | 200 | 303 password
  GET /:owner/-/audit                                                 | 303 login | 403 | 403 | 200 | 403  | 200 | 303 password
  GET /:owner/-/deploy-tokens                                         | 303 login | 403 | 403 | 200 | 403  | 200 | 303 password
  GET /:owner/-/deploy-tokens/:id/delete                              | 303 login | 403 | 403 | 404 | 403  | 404 | 303 password
  GET /:owner/-/deploy-tokens/new                                     | 303 login | 403 | 403 | 200 | 403  | 200 | 303 password
  GET /:owner/-/packages                                              | 200       | 200 | 200 | 200 | 200  | 200 | 303 password
  GET /:owner/-/packages/generic/:name                                | 200       | 200 | 200 | 200 | 200  | 200 | 303 password
  GET /:owner/-/packages/generic/:name/-/access                       | 303 login | 403 | 403 | 200 | 403  | 200 | 303 password
  GET /:owner/-/packages/generic/:name/-/audit                        | 303 login | 403 | 200 | 200 | 403  | 200 | 303 password
  GET /:owner/-/packages/generic/:name/-/delete                       | 303 login | 403 | 200 | 200 | 403  | 200 | 303 password
  GET /:owner/-/packages/generic/:name/-/delete-versions              | 303 login | 403 | 200 | 200 | 403  | 200 | 303 password
  GET /:owner/-/packages/generic/:name/-/edit                         | 303 login | 403 | 200 | 200 | 403  | 200 | 303 password
  GET /:owner/-/packages/generic/:name/-/version/:version             | 200       | 200 | 200 | 200 | 200  | 200 | 303 password
  GET /:owner/-/packages/generic/:name/-/version/:version/delete      | 303 login | 403 | 200 | 200 | 403  | 200 | 303 password
  GET /:owner/-/packages/generic/:name/-/version/:version/delete/:id  | 303 login | 403 | 404 | 404 | 403  | 404 | 303 password
  GET /:owner/-/packages/generic/:name/:version                       | 200       | 200 | 200 | 200 | 200  | 200 | 303 password
  GET /:owner/-/packages/generic/:name/:version/files/:id             | 200       | 200 | 200 | 200 | 200  | 200 | 303 password
  GET /:owner/-/packages/generic/:name/versions                       | 200       | 200 | 200 | 200 | 200  | 200 | 303 password
  GET /:owner/-/publishers                                            | 303 login | 403 | 403 | 200 | 403  | 200 | 303 password
  GET /:owner/-/publishers/:id                                        | 303 login | 403 | 403 | 404 | 403  | 404 | 303 password
  GET /:owner/-/publishers/:id/delete                                 | 303 login | 403 | 403 | 404 | 403  | 404 | 303 password
  GET /:owner/-/publishers/:id/edit                                   | 303 login | 403 | 403 | 404 | 403  | 404 | 303 password
  GET /:owner/-/publishers/new                                        | 303 login | 403 | 403 | 303 | 403  | 303 | 303 password
  GET /:owner/-/settings                                              | 303 login | 403 | 403 | 200 | 403  | 200 | 303 password
  GET /:owner/-/settings/delete                                       | 303 login | 403 | 403 | 200 | 403  | 200 | 303 password
  GET /:owner/-/settings/rename                                       | 303 login | 403 | 403 | 200 | 403  | 200 | 303 password
  GET /:owner/-/upload                                                | 303 login | 403 | 200 | 200 | 403  | 200 | 303 password
  GET /:owner/-/upload/:package/:version/:file                        | 401       | 403 | 200 | 200 | 403  | 200 | 303 password
  GET /:owner/-/usage                                                 | 200       | 200 | 200 | 200 | 200  | 200 | 303 password
  GET /:owner/-/webhooks                                              | 303 login | 403 | 403 | 200 | 403  | 200 | 303 password
  GET /:owner/-/webhooks/:id                                          | 303 login | 403 | 403 | 404 | 403  | 404 | 303 password
  GET /:owner/-/webhooks/:id/delete                                   | 303 login | 403 | 403 | 404 | 403  | 404 | 303 password
  GET /:owner/-/webhooks/:id/deliveries/:delivery                     | 303 login | 403 | 403 | 404 | 403  | 404 | 303 password
  GET /:owner/-/webhooks/:id/edit                                     | 303 login | 403 | 403 | 404 | 403  | 404 | 303 password
  GET /:owner/-/webhooks/new                                          | 303 login | 403 | 403 | 200 | 403  | 200 | 303 password
  GET /org/create                                                     | 303 login | 200 | 200 | 200 | 200  | 200 | 303 password
  GET /user/forgot-password                                           | 200       | 200 | 200 | 200 | 200  | 200 | 303 password
  GET /user/invitation                                                | 200       | 200 | 200 | 200 | 200  | 200 | 303 password
  GET /user/login                                                     | 200       | 303 | 303 | 303 | 303  | 303 | 303 password
  GET /user/login/code                                                | 303 login | 303 | 303 | 303 | 303  | 303 | 303 password
  GET /user/oidc/:provider                                            | 503       | 303 | 303 | 303 | 303  | 303 | 303 password
  GET /user/oidc/:provider/callback                                   | 400       | 400 | 400 | 400 | 400  | 400 | 303 password
  GET /user/oidc/:provider/name                                       | 400       | 400 | 400 | 400 | 400  | 400 | 303 password
  GET /user/organisations                                             | 303 login | 200 | 200 | 200 | 200  | 200 | 303 password
  GET /user/password-reset                                            | 200       | 200 | 200 | 200 | 200  | 200 | 303 password
  GET /user/settings                                                  | 303 login | 200 | 200 | 200 | 200  | 200 | 303 password
  GET /user/settings/audit                                            | 303 login | 200 | 200 | 200 | 200  | 200 | 303 password
  GET /user/settings/identities                                       | 303 login | 200 | 200 | 200 | 200  | 200 | 303 password
  GET /user/settings/passkeys                                         | 303 login | 200 | 200 | 200 | 200  | 200 | 303 password
  GET /user/settings/passkeys/:id                                     | 303 login | 404 | 404 | 404 | 404  | 404 | 303 password
  GET /user/settings/password                                         | 303 login | 200 | 200 | 200 | 200  | 200 | 200
  GET /user/settings/sessions                                         | 303 login | 200 | 200 | 200 | 200  | 200 | 303 password
  GET /user/settings/tokens                                           | 303 login | 200 | 200 | 200 | 200  | 200 | 303 password
  GET /user/settings/tokens/:id/delete                                | 303 login | 404 | 404 | 404 | 404  | 404 | 303 password
  GET /user/settings/two-factor                                       | 303 login | 200 | 200 | 200 | 200  | 200 | 303 password
  GET /user/settings/two-factor/off                                   | 303 login | 303 | 303 | 303 | 303  | 303 | 303 password
  GET /user/settings/two-factor/recovery-codes                        | 303 login | 303 | 303 | 303 | 303  | 303 | 303 password
  GET /user/sign-up                                                   | 403       | 403 | 403 | 403 | 403  | 403 | 303 password
  POST /-/admin/invitations                                           | 401       | 403 | 403 | 403 | 403  | 422 | 303 password
  POST /-/admin/invitations/:id/withdraw                              | 401       | 403 | 403 | 403 | 403  | 404 | 303 password
  POST /-/admin/jobs/:id/delete                                       | 401       | 403 | 403 | 403 | 403  | 404 | 303 password
  POST /-/admin/jobs/:id/retry                                        | 401       | 403 | 403 | 403 | 403  | 404 | 303 password
  POST /-/admin/names/:name/free                                      | 401       | 403 | 403 | 403 | 403  | 404 | 303 password
  POST /-/admin/quotas                                                | 401       | 403 | 403 | 403 | 403  | 303 | 303 password
  POST /-/admin/quotas/:owner                                         | 401       | 403 | 403 | 403 | 403  | 303 | 303 password
  POST /-/admin/quotas/:owner/remove                                  | 401       | 403 | 403 | 403 | 403  | 303 | 303 password
  POST /-/admin/recount                                               | 401       | 403 | 403 | 403 | 403  | 303 | 303 password
  POST /-/admin/storage/sweep                                         | 401       | 403 | 403 | 403 | 403  | 303 | 303 password
  POST /-/admin/users/:name                                           | 401       | 403 | 403 | 403 | 403  | 422 | 303 password
  POST /-/admin/users/:name/delete                                    | 401       | 403 | 403 | 403 | 403  | 422 | 303 password
  POST /-/admin/users/:name/end-sessions                              | 401       | 403 | 403 | 403 | 403  | 422 | 303 password
  POST /-/admin/users/:name/password                                  | 401       | 403 | 403 | 403 | 403  | 422 | 303 password
  POST /-/admin/users/:name/password-reset                            | 401       | 403 | 403 | 403 | 403  | 200 | 303 password
  POST /-/admin/users/:name/reinstate                                 | 401       | 403 | 403 | 403 | 403  | 422 | 303 password
  POST /-/admin/users/:name/remove-passkeys                           | 401       | 403 | 403 | 403 | 403  | 422 | 303 password
  POST /-/admin/users/:name/remove-second-factor                      | 401       | 403 | 403 | 403 | 403  | 422 | 303 password
  POST /-/admin/users/:name/rename                                    | 401       | 403 | 403 | 403 | 403  | 422 | 303 password
  POST /-/admin/users/:name/unlink                                    | 401       | 403 | 403 | 403 | 403  | 422 | 303 password
  POST /-/admin/users/new                                             | 401       | 403 | 403 | 403 | 403  | 422 | 303 password
  POST /-/admin/webhooks/:id/delete                                   | 401       | 403 | 403 | 403 | 403  | 404 | 303 password
  POST /-/admin/webhooks/:id/deliveries/:delivery/replay              | 401       | 403 | 403 | 403 | 403  | 404 | 303 password
  POST /-/admin/webhooks/:id/edit                                     | 401       | 403 | 403 | 403 | 403  | 404 | 303 password
  POST /-/admin/webhooks/new                                          | 401       | 403 | 403 | 403 | 403  | 422 | 303 password
  POST /-/theme                                                       | 303       | 303 | 303 | 303 | 303  | 303 | 303
  POST /:org/-/invitations                                            | 401       | 403 | 403 | 422 | 403  | 422 | 303 password
  POST /:org/-/invitations/:id/withdraw                               | 401       | 403 | 403 | 404 | 403  | 404 | 303 password
  POST /:org/-/members/:user/remove                                   | 401       | 403 | 404 | 404 | 403  | 404 | 303 password
  POST /:org/-/teams/:id                                              | 401       | 403 | 403 | 422 | 403  | 422 | 303 password
  POST /:org/-/teams/:id/delete                                       | 401       | 403 | 403 | 422 | 403  | 422 | 303 password
  POST /:org/-/teams/:id/members                                      | 401       | 403 | 403 | 422 | 403  | 422 | 303 password
  POST /:org/-/teams/:id/members/:user/remove                         | 401       | 403 | 404 | 404 | 403  | 404 | 303 password
  POST /:org/-/teams/new                                              | 401       | 403 | 403 | 422 | 403  | 422 | 303 password
  POST /:owner/-/deploy-tokens/:id/delete                             | 401       | 403 | 403 | 404 | 403  | 404 | 303 password
  POST /:owner/-/deploy-tokens/new                                    | 401       | 403 | 403 | 422 | 403  | 422 | 303 password
  POST /:owner/-/packages/generic/:name/-/access                      | 401       | 403 | 403 | 422 | 403  | 422 | 303 password
  POST /:owner/-/packages/generic/:name/-/access/give                 | 401       | 403 | 403 | 400 | 403  | 400 | 303 password
  POST /:owner/-/packages/generic/:name/-/access/take                 | 401       | 403 | 403 | 400 | 403  | 400 | 303 password
  POST /:owner/-/packages/generic/:name/-/delete                      | 401       | 403 | 422 | 422 | 403  | 422 | 303 password
  POST /:owner/-/packages/generic/:name/-/delete-versions             | 401       | 403 | 422 | 422 | 403  | 422 | 303 password
  POST /:owner/-/packages/generic/:name/-/edit                        | 401       | 403 | 409 | 409 | 403  | 409 | 303 password
  POST /:owner/-/packages/generic/:name/-/version/:version/delete     | 401       | 403 | 422 | 422 | 403  | 422 | 303 password
  POST /:owner/-/packages/generic/:name/-/version/:version/delete/:id | 401       | 403 | 404 | 404 | 403  | 404 | 303 password
  POST /:owner/-/publishers/:id/delete                                | 401       | 403 | 403 | 404 | 403  | 404 | 303 password
  POST /:owner/-/publishers/:id/edit                                  | 401       | 403 | 403 | 404 | 403  | 404 | 303 password
  POST /:owner/-/publishers/new                                       | 401       | 403 | 403 | 422 | 403  | 422 | 303 password
  POST /:owner/-/settings                                             | 401       | 403 | 403 | 303 | 403  | 303 | 303 password
  POST /:owner/-/settings/delete                                      | 401       | 403 | 403 | 422 | 403  | 422 | 303 password
  POST /:owner/-/settings/rename                                      | 401       | 403 | 403 | 422 | 403  | 422 | 303 password
  POST /:owner/-/settings/visibility                                  | 401       | 403 | 403 | 422 | 403  | 422 | 303 password
  POST /:owner/-/upload                                               | 401       | 403 | 422 | 422 | 403  | 422 | 303 password
  POST /:owner/-/webhooks/:id/delete                                  | 401       | 403 | 403 | 404 | 403  | 404 | 303 password
  POST /:owner/-/webhooks/:id/deliveries/:delivery/replay             | 401       | 403 | 403 | 404 | 403  | 404 | 303 password
  POST /:owner/-/webhooks/:id/edit                                    | 401       | 403 | 403 | 404 | 403  | 404 | 303 password
  POST /:owner/-/webhooks/new                                         | 401       | 403 | 403 | 422 | 403  | 422 | 303 password
  POST /org/create                                                    | 401       | 422 | 422 | 422 | 422  | 422 | 303 password
  POST /user/forgot-password                                          | 404       | 404 | 404 | 404 | 404  | 404 | 303 password
  POST /user/invitation                                               | 422       | 422 | 422 | 422 | 422  | 422 | 303 password
  POST /user/login                                                    | 422       | 422 | 422 | 422 | 422  | 422 | 303 password
  POST /user/login/code                                               | 401       | 401 | 401 | 401 | 401  | 401 | 303 password
  POST /user/login/passkey                                            | 422       | 422 | 422 | 422 | 422  | 422 | 303 password
  POST /user/logout                                                   | 303       | 303 | 303 | 303 | 303  | 303 | 303
  POST /user/oidc/:provider/name                                      | 400       | 400 | 400 | 400 | 400  | 400 | 303 password
  POST /user/password-reset                                           | 422       | 422 | 422 | 422 | 422  | 422 | 303 password
  POST /user/settings                                                 | 401       | 422 | 422 | 422 | 422  | 422 | 303 password
  POST /user/settings/email                                           | 401       | 422 | 422 | 422 | 422  | 422 | 303 password
  POST /user/settings/identities                                      | 401       | 422 | 422 | 422 | 422  | 422 | 303 password
  POST /user/settings/passkeys                                        | 401       | 422 | 422 | 422 | 422  | 422 | 303 password
  POST /user/settings/passkeys/:id                                    | 401       | 404 | 404 | 404 | 404  | 404 | 303 password
  POST /user/settings/passkeys/:id/delete                             | 401       | 404 | 404 | 404 | 404  | 404 | 303 password
  POST /user/settings/passkeys/add                                    | 401       | 422 | 422 | 422 | 422  | 422 | 303 password
  POST /user/settings/password                                        | 401       | 422 | 422 | 422 | 422  | 422 | 422
  POST /user/settings/sessions                                        | 401       | 422 | 422 | 422 | 422  | 422 | 303 password
  POST /user/settings/tokens                                          | 401       | 422 | 422 | 422 | 422  | 422 | 303 password
  POST /user/settings/tokens/:id/delete                               | 401       | 404 | 404 | 404 | 404  | 404 | 303 password
  POST /user/settings/two-factor                                      | 401       | 422 | 422 | 422 | 422  | 422 | 303 password
  POST /user/settings/two-factor/confirm                              | 401       | 422 | 422 | 422 | 422  | 422 | 303 password
  POST /user/settings/two-factor/off                                  | 401       | 303 | 303 | 303 | 303  | 303 | 303 password
  POST /user/settings/two-factor/recovery-codes                       | 401       | 303 | 303 | 303 | 303  | 303 | 303 password
  POST /user/settings/two-factor/recovery-codes.txt                   | 401       | 422 | 422 | 422 | 422  | 422 | 303 password
  POST /user/sign-up                                                  | 403       | 403 | 403 | 403 | 403  | 403 | 303 password
  PUT /:owner/-/upload/:package/:version/:file                        | 401       | 403 | 201 | 409 | 403  | 409 | 303 password
`

interface Row {
  method: string
  path: string
  cells: Record<string, string>
}

function rowsOf(text: string): Row[] {
  const [head = [], ...rows] = text
    .trim()
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()))
  return rows.map(([route = '', ...cells]) => {
    const [method = '', path = ''] = route.split(' ')
    return { method, path, cells: Object.fromEntries(cells.map((cell, index) => [head[index + 1] ?? '', cell])) }
  })
}

const people = {
  anon: undefined,
  eve: 'stranger',
  mem: 'member-write',
  own: 'member-owner',
  self: 'public-user',
  adm: 'site-admin',
  must: 'must',
} as const

const dataDir = await mkdtemp(join(tmpdir(), 'stowage-pages-'))
let stowage: TestStowage
const browsers = new Map<string, Browser>()
let fileId = ''
let teamId = ''

beforeAll(async () => {
  await makeWorld(dataDir)
  // A provider that does not answer.
  const provider = { STOWAGE_OIDC_CORP_ISSUER: 'http://127.0.0.1:1', STOWAGE_OIDC_CORP_CLIENT_ID: 'stowage' }
  stowage = await startStowage({ dataDir, settings: provider })
  await stowage.user('must', { password, must_change_password: true })
  const files = await stowage.admin.fetch('/api/v1/packages/public-org/generic/tool/1.0/files')
  fileId = String(((await files.json()) as { id: number }[])[0]?.id)
  const teams = await stowage.admin.fetch('/api/v1/orgs/public-org/teams')
  teamId = String(((await teams.json()) as { id: number; name: string }[]).find(({ name }) => name === 'Owners')?.id)
  for (const [who, name] of Object.entries(people)) {
    const browser = new Browser(stowage)
    if (name !== undefined) expect((await browser.signIn(name, password)).status).toBe(200)
    browsers.set(who, browser)
  }
}, 120_000)

afterAll(async () => {
  await stowage.stop()
  await rm(dataDir, { recursive: true, force: true })
  await dropDatabaseOf(dataDir)
})

function address(path: string, owner = 'public-org'): string {
  return path.replaceAll(/:(\w+)/g, (_, name: string) => {
    if (path.startsWith('/-/admin')) return name === 'name' || name === 'owner' ? 'public-user' : '999'
    switch (name) {
      case 'owner':
      case 'org':
        return owner
      case 'name':
      case 'package':
        return 'tool'
      case 'version':
        return '1.0'
      case 'provider':
        return 'corp'
      case 'file':
        return 'new.bin'
      case 'id':
        return path.includes('/files/') ? fileId : path.includes('/teams/') ? teamId : '999'
      default:
        return '999'
    }
  })
}

/** The status, and for what leads on, where to: `login`, `password`, or nothing more. */
async function send(
  { method, path }: Pick<Row, 'method' | 'path'>,
  who: string,
  headers: Record<string, string> = {},
  owner?: string,
) {
  const isForm = method === 'POST'
  const kept = browsers.get(who)
  if (!kept) throw new Error(who)
  // Who signs out here is not signed out for what comes after.
  const browser = new Browser(stowage)
  browser.cookie = path === '/user/logout' ? undefined : kept.cookie
  const response = await browser.fetch(address(path, owner), {
    method,
    headers: { ...(isForm ? { 'Content-Type': 'application/x-www-form-urlencoded' } : {}), ...headers },
    ...(isForm ? { body: '' } : method === 'PUT' ? { body: '', headers } : {}),
  })
  const text = response.headers.get('content-type')?.startsWith('text/html') ? await response.text() : ''
  const to = response.headers.get('location') ?? ''
  const where = to.startsWith('/user/login') ? ' login' : to === '/user/settings/password' ? ' password' : ''
  return { status: `${response.status}${where}`, text, response }
}

/** Files, which are the same for everybody. */
const files = ['/-/assets/:name', '/favicon.ico', '/robots.txt']

/** Bytes, and what is asked by a script. */
const withoutPage = ['/:owner/-/packages/generic/:name/:version/files/:id', '/:owner/-/upload/:package/:version/:file']

/** What leads on to other sites. */
const leadingOn = ['/user/oidc/:provider']

function routes(): Pick<Row, 'method' | 'path'>[] {
  const known = pageRoutes({ access: {} } as HttpParts).routes.filter(
    ({ path }) => path !== '/*' && !files.includes(path),
  )
  const texts = new Set(known.map(({ method, path }) => `${method} ${path}`))
  return [...texts].sort().map((text) => {
    const [method = '', path = ''] = text.split(' ')
    return { method, path }
  })
}

if (process.env.UPDATE_PAGE_TABLE) {
  test('writes the table anew, to be read line by line', async () => {
    const names = Object.keys(people)
    const lines = [['route', ...names]]
    for (const route of routes()) {
      const cells: string[] = []
      for (const who of names) cells.push((await send(route, who)).status)
      lines.push([`${route.method} ${route.path}`, ...cells])
    }
    const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0))) ?? []
    console.log(
      lines.map((line) => `  ${line.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')}`.trimEnd()).join('\n'),
    )
  }, 120_000)
}

describe('who is let in', () => {
  test.each(rowsOf(table).map((row) => [`${row.method} ${row.path}`, row] as const))('%s', async (_, row) => {
    const found: Record<string, string> = {}
    for (const who of Object.keys(row.cells)) found[who] = (await send(row, who)).status
    expect(found).toEqual(row.cells)
  })

  test('every page has its picture, and is looked at with the others in a browser', () => {
    const { router } = pageRoutes({ access: {} } as HttpParts)
    const seen = pictures.map(({ path }) => {
      const { pathname } = new URL(path, 'http://stowage')
      // The first that is not there for all pages answers.
      return router.match('GET', decodeURI(pathname))[0].find(([[, { path }]]) => path !== '/*')?.[0][1].path
    })
    // What comes between two steps is in the picture of the second.
    const others = ['/user/login/code', ...withoutPage, ...leadingOn]
    const pages = routes().filter(({ method, path }) => method === 'GET' && !others.includes(path))
    expect(pages.map(({ path }) => path).filter((path) => !seen.includes(path))).toEqual([])
  })

  test('is in the table for every page', () => {
    expect(rowsOf(table).map(({ method, path }) => `${method} ${path}`)).toEqual(
      routes().map(({ method, path }) => `${method} ${path}`),
    )
  })
})

describe('every page', () => {
  const pages = rowsOf(table).filter(({ method }) => method === 'GET')

  test.each(pages.map(({ path }) => path))('%s is one that a strict policy lets through', async (path) => {
    for (const who of ['anon', 'self', 'own', 'adm']) {
      const { text, response } = await send({ method: 'GET', path }, who)
      if (text === '') continue
      const told = `${who} at ${path}`
      expect([
        told,
        text.match(/\sstyle=|<style|\son[a-z]+=|javascript:|<script(?![^>]*\ssrc=)|<iframe|<object|<embed/i),
      ]).toEqual([told, null])
      expect([told, text.match(/<h1[\s>]/g)?.length]).toEqual([told, 1])
      expect([told, /<title>[^<]+ · Stowage<\/title>|<title>Stowage<\/title>/.test(text)]).toEqual([told, true])
      const policy = response.headers.get('content-security-policy') ?? ''
      expect(policy).toStartWith("default-src 'none'; ")
      expect(policy).not.toMatch(/unsafe|data:|https?:|\*/)
      expect(response.headers.get('x-content-type-options')).toBe('nosniff')
      expect(response.headers.get('cache-control')).toMatch(
        who === 'anon' ? /^(private, no-cache|no-store)$/ : /^no-store$/,
      )
    }
  })
})

describe('every form', () => {
  const forms = rowsOf(table).filter(({ method }) => method !== 'GET')

  test.each(forms.map((row) => [`${row.method} ${row.path}`, row] as const))(
    '%s takes nothing from a page of another site, nor from no page',
    async (_, row) => {
      for (const headers of [{ 'Sec-Fetch-Site': 'cross-site' }, { 'Sec-Fetch-Site': 'same-site' }]) {
        expect((await send(row, 'adm', headers)).status).toBe('403')
      }
    },
  )

  test.each(forms.filter(({ method }) => method === 'POST').map((row) => [row.path, row] as const))(
    '%s foresees whatever it is sent, and says it in our words',
    async (path) => {
      const browser = browsers.get('adm')
      if (!browser || path === '/user/logout' || path === '/-/theme') return
      const bodies = [
        'a=%ff%00&name=%00&confirm=%00&username=%00&password=%00&email=%00&description=%00&url=%00&text=%ff',
        `name=${'x'.repeat(70_000)}&username=${'x'.repeat(70_000)}&email=${'x'.repeat(70_000)}&page=1e9`,
        'name[]=1&name=2&name=3&id=-1&limit=NaN&version=..%2f..&expires=32.13.2026&files=x&bytes=1e400',
      ]
      for (const body of bodies) {
        const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
        const response = await browser.fetch(address(path), { method: 'POST', headers, body })
        const told = `${path} at ${body.slice(0, 20)}: ${response.status}`
        expect([told, response.status < 500]).toEqual([told, true])
        expect((await response.text()).replace(/<head>.*<\/header>/s, '')).not.toMatch(
          /Invalid (input|key|option)|expected string|Too (big|small)/,
        )
      }
    },
  )
})

test('an owner that is hidden is told from none by nobody', async () => {
  const atOwners = rowsOf(table).filter(({ path }) => /^\/:(owner|org)\b/.test(path))
  expect(atOwners.length).toBeGreaterThan(40)
  const told: [string, string, string, string][] = []
  for (const row of atOwners) {
    for (const who of ['anon', 'eve']) {
      const hidden = await send(row, who, {}, 'private-org')
      const none = await send(row, who, {}, 'no-such-org')
      const text = ({ text }: { text: string }) =>
        text.replaceAll(/private-org|no-such-org/g, 'x').replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'id')
      if (hidden.status !== none.status || text(hidden) !== text(none)) {
        told.push([`${row.method} ${row.path}`, who, hidden.status, none.status])
      }
    }
  }
  expect(told).toEqual([])
})
