import {
  countPublishers,
  deletePublisher,
  deleteTokensByPin,
  hasPublisherNamed,
  insertPublisher,
  type PublisherRow,
  publisherAt,
  publishersPage,
  updatePublisher,
} from '../catalogue/publishers.ts'
import type { Tx } from '../catalogue/schema.ts'
import { type Catalogue, transaction } from '../catalogue/transaction.ts'
import type { Issuer } from '../lib/issuers.ts'
import { Problem } from '../problems.ts'
import { type AuditAction, audit } from './audit.ts'
import { type OwnerClaim, type OwnerGrant, ownerClaim, ownerGrantNow } from './owner-grant.ts'
import { limitFrom, mostPatterns, namePattern, storedLimit } from './package-patterns.ts'
import { readRule, type WantedClaims } from './publisher-rules.ts'

/** Rules that an owner may have. */
export const mostPublishers = 100

/** A rule: which jobs may publish which of an owner's packages. */
export interface PublisherRule {
  id: number
  name: string
  issuer: string
  claims: WantedClaims
  /** Patterns of names, folded: `tool-*`. */
  packages: readonly string[]
  /** Null where he is gone. */
  maker: string | null
  createdAt: number
  lastUsedAt: number | null
}

export interface WantedPublisher {
  name: string
  issuer: string
  claims: WantedClaims
  packages: readonly string[]
}

type Columns = Pick<PublisherRow, 'name' | 'issuer' | 'pinned' | 'claims' | 'packages'>

export const addPublisher = transaction(
  'add publisher',
  async (tx, { claim, columns, now }: { claim: OwnerClaim; columns: Columns; now: number }): Promise<PublisherRow> => {
    // Alone: of two that are made at once, the second counts the first.
    const grant = await ownerGrantNow(tx, claim, now, { loses: true })
    const { owner, caller } = grant
    if ((await countPublishers(tx, owner.id)) >= mostPublishers) {
      throw new Problem('unprocessable', `There are ${mostPublishers} trusted publishers already: delete one first.`)
    }
    const made = { owner_id: owner.id, created_by: caller.account.id, created_at: now, last_used_at: null }
    const id = await insertPublisher(tx, { ...columns, ...made })
    if (id === undefined) throw nameTaken()
    return audited(tx, grant, 'publisher.created', await mustBeThere(tx, owner.id, id), now)
  },
)

interface OnePublisher {
  claim: OwnerClaim
  id: number
  now: number
}

/** What jobs hold by it ends with the change: they hold what it was. So do uploads that run by it, before this is answered. */
export const changePublisher = transaction(
  'change publisher',
  async (tx, { claim, id, columns, now }: OnePublisher & { columns: Partial<Columns> }): Promise<PublisherRow> => {
    const grant = await ownerGrantNow(tx, claim, now, { loses: true })
    const ownerId = grant.owner.id
    const before = await mustBeThere(tx, ownerId, id)
    const { name } = columns
    if (name !== undefined && (await hasPublisherNamed(tx, { ownerId, name, beside: id }))) throw nameTaken()
    await deleteTokensByPin(tx, ownerId, before)
    await updatePublisher(tx, id, columns)
    return audited(tx, grant, 'publisher.changed', await mustBeThere(tx, ownerId, id), now)
  },
)

export const removePublisher = transaction('remove publisher', async (tx, { claim, id, now }: OnePublisher) => {
  const grant = await ownerGrantNow(tx, claim, now, { loses: true })
  const publisher = await mustBeThere(tx, grant.owner.id, id)
  await deleteTokensByPin(tx, grant.owner.id, publisher)
  await deletePublisher(tx, id)
  await audited(tx, grant, 'publisher.deleted', publisher, now)
})

async function mustBeThere(tx: Tx, ownerId: number, id: number): Promise<PublisherRow> {
  const found = await publisherAt(tx, ownerId, id)
  if (!found) throw noSuchPublisher()
  return found
}

async function audited(
  tx: Tx,
  { owner, caller }: OwnerGrant<'write'>,
  action: Extract<AuditAction, `publisher.${string}`>,
  publisher: PublisherRow,
  now: number,
): Promise<PublisherRow> {
  const { name, issuer, claims, packages } = ruleFrom(publisher)
  const wanted = Object.entries(claims).map(([claim, value]) => `${claim}=${value}`)
  await audit(tx, caller, now, { action, owner, subject: name, details: { issuer, claims: wanted, packages } })
  return publisher
}

/** Which jobs may publish at an owner without any stored secret. */
export class Publishers {
  readonly #catalogue: Catalogue
  readonly #now: () => number
  /** Whom an administrator trusts to say which job it is. */
  readonly issuers: readonly Issuer[]

  constructor(parts: { catalogue: Catalogue; issuers: readonly Issuer[]; now: () => number }) {
    this.#catalogue = parts.catalogue
    this.issuers = parts.issuers
    this.#now = parts.now
  }

  async list(
    { owner }: OwnerGrant,
    page: { offset: number; limit: number },
  ): Promise<{ publishers: PublisherRule[]; total: number }> {
    const { publishers, total } = await publishersPage(this.#catalogue.read, owner.id, page)
    return { publishers: publishers.map(ruleFrom), total }
  }

  async show({ owner }: OwnerGrant, id: string): Promise<PublisherRule> {
    const found = await publisherAt(this.#catalogue.read, owner.id, numberFrom(id))
    if (!found) throw noSuchPublisher()
    return ruleFrom(found)
  }

  async create(grant: OwnerGrant<'write'>, wanted: WantedPublisher): Promise<PublisherRule> {
    const columns = { name: wanted.name, ...this.#about(wanted), packages: packagesOf(grant, wanted.packages) }
    const args = { claim: ownerClaim(grant), columns, now: this.#now() }
    return ruleFrom(await this.#catalogue.transact(addPublisher, args))
  }

  /** What is undefined stays as it is. */
  async change(grant: OwnerGrant<'write'>, id: string, change: Partial<WantedPublisher>): Promise<PublisherRule> {
    const { name, issuer, claims, packages } = change
    const before = await this.show(grant, id)
    const isAbout = issuer !== undefined || claims !== undefined
    const columns = {
      ...(name === undefined ? {} : { name }),
      ...(isAbout ? this.#about({ issuer: issuer ?? before.issuer, claims: claims ?? before.claims }) : {}),
      ...(packages === undefined ? {} : { packages: packagesOf(grant, packages) }),
    }
    if (Object.keys(columns).length === 0) return before
    const args = { claim: ownerClaim(grant), id: before.id, columns, now: this.#now() }
    return ruleFrom(await this.#catalogue.transact(changePublisher, args))
  }

  async remove(grant: OwnerGrant<'write'>, id: string): Promise<void> {
    await this.#catalogue.transact(removePublisher, {
      claim: ownerClaim(grant),
      id: numberFrom(id),
      now: this.#now(),
    })
  }

  #about({ issuer: url, claims }: Pick<WantedPublisher, 'issuer' | 'claims'>) {
    const issuer = this.issuers.find((known) => known.url === url)
    if (!issuer) throw new Problem('bad-request', `issuer: ${this.#whichAre()}`)
    return { issuer: url, pinned: readRule(issuer, claims), claims: JSON.stringify(claims) }
  }

  #whichAre(): string {
    return this.issuers.length === 0
      ? 'none is trusted here: whoever runs this server names some in STOWAGE_OIDC_PUBLISHERS'
      : `must be one of those that are trusted here: ${this.issuers.map(({ url }) => url).join(', ')}`
  }
}

/** Patterns of an owner's packages, as they are kept. */
function packagesOf({ owner }: OwnerGrant, texts: readonly string[]): string {
  const names = texts.map((text) => {
    const name = namePattern(text)
    if (name !== undefined) return name
    const rule = 'letters, digits and - _ . + as in the name of a package, and * for any of them'
    throw new Problem('bad-request', `packages: "${text.slice(0, 100)}" is no pattern: ${rule}`)
  })
  const unique = [...new Set(names)]
  if (unique.length === 0) throw new Problem('bad-request', 'packages: name one at least, or * for all')
  if (unique.length > mostPatterns) throw new Problem('bad-request', `packages: may be ${mostPatterns} at most`)
  return storedLimit(unique.map((name) => ({ ownerId: owner.id, name }))) ?? '[]'
}

export function ruleFrom(row: Omit<PublisherRow, 'maker'> & { maker?: string | null }): PublisherRule {
  return {
    id: row.id,
    name: row.name,
    issuer: row.issuer,
    claims: JSON.parse(row.claims) as WantedClaims,
    packages: (limitFrom(row.packages) ?? []).map(({ name }) => name),
    maker: row.maker ?? null,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at,
  }
}

function numberFrom(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw noSuchPublisher()
  return Number(text)
}

function noSuchPublisher(): Problem {
  return new Problem('not-found', 'There is no such trusted publisher.')
}

function nameTaken(): Problem {
  return new Problem('unprocessable', 'name: is used for another trusted publisher of this owner')
}
