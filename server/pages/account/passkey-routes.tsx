import { type Context, Hono } from 'hono'
import { z } from 'zod'
import { challengeLasts } from '../../access/passkey-challenges.ts'
import { longestPasskeyName, type Proof, proofsOf } from '../../access/passkey-rules.ts'
import type { ProvenOwner } from '../../access/passkeys.ts'
import { text } from '../../http/api/answers.ts'
import { passkeyId } from '../../http/api/passkeys.ts'
import type { HttpParts } from '../../http/parts.ts'
import { passkeyChallenge, setPasskeyChallenge } from '../../http/sign-in/cookie.ts'
import { Problem } from '../../problems.ts'
import { attempt, checked, type Faults, Form } from '../forms.ts'
import { saidAgain, whyNoPassword } from '../own-password.ts'
import { goTo, linksOf, type Render } from '../page.tsx'
import { type PageEnv, visitOf } from '../visit.ts'
import { browserName } from './browser-name.ts'
import { NewPasskeyPage, PasskeyPage, PasskeysPage } from './passkey-pages.tsx'

/** How long ago somebody may have signed in who has nothing to show once more. */
const freshFor = 15 * 60_000

const wanted = z.object({
  name: text('Type a name')
    .transform((typed) => typed.trim())
    .pipe(
      z.string().min(1, 'Type a name').max(longestPasskeyName, `may have ${longestPasskeyName} characters at most`),
    ),
})

/** `/user/settings/passkeys`: what signs in without a password, or beside it. */
export function passkeyRoutes(parts: HttpParts, render: Render): Hono<PageEnv> {
  const links = linksOf(parts)
  const { passkeys } = parts
  const path = (more = '') => links().path(`/user/settings/passkeys${more}`)
  const own = (c: Context<PageEnv>, verb: 'read' | 'write' = 'write') =>
    passkeys.of(visitOf(c).signedIn(), `${verb}:user`)
  const logged = (c: Context<PageEnv>, what: string) => {
    const { name } = visitOf(c).signedIn().account
    parts.log.info({ 'user.name': name }, `${what} a passkey of ${name}`)
  }

  const proofsFor = (c: Context<PageEnv>): readonly Proof[] => {
    const visitor = visitOf(c).signedIn()
    const hasPassword = whyNoPassword(visitor, parts.access.takesPasswords) === undefined
    const proofs = proofsOf({ hasPassword, hasPasskeys: visitor.user.has_passkeys === 1 })
    // When he signed in at the proxy, nobody here knows.
    return visitor.credential.kind === 'proxy' ? proofs.filter((proof) => proof === 'passkey') : proofs
  }

  const show = async (c: Context<PageEnv>, faults?: Faults) => {
    const list = await passkeys.list(own(c, 'read'))
    const address = parts.publicUrl()
    const page = (
      <PasskeysPage passkeys={list} party={passkeys.party} address={address} proofs={proofsFor(c)} faults={faults} />
    )
    return render(c, { title: 'Passkeys', status: faults?.status ?? 200, scripts: ['passkey'] }, page)
  }

  const showOne = async (c: Context<PageEnv>, faults?: Faults, typed?: string) => {
    const id = passkeyId(c.req.param('id') ?? '')
    const list = await passkeys.list(own(c, 'read'))
    const passkey = list.find((row) => row.id === id)
    if (!passkey) throw new Problem('not-found', 'passkey does not exist')
    const page = (
      <PasskeyPage
        passkey={passkey}
        isLast={list.length === 1}
        party={passkeys.party}
        proofs={proofsFor(c)}
        faults={faults}
        {...(typed === undefined ? {} : { typed })}
      />
    )
    return render(c, { title: passkey.name, status: faults?.status ?? 200, scripts: ['passkey'] }, page)
  }

  const brought = (c: Context<PageEnv>) => passkeyChallenge(c.req.header('cookie') ?? null, parts.cookie)

  /** Leave to add and remove, for who has shown in the form once more who he is; or what to say there. */
  async function proven(
    c: Context<PageEnv>,
    form: Form,
  ): Promise<{ done: ProvenOwner; faults?: undefined } | { done?: undefined; faults: Faults }> {
    const visitor = visitOf(c).signedIn()
    const proofs = proofsFor(c)
    const answer = form.text('credential')
    if (proofs.includes('passkey') && (answer !== '' || !proofs.includes('password'))) {
      if (answer === '') return { faults: { status: 422, fields: {}, form: 'Show a passkey.' } }
      return attempt(async () => {
        const shown = parts.refusedSignIns.watch(visitor.address, passkeys.prove(visitor, brought(c), answer))
        return shown.catch((error) => {
          if (!(error instanceof Problem) || error.code !== 'credentials-wrong') throw error
          throw new Problem('forbidden', 'This is not one of your passkeys, or it took too long. Try again.')
        })
      })
    }
    if (proofs.includes('password')) {
      const said = await saidAgain(c.env, visitor, form.text('password'))
      return said.faults ? said : { done: passkeys.proven(visitor) }
    }
    if (!proofs.includes('fresh sign-in')) {
      throw new Problem('forbidden', 'You were signed in by a proxy before this site: there are no passkeys beside it.')
    }
    const begunAt = await parts.sessions.begunAt(visitor)
    if (begunAt !== undefined && begunAt >= visitOf(c).now - freshFor) return { done: passkeys.proven(visitor) }
    const stale = 'You signed in too long ago for this. Sign out and in once more, then come back.'
    return { faults: { status: 422, fields: {}, form: stale } }
  }

  return new Hono<PageEnv>()
    .get('/user/settings/passkeys', (c) => show(c))
    .post('/user/settings/passkeys', async (c) => {
      const visitor = visitOf(c).signedIn()
      const { party } = passkeys
      const shown = await proven(c, await Form.of(c.req.raw))
      if (shown.faults) return show(c, shown.faults)
      if (typeof party === 'string') throw new Problem('forbidden', 'There are no passkeys at this address.')
      const asked = await attempt(() => passkeys.askForNew(shown.done))
      if (asked.faults) return show(c, asked.faults)
      const kept = setPasskeyChallenge(asked.done.sealed, challengeLasts, parts.cookie)
      const suggested = browserName(c.req.header('user-agent') ?? '')
      const page = <NewPasskeyPage party={party} options={asked.done.options} suggested={suggested} />
      parts.log.debug({ 'user.name': visitor.account.name }, 'Asked a browser for a new passkey')
      return render(c, { title: 'Add a passkey', scripts: ['passkey'], headers: { 'Set-Cookie': kept } }, page)
    })
    .post('/user/settings/passkeys/add', async (c) => {
      const visitor = visitOf(c).signedIn()
      const form = await Form.of(c.req.raw)
      const answer = form.text('credential')
      if (answer === '') return show(c, { status: 422, fields: {}, form: 'Only a script can make a passkey.' })
      const added = await attempt(() => passkeys.add(visitor, brought(c), answer, nameFrom(form.text('name'))))
      if (added.faults) return show(c, added.faults)
      logged(c, 'Added')
      return goTo(path(), 'passkey-added', { 'Set-Cookie': setPasskeyChallenge(undefined, 0, parts.cookie) })
    })
    .get('/user/settings/passkeys/:id', (c) => showOne(c))
    .post('/user/settings/passkeys/:id', async (c) => {
      const mine = own(c)
      const form = await Form.of(c.req.raw)
      const id = passkeyId(c.req.param('id'))
      await passkeys.one(mine, id)
      const { data, faults } = checked(wanted, { name: form.text('name') })
      if (faults) return showOne(c, faults, form.text('name'))
      await passkeys.rename(mine, id, data.name)
      return goTo(path(), 'passkey-renamed')
    })
    .post('/user/settings/passkeys/:id/delete', async (c) => {
      const mine = own(c)
      const form = await Form.of(c.req.raw)
      const id = passkeyId(c.req.param('id'))
      await passkeys.one(mine, id)
      const shown = await proven(c, form)
      if (shown.faults) return showOne(c, shown.faults)
      const removed = await attempt(() => passkeys.remove(shown.done, id))
      if (removed.faults) return showOne(c, removed.faults)
      logged(c, 'Removed')
      return goTo(path(), 'passkey-removed')
    })
}

/** The device has the passkey by then: a name that cannot be is mended rather than refused. */
function nameFrom(typed: string): string {
  const name = typed
    .replaceAll(/\p{Cc}/gu, ' ')
    .toWellFormed()
    .trim()
  return [...name].slice(0, longestPasskeyName).join('') || 'Passkey'
}
