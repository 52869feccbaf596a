import type { Invitation } from '../../access/invitations.ts'
import type { TeamRow } from '../../access/teams.ts'
import { Button, Select, TextField } from '../components/forms.tsx'
import { Icon } from '../components/icon.tsx'
import { Alert, Empty, Pager, Section } from '../components/parts.tsx'
import { actions, TableHead } from '../components/table-head.tsx'
import { Ago, Command } from '../components/values.tsx'
import type { Faults } from '../forms.ts'
import { useSite } from '../site.ts'

export interface InviteValues {
  email: string
  full_name: string
  team_id: string
  days: string
}

export const freshInvitation: InviteValues = { email: '', full_name: '', team_id: '', days: '7' }

interface InvitePanelProps {
  organisation: string
  teams: readonly Pick<TeamRow, 'id' | 'name'>[]
  invitations: readonly Invitation[]
  total: number
  page: { page: number; limit: number }
  values: InviteValues
  faults: Faults | undefined
  sendsMail: boolean
  /** Just made: its link is shown this once. */
  made: (Invitation & { url: string }) | undefined
}

/** Links by which people join a team: a new one, and those that are open. */
export function InvitePanel(props: InvitePanelProps) {
  const { made, faults } = props
  return (
    <>
      {made && <Made {...made} />}
      {faults?.form && <Alert tone="error">{faults.form}</Alert>}
      <InviteForm {...props} />
      <Open {...props} />
    </>
  )
}

/** The link, once: the server keeps no copy that it could show again. */
function Made({ link, url }: Invitation & { url: string }) {
  return (
    <section class="panel border-success p-5 mb-8 grid grid-cols-1 gap-3" aria-labelledby="made" role="status">
      <h2 id="made" class="flex gap-2 items-center">
        <Icon name="success" class="text-success" /> The invitation is made
      </h2>
      <p class="prose-width">
        {link.mailed
          ? `It is on its way to ${link.email}. You can also pass on the link yourself.`
          : `Pass this link on to ${link.email || link.full_name || 'whoever it is for'}: no mail is sent.`}{' '}
        It is shown this once, works once, and ends <Ago at={link.expires_at} />.
      </p>
      <Command text={url} what="link" />
    </section>
  )
}

function InviteForm({ organisation, teams, values, faults, sendsMail }: InvitePanelProps) {
  const { links } = useSite()
  const wrong = faults?.fields ?? {}
  return (
    <form method="post" action={links.owner(organisation, 'invitations')} class="prose-width">
      <TextField
        name="email"
        type="email"
        label="E-mail address (optional)"
        value={values.email}
        error={wrong.email}
        hint={
          sendsMail
            ? 'The link is mailed there. Without one you pass it on yourself.'
            : 'This site sends no mail: you pass the link on yourself.'
        }
        maxlength={254}
        autocomplete="off"
      />
      <TextField
        name="full_name"
        label="Full name (optional)"
        value={values.full_name}
        error={wrong.full_name}
        maxlength={255}
        autocomplete="off"
      />
      <Select
        name="team_id"
        label="Team"
        value={values.team_id}
        error={wrong.team_id}
        hint="Whoever accepts is in it."
        choices={teams.map(({ id, name }) => ({ value: String(id), label: name }))}
      />
      <Select
        name="days"
        label="Valid for"
        value={values.days}
        error={wrong.days}
        choices={[
          { value: '1', label: '1 day' },
          { value: '7', label: '7 days' },
          { value: '30', label: '30 days' },
        ]}
      />
      <div class="mt-6">
        <Button look="primary" icon="add">
          Make an invitation
        </Button>
      </div>
    </form>
  )
}

function Open({ organisation, invitations, total, page }: InvitePanelProps) {
  const { links } = useSite()
  return (
    <Section title="Open invitations">
      {total === 0 ? (
        <Empty title="Nobody has an invitation at the moment">
          <p>Make one above. It stays here until it is accepted, withdrawn, or has ended.</p>
        </Empty>
      ) : (
        <table class="list-table">
          <TableHead columns={['For', 'Team', 'By', 'Ends', actions]} />
          <tbody>
            {invitations.map((invitation) => (
              <OpenRow organisation={organisation} invitation={invitation} />
            ))}
          </tbody>
        </table>
      )}
      <Pager paging={{ ...page, total, shown: invitations.length }} path={links.owner(organisation, 'invitations')} />
    </Section>
  )
}

function OpenRow({ organisation, invitation }: { organisation: string; invitation: Invitation }) {
  const { links } = useSite()
  const { link, team } = invitation
  const whom = link.email || link.full_name || 'whoever has the link'
  return (
    <tr>
      <td class="breaks">
        <span class="font-medium">{whom}</span>
        {link.email && link.full_name && <span class="block quiet">{link.full_name}</span>}
        {link.mailed === 1 && <span class="block quiet text-sm">Mailed</span>}
      </td>
      <td data-label="Team" class="breaks md:min-w-36">
        {team && (
          <a href={links.owner(organisation, 'teams', String(team.id))} class="line breaks">
            {team.name}
          </a>
        )}
      </td>
      <td data-label="By" class="breaks md:min-w-28">
        {link.maker ?? 'somebody who is gone'}
      </td>
      <td data-label="Ends">
        <Ago at={link.expires_at} />
      </td>
      <td class="md:text-end">
        <form method="post" action={links.owner(organisation, 'invitations', String(link.id), 'withdraw')}>
          <button type="submit" class="btn btn-sm btn-ghost -ml-3 md:ml-0 md:-mr-3 md:-my-1">
            <span>
              Withdraw<span class="sr-only"> the invitation for {whom}</span>
            </span>
          </button>
        </form>
      </td>
    </tr>
  )
}
