import type { Sorting } from '../../registry/lists.ts'
import type { FoundPackage, FoundVersion } from '../../registry/search.ts'
import { PackageList, SortLinks } from '../components/package-list.tsx'
import { Empty, Pager, type Paging, VisibilityBadge } from '../components/parts.tsx'
import { TableHead } from '../components/table-head.tsx'
import { Ago, Size } from '../components/values.tsx'
import { useSite } from '../site.ts'
import { counted, shortened } from '../words.ts'
import { digestIn } from './digest.ts'
import { BigSearch } from './home.tsx'

interface SearchProps {
  query: string
  sorting: Sorting
  sent: { sort: string | undefined; order: string | undefined }
  /** Packages whose names hold what was typed; or the versions with the file whose digest it is. */
  results: { packages: readonly FoundPackage[] } | { versions: readonly FoundVersion[] }
  paging: Paging
}

export function Search(props: SearchProps) {
  const { query, sorting, sent, results, paging } = props
  const { links } = useSite()
  return (
    <>
      <h1 class="mb-4">{query === '' ? 'All packages' : 'Search'}</h1>
      <BigSearch query={query} />
      <div class="section">
        {paging.shown === 0 && paging.page === 1 ? (
          <NothingFound query={query} />
        ) : (
          <>
            <div class="flex flex-wrap items-baseline justify-between gap-x-6 gap-y-2 mb-3">
              <h2>{titleOf(props)}</h2>
              <SortLinks sorting={sorting} path={links.search()} query={{ q: query }} />
            </div>
            {'versions' in results ? (
              <VersionList versions={results.versions} />
            ) : (
              <PackageList packages={results.packages} />
            )}
            <Pager paging={paging} path={links.search()} query={{ q: query, ...sent }} />
          </>
        )}
      </div>
    </>
  )
}

function titleOf({ results, paging: { total } }: SearchProps): string {
  if ('versions' in results)
    return total === undefined ? 'Versions with this file' : `${counted(total, 'version')} with this file`
  return total === undefined ? 'More than 10,000 packages' : counted(total, 'package')
}

function NothingFound({ query }: { query: string }) {
  const { links, visitor, here } = useSite()
  return (
    <Empty title={query === '' ? 'There are no packages that you may see' : 'Nothing found'}>
      {digestIn(query) ? (
        <p class="quiet prose-width">
          No file with the digest <code class="breaks">{query}</code> is in a package that you may see. MD5, SHA-1,
          SHA-256 and SHA-512 are looked for, whole.
        </p>
      ) : query !== '' ? (
        <p class="quiet prose-width breaks">
          No package that you may see has <b dir="auto">{query}</b> in its name.
          {query.length < 3
            ? ' One or two characters are looked for at the beginning of a name: type a third to look anywhere in it.'
            : ' Type a shorter part of the name, or the whole digest of a file.'}
        </p>
      ) : null}
      <ul class="flex flex-wrap gap-x-5 gap-y-1">
        {query !== '' && (
          <li>
            <a href={links.search()}>All packages</a>
          </li>
        )}
        {!visitor && (
          <li>
            <a href={links.signIn(here)}>Sign in to search more</a>
          </li>
        )}
      </ul>
    </Empty>
  )
}

function VersionList({ versions }: { versions: readonly FoundVersion[] }) {
  const { links } = useSite()
  return (
    <table class="list-table">
      <TableHead
        columns={[
          { text: 'Version', isWide: true },
          'File',
          { text: 'Size', isNumber: true },
          { text: 'Published', isNumber: true },
        ]}
      />
      <tbody>
        {versions.map(({ owner, version, files }) => {
          const [file] = files
          return (
            <tr>
              <td class="breaks">
                <span class="flex flex-wrap items-baseline gap-x-2.5 gap-y-1">
                  <a href={links.version(owner.name, version.package, version.version)} class="line font-medium breaks">
                    <span class="font-normal">{owner.name} / </span>
                    {version.package} <bdi>{version.version}</bdi>
                  </a>
                  {owner.visibility !== 'public' && <VisibilityBadge visibility={owner.visibility} />}
                </span>
              </td>
              <td data-label="File" class="whitespace-nowrap">
                {file && <code title={file.name}>{shortened(file.name, 12)}</code>}
                {files.length > 1 && <span class="quiet"> and {counted(files.length - 1, 'other')}</span>}
              </td>
              <td data-label="Size" class="number">
                {file && <Size of={file.size} />}
              </td>
              <td data-label="Published" class="number">
                <Ago at={version.createdAt} />
              </td>
            </tr>
          )
        })}
      </tbody>
    </table>
  )
}
