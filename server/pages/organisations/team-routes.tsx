import { type Context, Hono } from 'hono'
import { z } from 'zod'
import type { UserRow } from '../../access/accounts.ts'
import { organisationGrant } from '../../access/organisations.ts'
import type { Verb } from '../../access/rules.ts'
import type { TeamFields, TeamGrant } from '../../access/teams.ts'
import { pageOf } from '../../http/api/answers.ts'
import { teamDescription, teamName } from '../../http/api/teams.ts'
import type { HttpParts } from '../../http/parts.ts'
import { Problem } from '../../problems.ts'
import { showOwner } from '../../registry/lists.ts'
import { attempt, checked, type Faults, Form } from '../forms.ts'
import { goTo, linksOf, type Render } from '../page.tsx'
import { type PageEnv, visitOf } from '../visit.ts'
import { organisationAt } from './at.ts'
import { RemoveMember } from './members.tsx'
import { DeleteTeam, NewTeam, Team, TeamList, type TeamValues, valuesOf } from './teams.tsx'

const typed = z.object({
  name: teamName,
  description: teamDescription,
  rights: z.enum(['read', 'write'], 'choose one'),
})
/** Of the team of the owners nothing else changes. */
const typedOfOwners = z.object({ name: teamName, description: teamDescription })

/** The teams of an organisation, and who is in them. */
export function teamPages(parts: HttpParts, render: Render): Hono<PageEnv> {
  const links = linksOf(parts)

  /** The team, where it is one of the organisation in the address. */
  const teamAt = async <R extends 'member' | 'owner'>(c: Context<PageEnv>, rank: R, verb: Verb) => {
    const visit = visitOf(c)
    const { organisation } = await organisationAt(visit, rank, verb, c.req.param('org') ?? '')
    const grant: TeamGrant<R> = await parts.teams.grant(rank, verb, visit.caller, c.req.param('id') ?? '')
    if (grant.organisation.id !== organisation.id) throw new Problem('not-found', 'Not found.')
    return grant
  }
  const pathOf = ({ organisation, team }: TeamGrant<'member' | 'owner'>) =>
    links().owner(organisation.name, 'teams', String(team.id))
  const logged = (sentence: string, { team, organisation, caller }: TeamGrant<'member' | 'owner'>, member?: string) => {
    const facts = { 'team.name': team.name, 'organisation.name': organisation.name, 'user.name': caller.account.name }
    parts.log.info(member === undefined ? facts : { ...facts, 'member.name': member }, sentence)
  }

  const showTeam = async (
    c: Context<PageEnv>,
    grant: TeamGrant<'member' | 'owner'>,
    more: { values?: TeamValues; faults?: Faults; added?: { name: string; fault: string }; status?: number } = {},
  ) => {
    const page = pageOf(new URL(c.req.url))
    const { members, total } = await parts.teams.members(grant, page)
    return render(
      c,
      { title: `${grant.team.name} of ${grant.organisation.name}`, status: more.faults?.status ?? more.status ?? 200 },
      <Team grant={grant} members={members} total={total} page={page} {...more} />,
    )
  }

  /** Who is to go out of a team, where the reader may see to it: himself, or as an owner. */
  const leaving = async (c: Context<PageEnv>) => {
    const grant = await teamAt(c, 'member', 'write')
    const member = await parts.teams.member(grant, c.req.param('user') ?? '')
    if (!isSelf(grant, member)) organisationGrant('owner', 'write', grant.caller, grant.organisation)
    return { grant, member }
  }
  const askToRemove = async (
    c: Context<PageEnv>,
    { grant, member }: { grant: TeamGrant<'member'>; member: UserRow },
    refusal: string | undefined,
    status = 200,
  ) => {
    const { team, organisation } = grant
    const all = (await parts.teams.ofMembers(grant, [member])).get(member.id) ?? []
    const kept = all.filter(({ id }) => id !== team.id)
    const title = isSelf(grant, member) ? `Leave ${team.name}` : `Remove ${member.name} from ${team.name}`
    const page = <RemoveMember grant={grant} member={member} teams={[team]} kept={kept} team={team} refusal={refusal} />
    return render(c, { title: `${title} of ${organisation.name}`, status }, page)
  }

  const askToDelete = async (c: Context<PageEnv>, grant: TeamGrant<'owner'>, faults: Faults | undefined) => {
    const { members, total } = await parts.teams.members(grant, { offset: 0, limit: 100 })
    const teams = await parts.teams.ofMembers(grant, members)
    const leaving = members.filter(({ id }) => (teams.get(id)?.length ?? 0) <= 1)
    return render(
      c,
      { title: `Delete ${grant.team.name} of ${grant.organisation.name}`, status: faults?.status ?? 200 },
      <DeleteTeam grant={grant} total={total} leaving={leaving} faults={faults} />,
    )
  }

  return new Hono<PageEnv>()
    .get('/:org/-/teams', async (c) => {
      const grant = await organisationAt(visitOf(c), 'member', 'read', c.req.param('org'))
      const page = pageOf(new URL(c.req.url))
      const { teams, total } = await parts.teams.list(grant, page)
      const profile = await showOwner(parts.registry, grant.organisation)
      return render(
        c,
        { title: `Teams of ${grant.organisation.name}` },
        <TeamList grant={grant} profile={profile} teams={teams} total={total} page={page} />,
      )
    })
    .get('/:org/-/teams/new', async (c) => {
      const { organisation } = await organisationAt(visitOf(c), 'owner', 'read', c.req.param('org'))
      const values = { name: '', description: '', rights: 'read' }
      const page = <NewTeam organisation={organisation.name} values={values} faults={undefined} />
      return render(c, { title: `New team of ${organisation.name}` }, page)
    })
    .post('/:org/-/teams/new', async (c) => {
      const grant = await organisationAt(visitOf(c), 'owner', 'write', c.req.param('org'))
      const { name: organisation } = grant.organisation
      const values = valuesFrom(await Form.of(c.req.raw))
      const { data, faults: wrong } = checked(typed, values)
      const { done: team, faults } = data
        ? await attempt(
            () => parts.teams.create(grant, data.name, { description: data.description, permission: data.rights }),
            atName,
          )
        : { faults: wrong }
      if (faults) {
        const page = <NewTeam organisation={organisation} values={values} faults={readable(faults, values.name)} />
        return render(c, { title: `New team of ${organisation}`, status: faults.status }, page)
      }
      logged(`Made the team ${team.name} of ${organisation}`, { ...grant, team })
      return goTo(pathOf({ ...grant, team }), 'team-made')
    })
    .get('/:org/-/teams/:id', async (c) => showTeam(c, await teamAt(c, 'member', 'read')))
    .post('/:org/-/teams/:id', async (c) => {
      const grant = await teamAt(c, 'owner', 'write')
      const { team } = grant
      const values = valuesFrom(await Form.of(c.req.raw))
      const { data, faults: wrong } = checked(team.permission === 'owner' ? typedOfOwners : typed, values)
      const { done: changed, faults } = data
        ? await attempt(() => parts.teams.change(grant, data.name, changeOf(grant, values)), atName)
        : { faults: wrong }
      if (faults) return showTeam(c, grant, { values, faults: readable(faults, values.name) })
      logged(`Changed the team ${changed.name} of ${grant.organisation.name}`, { ...grant, team: changed })
      return goTo(pathOf(grant), 'team-changed')
    })
    .post('/:org/-/teams/:id/members', async (c) => {
      const grant = await teamAt(c, 'owner', 'write')
      const name = (await Form.of(c.req.raw)).text('user').trim()
      const fault = await refusalToAdd(parts, grant, name)
      if (fault) return showTeam(c, grant, { added: { name, fault }, status: 422 })
      logged(`Added ${name} to the team ${grant.team.name} of ${grant.organisation.name}`, grant, name)
      return goTo(pathOf(grant), 'team-member-added')
    })
    .get('/:org/-/teams/:id/members/:user/remove', async (c) => {
      const going = await leaving(c)
      const { grant, member } = going
      const { mayNotGo } = await parts.organisations.member(grant, member.name)
      return askToRemove(c, going, grant.team.permission === 'owner' ? mayNotGo?.message : undefined)
    })
    .post('/:org/-/teams/:id/members/:user/remove', async (c) => {
      const going = await leaving(c)
      const { grant, member } = going
      const { team, organisation } = grant
      const { faults } = await attempt(() => parts.teams.removeMember(grant, member.name))
      if (faults) return askToRemove(c, going, faults.form, faults.status)
      logged(`Removed ${member.name} from the team ${team.name} of ${organisation.name}`, grant, member.name)
      // Who was in no other team may not see this one any more.
      if (isSelf(grant, member)) return goTo(links().path('/user/organisations'), 'team-left')
      return goTo(pathOf(grant), 'team-member-removed')
    })
    .get('/:org/-/teams/:id/delete', async (c) => {
      const grant = await teamAt(c, 'owner', 'write')
      mustBeDeletable(grant)
      return askToDelete(c, grant, undefined)
    })
    .post('/:org/-/teams/:id/delete', async (c) => {
      const grant = await teamAt(c, 'owner', 'write')
      const { team, organisation } = grant
      mustBeDeletable(grant)
      if ((await Form.of(c.req.raw)).text('confirm').trim() !== team.name) {
        const fields = { confirm: `Type ${team.name} to delete this team.` }
        return askToDelete(c, grant, { status: 422, fields })
      }
      const { faults } = await attempt(() => parts.teams.remove(grant))
      if (faults) return askToDelete(c, grant, faults)
      logged(`Deleted the team ${team.name} of ${organisation.name}`, grant)
      return goTo(links().owner(organisation.name, 'teams'), 'team-deleted')
    })
}

function isSelf({ caller }: TeamGrant<'member'>, { id }: UserRow): boolean {
  return caller.account.id === id
}

function mustBeDeletable({ team }: TeamGrant<'owner'>): void {
  if (team.permission !== 'owner') return
  throw new Problem('unprocessable', 'The team Owners cannot be deleted: an organisation always has owners.')
}

function valuesFrom(form: Form): TeamValues {
  return {
    name: form.text('name').trim(),
    description: form.text('description').trim(),
    rights: form.text('rights'),
  }
}

/** What somebody has changed: rights that other clients have given in more detail stay unless he chose others. */
function changeOf({ team }: TeamGrant<'owner'>, { description, rights }: TeamValues): TeamFields {
  const isChosen = team.permission !== 'owner' && rights !== valuesOf(team).rights
  return { description, permission: isChosen ? (rights === 'write' ? 'write' : 'read') : undefined }
}

function atName({ code, message }: Problem): string | undefined {
  return code === 'unprocessable' && message.startsWith('team already exists') ? 'name' : undefined
}

/** What clients of the JSON API read by its shape is told to people in words. */
function readable(faults: Faults, name: string): Faults {
  if (!faults.fields.name?.startsWith('Team already exists')) return faults
  return { ...faults, fields: { ...faults.fields, name: `There is a team ${name} already. Choose another name.` } }
}

/** Puts somebody into the team, or says why not. */
async function refusalToAdd(parts: HttpParts, grant: TeamGrant<'owner'>, name: string): Promise<string | undefined> {
  if (name === '') return 'Type a user name.'
  try {
    await parts.teams.addMember(grant, name)
    return undefined
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'not-found') throw error
    return `There is no user ${name}, or you cannot see them.`
  }
}
