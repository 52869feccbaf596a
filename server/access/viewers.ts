import type { Viewer } from '../catalogue/organisations.ts'
import type { Visibility } from '../catalogue/schema.ts'
import type { PackageViewer } from '../catalogue/sight.ts'
import { type Caller, isSiteAdmin, limitOf } from './caller.ts'
import { isPublicOnly, maySee, scopeMissing, signedIn } from './grant.ts'
import { hasScope } from './scopes.ts'

declare const granted: unique symbol

/** Leave to look among the packages of everybody for what the caller may read. Only this file makes one. */
export interface SearchGrant {
  readonly [granted]: 'search'
  readonly caller: Caller
  readonly viewer: PackageViewer
}

/** Nobody who must sign in or whose token is not for packages; what everybody else finds is for the viewer to say. */
export function grantToSearch(caller: Caller): SearchGrant {
  if (caller.kind === 'deploy-token') {
    if (!hasScope(caller.credential.scopes, 'read:package')) throw scopeMissing(caller, 'read:package')
  } else if (caller.kind === 'user' || caller.mustSignIn) signedIn(caller, 'read:package')
  return { caller, viewer: packageViewerOf(caller) } as SearchGrant
}

/** `sightAt` of all owners at once. */
export function packageViewerOf(caller: Caller): PackageViewer {
  const isLimited = isPublicOnly(caller)
  const ofOwner = caller.kind === 'deploy-token' && !isLimited ? caller : undefined
  return {
    ...viewerOf(caller),
    seesAll: isSiteAdmin(caller) && !isLimited,
    userId: caller.kind === 'user' && !isLimited ? caller.account.id : null,
    deployTokenId: ofOwner ? ofOwner.credential.id : null,
    holder: ofOwner ? { id: ofOwner.owner.id, mayWrite: hasScope(ofOwner.credential.scopes, 'write:package') } : null,
    limit: limitOf(caller),
  }
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
