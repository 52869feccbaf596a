/** Passkeys of one account. */
export const mostPasskeys = 20

/** Characters. */
export const longestPasskeyName = 100

/** How somebody shows once more who he is, before he adds or removes a passkey. */
export type Proof = 'password' | 'passkey' | 'fresh sign-in'

/** The proofs that are taken, the usual one first. */
export function proofsOf(account: { hasPassword: boolean; hasPasskeys: boolean }): readonly [Proof, ...Proof[]] {
  const passkey = account.hasPasskeys ? (['passkey'] as const) : []
  if (account.hasPassword) return ['password', ...passkey]
  return account.hasPasskeys ? ['passkey'] : ['fresh sign-in']
}

/** Whether somebody can come in without any passkey. */
export function hasOtherWayIn(account: {
  hasPassword: boolean
  takesPasswords: boolean
  identities: number
  isByProxy: boolean
}): boolean {
  return (account.hasPassword && account.takesPasswords) || account.identities > 0 || account.isByProxy
}
