import type { DeliveryState, ListedDelivery, ShownDelivery, WebhookRow } from '../../registry/webhooks.ts'
import { Button, ButtonLink } from '../components/forms.tsx'
import { Alert, Columns, Empty, Pager, State } from '../components/parts.tsx'
import { TableHead } from '../components/table-head.tsx'
import { Ago } from '../components/values.tsx'
import { withQuery } from '../links.ts'
import { useSite } from '../site.ts'
import { number } from '../words.ts'
import { type Addresses, hostOf, WebhookPage } from './frame.tsx'
import { Activity } from './list.tsx'
import { actionInWords, duration, eventsInWords, headerLines, readable, stateOf } from './words.ts'

interface LogProps {
  at: Addresses
  webhook: WebhookRow
  deliveries: readonly ShownDelivery<ListedDelivery>[]
  total: number | undefined
  page: { page: number; limit: number }
  state: DeliveryState | undefined
}

/** A webhook: what it is, and what it was told. */
export function WebhookLog({ at, webhook, deliveries, total, page, state }: LogProps) {
  return (
    <WebhookPage at={at} webhook={webhook} title={hostOf(webhook)}>
      <Columns aside={<Facts at={at} webhook={webhook} />}>
        <div class="flex flex-wrap items-baseline justify-between gap-x-6 gap-y-2 mb-3">
          <h2>Deliveries</h2>
          <StateFilter at={at} webhook={webhook} state={state} />
        </div>
        {deliveries.length === 0 ? (
          <Empty title={state ? 'None of these' : 'Nothing was sent yet'}>
            <p class="prose-width">
              {state
                ? 'No delivery is in this state at the moment.'
                : 'Publish something, and what was sent and answered stands here, for 30 days.'}
            </p>
          </Empty>
        ) : (
          <table class="list-table">
            <TableHead
              columns={[
                'What happened',
                'Came to',
                'When',
                { text: 'Attempts', isNumber: true },
                { text: 'Took', isNumber: true },
              ]}
            />
            <tbody>
              {deliveries.map((shown) => (
                <LogRow at={at} webhook={webhook} shown={shown} />
              ))}
            </tbody>
          </table>
        )}
        <Pager paging={{ ...page, total, shown: deliveries.length }} path={at.one(webhook.id)} query={{ state }} />
      </Columns>
    </WebhookPage>
  )
}

const filters: readonly { state: DeliveryState | undefined; text: string }[] = [
  { state: undefined, text: 'All' },
  { state: 'waiting', text: 'Waiting' },
  { state: 'delivered', text: 'Delivered' },
  { state: 'given-up', text: 'Given up' },
]

function StateFilter({ at, webhook, state }: Pick<LogProps, 'at' | 'webhook' | 'state'>) {
  return (
    <nav aria-label="Which deliveries" class="where-am-i">
      <ul class="flex flex-wrap gap-x-4 text-sm">
        {filters.map((filter) => (
          <li>
            <a
              href={withQuery(at.one(webhook.id), { state: filter.state })}
              aria-current={filter.state === state ? 'page' : undefined}
              class={`inline-block py-1 border-b-2 ${filter.state === state ? 'border-accent' : 'border-transparent quiet hover:text-base-content'}`}
            >
              {filter.text}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  )
}

function LogRow({ at, webhook, shown }: { at: Addresses; webhook: WebhookRow; shown: LogProps['deliveries'][number] }) {
  const { delivery, nextAttemptAt } = shown
  const { tone, text } = stateOf(delivery)
  return (
    <tr>
      <td>
        <a href={at.delivery(webhook.id, delivery.id)} class="font-medium line">
          {actionInWords(delivery.action)}
        </a>
      </td>
      <td data-label="Came to">
        <State tone={tone}>
          {text}
          {delivery.response_status !== null && <span class="tabular"> ({delivery.response_status})</span>}
        </State>
        {nextAttemptAt !== undefined && (
          <span class="block quiet text-sm">
            next <Next at={nextAttemptAt} />
          </span>
        )}
      </td>
      <td data-label="When">
        <Ago at={delivery.created_at} />
      </td>
      <td data-label="Attempts" class="number">
        {number(delivery.attempts)}
      </td>
      <td data-label="Took" class="number">
        {delivery.duration === null ? '' : duration(delivery.duration)}
      </td>
    </tr>
  )
}

/** When it is tried again; where that was to be already, somebody is about to. */
function Next({ at }: { at: number }) {
  const { now } = useSite()
  return at <= now ? 'in a moment' : <Ago at={at} />
}

function Facts({ at, webhook }: { at: Addresses; webhook: WebhookRow }) {
  return (
    <section aria-labelledby="facts" class="grid gap-4">
      <h2 id="facts">This webhook</h2>
      <dl class="facts">
        <dt>Address</dt>
        <dd>
          <code>{webhook.url}</code>
        </dd>
        <dt>State</dt>
        <dd>
          <Activity isActive={webhook.is_active === 1} />
        </dd>
        <dt>Told of</dt>
        <dd>{eventsInWords(webhook)}</dd>
        <dt>Secret</dt>
        <dd>{webhook.secret === null ? 'None: bodies are not signed' : 'Set'}</dd>
        {webhook.authorization_header !== null && (
          <>
            <dt>Header</dt>
            <dd>Set</dd>
          </>
        )}
        <dt>Made</dt>
        <dd>
          <Ago at={webhook.created_at} />
        </dd>
      </dl>
      <div class="flex flex-wrap gap-3">
        <ButtonLink href={at.edit(webhook.id)} icon="edit" size="sm">
          Change
        </ButtonLink>
        <ButtonLink href={at.remove(webhook.id)} look="danger" icon="trash" size="sm">
          Delete…
        </ButtonLink>
      </div>
    </section>
  )
}

/** What was sent, and what was answered. */
export function Delivery({ at, webhook, shown }: { at: Addresses; webhook: WebhookRow; shown: ShownDelivery }) {
  const { delivery, nextAttemptAt } = shown
  const { tone, text } = stateOf(delivery)
  const isOff = delivery.state === 'waiting' && webhook.is_active === 0
  return (
    <WebhookPage
      at={at}
      webhook={webhook}
      step="Delivery"
      title={`${actionInWords(delivery.action)}: ${subjectOf(delivery)}`}
    >
      {delivery.error !== null && (
        <Alert tone={delivery.state === 'given-up' ? 'error' : 'warning'}>{delivery.error}</Alert>
      )}
      {isOff && <Alert tone="info">This webhook is off: what waits is sent when it is active again.</Alert>}
      <dl class="facts mb-5">
        <dt>Came to</dt>
        <dd>
          <State tone={tone}>{text}</State>
        </dd>
        <dt>Happened</dt>
        <dd>
          <Ago at={delivery.created_at} />
        </dd>
        <dt>Attempts</dt>
        <dd class="tabular">{number(delivery.attempts)}</dd>
        {delivery.attempted_at !== null && (
          <>
            <dt>Last attempt</dt>
            <dd>
              <Ago at={delivery.attempted_at} />
              {delivery.duration !== null && `, took ${duration(delivery.duration)}`}
            </dd>
          </>
        )}
        {nextAttemptAt !== undefined && (
          <>
            <dt>Next attempt</dt>
            <dd>
              <Next at={nextAttemptAt} />
            </dd>
          </>
        )}
        <dt>Id</dt>
        <dd>
          <code>{delivery.uuid}</code>
        </dd>
      </dl>
      <form method="post" action={at.replay(webhook.id, delivery.id)}>
        <Button look="primary" icon="repeat">
          Send once more
        </Button>
        <p class="quiet text-sm mt-2">The same body under a new id, behind what waits already.</p>
      </form>
      <section class="section">
        <h2 class="mb-3">Request</h2>
        {delivery.request_body === null ? (
          <p class="quiet">Nothing was sent yet.</p>
        ) : (
          <>
            {delivery.request_origin !== null && (
              <p class="mb-3 breaks">
                POST to <code class="breaks">{delivery.request_origin}</code>
              </p>
            )}
            <Text name="Headers of the request" text={headerLines(delivery.request_headers)} />
            <Text name="Body of the request" text={delivery.request_body} />
          </>
        )}
      </section>
      <section class="section">
        <h2 class="mb-3">Answer</h2>
        {delivery.response_status === null ? (
          <p class="quiet">There was none.</p>
        ) : (
          <>
            <p class="mb-3">
              Status <code>{delivery.response_status}</code>
            </p>
            <Text name="Headers of the answer" text={headerLines(delivery.response_headers)} />
            <Text name="Body of the answer" text={delivery.response_body ?? ''} />
          </>
        )}
      </section>
    </WebhookPage>
  )
}

/** Somebody else's text, as text. */
function Text({ name, text: whole }: { name: string; text: string }) {
  const { text, left } = readable(whole)
  return (
    <div class="mb-4">
      <h3 class="mb-1 text-sm font-medium">{name}</h3>
      {text === '' ? (
        <p class="quiet">Empty.</p>
      ) : (
        <pre
          class="panel bg-base-200 p-3 max-h-96 overflow-auto whitespace-pre-wrap breaks text-[0.8125rem] leading-relaxed"
          tabindex={0}
        >
          <code>{text}</code>
        </pre>
      )}
      {left > 0 && <p class="quiet text-sm mt-1">Cut here: {number(left)} more characters.</p>}
    </div>
  )
}

/** What it happened to. */
function subjectOf({ change }: ShownDelivery['delivery']): string {
  const {
    owner,
    package: name,
    version,
  } = JSON.parse(change) as {
    owner: { name: string }
    package: string
    version: { version: string }
  }
  return `${owner.name}/${name} ${version.version}`
}
