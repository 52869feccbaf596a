import { eventNames } from '../../http/api/hooks.ts'
import type { WebhookRow } from '../../registry/webhooks.ts'
import { Button, ButtonLink, Checkbox, Confirm, TextField } from '../components/forms.tsx'
import { Alert } from '../components/parts.tsx'
import type { Faults } from '../forms.ts'
import { type Addresses, hostOf, WebhookPage } from './frame.tsx'
import { eventWords } from './words.ts'

export interface WebhookValues {
  url: string
  events: readonly string[]
  isActive: boolean
  dropsSecret: boolean
  dropsHeader: boolean
}

interface FormProps {
  at: Addresses
  /** Undefined: a new one. */
  webhook: WebhookRow | undefined
  values: WebhookValues
  faults: Faults | undefined
}

export function WebhookForm({ at, webhook, values, faults }: FormProps) {
  const wrong = faults?.fields ?? {}
  const title = webhook ? `Change the webhook at ${hostOf(webhook)}` : `New webhook for ${at.of}`
  return (
    <WebhookPage at={at} webhook={webhook} step={webhook ? 'Change' : 'New webhook'} title={title}>
      {faults?.form && <Alert tone="error">{faults.form}</Alert>}
      <form method="post" action={webhook ? at.edit(webhook.id) : at.fresh} class="prose-width">
        <TextField
          name="url"
          type="url"
          label="Address"
          value={values.url}
          error={wrong.url}
          hint="Where the JSON is sent, such as https://ci.example.com/hooks/stowage. Redirects are not followed."
          required
          maxlength={2_000}
          autocomplete="off"
          isMono
        />
        <Events chosen={values.events} error={wrong.events} />
        <TextField
          name="secret"
          type="password"
          label="Secret (optional)"
          error={wrong.secret}
          hint={
            webhook?.secret
              ? 'There is one, which is never shown. Leave this empty to keep it, or type a new one.'
              : 'Signs each body (HMAC-SHA256, X-Stowage-Signature), so that the receiver knows who sent it. Never shown again.'
          }
          maxlength={1_000}
          autocomplete="new-password"
          isMono
        />
        {webhook?.secret && (
          <div class="mb-4 -mt-2">
            <Checkbox name="drop_secret" label="Take the secret away" checked={values.dropsSecret} />
          </div>
        )}
        <TextField
          name="authorization_header"
          type="password"
          label="Authorization header (optional)"
          error={wrong.authorization_header}
          hint={
            webhook?.authorization_header
              ? 'There is one, which is never shown. Leave this empty to keep it, or type a new one.'
              : 'Sent along as it is, for receivers that ask for one: Bearer and a token. Never shown again.'
          }
          maxlength={1_000}
          autocomplete="off"
          isMono
        />
        {webhook?.authorization_header && (
          <div class="mb-4 -mt-2">
            <Checkbox name="drop_header" label="Take the header away" checked={values.dropsHeader} />
          </div>
        )}
        <Checkbox
          name="active"
          label="Active"
          checked={values.isActive}
          hint="Off, it is told nothing of what happens meanwhile."
        />
        <div class="flex flex-wrap gap-3 mt-6">
          <Button look="primary">{webhook ? 'Save the webhook' : 'Make the webhook'}</Button>
          <ButtonLink href={webhook ? at.one(webhook.id) : at.all}>Cancel</ButtonLink>
        </div>
      </form>
    </WebhookPage>
  )
}

function Events({ chosen, error }: { chosen: readonly string[]; error: string | undefined }) {
  return (
    <fieldset class="mb-4" aria-describedby={error ? 'error-events' : undefined}>
      <legend class="font-medium mb-1">Told of</legend>
      {error && (
        <p id="error-events" class="text-error text-sm mb-1">
          {error}
        </p>
      )}
      {eventNames.map((name) => (
        <Checkbox
          name="events"
          value={name}
          label={eventWords[name].label}
          hint={eventWords[name].hint}
          checked={chosen.includes(name)}
        />
      ))}
    </fieldset>
  )
}

export function DeleteWebhook(props: {
  at: Addresses
  webhook: WebhookRow
  /** Undefined: more than anybody counts. */
  deliveries: string
  faults: Faults | undefined
}) {
  const { at, webhook, deliveries, faults } = props
  const host = hostOf(webhook)
  return (
    <WebhookPage at={at} webhook={webhook} step="Delete" title="Delete a webhook">
      {faults?.form && <Alert tone="error">{faults.form}</Alert>}
      <Confirm
        action={at.remove(webhook.id)}
        name={host}
        button="Delete the webhook"
        error={faults?.fields.confirm}
        back={at.one(webhook.id)}
      >
        <p class="breaks">
          <code class="breaks">{webhook.url}</code> is told nothing more, and {deliveries} in its log are deleted with
          it. What waits to be sent is not sent. This cannot be undone.
        </p>
      </Confirm>
    </WebhookPage>
  )
}
