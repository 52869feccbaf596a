/** Passkeys of one account. */
export const mostPasskeys = 20

/** Characters. */
export const longestPasskeyName = 100

/**
 * Whether a counter may follow the one that is known (Web Authentication §6.1.1). One that does not rise was written down by two
 * authenticators: a copy of the key is about. Those that count nothing send 0 every time.
 */
export function counterFits(known: number, sent: number): boolean {
  return sent > known || (sent === 0 && known === 0)
}

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
