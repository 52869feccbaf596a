import { Hono } from 'hono'
import { passwordHolder } from '../../access/sessions.ts'
import { Problem } from '../../problems.ts'
import { jsonBody } from '../api/answers.ts'
import { changeOfPassword } from '../api/user.ts'
import type { HttpParts } from '../parts.ts'
import type { SignInEnv } from './app.ts'
import { noContent, signedInHere } from './visitors.ts'

/** `POST /user/password`: a new one, which ends every other session. */
export function password(parts: HttpParts): Hono<SignInEnv> {
  return new Hono<SignInEnv>().post('/password', async (c) => {
    const visitor = signedInHere(await c.env.askVisitor())
    const holder = passwordHolder(visitor)
    const { old_password, new_password } = await jsonBody(c.req.raw, changeOfPassword)
    if (!(await c.env.isPasswordOf(holder, old_password))) {
      throw new Problem('forbidden', 'The old password is not right.')
    }
    const session = visitor.credential.kind === 'session' ? visitor.credential.id : null
    await parts.ownAccount.changePassword(holder, new_password, session)
    parts.log.info({ 'user.name': visitor.account.name }, `${visitor.account.name} has a new password`)
    return noContent()
  })
}
