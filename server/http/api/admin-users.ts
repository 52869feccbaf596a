import { Hono } from 'hono'
import { z } from 'zod'
import { administer } from '../../access/grant.ts'
import { leaveForUser } from '../../access/owner-leave.ts'
import type { HttpParts } from '../parts.ts'
import { bodyOf, json, jsonBody, jsonPage, newPassword, pageOf, publicAddress } from './answers.ts'
import type { ApiEnv } from './app.ts'
import { documented } from './documented.ts'
import { ownerIn } from './owner-changes.ts'
import { emailAddress, shortText, visibility, webAddress, yesOrNo } from './profile-fields.ts'
import { user as userSchema } from './schemas.ts'
import { userShape } from './shapes.ts'

/** What clients of this protocol send beside, and what has no effect here. */
const elsewhere = {
  login_name: z.string('must be text').nullish(),
  source_id: z.number('must be a number').nullish(),
}

const newUser = bodyOf({
  ...elsewhere,
  username: z.string('is missing'),
  password: newPassword,
  email: emailAddress,
  full_name: shortText,
  visibility,
  restricted: yesOrNo,
  must_change_password: yesOrNo,
  send_notify: yesOrNo,
  created_at: z.string('must be a time').nullish(),
}).meta({ id: 'CreateUserOption' })

const changedUser = bodyOf({
  ...elsewhere,
  // Some clients send '' with every change.
  password: z.union([newPassword, z.literal('')], 'must be text').nullish(),
  email: emailAddress,
  full_name: shortText,
  must_change_password: yesOrNo,
  active: yesOrNo,
  admin: yesOrNo,
  prohibit_login: yesOrNo,
  restricted: yesOrNo,
  allow_create_organization: yesOrNo,
  visibility,
  description: shortText,
  website: webAddress,
  location: shortText,
  allow_git_hook: yesOrNo,
  allow_import_local: yesOrNo,
  max_repo_creation: z.number('must be a number').nullish(),
}).meta({ id: 'EditUserOption' })

/** `/admin/users`: administrators list, add and change people. */
export function adminUsers(parts: HttpParts): Hono<ApiEnv> {
  return new Hono<ApiEnv>()
    .get(
      '/admin/users',
      documented({ tag: 'admin', id: 'listUsers', summary: 'All users', page: userSchema }),
      async (c) => {
        const grant = administer(await c.env.askCaller(), 'read')
        const page = pageOf(new URL(c.req.url))
        const { users, total } = await parts.administration.users(grant, page)
        const shown = users.map((user) => userShape(user, grant.caller, parts.publicUrl()))
        return jsonPage(shown, total, page, publicAddress(parts.publicUrl(), c.req.raw))
      },
    )
    .post(
      '/admin/users',
      documented({
        tag: 'admin',
        id: 'createUser',
        summary: 'Add a user',
        body: newUser,
        answers: { 201: { description: 'The user.', schema: userSchema } },
      }),
      async (c) => {
        const grant = administer(await c.env.askCaller(), 'write')
        const wanted = await jsonBody(c.req.raw, newUser)
        const created = await parts.accounts.create(grant, {
          name: wanted.username,
          password: wanted.password,
          email: wanted.email || undefined,
          fullName: wanted.full_name ?? undefined,
          visibility: wanted.visibility,
          isRestricted: wanted.restricted ?? undefined,
          mustChangePassword: wanted.must_change_password ?? undefined,
        })
        log(parts, created.name, grant.caller.account.name, 'Added')
        return json(userShape(created, grant.caller, parts.publicUrl()), 201)
      },
    )
    .patch(
      '/admin/users/:name',
      documented({
        tag: 'admin',
        id: 'updateUser',
        summary: 'Change a user',
        description: 'A field that is not sent, or null, stays as it is.',
        body: changedUser,
        answers: { 200: { description: 'The user as he is now.', schema: userSchema } },
      }),
      async (c) => {
        const leave = leaveForUser(await ownerIn(c))
        const wanted = await jsonBody(c.req.raw, changedUser)
        const change = {
          email: wanted.email ?? undefined,
          fullName: wanted.full_name ?? undefined,
          isAdmin: wanted.admin ?? undefined,
          isActive: wanted.active ?? undefined,
          isRestricted: wanted.restricted ?? undefined,
          prohibitLogin: wanted.prohibit_login ?? undefined,
          mustChangePassword: wanted.must_change_password ?? undefined,
          mayCreateOrganisations: wanted.allow_create_organization ?? undefined,
          visibility: wanted.visibility,
          description: wanted.description ?? undefined,
          website: wanted.website ?? undefined,
          location: wanted.location ?? undefined,
        }
        const changed = await parts.administration.change(leave, change, wanted.password || undefined)
        log(parts, changed.name, leave.caller.account.name, 'Changed')
        return json(userShape(changed, leave.caller, parts.publicUrl()))
      },
    )
}

function log(parts: HttpParts, user: string, admin: string, what: string): void {
  parts.log.info({ 'user.name': user, 'admin.name': admin }, `${what} user ${user}`)
}
