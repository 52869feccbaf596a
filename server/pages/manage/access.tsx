import type { GivenAccess, HolderKind, PackageAccessView, ShownHolder } from '../../access/package-access.ts'
import type { Profile } from '../../registry/lists.ts'
import { Button, Choices, Select, TextField } from '../components/forms.tsx'
import { Icon, type IconName } from '../components/icon.tsx'
import { Alert, Empty, PrivateBadge, Section, Trail, VisibilityBadge } from '../components/parts.tsx'
import { actions, TableHead } from '../components/table-head.tsx'
import type { Faults } from '../forms.ts'
import { sizeOfTitle } from '../packages/facts.tsx'
import { useSite } from '../site.ts'
import { shortened } from '../words.ts'

/** Who is to be named, as it was typed. */
export interface TypedHolder {
  kind: string
  id: string
  permission: string
}

interface AccessProps {
  owner: Pick<Profile, 'name' | 'kind' | 'visibility'>
  its: PackageAccessView
  nameable: Record<'teams' | 'tokens', readonly { id: number; name: string }[]>
  typed: TypedHolder | undefined
  faults: Faults | undefined
}

const kinds: Record<HolderKind, { text: string; icon: IconName }> = {
  user: { text: 'User', icon: 'user' },
  team: { text: 'Team', icon: 'users' },
  'deploy-token': { text: 'Deploy token', icon: 'key' },
}

const permissions: Record<GivenAccess, string> = { read: 'Read', write: 'Read and write' }

/** Who sees a package, and whom it names. */
export function AccessPage(props: AccessProps) {
  const { owner, its, faults } = props
  const { links } = useSite()
  const here = links.package(owner.name, its.name, 'access')
  return (
    <>
      <Trail
        steps={[
          { text: owner.name, href: links.owner(owner.name) },
          { text: shortened(its.name, 20), href: links.package(owner.name, its.name) },
          { text: 'Access' },
        ]}
      />
      <div class="flex flex-wrap items-center gap-x-3 gap-y-2 mb-4">
        <h1 class={sizeOfTitle(its.name)}>Access to {its.name}</h1>
        {its.visibility === 'private' ? <PrivateBadge /> : <VisibilityBadge visibility={owner.visibility} />}
      </div>
      {faults?.form && <Alert tone="error">{faults.form}</Alert>}
      <form method="post" action={here} class="prose-width">
        <Choices
          name="visibility"
          label="Who can read it"
          value={its.visibility}
          error={faults?.fields.visibility}
          choices={[
            {
              value: 'inherit',
              label: `As ${owner.name}`,
              hint: `${readers[owner.visibility](owner)}, and whom the package names.`,
            },
            {
              value: 'private',
              label: 'Private',
              hint: `Who may publish at ${owner.name}, and whom the package names. To all others it is not there.`,
            },
          ]}
        />
        <Button look="primary">Save</Button>
      </form>
      <Section title="Named for this package" id="named">
        <p class="mb-4 prose-width">
          Whoever is named can do that with this package and no other. Of {owner.name} they see the name, and no more
          than they see without it.
        </p>
        {its.holders.length === 0 ? <Empty title="Nobody is named." /> : <Holders here={here} holders={its.holders} />}
      </Section>
      <Section title="Name somebody">
        <div class="grid gap-x-8 gap-y-4 md:grid-cols-2 lg:grid-cols-3">
          <Give {...props} here={here} kind="user" />
          {owner.kind === 'organisation' && <Give {...props} here={here} kind="team" />}
          <Give {...props} here={here} kind="deploy-token" />
        </div>
      </Section>
    </>
  )
}

const readers: Record<Profile['visibility'], (owner: AccessProps['owner']) => string> = {
  public: () => 'Everybody',
  limited: () => 'Everybody who has signed in and is not restricted',
  private: ({ kind, name }) => (kind === 'organisation' ? `Members of ${name}` : name),
}

function Holders({ here, holders }: { here: string; holders: readonly ShownHolder[] }) {
  const { links } = useSite()
  return (
    <table class="list-table">
      <TableHead columns={[{ text: 'Who', isWide: true }, 'Kind', 'Can', actions]} />
      <tbody>
        {holders.map(({ kind, id, name, permission }) => (
          <tr>
            <td class="breaks">
              {kind === 'user' ? (
                <a href={links.owner(name)} class="font-medium line">
                  {name}
                </a>
              ) : (
                <span class="font-medium" dir="auto">
                  {name}
                </span>
              )}
            </td>
            <td data-label="Kind" class="whitespace-nowrap">
              <Icon name={kinds[kind].icon} class="mr-1.5" />
              {kinds[kind].text}
            </td>
            <td data-label="Can" class="whitespace-nowrap">
              {permissions[permission]}
            </td>
            <td class="md:text-end">
              <form method="post" action={`${here}/take`}>
                <input type="hidden" name="kind" value={kind} />
                <input type="hidden" name="id" value={kind === 'user' ? name : String(id)} />
                <Button size="xs">
                  <span>
                    Remove<span class="sr-only"> {name}</span>
                  </span>
                </Button>
              </form>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Give({ here, kind, nameable, typed, faults }: AccessProps & { here: string; kind: HolderKind }) {
  const sent = typed?.kind === kind ? typed : undefined
  const error = faults?.fields[`${kind}-id`]
  const offered = kind === 'team' ? nameable.teams : nameable.tokens
  return (
    <form method="post" action={`${here}/give`} class="panel p-5">
      <input type="hidden" name="kind" value={kind} />
      <h3 class="mb-3">
        <Icon name={kinds[kind].icon} class="mr-1.5" />
        {kinds[kind].text}
      </h3>
      {kind !== 'user' && offered.length === 0 ? (
        <p class="quiet">{kind === 'team' ? 'There is no team.' : 'There is no deploy token.'}</p>
      ) : (
        <>
          {kind === 'user' ? (
            <TextField
              name="id"
              id={`${kind}-id`}
              label="Name"
              value={sent?.id}
              error={error}
              isMono
              autocomplete="off"
              autocapitalize="none"
            />
          ) : (
            <Select
              name="id"
              id={`${kind}-id`}
              label={kind === 'team' ? 'Team' : 'Token'}
              value={sent?.id ?? ''}
              error={error}
              choices={offered.map(({ id, name }) => ({ value: String(id), label: name }))}
            />
          )}
          <Select
            name="permission"
            id={`${kind}-permission`}
            label="Can"
            value={sent?.permission ?? 'read'}
            choices={(['read', 'write'] as const).map((value) => ({ value, label: permissions[value] }))}
          />
          <Button>Add</Button>
        </>
      )}
    </form>
  )
}
