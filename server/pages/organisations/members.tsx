import type { UserRow } from '../../access/accounts.ts'
import type { OrganisationGrant } from '../../access/organisations.ts'
import { rankAt } from '../../access/rules.ts'
import type { TeamRow } from '../../access/teams.ts'
import type { Profile } from '../../registry/lists.ts'
import { Button, ButtonLink } from '../components/forms.tsx'
import { Alert, Pager, Trail } from '../components/parts.tsx'
import { actions, TableHead } from '../components/table-head.tsx'
import { useSite } from '../site.ts'
import { counted } from '../words.ts'
import { ListHead, OrganisationPage } from './head.tsx'
import { TeamLinks } from './mine.tsx'
import { highest, Rights } from './rights.tsx'

export type Person = Pick<UserRow, 'id' | 'name' | 'full_name'>

interface MembersProps {
  grant: OrganisationGrant<'member'>
  profile: Profile
  members: readonly Person[]
  teams: ReadonlyMap<number, readonly TeamRow[]>
  total: number
  page: { page: number; limit: number }
}

export function Members({ grant, profile, members, teams, total, page }: MembersProps) {
  const { links } = useSite()
  const { name } = grant.organisation
  const isOwner = rankAt(grant.caller, grant.organisation) === 'owner'
  return (
    <OrganisationPage grant={grant} profile={profile} here="members">
      <ListHead title={counted(total, 'member')}>
        {isOwner && (
          <ButtonLink href={links.owner(name, 'invitations')} look="primary" icon="add">
            Invite somebody
          </ButtonLink>
        )}
      </ListHead>
      <table class="list-table">
        <TableHead columns={['Member', 'Rights', 'Teams', actions]} />
        <tbody>
          {members.map((member) => (
            <tr>
              <td class="breaks">
                <PersonName person={member} />
              </td>
              <td data-label="Rights">
                <Rights level={highest(teams.get(member.id) ?? [])} />
              </td>
              <td data-label="Teams">
                <TeamLinks organisation={name} teams={teams.get(member.id) ?? []} />
              </td>
              <td class="md:text-end">
                <RemoveLink
                  isOwner={isOwner}
                  isSelf={member.id === grant.caller.account.id}
                  name={member.name}
                  href={links.owner(name, 'members', member.name, 'remove')}
                />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <Pager paging={{ ...page, total, shown: members.length }} path={links.owner(name, 'members')} />
    </OrganisationPage>
  )
}

export function PersonName({ person: { name, full_name } }: { person: Person }) {
  const { links, visitor } = useSite()
  return (
    <>
      <a href={links.owner(name)} class="font-medium line">
        {name}
      </a>
      {visitor?.account.name === name && <span class="quiet"> (you)</span>}
      {full_name && <span class="block quiet breaks">{full_name}</span>}
    </>
  )
}

/** Who leaves does it himself; who is taken out, an owner does it. */
export function RemoveLink(props: { isOwner: boolean; isSelf: boolean; name: string; href: string }) {
  const { isOwner, isSelf, name, href } = props
  if (!isOwner && !isSelf) return null
  return (
    <ButtonLink href={href} size="xs">
      <span>
        {isSelf ? 'Leave' : 'Remove'}
        {!isSelf && <span class="sr-only"> {name}</span>}…
      </span>
    </ButtonLink>
  )
}

interface RemoveProps {
  grant: OrganisationGrant<'member'>
  member: Person
  /** Those that he is taken out of. */
  teams: readonly TeamRow[]
  /** Those that he stays in. */
  kept: readonly TeamRow[]
  /** Undefined: of the organisation. */
  team?: TeamRow
  /** Why it cannot be done. */
  refusal: string | undefined
}

/** What somebody loses who goes, before he does. */
export function RemoveMember({ grant, member, teams, kept, team, refusal }: RemoveProps) {
  const { links } = useSite()
  const { name: organisation, visibility } = grant.organisation
  const isSelf = member.id === grant.caller.account.id
  const what = team ? `${team.name} of ${organisation}` : organisation
  const title = isSelf ? `Leave ${what}` : `Remove ${member.name} from ${what}`
  const who = isSelf ? 'You' : member.name
  const back = team ? links.owner(organisation, 'teams', String(team.id)) : links.owner(organisation, 'members')
  const action = team
    ? links.owner(organisation, 'teams', String(team.id), 'members', member.name, 'remove')
    : links.owner(organisation, 'members', member.name, 'remove')
  const losses = lossesOf({ teams, kept, isSelf, visibility })
  return (
    <>
      <Trail
        steps={[
          { text: organisation, href: links.owner(organisation) },
          ...(team
            ? [
                { text: 'Teams', href: links.owner(organisation, 'teams') },
                { text: team.name, href: back },
              ]
            : [{ text: 'Members', href: back }]),
          { text: isSelf ? 'Leave' : `Remove ${member.name}` },
        ]}
      />
      <h1 class="mb-4">{title}</h1>
      {refusal !== undefined ? (
        <>
          <Alert tone="warning">{refusal}</Alert>
          <ButtonLink href={back} icon="back">
            Back
          </ButtonLink>
        </>
      ) : (
        <form method="post" action={action} class="panel p-5 prose-width grid gap-4">
          <div class="grid gap-2">
            <p class="breaks">
              {who} {isSelf ? 'leave' : 'leaves'}{' '}
              {team ? 'the team ' : <>the organisation and {teams.length === 1 ? 'the team' : 'the teams'} </>}
              <strong>{names(teams)}</strong>, and from now on:
            </p>
            <ul class="list-disc pl-5 grid gap-1">
              {losses.map((loss) => (
                <li class="breaks">{loss}</li>
              ))}
            </ul>
            <p class="quiet">
              What {isSelf ? 'you have' : `${member.name} has`} published stays. An owner can let{' '}
              {isSelf ? 'you' : 'them'} in again.
            </p>
          </div>
          <div class="flex flex-wrap gap-3">
            <Button look="danger">{isSelf ? 'Leave' : 'Remove'}</Button>
            <ButtonLink href={back}>Change nothing</ButtonLink>
          </div>
        </form>
      )}
    </>
  )
}

interface Going {
  teams: readonly TeamRow[]
  kept: readonly TeamRow[]
  isSelf: boolean
  visibility: Profile['visibility']
}

/** In sentences, the worst first. */
function lossesOf({ teams, kept, isSelf, visibility }: Going): string[] {
  const before = highest(teams)
  const after = kept.length === 0 ? 0 : highest(kept)
  const [they, their] = isSelf ? ['You', 'your'] : ['They', 'their']
  const losses: string[] = []
  if (before === 3 && after < 3) losses.push(`${they} cannot manage the organisation.`)
  if (before >= 2 && after < 2) {
    losses.push(`${they} cannot publish, change or delete packages there, nor can ${their} tokens.`)
  }
  if (after === 0) {
    losses.push(
      visibility === 'private'
        ? `${they} cannot see the organisation or download its packages.`
        : `${they} cannot see who its members are. Packages that others see, ${isSelf ? 'you' : 'they'} still see.`,
    )
  }
  return losses.length > 0 ? losses : [`Nothing is lost: what is left allows as much (${names(kept)}).`]
}

function names(teams: readonly TeamRow[]): string {
  return teams.map(({ name }) => name).join(', ')
}
