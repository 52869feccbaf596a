import type { ListedDelivery, WebhookRow } from '../../registry/webhooks.ts'
import { ButtonLink } from '../components/forms.tsx'
import { Empty, Pager, State } from '../components/parts.tsx'
import { TableHead } from '../components/table-head.tsx'
import { Ago } from '../components/values.tsx'
import { counted } from '../words.ts'
import type { Addresses } from './frame.tsx'
import { eventsInWords, stateOf } from './words.ts'

interface ListProps {
  at: Addresses
  webhooks: readonly { webhook: WebhookRow; last: ListedDelivery | undefined }[]
  total: number
  page: { page: number; limit: number }
}

export function WebhookList({ at, webhooks, total, page }: ListProps) {
  const isEmpty = total === 0
  return (
    <>
      <div class="flex flex-wrap items-start justify-between gap-x-6 gap-y-3 mb-4">
        <div class="min-w-0">
          <h2>{isEmpty ? 'Webhooks' : counted(total, 'webhook')}</h2>
          <p class="quiet prose-width">Each sends a POST with JSON to its address when something happens to {at.of}.</p>
        </div>
        {!isEmpty && (
          <ButtonLink href={at.fresh} look="primary" icon="add">
            New webhook
          </ButtonLink>
        )}
      </div>
      {isEmpty ? (
        <Empty title="Nobody is told yet">
          <p class="prose-width">
            A webhook tells a chat, a build or a mirror of each new version, without anybody asking again and again.
          </p>
          <p>
            <ButtonLink href={at.fresh} look="primary" icon="add">
              New webhook
            </ButtonLink>
          </p>
        </Empty>
      ) : (
        <table class="list-table">
          <TableHead columns={['Address', 'Told of', 'State', 'Last delivery']} />
          <tbody>
            {webhooks.map(({ webhook, last }) => (
              <tr>
                <td class="breaks max-w-md">
                  <a href={at.one(webhook.id)} class="line breaks font-mono text-[0.9em]">
                    {webhook.url}
                  </a>
                </td>
                <td data-label="Told of">{eventsInWords(webhook)}</td>
                <td data-label="State">
                  <Activity isActive={webhook.is_active === 1} />
                </td>
                <td data-label="Last delivery">
                  {last ? <Outcome delivery={last} /> : <span class="quiet">None yet</span>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <Pager paging={{ ...page, total, shown: webhooks.length }} path={at.all} />
    </>
  )
}

export function Activity({ isActive }: { isActive: boolean }) {
  return isActive ? <State tone="success">Active</State> : <State tone="none">Off</State>
}

/** What a delivery came to, and when. */
function Outcome({ delivery }: { delivery: ListedDelivery }) {
  const { tone, text } = stateOf(delivery)
  return (
    <span class="inline-flex flex-wrap gap-x-2">
      <State tone={tone}>{text}</State>
      <span class="quiet">
        <Ago at={delivery.attempted_at ?? delivery.created_at} />
      </span>
    </span>
  )
}
