import type { Insertable } from 'kysely'
import { askForJob } from './jobs.ts'
import { prepared } from './prepared.ts'
import type { Schema, Tx } from './schema.ts'

/** Kind of the job that sends what waits for a webhook; its subject is the webhook's id. */
export const deliveriesJob = 'deliveries'

/** A webhook that is told of what happens at an owner. */
export interface Listener {
  id: number
  events: string
}

/** The active webhooks of an owner and of the whole site. */
export async function listenersAt(tx: Tx, ownerId: number): Promise<Listener[]> {
  return selectListeners(tx, { ownerId })
}

const selectListeners = prepared(['ownerId'], (tx, { ownerId }: { ownerId: number }) =>
  tx
    .selectFrom('webhooks')
    .select(['id', 'events'])
    .where('is_active', '=', 1)
    .where((row) => row.or([row('owner_id', '=', ownerId), row('owner_id', 'is', null)]))
    .orderBy('id'),
)

export type NewDelivery = Pick<
  Insertable<Schema['deliveries']>,
  'webhook_id' | 'uuid' | 'action' | 'change' | 'created_at'
> & { request_body?: string | null }

/** Rows that one statement adds: a statement has a limit of values. */
const batch = 500

/** Puts deliveries into the outbox, and asks for the jobs that send them. */
export async function addDeliveries(tx: Tx, deliveries: readonly NewDelivery[], now: number): Promise<void> {
  if (deliveries.length === 0) return
  const rows = deliveries.map((delivery) => ({ ...delivery, state: 'waiting' as const, attempts: 0 }))
  for (let from = 0; from < rows.length; from += batch) {
    await tx
      .insertInto('deliveries')
      .values(rows.slice(from, from + batch))
      .execute()
  }
  const ids = [...new Set(deliveries.map(({ webhook_id }) => webhook_id))].sort((a, b) => a - b)
  for (const id of ids) await askForJob(tx, deliveriesJob, String(id), now)
}
