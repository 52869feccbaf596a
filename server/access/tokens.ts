import { randomBytes } from 'node:crypto'
import { lockFound } from '../catalogue/named-locks.ts'
import { ownerAsKnown, ownerIdByKey } from '../catalogue/owners.ts'
import type { Tx } from '../catalogue/schema.ts'
import { namesOfOwners } from '../catalogue/sight.ts'
import {
  deleteToken,
  findToken,
  type GoingToken,
  generationOf,
  holdersOf,
  insertToken,
  type TokenRow,
  tokenById,
  tokensGoingWith,
  tokensOf,
} from '../catalogue/tokens.ts'
import { type Catalogue, transaction } from '../catalogue/transaction.ts'
import type { UserRow } from '../catalogue/users.ts'
import { userById } from '../catalogue/users.ts'
import { sha256 } from '../lib/digests.ts'
import { ownerKey } from '../names.ts'
import { Problem } from '../problems.ts'
import { type AuditEvent, audit } from './audit.ts'
import { limitOf, type SignedIn } from './caller.ts'
import {
  callerNow,
  isPublicOnly,
  maySee,
  type Standing,
  signedIn,
  standingOf,
  type TokenCaller,
  wrongCredentials,
} from './grant.ts'
import {
  limitFrom,
  type PackageLimit,
  type PackagePattern,
  storedLimit,
  type TypedPattern,
  typedPatterns,
} from './package-patterns.ts'
import { knowsOf } from './rules.ts'
import { covers, isForPackagesAlone, parseScopes, type Scopes, scopeList, storedScopes } from './scopes.ts'
import { packageViewerOf } from './viewers.ts'

/** For those who may not import the catalogue. */
export type { GoingToken, TokenRow }

/** A token, with what it is limited to as people write it: `acme/tool-*`; null where nothing limits it. */
export interface ShownToken extends Omit<TokenRow, 'packages'> {
  packages: readonly string[] | null
}

declare const keyring: unique symbol

/** Leave to see and change one user's tokens. Only `Tokens.of` makes one. */
export interface TokenKeyring {
  readonly [keyring]: true
  readonly user: UserRow
  readonly caller: SignedIn
}

interface AddToken {
  standing: Standing
  userId: number
  name: string
  sha256: string
  lastEight: string
  scopes: readonly string[]
  expiresAt: number | null
  packages: readonly TypedPattern[] | null
  now: number
}

/** Decides inside the transaction: the request's body may have taken long, and the caller's rights may be gone. */
export const addToken = transaction('add token', async (tx, args: AddToken): Promise<TokenRow> => {
  const caller = signedIn(await callerNow(tx, args.standing, args.now), 'write:user')
  const user = await mustHandleTokensOf(tx, caller, args.userId)
  const scopes = allowedScopes(caller, args.scopes)
  if (args.packages && !isForPackagesAlone(scopes)) throw notForPackagesAlone()
  const packages = args.packages && (await limitTo(tx, caller, args.packages))
  const parentId = caller.credential.kind === 'token' ? caller.credential.id : null
  if (parentId !== null) await limitChain(tx, parentId)
  const added = await insertToken(tx, {
    user_id: args.userId,
    name: args.name,
    sha256: args.sha256,
    last_eight: args.lastEight,
    scopes: storedScopes(scopes),
    created_at: args.now,
    expires_at: noLaterThan(caller, args.expiresAt),
    parent_id: parentId,
    packages: storedLimit(packages),
  })
  if (!added) throw new Problem('bad-request', 'access token name has been used already')
  await audit(tx, caller, args.now, {
    action: 'token.created',
    owner: user,
    subject: added.name,
    details: {
      last_eight: added.last_eight,
      scopes: scopeList(scopes),
      ...(args.packages ? { packages: args.packages.map(({ owner, name }) => `${owner ?? '*'}/${name}`) } : {}),
      expires_at: added.expires_at === null ? null : new Date(added.expires_at).toISOString(),
    },
  })
  return added
})

interface RemoveToken {
  standing: Standing
  userId: number
  idOrName: string
  now: number
}

export const removeToken = transaction('remove token', async (tx, args: RemoveToken) => {
  const token = await findToken(tx, args.userId, args.idOrName)
  const isThere = token !== undefined && (await lockFamily(tx, token.id, args.standing))
  const caller = signedIn(await callerNow(tx, args.standing, args.now), 'write:user')
  await mustHandleTokensOf(tx, caller, args.userId)
  if (!isThere) throw new Problem('not-found', 'access token does not exist')
  await removeFamily(tx, token.id, caller, args.now)
})

/** Removes the very token that the caller sent: whoever holds it may give it up, whatever else it is good for. */
export const removeOwnToken = transaction(
  'remove own token',
  async (tx, args: { standing: Standing; tokenId: number; now: number }) => {
    await lockFamily(tx, args.tokenId, args.standing)
    const caller = await callerNow(tx, args.standing, args.now)
    await removeFamily(tx, args.tokenId, caller, args.now)
  },
)

/** Removes a token, and with it those that were made with it. */
async function removeFamily(tx: Tx, id: number, caller: SignedIn, now: number): Promise<void> {
  const going = await tokensGoingWith(tx, { column: 'id', is: id })
  await deleteToken(tx, id)
  await audit(tx, caller, now, ...going.map(tokenDeleted))
}

export function tokenDeleted({ user_id, user, name, last_eight }: GoingToken): AuditEvent {
  return { action: 'token.deleted', owner: { id: user_id, name: user }, subject: name, details: { last_eight } }
}

/**
 * Locks alone who holds the token or one that came of it: what runs by these ends before this is answered, and what comes after
 * it finds no token. False where the token is gone.
 */
async function lockFamily(tx: Tx, tokenId: number, standing: Standing): Promise<boolean> {
  return (await lockFound(tx, () => holdersOf(tx, tokenId), [standing.userId])).length > 0
}

/** Tokens in a chain, each made by the one before. SQLite does not follow a delete down more than 1,000. */
const longestChain = 20

async function limitChain(tx: Tx, parentId: number): Promise<void> {
  if ((await generationOf(tx, parentId)) < longestChain) return
  throw new Problem(
    'forbidden',
    `A token makes the next one ${longestChain - 1} times in a row at most: make this one with a password.`,
  )
}

async function mustHandleTokensOf(tx: Tx, caller: SignedIn, userId: number): Promise<UserRow> {
  const user = await userById(tx, userId)
  if (!user) throw new Problem('not-found', 'Not found.')
  mustBeSelfOrAdmin(caller, user)
  return user
}

function mustBeSelfOrAdmin({ account }: SignedIn, user: UserRow): void {
  if (account.id === user.id || account.isAdmin) return
  throw new Problem('forbidden', `${account.name} may not see or change the tokens of ${user.name}.`)
}

/** The patterns by the owners' numbers, so that they stay with them through renames. */
async function limitTo(tx: Tx, caller: SignedIn, typed: readonly TypedPattern[]): Promise<PackagePattern[]> {
  const ids = new Map<string | null, number | null>([[null, null]])
  for (const { owner } of typed) {
    if (!ids.has(owner)) ids.set(owner, await ownerIdFor(tx, caller, owner ?? ''))
  }
  const patterns = typed.map(({ owner, name }) => ({ ownerId: ids.get(owner) ?? null, name }))
  return [...new Map(patterns.map((pattern) => [`${pattern.ownerId}/${pattern.name}`, pattern])).values()]
}

/** An owner of whom the caller may know. The others are told like those that are not there. */
async function ownerIdFor(tx: Tx, caller: SignedIn, name: string): Promise<number> {
  const key = ownerKey(name)
  const id = key && (await ownerIdByKey(tx, key))
  const owner = id ? await ownerAsKnown(tx, { id, userId: caller.account.id }) : undefined
  if (owner && (maySee(caller, owner) || (knowsOf(caller, owner) && !isPublicOnly(caller)))) return owner.id
  throw new Problem('unprocessable', `packages: there is no owner ${name.slice(0, 80)} that you may see`)
}

function notForPackagesAlone(): Problem {
  return new Problem(
    'unprocessable',
    'scopes: a token for some packages may have read:package, write:package and public-only, and nothing else',
  )
}

/** The scopes asked for, where the caller may hand them on. */
function allowedScopes(caller: SignedIn, names: readonly string[]): Scopes {
  // It could not have the scope for it; held here too, as what it makes might reach further than it does.
  if (limitOf(caller) !== null) throw new Problem('forbidden', 'A token for some packages makes no tokens.')
  const asked = parseScopes(names)
  if ('unknown' in asked) throw new Problem('bad-request', `invalid access token scope provided: ${asked.unknown}`)
  if (asked.names.length === 0) throw new Problem('bad-request', 'access token must have a scope')
  const held = caller.credential.kind === 'token' ? caller.credential.scopes : undefined
  if (!held) return asked
  // A public-only token makes public-only children.
  const wanted = { ...asked, publicOnly: asked.publicOnly || held.publicOnly }
  if (!covers(held, wanted)) throw new Problem('forbidden', 'A token cannot make a token that may do more than itself.')
  return wanted
}

/** A token's child lives no longer than the token. */
function noLaterThan({ credential }: SignedIn, wanted: number | null): number | null {
  const limit = credential.kind === 'token' ? credential.expiresAt : null
  return limit === null ? wanted : Math.min(limit, wanted ?? limit)
}

export class Tokens {
  readonly #catalogue: Catalogue
  readonly #now: () => number

  constructor(parts: { catalogue: Catalogue; now: () => number }) {
    this.#catalogue = parts.catalogue
    this.#now = parts.now
  }

  /** Leave to handle a user's tokens: for the user and administrators. */
  of(user: UserRow, caller: SignedIn): TokenKeyring {
    mustBeSelfOrAdmin(caller, user)
    return { user, caller } as TokenKeyring
  }

  /** A new token; `secret` is shown this once and not stored. */
  async create(
    { user, caller }: TokenKeyring,
    wanted: {
      name: string
      scopes: readonly string[]
      expiresAt: Date | undefined
      /** Patterns of the packages that it is limited to, each with its owner; undefined: of none. */
      packages?: readonly string[] | undefined
    },
  ): Promise<{ token: ShownToken; secret: string }> {
    const now = this.#now()
    if (wanted.expiresAt && !(wanted.expiresAt.getTime() > now)) {
      throw new Problem('unprocessable', 'expires_at: must be in the future')
    }
    const secret = randomBytes(20).toString('hex')
    const token = await this.#catalogue.transact(addToken, {
      standing: standingOf(caller),
      userId: user.id,
      name: wanted.name,
      sha256: sha256(secret),
      lastEight: secret.slice(-8),
      scopes: wanted.scopes,
      expiresAt: wanted.expiresAt?.getTime() ?? null,
      packages: wanted.packages ? typedPatterns(wanted.packages) : null,
      now,
    })
    const [shown] = await this.#shown(caller, [token])
    if (!shown) throw new Error('one token is shown as none')
    return { token: shown, secret }
  }

  async list(
    { user, caller }: TokenKeyring,
    page: { offset: number; limit: number },
  ): Promise<{ tokens: ShownToken[]; total: number }> {
    const { tokens, total } = await tokensOf(this.#catalogue.read, user.id, page)
    return { tokens: await this.#shown(caller, tokens), total }
  }

  /** With the names that owners have now; what is about one who is gone, or hidden from whoever asks, is left out. */
  async #shown(caller: SignedIn, rows: readonly TokenRow[]): Promise<ShownToken[]> {
    const limits = rows.map(({ packages }) => limitFrom(packages))
    const ids = new Set(limits.flatMap((limit) => (limit ?? []).flatMap(({ ownerId }) => ownerId ?? [])))
    const names = await namesOfOwners(this.#catalogue.read, packageViewerOf(caller), [...ids])
    return rows.map((row, index) => ({ ...row, packages: shownLimit(limits[index] ?? null, names) }))
  }

  /** One of the user's own, and those that go with it: they were made with it, or with one of these. */
  async withFamily({ user }: TokenKeyring, id: number): Promise<{ token: TokenRow; family: GoingToken[] }> {
    const token = await tokenById(this.#catalogue.read, id)
    if (token?.user_id !== user.id) throw new Problem('not-found', 'access token does not exist')
    const going = await tokensGoingWith(this.#catalogue.read, { column: 'id', is: id })
    return { token, family: going.filter((one) => one.id !== id) }
  }

  /** The token itself that the caller sent. */
  async calling(caller: TokenCaller): Promise<ShownToken> {
    const token = await tokenById(this.#catalogue.read, caller.credential.id)
    const [shown] = token ? await this.#shown(caller, [token]) : []
    if (!shown) throw wrongCredentials()
    return shown
  }

  async removeCalling(caller: TokenCaller): Promise<void> {
    const args = { standing: standingOf(caller), tokenId: caller.credential.id, now: this.#now() }
    await this.#catalogue.transact(removeOwnToken, args)
  }

  async remove({ user, caller }: TokenKeyring, idOrName: string): Promise<void> {
    const args = { standing: standingOf(caller), userId: user.id, idOrName, now: this.#now() }
    await this.#catalogue.transact(removeToken, args)
  }
}

function shownLimit(limit: PackageLimit, names: ReadonlyMap<number, string>): readonly string[] | null {
  if (limit === null) return null
  return limit.flatMap(({ ownerId, name }) => {
    const owner = ownerId === null ? '*' : names.get(ownerId)
    return owner === undefined ? [] : [`${owner}/${name}`]
  })
}
