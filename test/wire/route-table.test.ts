import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { apiApp } from '../../server/http/api/app.ts'
import type { HttpParts } from '../../server/http/parts.ts'
import { signInRoutes } from '../../server/http/sign-in/app.ts'
import { makeWorld, password, proxied } from '../support/access-world.ts'
import { dropDatabaseOf } from '../support/database.ts'
import { documentAlone } from '../support/documented-answers.ts'
import { basic, startStowage, type TestStowage } from '../support/stowage.ts'

/*
 * Every route of the JSON API, and who is let in. Requests are such that nothing is changed by who is: a body that lacks what it
 * needs is 422, what does not exist 404, what still owns packages 422. A route that is not here fails the last test.
 *
 * anon: nobody. eve: a stranger. mem: member of a team of the organisation that may write. own: its owner. self: the user in the
 * address. adm: a site administrator. scope: the administrator by a token that has no scope for it, which is refused before anything
 * is looked up; read: by one that may read everything and write nothing. must: who must set a new password first.
 */
const api = `
  route                                               | anon | eve | mem | own | self | adm | scope | read | must
  GET /version                                        | 200  | 200 | 200 | 200 | 200  | 200 | 200   | 200  | 200
  GET /openapi.json                                   | 200  | 200 | 200 | 200 | 200  | 200 | 200   | 200  | 200
  GET /user                                           | 401  | 200 | 200 | 200 | 200  | 200 | 403   | 200  | 403
  POST /user/password                                 | 401  | 422 | 422 | 422 | 422  | 422 | 403   | 403  | 422
  GET /user/settings                                  | 401  | 200 | 200 | 200 | 200  | 200 | 403   | 200  | 403
  PATCH /user/settings                                | 401  | 422 | 422 | 422 | 422  | 422 | 403   | 403  | 403
  GET /user/totp                                      | 401  | 200 | 200 | 200 | 200  | 200 | 403   | 403  | 403
  POST /user/totp/confirm                             | 401  | 422 | 422 | 422 | 422  | 422 | 403   | 403  | 403
  POST /user/totp/recovery-codes                      | 401  | 404 | 404 | 404 | 404  | 404 | 403   | 403  | 403
  DELETE /user/totp                                   | 401  | 404 | 404 | 404 | 404  | 404 | 403   | 403  | 403
  POST /user/totp                                     | 401  | 201 | 201 | 201 | 201  | 201 | 403   | 403  | 403
  GET /user/identities                                | 401  | 200 | 200 | 200 | 200  | 200 | 403   | 200  | 403
  DELETE /user/identities/:id                         | 401  | 404 | 404 | 404 | 404  | 404 | 403   | 403  | 403
  GET /user/passkeys                                  | 401  | 200 | 200 | 200 | 200  | 200 | 403   | 200  | 403
  DELETE /user/passkeys/:id                           | 401  | 404 | 404 | 404 | 404  | 404 | 403   | 403  | 403
  POST /user/invitations                              | 401  | 422 | 422 | 422 | 422  | 422 | 403   | 403  | 403
  GET /user/hooks                                     | 401  | 200 | 200 | 200 | 200  | 200 | 403   | 200  | 403
  POST /user/hooks                                    | 401  | 422 | 422 | 422 | 422  | 422 | 403   | 403  | 403
  GET /user/hooks/:id                                 | 401  | 404 | 404 | 404 | 404  | 404 | 403   | 404  | 403
  PATCH /user/hooks/:id                               | 401  | 422 | 422 | 422 | 422  | 422 | 403   | 403  | 403
  DELETE /user/hooks/:id                              | 401  | 404 | 404 | 404 | 404  | 404 | 403   | 403  | 403
  GET /user/hooks/:id/deliveries                      | 401  | 404 | 404 | 404 | 404  | 404 | 403   | 404  | 403
  GET /user/hooks/:id/deliveries/:delivery            | 401  | 404 | 404 | 404 | 404  | 404 | 403   | 404  | 403
  POST /user/hooks/:id/deliveries/:delivery/replay    | 401  | 404 | 404 | 404 | 404  | 404 | 403   | 403  | 403
  GET /user/orgs                                      | 401  | 200 | 200 | 200 | 200  | 200 | 403   | 200  | 403
  GET /user/audit                                     | 401  | 200 | 200 | 200 | 200  | 200 | 403   | 200  | 403
  GET /token                                          | 401  | 400 | 400 | 400 | 400  | 400 | 200   | 200  | 403
  DELETE /token                                       | 401  | 400 | 400 | 400 | 400  | 400 | –     | –    | 403
  GET /users/:name                                    | 200  | 200 | 200 | 200 | 200  | 200 | 403   | 200  | 403
  GET /users/:name/orgs                               | 200  | 200 | 200 | 200 | 200  | 200 | 403   | 200  | 403
  GET /users/:name/tokens                             | 401  | 403 | 403 | 403 | 200  | 200 | 403   | 200  | 403
  POST /users/:name/tokens                            | 401  | 403 | 403 | 403 | 422  | 422 | 403   | 403  | 403
  DELETE /users/:name/tokens/:token                   | 401  | 403 | 403 | 403 | 404  | 404 | 403   | 403  | 403
  GET /search/packages                                | 200  | 200 | 200 | 200 | 200  | 200 | 200   | 200  | 403
  GET /packages/:owner                                | 200  | 200 | 200 | 200 | 200  | 200 | 200   | 200  | 403
  GET /packages/:owner/generic/:name                  | 200  | 200 | 200 | 200 | 200  | 200 | 200   | 200  | 403
  GET /packages/:owner/generic/:name/-/latest         | 200  | 200 | 200 | 200 | 200  | 200 | 200   | 200  | 403
  GET /packages/:owner/generic/:name/:version         | 200  | 200 | 200 | 200 | 200  | 200 | 200   | 200  | 403
  GET /packages/:owner/generic/:name/:version/files   | 200  | 200 | 200 | 200 | 200  | 200 | 200   | 200  | 403
  GET /packages/:owner/generic/:name/:version/origins | 200  | 200 | 200 | 200 | 200  | 200 | 200   | 200  | 403
  DELETE /packages/:owner/generic/:name               | 401  | 403 | 403 | 403 | 404  | 404 | 403   | 403  | 403
  DELETE /packages/:owner/generic/:name/:version      | 401  | 403 | 403 | 403 | 404  | 404 | 403   | 403  | 403
  GET /packages/:owner/generic/:name/-/metadata       | 200  | 200 | 200 | 200 | 200  | 200 | 200   | 200  | 403
  PATCH /packages/:owner/generic/:name/-/metadata     | 401  | 403 | 403 | 403 | 422  | 422 | 403   | 403  | 403
  GET /packages/:owner/generic/:name/-/access         | 401  | 403 | 403 | 403 | 200  | 200 | 403   | 200  | 403
  PATCH /packages/:owner/generic/:name/-/access       | 401  | 403 | 403 | 403 | 422  | 422 | 403   | 403  | 403
  PUT /packages/:owner/generic/:name/-/access/users/:user | 401  | 403 | 403 | 403 | 422  | 422 | 403   | 403  | 403
  DELETE /packages/:owner/generic/:name/-/access/users/:user | 401  | 403 | 403 | 403 | 404  | 404 | 403   | 403  | 403
  PUT /packages/:owner/generic/:name/-/access/teams/:id | 401  | 403 | 403 | 403 | 422  | 422 | 403   | 403  | 403
  DELETE /packages/:owner/generic/:name/-/access/teams/:id | 401  | 403 | 403 | 403 | 404  | 404 | 403   | 403  | 403
  PUT /packages/:owner/generic/:name/-/access/deploy-tokens/:id | 401  | 403 | 403 | 403 | 422  | 422 | 403   | 403  | 403
  DELETE /packages/:owner/generic/:name/-/access/deploy-tokens/:id | 401  | 403 | 403 | 403 | 404  | 404 | 403   | 403  | 403
  GET /packages/:owner/generic/:name/-/downloads      | 200  | 200 | 200 | 200 | 200  | 200 | 200   | 200  | 403
  GET /packages/:owner/generic/:name/-/audit          | 401  | 403 | 403 | 403 | 200  | 200 | 403   | 403  | 403
  POST /packages/:owner/generic/:name/-/delete-versions | 401  | 403 | 403 | 403 | 422  | 422 | 403   | 403  | 403
  POST /packages/:owner/generic/:name/-/link/:repo    | 401  | 403 | 403 | 403 | 404  | 404 | 403   | 403  | 403
  POST /packages/:owner/generic/:name/-/unlink        | 401  | 403 | 403 | 403 | 400  | 400 | 403   | 403  | 403
  GET /owners/:owner/deploy-tokens                    | 401  | 403 | 403 | 403 | 200  | 200 | 403   | 200  | 403
  POST /owners/:owner/deploy-tokens                   | 401  | 403 | 403 | 403 | 422  | 422 | 403   | 403  | 403
  GET /owners/:owner/deploy-tokens/:id                | 401  | 403 | 403 | 403 | 404  | 404 | 403   | 404  | 403
  DELETE /owners/:owner/deploy-tokens/:id             | 401  | 403 | 403 | 403 | 404  | 404 | 403   | 403  | 403
  GET /owners/:owner/publishers                       | 401  | 403 | 403 | 403 | 200  | 200 | 403   | 200  | 403
  POST /owners/:owner/publishers                      | 401  | 403 | 403 | 403 | 422  | 422 | 403   | 403  | 403
  GET /owners/:owner/publishers/:id                   | 401  | 403 | 403 | 403 | 404  | 404 | 403   | 404  | 403
  PATCH /owners/:owner/publishers/:id                 | 401  | 403 | 403 | 403 | 422  | 422 | 403   | 403  | 403
  DELETE /owners/:owner/publishers/:id                | 401  | 403 | 403 | 403 | 404  | 404 | 403   | 403  | 403
  POST /oidc/token                                    | 400  | 400 | 400 | 400 | 400  | 400 | 400   | 400  | 400
  GET /orgs                                           | 200  | 200 | 200 | 200 | 200  | 200 | 403   | 200  | 403
  POST /orgs                                          | 401  | 422 | 422 | 422 | 422  | 422 | 403   | 403  | 403
  GET /orgs/:org                                      | 200  | 200 | 200 | 200 | 200  | 200 | 403   | 200  | 403
  PATCH /orgs/:org                                    | 401  | 403 | 403 | 422 | 403  | 422 | 403   | 403  | 403
  DELETE /orgs/:org                                   | 401  | 403 | 403 | 422 | 403  | 422 | 403   | 403  | 403
  POST /orgs/:org/rename                              | 401  | 403 | 403 | 422 | 403  | 422 | 403   | 403  | 403
  GET /orgs/:org/members                              | 200  | 200 | 200 | 200 | 200  | 200 | 403   | 200  | 403
  GET /orgs/:org/members/:user                        | 404  | 404 | 204 | 204 | 404  | 204 | 403   | 204  | 403
  DELETE /orgs/:org/members/:user                     | 401  | 403 | 404 | 404 | 403  | 404 | 403   | 403  | 403
  GET /orgs/:org/teams                                | 401  | 403 | 200 | 200 | 403  | 200 | 403   | 200  | 403
  POST /orgs/:org/teams                               | 401  | 403 | 403 | 422 | 403  | 422 | 403   | 403  | 403
  GET /orgs/:org/invitations                          | 401  | 403 | 403 | 200 | 403  | 200 | 403   | 200  | 403
  POST /orgs/:org/invitations                         | 401  | 403 | 403 | 422 | 403  | 422 | 403   | 403  | 403
  DELETE /orgs/:org/invitations/:id                   | 401  | 403 | 403 | 404 | 403  | 404 | 403   | 403  | 403
  GET /orgs/:org/audit                                | 401  | 403 | 403 | 200 | 403  | 200 | 403   | 200  | 403
  GET /orgs/:org/hooks                                | 401  | 403 | 403 | 200 | 403  | 200 | 403   | 200  | 403
  POST /orgs/:org/hooks                               | 401  | 403 | 403 | 422 | 403  | 422 | 403   | 403  | 403
  GET /orgs/:org/hooks/:id                            | 401  | 403 | 403 | 404 | 403  | 404 | 403   | 404  | 403
  PATCH /orgs/:org/hooks/:id                          | 401  | 403 | 403 | 422 | 403  | 422 | 403   | 403  | 403
  DELETE /orgs/:org/hooks/:id                         | 401  | 403 | 403 | 404 | 403  | 404 | 403   | 403  | 403
  GET /orgs/:org/hooks/:id/deliveries                 | 401  | 403 | 403 | 404 | 403  | 404 | 403   | 404  | 403
  GET /orgs/:org/hooks/:id/deliveries/:delivery       | 401  | 403 | 403 | 404 | 403  | 404 | 403   | 404  | 403
  POST /orgs/:org/hooks/:id/deliveries/:delivery/replay | 401  | 403 | 403 | 404 | 403  | 404 | 403   | 403  | 403
  GET /teams/:id                                      | 401  | 403 | 200 | 200 | 403  | 200 | 403   | 200  | 403
  PATCH /teams/:id                                    | 401  | 403 | 403 | 422 | 403  | 422 | 403   | 403  | 403
  DELETE /teams/:id                                   | 401  | 403 | 403 | 422 | 403  | 422 | 403   | 403  | 403
  GET /teams/:id/members                              | 401  | 403 | 200 | 200 | 403  | 200 | 403   | 200  | 403
  GET /teams/:id/members/:user                        | 401  | 403 | 404 | 404 | 403  | 404 | 403   | 404  | 403
  PUT /teams/:id/members/:user                        | 401  | 403 | 403 | 404 | 403  | 404 | 403   | 403  | 403
  DELETE /teams/:id/members/:user                     | 401  | 403 | 404 | 404 | 403  | 404 | 403   | 403  | 403
  GET /admin/users                                    | 401  | 403 | 403 | 403 | 403  | 200 | 403   | 200  | 403
  POST /admin/users                                   | 401  | 403 | 403 | 403 | 403  | 422 | 403   | 403  | 403
  PATCH /admin/users/:name                            | 401  | 403 | 403 | 403 | 403  | 422 | 403   | 403  | 403
  DELETE /admin/users/:name                           | 401  | 403 | 403 | 403 | 403  | 422 | 403   | 403  | 403
  POST /admin/users/:name/rename                      | 401  | 403 | 403 | 403 | 403  | 422 | 403   | 403  | 403
  POST /admin/users/:name/orgs                        | 401  | 403 | 403 | 403 | 403  | 422 | 403   | 403  | 403
  POST /admin/users/:name/password-reset              | 401  | 403 | 403 | 403 | 403  | 422 | 403   | 403  | 403
  DELETE /admin/users/:name/sessions                  | 401  | 403 | 403 | 403 | 403  | 204 | 403   | 403  | 403
  DELETE /admin/users/:name/totp                      | 401  | 403 | 403 | 403 | 403  | 404 | 403   | 403  | 403
  DELETE /admin/users/:name/passkeys                  | 401  | 403 | 403 | 403 | 403  | 404 | 403   | 403  | 403
  GET /admin/users/:name/identities                   | 401  | 403 | 403 | 403 | 403  | 200 | 403   | 200  | 403
  DELETE /admin/users/:name/identities/:id            | 401  | 403 | 403 | 403 | 403  | 404 | 403   | 403  | 403
  GET /admin/users/:name/suspension                   | 401  | 403 | 403 | 403 | 403  | 200 | 403   | 200  | 403
  DELETE /admin/users/:name/suspension                | 401  | 403 | 403 | 403 | 403  | 204 | 403   | 403  | 403
  GET /admin/reserved-names                           | 401  | 403 | 403 | 403 | 403  | 200 | 403   | 200  | 403
  DELETE /admin/reserved-names/:name                  | 401  | 403 | 403 | 403 | 403  | 404 | 403   | 403  | 403
  GET /admin/invitations                              | 401  | 403 | 403 | 403 | 403  | 200 | 403   | 200  | 403
  POST /admin/invitations                             | 401  | 403 | 403 | 403 | 403  | 422 | 403   | 403  | 403
  DELETE /admin/invitations/:id                       | 401  | 403 | 403 | 403 | 403  | 404 | 403   | 403  | 403
  GET /admin/hooks                                    | 401  | 403 | 403 | 403 | 403  | 200 | 403   | 200  | 403
  POST /admin/hooks                                   | 401  | 403 | 403 | 403 | 403  | 422 | 403   | 403  | 403
  GET /admin/hooks/:id                                | 401  | 403 | 403 | 403 | 403  | 404 | 403   | 404  | 403
  PATCH /admin/hooks/:id                              | 401  | 403 | 403 | 403 | 403  | 422 | 403   | 403  | 403
  DELETE /admin/hooks/:id                             | 401  | 403 | 403 | 403 | 403  | 404 | 403   | 403  | 403
  GET /admin/hooks/:id/deliveries                     | 401  | 403 | 403 | 403 | 403  | 404 | 403   | 404  | 403
  GET /admin/hooks/:id/deliveries/:delivery           | 401  | 403 | 403 | 403 | 403  | 404 | 403   | 404  | 403
  POST /admin/hooks/:id/deliveries/:delivery/replay   | 401  | 403 | 403 | 403 | 403  | 404 | 403   | 403  | 403
  GET /admin/jobs                                     | 401  | 403 | 403 | 403 | 403  | 200 | 403   | 200  | 403
  POST /admin/jobs/:id/retry                          | 401  | 403 | 403 | 403 | 403  | 404 | 403   | 403  | 403
  DELETE /admin/jobs/:id                              | 401  | 403 | 403 | 403 | 403  | 404 | 403   | 403  | 403
  GET /admin/audit                                    | 401  | 403 | 403 | 403 | 403  | 200 | 403   | 200  | 403
  GET /usage/:owner                                   | 200  | 200 | 200 | 200 | 200  | 200 | 200   | 200  | 403
  GET /usage/:owner/packages                          | 200  | 200 | 200 | 200 | 200  | 200 | 200   | 200  | 403
  GET /admin/quotas                                   | 401  | 403 | 403 | 403 | 403  | 200 | 403   | 200  | 403
  PATCH /admin/quotas                                 | 401  | 403 | 403 | 403 | 403  | 422 | 403   | 403  | 403
  GET /admin/quotas/owners                            | 401  | 403 | 403 | 403 | 403  | 200 | 403   | 200  | 403
  GET /admin/quotas/owners/:owner                     | 401  | 403 | 403 | 403 | 403  | 200 | 403   | 200  | 403
  PATCH /admin/quotas/owners/:owner                   | 401  | 403 | 403 | 403 | 403  | 422 | 403   | 403  | 403
  DELETE /admin/quotas/owners/:owner                  | 401  | 403 | 403 | 403 | 403  | 204 | 403   | 403  | 403
  GET /admin/usage-check                              | 401  | 403 | 403 | 403 | 403  | 200 | 403   | 200  | 403
  POST /admin/usage-check                             | 401  | 403 | 403 | 403 | 403  | 202 | 403   | 403  | 403
  GET /admin/storage                                  | 401  | 403 | 403 | 403 | 403  | 200 | 403   | 200  | 403
  POST /admin/storage/sweep                           | 401  | 403 | 403 | 403 | 403  | 202 | 403   | 403  | 403
`

/**
 * The routes of the browser, asked by each with his credentials of the API, which are none here but for the proxy's: like that
 * everybody is a stranger. proxy: whom a trusted proxy names. other: the same from a page of another site.
 */
const browser = `
  route                     | basic | proxy | other
  POST /login               | 422   | 422   | 403
  POST /logout              | 204   | 204   | 403
  POST /passkey-options     | 422   | 422   | 403
  GET /session              | 401   | 200   | 200
  GET /sessions             | 401   | 200   | 200
  DELETE /sessions          | 401   | 204   | 403
  DELETE /sessions/:id      | 401   | 404   | 403
  POST /password            | 401   | 403   | 403
  POST /sign-up             | 403   | 403   | 403
  POST /invitation          | 422   | 422   | 403
  POST /password-reset      | 422   | 422   | 403
  POST /forgot-password     | 404   | 404   | 403
`

interface Row {
  method: string
  path: string
  cells: [who: string, status: string][]
}

function rowsOf(table: string): Row[] {
  const [head = [], ...rows] = table
    .trim()
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()))
  return rows.map(([route = '', ...cells]) => {
    const [method = '', path = ''] = route.split(' ')
    return { method, path, cells: cells.map((cell, index) => [head[index + 1] ?? '', cell]) }
  })
}

const dataDir = await mkdtemp(join(tmpdir(), 'stowage-routes-'))
let stowage: TestStowage
let callers: Record<string, Record<string, string>> = {}
/** What stands in the addresses. */
const places: Record<string, string> = {
  owner: 'public-user',
  org: 'public-org',
  version: '1.0',
  token: 'none',
  repo: 'none',
  delivery: '999',
}

beforeAll(async () => {
  const tokens = await makeWorld(dataDir)
  stowage = await startStowage({ dataDir, settings: proxied })
  const person = (name: string) => ({ Authorization: basic(name, password) })
  await stowage.user('must', { password, must_change_password: true })
  const { secret } = await stowage.admin.token([
    'read:admin',
    'read:user',
    'read:organization',
    'read:package',
    'read:misc',
  ])
  const teams = (await (await stowage.admin.fetch('/api/v1/orgs/public-org/teams')).json()) as {
    id: number
    name: string
  }[]
  places.id = String(teams.find(({ name }) => name === 'Owners')?.id)
  callers = {
    anon: {},
    eve: person('stranger'),
    mem: person('member-write'),
    own: person('member-owner'),
    self: person('public-user'),
    adm: person('site-admin'),
    scope: { Authorization: basic('site-admin', tokens.get('site-admin read:package') ?? '') },
    read: { Authorization: basic('admin', secret) },
    must: person('must'),
    basic: { ...person('stranger'), 'Sec-Fetch-Site': 'same-origin' },
    proxy: { 'X-Remote-User': 'stranger', 'Sec-Fetch-Site': 'same-origin' },
    other: { 'X-Remote-User': 'stranger', 'Sec-Fetch-Site': 'cross-site' },
  }
}, 120_000)

afterAll(async () => {
  await stowage.stop()
  await rm(dataDir, { recursive: true, force: true })
  await dropDatabaseOf(dataDir)
})

function address(path: string): string {
  return path.replaceAll(/:(\w+)/g, (_, name: string) => {
    if (name === 'id') return path.startsWith('/teams') ? (places.id ?? '') : '999'
    // Somebody whose row here begins no second factor.
    if (path.endsWith('/totp')) return 'limited-user'
    // The name of a package, of a user, of an organisation; and who is asked for is a member to look for, not to change.
    if (name === 'name')
      return path.startsWith('/packages') ? 'tool' : path.startsWith('/orgs') ? 'public-org' : 'public-user'
    if (name === 'user') return path.startsWith('/orgs') ? 'member-read' : 'nobody'
    return places[name] ?? ''
  })
}

async function send(base: string, { method, path }: Row, who: string): Promise<string> {
  const headers = { 'Content-Type': 'application/json', ...callers[who] }
  // Nobody is taken out of an organisation, and no package removed.
  const target = method === 'DELETE' ? address(path).replace(/member-read|tool/, 'nobody') : address(path)
  const hasBody = ['POST', 'PATCH', 'PUT'].includes(method)
  const response = await fetch(`${stowage.url}${base}${target}`, {
    method,
    headers,
    ...(hasBody ? { body: '{"no_such_field":1}' } : {}),
  })
  await response.body?.cancel()
  return String(response.status)
}

describe.each([
  ['/api/v1', rowsOf(api)],
  ['/user', rowsOf(browser)],
] as const)('%s', (base, rows) => {
  test.each(rows.map((row) => [`${row.method} ${row.path}`, row] as const))('%s', async (_, row) => {
    const found: [string, string][] = []
    for (const [who, status] of row.cells) found.push([who, status === '–' ? status : await send(base, row, who)])
    expect(found).toEqual(row.cells)
  })
})

test('who may call is in the document', async () => {
  const { paths = {} } = await documentAlone()
  const found = rowsOf(api).map(({ method, path, cells }) => {
    const operation = paths[`/api/v1${path.replaceAll(/:(\w+)/g, '{$1}')}`]?.[method.toLowerCase() as 'get']
    const security = operation?.security ?? []
    const isOpen = security.length === 0 || security.some((one) => Object.keys(one).length === 0)
    const scopes = security.flatMap((one) => Object.values(one).flat())
    // The token of this column is good for reading packages, and for nothing else.
    const byPassword = scopes.length === 0 && security.length > 0 && security.every((one) => 'basic' in one)
    const isRefused = byPassword || (scopes.length > 0 && !scopes.includes('read:package'))
    const { anon = '', scope = '' } = Object.fromEntries(cells)
    const said = { anon: isOpen ? 'open' : '401', scope: isRefused ? '403' : 'open' }
    const asked = { anon: anon === '401' ? '401' : 'open', scope: scope === '403' ? '403' : 'open' }
    return { route: `${method} ${path}`, said, asked }
  })
  expect(found.filter(({ said, asked }) => !Bun.deepEquals(said, asked))).toEqual([])
})

test('every route is in its table', () => {
  const parts = {} as HttpParts
  const known = (base: string, routes: readonly { method: string; path: string }[]) =>
    [...new Set(routes.map(({ method, path }) => `${method} ${path.replace(base, '')}`))].sort()
  const listed = (rows: Row[]) => rows.map(({ method, path }) => `${method} ${path}`).sort()
  expect(listed(rowsOf(api))).toEqual(known('/api/v1', apiApp(parts).routes))
  expect(listed(rowsOf(browser))).toEqual(known('/user', signInRoutes(parts).routes))
})
