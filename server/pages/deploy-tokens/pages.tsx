import type { DeployToken } from '../../access/deploy-tokens.ts'
import type { TokenTyped } from '../account/token-form.ts'
import { Expiry, ExpiryFields, PasswordAgain, Patterns, Scopes } from '../account/token-parts.tsx'
import { exampleOf, shellWord } from '../components/commands.ts'
import { Button, ButtonLink, Checkbox, Choices, TextArea, TextField } from '../components/forms.tsx'
import { Alert, Empty, Pager, Trail } from '../components/parts.tsx'
import { actions, TableHead } from '../components/table-head.tsx'
import { Ago, Command } from '../components/values.tsx'
import type { Faults } from '../forms.ts'
import { curlPublish } from '../packages/commands.ts'
import { useSite } from '../site.ts'
import { counted } from '../words.ts'

/** Where the pages of an owner's deploy tokens are. */
export interface Addresses {
  owner: string
  all: string
  fresh: string
  remove: (id: number) => string
}

interface ListProps {
  at: Addresses
  tokens: readonly DeployToken[]
  total: number
  page: { page: number; limit: number }
}

export function DeployTokenList({ at, tokens, total, page }: ListProps) {
  const isEmpty = total === 0
  const add = (
    <ButtonLink href={at.fresh} look="primary" icon="add">
      New deploy token
    </ButtonLink>
  )
  return (
    <>
      <div class="flex flex-wrap items-start justify-between gap-x-6 gap-y-3 mb-4">
        <div class="min-w-0">
          <h2>{isEmpty ? 'Deploy tokens' : counted(total, 'deploy token')}</h2>
          <p class="quiet prose-width">
            Each belongs to {at.owner} rather than to a person, so that builds go on when people leave. It reads and
            publishes packages, and can do nothing else.
          </p>
        </div>
        {!isEmpty && add}
      </div>
      {isEmpty ? (
        <Empty title="There are no deploy tokens yet">
          <p class="prose-width">Make one for each build or machine: then you can take back one without the others.</p>
          <p>{add}</p>
        </Empty>
      ) : (
        <table class="list-table">
          <TableHead columns={['Name', 'May', 'Packages', 'Ends in', 'Made', 'Last used', 'Expires', actions]} />
          <tbody>
            {tokens.map((token) => (
              <TokenLine at={at} token={token} />
            ))}
          </tbody>
        </table>
      )}
      <Pager paging={{ ...page, total, shown: tokens.length }} path={at.all} />
    </>
  )
}

function TokenLine({ at, token }: { at: Addresses; token: DeployToken }) {
  return (
    <tr>
      <td class="breaks font-medium" dir="auto">
        {token.name}
      </td>
      <td data-label="May">
        <Scopes stored={storedOf(token)} />
      </td>
      <td data-label="Packages" class="breaks">
        <Patterns of={token.packages} />
      </td>
      <td data-label="Ends in">
        <code>{token.lastEight}</code>
      </td>
      <td data-label="Made">
        <Ago at={token.createdAt} />
        <span class="quiet breaks"> {token.maker === null ? 'by somebody who is gone' : `by ${token.maker}`}</span>
      </td>
      <td data-label="Last used">{token.lastUsedAt === null ? 'Never' : <Ago at={token.lastUsedAt} />}</td>
      <td data-label="Expires">
        <Expiry at={token.expiresAt} />
      </td>
      <td class="number">
        <ButtonLink href={at.remove(token.id)} size="xs">
          Delete<span class="sr-only"> {token.name}</span>
        </ButtonLink>
      </td>
    </tr>
  )
}

function storedOf({ scopes }: DeployToken): string {
  return [...scopes.names, ...(scopes.publicOnly ? ['public-only'] : [])].join(',')
}

function TrailTo({ at, step }: { at: Addresses; step: string }) {
  const { links } = useSite()
  return (
    <Trail
      steps={[{ text: at.owner, href: links.owner(at.owner) }, { text: 'Deploy tokens', href: at.all }, { text: step }]}
    />
  )
}

/** What a new one may do: reading alone, or publishing too. */
const scopeChoices = [
  { value: 'write:package', label: 'Publish and delete packages', hint: 'Reading is part of it.' },
  { value: 'read:package', label: 'Read packages', hint: 'A private package only where that names the token.' },
]

export function NewDeployToken(props: {
  at: Addresses
  typed: TokenTyped
  faults: Faults | undefined
  takesPassword: boolean
}) {
  const { at, typed, faults, takesPassword } = props
  const errors = faults?.fields ?? {}
  return (
    <>
      <TrailTo at={at} step="New deploy token" />
      <h1 class="mb-5 breaks">New deploy token of {at.owner}</h1>
      {faults && <Alert tone="error">{faults.form ?? 'The token was not made. What is wrong is said below.'}</Alert>}
      <form method="post" action={at.fresh} class="prose-width">
        <TextField
          name="name"
          label="Name"
          value={typed.name}
          error={errors.name}
          hint="What it is for: the build or the machine that will have it."
          autocomplete="off"
          maxlength={255}
        />
        <Choices
          name="scopes"
          label="What it may do"
          value={typed.scopes[0] ?? ''}
          error={errors.scopes}
          choices={scopeChoices}
        />
        <TextArea
          name="packages"
          label="Packages (optional)"
          value={typed.packages}
          rows={3}
          error={errors.packages}
          hint={
            <>
              Only these of {at.owner}, one on each line: <code>tool-*</code> are all that begin so. Empty: all of them.
            </>
          }
          isMono
        />
        <fieldset class="mb-4">
          <legend class="font-medium mb-1">And no further than</legend>
          <Checkbox
            name="public_only"
            label="Public owners only"
            hint={`It reaches nothing where ${at.owner} is limited or private, and no private package.`}
            checked={typed.publicOnly}
          />
        </fieldset>
        <div class="token-expiry">
          <ExpiryFields typed={typed} errors={errors} />
          {takesPassword && <PasswordAgain error={errors.password} />}
          <div class="flex flex-wrap gap-3">
            <Button look="primary" icon="key">
              Make deploy token
            </Button>
            <ButtonLink href={at.all}>Cancel</ButtonLink>
          </div>
        </div>
      </form>
    </>
  )
}

/** The answer to who has made one: nobody can see it again. */
export function MadeDeployToken({ at, token, secret }: { at: Addresses; token: DeployToken; secret: string }) {
  const { address } = useSite()
  const mayPublish = token.scopes.names.includes('write:package')
  const example = {
    ...{ address, owner: at.owner, package: exampleOf(token.packages?.[0] ?? 'tool') },
    ...{ version: '1.0.0', file: 'tool.zip', needsToken: true },
  }
  return (
    <>
      <TrailTo at={at} step="New deploy token" />
      <h1 class="mb-5 breaks">New deploy token of {at.owner}</h1>
      <Alert tone="success">
        The deploy token <strong>{token.name}</strong> is made. Copy it now: it is shown this once.
      </Alert>
      <div class="max-w-3xl grid grid-cols-1 gap-6">
        <div class="grid gap-2 min-w-0 grid-cols-1">
          <h2>Your new deploy token</h2>
          <Command text={secret} what="token" />
          <p class="quiet text-sm">
            May: <Scopes stored={storedOf(token)} />. Packages: <Patterns of={token.packages} />. Expires:{' '}
            <Expiry at={token.expiresAt} />.
          </p>
        </div>
        <div class="grid gap-2 min-w-0 grid-cols-1">
          <h3>Use it in CI</h3>
          <p class="quiet">
            Keep it there as a secret that is called <code>STOWAGE_TOKEN</code>. This answers what it may do:
          </p>
          <Command
            text={`curl --fail-with-body -H "Authorization: token $STOWAGE_TOKEN" ${shellWord(`${address}/api/v1/token`)}`}
          />
        </div>
        {mayPublish && (
          <div class="grid gap-2 min-w-0 grid-cols-1">
            <h3>Publish a file with it</h3>
            <p class="quiet">Put your own names in the place of {example.package}, 1.0.0 and tool.zip.</p>
            <Command text={curlPublish(example)} />
          </div>
        )}
        <div>
          <ButtonLink href={at.all} icon="check">
            I have copied it
          </ButtonLink>
        </div>
      </div>
    </>
  )
}

export function DeleteDeployToken({ at, token, named }: { at: Addresses; token: DeployToken; named: number }) {
  return (
    <>
      <TrailTo at={at} step="Delete" />
      <h1 class="mb-5">Delete a deploy token</h1>
      <form method="post" action={at.remove(token.id)} class="panel p-5 prose-width border-error">
        <div class="mb-5 grid gap-3">
          <p class="breaks">
            <strong>{token.name}</strong>, which ends in <code>{token.lastEight}</code>, is refused from then on, also
            in the middle of an upload. It cannot be brought back.
          </p>
          <p>
            {token.lastUsedAt === null ? (
              'It was never used.'
            ) : (
              <>
                It was last used <Ago at={token.lastUsedAt} />: whatever uses it needs another one.
              </>
            )}
          </p>
          {named > 0 && <p>{counted(named, 'package')} that gave it a right of its own will forget it.</p>}
        </div>
        <div class="flex flex-wrap gap-3">
          <Button look="danger" icon="trash" name="delete" value="yes">
            Delete deploy token
          </Button>
          <ButtonLink href={at.all}>Keep it</ButtonLink>
        </div>
      </form>
    </>
  )
}
