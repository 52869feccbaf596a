import type { OrganisationGrant } from '../../access/organisations.ts'
import { rankAt } from '../../access/rules.ts'
import type { TeamGrant, TeamRow } from '../../access/teams.ts'
import type { Profile } from '../../registry/lists.ts'
import { Button, ButtonLink, Choices, Confirm, TextField } from '../components/forms.tsx'
import { Alert, Empty, Pager, Section, Trail } from '../components/parts.tsx'
import { actions, TableHead } from '../components/table-head.tsx'
import type { Faults } from '../forms.ts'
import { useSite } from '../site.ts'
import { counted } from '../words.ts'
import { ListHead, OrganisationPage } from './head.tsx'
import { type Person, PersonName, RemoveLink } from './members.tsx'
import { Rights, rightsChoices, rightsInWords } from './rights.tsx'

interface Page {
  page: number
  limit: number
}

interface TeamsProps {
  grant: OrganisationGrant<'member'>
  profile: Profile
  teams: readonly TeamRow[]
  total: number
  page: Page
}

export function TeamList({ grant, profile, teams, total, page }: TeamsProps) {
  const { links } = useSite()
  const { name: organisation } = grant.organisation
  const isOwner = rankAt(grant.caller, grant.organisation) === 'owner'
  return (
    <OrganisationPage grant={grant} profile={profile} here="teams">
      <ListHead title={counted(total, 'team')} hint="What somebody may do here follows from the teams they are in.">
        {isOwner && (
          <ButtonLink href={links.owner(organisation, 'teams', 'new')} look="primary" icon="add">
            New team
          </ButtonLink>
        )}
      </ListHead>
      <table class="list-table">
        <TableHead columns={['Team', 'Rights', 'Description']} />
        <tbody>
          {teams.map(({ id, name, access, description }) => (
            <tr>
              <td class="breaks md:max-w-96">
                <a href={links.owner(organisation, 'teams', String(id))} class="font-medium line breaks">
                  {name}
                </a>
              </td>
              <td data-label="Rights">
                <Rights level={access} />
              </td>
              <td class="breaks prose-width">{description}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <Pager paging={{ ...page, total, shown: teams.length }} path={links.owner(organisation, 'teams')} />
    </OrganisationPage>
  )
}

export interface TeamValues {
  name: string
  description: string
  rights: string
}

interface TeamFormProps {
  action: string
  values: TeamValues
  faults: Faults | undefined
  button: string
  /** The team of the owners keeps its name and its rights. */
  isOwners?: boolean
  back?: string
  isPrimary?: boolean
}

function TeamForm({ action, values, faults, button, isOwners = false, back, isPrimary = false }: TeamFormProps) {
  const wrong = faults?.fields ?? {}
  return (
    <form method="post" action={action} class="prose-width">
      {isOwners ? (
        <input type="hidden" name="name" value={values.name} />
      ) : (
        <TextField
          name="name"
          label="Name"
          value={values.name}
          error={wrong.name}
          hint="Letters, digits, “-”, “_” and “.”."
          required
          maxlength={255}
          autocomplete="off"
          isMono
        />
      )}
      <TextField
        name="description"
        label="Description (optional)"
        value={values.description}
        error={wrong.description}
        maxlength={255}
        autocomplete="off"
      />
      {isOwners ? (
        <p class="quiet mb-4">This team keeps its name and all rights: an organisation always has owners.</p>
      ) : (
        <Choices
          name="rights"
          label="What its members may do"
          value={values.rights}
          error={wrong.rights}
          choices={rightsChoices}
        />
      )}
      <div class="flex flex-wrap gap-3 mt-6">
        <Button look={isPrimary ? 'primary' : 'plain'}>{button}</Button>
        {back && <ButtonLink href={back}>Cancel</ButtonLink>}
      </div>
    </form>
  )
}

export function NewTeam(props: { organisation: string; values: TeamValues; faults: Faults | undefined }) {
  const { organisation, values, faults } = props
  const { links } = useSite()
  const teams = links.owner(organisation, 'teams')
  return (
    <>
      <Trail
        steps={[
          { text: organisation, href: links.owner(organisation) },
          { text: 'Teams', href: teams },
          { text: 'New team' },
        ]}
      />
      <h1 class="mb-5">New team</h1>
      {faults?.form && <Alert tone="error">{faults.form}</Alert>}
      <TeamForm
        action={links.owner(organisation, 'teams', 'new')}
        values={values}
        faults={faults}
        button="Make the team"
        back={teams}
        isPrimary
      />
    </>
  )
}

interface TeamProps {
  grant: TeamGrant<'member' | 'owner'>
  members: readonly Person[]
  total: number
  page: Page
  /** Undefined: as the team is. */
  values?: TeamValues | undefined
  faults?: Faults | undefined
  /** Of somebody who is to be added. */
  added?: { name: string; fault: string } | undefined
}

export function Team({ grant, members, total, page, values, faults, added }: TeamProps) {
  const { links } = useSite()
  const { team, organisation, caller } = grant
  const isOwner = rankAt(caller, organisation) === 'owner'
  const here = links.owner(organisation.name, 'teams', String(team.id))
  const isOwners = team.permission === 'owner'
  return (
    <>
      <Trail
        steps={[
          { text: organisation.name, href: links.owner(organisation.name) },
          { text: 'Teams', href: links.owner(organisation.name, 'teams') },
          { text: team.name },
        ]}
      />
      <h1 class="mb-2">{team.name}</h1>
      {team.description && <p class="breaks prose-width mb-2">{team.description}</p>}
      <p class="mb-6 flex flex-wrap gap-x-3 gap-y-1">
        <Rights level={team.access} />
        <span class="quiet">{rightsInWords(team.access)}</span>
      </p>
      {faults?.form && <Alert tone="error">{faults.form}</Alert>}

      <Section title={total === 0 ? 'Members' : counted(total, 'member')}>
        {isOwner && (
          <form
            method="post"
            action={links.owner(organisation.name, 'teams', String(team.id), 'members')}
            class="prose-width"
          >
            <TextField
              name="user"
              label="Add somebody who has an account"
              value={added?.name}
              error={added?.fault}
              hint={
                <>
                  By user name. Whoever has no account yet needs an{' '}
                  <a href={links.owner(organisation.name, 'invitations')}>invitation</a>.
                </>
              }
              required
              maxlength={40}
              autocomplete="off"
              isMono
            />
            <div class="mb-6">
              <Button look="primary" icon="add">
                Add to the team
              </Button>
            </div>
          </form>
        )}
        {total === 0 ? (
          <Empty title="Nobody is in this team">
            <p>{isOwner ? 'Add somebody above, or invite them.' : 'Owners of the organisation can add people.'}</p>
          </Empty>
        ) : (
          <table class="list-table">
            <TableHead columns={['Member', actions]} />
            <tbody>
              {members.map((member) => (
                <tr>
                  <td class="breaks">
                    <PersonName person={member} />
                  </td>
                  <td class="md:text-end">
                    <RemoveLink
                      isOwner={isOwner}
                      isSelf={member.id === caller.account.id}
                      name={member.name}
                      href={links.owner(organisation.name, 'teams', String(team.id), 'members', member.name, 'remove')}
                    />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
        <Pager paging={{ ...page, total, shown: members.length }} path={here} />
      </Section>

      {isOwner && (
        <Section title="Name and rights">
          <TeamForm
            action={here}
            values={values ?? valuesOf(team)}
            faults={faults}
            button="Save the team"
            isOwners={isOwners}
          />
        </Section>
      )}
      {isOwner && !isOwners && (
        <Section title="Delete the team">
          <p class="mb-3 prose-width">
            Whoever is in no other team leaves the organisation with it. Packages stay as they are.
          </p>
          <ButtonLink
            href={links.owner(organisation.name, 'teams', String(team.id), 'delete')}
            look="danger"
            icon="trash"
          >
            Delete the team…
          </ButtonLink>
        </Section>
      )}
    </>
  )
}

export function valuesOf(team: TeamRow): TeamValues {
  return { name: team.name, description: team.description, rights: team.access === 1 ? 'read' : 'write' }
}

export function DeleteTeam(props: {
  grant: TeamGrant<'owner'>
  total: number
  /** Of those on the first page who are in no other team. */
  leaving: readonly Person[]
  faults: Faults | undefined
}) {
  const { grant, total, leaving, faults } = props
  const { team, organisation } = grant
  const { links } = useSite()
  const back = links.owner(organisation.name, 'teams', String(team.id))
  return (
    <>
      <Trail
        steps={[
          { text: organisation.name, href: links.owner(organisation.name) },
          { text: 'Teams', href: links.owner(organisation.name, 'teams') },
          { text: team.name, href: back },
          { text: 'Delete' },
        ]}
      />
      <h1 class="mb-4">Delete the team {team.name}</h1>
      {faults?.form && <Alert tone="error">{faults.form}</Alert>}
      <Confirm
        action={links.owner(organisation.name, 'teams', String(team.id), 'delete')}
        name={team.name}
        button="Delete the team"
        error={faults?.fields.confirm}
        back={back}
      >
        <p>
          {total === 0
            ? 'Nobody is in this team.'
            : `${counted(total, 'member')} ${total === 1 ? 'loses' : 'lose'} what only this team allows, at once and for all tokens.`}
        </p>
        {leaving.length > 0 && (
          <p class="breaks">
            In no other team, and so out of {organisation.name}:{' '}
            <strong>{leaving.map(({ name }) => name).join(', ')}</strong>.
          </p>
        )}
        <p>Open invitations into it lead nowhere any more. Packages stay as they are. This cannot be undone.</p>
      </Confirm>
    </>
  )
}
