import { randomBytes } from 'node:crypto'
import {
  countDeployTokens,
  countPackagesNaming,
  type DeployTokenRow,
  deleteDeployToken,
  deployTokenAt,
  deployTokenById,
  deployTokensPage,
  insertDeployToken,
} from '../catalogue/deploy-tokens.ts'
import { lockAccounts } from '../catalogue/named-locks.ts'
import type { Tx } from '../catalogue/schema.ts'
import { type Catalogue, transaction } from '../catalogue/transaction.ts'
import { sha256 } from '../lib/digests.ts'
import { Problem } from '../problems.ts'
import { type AuditAction, audit } from './audit.ts'
import type { DeployTokenCaller, SignedIn } from './caller.ts'
import { type DeployTokenStanding, deployStandingOf, deployTokenNow, scopeMissing, wrongCredentials } from './grant.ts'
import { type OwnerClaim, type OwnerGrant, ownerClaim, ownerGrantNow } from './owner-grant.ts'
import { limitFrom, type PackagePattern, patternsAt, storedLimit } from './package-patterns.ts'
import {
  covers,
  hasScope,
  isForPackagesAlone,
  parseScopes,
  type Scopes,
  scopeList,
  scopesFrom,
  storedScopes,
} from './scopes.ts'

/** Tokens that an owner may have. */
export const mostDeployTokens = 100

/** A token that belongs to an owner, and stays when people leave. */
export interface DeployToken {
  id: number
  name: string
  lastEight: string
  scopes: Scopes
  /** Patterns of names of the owner's packages, folded; null where it is for all of them. */
  packages: readonly string[] | null
  /** Null where he is gone. */
  maker: string | null
  createdAt: number
  expiresAt: number | null
  lastUsedAt: number | null
}

export interface WantedDeployToken {
  name: string
  scopes: readonly string[]
  /** Undefined: all of the owner's packages. */
  packages: readonly string[] | undefined
  expiresAt: Date | undefined
}

interface AddDeployToken {
  claim: OwnerClaim
  name: string
  sha256: string
  lastEight: string
  scopes: readonly string[]
  packages: readonly PackagePattern[] | null
  expiresAt: number | null
  now: number
}

export const addDeployToken = transaction(
  'add deploy token',
  async (tx, { claim, now, ...wanted }: AddDeployToken): Promise<DeployTokenRow> => {
    // Alone: of two that are made at once, the second counts the first.
    const { owner, caller } = await ownerGrantNow(tx, claim, now, { loses: true })
    const scopes = allowedScopes(caller, wanted.scopes)
    if ((await countDeployTokens(tx, owner.id)) >= mostDeployTokens) {
      throw new Problem('unprocessable', `There are ${mostDeployTokens} deploy tokens already: delete one first.`)
    }
    const id = await insertDeployToken(tx, {
      owner_id: owner.id,
      name: wanted.name,
      sha256: wanted.sha256,
      last_eight: wanted.lastEight,
      scopes: storedScopes(scopes),
      packages: storedLimit(wanted.packages),
      created_by: caller.account.id,
      created_at: now,
      expires_at: noLaterThan(caller, wanted.expiresAt),
    })
    if (id === undefined) throw new Problem('unprocessable', 'name: is used for another deploy token of this owner')
    const added = await mustBeThere(tx, owner.id, id)
    await audited(tx, caller, owner, 'deploy-token.created', added, now)
    return added
  },
)

/** What runs by it ends before this is answered. */
export const removeDeployToken = transaction(
  'remove deploy token',
  async (tx, { claim, id, now }: { claim: OwnerClaim; id: number; now: number }) => {
    const { owner, caller } = await ownerGrantNow(tx, claim, now, { loses: true })
    const token = await mustBeThere(tx, owner.id, id)
    await deleteDeployToken(tx, id)
    await audited(tx, caller, owner, 'deploy-token.deleted', token, now)
  },
)

/** Removes the very token that the caller sent: whoever holds it may give it up. */
export const removeOwnDeployToken = transaction(
  'remove own deploy token',
  async (tx, { standing, now }: { standing: DeployTokenStanding; now: number }) => {
    await lockAccounts(tx, { alone: [standing.userId] })
    const caller = await deployTokenNow(tx, standing, now)
    const token = await deployTokenById(tx, caller.credential.id)
    if (!token) throw wrongCredentials()
    await deleteDeployToken(tx, token.id)
    await audited(tx, caller, caller.owner, 'deploy-token.deleted', token, now)
  },
)

async function mustBeThere(tx: Tx, ownerId: number, id: number): Promise<DeployTokenRow> {
  const found = await deployTokenAt(tx, ownerId, id)
  if (!found) throw noSuchToken()
  return found
}

async function audited(
  tx: Tx,
  actor: SignedIn | DeployTokenCaller,
  owner: { id: number; name: string },
  action: Extract<AuditAction, `deploy-token.${string}`>,
  token: DeployTokenRow,
  now: number,
): Promise<void> {
  const { name, lastEight, scopes, packages, expiresAt } = tokenFrom(token)
  const made = {
    scopes: scopeList(scopes),
    ...(packages ? { packages } : {}),
    expires_at: expiresAt === null ? null : new Date(expiresAt).toISOString(),
  }
  const details = { last_eight: lastEight, ...(action === 'deploy-token.created' ? made : {}) }
  await audit(tx, actor, now, { action, owner, subject: name, details })
}

/** The scopes asked for, where such a token may have them and the caller may hand them on. */
function allowedScopes(caller: SignedIn, names: readonly string[]): Scopes {
  const asked = parseScopes(names)
  if ('unknown' in asked) throw new Problem('unprocessable', `scopes: ${asked.unknown.slice(0, 80)} is none`)
  if (!isForPackagesAlone(asked)) {
    throw new Problem('unprocessable', 'scopes: must be read:package or write:package; public-only may stand beside it')
  }
  // What is limited to public owners or to some packages has no leave to make one.
  if (caller.credential.kind === 'token' && !covers(caller.credential.scopes, asked)) {
    throw scopeMissing(caller, hasScope(asked, 'write:package') ? 'write:package' : 'read:package')
  }
  return asked
}

/** It is not gone with the token that made it, and so ends with it. */
function noLaterThan({ credential }: SignedIn, wanted: number | null): number | null {
  const limit = credential.kind === 'token' ? credential.expiresAt : null
  return limit === null ? wanted : Math.min(limit, wanted ?? limit)
}

/** Tokens of owners, with which programs publish whoever comes and goes. */
export class DeployTokens {
  readonly #catalogue: Catalogue
  readonly #now: () => number

  constructor(parts: { catalogue: Catalogue; now: () => number }) {
    this.#catalogue = parts.catalogue
    this.#now = parts.now
  }

  async list(
    { owner }: OwnerGrant,
    page: { offset: number; limit: number },
  ): Promise<{ tokens: DeployToken[]; total: number }> {
    const { tokens, total } = await deployTokensPage(this.#catalogue.read, owner.id, page)
    return { tokens: tokens.map(tokenFrom), total }
  }

  async show({ owner }: OwnerGrant, id: string): Promise<DeployToken> {
    const found = await deployTokenAt(this.#catalogue.read, owner.id, numberFrom(id))
    if (!found) throw noSuchToken()
    return tokenFrom(found)
  }

  /** How many packages name it. */
  async packagesNaming(grant: OwnerGrant, id: string): Promise<number> {
    return countPackagesNaming(this.#catalogue.read, (await this.show(grant, id)).id)
  }

  /** A new token; `secret` is shown this once and not stored. */
  async create(grant: OwnerGrant<'write'>, wanted: WantedDeployToken): Promise<{ token: DeployToken; secret: string }> {
    const now = this.#now()
    if (wanted.expiresAt && !(wanted.expiresAt.getTime() > now)) {
      throw new Problem('unprocessable', 'expires_at: must be in the future')
    }
    const secret = randomBytes(20).toString('hex')
    const added = await this.#catalogue.transact(addDeployToken, {
      claim: ownerClaim(grant),
      name: wanted.name,
      sha256: sha256(secret),
      lastEight: secret.slice(-8),
      scopes: wanted.scopes,
      packages: wanted.packages ? patternsAt(grant.owner, wanted.packages) : null,
      expiresAt: wanted.expiresAt?.getTime() ?? null,
      now,
    })
    return { token: tokenFrom(added), secret }
  }

  async remove(grant: OwnerGrant<'write'>, id: string): Promise<void> {
    const args = { claim: ownerClaim(grant), id: numberFrom(id), now: this.#now() }
    await this.#catalogue.transact(removeDeployToken, args)
  }

  /** The token itself that the caller sent. */
  async calling(caller: DeployTokenCaller): Promise<DeployToken> {
    const token = await deployTokenById(this.#catalogue.read, caller.credential.id)
    if (!token) throw wrongCredentials()
    return tokenFrom(token)
  }

  async removeCalling(caller: DeployTokenCaller): Promise<void> {
    await this.#catalogue.transact(removeOwnDeployToken, { standing: deployStandingOf(caller), now: this.#now() })
  }
}

function tokenFrom(row: DeployTokenRow): DeployToken {
  return {
    id: row.id,
    name: row.name,
    lastEight: row.last_eight,
    scopes: scopesFrom(row.scopes),
    packages: limitFrom(row.packages)?.map(({ name }) => name) ?? null,
    maker: row.maker,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
  }
}

function numberFrom(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw noSuchToken()
  return Number(text)
}

function noSuchToken(): Problem {
  return new Problem('not-found', 'There is no such deploy token.')
}
