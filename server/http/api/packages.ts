import { type Context, Hono } from 'hono'
import { z } from 'zod'
import { actorOf } from '../../access/caller.ts'
import { type Grant, grantToShow, ownerAt, packageToChange, packageToShow } from '../../access/grant.ts'
import { Problem } from '../../problems.ts'
import { addressKeys } from '../../registry/download.ts'
import {
  listOwner,
  listPackage,
  packageNow,
  showFiles,
  showLatest,
  showVersion,
  type VersionList,
} from '../../registry/lists.ts'
import { removePackage } from '../../registry/purge.ts'
import { removeVersion } from '../../registry/remove.ts'
import { inTurn } from '../../registry/search.ts'
import type { HttpParts } from '../parts.ts'
import { json, jsonPage, type Page, pageOf, publicAddress } from './answers.ts'
import type { ApiEnv } from './app.ts'
import { documented } from './documented.ts'
import { packageIn, packageToReadAt, packageToWriteAt } from './package-calls.ts'
import { packageFile, packageVersion } from './schemas.ts'
import { fileShape, packageShape } from './shapes.ts'
import { sortingFrom, sortParameters } from './sorting.ts'

/** What `?type=` may say: there is one type of package here, so a list of any other is empty. */
const shownTypes = ['', 'all', 'generic']

/** `/packages/{owner}`: what is there, for everybody who may read it; and away with it, for who may write. */
export function packages(parts: HttpParts): Hono<ApiEnv> {
  const ownerToRead = async (c: Context<ApiEnv>): Promise<Grant<'read'>> => {
    const owner = c.req.param('owner') ?? ''
    const resolved = await c.env.resolve(addressKeys({ owner, package: '', version: '', file: '' }))
    return grantToShow(resolved.caller, ownerAt(resolved))
  }
  /** For clients that tie packages to repositories, of which there are none: what they are told comes in this order. */
  const mustMayLink = async (c: Context<ApiEnv>) => {
    const place = await packageIn(c)
    await packageNow(parts.registry, packageToShow(place))
    packageToChange(place)
  }
  const addressIn = (c: Context<ApiEnv>) => ({
    package: c.req.param('name') ?? '',
    version: c.req.param('version') ?? '',
  })
  const listed = (c: Context<ApiEnv>, { caller }: Grant<'read'>, list: VersionList, page: Page) => {
    const shown = list.versions.map((version) => packageShape({ ...list, version }, caller, parts.publicUrl()))
    return jsonPage(shown, list.total, page, publicAddress(parts.publicUrl(), c.req.raw))
  }

  return new Hono<ApiEnv>()
    .get(
      '/packages/:owner',
      documented({
        tag: 'packages',
        id: 'listPackages',
        summary: 'The packages of an owner',
        description: 'One entry for each version; not said otherwise, the newest first.',
        callers: 'anybody',
        query: {
          q: { description: 'Part of the package name, in any letter case.', schema: z.string() },
          type: { description: 'There are generic packages alone: a list of any other is empty.', schema: z.string() },
          ...sortParameters,
        },
        page: packageVersion,
      }),
      async (c) => {
        const grant = await ownerToRead(c)
        const page = pageOf(new URL(c.req.url))
        const sorting = sortingFrom(c.req.query())
        if (!shownTypes.includes(c.req.query('type') ?? '')) {
          return jsonPage([], 0, page, publicAddress(parts.publicUrl(), c.req.raw))
        }
        const q = c.req.query('q') ?? ''
        const list = () => listOwner(parts.registry, grant, q, page, sorting)
        return listed(c, grant, await (q === '' ? list() : inTurn(parts.registry, c.req.raw.signal, list)), page)
      },
    )
    .get(
      '/packages/:owner/generic/:name',
      documented({
        tag: 'packages',
        id: 'listVersions',
        summary: 'The versions of a package',
        description: 'Not said otherwise, the newest first.',
        callers: 'anybody',
        query: sortParameters,
        page: packageVersion,
      }),
      async (c) => {
        const grant = await packageToReadAt(c)
        const page = pageOf(new URL(c.req.url))
        const sorting = sortingFrom(c.req.query())
        return listed(c, grant, await listPackage(parts.registry, grant, page, sorting), page)
      },
    )
    .get(
      '/packages/:owner/generic/:name/-/latest',
      documented({
        tag: 'packages',
        id: 'getLatestVersion',
        summary: 'The newest version of a package',
        callers: 'anybody',
        answers: { 200: { description: 'The version that was made last.', schema: packageVersion } },
      }),
      async (c) => {
        const grant = await packageToReadAt(c)
        const found = await showLatest(parts.registry, grant)
        return json(packageShape(found, grant.caller, parts.publicUrl()))
      },
    )
    .get(
      '/packages/:owner/generic/:name/:version',
      documented({
        tag: 'packages',
        id: 'getPackage',
        summary: 'A version of a package',
        callers: 'anybody',
        answers: { 200: { description: 'The version.', schema: packageVersion } },
      }),
      async (c) => {
        const grant = await packageToReadAt(c)
        const found = await showVersion(parts.registry, grant, addressIn(c).version)
        return json(packageShape(found, grant.caller, parts.publicUrl()))
      },
    )
    .get(
      '/packages/:owner/generic/:name/:version/files',
      documented({
        tag: 'packages',
        id: 'listFiles',
        summary: 'The files of a version',
        callers: 'anybody',
        answers: { 200: { description: 'All of them, by name.', schema: packageFile.array() } },
      }),
      async (c) => {
        const grant = await packageToReadAt(c)
        const files = await showFiles(parts.registry, grant, addressIn(c).version, c.req.raw.signal)
        return json(files.map(fileShape))
      },
    )
    .delete(
      '/packages/:owner/generic/:name',
      documented({
        tag: 'packages',
        id: 'deletePackage',
        summary: 'Delete a package',
        description: 'For those who may write to the owner.',
        answers: { 204: { description: 'It is gone with all its versions.' } },
      }),
      async (c) => {
        const grant = await packageToWriteAt(c)
        const address = addressIn(c)
        await removePackage(parts.registry, grant)
        parts.log.info(eventOf(grant, address), `Removed ${grant.owner.name}/${address.package}`)
        return new Response(null, { status: 204 })
      },
    )
    .delete(
      '/packages/:owner/generic/:name/:version',
      documented({
        tag: 'packages',
        id: 'deleteVersion',
        summary: 'Delete a version',
        description: 'For those who may write to the owner.',
        answers: { 204: { description: 'It is gone with all its files.' } },
      }),
      async (c) => {
        const grant = await packageToWriteAt(c)
        const address = addressIn(c)
        await removeVersion(parts.registry, grant, address.version)
        parts.log.info(eventOf(grant, address), `Removed ${grant.owner.name}/${address.package}/${address.version}`)
        return new Response(null, { status: 204 })
      },
    )
    .post(
      '/packages/:owner/generic/:name/-/link/:repo',
      documented({
        tag: 'packages',
        id: 'linkPackage',
        summary: 'Tie a package to a repository',
        description: 'For clients that do so: Stowage hosts no repositories, so the answer is always a refusal.',
      }),
      async (c) => {
        await mustMayLink(c)
        throw new Problem('not-found', 'repository does not exist')
      },
    )
    .post(
      '/packages/:owner/generic/:name/-/unlink',
      documented({
        tag: 'packages',
        id: 'unlinkPackage',
        summary: 'Untie a package from its repository',
        description: 'For clients that do so: Stowage hosts no repositories, so the answer is always a refusal.',
      }),
      async (c) => {
        await mustMayLink(c)
        throw new Problem('bad-request', 'package is not linked')
      },
    )
}

function eventOf({ owner, caller }: Grant<'write'>, address: { package: string; version: string }) {
  return {
    'package.owner': owner.name,
    'package.name': address.package,
    ...(address.version ? { 'package.version': address.version } : {}),
    'user.name': actorOf(caller).name,
  }
}
