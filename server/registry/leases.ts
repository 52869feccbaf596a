import { randomBytes } from 'node:crypto'
import { releaseClaims } from '../catalogue/jobs.ts'
import {
  anyExpired,
  insertLease,
  killExpiredLeases,
  killLease,
  killPredecessors,
  renewLease,
} from '../catalogue/leases.ts'
import { takeIntoUse } from '../catalogue/move.ts'
import { type Catalogue, transaction } from '../catalogue/transaction.ts'
import { Problem } from '../problems.ts'

/** How long a process counts as alive after it last said so, in milliseconds. */
const lifetime = 2 * 60_000

interface TakeLease extends Node {
  id: string
  now: number
}

export const takeLease = transaction('take lease', async (tx, { id, now, holder, isAlone }: TakeLease) => {
  await insertLease(tx, { id, kind: 'process', holder }, { now, lifetime })
  // Behind the lease: whoever is about to make this database a copy of another one looks for leases first.
  await takeIntoUse(tx)
  await releaseClaims(tx, await killPredecessors(tx, { own: id, holder: isAlone ? null : holder, now }))
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

/** Where this process runs, by the data directory that it holds the lock of: no other process of the node lives. */
export interface Node {
  /** The same for every process on this data directory, and for no other. */
  holder: string
  /** Whether the catalogue has this one node. */
  isAlone: boolean
}

/**
 * Says that this process lives. What it stages lies under the lease; a publish fails once the lease is dead, and only
 * then may the sweeper take what was staged under it. So no file's age decides anything.
 */
export class ProcessLease {
  readonly #catalogue: Catalogue
  readonly #now: () => number
  readonly #node: Node
  #id: string
  #renewing: Promise<void> | undefined
  /** By both clocks: one stands still while the machine sleeps, the other may be set back. */
  #renewedAt: { wall: number; running: number }

  private constructor(catalogue: Catalogue, now: () => number, node: Node, id: string) {
    this.#catalogue = catalogue
    this.#now = now
    this.#node = node
    this.#id = id
    this.#renewedAt = { wall: now(), running: performance.now() }
  }

  static async take(catalogue: Catalogue, now: () => number, node: Node): Promise<ProcessLease> {
    const id = newLeaseId()
    await catalogue.transact(takeLease, { id, now: now(), ...node })
    return new ProcessLease(catalogue, now, node, id)
  }

  get id(): string {
    return this.#id
  }

  /**
   * The id, for something that begins now. After a sleep the lease may be dead, swept and forgotten, and what would be staged
   * under it seen by nobody: then it is renewed first.
   */
  async fresh(): Promise<string> {
    const { wall, running } = this.#renewedAt
    const silence = Math.max(Math.abs(this.#now() - wall), performance.now() - running)
    if (silence > lifetime / 2) await this.renew()
    return this.#id
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
      const id = newLeaseId()
      await this.#catalogue.transact(takeLease, { id, now, ...this.#node })
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
    await this.#catalogue.transact(giveUpLease, { id: this.#id, now: this.#now() })
  }
}

export function outOfTouch(): Problem {
  return new Problem('out-of-touch', 'This server was out of touch for too long during the upload. Try again.')
}

function newLeaseId(): string {
  return randomBytes(10).toString('hex')
}
