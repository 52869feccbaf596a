import { pathOf, searchOf } from '../lib/raw-path.ts'
import { Problem } from '../problems.ts'
import type { HttpParts } from './parts.ts'

/**
 * Adds to a `moved` where it is now: the same address with the owner's new name. Behind the public address's path, since a
 * client resolves it against the address that it knows.
 */
export function withLocation(parts: HttpParts, request: Request, error: unknown, known?: readonly string[]): unknown {
  if (!(error instanceof Problem) || error.code !== 'moved' || error.facts.location !== undefined) return error
  const segments = known ?? pathOf(request.url).split('/').filter(Boolean).map(decodeURIComponent)
  const moved = [...parts.prefix, ...segments.with(placeOfOwner(segments), String(error.facts.name))]
  const location = `/${moved.map(encodeURIComponent).join('/')}${searchOf(request.url)}`
  return new Problem('moved', error.message, { ...error.facts, location })
}

/** The same where the owner's name stands in the query, as the value of `name`. */
export function withQuery(parts: HttpParts, request: Request, error: unknown, name: string): unknown {
  if (!(error instanceof Problem) || error.code !== 'moved') return error
  const query = new URLSearchParams(searchOf(request.url))
  query.set(name, String(error.facts.name))
  const path = [...parts.prefix.map(encodeURIComponent), pathOf(request.url).replace(/^\//, '')].join('/')
  return new Problem('moved', error.message, { ...error.facts, location: `/${path}?${query}` })
}

/** Which segment of an address names the owner: `/{owner}/…`, `/-/admin/{noun}/{owner}`, `/api/packages/{owner}/…`, `/api/v1/{noun}/{owner}/…`. */
function placeOfOwner([first, second]: readonly string[]): number {
  if (first === 'api') return second === 'packages' ? 2 : 3
  return first === '-' ? 3 : 0
}
