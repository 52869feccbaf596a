import type { GoingToken, TokenRow } from '../../access/tokens.ts'
import { Button, ButtonLink, Checkbox, Select, TextField } from '../components/forms.tsx'
import { Icon } from '../components/icon.tsx'
import { Alert, Empty, Pager, type Paging, Section, State, Trail } from '../components/parts.tsx'
import { actions, TableHead } from '../components/table-head.tsx'
import { Ago, Command } from '../components/values.tsx'
import type { Faults } from '../forms.ts'
import { useSite } from '../site.ts'
import { counted, exactly } from '../words.ts'
import { AccountPage } from './frame.tsx'
import {
  adminScopeChoices,
  day,
  everything,
  isPublicOnly,
  lifetimes,
  scopeChoices,
  scopeWords,
  type TokenTyped,
} from './token-form.ts'

interface FormProps {
  typed: TokenTyped
  faults: Faults | undefined
  /** Whether the session is so old that the password is asked for. */
  takesPassword: boolean
}

export function TokensPage(props: FormProps & { tokens: TokenRow[]; paging: Paging }) {
  const { tokens, paging, faults } = props
  const { links } = useSite()
  // What must be mended comes first, and is all that there is to see.
  if (faults) {
    return (
      <AccountPage here="tokens" faults={faults}>
        {!faults.form && <Alert tone="error">The token was not made. What is missing is said below.</Alert>}
        <h2 class="mb-3">New token</h2>
        <NewTokenForm {...props} />
      </AccountPage>
    )
  }
  return (
    <AccountPage here="tokens">
      <div class="flex flex-wrap items-start justify-between gap-x-6 gap-y-3 mb-4">
        <div class="prose-width grid gap-1">
          <h2>Access tokens</h2>
          <p class="quiet">A token lets a program act for you, as far as you allow, without your password.</p>
        </div>
        {tokens.length > 0 && (
          <ButtonLink href="#new" size="sm" icon="add">
            New token
          </ButtonLink>
        )}
      </div>
      {paging.total === 0 ? (
        <Empty title="You have no tokens.">
          <p class="quiet">Make one for each program or machine: then you can take back one without the others.</p>
        </Empty>
      ) : (
        <TokenTable tokens={tokens} />
      )}
      <Pager paging={paging} path={links.path('/user/settings/tokens')} />
      <Section title="New token" id="new">
        <NewTokenForm {...props} />
      </Section>
    </AccountPage>
  )
}

function TokenTable({ tokens }: { tokens: TokenRow[] }) {
  return (
    <table class="list-table">
      <TableHead columns={['Name', 'May', 'Ends in', 'Made', 'Last used', 'Expires', actions]} />
      <tbody>
        {tokens.map((token) => (
          <TokenLine token={token} />
        ))}
      </tbody>
    </table>
  )
}

function TokenLine({ token }: { token: TokenRow }) {
  const { links } = useSite()
  return (
    <tr>
      <td class="breaks font-medium" dir="auto">
        {token.name}
      </td>
      <td data-label="May">
        <Scopes stored={token.scopes} />
      </td>
      <td data-label="Ends in">
        <code>{token.last_eight}</code>
      </td>
      <td data-label="Made">
        <Ago at={token.created_at} />
      </td>
      <td data-label="Last used">{token.last_used_at === null ? 'Never' : <Ago at={token.last_used_at} />}</td>
      <td data-label="Expires">
        <Expiry at={token.expires_at} />
      </td>
      <td class="number">
        <ButtonLink href={links.path(`/user/settings/tokens/${token.id}/delete`)} size="xs">
          Delete<span class="sr-only"> {token.name}</span>
        </ButtonLink>
      </td>
    </tr>
  )
}

function Expiry({ at }: { at: number | null }) {
  const { now } = useSite()
  if (at === null) return 'Never'
  if (at > now) return <Ago at={at} />
  return (
    <span class="inline-flex flex-wrap gap-x-1.5">
      <State tone="warning">Expired</State> <Ago at={at} />
    </span>
  )
}

function Scopes({ stored }: { stored: string }) {
  return (
    <>
      {scopeWords(stored)}
      {isPublicOnly(stored) && <span class="quiet"> (public owners only)</span>}
    </>
  )
}

function NewTokenForm({ typed, faults, takesPassword }: FormProps) {
  const { links, now } = useSite()
  const errors = faults?.fields ?? {}
  const dateOf = (at: number) => exactly(at).slice(0, 10)
  const ends = Object.entries(lifetimes).map(([value, days]) => ({
    value,
    label: `${days === 365 ? 'A year' : counted(days, 'day')}, until ${dateOf(now + days * day)}`,
  }))
  return (
    <form method="post" action={links.path('/user/settings/tokens')} class="max-w-3xl">
      <div class="prose-width">
        <TextField
          name="name"
          label="Name"
          value={typed.name}
          error={errors.name}
          hint="What it is for: the program or the machine that will have it."
          autocomplete="off"
        />
      </div>
      <ScopeBoxes typed={typed} error={errors.scopes} />
      <div class="prose-width token-expiry">
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
        {takesPassword && (
          <TextField
            name="password"
            label="Your password"
            type="password"
            error={errors.password}
            hint="Asked for because you signed in here more than 12 hours ago."
            autocomplete="current-password"
          />
        )}
        <Button look="primary" icon="key">
          Make token
        </Button>
      </div>
    </form>
  )
}

function ScopeBoxes({ typed, error }: { typed: TokenTyped; error: string | undefined }) {
  const { visitor } = useSite()
  const choices = [...scopeChoices, ...(visitor?.account.isAdmin ? adminScopeChoices : []), everything]
  return (
    <>
      <fieldset class="mb-2" aria-describedby={error ? 'error-scopes' : undefined}>
        <legend class="font-medium mb-1">What it may do</legend>
        {error && (
          <p id="error-scopes" class="text-error text-sm flex gap-1.5 items-start mb-1">
            <Icon name="error" class="mt-1" />
            <span>{error}</span>
          </p>
        )}
        <div class="grid sm:grid-cols-2 gap-x-8">
          {choices.map(({ value, label, hint }) => (
            <Checkbox name="scopes" value={value} label={label} hint={hint} checked={typed.scopes.includes(value)} />
          ))}
        </div>
      </fieldset>
      <fieldset class="mb-4">
        <legend class="font-medium mb-1">And no further than</legend>
        <Checkbox
          name="public_only"
          label="Public owners only"
          hint="It does not reach users and organisations that are limited or private."
          checked={typed.publicOnly}
        />
      </fieldset>
    </>
  )
}

/** The answer to who has made one: nobody can see it again. */
export function NewTokenPage({ token, secret }: { token: TokenRow; secret: string }) {
  const { links, address, visitor } = useSite()
  const header = `-H "Authorization: token ${secret}"`
  const mayPublish = /(^|,)(all|write:package)(,|$)/.test(token.scopes)
  const owner = encodeURIComponent(visitor?.account.name ?? '')
  return (
    <AccountPage here="tokens">
      <Alert tone="success">
        The token <strong>{token.name}</strong> is made. Copy it now: it is shown this once.
      </Alert>
      <div class="max-w-3xl grid grid-cols-1 gap-6">
        <div class="grid gap-2 min-w-0 grid-cols-1">
          <h2>Your new token</h2>
          <Command text={secret} what="token" />
          <p class="quiet text-sm">
            May: <Scopes stored={token.scopes} />. Expires: <Expiry at={token.expires_at} />.
          </p>
        </div>
        <div class="grid gap-2 min-w-0 grid-cols-1">
          <h3>Try it</h3>
          <p class="quiet">This answers what the token may do.</p>
          <Command text={`curl ${header} ${quoted(`${address}/api/v1/token`)}`} />
        </div>
        {mayPublish && (
          <div class="grid gap-2 min-w-0 grid-cols-1">
            <h3>Publish a file with it</h3>
            <p class="quiet">Put your own names in the place of tool, 1.0.0 and tool.zip.</p>
            <Command
              text={`curl ${header} --upload-file tool.zip ${quoted(`${address}/api/packages/${owner}/generic/tool/1.0.0/tool.zip`)}`}
            />
          </div>
        )}
        <div>
          <ButtonLink href={links.path('/user/settings/tokens')} icon="check">
            I have copied it
          </ButtonLink>
        </div>
      </div>
    </AccountPage>
  )
}

/** For a shell, where the address needs it. */
function quoted(address: string): string {
  return /^[\w:/.%~-]+$/.test(address) ? address : `'${address.replaceAll("'", "'\\''")}'`
}

const mostNamed = 10

export function DeleteTokenPage({ token, family }: { token: TokenRow; family: GoingToken[] }) {
  const { links, visitor } = useSite()
  const list = links.path('/user/settings/tokens')
  const more = family.length - mostNamed
  return (
    <>
      <Trail
        steps={[
          { text: 'Account', href: links.path('/user/settings') },
          { text: 'Tokens', href: list },
          { text: 'Delete a token' },
        ]}
      />
      <h1 class="mb-5">Delete this token</h1>
      <form
        method="post"
        action={links.path(`/user/settings/tokens/${token.id}/delete`)}
        class="panel p-5 prose-width border-error"
      >
        <div class="mb-5 grid gap-3">
          <p class="breaks">
            <strong>{token.name}</strong>, which ends in <code>{token.last_eight}</code>, is refused from then on, also
            in the middle of an upload. It cannot be brought back.
          </p>
          <p>
            {token.last_used_at === null ? (
              'It was never used.'
            ) : (
              <>
                It was last used <Ago at={token.last_used_at} />: whatever uses it needs another one.
              </>
            )}
          </p>
          {family.length > 0 && (
            <>
              <p>{counted(family.length, 'token')} that came of it will go too:</p>
              <ul class="list-disc pl-5">
                {family.slice(0, mostNamed).map((one) => (
                  <li class="breaks">
                    {one.name}, which ends in <code>{one.last_eight}</code>
                    {one.user_id !== visitor?.account.id && ` (of ${one.user})`}
                  </li>
                ))}
                {more > 0 && <li>and {counted(more, 'more', 'more')}</li>}
              </ul>
            </>
          )}
        </div>
        <div class="flex flex-wrap gap-3">
          <Button look="danger" icon="trash" name="delete" value="yes">
            Delete token
          </Button>
          <ButtonLink href={list}>Keep it</ButtonLink>
        </div>
      </form>
    </>
  )
}
