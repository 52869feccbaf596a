import { type Context, Hono } from 'hono'
import { z } from 'zod'
import { administer } from '../../access/grant.ts'
import type { Verb } from '../../access/rules.ts'
import { organisationWebhooks, ownWebhooks, siteWebhooks, type WebhookGrant } from '../../access/webhook-grant.ts'
import { Problem } from '../../problems.ts'
import type { WebhookEvent } from '../../registry/changes.ts'
import { webhookEvents } from '../../registry/changes.ts'
import { type DeliveryState, deliveryStates, mostWebhooks, type WebhookChange } from '../../registry/webhooks.ts'
import type { HttpParts } from '../parts.ts'
import { bodyOf, json, jsonBody, jsonPage, pageOf, publicAddress, text } from './answers.ts'
import type { ApiEnv } from './app.ts'
import { documented, type RouteText } from './documented.ts'
import { organisationAt } from './organisations.ts'
import { yesOrNo } from './profile-fields.ts'
import { delivery, hook, wholeDelivery } from './schemas.ts'
import { deliveryShape, hookShape, wholeDeliveryShape } from './shapes.ts'

const longestUrl = 2_000
const longestSecret = 1_000

/** Nobody looks at the address of a webhook twice, so what it says must be plain. */
function isWebAddress(address: string): boolean {
  const url = /^https?:\/\/[^\s\p{C}\\]+$/iu.test(address) ? URL.parse(address) : null
  return url !== null && url.hostname !== '' && url.username === '' && url.password === ''
}

export const webhookUrl = text('must be text')
  .max(longestUrl, `may have ${longestUrl} characters at most`)
  .refine(isWebAddress, 'must be an http or https address without user name and password')
export const webhookSecret = text('must be text').max(longestSecret, `may have ${longestSecret} characters at most`)
/** What is sent as `Authorization`; '' for none. */
export const webhookHeader = webhookSecret.regex(
  /^([\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?)?$/,
  'must be printable ASCII, without spaces at its ends',
)
const config = {
  content_type: z.literal('json', 'must be json').nullish(),
  secret: webhookSecret.nullish(),
  http_method: z
    .string('must be POST')
    .regex(/^post$/i, 'must be POST')
    .nullish(),
}
export const eventNames = Object.keys(webhookEvents) as [WebhookEvent, ...WebhookEvent[]]
const fields = {
  events: z
    .array(z.enum(eventNames, `must be of ${eventNames.join(', ')}`), 'must be a list')
    .min(1, 'must have an entry, or not be there')
    .max(100, 'may have 100 entries at most')
    .nullish(),
  active: yesOrNo,
  branch_filter: z.enum(['', '*'], 'must be empty: there are no branches').nullish(),
  authorization_header: webhookHeader.nullish(),
}

const newHook = bodyOf({
  type: z.enum(['gitea', 'stowage'], 'must be gitea or stowage'),
  config: bodyOf({ url: webhookUrl, ...config }),
  ...fields,
})
const changedConfig = bodyOf({ url: webhookUrl.nullish(), ...config }).refine(
  (changes) => Object.keys(changes).length > 0,
  'must have a field, or not be there',
)
const changedHook = bodyOf({ config: changedConfig.nullish(), ...fields })

type Answers = RouteText['answers']

interface Place {
  /** What comes before `/hooks`. */
  path: '/user' | '/orgs/:org' | '/admin'
  /** For the names of the routes. */
  whose: 'Own' | 'Organization' | 'Site'
  /** The same in the summaries, so that no two routes have the same one. */
  of: string
  description: string
  grant: <V extends Verb>(c: Context<ApiEnv>, verb: V) => Promise<WebhookGrant<V>>
}

const places: readonly Place[] = [
  {
    path: '/user',
    whose: 'Own',
    of: 'of your own',
    description: 'Told of your own packages. Scope `user`.',
    grant: async (c, verb) => ownWebhooks(await c.env.askCaller(), verb),
  },
  {
    path: '/orgs/:org',
    whose: 'Organization',
    of: 'of an organisation',
    description: "Told of the organisation's packages. For its owners; scope `organization`.",
    grant: async (c, verb) => organisationWebhooks(await organisationAt(c, 'owner', verb), verb),
  },
  {
    path: '/admin',
    whose: 'Site',
    of: 'of the site',
    description: 'Told of all packages of the site. For administrators; scope `admin`.',
    grant: async (c, verb) => siteWebhooks(administer(await c.env.askCaller(), verb), verb),
  },
]

/** `…/hooks`: who is told of what happens to packages; the same below users, organisations and the site. */
export function hooks(parts: HttpParts): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>()
  for (const place of places) {
    addHooks(app, parts, place)
    addDeliveries(app, parts, place)
  }
  return app
}

function addHooks(app: Hono<ApiEnv>, parts: HttpParts, { path, whose, of, description, grant }: Place): void {
  const described = (id: string, summary: string, more: Pick<RouteText, 'body' | 'page' | 'answers'>) =>
    documented({ tag: 'webhooks', id: id.replace('%', whose), summary, description, ...more })
  const one: Answers = { 200: { description: 'The webhook.', schema: hook } }
  const log = (grant: WebhookGrant, id: number | string, what: string) =>
    parts.log.info(
      { 'webhook.id': Number(id), 'user.name': grant.caller.account.name },
      `${what} webhook ${id}${grant.owner ? ` of ${grant.owner.name}` : ''}`,
    )
  const all = `${path}/hooks`
  const its = `${path}/hooks/:id`

  app
    .get(all, described('list%Hooks', `Webhooks ${of}`, { page: hook }), async (c) => {
      const page = pageOf(new URL(c.req.url))
      const { webhooks, total } = await parts.webhooks.list(await grant(c, 'read'), page)
      return jsonPage(webhooks.map(hookShape), total, page, publicAddress(parts.publicUrl(), c.req.raw))
    })
    .post(
      all,
      documented({
        tag: 'webhooks',
        id: `create${whose}Hook`,
        summary: `Make a webhook ${of}`,
        description: `${description} ${mostWebhooks} at most.`,
        body: newHook,
        answers: { 201: { description: 'The webhook.', schema: hook } },
      }),
      async (c) => {
        const leave = await grant(c, 'write')
        const { type, config, events, active, authorization_header } = await jsonBody(c.req.raw, newHook)
        const made = await parts.webhooks.create(leave, {
          type,
          url: config.url,
          events: eventsFrom(events),
          isActive: active ?? false,
          secret: config.secret ?? '',
          authorizationHeader: authorization_header ?? '',
        })
        log(leave, made.id, 'Made')
        return json(hookShape(made), 201)
      },
    )
    .get(its, described('get%Hook', `A webhook ${of}`, { answers: one }), async (c) =>
      json(hookShape(await parts.webhooks.show(await grant(c, 'read'), c.req.param('id') ?? ''))),
    )
    .patch(its, described('edit%Hook', `Change a webhook ${of}`, { body: changedHook, answers: one }), async (c) => {
      const leave = await grant(c, 'write')
      const change = changeFrom(await jsonBody(c.req.raw, changedHook))
      const changed = await parts.webhooks.change(leave, c.req.param('id') ?? '', change)
      log(leave, changed.id, 'Changed')
      return json(hookShape(changed))
    })
    .delete(
      its,
      described('delete%Hook', `Delete a webhook ${of}`, {
        answers: { 204: { description: 'It is gone, and what it was told with it.' } },
      }),
      async (c) => {
        const leave = await grant(c, 'write')
        const id = c.req.param('id') ?? ''
        await parts.webhooks.remove(leave, id)
        log(leave, id, 'Deleted')
        return new Response(null, { status: 204 })
      },
    )
}

function addDeliveries(app: Hono<ApiEnv>, parts: HttpParts, { path, whose, of, description, grant }: Place): void {
  const all = `${path}/hooks/:id/deliveries`
  app
    .get(
      all,
      documented({
        tag: 'webhooks',
        id: `list${whose}HookDeliveries`,
        summary: `What a webhook ${of} was told, newest first`,
        description: `${description} Kept for 30 days, and 10,000 of each webhook.`,
        query: { state: { description: 'Only those in this state.', schema: z.enum(deliveryStates) } },
        page: delivery,
      }),
      async (c) => {
        const leave = await grant(c, 'read')
        const page = pageOf(new URL(c.req.url))
        const state = stateFrom(c.req.query('state'))
        const { deliveries, total } = await parts.webhooks.deliveries(leave, c.req.param('id') ?? '', state, page)
        return jsonPage(deliveries.map(deliveryShape), total, page, publicAddress(parts.publicUrl(), c.req.raw))
      },
    )
    .get(
      `${all}/:delivery`,
      documented({
        tag: 'webhooks',
        id: `get${whose}HookDelivery`,
        summary: `What was sent to a webhook ${of}, and answered`,
        description,
        answers: { 200: { description: 'The delivery.', schema: wholeDelivery } },
      }),
      async (c) => {
        const leave = await grant(c, 'read')
        const { id = '', delivery = '' } = c.req.param() as Record<string, string>
        return json(wholeDeliveryShape(await parts.webhooks.delivery(leave, id, delivery)))
      },
    )
    .post(
      `${all}/:delivery/replay`,
      documented({
        tag: 'webhooks',
        id: `replay${whose}HookDelivery`,
        summary: `Send the same to a webhook ${of} once more`,
        description: `${description} A new delivery with the same body, behind those that wait.`,
        answers: { 202: { description: 'The new delivery.', schema: wholeDelivery } },
      }),
      async (c) => {
        const leave = await grant(c, 'write')
        const { id = '', delivery = '' } = c.req.param() as Record<string, string>
        const replayed = await parts.webhooks.replay(leave, id, delivery)
        const fields = { 'webhook.id': Number(id), 'delivery.uuid': replayed.delivery.uuid }
        parts.log.info(
          { ...fields, 'user.name': leave.caller.account.name },
          `Sends a delivery of webhook ${id} once more`,
        )
        return json(wholeDeliveryShape(replayed), 202)
      },
    )
}

function eventsFrom(events: readonly WebhookEvent[] | null | undefined): WebhookEvent[] {
  return events ? [...new Set(events)] : ['package']
}

function changeFrom({ config, events, active, authorization_header }: z.output<typeof changedHook>): WebhookChange {
  return {
    url: config?.url ?? undefined,
    secret: config?.secret ?? undefined,
    events: events ? eventsFrom(events) : undefined,
    isActive: active ?? undefined,
    authorizationHeader: authorization_header ?? undefined,
  }
}

function stateFrom(text: string | undefined): DeliveryState | undefined {
  if (!text) return undefined
  const state = deliveryStates.find((known) => known === text)
  if (!state) throw new Problem('unprocessable', `state: must be ${deliveryStates.join(', ')}, or not be there`)
  return state
}
