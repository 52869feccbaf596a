import type { PropsWithChildren } from 'hono/jsx'
import type { WebhookRow } from '../../registry/webhooks.ts'
import { Trail } from '../components/parts.tsx'

/** Whose webhooks: where their pages are, and what they say of it. */
export interface Addresses {
  /** The list. */
  all: string
  fresh: string
  one: (id: number) => string
  edit: (id: number) => string
  remove: (id: number) => string
  delivery: (id: number, delivery: number) => string
  replay: (id: number, delivery: number) => string
  /** What the trail begins with. */
  whose: { text: string; href: string }
  /** Of what they are told: `the packages of acme`. */
  of: string
}

/** What a webhook is called: the host, since the rest of its address may be secret and long. */
export function hostOf({ url }: Pick<WebhookRow, 'url'>): string {
  return new URL(url).host
}

/** A page below the list of webhooks. */
export function WebhookPage(
  props: PropsWithChildren<{
    at: Addresses
    /** Undefined: a new one. */
    webhook?: WebhookRow | undefined
    /** The page's own step; none: the webhook's page. */
    step?: string
    title: string
  }>,
) {
  const { at, webhook, step, title, children } = props
  const own = webhook && { text: hostOf(webhook), ...(step ? { href: at.one(webhook.id) } : {}) }
  return (
    <>
      <Trail
        steps={[at.whose, { text: 'Webhooks', href: at.all }, ...(own ? [own] : []), ...(step ? [{ text: step }] : [])]}
      />
      <h1 class="mb-5">{title}</h1>
      {children}
    </>
  )
}
