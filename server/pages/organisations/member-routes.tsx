import { type Context, Hono } from 'hono'
import type { UserRow } from '../../access/accounts.ts'
import { type OrganisationGrant, organisationGrant } from '../../access/organisations.ts'
import { pageOf } from '../../http/api/answers.ts'
import type { HttpParts } from '../../http/parts.ts'
import { showOwner } from '../../registry/lists.ts'
import { attempt } from '../forms.ts'
import { goTo, linksOf, type Render } from '../page.tsx'
import { type PageEnv, visitOf } from '../visit.ts'
import { organisationAt } from './at.ts'
import { Members, RemoveMember } from './members.tsx'

/** Who is in an organisation. */
export function memberPages(parts: HttpParts, render: Render): Hono<PageEnv> {
  const links = linksOf(parts)

  /** Who is to go, where the reader may see to it: himself, or as an owner. */
  const leaving = async (c: Context<PageEnv>) => {
    const grant = await organisationAt(visitOf(c), 'member', 'write', c.req.param('org') ?? '')
    const found = await parts.organisations.member(grant, c.req.param('user') ?? '')
    if (!isSelf(grant, found.member)) organisationGrant('owner', 'write', grant.caller, grant.organisation)
    return { grant, ...found }
  }
  const ask = async (
    c: Context<PageEnv>,
    { grant, member }: { grant: OrganisationGrant<'member'>; member: UserRow },
    refusal: string | undefined,
    status = 200,
  ) => {
    const teams = (await parts.teams.ofMembers(grant, [member])).get(member.id) ?? []
    const { name } = grant.organisation
    const title = isSelf(grant, member) ? `Leave ${name}` : `Remove ${member.name} from ${name}`
    const page = <RemoveMember grant={grant} member={member} teams={teams} kept={[]} refusal={refusal} />
    return render(c, { title, status }, page)
  }

  return new Hono<PageEnv>()
    .get('/:org/-/members', async (c) => {
      const grant = await organisationAt(visitOf(c), 'member', 'read', c.req.param('org'))
      const page = pageOf(new URL(c.req.url))
      const { members, total } = await parts.organisations.members(grant, page)
      const teams = await parts.teams.ofMembers(grant, members)
      const profile = await showOwner(parts.registry, grant.organisation)
      return render(
        c,
        { title: `Members of ${grant.organisation.name}` },
        <Members grant={grant} profile={profile} members={members} teams={teams} total={total} page={page} />,
      )
    })
    .get('/:org/-/members/:user/remove', async (c) => {
      const going = await leaving(c)
      return ask(c, going, going.mayNotGo?.message)
    })
    .post('/:org/-/members/:user/remove', async (c) => {
      const going = await leaving(c)
      const { grant, member } = going
      const { faults } = await attempt(() => parts.organisations.removeMember(grant, member.name))
      if (faults) return ask(c, going, faults.form, faults.status)
      const { name } = grant.organisation
      parts.log.info(
        { 'organisation.name': name, 'member.name': member.name, 'user.name': grant.caller.account.name },
        `Removed ${member.name} from the organisation ${name}`,
      )
      if (isSelf(grant, member)) return goTo(links().path('/user/organisations'), 'organisation-left')
      return goTo(links().owner(name, 'members'), 'member-removed')
    })
}

function isSelf({ caller }: OrganisationGrant<'member'>, { id }: UserRow): boolean {
  return caller.account.id === id
}
