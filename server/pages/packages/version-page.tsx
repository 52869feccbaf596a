import type { Caller } from '../../access/caller.ts'
import type { Issuer } from '../../lib/issuers.ts'
import type { Profile } from '../../registry/lists.ts'
import type { FileOrigin } from '../../registry/origins.ts'
import type { DatedFile, FiguredVersion } from '../../registry/shown-versions.ts'
import { ButtonLink } from '../components/forms.tsx'
import { Icon } from '../components/icon.tsx'
import { Columns, Empty, Pager, PrivateBadge, Section, Trail, VisibilityBadge } from '../components/parts.tsx'
import { TableHead } from '../components/table-head.tsx'
import { Ago, Copy, Size } from '../components/values.tsx'
import { withQuery } from '../links.ts'
import type { Shown } from '../lists.ts'
import { useSite } from '../site.ts'
import { number, shortened } from '../words.ts'
import { Fact, Facts, Maker, sizeOfTitle } from './facts.tsx'
import { Origins } from './origins.tsx'
import { FetchTools, PublishTools } from './tools.tsx'

export interface VersionView {
  owner: Pick<Profile, 'name' | 'visibility'>
  /** Whether the package is seen by fewer than see its owner. */
  isPrivate: boolean
  caller: Caller
  mayWrite: boolean
  version: FiguredVersion
  files: readonly DatedFile[]
  shown: Shown
  /** Whose commands are shown. */
  chosen: DatedFile | undefined
  /** Of files that jobs published. */
  origins: readonly FileOrigin[]
  issuers: readonly Issuer[]
}

export function VersionPage(props: VersionView) {
  const { owner, isPrivate, caller, version, files, shown, chosen, mayWrite } = props
  const { links, address, visitor } = useSite()
  const names = { address, owner: owner.name, package: version.package, version: version.version }
  return (
    <>
      <Trail
        steps={[
          { text: owner.name, href: links.owner(owner.name) },
          { text: shortened(version.package, 20), href: links.package(owner.name, version.package) },
          { text: shortened(version.version, 20) },
        ]}
      />
      <Head {...props} />
      <Columns
        aside={
          <>
            <Facts>
              <Fact name="Package">
                <a href={links.package(owner.name, version.package)}>{version.package}</a>
              </Fact>
              <Fact name="Published">
                <Ago at={version.createdAt} />
              </Fact>
              <Fact name="By">
                <Maker of={version.creator} caller={caller} />
              </Fact>
              <Fact name="Files">{number(version.files)}</Fact>
              <Fact name="Size">
                <Size of={version.size} />
              </Fact>
              <Fact name="Downloads">{number(version.downloads)}</Fact>
              <Fact name="Others">
                <a href={links.versions(owner.name, version.package)}>All versions</a>
              </Fact>
            </Facts>
            <Origins origins={props.origins} issuers={props.issuers} />
          </>
        }
      >
        <section aria-label="Files">
          {files.length > 0 ? (
            <FileTable {...props} />
          ) : (
            <Empty title="There is no file on this page.">
              <p>
                <a href={links.version(owner.name, version.package, version.version)}>To the first files</a>
              </p>
            </Empty>
          )}
          <Pager
            paging={{ ...shown, total: version.files, shown: files.length }}
            path={links.version(owner.name, version.package, version.version)}
          />
        </section>
        {chosen && (
          <Section title="Download by command" id="commands">
            {version.files > 1 && (
              <p class="mb-3 breaks">
                <Icon name="file" /> <code>{chosen.name}</code>
              </p>
            )}
            <FetchTools
              file={{
                ...names,
                file: chosen.name,
                sha256: chosen.sha256,
                needsToken: isPrivate || owner.visibility !== 'public',
              }}
            />
          </Section>
        )}
        {(mayWrite || !visitor) && (
          <Section title="Publish another file to this version">
            <PublishTools file={{ ...names, file: 'my-file.zip' }} />
          </Section>
        )}
      </Columns>
    </>
  )
}

function Head({ owner, version, mayWrite, isPrivate }: VersionView) {
  const { links } = useSite()
  const names = { package: version.package, version: version.version }
  return (
    <header class="mb-6 flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
      <div class="flex flex-wrap items-center gap-x-3 gap-y-2 min-w-0">
        <h1 class={sizeOfTitle(version.package + version.version)}>
          {version.package} <bdi class="font-mono font-medium tracking-normal">{version.version}</bdi>
        </h1>
        {isPrivate ? <PrivateBadge /> : <VisibilityBadge visibility={owner.visibility} />}
      </div>
      {mayWrite && (
        <div class="flex flex-wrap gap-2">
          <ButtonLink href={withQuery(links.owner(owner.name, 'upload'), names)} icon="upload" size="sm">
            Upload
          </ButtonLink>
          <ButtonLink
            href={links.version(owner.name, version.package, version.version, 'delete')}
            icon="trash"
            size="sm"
          >
            Delete
          </ButtonLink>
        </div>
      )}
    </header>
  )
}

function FileTable({ owner, version, files, shown, chosen, mayWrite }: VersionView) {
  const { links } = useSite()
  const at = (file: DatedFile) => links.file(owner.name, version.package, version.version, file.id)
  const commandsOf = (file: DatedFile) =>
    `${withQuery(links.version(owner.name, version.package, version.version), {
      page: shown.page === 1 ? undefined : shown.page,
      file: file.id,
    })}#commands`
  return (
    <table class="list-table compact">
      <TableHead
        columns={[
          { text: 'File', isWide: true },
          { text: 'Size', isNumber: true },
          { text: 'Downloads', isNumber: true },
          { text: 'Added', isNumber: true },
        ]}
      />
      <tbody>
        {files.map((file) => (
          <tr>
            <td class="breaks">
              <a href={at(file)} class="inline-flex items-start gap-2 max-w-full">
                <Icon name="down" class="mt-1" />
                <code class="line breaks underline underline-offset-4 decoration-base-content/35">{file.name}</code>
              </a>
              <details class="text-sm mt-1">
                <summary class="quiet inline-flex items-center gap-1.5 py-0.5">
                  <Icon name="chevron" /> Checksums
                  {mayWrite ? ' and more' : version.files > 1 && ' and commands'}
                  <span class="sr-only"> of {file.name}</span>
                </summary>
                <Digests file={file} />
                <p class="flex flex-wrap gap-x-4 gap-y-1 mt-2 mb-1">
                  {version.files > 1 && (
                    <a href={commandsOf(file)} aria-current={file.id === chosen?.id ? 'true' : undefined}>
                      Commands for this file
                    </a>
                  )}
                  {mayWrite && (
                    <a href={links.deleteFile(owner.name, version.package, version.version, file.id)}>
                      Delete this file
                    </a>
                  )}
                </p>
              </details>
            </td>
            <td data-label="Size" class="number">
              <Size of={file.size} />
            </td>
            <td data-label="Downloads" class="number">
              {number(file.downloads)}
            </td>
            <td data-label="Added" class="number">
              <Ago at={file.createdAt} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Digests({ file }: { file: DatedFile }) {
  const { sha256, sha512, sha1, md5, name } = file
  return (
    <dl class="grid gap-1.5 mt-1.5">
      {Object.entries({ 'SHA-256': sha256, 'SHA-512': sha512, 'SHA-1': sha1, MD5: md5 }).map(([algorithm, digest]) => (
        <div>
          <dt class="quiet inline-flex items-center gap-1">
            {algorithm}
            {digest !== null && <Copy text={digest} what={`${algorithm} of ${name}`} />}
          </dt>
          <dd class="breaks">
            {digest === null ? <span class="quiet">still being computed</span> : <code>{digest}</code>}
          </dd>
        </div>
      ))}
    </dl>
  )
}
