import { type Context, Hono } from 'hono'
import { SignInRefused, signInLasts } from '../../access/oidc/sign-in.ts'
import type { Visitor } from '../../access/sessions.ts'
import type { HttpParts } from '../../http/parts.ts'
import { setProviderCookie } from '../../http/sign-in/cookie.ts'
import { Problem } from '../../problems.ts'
import { attempt, type Faults, Form } from '../forms.ts'
import { saidAgain, whyNoPassword } from '../own-password.ts'
import { goTo, linksOf, type Render } from '../page.tsx'
import { onward } from '../sign-in/provider.tsx'
import { type PageEnv, visitOf } from '../visit.ts'
import { IdentitiesPage } from './identities-page.tsx'

/** `/user/settings/identities`: by whom somebody is known elsewhere; linking one and unlinking it. */
export function identityRoutes(parts: HttpParts, render: Render): Hono<PageEnv> {
  const links = linksOf(parts)
  const path = '/user/settings/identities'

  const page = async (c: Context<PageEnv>, visitor: Visitor, faults?: Faults) => {
    const identities = await parts.identities.list(visitor)
    const asksPassword = hasPassword(visitor)
    return render(
      c,
      { title: 'Identities', status: faults?.status ?? 200 },
      <IdentitiesPage {...{ identities, asksPassword, faults }} />,
    )
  }
  const hasPassword = (visitor: Visitor) => whyNoPassword(visitor, parts.access.takesPasswords) === undefined

  return new Hono<PageEnv>()
    .get(path, (c) => page(c, visitOf(c).signedIn()))
    .post(path, async (c) => {
      const visitor = visitOf(c).signedIn()
      const form = await Form.of(c.req.raw)
      return form.has('link') ? link(c, visitor, form) : unlink(c, visitor, form)
    })

  async function unlink(c: Context<PageEnv>, visitor: Visitor, form: Form): Promise<Response> {
    const { name } = visitor.account
    const which = form.text('unlink')
    if (!/^[1-9]\d{0,14}$/.test(which)) throw new Problem('unprocessable', 'Say which identity is to be unlinked.')
    const gone = await attempt(() => parts.identities.unlink(visitor, which))
    if (gone.faults) return page(c, visitor, gone.faults)
    const fields = { 'user.name': name, 'oidc.issuer': gone.done.issuer }
    parts.log.info(fields, `${name} unlinked an identity at ${gone.done.title}`)
    return goTo(links().path(path), 'identity-unlinked')
  }

  // With the password, where there is one: else whoever comes by an open browser could link himself to its account for ever.
  async function link(c: Context<PageEnv>, visitor: Visitor, form: Form): Promise<Response> {
    const { name, title } = parts.providerSignIns.provider(form.text('link'))
    if (hasPassword(visitor)) {
      const said = await saidAgain(c.env, visitor, form.text('password'))
      if (said.faults) return page(c, visitor, said.faults)
    }
    try {
      const { url, kept } = await parts.providerSignIns.begin(name, links().path(path), visitor)
      const headers = { 'Set-Cookie': setProviderCookie('oidc', kept, signInLasts, parts.cookie) }
      return onward(c, render, { to: url, title, headers })
    } catch (error) {
      if (!(error instanceof SignInRefused)) throw error
      return page(c, visitor, { status: 503, fields: {}, form: error.message })
    }
  }
}
