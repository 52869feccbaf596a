import type { PasswordCaller } from '../access/grant.ts'
import { passwordHolder, type Visitor } from '../access/sessions.ts'
import type { Calling } from '../http/callers.ts'
import { Problem } from '../problems.ts'
import { attempt, type Faults } from './forms.ts'

/** Why somebody cannot say his password once more, as the beginning of a sentence; undefined where he can. */
export function whyNoPassword({ credential, user }: Visitor, takesPasswords: boolean): string | undefined {
  if (!takesPasswords) return 'Nobody signs in with a password at this site'
  if (credential.kind !== 'session') return 'You were signed in by a proxy before this site, not with a password'
  return user.password_hash === null ? 'Your account has no password' : undefined
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
