import { raw } from 'hono/html'
import type { Caller } from '../../access/caller.ts'
import type { ShownDownloads } from '../../registry/downloads.ts'
import type { Profile } from '../../registry/lists.ts'
import type { DescribedPackage } from '../../registry/package-text.ts'
import type { DatedFile, FiguredVersion } from '../../registry/shown-versions.ts'
import { ButtonLink } from '../components/forms.tsx'
import { Columns, Empty, PrivateBadge, Section, Trail, VisibilityBadge } from '../components/parts.tsx'
import { Ago, Command, Size } from '../components/values.tsx'
import { withQuery } from '../links.ts'
import { useSite } from '../site.ts'
import { counted, number, shortened } from '../words.ts'
import { DownloadChart } from './chart.tsx'
import { type CommandFile, curlFetch, curlPublish } from './commands.ts'
import { Away, Fact, Facts, Maker, sizeOfTitle, VersionText } from './facts.tsx'
import { markdownToHtml } from './markdown.ts'
import { TokenHint } from './tools.tsx'
import { VersionTable } from './version-table.tsx'

export interface PackageView {
  owner: Pick<Profile, 'name' | 'visibility'>
  /** Whether it is seen by fewer than see its owner. */
  isPrivate: boolean
  caller: Caller
  mayWrite: boolean
  /** Whether the reader may do the same at all that the owner has. */
  mayWriteAll: boolean
  /** Whether the reader may say who sees it. */
  mayRun: boolean
  its: DescribedPackage
  /** The newest ones first; as many as a page that is about other things has room for. */
  versions: readonly FiguredVersion[]
  /** Of the newest version, the first few. */
  files: readonly DatedFile[]
  days: ShownDownloads['days']
}

/** Files of the newest version that have a command on the package's page. */
export const fewFiles = 3

export function PackagePage(props: PackageView) {
  const { owner, its, versions, days, mayWrite } = props
  const { links } = useSite()
  const [newest] = versions
  const more = its.versions - versions.length
  return (
    <>
      <Trail steps={[{ text: owner.name, href: links.owner(owner.name) }, { text: shortened(its.name, 20) }]} />
      <Head {...props} />
      <Columns aside={<Aside {...props} />}>
        {newest ? <Newest {...props} newest={newest} /> : <NoVersion {...props} />}
        {its.readme !== '' ? (
          <Section title="README" id="readme">
            <Markdown text={its.readme} />
          </Section>
        ) : (
          mayWrite && (
            <Section title="README">
              <p class="quiet">
                Nothing is written about this package yet.{' '}
                <a href={links.package(owner.name, its.name, 'edit')}>Write a README</a>
              </p>
            </Section>
          )
        )}
        {newest && (
          <Section
            title="Versions"
            action={more > 0 && <a href={links.versions(owner.name, its.name)}>All {number(its.versions)} versions</a>}
          >
            <VersionTable owner={owner.name} versions={versions} />
          </Section>
        )}
        {newest && (
          <Section title="Downloads">
            <DownloadChart days={days} />
          </Section>
        )}
      </Columns>
    </>
  )
}

function Head({ owner, its, mayWrite, isPrivate }: PackageView) {
  const { links } = useSite()
  return (
    <header class="mb-6">
      <div class="flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
        <div class="flex flex-wrap items-center gap-x-3 gap-y-2 min-w-0">
          <h1 class={sizeOfTitle(its.name)}>{its.name}</h1>
          {isPrivate ? <PrivateBadge /> : <VisibilityBadge visibility={owner.visibility} />}
        </div>
        {mayWrite && (
          <div class="flex flex-wrap gap-2">
            <ButtonLink
              href={withQuery(links.owner(owner.name, 'upload'), { package: its.name })}
              icon="upload"
              size="sm"
            >
              Upload
            </ButtonLink>
            <ButtonLink href={links.package(owner.name, its.name, 'edit')} icon="edit" size="sm">
              Edit
            </ButtonLink>
            <ButtonLink href={links.package(owner.name, its.name, 'delete')} icon="trash" size="sm">
              Delete
            </ButtonLink>
          </div>
        )}
      </div>
      {its.description !== '' && (
        <p class="prose-width mt-2 breaks" dir="auto">
          {its.description}
        </p>
      )}
    </header>
  )
}

function Newest({ owner, caller, its, newest, files, isPrivate }: PackageView & { newest: FiguredVersion }) {
  const { links, address } = useSite()
  const page = links.version(owner.name, its.name, newest.version)
  const needsToken = isPrivate || owner.visibility !== 'public'
  const [only] = files
  const commands = files.map((file) =>
    curlFetch({
      address,
      owner: owner.name,
      package: its.name,
      version: newest.version,
      file: file.name,
      sha256: file.sha256,
      needsToken,
    }),
  )
  return (
    <section aria-label="Newest version">
      <p class="mb-3">
        <a href={page} class="line font-medium">
          <VersionText>{newest.version}</VersionText>
        </a>{' '}
        <span class="quiet">
          is the newest version, published <Ago at={newest.createdAt} /> by{' '}
        </span>
        <Maker of={newest.creator} caller={caller} />
      </p>
      {needsToken && <TokenHint scope="read:package" />}
      <Command text={commands.join('\n')} what={commands.length === 1 ? 'command' : 'commands'} />
      <div class="flex flex-wrap items-center gap-x-4 gap-y-2 mt-3">
        {newest.files === 1 && only && (
          <ButtonLink
            href={links.file(owner.name, its.name, newest.version, only.id)}
            look="primary"
            icon="down"
            size="sm"
          >
            <span class="sr-only">{only.name}: </span>
            Download <Size of={only.size} />
          </ButtonLink>
        )}
        <a href={page}>
          {newest.files > files.length
            ? `All ${counted(newest.files, 'file')} of this version`
            : 'wget, PowerShell, Actions and checksums'}
        </a>
      </div>
    </section>
  )
}

function NoVersion({ owner, its, mayWrite }: PackageView) {
  const { links, address } = useSite()
  const file: CommandFile = { address, owner: owner.name, package: its.name, version: '1.0', file: 'my-file.zip' }
  return (
    <Empty title="No version is published.">
      {mayWrite ? (
        <>
          <p class="quiet">
            <a href={withQuery(links.owner(owner.name, 'upload'), { package: its.name })}>Upload a file</a>, or type:
          </p>
          <TokenHint scope="write:package" />
          <Command text={curlPublish(file)} />
        </>
      ) : (
        <p class="quiet">What was here is gone, or is still to come.</p>
      )}
    </Empty>
  )
}

function Aside({ owner, its, mayWriteAll, mayRun }: PackageView) {
  const { links } = useSite()
  return (
    <div class="grid gap-6">
      <Facts>
        <Fact name="Owner">
          <a href={links.owner(owner.name)}>{owner.name}</a>
        </Fact>
        <Fact name="Versions">
          {its.versions === 0 ? '0' : <a href={links.versions(owner.name, its.name)}>{number(its.versions)}</a>}
        </Fact>
        <Fact name="Files">{number(its.files)}</Fact>
        <Fact name="Size">
          <Size of={its.size} />
        </Fact>
        <Fact name="Downloads">{number(its.downloads)}</Fact>
        <Fact name="Updated">
          <Ago at={its.updatedAt} />
        </Fact>
        <Fact name="Created">
          <Ago at={its.createdAt} />
        </Fact>
        {its.homepage !== '' && (
          <Fact name="Homepage">
            <Away href={its.homepage} />
          </Fact>
        )}
        {its.repository_url !== '' && (
          <Fact name="Repository">
            <Away href={its.repository_url} />
          </Fact>
        )}
      </Facts>
      {its.labels.length > 0 && (
        <ul class="flex flex-wrap gap-1.5" aria-label="Labels">
          {its.labels.map((label) => (
            <li class="badge badge-outline border-base-300 max-w-full" dir="auto">
              <span class="truncate">{label}</span>
            </li>
          ))}
        </ul>
      )}
      {mayWriteAll && (
        <p class="text-sm">
          <a href={links.package(owner.name, its.name, 'audit')}>What was done to it</a>
        </p>
      )}
      {mayRun && (
        <p class="text-sm">
          <a href={links.package(owner.name, its.name, 'access')}>Who can read and write it</a>
        </p>
      )}
    </div>
  )
}

/** What somebody has written, as far as it may stand in a page. */
export function Markdown({ text }: { text: string }) {
  return (
    <div class="markdown" dir="auto">
      {raw(markdownToHtml(text))}
    </div>
  )
}
