import {
  type AuditFilter,
  type AuditRow,
  auditPage,
  deleteAuditEventsBefore,
  goneOwner,
  mostCounted,
} from '../catalogue/audit.ts'
import { ownerIdByKey } from '../catalogue/owners.ts'
import { type Catalogue, transaction } from '../catalogue/transaction.ts'
import { userById } from '../catalogue/users.ts'
import { ownerKey, possiblePackage } from '../names.ts'
import { Problem } from '../problems.ts'
import type { Caller } from './caller.ts'
import { type AdminGrant, type Grant, isPublicOnly, mustBeInReach, signedIn, wrongCredentials } from './grant.ts'
import type { OrganisationGrant } from './organisations.ts'
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
    if (isPublicOnly(caller))
      throw new Problem('forbidden', 'This token is for what is public only, and the log tells of everything.')
    if (owner === undefined) {
      if (query.package !== undefined)
        throw new Problem('unprocessable', 'package: is asked for together with its owner')
      return this.#page({}, query, page)
    }
    const ownerId = await this.#idOf(owner)
    return ownerId === undefined ? nothing : this.#page({ ownerId }, query, page)
  }

  /** What was done at an organisation, by whomever: its owners see his name and where he was. */
  async ofOrganisation({ organisation }: OrganisationGrant<'owner'>, query: AuditQuery, page: Page): Promise<Events> {
    return this.#page({ ownerId: organisation.id }, query, page)
  }

  /** What was done about the caller's own account and packages. */
  async ofCaller(caller: Caller, query: AuditQuery, page: Page): Promise<Events> {
    const { account } = signedIn(caller, 'read:user')
    const user = await userById(this.#catalogue.read, account.id)
    if (!user) throw wrongCredentials()
    mustBeInReach(caller, user)
    return this.#page({ ownerId: account.id }, query, page)
  }

  /** What was done at a package, be it there or gone. */
  async ofPackage({ owner }: Grant<'write'>, name: string, query: AuditQuery, page: Page): Promise<Events> {
    if (possiblePackage(name) === undefined) throw new Problem('not-found', 'package does not exist')
    return this.#page({ ownerId: owner.id }, { ...query, package: name }, page)
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

const nothing: Events = { events: [], total: 0 }
