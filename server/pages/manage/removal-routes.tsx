import { type Context, Hono } from 'hono'
import { actorOf } from '../../access/caller.ts'
import type { PackageGrant } from '../../access/grant.ts'
import type { HttpParts } from '../../http/parts.ts'
import { longestName } from '../../names.ts'
import { Problem } from '../../problems.ts'
import { type Deletion, deleteVersions } from '../../registry/delete-versions.ts'
import { type Loss, lossOfFile, lossOfPackage, lossOfVersion } from '../../registry/losses.ts'
import { showPackage } from '../../registry/package-text.ts'
import { removePackage } from '../../registry/purge.ts'
import { removeFile, removeVersion } from '../../registry/remove.ts'
import { Form } from '../forms.ts'
import type { Notice } from '../notices.ts'
import { goTo, linksOf, type Render } from '../page.tsx'
import { type PageEnv, visitOf } from '../visit.ts'
import { DeleteVersionsPage, RemovalPage, type RemovalProps } from './removal.tsx'

/** Something that can be deleted: what is lost with it, how, and where that leads. */
interface Removal extends Pick<RemovalProps, 'what' | 'name' | 'steps' | 'also' | 'action' | 'back'> {
  loss: Loss
  /** As the log has it. */
  path: string
  remove: () => Promise<void>
  notice: Notice
}

/** Files, versions and packages go, once their names have been typed. */
export function removalRoutes(parts: HttpParts, render: Render): Hono<PageEnv> {
  const { registry } = parts
  const links = linksOf(parts)

  const ofFile = async (c: Context<PageEnv>, grant: PackageGrant<'write'>): Promise<Removal> => {
    const { name = '', version = '', id = '' } = c.req.param()
    const loss = await lossOfFile(registry, grant, { version, id: idIn(id) })
    const owner = grant.owner.name
    const path = [owner, loss.package, loss.version, loss.file].join('/')
    return {
      what: 'file',
      name: loss.file,
      steps: [
        ...stepsTo(owner, loss.package),
        { text: loss.version, href: links().version(owner, name, loss.version) },
      ],
      also: loss.isLast ? `It is the last file of ${loss.version}: the version goes with it.` : undefined,
      action: links().deleteFile(owner, loss.package, loss.version, idIn(id)),
      back: links().version(owner, loss.package, loss.version),
      loss,
      path,
      remove: () => removeFile(registry, grant, { version: loss.version, file: loss.file }),
      notice: loss.isLast ? 'version-deleted' : 'file-deleted',
    }
  }
  const ofVersion = async (c: Context<PageEnv>, grant: PackageGrant<'write'>): Promise<Removal> => {
    const { name = '', version = '' } = c.req.param()
    const loss = await lossOfVersion(registry, grant, version)
    const owner = grant.owner.name
    return {
      what: 'version',
      name: loss.version,
      steps: [
        ...stepsTo(owner, loss.package),
        { text: loss.version, href: links().version(owner, name, loss.version) },
      ],
      action: links().version(owner, loss.package, loss.version, 'delete'),
      back: links().version(owner, loss.package, loss.version),
      loss,
      path: [owner, loss.package, loss.version].join('/'),
      remove: () => removeVersion(registry, grant, loss.version),
      notice: 'version-deleted',
    }
  }
  const ofPackage = async (_: Context<PageEnv>, grant: PackageGrant<'write'>): Promise<Removal> => {
    const loss = await lossOfPackage(registry, grant)
    const owner = grant.owner.name
    return {
      what: 'package',
      name: loss.package,
      steps: stepsTo(owner, loss.package),
      also: 'What is said of it goes too: description, README and labels.',
      action: links().package(owner, loss.package, 'delete'),
      back: links().package(owner, loss.package),
      loss,
      path: [owner, loss.package].join('/'),
      remove: () => removePackage(registry, grant),
      notice: 'package-deleted',
    }
  }
  const stepsTo = (owner: string, name: string) => [
    { text: owner, href: links().owner(owner) },
    { text: name, href: links().package(owner, name) },
  ]

  /** The nearest page that is left: that of the version, of the package or of the owner. */
  const placeAfter = async (c: Context<PageEnv>, { what, notice, loss, back }: Removal, owner: string) => {
    if (what === 'file' && notice === 'file-deleted') return back
    const look = async () => showPackage(registry, await visitOf(c).mayReadPackage(owner, loss.package))
    const isLeft = what !== 'package' && (await isThere(look))
    return isLeft ? links().package(owner, loss.package) : links().owner(owner)
  }

  const mayWriteAt = (c: Context<PageEnv>) =>
    visitOf(c).mayWritePackage(c.req.param('owner') ?? '', c.req.param('name') ?? '')

  const app = new Hono<PageEnv>()
  const removal = (address: string, find: (c: Context<PageEnv>, grant: PackageGrant<'write'>) => Promise<Removal>) => {
    const page = (
      c: Context<PageEnv>,
      its: Removal,
      more: { status?: number; typed?: string; error?: string } = {},
    ) => {
      const { status = 200, ...said } = more
      const { remove: _, path: __, notice: ___, ...shown } = its
      const title = `Delete ${its.name}`
      return render(c, { title, status }, <RemovalPage {...shown} grace={registry.blobGrace} {...said} />)
    }
    app.get(address, async (c) => {
      const grant = await mayWriteAt(c)
      return page(c, await find(c, grant))
    })
    app.post(address, async (c) => {
      const grant = await mayWriteAt(c)
      const its = await find(c, grant)
      const typed = (await Form.of(c.req.raw)).text('confirm').trim()
      if (typed !== its.name) return page(c, its, { status: 422, typed, error: notThat(typed) })
      await its.remove()
      log(grant, its.path)
      return goTo(await placeAfter(c, its, grant.owner.name), its.notice)
    })
  }
  const log = ({ owner, caller }: PackageGrant<'write'>, path: string) =>
    parts.log.info({ 'package.owner': owner.name, 'user.name': actorOf(caller).name }, `Removed ${path}`)

  removal('/:owner/-/packages/generic/:name/-/version/:version/delete/:id', ofFile)
  removal('/:owner/-/packages/generic/:name/-/version/:version/delete', ofVersion)
  removal('/:owner/-/packages/generic/:name/-/delete', ofPackage)

  const many = '/:owner/-/packages/generic/:name/-/delete-versions'
  const dryRun = (grant: PackageGrant<'write'>, pattern: string) =>
    deleteVersions(registry, grant, { choice: { pattern }, dryRun: true })
  type Said = { deletion?: Deletion; fault?: string; refusal?: string; typed?: string; error?: string }
  const manyPage = async (c: Context<PageEnv>, pattern: string, status: number, said: Said) => {
    const { owner = '', name = '' } = c.req.param()
    const grant = await visitOf(c).mayReadPackage(owner, name)
    const its = await showPackage(registry, grant)
    const page = <DeleteVersionsPage owner={grant.owner.name} name={its.name} pattern={pattern} {...said} />
    return render(c, { title: `Delete versions of ${its.name}`, status }, page)
  }
  return app
    .get(many, async (c) => {
      const grant = await mayWriteAt(c)
      const pattern = c.req.query('pattern')?.trim() ?? ''
      const fault = faultIn(pattern)
      if (c.req.query('pattern') === undefined) return manyPage(c, '', 200, {})
      if (fault) return manyPage(c, pattern, 422, { fault })
      return manyPage(c, pattern, 200, { deletion: await dryRun(grant, pattern) })
    })
    .post(many, async (c) => {
      const { owner, name } = c.req.param()
      const grant = await mayWriteAt(c)
      const form = await Form.of(c.req.raw)
      const pattern = form.text('pattern').trim()
      const fault = faultIn(pattern)
      if (fault) return manyPage(c, pattern, 422, { fault })
      const deletion = await dryRun(grant, pattern)
      const typed = form.text('confirm').trim()
      const its = await showPackage(registry, await visitOf(c).mayReadPackage(owner, name))
      if (typed !== its.name) return manyPage(c, pattern, 422, { deletion, typed, error: notThat(typed) })
      if (form.text('total') !== String(deletion.total)) {
        const refusal = 'Other versions are like that by now, so nothing is deleted. Look at the list again.'
        return manyPage(c, pattern, 409, { deletion, refusal, typed })
      }
      const { total } = await deleteVersions(registry, grant, { choice: { pattern }, dryRun: false })
      parts.log.info(
        {
          'package.owner': grant.owner.name,
          'package.name': its.name,
          'deletion.versions': total,
          'user.name': actorOf(grant.caller).name,
        },
        `Removed ${total} versions of ${grant.owner.name}/${its.name}`,
      )
      const look = async () => showPackage(registry, await visitOf(c).mayReadPackage(owner, name))
      const isLeft = await isThere(look)
      const place = isLeft ? links().package(grant.owner.name, its.name) : links().owner(grant.owner.name)
      return goTo(place, 'versions-deleted')
    })
}

/** What to say of a name that is not the one to be typed. */
export function notThat(typed: string): string {
  return typed === '' ? 'Type the name, so that nothing is deleted by accident.' : 'This is not the name.'
}

function faultIn(pattern: string): string | undefined {
  if (pattern === '') return 'Type a pattern, or a version.'
  if (pattern.length > longestName) return `May have ${longestName} characters at most.`
  return pattern.isWellFormed() && !pattern.includes('\0') ? undefined : 'May not hold NUL or half a character.'
}

function idIn(text: string): number {
  const id = /^\d{1,15}$/.test(text) ? Number(text) : undefined
  if (id === undefined) throw new Problem('not-found', 'package file does not exist')
  return id
}

async function isThere(look: () => Promise<unknown>): Promise<boolean> {
  try {
    await look()
    return true
  } catch (error) {
    if (error instanceof Problem && error.code === 'not-found') return false
    throw error
  }
}
