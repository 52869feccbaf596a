import { type Context, Hono } from 'hono'
import { z } from 'zod'
import { administer, ownerAt, signedIn } from '../../access/grant.ts'
import { type InvitationLeave, longestInvitation } from '../../access/invitations.ts'
import { organisationGrant } from '../../access/organisations.ts'
import type { Verb } from '../../access/rules.ts'
import { addressKeys } from '../../registry/download.ts'
import type { HttpParts } from '../parts.ts'
import { bodyOf, json, jsonBody, jsonPage, pageOf, publicAddress, text } from './answers.ts'
import type { ApiEnv } from './app.ts'
import { documented } from './documented.ts'
import { emailAddress, shortText } from './profile-fields.ts'
import { invitation as invitationSchema, newInvitation } from './schemas.ts'
import { invitationShape } from './shapes.ts'

/** Longer ones are nobody's. */
const longestCode = 1024

export const linkCode = text('is missing: the part of the link behind the #')
  .min(1, 'is missing: the part of the link behind the #')
  .max(longestCode, 'is too long')

/** Seconds that a link is good for. */
export function lasting(longest: number) {
  const expected = `must be a number of seconds, from 1 to ${longest}`
  const description = 'Seconds until it ends. Not sent: a usual time.'
  return z.int(expected).min(1, expected).max(longest, expected).nullish().meta({ description })
}

const teamId = z
  .int('must be the id of a team')
  .min(1, 'must be the id of a team')
  .meta({ description: 'The team that whoever accepts it will be in.' })

const invited = { email: emailAddress, full_name: shortText, expires_in: lasting(longestInvitation) }
const intoSite = bodyOf({ ...invited, team_id: teamId.nullish() }).meta({ id: 'CreateInvitationOption' })
const intoOrganisation = bodyOf({ ...invited, team_id: teamId }).meta({ id: 'CreateOrgInvitationOption' })
const accepted = bodyOf({ code: linkCode }).meta({ id: 'AcceptInvitationOption' })

/** `/admin/invitations`, `/orgs/{org}/invitations`: links by which people join. `/user/invitations`: joining by one. */
export function invitations(parts: HttpParts): Hono<ApiEnv> {
  const siteLeave = async (c: Context<ApiEnv>, verb: Verb) => administer(await c.env.askCaller(), verb)
  const organisationLeave = async (c: Context<ApiEnv>, verb: Verb) => {
    const owner = c.req.param('org') ?? ''
    const resolved = await c.env.resolve(addressKeys({ owner, package: '', version: '', file: '' }))
    return organisationGrant('owner', verb, resolved.caller, ownerAt(resolved))
  }

  const create = async (
    c: Context<ApiEnv>,
    leave: InvitationLeave,
    body: typeof intoSite | typeof intoOrganisation,
  ) => {
    const wanted = await jsonBody(c.req.raw, body)
    const created = await parts.invitations.create(leave, {
      email: wanted.email || undefined,
      fullName: wanted.full_name ?? undefined,
      teamId: wanted.team_id ?? undefined,
      expiresIn: wanted.expires_in ?? undefined,
    })
    logged(leave, created.link.id, 'Made')
    return json({ ...invitationShape(created), url: created.url }, 201)
  }
  const list = async (c: Context<ApiEnv>, leave: InvitationLeave) => {
    const page = pageOf(new URL(c.req.url))
    const { invitations, total } = await parts.invitations.list(leave, page)
    return jsonPage(invitations.map(invitationShape), total, page, publicAddress(parts.publicUrl(), c.req.raw))
  }
  const withdraw = async (c: Context<ApiEnv>, leave: InvitationLeave) => {
    const id = c.req.param('id') ?? ''
    await parts.invitations.withdraw(leave, id)
    logged(leave, id, 'Withdrew')
    return new Response(null, { status: 204 })
  }
  const logged = ({ caller }: InvitationLeave, id: number | string, what: string) =>
    parts.log.info({ 'link.id': id, 'user.name': caller.account.name }, `${what} invitation ${id}`)

  return new Hono<ApiEnv>()
    .get(
      '/admin/invitations',
      documented({ tag: 'admin', id: 'listInvitations', summary: 'Invitations to the site', page: invitationSchema }),
      async (c) => list(c, await siteLeave(c, 'read')),
    )
    .post(
      '/admin/invitations',
      documented({
        tag: 'admin',
        id: 'createInvitation',
        summary: 'Invite somebody to the site',
        body: intoSite,
        answers: { 201: { description: 'The invitation, with its link.', schema: newInvitation } },
      }),
      async (c) => create(c, await siteLeave(c, 'write'), intoSite),
    )
    .delete(
      '/admin/invitations/:id',
      documented({
        tag: 'admin',
        id: 'deleteInvitation',
        summary: 'Withdraw an invitation to the site',
        answers: { 204: { description: 'Its link leads nowhere any more.' } },
      }),
      async (c) => withdraw(c, await siteLeave(c, 'write')),
    )
    .get(
      '/orgs/:org/invitations',
      documented({
        tag: 'organizations',
        id: 'listOrganizationInvitations',
        summary: 'Invitations to an organisation',
        description: 'For its owners.',
        page: invitationSchema,
      }),
      async (c) => list(c, await organisationLeave(c, 'read')),
    )
    .post(
      '/orgs/:org/invitations',
      documented({
        tag: 'organizations',
        id: 'createOrganizationInvitation',
        summary: 'Invite somebody to an organisation',
        description: 'For its owners.',
        body: intoOrganisation,
        answers: { 201: { description: 'The invitation, with its link.', schema: newInvitation } },
      }),
      async (c) => create(c, await organisationLeave(c, 'write'), intoOrganisation),
    )
    .delete(
      '/orgs/:org/invitations/:id',
      documented({
        tag: 'organizations',
        id: 'deleteOrganizationInvitation',
        summary: 'Withdraw an invitation to an organisation',
        description: 'For its owners.',
        answers: { 204: { description: 'Its link leads nowhere any more.' } },
      }),
      async (c) => withdraw(c, await organisationLeave(c, 'write')),
    )
    .post(
      '/user/invitations',
      documented({
        tag: 'account',
        id: 'acceptInvitation',
        summary: 'Accept an invitation to an organisation',
        description: 'For somebody who has an account; else `/user/invitation` makes one.',
        scope: 'organization',
        body: accepted,
        answers: { 204: { description: 'The caller is in its team.' } },
      }),
      async (c) => {
        const caller = signedIn(await c.env.askCaller(), 'write:organization')
        const { code } = await jsonBody(c.req.raw, accepted)
        const link = await parts.invitations.join(caller, code)
        const { name } = caller.account
        parts.log.info({ 'link.id': link.id, 'user.name': name }, `${name} accepted invitation ${link.id}`)
        return new Response(null, { status: 204 })
      },
    )
}
