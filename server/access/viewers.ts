import type { Viewer } from '../catalogue/organisations.ts'
import type { Visibility } from '../catalogue/schema.ts'
import type { Caller } from './caller.ts'
import { isPublicOnly, maySee, signedIn } from './grant.ts'

declare const granted: unique symbol

/** Leave to look among the packages of everybody for what the caller may read. Only this file makes one. */
export interface SearchGrant {
  readonly [granted]: 'search'
  readonly caller: Caller
  readonly viewer: Viewer
}

/** Nobody who must sign in or whose token is not for packages; what everybody else finds is for the viewer to say. */
export function grantToSearch(caller: Caller): SearchGrant {
  if (caller.kind === 'user' || caller.mustSignIn) signedIn(caller, 'read:package')
  return { caller, viewer: viewerOf(caller) } as SearchGrant
}

/** `maySee`, as a list asks it of many at once: of owners in which he is nobody, of those in which he is, and of himself. */
export function viewerOf(caller: Caller): Viewer {
  const all: readonly Visibility[] = ['public', 'limited', 'private']
  const visibilities = all.filter((visibility) =>
    maySee(caller, { id: 0, kind: 'organisation', visibility, membership: 'none' }),
  )
  const seesMore = caller.kind === 'user' && !isPublicOnly(caller)
  return { visibilities, memberId: seesMore ? caller.account.id : null }
}
