import { type Context, Hono } from 'hono'
import type { TokenKeyring } from '../../access/tokens.ts'
import { pageOf } from '../../http/api/answers.ts'
import type { HttpParts } from '../../http/parts.ts'
import { Problem } from '../../problems.ts'
import { attempt, checked, type Faults, Form, fieldNamed } from '../forms.ts'
import { saidAgain, takesPasswordAgain } from '../own-password.ts'
import { goTo, linksOf, type Render } from '../page.tsx'
import { type PageEnv, visitOf } from '../visit.ts'
import { blankToken, type TokenTyped, tokenAsked, tokenTyped } from './token-form.ts'
import { DeleteTokenPage, NewTokenPage, TokensPage } from './tokens-page.tsx'

/** `/user/settings/tokens`: one's own tokens. */
export function tokenRoutes(parts: HttpParts, render: Render): Hono<PageEnv> {
  const links = linksOf(parts)
  const own = (c: Context<PageEnv>): TokenKeyring => {
    const visitor = visitOf(c).signedIn()
    return parts.tokens.of(visitor.user, visitor)
  }

  const takesPassword = (c: Context<PageEnv>) => takesPasswordAgain(parts, visitOf(c))

  const show = async (c: Context<PageEnv>, typed: TokenTyped = blankToken, faults?: Faults) => {
    const { page, limit, offset } = pageOf(new URL(c.req.url))
    const { tokens, total } = await parts.tokens.list(own(c), { offset, limit })
    const paging = { page, limit, total, shown: tokens.length }
    const content = (
      <TokensPage
        tokens={tokens}
        paging={paging}
        typed={typed}
        faults={faults}
        takesPassword={await takesPassword(c)}
      />
    )
    return render(c, { title: 'Tokens', status: faults?.status ?? 200 }, content)
  }

  const oneOf = (c: Context<PageEnv>) => {
    const id = c.req.param('id') ?? ''
    if (!/^[1-9]\d{0,14}$/.test(id)) throw new Problem('not-found', 'access token does not exist')
    return parts.tokens.withFamily(own(c), Number(id))
  }

  return new Hono<PageEnv>()
    .get('/user/settings/tokens', (c) => show(c))
    .post('/user/settings/tokens', async (c) => {
      const keyring = own(c)
      const visit = visitOf(c)
      const form = await Form.of(c.req.raw)
      const typed = tokenTyped(form)
      const { data, faults } = checked(tokenAsked(visit.signedIn().account.isAdmin, visit.now), typed)
      if (faults) return show(c, typed, faults)
      if (await takesPassword(c)) {
        const said = await saidAgain(c.env, visit.signedIn(), form.text('password'))
        if (said.faults) return show(c, typed, said.faults)
      }
      const made = await attempt(
        () => parts.tokens.create(keyring, data),
        (problem) => (problem.code === 'bad-request' ? 'name' : fieldNamed(['packages', 'scopes'])(problem)),
      )
      if (made.faults) {
        const { fields } = made.faults
        if (fields.name) fields.name = 'You have a token of this name already.'
        return show(c, typed, made.faults)
      }
      const { name } = keyring.user
      parts.log.info({ 'user.name': name, 'token.id': made.done.token.id }, `Made a token for ${name}`)
      return render(c, { title: 'New token' }, <NewTokenPage {...made.done} />)
    })
    .get('/user/settings/tokens/:id/delete', async (c) => {
      const { token, family } = await oneOf(c)
      return render(c, { title: `Delete the token ${token.name}` }, <DeleteTokenPage token={token} family={family} />)
    })
    .post('/user/settings/tokens/:id/delete', async (c) => {
      const keyring = own(c)
      const { token } = await oneOf(c)
      const form = await Form.of(c.req.raw)
      if (!form.has('delete')) throw new Problem('unprocessable', 'Say that the token is to be deleted.')
      await parts.tokens.remove(keyring, String(token.id))
      parts.log.info({ 'user.name': keyring.user.name }, `Deleted a token of ${keyring.user.name}`)
      return goTo(links().path('/user/settings/tokens'), 'token-deleted')
    })
}
