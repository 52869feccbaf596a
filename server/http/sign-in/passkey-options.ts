import { Hono } from 'hono'
import { z } from 'zod'
import { challengeLasts } from '../../access/passkey-challenges.ts'
import type { Asked } from '../../access/passkeys.ts'
import { Problem } from '../../problems.ts'
import { bodyOf, json, jsonBody } from '../api/answers.ts'
import type { HttpParts } from '../parts.ts'
import type { SignInEnv } from './app.ts'
import { awaitedCode, setPasskeyChallenge } from './cookie.ts'
import { signedInHere } from './visitors.ts'

const purposes = ['sign-in', 'second-factor', 'proof'] as const
const wanted = bodyOf({ for: z.enum(purposes, `must be one of ${purposes.join(', ')}`) })

/** `POST /user/passkey-options`: what a page asks the browser for, which answers with a form of the page. */
export function passkeyOptions(parts: HttpParts): Hono<SignInEnv> {
  return new Hono<SignInEnv>().post('/passkey-options', async (c) => {
    const { for: purpose } = await jsonBody(c.req.raw, wanted)
    const { options, sealed } = await ask()
    return json(options, 200, { 'Set-Cookie': setPasskeyChallenge(sealed, challengeLasts, parts.cookie) })

    async function ask(): Promise<Asked> {
      switch (purpose) {
        case 'sign-in':
          return parts.passkeys.askToSignIn()
        case 'second-factor': {
          const brought = awaitedCode(c.req.header('cookie') ?? null, parts.cookie)
          const awaited = brought === undefined ? undefined : await parts.access.awaited(brought)
          if (!awaited) throw new Problem('credentials-missing', 'That took too long. Type your password again.')
          return parts.passkeys.askBesidePassword(awaited.userId)
        }
        case 'proof':
          return parts.passkeys.askForProof(signedInHere(await c.env.askSession()))
      }
    }
  })
}
