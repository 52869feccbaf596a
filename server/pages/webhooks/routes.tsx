import { type Context, Hono } from 'hono'
import type { Child } from 'hono/jsx'
import { z } from 'zod'
import { grantToShow, ownerAt } from '../../access/grant.ts'
import { organisationGrant } from '../../access/organisations.ts'
import type { Verb } from '../../access/rules.ts'
import { organisationWebhooks, ownWebhooks, siteWebhooks, type WebhookGrant } from '../../access/webhook-grant.ts'
import { pageOf } from '../../http/api/answers.ts'
import { eventNames, webhookHeader, webhookSecret, webhookUrl } from '../../http/api/hooks.ts'
import type { HttpParts } from '../../http/parts.ts'
import { Problem } from '../../problems.ts'
import { showOwner } from '../../registry/lists.ts'
import { deliveryStates, type WebhookRow } from '../../registry/webhooks.ts'
import { AdminPlaces, OwnerHead, ownerStanding } from '../components/places.tsx'
import { attempt, checked, type Faults, Form, sentence } from '../forms.ts'
import { goTo, linksOf, type Render } from '../page.tsx'
import { type PageEnv, visitOf } from '../visit.ts'
import { counted } from '../words.ts'
import { DeleteWebhook, WebhookForm, type WebhookValues } from './form.tsx'
import { type Addresses, hostOf } from './frame.tsx'
import { WebhookList } from './list.tsx'
import { Delivery, WebhookLog } from './log.tsx'

/** Leave to see, or change, the webhooks of a place, where their pages are, and what the list of them stands in. */
interface Place<V extends Verb = Verb> {
  grant: WebhookGrant<V>
  at: Addresses
  frame: (list: Child) => Promise<Child>
}

type PlaceAt = <V extends Verb>(c: Context<PageEnv>, verb: V) => Promise<Place<V>>

/** Who is told of what happens to packages, and what they were told: of an owner, and of the site. */
export function webhookPages(parts: HttpParts, render: Render): Hono<PageEnv> {
  const app = new Hono<PageEnv>()
  const links = linksOf(parts)

  const site: PlaceAt = async (c, verb) => ({
    grant: siteWebhooks(visitOf(c).administers(verb), verb),
    at: addressesBelow((...more) => links().to('-', 'admin', 'webhooks', ...more), {
      whose: { text: 'Site', href: links().to('-', 'admin') },
      of: 'any package of this site',
    }),
    frame: async (list) => (
      <>
        <h1 class="mb-3">Site</h1>
        <AdminPlaces here="webhooks" />
        {list}
      </>
    ),
  })

  const owner: PlaceAt = async (c, verb) => {
    const visit = visitOf(c)
    const resolved = await visit.resolve({ owner: c.req.param('owner') ?? '', package: '', version: '', file: '' })
    const found = ownerAt(resolved)
    const grant = ownersGrant(resolved.caller, found, verb)
    const name = grant.owner?.name ?? ''
    return {
      grant,
      at: addressesBelow((...more) => links().owner(name, 'webhooks', ...more), {
        whose: { text: name, href: links().owner(name) },
        of: `packages of ${name}`,
      }),
      frame: async (list) =>
        found && (
          <>
            <OwnerHead
              owner={await showOwner(parts.registry, found)}
              {...ownerStanding(grant.caller, found)}
              here="webhooks"
            />
            {list}
          </>
        ),
    }
  }

  addWebhooks(app, parts, render, '/-/admin/webhooks', site)
  addWebhooks(app, parts, render, '/:owner/-/webhooks', owner)
  return app
}

/** A user's are his alone; an organisation's are its owners'. */
function ownersGrant<V extends Verb>(
  caller: Parameters<typeof ownWebhooks>[0],
  owner: ReturnType<typeof ownerAt>,
  verb: V,
): WebhookGrant<V> {
  if (owner?.kind !== 'user') return organisationWebhooks(organisationGrant('owner', verb, caller, owner), verb)
  if (caller.kind !== 'user' || caller.account.id === owner.id) return ownWebhooks(caller, verb)
  grantToShow(caller, owner)
  throw new Problem('forbidden', `The webhooks of ${owner.name} are for ${owner.name} alone.`)
}

function addressesBelow(below: (...more: string[]) => string, words: Pick<Addresses, 'whose' | 'of'>): Addresses {
  return {
    all: below(),
    fresh: below('new'),
    one: (id) => below(String(id)),
    edit: (id) => below(String(id), 'edit'),
    remove: (id) => below(String(id), 'delete'),
    delivery: (id, delivery) => below(String(id), 'deliveries', String(delivery)),
    replay: (id, delivery) => below(String(id), 'deliveries', String(delivery), 'replay'),
    ...words,
  }
}

const typed = z.object({
  url: webhookUrl,
  secret: webhookSecret,
  authorization_header: webhookHeader,
  events: z.array(z.enum(eventNames)).min(1, 'choose at least one'),
})

const fresh: WebhookValues = { url: '', events: ['package'], isActive: true, dropsSecret: false, dropsHeader: false }

function addWebhooks(app: Hono<PageEnv>, parts: HttpParts, render: Render, base: string, placeAt: PlaceAt): void {
  const log = ({ caller, owner }: WebhookGrant, id: number, what: string) =>
    parts.log.info(
      { 'webhook.id': id, 'user.name': caller.account.name },
      `${what} webhook ${id}${owner ? ` of ${owner.name}` : ''}`,
    )
  const one = async <V extends Verb>(c: Context<PageEnv>, verb: V) => {
    const place = await placeAt(c, verb)
    return { ...place, webhook: await parts.webhooks.show(place.grant, c.req.param('id') ?? '') }
  }
  const showForm = (c: Context<PageEnv>, at: Addresses, webhook: WebhookRow | undefined, typed: Typed) => {
    const title = webhook ? `Change the webhook at ${hostOf(webhook)}` : 'New webhook'
    return render(
      c,
      { title, status: typed.faults?.status ?? 200 },
      <WebhookForm at={at} webhook={webhook} values={typed.values} faults={typed.faults} />,
    )
  }
  const askToDelete = async (
    c: Context<PageEnv>,
    { grant, at, webhook }: Place & { webhook: WebhookRow },
    faults?: Faults,
  ) => {
    const { total } = await parts.webhooks.deliveries(grant, String(webhook.id), undefined, { offset: 0, limit: 1 })
    const deliveries = total === undefined ? 'more than 1,000 deliveries' : counted(total, 'delivery', 'deliveries')
    return render(
      c,
      { title: `Delete the webhook at ${hostOf(webhook)}`, status: faults?.status ?? 200 },
      <DeleteWebhook at={at} webhook={webhook} deliveries={deliveries} faults={faults} />,
    )
  }

  app
    .get(base, async (c) => {
      const { grant, at, frame } = await placeAt(c, 'read')
      const page = pageOf(new URL(c.req.url))
      const { webhooks, total } = await parts.webhooks.listWithLast(grant, page)
      const list = <WebhookList at={at} webhooks={webhooks} total={total} page={page} />
      return render(c, { title: grant.owner ? `Webhooks of ${grant.owner.name}` : 'Webhooks' }, await frame(list))
    })
    .get(`${base}/new`, async (c) => showForm(c, (await placeAt(c, 'write')).at, undefined, { values: fresh }))
    .post(`${base}/new`, async (c) => {
      const { grant, at } = await placeAt(c, 'write')
      const { values, data, faults } = read(await Form.of(c.req.raw))
      if (faults) return showForm(c, at, undefined, { values, faults })
      const tried = await attempt(() =>
        parts.webhooks.create(grant, {
          type: 'stowage',
          url: data.url,
          events: data.events,
          isActive: values.isActive,
          secret: data.secret,
          authorizationHeader: data.authorization_header,
        }),
      )
      if (tried.faults) return showForm(c, at, undefined, { values, faults: atField(tried.faults) })
      log(grant, tried.done.id, 'Made')
      return goTo(at.one(tried.done.id), 'webhook-made')
    })
    .get(`${base}/:id`, async (c) => {
      const { grant, at, webhook } = await one(c, 'read')
      const page = pageOf(new URL(c.req.url))
      const state = deliveryStates.find((known) => known === c.req.query('state'))
      const { deliveries, total } = await parts.webhooks.deliveries(grant, String(webhook.id), state, page)
      return render(
        c,
        { title: `Webhook at ${hostOf(webhook)}` },
        <WebhookLog at={at} webhook={webhook} deliveries={deliveries} total={total} page={page} state={state} />,
      )
    })
    .get(`${base}/:id/edit`, async (c) => {
      const { at, webhook } = await one(c, 'write')
      const values = {
        ...fresh,
        url: webhook.url,
        events: webhook.events.split(','),
        isActive: webhook.is_active === 1,
      }
      return showForm(c, at, webhook, { values })
    })
    .post(`${base}/:id/edit`, async (c) => {
      const { grant, at, webhook } = await one(c, 'write')
      const { values, data, faults } = read(await Form.of(c.req.raw))
      if (faults) return showForm(c, at, webhook, { values, faults })
      const tried = await attempt(() =>
        parts.webhooks.change(grant, String(webhook.id), {
          url: data.url,
          events: data.events,
          isActive: values.isActive,
          secret: values.dropsSecret ? '' : data.secret || undefined,
          authorizationHeader: values.dropsHeader ? '' : data.authorization_header || undefined,
        }),
      )
      if (tried.faults) return showForm(c, at, webhook, { values, faults: atField(tried.faults) })
      log(grant, webhook.id, 'Changed')
      return goTo(at.one(webhook.id), 'webhook-changed')
    })
    .get(`${base}/:id/delete`, async (c) => askToDelete(c, await one(c, 'write')))
    .post(`${base}/:id/delete`, async (c) => {
      const place = await one(c, 'write')
      const { grant, at, webhook } = place
      if ((await Form.of(c.req.raw)).text('confirm').trim() !== hostOf(webhook)) {
        const fields = { confirm: `Type ${hostOf(webhook)} to delete this webhook.` }
        return askToDelete(c, place, { status: 422, fields })
      }
      await parts.webhooks.remove(grant, String(webhook.id))
      log(grant, webhook.id, 'Deleted')
      return goTo(at.all, 'webhook-deleted')
    })
    .get(`${base}/:id/deliveries/:delivery`, async (c) => {
      const { grant, at, webhook } = await one(c, 'read')
      const shown = await parts.webhooks.delivery(grant, String(webhook.id), c.req.param('delivery') ?? '')
      return render(
        c,
        { title: `Delivery to ${hostOf(webhook)}` },
        <Delivery at={at} webhook={webhook} shown={shown} />,
      )
    })
    .post(`${base}/:id/deliveries/:delivery/replay`, async (c) => {
      const { grant, at, webhook } = await one(c, 'write')
      const { delivery } = await parts.webhooks.replay(grant, String(webhook.id), c.req.param('delivery') ?? '')
      parts.log.info(
        { 'webhook.id': webhook.id, 'delivery.uuid': delivery.uuid, 'user.name': grant.caller.account.name },
        `Sends a delivery of webhook ${webhook.id} once more`,
      )
      return goTo(at.delivery(webhook.id, delivery.id), 'delivery-replayed')
    })
}

interface Typed {
  values: WebhookValues
  faults?: Faults | undefined
}

/** What was typed, without the secrets, and what it says. */
function read(form: Form) {
  const values: WebhookValues = {
    url: form.text('url').trim(),
    events: form.all('events'),
    isActive: form.has('active'),
    dropsSecret: form.has('drop_secret'),
    dropsHeader: form.has('drop_header'),
  }
  const secrets = { secret: form.text('secret'), authorization_header: form.text('authorization_header') }
  return { values, ...checked(typed, { ...values, ...secrets }) }
}

/** A refusal that names the field of the JSON API stands at the field of the form. */
function atField(faults: Faults): Faults {
  const [, name = '', text = ''] = faults.form?.match(/^(config\.url|authorization_header): (.*)$/is) ?? []
  if (name === '') return faults
  const isUrl = name.toLowerCase() === 'config.url'
  const fields: Record<string, string> = isUrl
    ? { url: sentence(text) }
    : { authorization_header: 'It was meant for the host before. Type it again for this one, or take it away.' }
  return { status: faults.status, fields }
}
