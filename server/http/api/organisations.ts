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
import { emailAddress, shortText, visibility, webAddress, yesOrNo } from './profile-fields.ts'
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

const newOrganisation = bodyOf({ username: z.string('is missing'), ...fields })
const changedOrganisation = bodyOf(fields)

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
    .get('/orgs', async (c) => {
      const caller = await c.env.askCaller()
      if (caller.kind === 'user' || caller.mustSignIn) signedIn(caller, 'read:organization')
      return listed(c, (page) => parts.organisations.list(caller, page))
    })
    .post('/orgs', async (c) => create(c, await parts.organisations.founder(await c.env.askCaller())))
    .post('/admin/users/:name/orgs', async (c) => {
      const grant = administer(await c.env.askCaller(), 'write')
      return create(c, await parts.organisations.founderFor(grant, c.req.param('name')))
    })
    .get('/user/orgs', async (c) => {
      const caller = signedIn(await c.env.askCaller(), 'read:organization')
      return listed(c, (page) => parts.organisations.listOf(caller.account, caller, page))
    })
    .get('/users/:name/orgs', async (c) => {
      const resolved = await c.env.resolve(ownerKeys(c.req.param('name')))
      const user = ownerToShow(resolved, 'read:organization')
      if (user.kind !== 'user') throw new Problem('not-found', 'Not found.')
      return listed(c, (page) => parts.organisations.listOf(user, resolved.caller, page))
    })
    .get('/orgs/:org', async (c) => {
      const grant = await organisationAt(c, 'reader', 'read')
      return json(organisationShape(await parts.organisations.show(grant)))
    })
    .patch('/orgs/:org', async (c) => {
      const grant = await organisationAt(c, 'owner', 'write')
      const wanted = await jsonBody(c.req.raw, changedOrganisation)
      const changed = await parts.organisations.change(grant, fieldsFrom(wanted))
      parts.log.info(
        { 'organisation.name': changed.name, 'user.name': grant.caller.account.name },
        `Changed the organisation ${changed.name}`,
      )
      return json(organisationShape(changed))
    })
    .get('/orgs/:org/members', async (c) => {
      const grant = await organisationAt(c, 'reader', 'read')
      const page = pageOf(new URL(c.req.url))
      const { members, total } = await parts.organisations.members(grant, page)
      const shown = members.map((member) => personShape(member, grant.caller, parts.publicUrl()))
      return jsonPage(shown, total, page, publicAddress(parts.publicUrl(), c.req.raw))
    })
    .get('/orgs/:org/members/:user', async (c) => {
      const grant = await organisationAt(c, 'reader', 'read')
      await parts.organisations.mustHave(grant, c.req.param('user'))
      return new Response(null, { status: 204 })
    })
    .delete('/orgs/:org/members/:user', async (c) => {
      const grant = await organisationAt(c, 'member', 'write')
      const { name } = await parts.organisations.removeMember(grant, c.req.param('user'))
      const organisation = grant.organisation.name
      parts.log.info(
        { 'organisation.name': organisation, 'member.name': name, 'user.name': grant.caller.account.name },
        `Removed ${name} from the organisation ${organisation}`,
      )
      return new Response(null, { status: 204 })
    })
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

function fieldsFrom(wanted: z.output<typeof changedOrganisation>): OrganisationFields {
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
