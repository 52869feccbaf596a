import { type Context, Hono } from 'hono'
import type { Resolved } from '../../access/access.ts'
import { ownerAt } from '../../access/grant.ts'
import { type OrganisationGrant, organisationGrant, type Visibility } from '../../access/organisations.ts'
import { leaveForOrganisation, leaveForUser, type OwnerLeave } from '../../access/owner-leave.ts'
import { leaveToRemove } from '../../access/removal.ts'
import { permission } from '../../access/rules.ts'
import type { Visitor } from '../../access/sessions.ts'
import { changedOrganisation, fieldsFrom } from '../../http/api/organisations.ts'
import type { HttpParts } from '../../http/parts.ts'
import { Problem } from '../../problems.ts'
import { showOwner } from '../../registry/lists.ts'
import { removeOwner } from '../../registry/purge.ts'
import { showUsage } from '../../registry/usage.ts'
import { ownerStanding } from '../components/places.tsx'
import { attempt, checked, type Faults, Form } from '../forms.ts'
import { goTo, linksOf, type Render } from '../page.tsx'
import { type PageEnv, visitOf } from '../visit.ts'
import { notThat } from './removal-routes.tsx'
import {
  DeleteOwnerPage,
  profileAs,
  RenamePage,
  type SettingsOf,
  SettingsPage,
  type TypedProfile,
  VisibilityPage,
} from './settings.tsx'

/** An owner whom somebody may run: the user himself, an owner of the organisation, an administrator. */
interface Run {
  visitor: Visitor
  resolved: Resolved
  /** Of an organisation. */
  grant: OrganisationGrant<'owner'> | undefined
  its: SettingsOf
}

/** What an owner is called, who sees him, and his end. */
export function settingsRoutes(parts: HttpParts, render: Render): Hono<PageEnv> {
  const { registry } = parts
  const links = linksOf(parts)

  const mayRun = async (c: Context<PageEnv>): Promise<Run> => {
    const visit = visitOf(c)
    const resolved = await visit.resolve({ owner: c.req.param('owner') ?? '', package: '', version: '', file: '' })
    const { caller } = resolved
    const owner = ownerAt(resolved)
    if (!owner || permission(caller, owner) === 'none') throw new Problem('not-found', 'Not found.')
    const visitor = visit.signedIn()
    const isOrganisation = owner.kind === 'organisation'
    const grant = isOrganisation ? organisationGrant('owner', 'write', caller, owner) : undefined
    const standing = ownerStanding(caller, owner)
    if (!standing.mayRun) throw new Problem('forbidden', `These are the settings of ${owner.name}, and not yours.`)
    const isOwn = owner.id === visitor.account.id
    const { isAdmin } = visitor.account
    return {
      visitor,
      resolved,
      grant,
      its: {
        profile: await showOwner(registry, owner),
        standing,
        audience: { kind: owner.kind, name: owner.name, mustSignIn: mustSignIn(parts) },
        isOwn,
        mayRename: isOrganisation || isAdmin,
        mayDelete: isOrganisation || (isAdmin && !isOwn),
      },
    }
  }
  const leaveFor = ({ resolved, grant }: Run): OwnerLeave =>
    grant ? leaveForOrganisation(resolved) : leaveForUser(resolved)
  const usageOf = async (c: Context<PageEnv>, name: string) => showUsage(registry, await visitOf(c).mayRead(name))

  const settingsPage = async (c: Context<PageEnv>, run: Run, typed?: TypedProfile, faults?: Faults) => {
    const { grant, its } = run
    const shown = typed ?? (grant && profileAs(await parts.organisations.show(grant)))
    return render(
      c,
      { title: `Settings · ${its.profile.name}`, status: faults?.status ?? 200 },
      <SettingsPage its={its} typed={shown} faults={faults} />,
    )
  }
  const changeVisibility = async (run: Run, visibility: Visibility): Promise<void> => {
    const { grant, its, visitor } = run
    if (grant) await parts.organisations.change(grant, { visibility })
    else if (its.isOwn) await parts.ownAccount.changeSettings(visitor, { visibility })
    else await parts.administration.change(leaveFor(run), { visibility }, undefined)
  }
  const log = ({ visitor, its }: Run, sentence: string) =>
    parts.log.info({ 'owner.name': its.profile.name, 'user.name': visitor.account.name }, sentence)

  return new Hono<PageEnv>()
    .get('/:owner/-/settings', async (c) => settingsPage(c, await mayRun(c)))
    .post('/:owner/-/settings', async (c) => {
      const run = await mayRun(c)
      const { grant } = run
      if (!grant) throw new Problem('not-found', 'Not found.')
      const typed = profileFrom(await Form.of(c.req.raw))
      const { data, faults } = checked(changedOrganisation, typed)
      if (faults) return settingsPage(c, run, typed, faults)
      const changed = await attempt(() => parts.organisations.change(grant, fieldsFrom(data)))
      if (changed.faults) return settingsPage(c, run, typed, changed.faults)
      log(run, `Changed the organisation ${changed.done.name}`)
      return goTo(links().owner(changed.done.name, 'settings'), 'organisation-changed')
    })
    .post('/:owner/-/settings/visibility', async (c) => {
      const run = await mayRun(c)
      const { profile } = run.its
      const form = await Form.of(c.req.raw)
      const to = (['public', 'limited', 'private'] as const).find((known) => known === form.text('visibility'))
      const settings = links().owner(profile.name, 'settings')
      if (!to) {
        const faults = { status: 422, fields: { visibility: 'Choose one of these.' } }
        return settingsPage(c, run, undefined, faults)
      }
      if (to === profile.visibility) return goTo(settings, 'visibility-stays')
      if (form.text('sure') !== 'yes') {
        const page = <VisibilityPage its={run.its} to={to} usage={await usageOf(c, profile.name)} />
        return render(c, { title: `Make ${profile.name} ${to}` }, page)
      }
      await changeVisibility(run, to)
      log(run, `${run.visitor.account.name} made ${profile.name} ${to}`)
      return goTo(settings, 'visibility-changed')
    })
    .get('/:owner/-/settings/rename', async (c) => {
      const run = await mayRun(c)
      leaveFor(run)
      return render(c, { title: `Rename ${run.its.profile.name}` }, <RenamePage its={run.its} wanted="" />)
    })
    .post('/:owner/-/settings/rename', async (c) => {
      const run = await mayRun(c)
      const { its } = run
      const leave = leaveFor(run)
      const form = await Form.of(c.req.raw)
      const wanted = form.text('new_name').trim()
      const typed = form.text('confirm').trim()
      const again = (faults: Faults) => {
        const page = <RenamePage its={its} wanted={wanted} typed={typed} faults={faults} />
        return render(c, { title: `Rename ${its.profile.name}`, status: faults.status }, page)
      }
      if (typed !== its.profile.name) return again({ status: 422, fields: { confirm: notThat(typed) } })
      const renamed = await attempt(
        () => parts.ownerNames.rename(leave, wanted),
        () => 'new_name',
      )
      if (renamed.faults) return again(renamed.faults)
      log(run, `${run.visitor.account.name} renamed ${its.profile.name} to ${renamed.done}`)
      return goTo(links().owner(renamed.done, 'settings'), 'owner-renamed')
    })
    .get('/:owner/-/settings/delete', async (c) => {
      const run = await mayRun(c)
      leaveToRemove(leaveFor(run), false)
      const usage = await usageOf(c, run.its.profile.name)
      return render(c, { title: `Delete ${run.its.profile.name}` }, <DeleteOwnerPage its={run.its} usage={usage} />)
    })
    .post('/:owner/-/settings/delete', async (c) => {
      const run = await mayRun(c)
      const { name } = run.its.profile
      const form = await Form.of(c.req.raw)
      const typed = form.text('confirm').trim()
      const removal = leaveToRemove(leaveFor(run), form.text('purge') === 'yes')
      const again = async (status: number, said: { error?: string; refusal?: string }) => {
        const page = <DeleteOwnerPage its={run.its} usage={await usageOf(c, name)} typed={typed} {...said} />
        return render(c, { title: `Delete ${name}`, status }, page)
      }
      if (typed !== name) return again(422, { error: notThat(typed) })
      // Somebody has published since the page was shown, which said of no package that it goes.
      if (!removal.purge && (await usageOf(c, name)).packages > 0) {
        return again(409, { refusal: `${name} has packages by now, so nothing is deleted. Look at what goes with it.` })
      }
      const { faults } = await attempt(() => removeOwner(registry, removal))
      if (faults) return again(faults.status, { refusal: faults.form ?? '' })
      log(run, `${run.visitor.account.name} deleted ${name}`)
      return goTo(links().to(), 'owner-deleted')
    })
}

function profileFrom(form: Form): TypedProfile {
  const text = (name: keyof TypedProfile) => form.text(name).trim()
  return {
    full_name: text('full_name'),
    description: text('description'),
    website: text('website'),
    location: text('location'),
    email: text('email'),
  }
}

/** Whether nobody sees anything here before he has signed in. */
function mustSignIn({ access: { stranger } }: HttpParts): boolean {
  return stranger.kind === 'anonymous' && stranger.mustSignIn
}
