import { type Context, Hono } from 'hono'
import type { OwnSecondFactor } from '../../access/second-factor.ts'
import { recoveryKey, totpAddress } from '../../access/totp.ts'
import type { HttpParts } from '../../http/parts.ts'
import { Problem } from '../../problems.ts'
import { attempt, type Faults, Form } from '../forms.ts'
import { saidAgain, whyNoPassword } from '../own-password.ts'
import { goTo, linksOf, type Render } from '../page.tsx'
import { type PageEnv, visitOf } from '../visit.ts'
import { EnrolPage, RecoveryCodesPage, SayAgainPage, TwoFactorPage } from './two-factor-pages.tsx'

const mostCodes = 20

/** `/user/settings/two-factor`: a code beside the password. */
export function twoFactorRoutes(parts: HttpParts, render: Render): Hono<PageEnv> {
  const links = linksOf(parts)
  const path = (more = '') => links().path(`/user/settings/two-factor${more}`)
  const noPassword = (c: Context<PageEnv>) => whyNoPassword(visitOf(c).signedIn(), parts.access.takesPasswords)

  /** Leave to change it; thrown where the page would only have said why not. */
  const own = (c: Context<PageEnv>): OwnSecondFactor => {
    const why = noPassword(c)
    if (why) throw new Problem('forbidden', `${why}, so there is no second factor beside it.`)
    return parts.secondFactors.of(visitOf(c).signedIn())
  }
  const logged = ({ caller: { account } }: OwnSecondFactor, what: string) =>
    parts.log.info({ 'user.name': account.name }, `${what} of ${account.name}`)

  const show = async (c: Context<PageEnv>, faults?: Faults) => {
    const why = noPassword(c)
    const status = why ? undefined : await parts.secondFactors.status(own(c))
    const page = <TwoFactorPage noPassword={why} status={status} faults={faults} />
    return render(c, { title: 'Two-factor sign-in', status: faults?.status ?? 200 }, page)
  }

  const enrol = (c: Context<PageEnv>, secret: string, faults?: Faults) => {
    const account = `${visitOf(c).signedIn().account.name}@${new URL(parts.publicUrl()).hostname}`
    const url = totpAddress({ secret, account, issuer: 'Stowage' })
    const page = <EnrolPage secret={secret} url={url} faults={faults} />
    return render(c, { title: 'Set up two-factor sign-in', status: faults?.status ?? 200 }, page)
  }

  const sayAgain = async (c: Context<PageEnv>, what: 'off' | 'recovery-codes', faults?: Faults) => {
    const { isConfirmed } = await parts.secondFactors.status(own(c))
    if (!isConfirmed) return goTo(path())
    const title = what === 'off' ? 'Turn off two-factor sign-in' : 'New recovery codes'
    return render(c, { title, status: faults?.status ?? 200 }, <SayAgainPage what={what} faults={faults} />)
  }

  /** Password and code, of which both are needed: a session has shown neither. */
  const withBoth = async <T,>(c: Context<PageEnv>, work: (code: string) => Promise<T>) => {
    const form = await Form.of(c.req.raw)
    const code = form.text('code').trim()
    const said = await saidAgain(c.env, visitOf(c).signedIn(), form.text('password'))
    if (said.faults) return said
    if (code === '') return { faults: { status: 422, fields: { code: 'Type the code.' } } }
    const done = await attempt(
      () => work(code),
      (problem) => (problem.code === 'credentials-wrong' ? 'code' : undefined),
    )
    const fields = done.faults?.fields
    if (fields?.code) fields.code = 'This code is not right, or it was used before: wait for the next one.'
    return done
  }

  const codesPage = (c: Context<PageEnv>, codes: string[], isNew: boolean) =>
    render(c, { title: 'Recovery codes' }, <RecoveryCodesPage codes={codes} isNew={isNew} />)

  return new Hono<PageEnv>()
    .get('/user/settings/two-factor', (c) => show(c))
    .post('/user/settings/two-factor', async (c) => {
      const factor = own(c)
      const form = await Form.of(c.req.raw)
      const said = await saidAgain(c.env, visitOf(c).signedIn(), form.text('password'))
      if (said.faults) return show(c, said.faults)
      const begun = await attempt(() => parts.secondFactors.begin(factor))
      return begun.faults ? show(c, begun.faults) : enrol(c, begun.done)
    })
    .post('/user/settings/two-factor/confirm', async (c) => {
      const factor = own(c)
      const form = await Form.of(c.req.raw)
      const secret = form.text('secret')
      // It comes back with the form, so that a code that was mistyped does not cost the picture.
      const again = (faults: Faults) => (/^[A-Z2-7]{32}$/.test(secret) ? enrol(c, secret, faults) : show(c, faults))
      const code = form.text('code').trim()
      if (code === '')
        return again({ status: 422, fields: { code: 'Type the six digits that your authenticator shows.' } })
      const confirmed = await attempt(
        () => parts.secondFactors.confirm(factor, code),
        ({ message }) => (message.startsWith('code: ') ? 'code' : undefined),
      )
      if (confirmed.faults) {
        const { fields } = confirmed.faults
        if (!fields.code) return show(c, confirmed.faults)
        fields.code = 'This is not the code that your authenticator shows now. Is its clock right?'
        return again(confirmed.faults)
      }
      logged(factor, 'Turned on the second factor')
      return codesPage(c, confirmed.done, true)
    })
    .get('/user/settings/two-factor/recovery-codes', (c) => sayAgain(c, 'recovery-codes'))
    .post('/user/settings/two-factor/recovery-codes', async (c) => {
      const factor = own(c)
      const renewed = await withBoth(c, (code) => parts.secondFactors.renewRecoveryCodes(factor, code))
      if (renewed.faults) return sayAgain(c, 'recovery-codes', renewed.faults)
      logged(factor, 'Replaced the recovery codes')
      return codesPage(c, renewed.done, false)
    })
    .post('/user/settings/two-factor/recovery-codes.txt', async (c) => {
      const { name } = visitOf(c).signedIn().account
      const codes = (await Form.of(c.req.raw)).all('recovery').filter((code) => recoveryKey(code) !== undefined)
      if (codes.length === 0 || codes.length > mostCodes) {
        throw new Problem('unprocessable', 'These are not the recovery codes that were shown.')
      }
      return textFile(`Recovery codes of ${name} at ${parts.publicUrl()}\n\n${codes.join('\n')}\n\n${whatFor}\n`)
    })
    .get('/user/settings/two-factor/off', (c) => sayAgain(c, 'off'))
    .post('/user/settings/two-factor/off', async (c) => {
      const factor = own(c)
      const removed = await withBoth(c, (code) => parts.secondFactors.remove(factor, code))
      if (removed.faults) return sayAgain(c, 'off', removed.faults)
      logged(factor, 'Turned off the second factor')
      return goTo(path(), 'second-factor-off')
    })
}

const whatFor = 'Each works once, in the place of the code that the authenticator shows.'

/** Kept by the reader and by nobody else: the server does not have these codes any more, the browser sends what it was shown. */
function textFile(text: string): Response {
  return new Response(text, {
    headers: {
      'Content-Type': 'text/plain; charset=utf-8',
      'Content-Disposition': 'attachment; filename="stowage-recovery-codes.txt"',
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      'Content-Security-Policy': "default-src 'none'; sandbox",
    },
  })
}
