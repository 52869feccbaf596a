import { randomBytes } from 'node:crypto'
import { deleteToken, findToken, insertToken, type TokenRow, tokenById, tokensOf } from '../catalogue/tokens.ts'
import { type Catalogue, transaction } from '../catalogue/transaction.ts'
import type { UserRow } from '../catalogue/users.ts'
import { userById } from '../catalogue/users.ts'
import { Problem } from '../problems.ts'
import { sha256 } from './access.ts'
import { type SignedIn, tokenIsValid } from './caller.ts'
import { covers, parseScopes, type Scopes, storedScopes } from './scopes.ts'

/** For those who may not import the catalogue. */
export type { TokenRow }

declare const keyring: unique symbol

/** Leave to see and change one user's tokens. Only `Tokens.of` makes one. */
export interface TokenKeyring {
  readonly [keyring]: true
  readonly user: UserRow
  readonly caller: SignedIn
}

interface AddToken {
  userId: number
  parentId: number | null
  name: string
  sha256: string
  lastEight: string
  scopes: string
  expiresAt: number | null
  now: number
}

export const addToken = transaction('add token', async (tx, args: AddToken): Promise<TokenRow> => {
  if (!(await userById(tx, args.userId))) throw new Problem('not-found', 'Not found.')
  if (args.parentId !== null) {
    const parent = await tokenById(tx, args.parentId)
    if (!parent || !tokenIsValid(parent, args.now))
      throw new Problem('credentials-wrong', 'Failed to authenticate user')
  }
  const added = await insertToken(tx, {
    user_id: args.userId,
    name: args.name,
    sha256: args.sha256,
    last_eight: args.lastEight,
    scopes: args.scopes,
    created_at: args.now,
    expires_at: args.expiresAt,
  })
  if (!added) throw new Problem('bad-request', 'access token name has been used already')
  return added
})

export const removeToken = transaction('remove token', async (tx, args: { userId: number; idOrName: string }) => {
  const token = await findToken(tx, args.userId, args.idOrName)
  if (!token) throw new Problem('not-found', 'access token does not exist')
  await deleteToken(tx, token.id)
})

export class Tokens {
  readonly #catalogue: Catalogue
  readonly #now: () => number

  constructor(parts: { catalogue: Catalogue; now: () => number }) {
    this.#catalogue = parts.catalogue
    this.#now = parts.now
  }

  /** Leave to handle a user's tokens: for the user and administrators, signed in by Basic. */
  of(user: UserRow, caller: SignedIn): TokenKeyring {
    const { account, credential } = caller
    if (credential.kind === 'token' && !credential.viaBasic) {
      throw new Problem(
        'credentials-missing',
        'Tokens are made and seen with Basic: a user name and password, or a token as the password.',
      )
    }
    if (account.id !== user.id && !account.isAdmin) {
      throw new Problem('forbidden', `${account.name} may not see or change the tokens of ${user.name}.`)
    }
    return { user, caller } as TokenKeyring
  }

  /** A new token; `secret` is shown this once and not stored. */
  async create(
    { user, caller }: TokenKeyring,
    wanted: { name: string; scopes: readonly string[]; expiresAt: Date | undefined },
  ): Promise<{ token: TokenRow; secret: string }> {
    const scopes = this.#allowedScopes(caller, wanted.scopes)
    const now = this.#now()
    if (wanted.expiresAt && !(wanted.expiresAt.getTime() > now)) {
      throw new Problem('unprocessable', 'expires_at: must be in the future')
    }
    const secret = randomBytes(20).toString('hex')
    const { credential } = caller
    const token = await this.#catalogue.transact(addToken, {
      userId: user.id,
      parentId: credential.kind === 'token' ? credential.id : null,
      name: wanted.name,
      sha256: sha256(secret),
      lastEight: secret.slice(-8),
      scopes: storedScopes(scopes),
      expiresAt: wanted.expiresAt?.getTime() ?? null,
      now,
    })
    return { token, secret }
  }

  async list(
    { user }: TokenKeyring,
    page: { offset: number; limit: number },
  ): Promise<{ tokens: TokenRow[]; total: number }> {
    return tokensOf(this.#catalogue.read, user.id, page)
  }

  async remove({ user }: TokenKeyring, idOrName: string): Promise<void> {
    await this.#catalogue.transact(removeToken, { userId: user.id, idOrName })
  }

  #allowedScopes(caller: SignedIn, names: readonly string[]): Scopes {
    const asked = parseScopes(names)
    if ('unknown' in asked) throw new Problem('bad-request', `invalid access token scope provided: ${asked.unknown}`)
    if (asked.names.length === 0) throw new Problem('bad-request', 'access token must have a scope')
    const held = caller.credential.kind === 'token' ? caller.credential.scopes : undefined
    if (!held) return asked
    // A public-only token makes public-only children.
    const wanted = { ...asked, publicOnly: asked.publicOnly || held.publicOnly }
    if (!covers(held, wanted))
      throw new Problem('forbidden', 'A token cannot make a token that may do more than itself.')
    return wanted
  }
}
