import { randomUUID } from 'node:crypto'
import { audit } from '../access/audit.ts'
import { type WebhookClaim, type WebhookGrant, webhookClaim, webhookGrantNow } from '../access/webhook-grant.ts'
import { askForJobAtOnce, withdrawJob } from '../catalogue/jobs.ts'
import { alone, lockByName } from '../catalogue/named-locks.ts'
import type { DeliveryState, Tx } from '../catalogue/schema.ts'
import { type Catalogue, transaction } from '../catalogue/transaction.ts'
import {
  addDeliveries,
  areWaiting,
  countWebhooks,
  type DeliveryRow,
  deleteSomeDeliveries,
  deleteWebhook,
  deliveriesJob,
  deliveriesPage,
  deliveryOf,
  insertWebhook,
  type ListedDelivery,
  lastDeliveries,
  lockWebhook,
  nextAttemptAt,
  updateWebhook,
  type WebhookRow,
  webhookAt,
  webhooksPage,
} from '../catalogue/webhooks.ts'
import { mustBeAllowed, OutgoingError } from '../lib/outgoing.ts'
import type { AllowedHosts } from '../lib/outgoing-addresses.ts'
import type { Sealer } from '../lib/sealed.ts'
import { Problem } from '../problems.ts'
import type { WebhookEvent } from './changes.ts'

/** For those who may not import the catalogue. */
export type { DeliveryRow, DeliveryState, ListedDelivery, WebhookRow }

export const deliveryStates = ['waiting', 'delivered', 'given-up'] as const satisfies readonly DeliveryState[]

/** Webhooks that an owner may have, and the site: each change is told to all of them. */
export const mostWebhooks = 50

/** Deliveries that may wait where one more is asked for by hand. */
const mostWaiting = 1_000

/** Deliveries that one transaction removes. */
const fewDeliveries = 1_000

export interface WantedWebhook {
  type: string
  url: string
  events: readonly WebhookEvent[]
  isActive: boolean
  /** '' for none, as with the header. */
  secret: string
  authorizationHeader: string
}

/** What is undefined stays as it is. */
export type WebhookChange = Partial<Omit<WantedWebhook, 'type'>>

type Columns = Pick<WebhookRow, 'url' | 'secret' | 'authorization_header' | 'events' | 'is_active'>

interface AddWebhook {
  claim: WebhookClaim
  columns: Columns & Pick<WebhookRow, 'type' | 'seal_id'>
  now: number
}

export const addWebhook = transaction('add webhook', async (tx, { claim, columns, now }: AddWebhook) => {
  const { ownerId } = claim
  const grant = await webhookGrantNow(tx, claim, now)
  await lockByName(tx, [alone(`webhooks ${ownerId ?? 0}`)])
  if ((await countWebhooks(tx, ownerId)) >= mostWebhooks) {
    throw new Problem('unprocessable', `There are ${mostWebhooks} webhooks already, and no more are taken: delete one.`)
  }
  const added = await insertWebhook(tx, { ...columns, owner_id: ownerId, created_at: now, updated_at: now })
  await audited(tx, grant, 'webhook.created', added, now)
  return added
})

interface OneWebhook {
  claim: WebhookClaim
  id: number
  now: number
}

interface ChangeWebhook extends OneWebhook {
  columns: Partial<Columns>
}

/** What waits is tried at once: its address may have been what was wrong. */
export const changeWebhook = transaction('change webhook', async (tx, args: ChangeWebhook) => {
  const { id, columns, now } = args
  const { grant, webhook } = await enter(tx, args)
  mustBringHeader(webhook, columns)
  const changed = await updateWebhook(tx, id, { ...columns, updated_at: now })
  if (changed.is_active === 1) await askForJobAtOnce(tx, deliveriesJob, String(id), now)
  await audited(tx, grant, 'webhook.changed', changed, now)
  return changed
})

/** Whoever may change a webhook may not see its header, and so may not send it to himself either. */
function mustBringHeader(webhook: WebhookRow, { url, authorization_header }: Partial<Columns>): void {
  if (webhook.authorization_header === null || authorization_header !== undefined || url === undefined) return
  if (new URL(url).origin === new URL(webhook.url).origin) return
  throw new Problem(
    'unprocessable',
    'authorization_header: was meant for the host that this webhook had. Send it again with the new address, or "" for none.',
  )
}

/** The first step: no change waits for what follows, and none is told any more. */
export const quietWebhook = transaction('quiet webhook', async (tx, args: OneWebhook) => {
  const { webhook } = await enter(tx, args)
  if (webhook.is_active === 1) await updateWebhook(tx, args.id, { is_active: 0 })
})

/** Removes some of what it was told and, when there is no more of that, the webhook; whether it is gone. */
export const removeWebhook = transaction('remove webhook', async (tx, args: OneWebhook): Promise<boolean> => {
  const { grant, webhook } = await enter(tx, args)
  if ((await deleteSomeDeliveries(tx, args.id, fewDeliveries)) === fewDeliveries) return false
  await deleteWebhook(tx, args.id)
  await withdrawJob(tx, deliveriesJob, String(args.id))
  await audited(tx, grant, 'webhook.deleted', webhook, args.now)
  return true
})

interface ReplayDelivery extends OneWebhook {
  deliveryId: number
  uuid: string
}

export const replayDelivery = transaction('replay delivery', async (tx, args: ReplayDelivery): Promise<DeliveryRow> => {
  const { id, deliveryId, uuid, now } = args
  const { grant, webhook } = await enter(tx, args)
  const told = await deliveryOf(tx, id, deliveryId)
  if (!told) throw noSuchDelivery()
  if (await areWaiting(tx, id, mostWaiting)) {
    throw new Problem(
      'unprocessable',
      `${mostWaiting} deliveries of this webhook wait already: let them be sent first.`,
    )
  }
  const { action, change, request_body } = told
  await addDeliveries(tx, [{ webhook_id: id, uuid, action, change, request_body, created_at: now }])
  await askForJobAtOnce(tx, deliveriesJob, String(id), now)
  await audited(tx, grant, 'webhook.replayed', webhook, now, { delivery: told.uuid, replay: uuid })
  const added = await deliveryByUuid(tx, uuid)
  if (!added) throw new Error('a delivery went in the transaction that made it')
  return added
})

async function deliveryByUuid(tx: Tx, uuid: string): Promise<DeliveryRow | undefined> {
  return tx.selectFrom('deliveries').selectAll().where('uuid', '=', uuid).executeTakeFirst()
}

async function enter(
  tx: Tx,
  { claim, id, now }: OneWebhook,
): Promise<{ grant: WebhookGrant<'write'>; webhook: WebhookRow }> {
  const grant = await webhookGrantNow(tx, claim, now)
  const webhook = await lockWebhook(tx, claim.ownerId, id)
  if (!webhook) throw noSuchWebhook()
  return { grant, webhook }
}

/** Of the address its origin alone: paths may be secrets. */
async function audited(
  tx: Tx,
  { caller, owner }: WebhookGrant,
  action: 'webhook.created' | 'webhook.changed' | 'webhook.deleted' | 'webhook.replayed',
  { id, url, events, is_active }: WebhookRow,
  now: number,
  more: Record<string, string> = {},
): Promise<void> {
  // One that is deleted was made inactive first: that tells nothing of how it was.
  const active: Record<string, boolean> = action === 'webhook.deleted' ? {} : { active: is_active === 1 }
  const details = { url: new URL(url).origin, events: events.split(','), ...active, ...more }
  await audit(tx, caller, now, { action, owner, subject: String(id), details })
}

interface WebhookParts {
  catalogue: Catalogue
  sealer: Sealer
  allowed: AllowedHosts
  now: () => number
  /** Has jobs of a kind done at once. */
  wake: (kind: string) => void
}

interface Page {
  offset: number
  limit: number
}

/** A delivery, and when it is tried next, where it waits. */
export interface ShownDelivery<Row = DeliveryRow> {
  delivery: Row
  nextAttemptAt: number | undefined
}

/** Who is told of what happens to packages. */
export class Webhooks {
  readonly #parts: WebhookParts

  constructor(parts: WebhookParts) {
    this.#parts = parts
  }

  async list({ owner }: WebhookGrant, page: Page): Promise<{ webhooks: WebhookRow[]; total: number }> {
    return webhooksPage(this.#parts.catalogue.read, owner?.id ?? null, page)
  }

  /** The same, each with what it was told last. */
  async listWithLast(
    grant: WebhookGrant,
    page: Page,
  ): Promise<{ webhooks: { webhook: WebhookRow; last: ListedDelivery | undefined }[]; total: number }> {
    const { webhooks, total } = await this.list(grant, page)
    const deliveries = await lastDeliveries(
      this.#parts.catalogue.read,
      webhooks.map(({ id }) => id),
    )
    const last = new Map(deliveries.map((delivery) => [delivery.webhook_id, delivery]))
    return { webhooks: webhooks.map((webhook) => ({ webhook, last: last.get(webhook.id) })), total }
  }

  async show({ owner }: WebhookGrant, id: string): Promise<WebhookRow> {
    const webhook = await webhookAt(this.#parts.catalogue.read, owner?.id ?? null, numberFrom(id, noSuchWebhook))
    if (!webhook) throw noSuchWebhook()
    return webhook
  }

  async create(grant: WebhookGrant<'write'>, wanted: WantedWebhook): Promise<WebhookRow> {
    const seal_id = randomUUID()
    const columns = { type: wanted.type, seal_id, ...this.#columnsOf(wanted, seal_id) }
    const args = { claim: webhookClaim(grant), columns, now: this.#parts.now() }
    return this.#parts.catalogue.transact(addWebhook, args)
  }

  async change(grant: WebhookGrant<'write'>, id: string, change: WebhookChange): Promise<WebhookRow> {
    const { seal_id } = await this.show(grant, id)
    const columns = this.#changedColumns(change, seal_id)
    const changed = await this.#parts.catalogue.transact(changeWebhook, { ...this.#one(grant, id), columns })
    if (changed.is_active === 1) this.#parts.wake(deliveriesJob)
    return changed
  }

  /** With all that it was told. Where it is broken off, the same call goes on. */
  async remove(grant: WebhookGrant<'write'>, id: string): Promise<void> {
    const args = this.#one(grant, id)
    await this.#parts.catalogue.transact(quietWebhook, args)
    let isGone = false
    while (!isGone) isGone = await this.#parts.catalogue.transact(removeWebhook, args)
  }

  async deliveries(
    grant: WebhookGrant,
    id: string,
    state: DeliveryState | undefined,
    page: Page,
  ): Promise<{ deliveries: ShownDelivery<ListedDelivery>[]; total: number | undefined }> {
    const webhook = await this.show(grant, id)
    const { deliveries, total } = await deliveriesPage(this.#parts.catalogue.read, webhook.id, state, page)
    const shown = await this.#withNextAttempt(webhook, deliveries)
    return { deliveries: shown, total }
  }

  async delivery(grant: WebhookGrant, id: string, deliveryId: string): Promise<ShownDelivery> {
    const webhook = await this.show(grant, id)
    const wanted = numberFrom(deliveryId, noSuchDelivery)
    const delivery = await deliveryOf(this.#parts.catalogue.read, webhook.id, wanted)
    const [shown] = await this.#withNextAttempt(webhook, delivery ? [delivery] : [])
    if (!shown) throw noSuchDelivery()
    return shown
  }

  /** Sends the same once more, behind what waits already; answers the new delivery. */
  async replay(grant: WebhookGrant<'write'>, id: string, deliveryId: string): Promise<ShownDelivery> {
    const args = { deliveryId: numberFrom(deliveryId, noSuchDelivery), uuid: randomUUID() }
    const delivery = await this.#parts.catalogue.transact(replayDelivery, { ...this.#one(grant, id), ...args })
    this.#parts.wake(deliveriesJob)
    return { delivery, nextAttemptAt: undefined }
  }

  async #withNextAttempt<Row extends ListedDelivery>(
    { id, is_active }: WebhookRow,
    deliveries: readonly Row[],
  ): Promise<ShownDelivery<Row>[]> {
    const isAwaited = is_active === 1 && deliveries.some(({ state }) => state === 'waiting')
    const due = isAwaited ? await nextAttemptAt(this.#parts.catalogue.read, id) : undefined
    return deliveries.map((delivery) => ({
      delivery,
      nextAttemptAt: delivery.state === 'waiting' ? due : undefined,
    }))
  }

  #one(grant: WebhookGrant<'write'>, id: string): OneWebhook {
    return { claim: webhookClaim(grant), id: numberFrom(id, noSuchWebhook), now: this.#parts.now() }
  }

  #columnsOf(wanted: Omit<WantedWebhook, 'type'>, sealId: string): Columns {
    this.#mustBeReachable(wanted.url)
    return {
      url: wanted.url,
      events: wanted.events.join(','),
      is_active: wanted.isActive ? 1 : 0,
      secret: this.#sealed(wanted.secret, secretContext(sealId)),
      authorization_header: this.#sealed(wanted.authorizationHeader, headerContext(sealId)),
    }
  }

  #changedColumns(change: WebhookChange, sealId: string): Partial<Columns> {
    const { url, events, isActive, secret, authorizationHeader } = change
    if (url !== undefined) this.#mustBeReachable(url)
    return {
      ...(url === undefined ? {} : { url }),
      ...(events === undefined ? {} : { events: events.join(',') }),
      ...(isActive === undefined ? {} : { is_active: isActive ? 1 : 0 }),
      ...(secret === undefined ? {} : { secret: this.#sealed(secret, secretContext(sealId)) }),
      ...(authorizationHeader === undefined
        ? {}
        : { authorization_header: this.#sealed(authorizationHeader, headerContext(sealId)) }),
    }
  }

  #sealed(text: string, context: string): string | null {
    return text === '' ? null : this.#parts.sealer.seal(text, context)
  }

  /** Where a name leads is decided at each delivery; what an address is, is known now. */
  #mustBeReachable(url: string): void {
    try {
      mustBeAllowed(this.#parts.allowed, new URL(url).hostname)
    } catch (error) {
      if (!(error instanceof OutgoingError)) throw error
      throw new Problem(
        'unprocessable',
        `config.url: ${error.message} Ask whoever runs this server to name it in STOWAGE_WEBHOOK_ALLOWED_HOSTS.`,
      )
    }
  }
}

/** Where the secret of a webhook belongs: it opens for no other one. */
export function secretContext(sealId: string): string {
  return `secret ${sealId}`
}

export function headerContext(sealId: string): string {
  return `authorization ${sealId}`
}

function numberFrom(text: string, otherwise: () => Problem): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw otherwise()
  return Number(text)
}

function noSuchWebhook(): Problem {
  return new Problem('not-found', 'There is no such webhook.')
}

function noSuchDelivery(): Problem {
  return new Problem('not-found', 'There is no such delivery.')
}
