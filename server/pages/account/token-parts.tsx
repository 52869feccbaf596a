import { Select, TextField } from '../components/forms.tsx'
import { State } from '../components/parts.tsx'
import { Ago } from '../components/values.tsx'
import { useSite } from '../site.ts'
import { counted, exactly } from '../words.ts'
import { day, isPublicOnly, lifetimes, scopeWords, type TokenTyped } from './token-form.ts'

/** When a token ends, or ended. */
export function Expiry({ at }: { at: number | null }) {
  const { now } = useSite()
  if (at === null) return 'Never'
  if (at > now) return <Ago at={at} />
  return (
    <span class="inline-flex flex-wrap gap-x-1.5">
      <State tone="warning">Expired</State> <Ago at={at} />
    </span>
  )
}

/** What a token may do, by its stored scopes. */
export function Scopes({ stored }: { stored: string }) {
  return (
    <>
      {scopeWords(stored)}
      {isPublicOnly(stored) && <span class="quiet"> (public owners only)</span>}
    </>
  )
}

/** Patterns that a list shows of one token. */
const fewPatterns = 6

/** Patterns of packages, each as it is; null: no limit. */
export function Patterns({ of }: { of: readonly string[] | null }) {
  if (of === null) return 'All'
  if (of.length === 0) return <span class="quiet">None that you may see</span>
  const more = of.length - fewPatterns
  return (
    <span class="inline-flex flex-wrap gap-x-3">
      {of.slice(0, fewPatterns).map((pattern) => (
        <code class="breaks">{pattern}</code>
      ))}
      {more > 0 && <span class="quiet">and {counted(more, 'more', 'more')}</span>}
    </span>
  )
}

/** When a new token is to end. */
export function ExpiryFields({
  typed,
  errors,
}: {
  typed: Pick<TokenTyped, 'expires' | 'on'>
  errors: Record<string, string>
}) {
  const { now } = useSite()
  const dateOf = (at: number) => exactly(at).slice(0, 10)
  const ends = Object.entries(lifetimes).map(([value, days]) => ({
    value,
    label: `${days === 365 ? 'A year' : counted(days, 'day')}, until ${dateOf(now + days * day)}`,
  }))
  return (
    <>
      <Select
        name="expires"
        label="It ends after"
        value={typed.expires}
        error={errors.expires}
        choices={[
          ...ends,
          { value: 'date', label: 'A day of your choice' },
          { value: 'never', label: 'Never: it counts until you delete it' },
        ]}
      />
      <div data-for="date">
        <TextField
          name="on"
          label="Last day"
          type="date"
          value={typed.on}
          error={errors.on}
          hint="Only for a day of your choice. It counts until that day is over, in UTC."
        />
      </div>
    </>
  )
}

/** Asked for where the browser may have been left alone. */
export function PasswordAgain({ error }: { error: string | undefined }) {
  return (
    <TextField
      name="password"
      label="Your password"
      type="password"
      error={error}
      hint="Asked for because you signed in here more than 12 hours ago."
      autocomplete="current-password"
    />
  )
}
