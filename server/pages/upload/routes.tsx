import { type Context, Hono } from 'hono'
import type { SignedIn } from '../../access/caller.ts'
import { type Grant, type PackageGrant, packageToChange } from '../../access/grant.ts'
import { logFailure } from '../../http/failures.ts'
import { logPublished } from '../../http/packages/routes.ts'
import { uploadFrom } from '../../http/packages/upload.ts'
import type { HttpParts } from '../../http/parts.ts'
import { tell } from '../../http/problem-response.ts'
import { requestBytes } from '../../http/request-body.ts'
import { MultipartError, openFirstFile } from '../../lib/multipart.ts'
import { fileName, packageName, versionName } from '../../names.ts'
import { Problem, type ProblemCode } from '../../problems.ts'
import type { Address } from '../../registry/download.ts'
import { showOwnerOf } from '../../registry/lists.ts'
import { largestFile, mustBePublishable, type Published, publish } from '../../registry/publish.ts'
import { fileFault, packageFault, versionFault } from '../assets/scripts/names-told.ts'
import { ownerStanding } from '../components/places.tsx'
import { attempt, type Faults, sentence } from '../forms.ts'
import { goTo, linksOf, type Render } from '../page.tsx'
import { type PageEnv, visitOf } from '../visit.ts'
import { UploadPage, type Wanted } from './page.tsx'

/** Organisations that the page offers beside the owner that it is about. */
const mostElsewhere = 50

/** Publishing from the browser. */
export function uploadPages(parts: HttpParts, render: Render): Hono<PageEnv> {
  const links = linksOf(parts)

  async function page(c: Context<PageEnv>, leave: PersonalGrant, faults?: Faults): Promise<Response> {
    const { owner, caller } = leave
    const wanted = wantedBy(c)
    // A form that was sent has both; a link may know one of them.
    const isAsked = wanted.package !== undefined && wanted.version !== undefined
    const wrong = isAsked ? faultsIn(wanted) : {}
    const content = (
      <UploadPage
        owner={await showOwnerOf(parts.registry, leave)}
        standing={ownerStanding(caller, owner)}
        wanted={wanted}
        isNamed={isAsked && Object.keys(wrong).length === 0}
        faults={{ ...wrong, ...faults?.fields }}
        alert={faults?.form}
        largest={await largestFile(parts.registry, leave)}
        elsewhere={await elsewhere(leave)}
      />
    )
    const status = faults?.status ?? (Object.keys(wrong).length > 0 ? 422 : 200)
    return render(c, { title: `Upload to ${owner.name}`, status, scripts: ['upload'] }, content)
  }

  /** At the owner or, where the form names a package, at that one: somebody may be let in there alone. */
  async function mayWriteAt(c: Context<PageEnv>): Promise<PersonalGrant> {
    const owner = c.req.param('owner') ?? ''
    const { package: name } = wantedBy(c)
    return name ? visitOf(c).mayWritePackage(owner, name) : visitOf(c).mayWrite(owner)
  }

  /** Where else the reader may publish. */
  async function elsewhere({ owner, caller }: PersonalGrant): Promise<string[]> {
    const names = [caller.account.name, ...(await parts.organisations.writtenBy(caller, mostElsewhere))]
    return names.filter((name) => name !== owner.name)
  }

  /** A script's call about one file; it is answered in JSON, refusals too. */
  async function called(c: Context<PageEnv>, work: (at: AtFile) => Promise<Response>): Promise<Response> {
    const { owner = '', package: name = '', version = '', file = '' } = c.req.param() as Record<string, string>
    const address = { owner, package: name, version, file }
    try {
      const visit = visitOf(c)
      visit.signedIn()
      const resolved = await visit.resolve(address)
      const leave = packageToChange(resolved)
      return await work({ address, leave, taken: resolved.found?.file })
    } catch (error) {
      // Its new address is told as to everybody else.
      if (error instanceof Problem && error.code === 'moved') throw error
      return refusal(c, inPlainWords(error), address)
    }
  }

  function refusal(c: Context<PageEnv>, error: unknown, { owner, package: name, version }: Address): Response {
    const { status, sentence: text, facts, headers } = tell(error, logFailure(parts.log, c.req.raw, error))
    // At this a browser would ask for a password itself.
    headers.delete('WWW-Authenticate')
    const code = error instanceof Problem ? error.code : 'unforeseen'
    // What is there already may be the same, and then it is shown as if it had just come.
    const page = code === 'already-exists' ? { page: links().version(owner, name, version) } : {}
    return Response.json({ message: sentence(text), code, ...facts, ...page }, { status, headers })
  }

  return (
    new Hono<PageEnv>()
      .get('/:owner/-/upload', async (c) => page(c, await mayWriteAt(c)))
      .post('/:owner/-/upload', async (c) => {
        const visit = visitOf(c)
        const leave = await mayWriteAt(c)
        const { package: name = '', version = '' } = wantedBy(c)
        const wrong = faultsIn({ package: name, version })
        if (Object.keys(wrong).length > 0) return page(c, leave, { status: 422, fields: wrong })
        const { done, faults } = await attempt(
          async () => {
            await using sent = await sentFile(c.req.raw)
            const address = { owner: leave.owner.name, package: name, version, file: sent.fileName }
            const upload = { package: packageName(name), version: versionName(version), file: fileName(sent.fileName) }
            const place = await visit.resolve(address)
            const rest = { body: sent.content, declaredSize: undefined, declaredDigests: {}, taken: place.found?.file }
            await publish(parts.registry, packageToChange(place), { ...upload, ...rest }).catch((error) => {
              throw inPlainWords(error)
            })
            logPublished(parts.log, leave, address)
            return true
          },
          () => 'file',
        )
        if (!done) return page(c, leave, faults)
        return goTo(links().version(leave.owner.name, name, version), 'published')
      })
      // What a script asks before it sends anything: a browser hears of a refusal only once it has sent the whole file.
      .get('/:owner/-/upload/:package/:version/:file', (c) =>
        called(c, async ({ address, leave, taken }) => {
          const names = {
            package: packageName(address.package),
            version: versionName(address.version),
            file: fileName(address.file),
          }
          const size = c.req.query('size') ?? ''
          const declaredSize = /^\d{1,16}$/.test(size) ? Number(size) : undefined
          await mustBePublishable(parts.registry, leave, { ...names, declaredSize, taken })
          return Response.json({ offset: 0 }, { headers: { 'Cache-Control': 'no-store' } })
        }),
      )
      .put('/:owner/-/upload/:package/:version/:file', (c) =>
        called(c, async ({ address, leave, taken }) => {
          const published = await publish(parts.registry, leave, { ...uploadFrom(c.req.raw, address), taken })
          logPublished(parts.log, leave, address)
          return Response.json(told(published, address), { status: 201, headers: { 'Cache-Control': 'no-store' } })
        }),
      )
  )

  function told({ sha256, size }: Published, { owner, package: name, version }: Address) {
    return { sha256, size, page: links().version(owner, name, version) }
  }
}

/** The protocol has sentences of its own, which programs know. */
const plainWords: Partial<Record<ProblemCode, string>> = {
  'already-exists': 'A file of this name is stored there already, and a published file never changes.',
  'too-large': 'The file is larger than a file may be here.',
  'quota-exceeded': 'The quota of this owner has no room for this file, or none for another version.',
  'credentials-wrong': 'Your session has ended.',
  forbidden: 'You may not publish this here, or not any more.',
}

function inPlainWords(error: unknown): unknown {
  if (!(error instanceof Problem)) return error
  const words = plainWords[error.code]
  return words ? new Problem(error.code, words, error.facts, error.cause) : error
}

/** Nobody looks at pages with an owner's token. */
type PersonalGrant = Grant<'write'> & { readonly caller: SignedIn }

interface AtFile {
  address: Address
  leave: PackageGrant<'write'>
  taken: Parameters<typeof mustBePublishable>[2]['taken']
}

function wantedBy(c: Context<PageEnv>): Wanted {
  return { package: c.req.query('package')?.trim(), version: c.req.query('version')?.trim() }
}

function faultsIn({ package: name = '', version = '' }: Wanted): Record<string, string> {
  const faults = { package: packageFault(name), version: versionFault(version) }
  return Object.fromEntries(Object.entries(faults).filter((entry): entry is [string, string] => entry[1] !== undefined))
}

/** The file in a form, as it arrives; refused where the form has none that could be published. */
async function sentFile(request: Request) {
  const type = request.headers.get('content-type') ?? ''
  if (!/^\s*multipart\/form-data\b/i.test(type)) {
    throw new Problem('bad-request', 'This takes a form with a file (multipart/form-data).')
  }
  const part = await readable(openFirstFile(type, requestBytes(request)))
  const fault = part.fileName === '' ? 'Choose a file.' : fileFault(part.fileName)
  if (fault !== undefined) {
    await part.close()
    throw new Problem('unprocessable', fault)
  }
  async function* content(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const { done, value } = await readable(part.content.next())
      if (done) return
      yield value
    }
  }
  return { fileName: part.fileName, content: content(), [Symbol.asyncDispose]: () => part.close() }
}

function readable<Result>(work: Promise<Result>): Promise<Result> {
  return work.catch((error) => {
    throw error instanceof MultipartError ? new Problem('bad-request', error.message) : error
  })
}
