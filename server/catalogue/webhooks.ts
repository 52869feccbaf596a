import {
  type Insertable,
  type RawBuilder,
  type Selectable,
  type SelectQueryBuilder,
  sql,
  type Updateable,
} from 'kysely'
import { locked } from './dialect.ts'
import { jobFor } from './jobs.ts'
import type { Window } from './listings.ts'
import { prepared } from './prepared.ts'
import type { Db, DeliveryState, Schema, Tx } from './schema.ts'

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

/**
 * Puts deliveries into the outbox. Whoever looks for them after the commit asks for the jobs that send them: here, all who
 * publish would wait for each other at the job of a webhook that they share.
 */
export async function addDeliveries(tx: Tx, deliveries: readonly NewDelivery[]): Promise<void> {
  const rows = deliveries.map((delivery) => ({ ...delivery, state: 'waiting' as const, attempts: 0 }))
  for (let from = 0; from < rows.length; from += batch) {
    await tx
      .insertInto('deliveries')
      .values(rows.slice(from, from + batch))
      .execute()
  }
}

/** Active webhooks for which something waits, and which nobody is to send it. */
export async function webhooksWithoutJob(db: Db | Tx): Promise<number[]> {
  // From one webhook to the next, however much waits for each.
  const next = (after: RawBuilder<unknown>) =>
    sql`(select min(webhook_id) from deliveries where state = 'waiting' and webhook_id > ${after})`
  const { rows } = await sql<{ id: number }>`
    with recursive waiting (id) as (
      select ${next(sql`0`)} union all select ${next(sql`waiting.id`)} from waiting where waiting.id is not null
    )
    select webhooks.id from waiting join webhooks on webhooks.id = waiting.id
    where webhooks.is_active = 1 and not exists (
      select 1 from jobs where kind = ${deliveriesJob} and subject = cast(webhooks.id as text)
    )`.execute(db)
  return rows.map(({ id }) => Number(id))
}

export type WebhookRow = Selectable<Schema['webhooks']>
export type DeliveryRow = Selectable<Schema['deliveries']>

/** Whose webhooks are meant: an owner's, or null for those of the whole site. */
type Place = number | null

function webhooksAt(db: Db | Tx, place: Place) {
  const webhooks = db.selectFrom('webhooks')
  return place === null ? webhooks.where('owner_id', 'is', null) : webhooks.where('owner_id', '=', place)
}

export async function webhooksPage(
  db: Db,
  place: Place,
  { offset, limit }: Window,
): Promise<{ webhooks: WebhookRow[]; total: number }> {
  const webhooks = await webhooksAt(db, place).selectAll().orderBy('id').offset(offset).limit(limit).execute()
  return { webhooks, total: await countWebhooks(db, place) }
}

export async function countWebhooks(db: Db | Tx, place: Place): Promise<number> {
  const { total } = await webhooksAt(db, place)
    .select((select) => select.fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow()
  return Number(total)
}

export async function webhookAt(db: Db | Tx, place: Place, id: number): Promise<WebhookRow | undefined> {
  return webhooksAt(db, place).selectAll().where('id', '=', id).executeTakeFirst()
}

/** The same, to change it. */
export async function lockWebhook(tx: Tx, place: Place, id: number): Promise<WebhookRow | undefined> {
  return webhooksAt(tx, place).selectAll().where('id', '=', id).$call(locked(tx, 'for update')).executeTakeFirst()
}

export async function insertWebhook(tx: Tx, webhook: Insertable<Schema['webhooks']>): Promise<WebhookRow> {
  return tx.insertInto('webhooks').values(webhook).returningAll().executeTakeFirstOrThrow()
}

/** Changes what is not undefined. */
export async function updateWebhook(
  tx: Tx,
  id: number,
  change: Omit<Updateable<Schema['webhooks']>, 'id'>,
): Promise<WebhookRow> {
  return tx.updateTable('webhooks').set(change).where('id', '=', id).returningAll().executeTakeFirstOrThrow()
}

export async function deleteWebhook(tx: Tx, id: number): Promise<void> {
  await tx.deleteFrom('webhooks').where('id', '=', id).execute()
}

/**
 * Removes some of a webhook's deliveries; answers how many. All at once, with the webhook, could take longer than a transaction
 * may.
 */
export async function deleteSomeDeliveries(tx: Tx, webhookId: number, limit: number): Promise<number> {
  return deleteDeliveries(tx, deliveriesOf(tx, webhookId).orderBy('id').limit(limit))
}

/** The same for all webhooks of an owner, who is being removed: they are told nothing more. */
export async function deleteSomeDeliveriesAt(tx: Tx, ownerId: number, limit: number): Promise<number> {
  await tx.updateTable('webhooks').set({ is_active: 0 }).where('owner_id', '=', ownerId).execute()
  const webhooks = tx.selectFrom('webhooks').select('id').where('owner_id', '=', ownerId)
  const some = tx.selectFrom('deliveries').select('id').where('webhook_id', 'in', webhooks).limit(limit)
  return deleteDeliveries(tx, some)
}

/** Removes some of those that were made before. */
export async function deleteOldDeliveries(tx: Tx, before: number, limit: number): Promise<number> {
  const old = tx.selectFrom('deliveries').select('id').where('created_at', '<', before)
  return deleteDeliveries(tx, old.orderBy('created_at').limit(limit))
}

/** Removes some of a webhook's deliveries that are over and have `keep` newer ones. */
export async function deleteSurplusDeliveries(
  tx: Tx,
  webhookId: number,
  { keep, limit }: { keep: number; limit: number },
): Promise<number> {
  const newest = await withNewer(tx, webhookId, keep)
  if (newest === undefined) return 0
  const old = deliveriesOf(tx, webhookId).where('id', '<=', newest)
  return deleteDeliveries(tx, old.where('state', 'in', ['delivered', 'given-up']).limit(limit))
}

function deliveriesOf(tx: Tx, webhookId: number) {
  return tx.selectFrom('deliveries').select('id').where('webhook_id', '=', webhookId)
}

/** The delivery that has so many newer ones, of those up to an id. */
async function withNewer(tx: Tx, webhookId: number, newer: number, upTo?: number): Promise<number | undefined> {
  const all = deliveriesOf(tx, webhookId)
  const some = upTo === undefined ? all : all.where('id', '<=', upTo)
  return (await some.orderBy('id', 'desc').offset(newer).limit(1).executeTakeFirst())?.id
}

async function deleteDeliveries(
  tx: Tx,
  some: SelectQueryBuilder<Schema, 'deliveries', { id: number }>,
): Promise<number> {
  const { numDeletedRows } = await tx.deleteFrom('deliveries').where('id', 'in', some).executeTakeFirst()
  return Number(numDeletedRows)
}

/** Webhooks behind an id, for who goes through them all. */
export async function webhookIdsAfter(db: Db | Tx, after: number, limit: number): Promise<number[]> {
  const some = db.selectFrom('webhooks').select('id').where('id', '>', after).orderBy('id').limit(limit)
  return (await some.execute()).map(({ id }) => id)
}

/** The delivery that a webhook gets next: the oldest that waits. None where it is not active, or gone. */
export async function nextDelivery(
  db: Db,
  webhookId: number,
): Promise<{ webhook: WebhookRow; delivery: DeliveryRow } | undefined> {
  const webhook = await db
    .selectFrom('webhooks')
    .selectAll()
    .where('id', '=', webhookId)
    .where('is_active', '=', 1)
    .executeTakeFirst()
  const delivery = webhook && (await waiting(db, webhookId).selectAll().limit(1).executeTakeFirst())
  return delivery && { webhook, delivery }
}

function waiting(db: Db | Tx, webhookId: number) {
  return db.selectFrom('deliveries').where('webhook_id', '=', webhookId).where('state', '=', 'waiting').orderBy('id')
}

/** Whether so many wait. */
export async function areWaiting(tx: Tx, webhookId: number, many: number): Promise<boolean> {
  const some = waiting(tx, webhookId).select('id').limit(1)
  return (await some.offset(many - 1).executeTakeFirst()) !== undefined
}

/** What every attempt sends; the first one to say so decides. Undefined where the delivery is gone. */
export async function setRequestBody(tx: Tx, id: number, body: string): Promise<string | undefined> {
  await tx
    .updateTable('deliveries')
    .set({ request_body: body })
    .where('id', '=', id)
    .where('request_body', 'is', null)
    .execute()
  const row = await tx.selectFrom('deliveries').select('request_body').where('id', '=', id).executeTakeFirst()
  return row?.request_body ?? undefined
}

/** What an attempt came to. */
export type Attempt = Pick<
  DeliveryRow,
  | 'attempted_at'
  | 'duration'
  | 'request_origin'
  | 'request_headers'
  | 'response_status'
  | 'response_headers'
  | 'response_body'
  | 'error'
> & { state: DeliveryState }

/** Deliveries of a webhook that keep all that was answered; of older ones the beginning stays, in characters. */
const wholeAnswers = 100
const beginning = 1_000

export async function putAttempt(
  tx: Tx,
  { id, webhook_id }: Pick<DeliveryRow, 'id' | 'webhook_id'>,
  attempt: Attempt,
): Promise<void> {
  await tx
    .updateTable('deliveries')
    .set((set) => ({ ...attempt, attempts: set('attempts', '+', 1) }))
    .where('id', '=', id)
    .where('state', '=', 'waiting')
    .execute()
  // They are sent in their order, so each comes to this place once.
  const old = await withNewer(tx, webhook_id, wholeAnswers, id)
  if (old === undefined) return
  await tx
    .updateTable('deliveries')
    .set({ response_body: sql<string>`substr(response_body, 1, ${sql.lit(beginning)})` })
    .where('id', '=', old)
    .execute()
}

const listedColumns = [
  'id',
  'webhook_id',
  'uuid',
  'action',
  'state',
  'attempts',
  'created_at',
  'attempted_at',
  'duration',
  'request_origin',
  'response_status',
  'error',
] as const

/** A delivery in a list: without what was sent and answered. */
export type ListedDelivery = Pick<DeliveryRow, (typeof listedColumns)[number]>

/** Deliveries that are counted; where there are more, nobody is told how many. */
const mostCounted = 1_000

/** One page of a webhook's deliveries, newest first. */
export async function deliveriesPage(
  db: Db,
  webhookId: number,
  state: DeliveryState | undefined,
  { offset, limit }: Window,
): Promise<{ deliveries: ListedDelivery[]; total: number | undefined }> {
  let some = db.selectFrom('deliveries').where('webhook_id', '=', webhookId)
  if (state !== undefined) some = some.where('state', '=', state)
  const deliveries = await some.select(listedColumns).orderBy('id', 'desc').offset(offset).limit(limit).execute()
  const counted = some.select('id').limit(mostCounted + 1)
  const { total } = await db
    .selectFrom(counted.as('counted'))
    .select((select) => select.fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow()
  return { deliveries, total: Number(total) > mostCounted ? undefined : Number(total) }
}

/** The newest delivery of each of these webhooks that has one. */
export async function lastDeliveries(db: Db, webhookIds: readonly number[]): Promise<ListedDelivery[]> {
  if (webhookIds.length === 0) return []
  return db
    .selectFrom('webhooks')
    .innerJoin('deliveries', (join) =>
      join.on((it) => {
        const its = it.selectFrom('deliveries as its').whereRef('its.webhook_id', '=', 'webhooks.id')
        return it(
          'deliveries.id',
          '=',
          its.select((each) => each.fn.max('its.id').as('id')),
        )
      }),
    )
    .select(listedColumns.map((column) => `deliveries.${column}` as const))
    .where('webhooks.id', 'in', webhookIds)
    .execute()
}

export async function deliveryOf(db: Db | Tx, webhookId: number, id: number): Promise<DeliveryRow | undefined> {
  const all = db.selectFrom('deliveries').selectAll().where('webhook_id', '=', webhookId)
  return all.where('id', '=', id).executeTakeFirst()
}

/** When something will be sent to a webhook again; undefined where nothing waits. */
export async function nextAttemptAt(db: Db, webhookId: number): Promise<number | undefined> {
  return (await jobFor(db, deliveriesJob, String(webhookId)))?.due_at
}
