import type { Caller } from '../../access/caller.ts'
import { Problem } from '../../problems.ts'
import type { Calling } from '../callers.ts'

/**
 * Who is calling the JSON API: nobody who must set a new password first, but where he may do that; and never a browser by its
 * session.
 */
export interface ApiCalling extends Omit<Calling, 'askSession' | 'askVisitor' | 'browser'> {
  /** Also who must set a new password. */
  askAnyCaller(): Promise<Caller>
}

export function apiCalling(calling: Calling): ApiCalling {
  return {
    ...calling,
    askAnyCaller: () => calling.askCaller(),
    askCaller: async () => settled(await calling.askCaller()),
    resolve: async (address) => {
      const resolved = await calling.resolve(address)
      settled(resolved.caller)
      return resolved
    },
  }
}

/** Whatever he came with: a token must not be a way around it. */
function settled(caller: Caller): Caller {
  if (caller.kind !== 'user' || !caller.account.mustChangePassword) return caller
  const sentence = 'You must change your password first: POST /api/v1/user/password with old_password and new_password.'
  throw new Problem('forbidden', sentence)
}
