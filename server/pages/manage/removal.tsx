import type { Child } from 'hono/jsx'
import type { Deletion } from '../../registry/delete-versions.ts'
import type { Loss } from '../../registry/losses.ts'
import { Button, ButtonLink, Confirm, TextField } from '../components/forms.tsx'
import { Alert, Empty, Trail } from '../components/parts.tsx'
import { Size } from '../components/values.tsx'
import { useSite } from '../site.ts'
import { counted, number, shortened, span } from '../words.ts'

export interface RemovalProps {
  /** `file`, `version` or `package`. */
  what: string
  /** What must be typed. */
  name: string
  steps: { text: string; href?: string }[]
  loss: Loss
  /** What else goes, and why. */
  also?: string | undefined
  action: string
  back: string
  /** Milliseconds that freed bytes stay. */
  grace: number
  typed?: string
  error?: string | undefined
}

/** What is lost with a file, a version or a package, before its name is typed. */
export function RemovalPage(props: RemovalProps) {
  const { what, name, steps, loss, also, action, back, grace, typed, error } = props
  return (
    <>
      <Trail steps={[...steps, { text: 'Delete' }]} />
      <h1 class="mb-5">
        Delete the {what} <bdi title={name}>{shortened(name, 30)}</bdi>
      </h1>
      <Confirm action={action} name={name} button={`Delete the ${what}`} back={back} typed={typed ?? ''} error={error}>
        <p class="font-medium">This cannot be undone. You will lose:</p>
        <Losses loss={loss} isFile={what === 'file'} />
        {also && <p>{also}</p>}
        <Freed loss={loss} grace={grace} />
      </Confirm>
    </>
  )
}

function Losses({ loss, isFile }: { loss: Loss; isFile: boolean }) {
  const facts: [string, Child][] = [
    ...(isFile
      ? []
      : ([
          ['Versions', number(loss.versions)],
          ['Files', number(loss.files)],
        ] as [string, Child][])),
    ['Size', <Size of={loss.size} />],
    ['Downloads', `${number(loss.downloads)} so far`],
  ]
  return (
    <dl class="facts">
      {facts.map(([term, value]) => (
        <>
          <dt>{term}</dt>
          <dd class="tabular">{value}</dd>
        </>
      ))}
    </dl>
  )
}

/** How many bytes come back, and when. */
function Freed({ loss: { size, freed }, grace }: { loss: Loss; grace: number }) {
  const when = grace > 0 ? `${span(grace)} later` : 'soon after'
  if (freed === undefined) {
    return (
      <p>
        Up to <Size of={size} /> will be freed, {when}: bytes that other files share stay.
      </p>
    )
  }
  if (freed === 0) return <p>Nothing will be freed: other files have the same bytes.</p>
  return (
    <p>
      <Size of={freed} /> will be freed, {when}
      {freed < size ? '; the rest is shared with other files.' : '.'}
    </p>
  )
}

/** Many versions at once, by a pattern: first what would go, then the name. */
export function DeleteVersionsPage(props: {
  owner: string
  name: string
  pattern: string
  /** What would go; undefined before anything was asked for. */
  deletion?: Deletion | undefined
  fault?: string | undefined
  /** Why it was not done. */
  refusal?: string | undefined
  typed?: string
  error?: string | undefined
}) {
  const { owner, name, pattern, deletion, fault, refusal, typed, error } = props
  const { links } = useSite()
  const action = links.package(owner, name, 'delete-versions')
  const back = links.package(owner, name)
  return (
    <>
      <Trail
        steps={[{ text: owner, href: links.owner(owner) }, { text: name, href: back }, { text: 'Delete versions' }]}
      />
      <h1 class="mb-5">Delete versions of {name}</h1>
      {refusal && <Alert tone="warning">{refusal}</Alert>}
      <form method="get" action={action} class="prose-width">
        <TextField
          name="pattern"
          label="Versions like"
          value={pattern}
          error={fault}
          isMono
          autocomplete="off"
          hint="“*” stands for any characters, “?” for any one: “1.*-rc?”. Upper and lower case are the same."
        />
        <div class="flex flex-wrap gap-3 mb-6">
          <Button>Show which</Button>
          {!deletion?.total && <ButtonLink href={back}>Cancel</ButtonLink>}
        </div>
      </form>
      {deletion && deletion.total === 0 && (
        <Empty title="No version is like that.">
          <p class="quiet">Nothing would be deleted. Try a wider pattern, such as “1.*”.</p>
        </Empty>
      )}
      {deletion && deletion.total > 0 && (
        <Confirm
          action={action}
          name={name}
          button={`Delete ${counted(deletion.total, 'version')}`}
          back={back}
          typed={typed ?? ''}
          error={error}
        >
          <input type="hidden" name="pattern" value={pattern} />
          <input type="hidden" name="total" value={String(deletion.total)} />
          <p class="font-medium">
            This cannot be undone. You will lose {counted(deletion.total, 'version')} with{' '}
            {counted(deletion.files, 'file')}, <Size of={deletion.size} />:
          </p>
          <ul class="max-h-80 overflow-y-auto panel p-3 grid gap-1" tabindex={0} aria-label="Versions">
            {deletion.versions.map((its) => (
              <li class="flex flex-wrap justify-between gap-x-4">
                <bdi class="font-mono text-sm breaks">{its.version}</bdi>
                <span class="quiet text-sm">
                  {counted(its.files, 'file')}, <Size of={its.size} />
                </span>
              </li>
            ))}
            {deletion.total > deletion.versions.length && (
              <li class="quiet">and {counted(deletion.total - deletion.versions.length, 'more version')}</li>
            )}
          </ul>
        </Confirm>
      )}
    </>
  )
}
