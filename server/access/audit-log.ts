import {
  type AuditFilter,
  type AuditRow,
  auditPage,
  deleteAuditEventsBefore,
  goneOwner,
  mostCounted,
} from '../catalogue/audit.ts'
import { ownersAmong, placesAmong } from '../catalogue/audit-places.ts'
import { ownerIdByKey } from '../catalogue/owners.ts'
import { type Catalogue, transaction } from '../catalogue/transaction.ts'
import { userById } from '../catalogue/users.ts'
import { ownerKey, possiblePackage, possibleVersion } from '../names.ts'
import { Problem } from '../problems.ts'
import type { Caller } from './caller.ts'
import { type AdminGrant, isPublicOnly, type PackageGrant, signedIn, wrongCredentials } from './grant.ts'
import type { OrganisationGrant } from './organisations.ts'
import { permission } from './rules.ts'
import type { SignIns } from './sign-ins.ts'

/** For those who may not import the catalogue. */
export type { AuditRow }

/** The job that removes events that are older than the log is kept. */
export const auditRetentionJob = 'audit-retention'

export const dropOldEvents = transaction('drop old audit events', async (tx, args: { before: number; limit: number }) =>
  deleteAuditEventsBefore(tx, args.before, args.limit),
)

/** Events that one transaction removes: it has ten seconds. */
const fewEvents = 2_000

/** What somebody wants to see of the log. */
export interface AuditQuery extends Pick<AuditFilter, 'actions' | 'credential' | 'tokenLastEight' | 'since' | 'until'> {
  /** Names, of today, of before or of who is gone. */
  actor?: string | undefined
  owner?: string | undefined
  package?: string | undefined
}

type Page = { offset: number; limit: number }
type Events = { events: AuditRow[]; total: number | undefined }

/** What events name and is still there for the reader: each by what it is called today. */
export interface StillThere {
  /** By id. */
  owners: ReadonlyMap<number, string>
  package(event: AuditRow): string | undefined
  version(event: AuditRow): string | undefined
}

/** Who did what, for those who may know. */
export class AuditLog {
  readonly #catalogue: Catalogue
  readonly #signIns: SignIns
  readonly #now: () => number
  readonly #retention: number

  /** `retention`: milliseconds that events are kept; Infinity: for ever. */
  constructor(parts: { catalogue: Catalogue; signIns: SignIns; now: () => number; retention: number }) {
    this.#catalogue = parts.catalogue
    this.#signIns = parts.signIns
    this.#now = parts.now
    this.#retention = parts.retention
  }

  /** All of it. A package is asked for at its owner. */
  async ofSite({ caller }: AdminGrant, { owner, ...query }: AuditQuery, page: Page): Promise<Events> {
    mustReachAll(caller)
    if (owner === undefined) {
      if (query.package !== undefined)
        throw new Problem('unprocessable', 'package: is asked for together with its owner')
      return this.#page({}, query, page)
    }
    const ownerId = await this.#idOf(owner)
    return ownerId === undefined ? nothing : this.#page({ ownerId }, query, page)
  }

  /** What was done at an organisation, by whomever: its owners see his name and where he was. */
  async ofOrganisation(
    { organisation, caller }: OrganisationGrant<'owner'>,
    query: AuditQuery,
    page: Page,
  ): Promise<Events> {
    mustReachAll(caller)
    return this.#page({ ownerId: organisation.id }, query, page)
  }

  /** What was done about the caller's own account and packages. */
  async ofCaller(caller: Caller, query: AuditQuery, page: Page): Promise<Events> {
    const { account } = signedIn(caller, 'read:user')
    const user = await userById(this.#catalogue.read, account.id)
    if (!user) throw wrongCredentials()
    mustReachAll(caller)
    return this.#page({ ownerId: account.id }, query, page)
  }

  /** What was done at a package, be it there or gone, by whomever and from where: not for who is let in at the package alone. */
  async ofPackage(grant: PackageGrant<'write'>, query: AuditQuery, page: Page): Promise<Events> {
    const { caller, owner, packageKey } = grant
    // It names people and where they were.
    if (caller.kind === 'deploy-token') {
      throw new Problem('forbidden', 'A deploy token reads and publishes packages, and is told nothing of the log.')
    }
    if (permission(caller, owner) !== 'write') {
      throw new Problem('forbidden', `What was done is for those who may publish anything of ${owner.name}.`)
    }
    if (packageKey === '') throw new Problem('not-found', 'package does not exist')
    return this.#page({ ownerId: owner.id }, { ...query, package: packageKey }, page)
  }

  /** What these events name, as far as the reader may go there. */
  async stillThere(caller: Caller, events: readonly AuditRow[]): Promise<StillThere> {
    const { read } = this.#catalogue
    const ids = events.flatMap(({ actor_id, owner_id }) => [actor_id ?? [], owner_id ?? []].flat())
    const userId = caller.kind === 'user' ? caller.account.id : 0
    const owners = (await ownersAmong(read, [...new Set(ids)], userId)).filter(
      (owner) => permission(caller, owner) !== 'none',
    )
    const names = new Map(owners.map(({ id, name }) => [id, name]))
    const keys = events.flatMap(({ owner_id, package_key, version }) =>
      owner_id !== null && package_key !== null && names.has(owner_id)
        ? [{ ownerId: owner_id, packageKey: package_key, versionKey: versionKeyOf(version) }]
        : [],
    )
    const places = await placesAmong(read, keys)
    const packages = new Map(places.map(({ ownerId, packageKey, name }) => [`${ownerId} ${packageKey}`, name]))
    const versions = new Map(
      places.map(({ ownerId, packageKey, versionKey, version }) => [`${ownerId} ${packageKey} ${versionKey}`, version]),
    )
    return {
      owners: names,
      package: ({ owner_id, package_key }) => packages.get(`${owner_id} ${package_key}`),
      version: ({ owner_id, package_key, version }) =>
        versions.get(`${owner_id} ${package_key} ${versionKeyOf(version)}`) ?? undefined,
    }
  }

  /** Removes what is older than the log is kept. */
  async dropOld(signal: AbortSignal): Promise<void> {
    if (this.#retention === Number.POSITIVE_INFINITY) return
    const before = this.#now() - this.#retention
    let dropped = fewEvents
    while (dropped === fewEvents && !signal.aborted) {
      dropped = await this.#catalogue.transact(dropOldEvents, { before, limit: fewEvents })
    }
  }

  async #page(at: { ownerId?: number }, query: AuditQuery, page: Page): Promise<Events> {
    const { actor, package: name, actions, credential, tokenLastEight, since, until } = query
    if (page.offset + page.limit > mostCounted) {
      throw new Problem('unprocessable', `page: only the newest ${mostCounted} are shown in pages; ask with until`)
    }
    // Best effort: where nothing can be written, what was written before can still be read.
    await this.#signIns.flush().catch(() => undefined)
    const actorId = actor === undefined ? undefined : await this.#idOf(actor)
    const packageKey = name === undefined ? undefined : possiblePackage(name)
    if ((actor !== undefined && actorId === undefined) || (name !== undefined && packageKey === undefined))
      return nothing
    const filter = { ...at, packageKey, actorId, actions, credential, tokenLastEight, since, until }
    const found = await auditPage(this.#catalogue.read, filter, page)
    if (found) return found
    throw new Problem(
      'unprocessable',
      'There is too much to look through: ask for a shorter time, with since and until.',
    )
  }

  /** Whose name it is; else whose it was. */
  async #idOf(name: string): Promise<number | undefined> {
    const key = ownerKey(name)
    if (key === undefined) return undefined
    const { read } = this.#catalogue
    return (await ownerIdByKey(read, key)) ?? goneOwner(read, (gone) => ownerKey(gone) === key)
  }
}

/** The log tells of what is not public, too: at a public owner, of private packages. */
function mustReachAll(caller: Caller): void {
  if (!isPublicOnly(caller)) return
  throw new Problem('forbidden', 'This token is for what is public only, and the log tells of everything.')
}

const nothing: Events = { events: [], total: 0 }

function versionKeyOf(version: string | null): string | undefined {
  return version === null ? undefined : possibleVersion(version)
}
