import type { GoingToken, ShownToken, TokenRow } from '../../access/tokens.ts'
import { exampleOf, fileAddress, shellWord } from '../components/commands.ts'
import { Button, ButtonLink, Checkbox, TextArea, TextField } from '../components/forms.tsx'
import { Icon } from '../components/icon.tsx'
import { Alert, Empty, Pager, type Paging, Section, Trail } from '../components/parts.tsx'
import { actions, TableHead } from '../components/table-head.tsx'
import { Ago, Command } from '../components/values.tsx'
import type { Faults } from '../forms.ts'
import { useSite } from '../site.ts'
import { counted } from '../words.ts'
import { AccountPage } from './frame.tsx'
import { adminScopeChoices, everything, scopeChoices, type TokenTyped } from './token-form.ts'
import { Expiry, ExpiryFields, PasswordAgain, Patterns, Scopes } from './token-parts.tsx'

interface FormProps {
  typed: TokenTyped
  faults: Faults | undefined
  /** Whether the session is so old that the password is asked for. */
  takesPassword: boolean
}

export function TokensPage(props: FormProps & { tokens: ShownToken[]; paging: Paging }) {
  const { tokens, paging, faults } = props
  const { links, visitor } = useSite()
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
          <p class="quiet">
            A token lets a program act for you, as far as you allow, without your password. For builds, a{' '}
            <a href={links.owner(visitor?.account.name ?? '', 'deploy-tokens')} class="line">
              deploy token
            </a>{' '}
            is enough, which reads and publishes packages alone; organisations have their own.
          </p>
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

function TokenTable({ tokens }: { tokens: ShownToken[] }) {
  return (
    <table class="list-table">
      <TableHead columns={['Name', 'May', 'Packages', 'Ends in', 'Made', 'Last used', 'Expires', actions]} />
      <tbody>
        {tokens.map((token) => (
          <TokenLine token={token} />
        ))}
      </tbody>
    </table>
  )
}

function TokenLine({ token }: { token: ShownToken }) {
  const { links } = useSite()
  return (
    <tr>
      <td class="breaks font-medium" dir="auto">
        {token.name}
      </td>
      <td data-label="May">
        <Scopes stored={token.scopes} />
      </td>
      <td data-label="Packages" class="breaks">
        <Patterns of={token.packages} />
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

function NewTokenForm({ typed, faults, takesPassword }: FormProps) {
  const { links } = useSite()
  const errors = faults?.fields ?? {}
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
      <div class="prose-width">
        <TextArea
          name="packages"
          label="Packages (optional)"
          value={typed.packages}
          rows={3}
          error={errors.packages}
          hint={
            <>
              Only these, one on each line: <code>acme/tool-*</code> are all of acme that begin so, and{' '}
              <code>*/tool</code> is tool of every owner. Such a token may read and publish packages, and nothing else.
              Empty: all of them.
            </>
          }
          isMono
        />
      </div>
      <div class="prose-width token-expiry">
        <ExpiryFields typed={typed} errors={errors} />
        {takesPassword && <PasswordAgain error={errors.password} />}
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
export function NewTokenPage({ token, secret }: { token: ShownToken; secret: string }) {
  const { links, address, visitor } = useSite()
  const header = `-H "Authorization: token ${secret}"`
  const mayPublish = /(^|,)(all|write:package)(,|$)/.test(token.scopes)
  const example = exampleFor(token.packages, visitor?.account.name ?? '')
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
            May: <Scopes stored={token.scopes} />. Packages: <Patterns of={token.packages} />. Expires:{' '}
            <Expiry at={token.expires_at} />.
          </p>
        </div>
        <div class="grid gap-2 min-w-0 grid-cols-1">
          <h3>Try it</h3>
          <p class="quiet">This answers what the token may do.</p>
          <Command text={`curl ${header} ${shellWord(`${address}/api/v1/token`)}`} />
        </div>
        {mayPublish && (
          <div class="grid gap-2 min-w-0 grid-cols-1">
            <h3>Publish a file with it</h3>
            <p class="quiet">Put your own names in the place of {example.package}, 1.0.0 and tool.zip.</p>
            <Command text={`curl ${header} --upload-file tool.zip ${shellWord(fileAddress(address, example))}`} />
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

/** A file that the token may publish. */
function exampleFor(packages: readonly string[] | null, own: string) {
  const [owner = '*', name = 'tool'] = packages?.[0]?.split('/') ?? []
  return { owner: owner === '*' ? own : owner, package: exampleOf(name), version: '1.0.0', file: 'tool.zip' }
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
