import { insertAuditEvents } from '../catalogue/audit.ts'
import type { Tx } from '../catalogue/schema.ts'
import type { SignedIn } from './caller.ts'

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
  'password.reset-link',
  'password.reset',
  'second-factor.enabled',
  'second-factor.removed',
  'second-factor.recovery-codes',
  'token.created',
  'token.deleted',
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
  'package.deleted',
] as const

export type AuditAction = (typeof auditActions)[number]

/** Who did it: somebody who has signed in; somebody who has not, and from where; or the server's own command line. */
export type Actor = Pick<SignedIn, 'account' | 'credential' | 'address'> | { address: string } | 'operator'

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
  details?: Readonly<Record<string, string | number | boolean | null | readonly string[]>> | undefined
}

/** Writes down what an actor has done, in the transaction in which he does it. */
export async function audit(tx: Tx, actor: Actor, now: number, ...events: AuditEvent[]): Promise<void> {
  const who = columnsOf(actor)
  await insertAuditEvents(
    tx,
    events.map((event) => ({
      ...who,
      created_at: now,
      action: event.action,
      owner_id: event.owner?.id ?? null,
      owner_name: event.owner?.name ?? null,
      package_name: event.package?.name ?? null,
      package_key: event.package?.key ?? null,
      version: event.version ?? null,
      file: event.file ?? null,
      subject: event.subject ?? null,
      details: event.details ? JSON.stringify(event.details) : null,
    })),
  )
}

function columnsOf(actor: Actor) {
  if (actor === 'operator') return { credential: 'operator' }
  if (!('account' in actor)) return { address: actor.address }
  const { account, credential, address } = actor
  return {
    actor_id: account.id,
    actor_name: account.name,
    credential: credential.kind,
    token_last_eight: credential.kind === 'token' ? credential.lastEight : null,
    address,
  }
}
