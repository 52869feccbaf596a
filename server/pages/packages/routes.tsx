import { type Context, Hono } from 'hono'
import { logFailure } from '../../http/failures.ts'
import { fileResponse } from '../../http/packages/download.ts'
import type { HttpParts } from '../../http/parts.ts'
import { problemResponse } from '../../http/problem-response.ts'
import { Problem } from '../../problems.ts'
import { readableFileById } from '../../registry/download.ts'
import { dailyDownloads } from '../../registry/downloads.ts'
import { ownerHere } from '../../registry/lists.ts'
import { showPackage } from '../../registry/package-text.ts'
import { findVersions, someFiles, someVersions, versionWithFiles } from '../../registry/shown-versions.ts'
import { ownerStanding } from '../components/places.tsx'
import { shownOf, sortingOf } from '../lists.ts'
import type { Render } from '../page.tsx'
import { type PageEnv, visitOf } from '../visit.ts'
import { fewFiles, PackagePage } from './package-page.tsx'
import { VersionPage } from './version-page.tsx'
import { VersionsPage } from './versions-page.tsx'

const base = '/:owner/-/packages/generic/:name'

/** Versions on the package's own page. */
const fewVersions = 10

/** Days of the chart. */
const chartDays = 30

/** A package, its versions, one of them, and the bytes of its files. */
export function packagePages(parts: HttpParts, render: Render): Hono<PageEnv> {
  const { registry } = parts
  const mayReadAt = (c: Context<PageEnv>) =>
    visitOf(c).mayReadPackage(c.req.param('owner') ?? '', c.req.param('name') ?? '')
  const versionIn = (c: Context<PageEnv>) => c.req.param('version') ?? ''

  const versionPage = async (c: Context<PageEnv>) => {
    const grant = await mayReadAt(c)
    const shown = shownOf(c)
    const { version, files } = await versionWithFiles(registry, grant, versionIn(c), shown)
    const asked = Number(c.req.query('file'))
    const view = {
      owner: ownerHere(grant),
      isPrivate: grant.visibility === 'private',
      caller: grant.caller,
      mayWrite: grant.mayWrite,
      version,
      files,
      shown,
      chosen: files.find(({ id }) => id === asked) ?? files[0],
      origins: files.flatMap(({ origin }) => origin ?? []),
      issuers: parts.publishers.issuers,
    }
    return render(c, { title: `${version.package} ${version.version}` }, <VersionPage {...view} />)
  }

  return new Hono<PageEnv>({ strict: false })
    .get(base, async (c) => {
      const grant = await mayReadAt(c)
      const its = await showPackage(registry, grant)
      const versions = await someVersions(registry, its, { offset: 0, limit: fewVersions })
      const [newest] = versions
      const [files, days] = newest
        ? await Promise.all([
            someFiles(registry, newest, { offset: 0, limit: fewFiles }),
            dailyDownloads(registry, its, chartDays),
          ])
        : [[], []]
      const { mayRun, mayWrite: mayWriteAll } = ownerStanding(grant.caller, grant.owner)
      const { caller, mayWrite } = grant
      const owner = ownerHere(grant)
      const isPrivate = grant.visibility === 'private'
      const view = { owner, isPrivate, caller, mayWrite, mayWriteAll, mayRun, its, versions, files, days }
      return render(c, { title: `${its.name} of ${grant.owner.name}` }, <PackagePage {...view} />)
    })
    .get(`${base}/versions`, async (c) => {
      const grant = await mayReadAt(c)
      const its = await showPackage(registry, grant)
      const text = c.req.query('q')?.trim() ?? ''
      const [shown, sorting] = [shownOf(c), sortingOf(c)]
      const found = await findVersions(registry, its, text, shown, sorting, c.req.raw.signal)
      const view = { owner: grant.owner.name, package: its.name, all: its.versions, ...found, text, shown, sorting }
      return render(c, { title: `Versions of ${its.name}` }, <VersionsPage {...view} />)
    })
    .get(`${base}/-/version/:version`, versionPage)
    .get(`${base}/:version`, versionPage)
    .get(`${base}/:version/files/:id`, async (c) => {
      const grant = await mayReadAt(c)
      const sent = c.req.param('id')
      if (!/^[1-9]\d{0,14}$/.test(sent)) throw new Problem('not-found', 'package file does not exist')
      const found = await readableFileById(registry, grant, { version: versionIn(c), id: Number(sent) })
      try {
        return fileResponse(registry, found, c.req.raw, (error) => logFailure(parts.log, c.req.raw, error))
      } catch (error) {
        // What is wrong with such conditions and ranges is said to the program that sent them, as where programs fetch files.
        if (!(error instanceof Problem) || !programsErrors.has(error.code)) throw error
        return problemResponse(error, c.req.raw, logFailure(parts.log, c.req.raw, error))
      }
    })
}

const programsErrors = new Set<Problem['code']>(['precondition-failed', 'range-not-satisfiable'])
