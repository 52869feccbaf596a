import { insertAuditEvents, type NewAuditRow } from '../catalogue/audit.ts'
import type { Tx } from '../catalogue/schema.ts'
import type { DeployTokenCaller, SignedIn } from './caller.ts'

/** Everything that the audit log knows. The names are promises: whoever reads the log filters by them. */
export const auditActions = [
  'sign-in',
  'sign-in.failed',
  'sign-out',
  'session.ended',
  'account.created',
  'account.changed',
  'account.renamed',
  'account.deleted',
  'password.changed',
  'password.reset-asked',
  'password.reset-link',
  'password.reset',
  'second-factor.begun',
  'second-factor.enabled',
  'second-factor.removed',
  'second-factor.recovery-codes',
  'account.suspended',
  'account.reinstated',
  'identity.linked',
  'identity.unlinked',
  'identity.lapsed',
  'passkey.added',
  'passkey.renamed',
  'passkey.removed',
  'token.created',
  'token.deleted',
  'token.exchanged',
  'deploy-token.created',
  'deploy-token.deleted',
  'publisher.created',
  'publisher.changed',
  'publisher.deleted',
  'invitation.created',
  'invitation.withdrawn',
  'invitation.accepted',
  'organisation.created',
  'organisation.changed',
  'organisation.renamed',
  'organisation.deleted',
  'team.created',
  'team.changed',
  'team.deleted',
  'member.added',
  'member.removed',
  'reserved-name.freed',
  'quota.changed',
  'webhook.created',
  'webhook.changed',
  'webhook.deleted',
  'webhook.replayed',
  'job.retried',
  'job.deleted',
  'storage.swept',
  'usage.recounted',
  'secrets.forgotten',
  'file.published',
  'file.deleted',
  'version.deleted',
  'package.changed',
  'package.visibility-changed',
  'package.access-changed',
  'package.deleted',
] as const

export type AuditAction = (typeof auditActions)[number]

/** Whether it is one of these; a prefix that ends in `.` is asked for with `actionsBeginning`. */
export function isAuditAction(text: string): text is AuditAction {
  return auditActions.some((action) => action === text)
}

/** All actions that begin with `prefix`: `token.`. */
export function actionsBeginning(prefix: string): readonly AuditAction[] {
  return auditActions.filter((action) => action.startsWith(prefix))
}

/** What somebody may have done it with; a link's holder and a stranger have no account. */
export const auditCredentials = [
  'password',
  'token',
  'deploy-token',
  'session',
  'passkey',
  'oidc',
  'proxy',
  'link',
  'operator',
] as const

export type AuditCredential = (typeof auditCredentials)[number]

/**
 * Who did it: somebody who has signed in; somebody who has not, and from where; whoever had a link; the server's own command
 * line; or the server, of which nothing is said.
 */
export type Actor =
  | Pick<SignedIn, 'account' | 'credential' | 'address'>
  | DeployTokenCaller
  | { address: string; credential?: 'link' }
  | 'operator'
  | 'server'

/** What was done. Never a secret, nor what somebody typed where a secret may have been meant. */
export interface AuditEvent {
  action: AuditAction
  /** At whom: the owner of the package, the organisation, or the account. */
  owner?: { id: number; name: string } | undefined
  package?: { name: string; key: string } | undefined
  version?: string | undefined
  file?: string | undefined
  /** To whom or to what, where it is none of these: a token's name, a team, a member. */
  subject?: string | undefined
  details?: AuditDetails | undefined
}

export type AuditDetails = Readonly<Record<string, string | number | boolean | null | readonly string[]>>

/** What was done at another moment, and is written down later. */
export interface PastEvent {
  actor: Actor
  at: number
  event: AuditEvent
}

/** Writes down what an actor has done, in the transaction in which he does it. */
export async function audit(tx: Tx, actor: Actor, now: number, ...events: AuditEvent[]): Promise<void> {
  await insertAuditEvents(
    tx,
    events.map((event) => rowOf({ actor, at: now, event })),
  )
}

/** Writes down what was done before. */
export async function auditPast(tx: Tx, events: readonly PastEvent[]): Promise<void> {
  await insertAuditEvents(tx, events.map(rowOf))
}

function rowOf({ actor, at, event }: PastEvent): NewAuditRow {
  return {
    ...columnsOf(actor),
    created_at: at,
    action: event.action,
    owner_id: event.owner?.id ?? null,
    owner_name: event.owner?.name ?? null,
    package_name: event.package?.name ?? null,
    package_key: event.package?.key ?? null,
    version: event.version ?? null,
    file: event.file ?? null,
    subject: event.subject ?? null,
    details: event.details ? JSON.stringify(event.details) : null,
  }
}

function columnsOf(actor: Actor) {
  if (actor === 'server') return {}
  if (actor === 'operator') return { credential: 'operator' }
  if (!('account' in actor) && !('owner' in actor)) {
    return { address: actor.address, credential: actor.credential ?? null }
  }
  const { credential, address } = actor
  const { id, name } = 'account' in actor ? actor.account : actor.owner
  return {
    actor_id: id,
    actor_name: name,
    credential: credential.kind,
    token_last_eight: 'lastEight' in credential ? credential.lastEight : null,
    address,
  }
}
