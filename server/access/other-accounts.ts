import { lockAccounts } from '../catalogue/named-locks.ts'
import type { Tx } from '../catalogue/schema.ts'
import { type UserRow, userById } from '../catalogue/users.ts'
import { Problem } from '../problems.ts'
import type { SignedIn } from './caller.ts'
import { administer, callerNow, type Standing } from './grant.ts'

/** The caller, whose account nothing else changes until the transaction has ended. */
export async function callerAlone(tx: Tx, { standing, now }: { standing: Standing; now: number }): Promise<SignedIn> {
  await lockAccounts(tx, { alone: [standing.userId] })
  return callerNow(tx, standing, now)
}

export async function mustExist(tx: Tx, userId: number): Promise<UserRow> {
  const user = await userById(tx, userId)
  if (!user) throw new Problem('not-found', 'Not found.')
  return user
}

/**
 * Somebody's account, for an administrator who takes away what it is protected by; `refusal` is what he is told who comes with a token
 * and means an administrator: else a token that ends tomorrow, with few scopes, could become one for good.
 */
export async function accountToUnprotect(
  tx: Tx,
  { standing, userId, now }: { standing: Standing; userId: number; now: number },
  refusal: string,
): Promise<{ caller: SignedIn; user: UserRow }> {
  await lockAccounts(tx, { alone: [userId], shared: [standing.userId] })
  const { caller } = administer(await callerNow(tx, standing, now), 'write')
  const user = await mustExist(tx, userId)
  if (user.is_admin === 1 && caller.credential.kind === 'token') throw new Problem('forbidden', refusal)
  return { caller, user }
}

/** Whoever finds a browser open has not shown what the account's own page asks for. */
export function notOwn(): Problem {
  return new Problem('forbidden', 'Remove your own on the page of your account: there it is asked for once more.')
}
