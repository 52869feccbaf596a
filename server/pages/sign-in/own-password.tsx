import { type Context, Hono } from 'hono'
import { passwordHolder, type Visitor } from '../../access/sessions.ts'
import { grantToSearch } from '../../access/viewers.ts'
import type { HttpParts } from '../../http/parts.ts'
import { Problem } from '../../problems.ts'
import { findPackages } from '../../registry/search.ts'
import { FirstSteps } from '../components/first-steps.tsx'
import { Button, TextField } from '../components/forms.tsx'
import { Alert } from '../components/parts.tsx'
import { AccountPlaces } from '../components/places.tsx'
import { attempt, checked, type Faults, Form } from '../forms.ts'
import { whyNoPassword } from '../own-password.ts'
import { goTo, linksOf, type Render } from '../page.tsx'
import { useSite } from '../site.ts'
import { type PageEnv, visitOf } from '../visit.ts'
import { NewPassword } from './code-field.tsx'
import { change } from './fields.ts'
import { Narrow } from './frame.tsx'
import { whereTo } from './login.tsx'
import { inWords } from './refusals.ts'

/** `/user/settings/password`: another password, for who wants one, and for who must choose one before anything else. */
export function ownPasswordPages(parts: HttpParts, render: Render): Hono<PageEnv> {
  const links = linksOf(parts)

  const ask = async (c: Context<PageEnv>, visitor: Visitor, next: string, faults?: Faults) => {
    const options = { title: 'Password', status: faults?.status ?? 200 }
    const why = whyNoPassword(visitor, parts.access.takesPasswords)
    if (why !== undefined) return render(c, options, <NoPassword why={why} />)
    const { mustChangePassword } = visitor.account
    const page = mustChangePassword ? (
      <MustChoose visitor={visitor} next={next} faults={faults} isFirstStart={await isFirstStart(visitor)} />
    ) : (
      <MayChoose visitor={visitor} faults={faults} />
    )
    return render(c, { ...options, title: mustChangePassword ? 'Choose a password' : 'Password' }, page)
  }

  /** Whether nothing was published yet, and this is who set the site up. */
  async function isFirstStart(visitor: Visitor): Promise<boolean> {
    if (!visitor.account.isAdmin) return false
    const window = { offset: 0, limit: 1 }
    const sorting = { by: 'created', descending: true } as const
    return (await findPackages(parts.registry, grantToSearch(visitor), '', window, sorting)).found.length === 0
  }

  return new Hono<PageEnv>()
    .get('/user/settings/password', (c) => ask(c, visitOf(c).signedIn(), whereTo(links(), c.req.query('next'))))
    .post('/user/settings/password', async (c) => {
      const visitor = visitOf(c).signedIn()
      const form = await Form.of(c.req.raw)
      const next = whereTo(links(), form.text('next'))
      const { mustChangePassword, name } = visitor.account
      const holder = passwordHolder(visitor)
      const typed = { old: form.text('old'), password: form.text('password'), again: form.text('again') }
      const { data, faults } = checked(change, typed)
      if (faults) return ask(c, visitor, next, faults)
      const session = visitor.credential.kind === 'session' ? visitor.credential.id : null
      const changed = await attempt(
        () =>
          inWords(changeIt(), {
            'credentials-wrong': 'Your session has ended, so nothing was changed. Sign in again.',
          }),
        ({ code }) => (code === 'forbidden' ? 'old' : undefined),
      )
      if (changed.faults) return ask(c, visitor, next, changed.faults)
      parts.log.info({ 'user.name': name }, `${name} has a new password`)
      return goTo(mustChangePassword ? next : links().path('/user/settings/password'), 'password-changed')

      async function changeIt(): Promise<void> {
        if (!(await c.env.isPasswordOf(holder, data?.old ?? '')))
          throw new Problem('forbidden', 'This is not the password that you have now.')
        await parts.ownAccount.changePassword(holder, data?.password ?? '', session)
      }
    })
}

interface ChangeProps {
  visitor: Visitor
  faults: Faults | undefined
}

function MustChoose({ visitor, next, faults, isFirstStart }: ChangeProps & { next: string; isFirstStart: boolean }) {
  return (
    <>
      {isFirstStart && (
        <div class="max-w-xl mx-auto">
          <FirstSteps here={2} />
        </div>
      )}
      <Narrow
        title="Choose a password"
        fault={faults?.form}
        lead={
          <p>
            {isFirstStart
              ? 'The one that was printed at the first start has done its work. Choose one that only you know.'
              : 'Somebody else gave you the one that you have. Choose one that only you know, then go on.'}
          </p>
        }
      >
        <ChangeForm visitor={visitor} faults={faults} next={next} button="Set the password" />
      </Narrow>
    </>
  )
}

function MayChoose({ visitor, faults }: ChangeProps) {
  return (
    <>
      <h1 class="mb-3">Account</h1>
      <AccountPlaces here="password" />
      <div class="max-w-sm">
        <h2 class="mb-3">Change your password</h2>
        {faults?.form && <Alert tone="error">{faults.form}</Alert>}
        <p class="quiet mb-5">All other browsers that are signed in with your account are signed out. Tokens stay.</p>
        <ChangeForm visitor={visitor} faults={faults} button="Change the password" />
      </div>
    </>
  )
}

function ChangeForm({ visitor, faults, next, button }: ChangeProps & { next?: string; button: string }) {
  const { links } = useSite()
  return (
    <form method="post" action={links.path('/user/settings/password')}>
      {next && <input type="hidden" name="next" value={next} />}
      {/* Tells the password manager whose password it is. */}
      <input type="text" value={visitor.account.name} autocomplete="username" readonly hidden />
      <TextField
        name="old"
        type="password"
        label="Present password"
        error={faults?.fields.old}
        autocomplete="current-password"
        required
      />
      <NewPassword faults={faults} label="New password" />
      <Button look="primary">{button}</Button>
    </form>
  )
}

function NoPassword({ why }: { why: string }) {
  return (
    <>
      <h1 class="mb-3">Account</h1>
      <AccountPlaces here="password" />
      <p class="prose-width">{why}, so there is no password to change here.</p>
    </>
  )
}
