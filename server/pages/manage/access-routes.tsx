import { type Context, Hono } from 'hono'
import { ownerAt } from '../../access/grant.ts'
import { type OwnerGrant, ownerGrant } from '../../access/owner-grant.ts'
import { type HolderKind, holderKinds } from '../../access/package-access.ts'
import type { Verb } from '../../access/rules.ts'
import type { HttpParts } from '../../http/parts.ts'
import { Problem } from '../../problems.ts'
import { attempt, type Faults, Form } from '../forms.ts'
import { goTo, linksOf, type Render } from '../page.tsx'
import { type PageEnv, visitOf } from '../visit.ts'
import { AccessPage, type TypedHolder } from './access.tsx'

const address = '/:owner/-/packages/generic/:name/-/access'

/** Who sees a package, and whom it names: for those who run its owner. */
export function accessRoutes(parts: HttpParts, render: Render): Hono<PageEnv> {
  const links = linksOf(parts)
  const access = parts.packageAccess

  const at = async <V extends Verb>(c: Context<PageEnv>, verb: V) => {
    const { owner = '', name = '' } = c.req.param() as Record<string, string>
    const visit = visitOf(c)
    const place = await visit.resolve({ owner, package: name, version: '', file: '' })
    const found = ownerAt(place)
    // Who is hidden is not there, also for who has not signed in.
    const grant: OwnerGrant<V> = ownerGrant(verb, visit.visitor ?? place.caller, found)
    return { grant, name }
  }
  const page = async (
    c: Context<PageEnv>,
    { grant, name }: { grant: OwnerGrant; name: string },
    typed?: TypedHolder,
    faults?: Faults,
  ) => {
    const view = await access.show(grant, name)
    const nameable = await access.nameable(grant)
    return render(
      c,
      { title: `Access · ${grant.owner.name}/${view.name}`, status: faults?.status ?? 200 },
      <AccessPage owner={grant.owner} its={view} nameable={nameable} typed={typed} faults={faults} />,
    )
  }
  const log = ({ owner, caller }: OwnerGrant<'write'>, name: string, what: string) =>
    parts.log.info(
      { 'package.owner': owner.name, 'package.name': name, 'user.name': caller.account.name },
      `${what} ${owner.name}/${name}`,
    )

  return new Hono<PageEnv>()
    .get(address, async (c) => page(c, await at(c, 'read')))
    .post(address, async (c) => {
      const { grant, name } = await at(c, 'write')
      const sent = (await Form.of(c.req.raw)).text('visibility')
      const visibility = (['inherit', 'private'] as const).find((known) => known === sent)
      const again = (faults: Faults) => page(c, { grant, name }, undefined, faults)
      if (!visibility) return again({ status: 422, fields: { visibility: 'Choose one of these.' } })
      const { faults } = await attempt(
        () => access.setVisibility(grant, name, visibility),
        () => 'visibility',
      )
      if (faults) return again(faults)
      log(grant, name, `Set the visibility ${visibility} of`)
      return goTo(links().package(grant.owner.name, name, 'access'), 'package-visibility-changed')
    })
    .post(`${address}/give`, async (c) => {
      const { grant, name } = await at(c, 'write')
      const form = await Form.of(c.req.raw)
      const typed = { kind: form.text('kind'), id: form.text('id').trim(), permission: form.text('permission') }
      const kind = kindFrom(typed.kind)
      const permission = (['read', 'write'] as const).find((known) => known === typed.permission)
      if (!kind || !permission)
        throw new Problem('bad-request', 'kind and permission must be of those that are offered.')
      const field = fieldOf(kind)
      const again = (faults: Faults) => page(c, { grant, name }, typed, faults)
      if (typed.id === '') return again({ status: 422, fields: { [field]: missing[kind] } })
      const { faults } = await attempt(
        () => access.name(grant, name, { kind, id: typed.id }, permission).catch(inWords(kind, typed.id)),
        () => field,
      )
      if (faults) return again(faults)
      log(grant, name, `Gave the ${kind} ${typed.id} ${permission} on`)
      return goTo(links().package(grant.owner.name, name, 'access'), 'package-access-given')
    })
    .post(`${address}/take`, async (c) => {
      const { grant, name } = await at(c, 'write')
      const form = await Form.of(c.req.raw)
      const kind = kindFrom(form.text('kind'))
      if (!kind) throw new Problem('bad-request', 'kind must be one of those that are offered.')
      await access.unname(grant, name, { kind, id: form.text('id') }).catch((error) => {
        // Somebody else was quicker.
        if (!(error instanceof Problem) || error.code !== 'not-found') throw error
      })
      log(grant, name, `Took from the ${kind} ${form.text('id')} the right on`)
      return goTo(links().package(grant.owner.name, name, 'access'), 'package-access-taken')
    })
}

function kindFrom(text: string): HolderKind | undefined {
  return holderKinds.find((known) => known === text)
}

/** The field of each form that says who. */
export function fieldOf(kind: HolderKind): string {
  return `${kind}-id`
}

const missing: Record<HolderKind, string> = {
  user: 'Type the name of a user.',
  team: 'Choose a team.',
  'deploy-token': 'Choose a deploy token.',
}

/** Who is not there, or hidden, is told beside the field. */
function inWords(kind: HolderKind, id: string) {
  return (error: unknown): never => {
    if (!(error instanceof Problem) || error.code !== 'not-found') throw error
    const what = kind === 'user' ? `There is no user ${id}, or not for you to see.` : 'That is gone meanwhile.'
    throw new Problem('unprocessable', what)
  }
}
