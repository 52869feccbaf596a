import { type Context, Hono } from 'hono'
import { z } from 'zod'
import { emailAddress, shortText, webAddress } from '../../http/api/profile-fields.ts'
import type { HttpParts } from '../../http/parts.ts'
import { attempt, checked, type Faults, Form } from '../forms.ts'
import { saidAgain, whyNoPassword } from '../own-password.ts'
import { goTo, linksOf, type Render } from '../page.tsx'
import { type PageEnv, visitOf } from '../visit.ts'
import { ProfilePage, type ProfileTyped } from './profile-page.tsx'

const profile = z.object({
  full_name: shortText,
  description: shortText,
  website: webAddress,
  location: shortText,
  visibility: z.enum(['public', 'limited', 'private'], 'choose one'),
})

const address = z.object({ email: emailAddress })

/** `/user/settings`: what somebody says of himself. */
export function profileRoutes(parts: HttpParts, render: Render): Hono<PageEnv> {
  const links = linksOf(parts)
  const home = () => links().path('/user/settings')

  const show = async (c: Context<PageEnv>, faults?: Faults, typed: ProfileTyped = {}) => {
    const visitor = visitOf(c).signedIn()
    const user = await parts.ownAccount.settings(visitor)
    const noPassword = whyNoPassword(visitor, parts.access.takesPasswords)
    const page = <ProfilePage user={user} noPassword={noPassword} faults={faults} typed={typed} />
    return render(c, { title: 'Profile', status: faults?.status ?? 200 }, page)
  }

  return new Hono<PageEnv>()
    .get('/user/settings', (c) => show(c))
    .post('/user/settings', async (c) => {
      const visitor = visitOf(c).signedIn()
      const form = await Form.of(c.req.raw)
      const typed = {
        full_name: form.text('full_name'),
        description: form.text('description'),
        website: form.text('website').trim(),
        location: form.text('location'),
        visibility: form.text('visibility'),
      }
      const { data, faults } = checked(profile, typed)
      if (faults) return show(c, faults, typed)
      await parts.ownAccount.changeSettings(visitor, {
        fullName: data.full_name ?? undefined,
        description: data.description ?? undefined,
        website: data.website ?? undefined,
        location: data.location ?? undefined,
        visibility: data.visibility,
      })
      return goTo(home(), 'profile-changed')
    })
    .post('/user/settings/email', async (c) => {
      const visitor = visitOf(c).signedIn()
      const form = await Form.of(c.req.raw)
      const typed = { email: form.text('email').trim() }
      const { data, faults } = checked(address, typed)
      if (faults) return show(c, faults, typed)
      const said = await saidAgain(c.env, visitor, form.text('password'))
      if (said.faults) return show(c, said.faults, typed)
      const changed = await attempt(
        () => parts.ownAccount.changeSettings(said.done, { email: data.email ?? undefined }),
        ({ code }) => (code === 'unprocessable' ? 'email' : undefined),
      )
      if (!changed.faults) return goTo(home(), 'email-changed')
      const { fields } = changed.faults
      if (fields.email) fields.email = 'Another account has this address.'
      return show(c, changed.faults, typed)
    })
}
