import { type Context, Hono } from 'hono'
import { z } from 'zod'
import { administer, ownerAt, ownerToShow, signedIn } from '../../access/grant.ts'
import {
  type FounderGrant,
  type OrganisationFields,
  type OrganisationGrant,
  type OrganisationRow,
  organisationGrant,
} from '../../access/organisations.ts'
import type { Rank, Verb } from '../../access/rules.ts'
import { Problem } from '../../problems.ts'
import { addressKeys } from '../../registry/download.ts'
import type { HttpParts } from '../parts.ts'
import { bodyOf, json, jsonBody, jsonPage, type Page, pageOf, publicAddress } from './answers.ts'
import type { ApiEnv } from './app.ts'
import { documented } from './documented.ts'
import { emailAddress, shortText, visibility, webAddress, yesOrNo } from './profile-fields.ts'
import { organization as organizationSchema, user as userSchema } from './schemas.ts'
import { organisationShape, personShape } from './shapes.ts'

const fields = {
  full_name: shortText,
  email: emailAddress,
  description: shortText,
  website: webAddress,
  location: shortText,
  visibility,
  repo_admin_change_team_access: yesOrNo,
}

const newOrganisation = bodyOf({ username: z.string('is missing'), ...fields }).meta({ id: 'CreateOrgOption' })
export const changedOrganisation = bodyOf(fields).meta({ id: 'EditOrgOption' })

/** `/orgs` and what else lists organisations; their teams are in `teams.ts`. */
export function organisations(parts: HttpParts): Hono<ApiEnv> {
  const listed = async (
    c: Context<ApiEnv>,
    find: (page: Page) => Promise<{ organisations: OrganisationRow[]; total: number }>,
  ): Promise<Response> => {
    const page = pageOf(new URL(c.req.url))
    const { organisations, total } = await find(page)
    return jsonPage(organisations.map(organisationShape), total, page, publicAddress(parts.publicUrl(), c.req.raw))
  }
  const create = async (c: Context<ApiEnv>, grant: FounderGrant): Promise<Response> => {
    const { username, ...wanted } = await jsonBody(c.req.raw, newOrganisation)
    const made = await parts.organisations.create(grant, username, fieldsFrom(wanted))
    parts.log.info(
      { 'organisation.name': made.name, 'user.name': grant.caller.account.name },
      `Made the organisation ${made.name}`,
    )
    return json(organisationShape(made), 201)
  }

  return new Hono<ApiEnv>()
    .get(
      '/orgs',
      documented({
        tag: 'organizations',
        id: 'listOrganizations',
        summary: 'The organisations that the caller may see',
        callers: 'anybody',
        page: organizationSchema,
      }),
      async (c) => {
        const caller = await c.env.askCaller()
        if (caller.kind !== 'anonymous' || caller.mustSignIn) signedIn(caller, 'read:organization')
        return listed(c, (page) => parts.organisations.list(caller, page))
      },
    )
    .post(
      '/orgs',
      documented({
        tag: 'organizations',
        id: 'createOrganization',
        summary: 'Make an organisation',
        body: newOrganisation,
        answers: {
          201: {
            description: 'The organisation; the caller is the first member of its team `Owners`.',
            schema: organizationSchema,
          },
        },
      }),
      async (c) => create(c, await parts.organisations.founder(await c.env.askCaller())),
    )
    .post(
      '/admin/users/:name/orgs',
      documented({
        tag: 'admin',
        id: 'createOrganizationFor',
        summary: 'Make an organisation for somebody',
        body: newOrganisation,
        answers: {
          201: {
            description: 'The organisation; the user is the first member of its team `Owners`.',
            schema: organizationSchema,
          },
        },
      }),
      async (c) => {
        const grant = administer(await c.env.askCaller(), 'write')
        return create(c, await parts.organisations.founderFor(grant, c.req.param('name')))
      },
    )
    .get(
      '/user/orgs',
      documented({
        tag: 'account',
        id: 'listCurrentUserOrganizations',
        summary: 'The organisations that the caller is a member of',
        scope: 'organization',
        page: organizationSchema,
      }),
      async (c) => {
        const caller = signedIn(await c.env.askCaller(), 'read:organization')
        return listed(c, (page) => parts.organisations.listOf(caller.account, caller, page))
      },
    )
    .get(
      '/users/:name/orgs',
      documented({
        tag: 'users',
        id: 'listUserOrganizations',
        summary: 'The organisations that a user is a member of',
        description: 'As far as the caller may see them.',
        callers: 'anybody',
        scope: 'organization',
        page: organizationSchema,
      }),
      async (c) => {
        const resolved = await c.env.resolve(ownerKeys(c.req.param('name')))
        const user = ownerToShow(resolved, 'read:organization')
        if (user.kind !== 'user') throw new Problem('not-found', 'Not found.')
        return listed(c, (page) => parts.organisations.listOf(user, resolved.caller, page))
      },
    )
    .get(
      '/orgs/:org',
      documented({
        tag: 'organizations',
        id: 'getOrganization',
        summary: 'An organisation',
        callers: 'anybody',
        answers: { 200: { description: 'The organisation.', schema: organizationSchema } },
      }),
      async (c) => {
        const grant = await organisationAt(c, 'reader', 'read')
        return json(organisationShape(await parts.organisations.show(grant)))
      },
    )
    .patch(
      '/orgs/:org',
      documented({
        tag: 'organizations',
        id: 'updateOrganization',
        summary: 'Change an organisation',
        description: 'For its owners. A field that is not sent, or null, stays as it is.',
        body: changedOrganisation,
        answers: { 200: { description: 'The organisation as it is now.', schema: organizationSchema } },
      }),
      async (c) => {
        const grant = await organisationAt(c, 'owner', 'write')
        const wanted = await jsonBody(c.req.raw, changedOrganisation)
        const changed = await parts.organisations.change(grant, fieldsFrom(wanted))
        parts.log.info(
          { 'organisation.name': changed.name, 'user.name': grant.caller.account.name },
          `Changed the organisation ${changed.name}`,
        )
        return json(organisationShape(changed))
      },
    )
    .get(
      '/orgs/:org/members',
      documented({
        tag: 'organizations',
        id: 'listMembers',
        summary: 'The members of an organisation',
        callers: 'anybody',
        page: userSchema,
      }),
      async (c) => {
        const grant = await organisationAt(c, 'reader', 'read')
        const page = pageOf(new URL(c.req.url))
        const { members, total } = await parts.organisations.members(grant, page)
        const shown = members.map((member) => personShape(member, grant.caller, parts.publicUrl()))
        return jsonPage(shown, total, page, publicAddress(parts.publicUrl(), c.req.raw))
      },
    )
    .get(
      '/orgs/:org/members/:user',
      documented({
        tag: 'organizations',
        id: 'isMember',
        summary: 'Whether somebody is a member',
        callers: 'anybody',
        answers: { 204: { description: 'He is. Else 404.' } },
      }),
      async (c) => {
        const grant = await organisationAt(c, 'reader', 'read')
        await parts.organisations.mustHave(grant, c.req.param('user'))
        return new Response(null, { status: 204 })
      },
    )
    .delete(
      '/orgs/:org/members/:user',
      documented({
        tag: 'organizations',
        id: 'deleteMember',
        summary: 'Take somebody out of an organisation',
        description: 'For its owners, and for the member.',
        answers: { 204: { description: 'He is in none of its teams any more.' } },
      }),
      async (c) => {
        const grant = await organisationAt(c, 'member', 'write')
        const { name } = await parts.organisations.removeMember(grant, c.req.param('user'))
        const organisation = grant.organisation.name
        parts.log.info(
          { 'organisation.name': organisation, 'member.name': name, 'user.name': grant.caller.account.name },
          `Removed ${name} from the organisation ${organisation}`,
        )
        return new Response(null, { status: 204 })
      },
    )
}

/** Leave to do at the organisation of the address what takes that rank. */
export async function organisationAt<R extends Rank>(
  c: Context<ApiEnv>,
  rank: R,
  verb: Verb,
): Promise<OrganisationGrant<R>> {
  const resolved = await c.env.resolve(ownerKeys(c.req.param('org') ?? ''))
  return organisationGrant(rank, verb, resolved.caller, ownerAt(resolved))
}

function ownerKeys(owner: string) {
  return addressKeys({ owner, package: '', version: '', file: '' })
}

export function fieldsFrom(wanted: z.output<typeof changedOrganisation>): OrganisationFields {
  return {
    fullName: wanted.full_name ?? undefined,
    email: wanted.email ?? undefined,
    description: wanted.description ?? undefined,
    website: wanted.website ?? undefined,
    location: wanted.location ?? undefined,
    visibility: wanted.visibility,
    repoAdminChangeTeamAccess: wanted.repo_admin_change_team_access ?? undefined,
  }
}
