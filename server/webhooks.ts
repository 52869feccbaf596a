import { deliveriesJob } from './catalogue/webhooks.ts'
import type { Replacements } from './compose.ts'
import type { Settings } from './config.ts'
import { webhookBody } from './http/api/webhook-body.ts'
import type { JobKind } from './jobs/runner.ts'
import type { SecretKey } from './lib/sealed.ts'
import { dropDeliveries, findDeliveries, oldDeliveriesJob, sendDeliveries } from './registry/deliveries.ts'
import type { RegistryParts } from './registry/parts.ts'
import { Webhooks } from './registry/webhooks.ts'

/** What a delivery may take: time for all of it, bytes of the answer's body and of its head. */
const limits = { time: 10_000, body: 1024 * 1024, head: 16 * 1024 }

/** Webhooks that are sent something at the same time: more than one owner may have, so that his slow ones hold up nobody else's. */
const atOnce = 64

export interface WebhooksParts {
  registry: RegistryParts
  settings: Settings
  secrets: SecretKey
  publicUrl: () => string
  version: string
  outgoing: Replacements['outgoing']
}

/** Everything that tells others of what happens here. */
export function composeWebhooks({ registry, settings, secrets, publicUrl, version, outgoing }: WebhooksParts) {
  const { catalogue, now, wake } = registry
  const sealer = secrets.sealer('webhook')
  const allowed = settings.webhookAllowedHosts
  const sending = {
    registry,
    sealer,
    outgoing: { allowed, ...outgoing, limits: { ...limits, ...outgoing?.limits } },
    bodyOf: (told: Parameters<typeof webhookBody>[0]) => webhookBody(told, publicUrl()),
    version,
  }
  const jobs: JobKind[] = [
    // What was not taken for a day is given up by itself, one after the other.
    {
      kind: deliveriesJob,
      atOnce,
      attempts: Infinity,
      find: () => findDeliveries(sending),
      run: (job, signal) => sendDeliveries(sending, job, signal),
    },
    { kind: oldDeliveriesJob, every: 60 * 60_000, run: (_, signal) => dropDeliveries(registry, signal) },
  ]
  return { webhooks: new Webhooks({ catalogue, sealer, allowed, now, wake }), jobs }
}
