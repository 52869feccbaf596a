import type { OrganisationRow } from '../../access/organisations.ts'
import type { TeamRow } from '../../access/teams.ts'
import { Button, ButtonLink, Choices, TextField } from '../components/forms.tsx'
import { Alert, Empty, Pager, Trail, VisibilityBadge } from '../components/parts.tsx'
import { AccountPlaces } from '../components/places.tsx'
import { TableHead } from '../components/table-head.tsx'
import type { Faults } from '../forms.ts'
import { useSite } from '../site.ts'
import { highest, Rights } from './rights.tsx'

interface MineProps {
  organisations: readonly OrganisationRow[]
  teams: ReadonlyMap<number, readonly TeamRow[]>
  total: number
  page: { page: number; limit: number }
  /** Why the reader makes no organisation; undefined where he may. */
  mayNot: string | undefined
}

/** The organisations in which the reader is. */
export function Mine({ organisations, teams, total, page, mayNot }: MineProps) {
  const { links } = useSite()
  return (
    <>
      <h1 class="mb-3">Account</h1>
      <AccountPlaces here="organisations" />
      <div class="flex flex-wrap items-start justify-between gap-x-6 gap-y-3 mb-4">
        <h2>Your organisations</h2>
        {mayNot === undefined && total > 0 && (
          <ButtonLink href={links.path('/org/create')} look="primary" icon="add">
            New organisation
          </ButtonLink>
        )}
      </div>
      {total === 0 ? (
        <Empty title="You are in no organisation">
          <p class="prose-width">
            An organisation holds packages that several people publish. Its owners decide who reads them and who
            publishes.
          </p>
          {mayNot === undefined ? (
            <p>
              <ButtonLink href={links.path('/org/create')} look="primary" icon="add">
                New organisation
              </ButtonLink>
            </p>
          ) : (
            <p class="prose-width">{mayNot} Ask an owner of an organisation for an invitation.</p>
          )}
        </Empty>
      ) : (
        <table class="list-table">
          <TableHead columns={['Organisation', 'Your rights', 'Your teams', 'Visibility']} />
          <tbody>
            {organisations.map((organisation) => (
              <MineRow organisation={organisation} teams={teams.get(organisation.id) ?? []} />
            ))}
          </tbody>
        </table>
      )}
      <Pager paging={{ ...page, total, shown: organisations.length }} path={links.path('/user/organisations')} />
      {mayNot !== undefined && total > 0 && <p class="quiet mt-5">{mayNot}</p>}
    </>
  )
}

function MineRow({ organisation, teams }: { organisation: OrganisationRow; teams: readonly TeamRow[] }) {
  const { links } = useSite()
  const { name, full_name, visibility } = organisation
  return (
    <tr>
      <td class="breaks">
        <a href={links.owner(name)} class="font-medium line">
          {name}
        </a>
        {full_name && <span class="block quiet breaks">{full_name}</span>}
      </td>
      <td data-label="Your rights">
        <Rights level={highest(teams)} />
      </td>
      <td data-label="Your teams">
        <TeamLinks organisation={name} teams={teams} />
      </td>
      <td>
        <VisibilityBadge visibility={visibility} />
      </td>
    </tr>
  )
}

export function TeamLinks({ organisation, teams }: { organisation: string; teams: readonly TeamRow[] }) {
  const { links } = useSite()
  return (
    <span class="inline-flex flex-wrap gap-x-3 gap-y-1">
      {teams.map(({ id, name }) => (
        <a href={links.owner(organisation, 'teams', String(id))} class="line breaks">
          {name}
        </a>
      ))}
    </span>
  )
}

export interface NewOrganisationValues {
  name: string
  full_name: string
  description: string
  visibility: string
}

export function NewOrganisation({ values, faults }: { values: NewOrganisationValues; faults: Faults | undefined }) {
  const { links } = useSite()
  const mine = links.path('/user/organisations')
  const wrong = faults?.fields ?? {}
  return (
    <>
      <Trail steps={[{ text: 'Your organisations', href: mine }, { text: 'New organisation' }]} />
      <h1 class="mb-2">New organisation</h1>
      <p class="quiet mb-5 prose-width">
        Packages of an organisation belong to all whom its owners let in. You will be its first owner.
      </p>
      {faults?.form && <Alert tone="error">{faults.form}</Alert>}
      <form method="post" action={links.path('/org/create')} class="prose-width">
        <TextField
          name="name"
          label="Name"
          value={values.name}
          error={wrong.name}
          hint={
            <>
              Stands in every address: <code class="breaks">{links.owner('name')}</code>. Letters and digits, with
              single “-”, “_” or “.” between them.
            </>
          }
          required
          maxlength={40}
          autocomplete="off"
          isMono
        />
        <TextField
          name="full_name"
          label="Full name (optional)"
          value={values.full_name}
          error={wrong.full_name}
          maxlength={255}
          autocomplete="organization"
        />
        <TextField
          name="description"
          label="Description (optional)"
          value={values.description}
          error={wrong.description}
          hint="One line: what its packages are."
          maxlength={255}
          autocomplete="off"
        />
        <Choices
          name="visibility"
          label="Who may see it and its packages"
          value={values.visibility}
          error={wrong.visibility}
          choices={[
            { value: 'public', label: 'Public', hint: 'Everybody, with or without an account.' },
            { value: 'limited', label: 'Limited', hint: 'Everybody who has signed in.' },
            { value: 'private', label: 'Private', hint: 'Members only. Nobody else learns that it exists.' },
          ]}
        />
        <div class="flex flex-wrap gap-3 mt-6">
          <Button look="primary">Make the organisation</Button>
          <ButtonLink href={mine}>Cancel</ButtonLink>
        </div>
      </form>
    </>
  )
}
