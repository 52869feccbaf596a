import type { Profile, Sorting } from '../../registry/lists.ts'
import type { FoundPackage } from '../../registry/search.ts'
import { firstPublish } from '../components/commands.ts'
import { Button, ButtonLink } from '../components/forms.tsx'
import { Icon } from '../components/icon.tsx'
import { PackageList, SortLinks } from '../components/package-list.tsx'
import { Columns, Empty, Pager, type Paging } from '../components/parts.tsx'
import { OwnerHead, type OwnerStanding } from '../components/places.tsx'
import { Ago, Command, WebLink } from '../components/values.tsx'
import { useSite } from '../site.ts'
import { number } from '../words.ts'

interface OwnerPageProps {
  owner: Profile
  standing: OwnerStanding
  counts: { packages: number; versions: number }
  /** The reader knows of no more than some package: of its owner he is told the name. */
  isNameAlone: boolean
  /** Undefined where that is not the reader's to know. */
  members: number | undefined
  list: { query: string; sorting: Sorting; sent: { sort: string | undefined; order: string | undefined } }
  packages: readonly FoundPackage[]
  paging: Paging
}

/** A user or an organisation: who that is, and the packages there. */
export function OwnerPage(props: OwnerPageProps) {
  const { owner, standing, counts } = props
  return (
    <>
      <OwnerHead owner={owner} {...standing} here="packages" />
      <Columns aside={<Facts {...props} />}>
        {counts.packages === 0 ? <NothingYet owner={owner} standing={standing} /> : <Packages {...props} />}
      </Columns>
    </>
  )
}

function Packages({ owner, list: { query, sorting, sent }, packages, paging }: OwnerPageProps) {
  const { links } = useSite()
  const path = links.owner(owner.name)
  return (
    <>
      <h2 class="sr-only">Packages</h2>
      <div class="flex flex-wrap items-center justify-between gap-x-6 gap-y-3 mb-3">
        <search class="grow max-w-sm">
          <form action={path} class="flex gap-2">
            <label class="input input-sm grow">
              <Icon name="search" />
              <span class="sr-only">Filter the packages of {owner.name}</span>
              <input type="search" name="q" value={query} placeholder="Part of a name" />
            </label>
            {sent.sort && <input type="hidden" name="sort" value={sent.sort} />}
            {sent.order && <input type="hidden" name="order" value={sent.order} />}
            <Button size="sm">Filter</Button>
          </form>
        </search>
        <SortLinks sorting={sorting} path={path} query={{ q: query }} />
      </div>
      {packages.length === 0 && paging.page === 1 ? (
        <Empty title="Nothing found">
          <p class="quiet prose-width breaks">
            No package of {owner.name} has <b dir="auto">{query}</b> in its name.
            {query.length < 3 &&
              ' One or two characters are looked for at the beginning of a name: type a third to look anywhere in it.'}
          </p>
          <p>
            <a href={path}>All packages of {owner.name}</a>
          </p>
        </Empty>
      ) : (
        <PackageList packages={packages} owner={owner.name} />
      )}
      <Pager paging={paging} path={path} query={{ q: query, ...sent }} />
    </>
  )
}

/** What to type next, for who may publish here. */
function NothingYet({ owner, standing }: Pick<OwnerPageProps, 'owner' | 'standing'>) {
  const { links, address, visitor } = useSite()
  if (!standing.mayWrite || !visitor) {
    return (
      <Empty title="Nothing is published here yet">
        <p class="quiet prose-width">The packages of {owner.name} will be listed here.</p>
      </Empty>
    )
  }
  return (
    <Empty title="Nothing is published here yet">
      <p class="prose-width">Upload a file in the browser:</p>
      <p>
        <ButtonLink href={links.owner(owner.name, 'upload')} look="primary" icon="upload">
          Upload
        </ButtonLink>
      </p>
      <p class="prose-width">Or publish one from a terminal. It asks for your password, or for a token in its place:</p>
      <Command text={firstPublish(address, { user: visitor.account.name, owner: owner.name })} />
    </Empty>
  )
}

function Facts({ owner, counts, members, isNameAlone }: OwnerPageProps) {
  const { links } = useSite()
  return (
    <>
      <h2 class="mb-3">About</h2>
      <dl class="facts">
        <dt>Packages</dt>
        <dd class="tabular">{number(counts.packages)}</dd>
        <dt>Versions</dt>
        <dd class="tabular">{number(counts.versions)}</dd>
        {members !== undefined && (
          <>
            <dt>Members</dt>
            <dd class="tabular">
              <a href={links.owner(owner.name, 'members')}>{number(members)}</a>
            </dd>
          </>
        )}
        {owner.website !== '' && (
          <>
            <dt>Website</dt>
            <dd>
              <WebLink href={owner.website} />
            </dd>
          </>
        )}
        {owner.location !== '' && (
          <>
            <dt>Location</dt>
            <dd dir="auto">{owner.location}</dd>
          </>
        )}
        {!isNameAlone && (
          <>
            <dt>Here since</dt>
            <dd>
              <Ago at={owner.created_at} />
            </dd>
          </>
        )}
      </dl>
      {isNameAlone && (
        <p class="quiet text-sm mt-3 prose-width">
          You see the packages that name you. What else {owner.name} has is not yours to see.
        </p>
      )}
    </>
  )
}
