import { type Context, Hono } from 'hono'
import { z } from 'zod'
import { grantToShow, ownerAt } from '../../access/grant.ts'
import { grantToSearch } from '../../access/viewers.ts'
import { addressKeys } from '../../registry/download.ts'
import { findFiles, findPackages, inTurn, type SearchIn } from '../../registry/search.ts'
import { withQuery } from '../moved.ts'
import type { HttpParts } from '../parts.ts'
import { jsonPage, pageOf, publicAddress } from './answers.ts'
import type { ApiEnv } from './app.ts'
import { digestParameters, digestsFrom } from './digests.ts'
import { documented } from './documented.ts'
import { foundPackage, foundVersion } from './schemas.ts'
import { foundPackageShape, foundVersionShape } from './shapes.ts'
import { sortingFrom, sortParameters } from './sorting.ts'

/** `/search`: what the caller may read, whoever owns it. */
export function search(parts: HttpParts): Hono<ApiEnv> {
  const grantFor = async (c: Context<ApiEnv>): Promise<SearchIn> => {
    const owner = c.req.query('owner')
    if (!owner) return grantToSearch(await c.env.askCaller())
    const resolved = await c.env.resolve(addressKeys({ owner, package: '', version: '', file: '' }))
    try {
      return grantToShow(resolved.caller, ownerAt(resolved))
    } catch (error) {
      throw withQuery(parts, c.req.raw, error, 'owner')
    }
  }

  return new Hono<ApiEnv>().get(
    '/search/packages',
    documented({
      tag: 'search',
      id: 'searchPackages',
      summary: 'Search packages, or files by digest',
      description: [
        'Shows what the caller may read. One entry for each package, by its newest version; or, with digests, one for each version',
        'that holds a file which has all of them.',
        '\n\nWhere more than 10,000 match, they are not counted, and no page behind the first 10,000 is shown; of versions with a',
        'digest, those are the ones that were made last.',
      ].join(' '),
      callers: 'anybody',
      scope: 'package',
      query: {
        q: {
          description: 'Part of the package name, in any letter case. With one or two characters, its beginning.',
          schema: z.string(),
        },
        owner: { description: 'Only his packages.', schema: z.string() },
        ...digestParameters,
        ...sortParameters,
      },
      page: z.union([foundPackage, foundVersion]),
    }),
    async (c) => {
      const grant = await grantFor(c)
      const page = pageOf(new URL(c.req.url))
      const sorting = sortingFrom(c.req.query())
      const digests = digestsFrom((name) => c.req.query(name))
      const text = c.req.query('q') ?? ''
      const address = publicAddress(parts.publicUrl(), c.req.raw)
      const searched = <Found>(search: () => Promise<Found>) => inTurn(parts.registry, c.req.raw.signal, search)
      if (digests) {
        const { found, total } = await searched(() =>
          findFiles(parts.registry, grant, { text, digests }, page, sorting),
        )
        const shown = found.map((version) => foundVersionShape(version, grant.caller, parts.publicUrl()))
        return jsonPage(shown, total, page, address)
      }
      const { found, total } = await searched(() => findPackages(parts.registry, grant, text, page, sorting))
      const shown = found.map((each) => foundPackageShape(each, grant.caller, parts.publicUrl()))
      return jsonPage(shown, total, page, address)
    },
  )
}
