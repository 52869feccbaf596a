import { type Context, Hono } from 'hono'
import { administer, mustBeInReach } from '../../access/grant.ts'
import type { OwnSecondFactor } from '../../access/second-factor.ts'
import { totpAddress } from '../../access/totp.ts'
import { qrSvg } from '../../lib/qr.ts'
import { Problem } from '../../problems.ts'
import type { HttpParts } from '../parts.ts'
import { bodyOf, json, jsonBody, text } from './answers.ts'
import type { ApiEnv } from './app.ts'
import { documented } from './documented.ts'
import { recoveryCodes, totpEnrolment, totpStatus } from './schemas.ts'

const confirmation = bodyOf({
  code: text('is missing: the six digits that the authenticator shows').max(100, 'must be six digits'),
}).meta({ id: 'ConfirmSecondFactorOption' })

/** `/user/totp`: one's own second factor. `/admin/users/{name}/totp`: whose phone is lost. */
export function totp(parts: HttpParts): Hono<ApiEnv> {
  const ownOf = async (c: Context<ApiEnv>): Promise<OwnSecondFactor> => parts.secondFactors.of(await c.env.askCaller())
  const logged = ({ caller: { account } }: OwnSecondFactor, what: string) =>
    parts.log.info({ 'user.name': account.name }, `${what} of ${account.name}`)

  return new Hono<ApiEnv>()
    .get(
      '/user/totp',
      documented({
        tag: 'account',
        id: 'getSecondFactor',
        summary: 'Whether signing in takes a second factor',
        callers: 'password',
        scope: null,
        answers: { 200: { description: 'How it stands.', schema: totpStatus } },
      }),
      async (c) => {
        const { isConfirmed, recoveryCodesLeft } = await parts.secondFactors.status(await ownOf(c))
        return json({ enabled: isConfirmed, recovery_codes_left: recoveryCodesLeft })
      },
    )
    .post(
      '/user/totp',
      documented({
        tag: 'account',
        id: 'beginSecondFactor',
        summary: 'Begin a second factor',
        callers: 'password',
        scope: null,
        answers: {
          201: {
            description: 'The secret for an authenticator. Nothing changes before a code of it is confirmed.',
            schema: totpEnrolment,
          },
        },
      }),
      async (c) => {
        const own = await ownOf(c)
        const secret = await parts.secondFactors.begin(own)
        const { hostname } = new URL(parts.publicUrl())
        const account = `${own.caller.account.name}@${hostname}`
        const url = totpAddress({ secret, account, issuer: 'Stowage' })
        return json({ secret, url, qr_svg: qrSvg(url) }, 201)
      },
    )
    .post(
      '/user/totp/confirm',
      documented({
        tag: 'account',
        id: 'confirmSecondFactor',
        summary: 'Turn the second factor on',
        callers: 'password',
        scope: null,
        body: confirmation,
        answers: { 200: { description: 'It is on. The recovery codes are told this once.', schema: recoveryCodes } },
      }),
      async (c) => {
        const own = await ownOf(c)
        const { code } = await jsonBody(c.req.raw, confirmation)
        const codes = await parts.secondFactors.confirm(own, code)
        logged(own, 'Turned on the second factor')
        return json({ recovery_codes: codes })
      },
    )
    .post(
      '/user/totp/recovery-codes',
      documented({
        tag: 'account',
        id: 'renewRecoveryCodes',
        summary: 'Get new recovery codes',
        callers: 'password',
        scope: null,
        answers: { 201: { description: 'The new ones; the old ones are void.', schema: recoveryCodes } },
      }),
      async (c) => {
        const own = await ownOf(c)
        const codes = await parts.secondFactors.renewRecoveryCodes(own)
        logged(own, 'Replaced the recovery codes')
        return json({ recovery_codes: codes }, 201)
      },
    )
    .delete(
      '/user/totp',
      documented({
        tag: 'account',
        id: 'deleteSecondFactor',
        summary: 'Turn the second factor off',
        callers: 'password',
        scope: null,
        answers: { 204: { description: 'It is off.' } },
      }),
      async (c) => {
        const own = await ownOf(c)
        await parts.secondFactors.remove(own)
        logged(own, 'Turned off the second factor')
        return new Response(null, { status: 204 })
      },
    )
    .delete(
      '/admin/users/:name/totp',
      documented({
        tag: 'admin',
        id: 'deleteSecondFactorOf',
        summary: 'Turn off the second factor of somebody',
        description: 'For somebody whose phone and recovery codes are lost.',
        answers: { 204: { description: 'It is off.' } },
      }),
      async (c) => {
        const grant = administer(await c.env.askCaller(), 'write')
        const user = await parts.accounts.byName(c.req.param('name'))
        if (!user) throw new Problem('not-found', 'Not found.')
        mustBeInReach(grant.caller, user)
        await parts.secondFactors.removeOf(grant, user.id)
        parts.log.info(
          { 'user.name': user.name, 'admin.name': grant.caller.account.name },
          `Removed the second factor of ${user.name}`,
        )
        return new Response(null, { status: 204 })
      },
    )
}
