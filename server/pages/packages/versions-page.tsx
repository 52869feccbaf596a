import type { Sorting } from '../../registry/lists.ts'
import type { FiguredVersion } from '../../registry/shown-versions.ts'
import { Button } from '../components/forms.tsx'
import { Icon } from '../components/icon.tsx'
import { SortLinks } from '../components/package-list.tsx'
import { Empty, Pager, Trail } from '../components/parts.tsx'
import type { Shown } from '../lists.ts'
import { useSite } from '../site.ts'
import { counted, number, shortened } from '../words.ts'
import { sizeOfTitle } from './facts.tsx'
import { VersionTable } from './version-table.tsx'

const sorts = [
  { by: 'created', text: 'Published' },
  { by: 'version', text: 'Version' },
  { by: 'size', text: 'Size' },
  { by: 'downloads', text: 'Downloads' },
] as const

export interface VersionsView {
  owner: string
  package: string
  /** Of the package. */
  all: number
  versions: readonly FiguredVersion[]
  /** That match. */
  total: number | undefined
  text: string
  shown: Shown
  sorting: Sorting
}

export function VersionsPage({ owner, package: name, all, versions, total, text, shown, sorting }: VersionsView) {
  const { links } = useSite()
  const path = links.versions(owner, name)
  const order = {
    sort: sorting.by === 'created' ? undefined : sorting.by,
    order: sorting.descending ? undefined : 'asc',
  }
  return (
    <>
      <Trail
        steps={[
          { text: owner, href: links.owner(owner) },
          { text: shortened(name, 20), href: links.package(owner, name) },
          { text: 'Versions' },
        ]}
      />
      <h1 class={`mb-5 ${sizeOfTitle(name)}`}>Versions of {name}</h1>
      <div class="flex flex-wrap items-center justify-between gap-x-6 gap-y-3 mb-4">
        <search class="grow sm:max-w-sm">
          <form action={path} class="flex gap-2">
            {order.sort && <input type="hidden" name="sort" value={order.sort} />}
            {order.order && <input type="hidden" name="order" value={order.order} />}
            <label class="input input-sm grow">
              <Icon name="search" />
              <span class="sr-only">Part of a version</span>
              <input type="search" name="q" value={text} placeholder="Part of a version" dir="auto" />
            </label>
            <Button size="sm">Filter</Button>
          </form>
        </search>
        <SortLinks sorting={sorting} path={path} query={{ q: text }} sorts={sorts} />
      </div>
      <p class="quiet text-sm mb-2" role="status">
        {text === '' ? (
          counted(all, 'version')
        ) : (
          <>
            {total === undefined ? 'Some' : number(total)} of {counted(all, 'version')} with <bdi>“{text}”</bdi>
          </>
        )}
      </p>
      {versions.length > 0 ? (
        <VersionTable owner={owner} versions={versions} />
      ) : (
        <Empty title={text === '' ? 'There is nothing on this page.' : 'No version holds this text.'}>
          <p>
            <a href={path}>Show all versions</a>
          </p>
        </Empty>
      )}
      <Pager paging={{ ...shown, total, shown: versions.length }} path={path} query={{ q: text, ...order }} />
    </>
  )
}
