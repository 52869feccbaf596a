import { createHmac } from 'node:crypto'
import { blobsById, digestsOf, missingDigests } from '../catalogue/blobs.ts'
import { anyAwaited, askForJob, finishJob, giveWay, type Job } from '../catalogue/jobs.ts'
import { listedOwner, type Profile } from '../catalogue/listings.ts'
import { type OrganisationRow, organisationById } from '../catalogue/organisations.ts'
import { transaction } from '../catalogue/transaction.ts'
import {
  type Attempt,
  type DeliveryRow,
  deleteOldDeliveries,
  deleteSurplusDeliveries,
  deliveriesJob,
  nextDelivery,
  putAttempt,
  setRequestBody,
  type WebhookRow,
  webhookIdsAfter,
  webhooksWithoutJob,
} from '../catalogue/webhooks.ts'
import { ask, type OutgoingAnswer, OutgoingError, type OutgoingParts } from '../lib/outgoing.ts'
import type { Sealer } from '../lib/sealed.ts'
import type { Change, ChangedFile } from './changes.ts'
import type { RegistryParts } from './parts.ts'
import { digestsJob } from './publish.ts'
import { headerContext, secretContext } from './webhooks.ts'

/** Kind of the job that removes deliveries which nobody looks at any more. */
export const oldDeliveriesJob = 'old-deliveries'

/** What has happened, and who they are that had to do with it, as they are now; undefined for who is gone. */
export interface ToldChange {
  change: Change
  owner: Profile | undefined
  organisation: OrganisationRow | undefined
  creator: Profile | undefined
  sender: Profile | undefined
}

export interface DeliveryParts {
  registry: RegistryParts
  sealer: Sealer
  outgoing: OutgoingParts
  /** The body of the request, as the JSON API shows such things. */
  bodyOf: (told: ToldChange) => object
  version: string
}

/** A webhook did not take a delivery: trouble of whoever runs that webhook, not of this server. */
export class DeliveryFailed extends Error {
  override name = 'DeliveryFailed'
}

export const keepRequestBody = transaction('keep request body', (tx, args: { id: number; body: string }) =>
  setRequestBody(tx, args.id, args.body),
)

export const recordAttempt = transaction(
  'record attempt',
  (tx, args: { delivery: Pick<DeliveryRow, 'id' | 'webhook_id'>; attempt: Attempt }) =>
    putAttempt(tx, args.delivery, args.attempt),
)

export const finishDeliveries = transaction('finish deliveries', (tx, { job }: { job: Job }) => finishJob(tx, job))

/** One for each webhook for which something waits. */
export const askForDeliveries = transaction('ask for deliveries', async (tx, args: { ids: number[]; now: number }) => {
  for (const id of args.ids) await askForJob(tx, deliveriesJob, String(id), args.now)
})

/** Asks for what was told and nobody is to send yet. */
export async function findDeliveries({ registry: { catalogue, now } }: DeliveryParts): Promise<void> {
  const ids = await webhooksWithoutJob(catalogue.read)
  if (ids.length > 0) await catalogue.transact(askForDeliveries, { ids, now: now() })
}

export const letOthersDeliver = transaction('let others deliver', (tx, args: { job: Job; now: number }) =>
  giveWay(tx, args.job, args.now),
)

/** What one webhook gets before it gives way to others. */
const mostInTurn = 20
/** Milliseconds after which it does. */
const longestTurn = 5_000
/** Milliseconds after which a delivery that fails is given up. */
const patience = 24 * 60 * 60_000

/**
 * Sends what waits for a webhook, in its order, and throws where it does not take one: that is tried again, and the later ones
 * wait for it. The outcome is written down after the answer; where that is broken off, the same bytes are sent again under the
 * same id.
 */
export async function sendDeliveries(parts: DeliveryParts, job: Job, signal: AbortSignal): Promise<void> {
  const { catalogue, now } = parts.registry
  const until = performance.now() + longestTurn
  for (let sent = 0; ; sent += 1) {
    const next = await nextDelivery(catalogue.read, Number(job.subject))
    if (!next) return catalogue.transact(finishDeliveries, { job })
    // Also the first success after failures, so that the next failure is the first of a new row.
    const hasHadItsTurn = sent >= mostInTurn || performance.now() > until || (sent > 0 && job.attempts > 0)
    if (hasHadItsTurn) return catalogue.transact(letOthersDeliver, { job, now: now() })
    await deliver(parts, next, signal)
  }
}

async function deliver(
  parts: DeliveryParts,
  { webhook, delivery }: { webhook: WebhookRow; delivery: DeliveryRow },
  signal: AbortSignal,
): Promise<void> {
  const { catalogue, now } = parts.registry
  const body = delivery.request_body ?? (await composed(parts, delivery, signal))
  if (body === undefined) return
  const attempted_at = now()
  const begun = performance.now()
  const outcome = await attempt(parts, webhook, { ...delivery, request_body: body }, signal)
  const isTaken = outcome.error === null
  const isOver = isTaken || attempted_at - delivery.created_at >= patience
  const state = isTaken ? 'delivered' : isOver ? 'given-up' : 'waiting'
  const duration = Math.round(performance.now() - begun)
  await catalogue.transact(recordAttempt, { delivery, attempt: { ...outcome, state, attempted_at, duration } })
  if (!isOver) throw new DeliveryFailed(`${new URL(webhook.url).origin}: ${outcome.error}`)
}

/** The body as it is sent from now on. Undefined where the delivery has gone meanwhile. */
async function composed(
  parts: DeliveryParts,
  { id, change: text }: DeliveryRow,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { catalogue } = parts.registry
  const change: Change = JSON.parse(text)
  const { read } = catalogue
  const [owner, organisation, creator, sender, files] = await Promise.all([
    listedOwner(read, change.owner.id),
    organisationById(read, change.owner.id),
    change.version.creatorId === null ? undefined : listedOwner(read, change.version.creatorId),
    listedOwner(read, change.sender.id),
    withDigests(parts.registry, change.files, signal),
  ])
  const told: ToldChange = {
    change: { ...change, files },
    owner: owner?.owner,
    organisation,
    creator: creator?.owner,
    sender: sender?.owner,
  }
  return catalogue.transact(keepRequestBody, { id, body: JSON.stringify(parts.bodyOf(told)) })
}

/** Milliseconds that a delivery waits for digests that are being computed. */
const digestsPatience = 5_000
/** Milliseconds between two looks: a server that stops waits for no more. */
const longestPause = 320

/** The files with all digests, as far as their bytes are still there and they are known in time. */
async function withDigests(
  parts: RegistryParts,
  files: readonly ChangedFile[],
  signal: AbortSignal,
): Promise<ChangedFile[]> {
  const incomplete = files.filter(({ digests }) => Object.values(digests).includes(null))
  if (incomplete.length === 0) return [...files]
  const ids = incomplete.map(({ blobId }) => blobId)
  const until = performance.now() + digestsPatience
  for (let pause = 20; ; pause = Math.min(pause * 2, longestPause)) {
    const blobs = await blobsById(parts.catalogue.read, ids)
    const unknown = [...blobs.values()].filter((blob) => missingDigests(blob).length > 0).map(({ id }) => String(id))
    const left = until - performance.now()
    const isAwaited = left > 0 && unknown.length > 0 && (await anyAwaited(parts.catalogue.read, digestsJob, unknown))
    if (!isAwaited || signal.aborted) {
      return files.map((file) => {
        const blob = blobs.get(file.blobId)
        return blob ? { ...file, digests: digestsOf(blob) } : file
      })
    }
    parts.wake(digestsJob)
    await Bun.sleep(Math.min(pause, left))
  }
}

type Outcome = Omit<Attempt, 'state' | 'attempted_at' | 'duration'>

/** Sends a delivery once. What is kept of it has no secret in it, also where the receiver says one back. */
async function attempt(
  { sealer, outgoing, version }: DeliveryParts,
  webhook: WebhookRow,
  delivery: DeliveryRow,
  signal: AbortSignal,
): Promise<Outcome> {
  const origin = new URL(webhook.url).origin
  const nothing = { response_status: null, response_headers: null, response_body: null }
  const secrets = openSecrets(sealer, webhook)
  if (!secrets) {
    const error = 'The secret of this webhook cannot be read: set it again, and the authorization_header too.'
    return { ...nothing, request_origin: origin, request_headers: null, error }
  }
  const body = Buffer.from(delivery.request_body ?? '')
  const headers = headersFor(delivery, body, secrets, version)
  const request = { request_origin: origin, request_headers: JSON.stringify(withoutSecrets(headers)) }
  const masked = (text: string) => storable(withoutAny(text, secrets))
  try {
    const answer = await ask(outgoing, { url: webhook.url, headers, body }, signal)
    return { ...request, ...keptOf(answer, masked), error: failureOf(answer.status) }
  } catch (error) {
    if (!(error instanceof OutgoingError)) throw error
    return { ...request, ...nothing, error: masked(error.message).slice(0, longestError) }
  }
}

const longestError = 1_000

interface Secrets {
  secret: string | undefined
  authorization: string | undefined
}

/** Undefined where they were sealed with another key. */
function openSecrets(sealer: Sealer, { secret, authorization_header, seal_id }: WebhookRow): Secrets | undefined {
  try {
    return {
      secret: secret === null ? undefined : sealer.open(secret, secretContext(seal_id)),
      authorization:
        authorization_header === null ? undefined : sealer.open(authorization_header, headerContext(seal_id)),
    }
  } catch {
    return undefined
  }
}

const event = 'package'

function headersFor(
  { uuid }: DeliveryRow,
  body: Buffer,
  { secret, authorization }: Secrets,
  version: string,
): Record<string, string> {
  const signature = secret === undefined ? undefined : createHmac('sha256', secret).update(body).digest('hex')
  const named = (prefix: string) => ({
    [`${prefix}-Delivery`]: uuid,
    [`${prefix}-Event`]: event,
    [`${prefix}-Event-Type`]: event,
    ...(signature === undefined ? {} : { [`${prefix}-Signature`]: signature }),
  })
  return {
    'Content-Type': 'application/json',
    'User-Agent': `Stowage/${version}`,
    ...named('X-Gitea'),
    ...named('X-Stowage'),
    ...(signature === undefined ? {} : { 'X-Hub-Signature-256': `sha256=${signature}` }),
    ...(authorization === undefined ? {} : { Authorization: authorization }),
  }
}

function withoutSecrets(headers: Record<string, string>): Record<string, string> {
  const isSecret = /^authorization$|signature/i
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, isSecret.test(name) ? '[secret]' : value]),
  )
}

/** Receivers that are made for trying out say back what they got. */
function withoutAny(text: string, { secret, authorization }: Secrets): string {
  const credentials = authorization?.replace(/^\S+\s+/, '')
  return [authorization, credentials, secret]
    .filter((hidden) => hidden !== undefined && hidden.length >= shortestHidden)
    .reduce<string>((shown, hidden) => shown.replaceAll(hidden as string, '[secret]'), text)
}

/** A secret of one letter would leave nothing of any answer. */
const shortestHidden = 4

function keptOf(
  { status, headers, body }: OutgoingAnswer,
  masked: (text: string) => string,
): Pick<Attempt, 'response_status' | 'response_headers' | 'response_body'> {
  return {
    response_status: status,
    response_headers: JSON.stringify(mapValues(headers, masked)),
    response_body: masked(new TextDecoder().decode(body)),
  }
}

function mapValues(headers: Record<string, string>, change: (text: string) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, change(value)]))
}

/** PostgreSQL takes no NUL. */
function storable(text: string): string {
  return text.replaceAll('\0', '\uFFFD')
}

function failureOf(status: number): string | null {
  if (status >= 200 && status < 300) return null
  if (status >= 300 && status < 400) return `It answered ${status}, and redirects are not followed.`
  return `It answered ${status}.`
}

/** How long deliveries are kept, in milliseconds, and how many that are over of each webhook. */
const keptFor = 30 * 24 * 60 * 60_000
const keptOfEach = 10_000
/** Deliveries that one transaction removes. */
const few = 1_000

export const dropOldDeliveries = transaction('drop old deliveries', (tx, args: { before: number }) =>
  deleteOldDeliveries(tx, args.before, few),
)

/** Webhooks that one transaction looks at. */
const fewWebhooks = 50

/** Goes through the webhooks behind an id; answers where to go on, null at the end. */
export const dropSurplusDeliveries = transaction(
  'drop surplus deliveries',
  async (tx, args: { after: number }): Promise<number | null> => {
    const ids = await webhookIdsAfter(tx, args.after, fewWebhooks)
    for (const id of ids) {
      if ((await deleteSurplusDeliveries(tx, id, { keep: keptOfEach, limit: few })) === few) return id - 1
    }
    return ids.length === fewWebhooks ? (ids.at(-1) ?? null) : null
  },
)

/** Removes deliveries that are old, or too many. */
export async function dropDeliveries({ catalogue, now }: RegistryParts, signal: AbortSignal): Promise<void> {
  const before = now() - keptFor
  let removed = few
  while (removed === few && !signal.aborted) removed = await catalogue.transact(dropOldDeliveries, { before })
  let after: number | null = 0
  while (after !== null && !signal.aborted) after = await catalogue.transact(dropSurplusDeliveries, { after })
}
