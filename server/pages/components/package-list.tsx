import type { Sorting, SortKey } from '../../registry/lists.ts'
import type { FoundPackage } from '../../registry/search.ts'
import { withQuery } from '../links.ts'
import { ascendsFirst } from '../lists.ts'
import { useSite } from '../site.ts'
import { number, shortened } from '../words.ts'
import { Icon } from './icon.tsx'
import { PrivateBadge, VisibilityBadge } from './parts.tsx'
import { TableHead } from './table-head.tsx'
import { Ago, Size } from './values.tsx'

/** Packages, each by its newest version. Of one owner, his name goes without saying. */
export function PackageList({ packages, owner }: { packages: readonly FoundPackage[]; owner?: string }) {
  return (
    <table class="list-table">
      <TableHead
        columns={[
          { text: 'Package', isWide: true },
          'Version',
          { text: 'Size', isNumber: true },
          { text: 'Downloads', isNumber: true },
          { text: 'Updated', isNumber: true },
        ]}
      />
      <tbody>
        {packages.map((found) => (
          <PackageRow found={found} withOwner={owner === undefined} />
        ))}
      </tbody>
    </table>
  )
}

function PackageRow({ found, withOwner }: { found: FoundPackage; withOwner: boolean }) {
  const { links } = useSite()
  const { owner, version, visibility, description, labels, bytes, downloads } = found
  return (
    <tr>
      <td class="breaks">
        <div class="flex flex-wrap items-baseline gap-x-2.5 gap-y-1">
          <a href={links.package(owner.name, version.package)} class="line font-medium breaks">
            {withOwner && <span class="font-normal">{owner.name} / </span>}
            {version.package}
          </a>
          {visibility === 'private' ? (
            <PrivateBadge />
          ) : (
            withOwner && owner.visibility !== 'public' && <VisibilityBadge visibility={owner.visibility} />
          )}
        </div>
        {description !== '' && (
          <p class="quiet text-sm line-clamp-2 breaks" dir="auto">
            {description}
          </p>
        )}
        {labels.length > 0 && <Labels labels={labels} />}
      </td>
      <td data-label="Version" class="whitespace-nowrap max-md:inline-block max-md:mr-4">
        <a href={links.version(owner.name, version.package, version.version)} title={version.version}>
          <code>
            <bdi>{shortened(version.version, 9)}</bdi>
          </code>
        </a>
      </td>
      <td data-label="Size" class="number max-md:inline-block max-md:mr-4">
        <Size of={bytes} />
      </td>
      <td data-label="Downloads" class="number max-md:inline-block max-md:mr-4">
        {number(downloads)}
      </td>
      <td data-label="Updated" class="number max-md:inline-block">
        <Ago at={version.createdAt} />
      </td>
    </tr>
  )
}

/** The first few: a list is not the place for all twenty. */
const fewLabels = 5

function Labels({ labels }: { labels: readonly string[] }) {
  const more = labels.length - fewLabels
  return (
    <ul class="flex flex-wrap gap-1.5 mt-1" aria-label="Labels">
      {labels.slice(0, fewLabels).map((label) => (
        <li class="badge badge-sm badge-outline border-base-300 max-w-full" dir="auto">
          <span class="truncate">{label}</span>
        </li>
      ))}
      {more > 0 && <li class="quiet text-sm">and {number(more)} more</li>}
    </ul>
  )
}

const sortTexts: readonly { by: SortKey; text: string }[] = [
  { by: 'created', text: 'Updated' },
  { by: 'name', text: 'Name' },
  { by: 'size', text: 'Size' },
  { by: 'downloads', text: 'Downloads' },
]

/** The orders that a list has; the one it is in turns round. `path` and `query` are those of the list itself. */
export function SortLinks({
  sorting,
  path,
  query = {},
  sorts = sortTexts,
}: {
  sorting: Sorting
  path: string
  query?: Record<string, string | undefined>
  sorts?: readonly { by: SortKey; text: string }[]
}) {
  const link = (by: SortKey, descending: boolean) => {
    const isUsual = descending !== ascendsFirst(by)
    const order = isUsual ? undefined : descending ? 'desc' : 'asc'
    return withQuery(path, { ...query, sort: by === sorts[0]?.by && isUsual ? undefined : by, order })
  }
  return (
    <nav aria-label="Sort by" class="flex flex-wrap items-center gap-x-4 gap-y-1 text-sm">
      <span class="quiet" aria-hidden="true">
        Sort by
      </span>
      {sorts.map(({ by, text }) => {
        const isHere = by === sorting.by
        const descending = isHere ? !sorting.descending : !ascendsFirst(by)
        return (
          <a
            href={link(by, descending)}
            aria-current={isHere ? 'true' : undefined}
            class={`inline-flex items-center gap-1 py-1 ${isHere ? 'font-medium' : 'quiet hover:text-base-content'}`}
          >
            {text}
            {isHere && (
              <Icon
                name={sorting.descending ? 'descending' : 'ascending'}
                label={sorting.descending ? 'descending' : 'ascending'}
              />
            )}
          </a>
        )
      })}
    </nav>
  )
}
