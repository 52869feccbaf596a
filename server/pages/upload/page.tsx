import type { Profile } from '../../registry/lists.ts'
import { shellWord } from '../components/commands.ts'
import { Button, FileField, TextField } from '../components/forms.tsx'
import { Icon, type IconName } from '../components/icon.tsx'
import { Alert, Columns } from '../components/parts.tsx'
import { OwnerHead, type OwnerStanding } from '../components/places.tsx'
import { Command, Size } from '../components/values.tsx'
import { withQuery } from '../links.ts'
import { useSite } from '../site.ts'

/** What the address says of the version that is to be. */
export interface Wanted {
  package: string | undefined
  version: string | undefined
}

interface UploadPageProps {
  owner: Profile
  standing: OwnerStanding
  wanted: Wanted
  /** Whether package and version are what they may be: then a file can be chosen without a script. */
  isNamed: boolean
  faults: { package?: string; version?: string; file?: string }
  alert: string | undefined
  /** Bytes. */
  largest: number
  /** Other owners at whom the reader may publish. */
  elsewhere: readonly string[]
}

/**
 * Without a script it is two forms: package and version, then one file. With one, the second form gives way to a list of files,
 * and the script finds what it fills in by the `data-` names here.
 */
export function UploadPage(props: UploadPageProps) {
  const { owner, standing, alert } = props
  return (
    <>
      <OwnerHead owner={owner} {...standing} here="upload" />
      <Columns aside={<Beside {...props} />}>
        <h2 class="mb-4">Publish files</h2>
        {alert && <Alert tone="error">{alert}</Alert>}
        <Names {...props} />
        <OneFile {...props} />
        <ManyFiles {...props} />
        <RowTemplate />
        <FaultTemplate />
      </Columns>
    </>
  )
}

function Names({ owner, wanted, isNamed, faults, largest }: UploadPageProps) {
  const { links, assets } = useSite()
  return (
    <form
      action={links.owner(owner.name, 'upload')}
      autocomplete="off"
      data-upload={links.owner(owner.name, 'upload')}
      data-worker={links.asset(assets.scripts['upload-worker'])}
      data-largest={Number.isFinite(largest) ? String(largest) : undefined}
    >
      <div class="grid sm:grid-cols-2 gap-x-5">
        <TextField name="package" label="Package" value={wanted.package} error={faults.package} isMono required />
        <TextField name="version" label="Version" value={wanted.version} error={faults.version} isMono required />
      </div>
      <div data-plain>{isNamed ? <Button>Change</Button> : <Button look="primary">Go on to the file</Button>}</div>
    </form>
  )
}

function OneFile({ owner, wanted, isNamed, faults, largest }: UploadPageProps) {
  const { links } = useSite()
  if (!isNamed) return null
  return (
    <form
      method="post"
      enctype="multipart/form-data"
      action={withQuery(links.owner(owner.name, 'upload'), { ...wanted })}
      class="mt-6"
      data-plain
    >
      <FileField name="file" label="File" error={faults.file} hint={<Largest of={largest} />} />
      <Button look="primary" icon="upload">
        Publish
      </Button>
    </form>
  )
}

function Largest({ of }: { of: number }) {
  return Number.isFinite(of) ? (
    <>
      At most <Size of={of} /> a file.
    </>
  ) : (
    <>A file may have any size.</>
  )
}

function ManyFiles({ owner, largest }: UploadPageProps) {
  const { links } = useSite()
  return (
    <div data-scripted hidden>
      <div class="panel border-dashed px-5 py-7 grid gap-4 justify-items-start" data-drop>
        <div class="grid gap-1">
          <p class="font-medium">Drop files or a folder here</p>
          <p class="quiet text-sm">
            <Largest of={largest} /> Of a folder, each file is published by its own name.
          </p>
        </div>
        <div class="flex flex-wrap gap-3">
          <PlainButton icon="file" data-choose="files">
            Choose files
          </PlainButton>
          <PlainButton icon="folder" data-choose="folder">
            Choose a folder
          </PlainButton>
        </div>
        <input type="file" multiple aria-label="Files" data-files="files" hidden />
        <input type="file" multiple aria-label="Folder" data-files="folder" hidden {...{ webkitdirectory: true }} />
      </div>
      <p class="quiet text-sm mt-3" data-left-out hidden></p>

      <div class="panel border-warning px-4 py-3 mt-5 flex flex-wrap gap-x-4 gap-y-3 items-center" data-paused hidden>
        <Icon name="alert" class="text-warning" />
        <p class="grow min-w-0">
          <span data-paused-why></span>{' '}
          <a href={links.signIn()} target="_blank" rel="noopener" class="line">
            Sign in again in another tab
          </a>
          , then go on.
        </p>
        <PlainButton data-go-on>Go on</PlainButton>
      </div>

      <section class="mt-6 outline-none" data-overall hidden tabindex={-1} aria-label="All files">
        <p class="flex flex-wrap justify-between gap-x-4">
          <span class="font-medium" data-overall-count></span>
          <span class="quiet text-sm tabular" data-overall-pace></span>
        </p>
        <progress class="progress progress-neutral" max={1} value={0} aria-label="All files"></progress>
      </section>

      <ul class="mt-5 border-b border-base-300" data-list hidden></ul>

      <div class="mt-5 flex flex-wrap gap-3" data-actions>
        <button type="button" class="btn btn-primary" data-start hidden>
          <Icon name="upload" />
          <span data-start-text>Upload</span>
        </button>
        <PlainButton data-use-names hidden>
          Use all the names offered
        </PlainButton>
        <PlainButton data-cancel-all hidden>
          Cancel all
        </PlainButton>
        <a
          href={links.owner(owner.name)}
          class="btn btn-primary max-w-full h-auto min-h-(--size) py-2"
          data-version
          hidden
        >
          <span class="breaks" data-version-text></span>
        </a>
      </div>
      <p role="status" class="sr-only" data-announcer></p>
    </div>
  )
}

type DataAttributes = { [Name in `data-${string}`]?: string | boolean }

function PlainButton({
  icon,
  children,
  ...rest
}: DataAttributes & { icon?: IconName; hidden?: boolean; children?: unknown }) {
  return (
    <button type="button" class="btn btn-outline border-base-300" {...rest}>
      {icon && <Icon name={icon} />}
      {children as string}
    </button>
  )
}

const rowIcons = [
  { state: 'ready', icon: 'file', look: 'quiet' },
  { state: 'busy', icon: 'upload', look: '' },
  { state: 'waiting', icon: 'time', look: 'text-warning' },
  { state: 'done', icon: 'success', look: 'text-success' },
  { state: 'wrong', icon: 'error', look: 'text-error' },
  { state: 'stopped', icon: 'close', look: 'quiet' },
] as const

/** One file of the list. */
function RowTemplate() {
  return (
    <template data-row>
      <li class="border-t border-base-300 py-3 flex gap-3 items-start">
        <span class="pt-0.5">
          {rowIcons.map(({ state, icon, look }) => (
            <span data-icon={state} class={look} hidden>
              <Icon name={icon} />
            </span>
          ))}
        </span>
        <div class="grow min-w-0 grid grid-cols-1 gap-1">
          <p class="flex flex-wrap justify-between gap-x-4">
            <code class="breaks" dir="auto" data-name></code>
            <span class="quiet text-sm tabular whitespace-nowrap" data-size></span>
          </p>
          <progress class="progress progress-neutral" max={1} value={0} hidden></progress>
          <p class="text-sm breaks" data-told></p>
          <dl class="facts text-sm mt-1" data-digests hidden></dl>
          <form class="mt-1 flex flex-wrap items-end gap-2" data-rename hidden>
            <label class="text-sm grid gap-1 grow">
              Publish it as
              <input class="input input-sm w-full font-mono" data-new-name autocomplete="off" />
            </label>
            <button type="submit" class="btn btn-sm btn-outline border-base-300">
              Use this name
            </button>
          </form>
          <div class="mt-1" data-retry hidden>
            <button type="button" class="btn btn-sm btn-outline border-base-300">
              <Icon name="repeat" /> Retry<span class="sr-only" data-of></span>
            </button>
          </div>
        </div>
        <button type="button" class="btn btn-sm btn-ghost btn-square" data-cancel>
          <Icon name="close" />
          <span class="sr-only">
            <span data-cancel-text></span>
            <span data-of></span>
          </span>
        </button>
      </li>
    </template>
  )
}

/** What is wrong with a field, as the server's own forms say it. */
function FaultTemplate() {
  return (
    <template data-fault>
      <p class="text-error text-sm flex gap-1.5 items-start">
        <Icon name="error" class="mt-1" />
        <span data-text></span>
      </p>
    </template>
  )
}

function Beside({ owner, wanted, elsewhere }: UploadPageProps) {
  const { links, address, visitor } = useSite()
  const command = [
    `curl --user ${shellWord(visitor?.account.name ?? 'NAME')} \\`,
    '  --upload-file FILE \\',
    `  ${shellWord(`${address}/api/packages/${owner.name}/generic/PACKAGE/VERSION/`)}`,
  ]
  return (
    <div class="grid grid-cols-1 gap-6">
      <div>
        <h2 class="mb-2">From a command line</h2>
        <Command text={command.join('\n')} />
        <p class="quiet text-sm mt-2">
          It asks for a password; a <a href={links.path('/user/settings/tokens')}>token</a> is one, and the better one
          in scripts.
        </p>
      </div>
      {elsewhere.length > 0 && (
        <nav aria-labelledby="elsewhere">
          <h2 id="elsewhere" class="mb-2">
            Upload elsewhere
          </h2>
          <ul class="grid gap-1.5">
            {elsewhere.map((name) => (
              <li>
                <a href={withQuery(links.owner(name, 'upload'), { ...wanted })} class="line breaks">
                  {name}
                </a>
              </li>
            ))}
          </ul>
        </nav>
      )}
    </div>
  )
}
