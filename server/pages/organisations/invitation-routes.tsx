import { type Context, Hono } from 'hono'
import { z } from 'zod'
import type { Invitation } from '../../access/invitations.ts'
import type { OrganisationGrant } from '../../access/organisations.ts'
import type { Verb } from '../../access/rules.ts'
import { pageOf } from '../../http/api/answers.ts'
import { emailAddress, shortText } from '../../http/api/profile-fields.ts'
import type { HttpParts } from '../../http/parts.ts'
import { showOwner } from '../../registry/lists.ts'
import { attempt, checked, type Faults, Form, sentence } from '../forms.ts'
import { goTo, linksOf, type Render } from '../page.tsx'
import { type PageEnv, visitOf } from '../visit.ts'
import { organisationAt } from './at.ts'
import { ListHead, OrganisationPage } from './head.tsx'
import { freshInvitation, InvitePanel, type InviteValues } from './invite.tsx'

const day = 24 * 60 * 60

const typed = z.object({
  email: emailAddress,
  full_name: shortText,
  days: z.enum(['1', '7', '30'], 'choose one of these'),
  team_id: z.string().regex(/^[1-9]\d{0,14}$/, 'choose a team'),
})

/** Teams that the form offers: the owners first, then by name. */
const mostTeams = 500

interface Shown {
  values: InviteValues
  faults?: Faults | undefined
  made?: (Invitation & { url: string }) | undefined
}

/** Links by which people join an organisation. */
export function invitationPages(parts: HttpParts, render: Render): Hono<PageEnv> {
  const links = linksOf(parts)
  const leaveAt = (c: Context<PageEnv>, verb: Verb) =>
    organisationAt(visitOf(c), 'owner', verb, c.req.param('org') ?? '')
  const teamsOf = async (leave: OrganisationGrant<'owner'>) =>
    (await parts.teams.list(leave, { offset: 0, limit: mostTeams })).teams
  const logged = ({ caller }: OrganisationGrant<'owner'>, id: number | string, what: string) =>
    parts.log.info({ 'link.id': id, 'user.name': caller.account.name }, `${what} invitation ${id}`)

  const show = async (
    c: Context<PageEnv>,
    leave: OrganisationGrant<'owner'>,
    { values, faults, made }: Shown,
  ): Promise<Response> => {
    const page = pageOf(new URL(c.req.url))
    const { name } = leave.organisation
    const { invitations, total } = await parts.invitations.list(leave, page)
    return render(
      c,
      { title: `Invitations to ${name}`, status: faults?.status ?? (made ? 201 : 200) },
      <OrganisationPage grant={leave} profile={await showOwner(parts.registry, leave.organisation)} here="invitations">
        <ListHead
          title="Invite somebody"
          hint="Whoever gets the link makes an account, or uses the one they have, and is in the team."
        />
        <InvitePanel
          organisation={name}
          teams={await teamsOf(leave)}
          invitations={invitations}
          total={total}
          page={page}
          values={values}
          faults={faults}
          sendsMail={parts.sendsMail}
          made={made}
        />
      </OrganisationPage>,
    )
  }

  return new Hono<PageEnv>()
    .get('/:org/-/invitations', async (c) => {
      const leave = await leaveAt(c, 'read')
      // Not the owners: nobody becomes one because somebody did not look.
      const [owners, first = owners] = await teamsOf(leave)
      return show(c, leave, { values: { ...freshInvitation, team_id: String(first?.id ?? '') } })
    })
    .post('/:org/-/invitations', async (c) => {
      const leave = await leaveAt(c, 'write')
      const form = await Form.of(c.req.raw)
      const values: InviteValues = {
        email: form.text('email').trim(),
        full_name: form.text('full_name').trim(),
        team_id: form.text('team_id'),
        days: form.text('days'),
      }
      const { data, faults } = checked(typed, values)
      if (faults) return show(c, leave, { values, faults })
      const tried = await attempt(() =>
        parts.invitations.create(leave, {
          email: data.email || undefined,
          fullName: data.full_name || undefined,
          teamId: Number(data.team_id),
          expiresIn: Number(data.days) * day,
        }),
      )
      if (tried.faults) return show(c, leave, { values, faults: atTeam(tried.faults) })
      logged(leave, tried.done.link.id, 'Made')
      return show(c, leave, { values: { ...freshInvitation, team_id: values.team_id }, made: tried.done })
    })
    .post('/:org/-/invitations/:id/withdraw', async (c) => {
      const leave = await leaveAt(c, 'write')
      const id = c.req.param('id')
      await parts.invitations.withdraw(leave, id)
      logged(leave, id, 'Withdrew')
      return goTo(links().owner(leave.organisation.name, 'invitations'), 'invitation-withdrawn')
    })
}

/** A refusal that names the field of the JSON API stands at the field of the form. */
function atTeam(faults: Faults): Faults {
  const [, text] = faults.form?.match(/^team_id: (.*)$/is) ?? []
  return text ? { status: faults.status, fields: { team_id: sentence(text) } } : faults
}
