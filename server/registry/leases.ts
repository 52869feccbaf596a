import { randomBytes } from 'node:crypto'
import { insertLease, killOtherProcessLeases, renewLease } from '../catalogue/leases.ts'
import { type Catalogue, transaction } from '../catalogue/transaction.ts'

/** How long a process counts as alive after it last said so, in milliseconds. */
const lifetime = 2 * 60_000

export const takeLease = transaction(
  'take lease',
  async (tx, args: { id: string; now: number; othersAreDead: boolean }) => {
    await insertLease(tx, args.id, 'process', args.now + lifetime)
    if (args.othersAreDead) await killOtherProcessLeases(tx, args.id, args.now)
  },
)

export const renew = transaction('renew lease', async (tx, args: { id: string; now: number }) =>
  renewLease(tx, args.id, args.now + lifetime),
)

/**
 * Says that this process lives. What it stages lies under the lease; a publish fails once the lease is dead, and only
 * then may the sweeper take what was staged under it. So no file's age decides anything.
 */
export class ProcessLease {
  readonly #catalogue: Catalogue
  readonly #now: () => number
  #id: string

  private constructor(catalogue: Catalogue, now: () => number, id: string) {
    this.#catalogue = catalogue
    this.#now = now
    this.#id = id
  }

  /** `othersAreDead`: the caller holds a lock that shows that no other process can be alive. */
  static async take(catalogue: Catalogue, now: () => number, othersAreDead: boolean): Promise<ProcessLease> {
    const id = newLeaseId()
    await catalogue.transact(takeLease, { id, now: now(), othersAreDead })
    return new ProcessLease(catalogue, now, id)
  }

  get id(): string {
    return this.#id
  }

  /** To be called well within the lifetime. Where the lease has died meanwhile (a machine that slept), takes a new one. */
  async renew(): Promise<void> {
    const now = this.#now()
    if (await this.#catalogue.transact(renew, { id: this.#id, now })) return
    const id = newLeaseId()
    await this.#catalogue.transact(takeLease, { id, now, othersAreDead: false })
    this.#id = id
  }
}

function newLeaseId(): string {
  return randomBytes(10).toString('hex')
}
