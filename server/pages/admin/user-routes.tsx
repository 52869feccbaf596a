import { type Context, Hono } from 'hono'
import { z } from 'zod'
import type { UserRow } from '../../access/accounts.ts'
import type { AccountChange } from '../../access/administration.ts'
import { leaveForUser } from '../../access/owner-leave.ts'
import { leaveToRemove } from '../../access/removal.ts'
import { newPassword } from '../../http/api/answers.ts'
import { emailAddress, shortText, webAddress } from '../../http/api/profile-fields.ts'
import type { HttpParts } from '../../http/parts.ts'
import { Problem } from '../../problems.ts'
import { removeOwner } from '../../registry/purge.ts'
import { showUsage } from '../../registry/usage.ts'
import { attempt, checked, type Faults, Form } from '../forms.ts'
import { goTo, linksOf, type Render } from '../page.tsx'
import { type PageEnv, visitOf } from '../visit.ts'
import { pageAsked } from './paging.ts'
import { DeleteUser, type UserForm, UserPage } from './user.tsx'
import { InvitationList, NewUser, ShownLink, UserList } from './users.tsx'

const visibility = z.enum(['public', 'limited', 'private'], 'must be public, limited or private')
const profile = z.object({
  email: emailAddress,
  full_name: shortText,
  visibility,
  description: shortText,
  website: webAddress,
  location: shortText,
})
const newUser = z.object({
  username: z.string('is missing').min(1, 'is missing'),
  password: newPassword,
  email: emailAddress,
  full_name: shortText,
  visibility,
})
const days = z.enum(['1', '7', '30'], 'must be 1, 7 or 30 days')
const newInvitation = z.object({ email: emailAddress, full_name: shortText, days })

/** People, and how they come and go. */
export function userPages(parts: HttpParts, render: Render): Hono<PageEnv> {
  const links = linksOf(parts)
  const at = (...more: string[]) => links().to('-', 'admin', ...more)
  const log = (user: string, admin: string, sentence: string) =>
    parts.log.info({ 'user.name': user, 'admin.name': admin }, sentence)

  /** The user in the address, by the name that he has now. */
  const userIn = async (c: Context<PageEnv>) => {
    visitOf(c).administers('read')
    const user = await parts.accounts.byName(c.req.param('name') ?? '')
    if (!user) throw new Problem('not-found', 'Not found.')
    return user
  }
  const leaveIn = async (c: Context<PageEnv>) => {
    visitOf(c).administers('write')
    const owner = c.req.param('name') ?? ''
    return leaveForUser(await visitOf(c).resolve({ owner, package: '', version: '', file: '' }))
  }
  const usageOf = async (c: Context<PageEnv>, { name }: UserRow) =>
    showUsage(parts.registry, await visitOf(c).mayRead(name))
  const page = async (c: Context<PageEnv>, sent?: { which: UserForm; typed: Form; faults: Faults }) => {
    const user = await userIn(c)
    const identities = await parts.identities.listOf(visitOf(c).administers('read'), user.id)
    const told = { user, identities, usage: await usageOf(c, user), sendsMail: parts.sendsMail }
    const props = { ...told, ...(sent ? { sent } : {}) }
    return render(c, { title: user.name, status: sent?.faults.status ?? 200 }, <UserPage {...props} />)
  }

  return new Hono<PageEnv>()
    .get('/-/admin/users', async (c) => {
      const grant = visitOf(c).administers('read')
      const asked = pageAsked(c.req.url)
      const query = (c.req.query('q') ?? '').trim().slice(0, 255)
      const { users, total } = await parts.administration.users(grant, asked, query)
      const paging = { ...asked, total, shown: users.length }
      return render(c, { title: 'Users' }, <UserList users={users} paging={paging} query={query} />)
    })
    .get('/-/admin/users/new', (c) => {
      visitOf(c).administers('read')
      return render(c, { title: 'Add a user' }, <NewUser />)
    })
    .post('/-/admin/users/new', async (c) => {
      const grant = visitOf(c).administers('write')
      const typed = await Form.of(c.req.raw)
      const again = (faults: Faults) =>
        render(c, { title: 'Add a user', status: faults.status }, <NewUser typed={typed} faults={faults} />)
      const plain = values(typed, ['username', 'email', 'full_name', 'visibility'])
      const wanted = checked(newUser, { ...plain, password: typed.text('password') })
      if (wanted.faults) return again(wanted.faults)
      const { username, password, email, full_name } = wanted.data
      const account = {
        name: username,
        password,
        email: email || undefined,
        fullName: full_name || undefined,
        visibility: wanted.data.visibility,
        isRestricted: typed.has('restricted'),
        mustChangePassword: typed.has('must_change_password'),
      }
      const made = await attempt(() => parts.accounts.create(grant, account), fieldOfName('username'))
      if (made.faults) return again(made.faults)
      const { name } = made.done
      log(name, grant.caller.account.name, `Added user ${name}`)
      return goTo(at('users', name), 'user-added')
    })
    .get('/-/admin/users/:name', (c) => page(c))
    .post('/-/admin/users/:name', async (c) => {
      const leave = await leaveIn(c)
      const user = await userIn(c)
      const typed = await Form.of(c.req.raw)
      const names = ['email', 'full_name', 'visibility', 'description', 'website', 'location']
      const wanted = checked(profile, values(typed, names))
      if (wanted.faults) return page(c, { which: 'change', typed, faults: wanted.faults })
      const change = changeOf(user, wanted.data, typed)
      const changed = await attempt(
        () => parts.administration.change(leave, change, undefined),
        (problem) => fieldOfName('name')(problem) ?? fieldOfRight(problem, change),
      )
      if (changed.faults) return page(c, { which: 'change', typed, faults: changed.faults })
      log(user.name, leave.caller.account.name, `Changed user ${user.name}`)
      return goTo(at('users', user.name), 'user-changed')
    })
    .post('/-/admin/users/:name/password', async (c) => {
      const leave = await leaveIn(c)
      const typed = await Form.of(c.req.raw)
      const wanted = checked(z.object({ password: newPassword }), { password: typed.text('password') })
      if (wanted.faults) return page(c, { which: 'password', typed, faults: wanted.faults })
      const change = { mustChangePassword: typed.has('must_change_password') }
      const changed = await attempt(() => parts.administration.change(leave, change, wanted.data.password))
      if (changed.faults) return page(c, { which: 'password', typed, faults: changed.faults })
      const { name } = changed.done
      log(name, leave.caller.account.name, `Changed user ${name}`)
      return goTo(at('users', name), 'user-password-set')
    })
    .post('/-/admin/users/:name/password-reset', async (c) => {
      const grant = visitOf(c).administers('write')
      const user = await userIn(c)
      const made = await attempt(() => parts.passwordResets.create(grant, user.id))
      if (made.faults)
        return page(c, { which: 'password', typed: new Form(new URLSearchParams()), faults: made.faults })
      const { link, url } = made.done
      parts.log.info(
        { 'link.id': link.id, 'user.name': user.name, 'admin.name': grant.caller.account.name },
        `Made a link to set a new password for ${user.name}`,
      )
      return render(
        c,
        { title: 'Reset link' },
        <ShownLink
          title="Reset link"
          trail={[
            { text: 'Users', href: at('users') },
            { text: user.name, href: at('users', user.name) },
          ]}
          url={url}
          expiresAt={link.expires_at}
          mailedTo={link.mailed === 1 ? (link.email ?? undefined) : undefined}
          what={`By this link ${user.name} sets a new password. Links that were made before lead nowhere any more.`}
          back={{ text: `Back to ${user.name}`, href: at('users', user.name) }}
        />,
      )
    })
    .post('/-/admin/users/:name/end-sessions', async (c) => {
      const grant = visitOf(c).administers('write')
      const user = await userIn(c)
      mustBePressed(await Form.of(c.req.raw), 'end')
      await parts.sessions.endAllOf(grant, user.id)
      log(user.name, grant.caller.account.name, `Ended the sessions of ${user.name}`)
      return goTo(at('users', user.name), 'user-sessions-ended')
    })
    .post('/-/admin/users/:name/remove-second-factor', async (c) => {
      const grant = visitOf(c).administers('write')
      const user = await userIn(c)
      mustBePressed(await Form.of(c.req.raw), 'remove')
      await parts.secondFactors.removeOf(grant, user.id)
      log(user.name, grant.caller.account.name, `Removed the second factor of ${user.name}`)
      return goTo(at('users', user.name), 'user-second-factor-off')
    })
    .post('/-/admin/users/:name/remove-passkeys', async (c) => {
      const grant = visitOf(c).administers('write')
      const user = await userIn(c)
      mustBePressed(await Form.of(c.req.raw), 'remove')
      await parts.passkeys.removeAllOf(grant, user.id)
      log(user.name, grant.caller.account.name, `Removed the passkeys of ${user.name}`)
      return goTo(at('users', user.name), 'user-passkeys-removed')
    })
    .post('/-/admin/users/:name/reinstate', async (c) => {
      const grant = visitOf(c).administers('write')
      const user = await userIn(c)
      mustBePressed(await Form.of(c.req.raw), 'lift')
      await parts.identities.reinstate(grant, user.id)
      log(user.name, grant.caller.account.name, `Lifted the suspension of ${user.name}`)
      return goTo(at('users', user.name), 'user-reinstated')
    })
    .post('/-/admin/users/:name/unlink', async (c) => {
      const grant = visitOf(c).administers('write')
      const user = await userIn(c)
      const form = await Form.of(c.req.raw)
      mustBePressed(form, 'unlink')
      await parts.identities.unlinkOf(grant, user.id, form.text('unlink'))
      log(user.name, grant.caller.account.name, `Unlinked an identity of ${user.name}`)
      return goTo(at('users', user.name), 'user-identity-unlinked')
    })
    .post('/-/admin/users/:name/rename', async (c) => {
      const leave = await leaveIn(c)
      const typed = await Form.of(c.req.raw)
      const wanted = typed.text('new_name').trim()
      const renamed = await attempt(
        () => parts.ownerNames.rename(leave, wanted),
        () => 'new_name',
      )
      if (renamed.faults) return page(c, { which: 'rename', typed, faults: renamed.faults })
      const { owner, caller } = leave
      log(renamed.done, caller.account.name, `${caller.account.name} renamed ${owner.name} to ${renamed.done}`)
      return goTo(at('users', renamed.done), 'user-renamed')
    })
    .get('/-/admin/users/:name/delete', async (c) => {
      const user = await userIn(c)
      const isSelf = visitOf(c).signedIn().account.id === user.id
      const props = { user, usage: await usageOf(c, user), isSelf }
      return render(c, { title: `Delete ${user.name}` }, <DeleteUser {...props} />)
    })
    .post('/-/admin/users/:name/delete', async (c) => {
      const leave = await leaveIn(c)
      const user = await userIn(c)
      const typed = await Form.of(c.req.raw)
      const isSelf = leave.caller.account.id === user.id
      const usage = await usageOf(c, user)
      const again = (faults: Faults) =>
        render(
          c,
          { title: `Delete ${user.name}`, status: faults.status },
          <DeleteUser {...{ user, usage, isSelf, typed, faults }} />,
        )
      const fields = deletionFaults(user, usage.versions > 0, typed)
      if (Object.keys(fields).length > 0) return again({ status: 422, fields })
      const gone = await attempt(() => removeOwner(parts.registry, leaveToRemove(leave, typed.has('purge'))))
      if (gone.faults) return again(gone.faults)
      log(user.name, leave.caller.account.name, `${leave.caller.account.name} deleted ${user.name}`)
      return goTo(at('users'), 'user-deleted')
    })
    .get('/-/admin/invitations', (c) => invitations(c))
    .post('/-/admin/invitations', async (c) => {
      const grant = visitOf(c).administers('write')
      const typed = await Form.of(c.req.raw)
      const wanted = checked(newInvitation, values(typed, ['email', 'full_name', 'days']))
      if (wanted.faults) return invitations(c, typed, wanted.faults)
      const made = await attempt(() =>
        parts.invitations.create(grant, {
          email: wanted.data.email || undefined,
          fullName: wanted.data.full_name || undefined,
          teamId: undefined,
          expiresIn: Number(wanted.data.days) * 24 * 60 * 60,
        }),
      )
      if (made.faults) return invitations(c, typed, made.faults)
      const { link, url } = made.done
      const admin = grant.caller.account.name
      parts.log.info({ 'link.id': link.id, 'admin.name': admin }, `${admin} made an invitation`)
      return render(
        c,
        { title: 'Invitation' },
        <ShownLink
          title="Invitation"
          trail={[
            { text: 'Users', href: at('users') },
            { text: 'Invitations', href: at('invitations') },
          ]}
          url={url}
          expiresAt={link.expires_at}
          mailedTo={link.mailed === 1 ? (link.email ?? undefined) : undefined}
          what="By this link somebody makes an account here."
          back={{ text: 'To the invitations', href: at('invitations') }}
        />,
      )
    })
    .post('/-/admin/invitations/:id/withdraw', async (c) => {
      const grant = visitOf(c).administers('write')
      const id = c.req.param('id')
      await parts.invitations.withdraw(grant, id)
      const admin = grant.caller.account.name
      parts.log.info({ 'link.id': id, 'admin.name': admin }, `${admin} withdrew an invitation`)
      return goTo(at('invitations'), 'invitation-withdrawn')
    })

  async function invitations(c: Context<PageEnv>, typed?: Form, faults?: Faults) {
    const grant = visitOf(c).administers('read')
    const asked = pageAsked(c.req.url)
    const { invitations: open, total } = await parts.invitations.list(grant, asked)
    const props = {
      invitations: open,
      paging: { ...asked, total, shown: open.length },
      sendsMail: parts.sendsMail,
      faults,
      ...(typed ? { typed } : {}),
    }
    return render(c, { title: 'Invitations', status: faults?.status ?? 200 }, <InvitationList {...props} />)
  }
}

/** What was typed; a field that was not sent is missing. */
function values(typed: Form, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.filter((name) => typed.has(name)).map((name) => [name, typed.text(name).trim()]))
}

/** A form that holds nothing changes nothing. */
function mustBePressed(typed: Form, button: string): void {
  if (!typed.has(button))
    throw new Problem('unprocessable', 'Press the button on the page: nothing was sent with this.')
}

/** Which field a refusal is about: a name or an address that is taken or not allowed. */
function fieldOfName(nameField: string) {
  return ({ message, code }: Problem): string | undefined => {
    if (/e-mail/.test(message)) return 'email'
    return code === 'invalid-name' || /name|already exists/.test(message) ? nameField : undefined
  }
}

/** Which of the rights keeps the last administrator from going. */
function fieldOfRight({ message }: Problem, change: AccountChange): string | undefined {
  if (!/last administrator/.test(message)) return undefined
  if (change.isAdmin === false) return 'admin'
  return change.isActive === false ? 'active' : 'prohibit_login'
}

/** Only what differs, so that nobody undoes what another administrator does meanwhile. */
function changeOf(user: UserRow, wanted: z.output<typeof profile>, typed: Form): AccountChange {
  const text = (now: string | null, then: string | null | undefined) =>
    then === undefined || then === null || then === (now ?? '') ? undefined : then
  const flag = (now: 0 | 1, name: string) => (typed.has(name) === (now === 1) ? undefined : typed.has(name))
  return {
    email: text(user.email, wanted.email),
    fullName: text(user.full_name, wanted.full_name),
    visibility: wanted.visibility === user.visibility ? undefined : wanted.visibility,
    description: text(user.description, wanted.description),
    website: text(user.website, wanted.website),
    location: text(user.location, wanted.location),
    isAdmin: flag(user.is_admin, 'admin'),
    isActive: flag(user.is_active, 'active'),
    prohibitLogin: flag(user.prohibit_login, 'prohibit_login'),
    isRestricted: flag(user.is_restricted, 'restricted'),
    mayCreateOrganisations: flag(user.may_create_organisations, 'may_create_organisations'),
    mustChangePassword: flag(user.must_change_password, 'must_change_password'),
  }
}

/** What is still to be said before a user goes. */
function deletionFaults(user: UserRow, hasVersions: boolean, typed: Form): Record<string, string> {
  return {
    ...(typed.text('confirm').trim() === user.name ? {} : { confirm: `Type ${user.name}.` }),
    ...(hasVersions && !typed.has('purge') ? { purge: 'Tick this, or delete the packages first.' } : {}),
  }
}
