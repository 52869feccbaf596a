import { type Context, Hono } from 'hono'
import { grantToSearch, type SearchGrant } from '../../access/viewers.ts'
import type { HttpParts } from '../../http/parts.ts'
import { Problem } from '../../problems.ts'
import { isEmpty, type Sorting, showFiles } from '../../registry/lists.ts'
import { type Digests, type FoundPackage, findFiles, findPackages, inTurn } from '../../registry/search.ts'
import { Form } from '../forms.ts'
import { pathHere } from '../links.ts'
import { pagingOf, shownOf, sortingOf, type Window } from '../lists.ts'
import { goTo, linksOf, type Render } from '../page.tsx'
import { themes } from '../site.ts'
import { type PageEnv, type Visit, visitOf } from '../visit.ts'
import { digestIn } from './digest.ts'
import { type Example, HomeBehindSignIn, HomeForStranger, HomeOf, Welcome } from './home.tsx'
import { Search } from './search.tsx'

/** Releases on the first page. */
const recent = { offset: 0, limit: 10 }
const newestFirst: Sorting = { by: 'created', descending: true }

/** Organisations of somebody's that the first page leads to. */
const fewOrganisations = 8

/** The first page, the search over all packages, and the colours of all pages. */
export function homePages(parts: HttpParts, render: Render): Hono<PageEnv> {
  const links = linksOf(parts)

  const packagesFor = (c: Context<PageEnv>, grant: SearchGrant, text: string, page: Window, sorting: Sorting) =>
    inTurn(parts.registry, c.req.raw.signal, () => findPackages(parts.registry, grant, text, page, sorting))
  const versionsWith = (c: Context<PageEnv>, grant: SearchGrant, digests: Digests, page: Window, sorting: Sorting) =>
    inTurn(parts.registry, c.req.raw.signal, () =>
      findFiles(parts.registry, grant, { text: '', digests }, page, sorting),
    )

  return new Hono<PageEnv>()
    .get('/', async (c) => {
      const visit = visitOf(c)
      const { caller, visitor } = visit
      const isShut = caller.kind === 'anonymous' && caller.mustSignIn
      const { found } = isShut ? { found: [] } : await packagesFor(c, grantToSearch(caller), '', recent, newestFirst)
      const options = { title: 'Stowage', hasSearch: true }
      if (found.length === 0 && (await isEmpty(parts.registry))) return render(c, options, <Welcome />)
      if (isShut) return render(c, options, <HomeBehindSignIn />)
      if (!visitor) {
        const example = await exampleOf(parts, visit, found)
        return render(c, options, <HomeForStranger packages={found} example={example} />)
      }
      const window = { offset: 0, limit: fewOrganisations }
      const { organisations, total } = await parts.organisations.listOf(visitor.account, visitor, window)
      const names = organisations.map(({ name }) => name)
      return render(c, options, <HomeOf packages={found} organisations={names} hasMore={total > names.length} />)
    })
    .get('/-/search', async (c) => {
      const grant = grantToSearch(visitOf(c).caller)
      const query = (c.req.query('q') ?? '').trim()
      const page = shownOf(c)
      const sorting = sortingOf(c)
      const digests = digestIn(query)
      const versions = digests && (await versionsWith(c, grant, digests, page, sorting))
      // What could be a digest may also be a name.
      const packages = versions?.found.length ? undefined : await packagesFor(c, grant, query, page, sorting)
      return render(
        c,
        { title: query === '' ? 'All packages' : `${query} · Search`, hasSearch: true },
        <Search
          query={query}
          sorting={sorting}
          sent={{ sort: c.req.query('sort'), order: c.req.query('order') }}
          results={packages ? { packages: packages.found } : { versions: versions?.found ?? [] }}
          paging={pagingOf(packages ?? versions ?? { found: [], total: 0 }, page)}
        />,
      )
    })
    .post('/-/theme', async (c) => {
      const form = await Form.of(c.req.raw)
      const theme = themes.find((known) => known === form.text('theme')) ?? 'system'
      const age = theme === 'system' ? 0 : 365 * 24 * 60 * 60
      const cookie = `stowage_theme=${theme}; Path=/; Max-Age=${age}; HttpOnly; SameSite=Lax`
      return goTo(pathHere(form.text('next'), links().to()), undefined, { 'Set-Cookie': cookie })
    })
}

/** A file of the newest release, which whoever looks may fetch. */
async function exampleOf(parts: HttpParts, visit: Visit, [newest]: FoundPackage[]): Promise<Example | undefined> {
  if (!newest) return undefined
  const { package: name, version } = newest.version
  try {
    const grant = await visit.mayReadPackage(newest.owner.name, name)
    // Nobody waits here for digests.
    const [file] = await showFiles(parts.registry, grant, version, AbortSignal.abort())
    return file && { owner: newest.owner.name, package: name, version, file: file.name }
  } catch (error) {
    // It was there a moment ago.
    if (error instanceof Problem) return undefined
    throw error
  }
}
