import { type Context, Hono } from 'hono'
import { z } from 'zod'
import type { Verb } from '../../access/rules.ts'
import { givenPermissions, teamUnits } from '../../access/team-rights.ts'
import type { TeamFields, TeamGrant, TeamRow } from '../../access/teams.ts'
import type { HttpParts } from '../parts.ts'
import { bodyOf, json, jsonBody, jsonPage, pageOf, publicAddress, text } from './answers.ts'
import type { ApiEnv } from './app.ts'
import { documented } from './documented.ts'
import { organisationAt } from './organisations.ts'
import { team as teamSchema, user as userSchema } from './schemas.ts'
import { personShape, teamShape } from './shapes.ts'

const unit = z.enum(teamUnits, `must be of ${teamUnits.join(', ')}`)
const permission = 'must be none, read, write or admin'

export const teamName = z
  .string('is missing')
  .min(1, 'is missing')
  .max(255, 'may have 255 characters at most')
  .regex(/^[A-Za-z0-9_.-]*$/, 'may hold letters, digits, "-", "_" and "." only')

export const teamDescription = text('must be text').max(255, 'may have 255 characters at most')

const fields = {
  description: teamDescription.nullish(),
  permission: z.enum([...givenPermissions, ''], permission).nullish(),
  units: z.array(unit, 'must be a list of units').nullish(),
  units_map: z
    .partialRecord(
      unit,
      z.enum(givenPermissions, permission),
      `must be an object of permissions by unit, of ${teamUnits.join(', ')}`,
    )
    .nullish(),
  includes_all_repositories: z.boolean('must be true or false').nullish(),
  can_create_org_repo: z.boolean('must be true or false').nullish(),
}

const newTeam = bodyOf({ name: teamName, ...fields }).meta({ id: 'CreateTeamOption' })
const changedTeam = bodyOf({ name: teamName.nullish(), ...fields }).meta({ id: 'EditTeamOption' })

/** `/orgs/{org}/teams`, and each team by its id. */
export function teams(parts: HttpParts): Hono<ApiEnv> {
  const teamAt = async <R extends 'member' | 'owner'>(c: Context<ApiEnv>, rank: R, verb: Verb): Promise<TeamGrant<R>> =>
    parts.teams.grant(rank, verb, await c.env.askCaller(), c.req.param('id') ?? '')
  const logged = (sentence: string, { team, organisation, caller }: TeamGrant<'member' | 'owner'>, member?: string) => {
    const facts = { 'team.name': team.name, 'organisation.name': organisation.name, 'user.name': caller.account.name }
    parts.log.info(member === undefined ? facts : { ...facts, 'member.name': member }, sentence)
  }

  return new Hono<ApiEnv>()
    .get(
      '/orgs/:org/teams',
      documented({
        tag: 'organizations',
        id: 'listTeams',
        summary: 'The teams of an organisation',
        description: 'For its members.',
        page: teamSchema,
      }),
      async (c) => {
        const grant = await organisationAt(c, 'member', 'read')
        const page = pageOf(new URL(c.req.url))
        const organisation = await parts.organisations.show(grant)
        const { teams, total } = await parts.teams.list(grant, page)
        const shown = teams.map((team) => teamShape(team, organisation))
        return jsonPage(shown, total, page, publicAddress(parts.publicUrl(), c.req.raw))
      },
    )
    .post(
      '/orgs/:org/teams',
      documented({
        tag: 'organizations',
        id: 'createTeam',
        summary: 'Make a team',
        description: 'For the owners of the organisation.',
        body: newTeam,
        answers: { 201: { description: 'The team.', schema: teamSchema } },
      }),
      async (c) => {
        const grant = await organisationAt(c, 'owner', 'write')
        const { name, ...wanted } = await jsonBody(c.req.raw, newTeam)
        const team = await parts.teams.create(grant, name, fieldsFrom(wanted))
        logged(`Made the team ${team.name} of ${grant.organisation.name}`, { ...grant, team })
        return json(teamShape(team, await parts.organisations.show(grant)), 201)
      },
    )
    .get(
      '/teams/:id',
      documented({
        tag: 'organizations',
        id: 'getTeam',
        summary: 'A team',
        description: 'For members of the organisation.',
        answers: { 200: { description: 'The team.', schema: teamSchema } },
      }),
      async (c) => {
        const grant = await teamAt(c, 'member', 'read')
        return json(teamShape(grant.team, await parts.organisations.show(grant)))
      },
    )
    .patch(
      '/teams/:id',
      documented({
        tag: 'organizations',
        id: 'updateTeam',
        summary: 'Change a team',
        description: 'For the owners of the organisation. A field that is not sent, or null, stays as it is.',
        body: changedTeam,
        answers: { 200: { description: 'The team as it is now.', schema: teamSchema } },
      }),
      async (c) => {
        const grant = await teamAt(c, 'owner', 'write')
        const { name, ...wanted } = await jsonBody(c.req.raw, changedTeam)
        const team: TeamRow = await parts.teams.change(grant, name ?? undefined, fieldsFrom(wanted))
        logged(`Changed the team ${team.name} of ${grant.organisation.name}`, { ...grant, team })
        return json(teamShape(team, await parts.organisations.show(grant)))
      },
    )
    .delete(
      '/teams/:id',
      documented({
        tag: 'organizations',
        id: 'deleteTeam',
        summary: 'Delete a team',
        description: 'For the owners of the organisation.',
        answers: { 204: { description: 'It is gone.' } },
      }),
      async (c) => {
        const grant = await teamAt(c, 'owner', 'write')
        await parts.teams.remove(grant)
        logged(`Deleted the team ${grant.team.name} of ${grant.organisation.name}`, grant)
        return new Response(null, { status: 204 })
      },
    )
    .get(
      '/teams/:id/members',
      documented({
        tag: 'organizations',
        id: 'listTeamMembers',
        summary: 'The members of a team',
        description: 'For members of the organisation.',
        page: userSchema,
      }),
      async (c) => {
        const grant = await teamAt(c, 'member', 'read')
        const page = pageOf(new URL(c.req.url))
        const { members, total } = await parts.teams.members(grant, page)
        const shown = members.map((member) => personShape(member, grant.caller, parts.publicUrl()))
        return jsonPage(shown, total, page, publicAddress(parts.publicUrl(), c.req.raw))
      },
    )
    .get(
      '/teams/:id/members/:user',
      documented({
        tag: 'organizations',
        id: 'getTeamMember',
        summary: 'A member of a team',
        description: 'For members of the organisation.',
        answers: { 200: { description: 'The member.', schema: userSchema } },
      }),
      async (c) => {
        const grant = await teamAt(c, 'member', 'read')
        const member = await parts.teams.member(grant, c.req.param('user'))
        return json(personShape(member, grant.caller, parts.publicUrl()))
      },
    )
    .put(
      '/teams/:id/members/:user',
      documented({
        tag: 'organizations',
        id: 'addTeamMember',
        summary: 'Put somebody into a team',
        description: 'For the owners of the organisation.',
        answers: { 204: { description: 'He is in it.' } },
      }),
      async (c) => {
        const grant = await teamAt(c, 'owner', 'write')
        const member = c.req.param('user')
        await parts.teams.addMember(grant, member)
        logged(`Added ${member} to the team ${grant.team.name} of ${grant.organisation.name}`, grant, member)
        return new Response(null, { status: 204 })
      },
    )
    .delete(
      '/teams/:id/members/:user',
      documented({
        tag: 'organizations',
        id: 'deleteTeamMember',
        summary: 'Take somebody out of a team',
        description: 'For the owners of the organisation, and for the member. The last one of `Owners` cannot leave.',
        answers: { 204: { description: 'He is out of it.' } },
      }),
      async (c) => {
        const grant = await teamAt(c, 'member', 'write')
        const member = c.req.param('user')
        await parts.teams.removeMember(grant, member)
        logged(`Removed ${member} from the team ${grant.team.name} of ${grant.organisation.name}`, grant, member)
        return new Response(null, { status: 204 })
      },
    )
}

function fieldsFrom(wanted: Omit<z.output<typeof changedTeam>, 'name'>): TeamFields {
  return {
    description: wanted.description ?? undefined,
    permission: wanted.permission || undefined,
    units: wanted.units ?? undefined,
    unitsMap: wanted.units_map ?? undefined,
    includesAllRepositories: wanted.includes_all_repositories ?? undefined,
    canCreateOrgRepo: wanted.can_create_org_repo ?? undefined,
  }
}
