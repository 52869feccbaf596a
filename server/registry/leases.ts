import { randomBytes } from 'node:crypto'
import { releaseClaims } from '../catalogue/jobs.ts'
import {
  anyExpired,
  insertLease,
  killExpiredLeases,
  killLease,
  killPredecessors,
  type Predecessors,
  renewLease,
} from '../catalogue/leases.ts'
import { takeIntoUse } from '../catalogue/move.ts'
import { type Catalogue, transaction } from '../catalogue/transaction.ts'
import { Problem } from '../problems.ts'

/** How long a process counts as alive after it last said so, in milliseconds. */
const lifetime = 2 * 60_000

interface TakeLease extends Holder {
  id: string
  now: number
}

export const takeLease = transaction('take lease', async (tx, args: TakeLease) => {
  const { id, now, holder, predecessors, storageId } = args
  await insertLease(tx, { id, kind: 'process', holder }, { now, lifetime })
  // Behind the lease: whoever is about to make this database a copy of another one, or to move its files, looks for leases first.
  await takeIntoUse(tx, storageId)
  await releaseClaims(tx, await killPredecessors(tx, { own: id, of: predecessors, now }))
})

export const renew = transaction('renew lease', async (tx, args: { id: string; now: number }) =>
  renewLease(tx, args.id, { now: args.now, lifetime }),
)

export const expireLeases = transaction('expire leases', async (tx, args: { own: string; now: number }) => {
  const dead = await killExpiredLeases(tx, args.own, args.now)
  await releaseClaims(tx, dead)
  return dead
})

export const giveUpLease = transaction('give up lease', async (tx, args: { id: string; now: number }) => {
  await killLease(tx, args.id, args.now)
  await releaseClaims(tx, [args.id])
})

/** What this process is, by the data directory whose lock it holds, or that it shares as a worker. */
export interface Holder {
  /** The same for every process that can only follow on this one, and for no other. */
  holder: string
  /** Of processes that cannot live any more. */
  predecessors: Predecessors
  /** What the place says that it has its files in. */
  storageId: string
}

/**
 * Says that this process lives. What it stages lies under the lease; a publish fails once the lease is dead, and only
 * then may the sweeper take what was staged under it. So no file's age decides anything.
 */
export class ProcessLease {
  readonly #catalogue: Catalogue
  readonly #now: () => number
  readonly #holder: Holder
  readonly #replaced: () => void
  #id: string
  #isGivenUp = false
  #renewing: Promise<void> | undefined
  /** By both clocks: one stands still while the machine sleeps, the other may be set back. */
  #renewedAt: { wall: number; running: number }

  private constructor(catalogue: Catalogue, now: () => number, holder: Holder, id: string, replaced: () => void) {
    this.#catalogue = catalogue
    this.#now = now
    this.#replaced = replaced
    // Later on those of this one alone: others of its node may have come since.
    this.#holder = { ...holder, predecessors: { holder: holder.holder } }
    this.#id = id
    this.#renewedAt = { wall: now(), running: performance.now() }
  }

  /** `replaced` is told that another process ended this one's lease, which had been renewed in time. */
  static async take(
    catalogue: Catalogue,
    now: () => number,
    holder: Holder,
    replaced: () => void,
  ): Promise<ProcessLease> {
    const id = newLeaseId()
    await catalogue.transact(takeLease, { id, now: now(), ...holder })
    return new ProcessLease(catalogue, now, holder, id, replaced)
  }

  get id(): string {
    return this.#id
  }

  /**
   * The id, for something that begins now. After a sleep the lease may be dead, swept and forgotten, and what would be staged
   * under it seen by nobody: then it is renewed first.
   */
  async fresh(): Promise<string> {
    if (this.#silence() > lifetime / 2) await this.renew()
    return this.#id
  }

  #silence(): number {
    const { wall, running } = this.#renewedAt
    return Math.max(Math.abs(this.#now() - wall), performance.now() - running)
  }

  /**
   * To be called well within the lifetime. Where the lease has died meanwhile (a machine that slept), takes a new one: one
   * for all who find that out at the same time.
   */
  renew(): Promise<void> {
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = undefined
    })
    return this.#renewing
  }

  async #renew(): Promise<void> {
    const now = this.#now()
    // As of before the answer: that may take long.
    const asked = { wall: now, running: performance.now() }
    if (!(await this.#catalogue.transact(renew, { id: this.#id, now }))) {
      if (this.#silence() < lifetime && !this.#isGivenUp) this.#replaced()
      const id = newLeaseId()
      await this.#catalogue.transact(takeLease, { id, now, ...this.#holder })
      this.#id = id
    }
    this.#renewedAt = asked
  }

  /** Declares other processes dead that have not renewed their leases in time; returns those leases. */
  async expireOthers(): Promise<string[]> {
    const args = { own: this.#id, now: this.#now() }
    if (!(await anyExpired(this.#catalogue.read, args.own, args.now))) return []
    return this.#catalogue.transact(expireLeases, args)
  }

  /** For a process that stops: what it left is swept, and its jobs are done by others, without waiting for the lifetime to end. */
  async giveUp(): Promise<void> {
    this.#isGivenUp = true
    await this.#catalogue.transact(giveUpLease, { id: this.#id, now: this.#now() })
  }
}

export function outOfTouch(): Problem {
  return new Problem('out-of-touch', 'This server was out of touch for too long during the upload. Try again.')
}

function newLeaseId(): string {
  return randomBytes(10).toString('hex')
}
