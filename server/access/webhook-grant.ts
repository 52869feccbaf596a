import { lockByName, shared } from '../catalogue/named-locks.ts'
import type { Tx } from '../catalogue/schema.ts'
import { Problem } from '../problems.ts'
import type { Caller, SignedIn } from './caller.ts'
import { type AdminGrant, administer, callerNow, isPublicOnly, type Standing, signedIn, standingOf } from './grant.ts'
import { type OrganisationGrant, organisationGrantNow } from './organisations.ts'
import type { Verb } from './rules.ts'

declare const granted: unique symbol

/** Leave to see the webhooks of an owner or of the site, and where it was asked for, to change them. Only this file makes one. */
export interface WebhookGrant<V extends Verb = Verb> {
  readonly [granted]: V
  readonly caller: SignedIn
  /** Undefined: of the whole site. */
  readonly owner: { readonly id: number; readonly name: string } | undefined
}

/** One's own. */
export function ownWebhooks<V extends Verb>(caller: Caller, verb: V): WebhookGrant<V> {
  const known = signedIn(caller, `${verb}:user`)
  mustReachAll(known)
  return { caller: known, owner: known.account } as unknown as WebhookGrant<V>
}

/** Those of an organisation are its owners' alone: the addresses may be secret. `verb` is what the organisation was asked for. */
export function organisationWebhooks<V extends Verb>(
  { caller, organisation }: OrganisationGrant<'owner'>,
  _verb: V,
): WebhookGrant<V> {
  mustReachAll(caller)
  return { caller, owner: organisation } as unknown as WebhookGrant<V>
}

/** Those that are told of everything on the site. */
export function siteWebhooks<V extends Verb>({ caller }: AdminGrant, _verb: V): WebhookGrant<V> {
  mustReachAll(caller)
  return { caller } as unknown as WebhookGrant<V>
}

/** Webhooks are told of what is not public, too: at a public owner, of private packages. */
function mustReachAll(caller: SignedIn): void {
  if (!isPublicOnly(caller)) return
  throw new Problem('forbidden', 'This token is for what is public only, and webhooks are told of everything.')
}

/** The grant as plain values. */
export interface WebhookClaim {
  standing: Standing
  ownerId: number | null
}

export function webhookClaim({ caller, owner }: WebhookGrant<'write'>): WebhookClaim {
  return { standing: standingOf(caller), ownerId: owner?.id ?? null }
}

/** The grant as it would be given now, inside a transaction. */
export async function webhookGrantNow(
  tx: Tx,
  { standing, ownerId }: WebhookClaim,
  now: number,
): Promise<WebhookGrant<'write'>> {
  const account = shared(`account ${standing.userId}`)
  await lockByName(tx, ownerId === null ? [account] : [account, shared(`owner ${ownerId}`)])
  if (ownerId === null) return siteWebhooks(administer(await callerNow(tx, standing, now), 'write'), 'write')
  if (ownerId === standing.userId) return ownWebhooks(await callerNow(tx, standing, now), 'write')
  const grant = await organisationGrantNow(tx, 'owner', { standing, organisationId: ownerId, now })
  return organisationWebhooks(grant, 'write')
}
