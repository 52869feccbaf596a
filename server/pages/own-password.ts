import type { PasswordCaller } from '../access/grant.ts'
import { passwordHolder, type Visitor } from '../access/sessions.ts'
import type { Calling } from '../http/callers.ts'
import type { HttpParts } from '../http/parts.ts'
import { Problem } from '../problems.ts'
import { attempt, type Faults } from './forms.ts'
import type { Visit } from './visit.ts'

/** Why somebody cannot say his password once more, as the beginning of a sentence; undefined where he can. */
export function whyNoPassword({ credential, user }: Visitor, takesPasswords: boolean): string | undefined {
  if (!takesPasswords) return 'Nobody signs in with a password at this site'
  if (credential.kind !== 'session') return 'You were signed in by a proxy before this site, not with a password'
  return user.password_hash === null ? 'Your account has no password' : undefined
}

/** After this a browser may have been left alone: making a token, which outlives its session, takes the password once more. */
const passwordLasts = 12 * 60 * 60_000

/** Whether the session is so old that the password is asked for before a token is made, by who has one. */
export async function takesPasswordAgain(parts: HttpParts, visit: Visit): Promise<boolean> {
  const visitor = visit.signedIn()
  if (whyNoPassword(visitor, parts.access.takesPasswords)) return false
  const begunAt = await parts.sessions.begunAt(visitor)
  return begunAt === undefined || begunAt < visit.now - passwordLasts
}

/** The visitor as the holder of the password that he has typed once more; or what to say at that field. */
export async function saidAgain(
  calling: Calling,
  visitor: Visitor,
  password: string,
): Promise<{ done: PasswordCaller; faults?: undefined } | { done?: undefined; faults: Faults }> {
  const holder = passwordHolder(visitor)
  if (password === '') return { faults: { status: 422, fields: { password: 'Type your password.' } } }
  return attempt(
    async () => {
      if (await calling.isPasswordOf(holder, password)) return holder
      throw new Problem('forbidden', 'This is not your password.')
    },
    () => 'password',
  )
}
