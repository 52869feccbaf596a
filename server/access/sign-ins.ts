import { type Catalogue, transaction } from '../catalogue/transaction.ts'
import { networkOf } from '../lib/real-address.ts'
import { auditPast, type PastEvent } from './audit.ts'
import type { SignedIn } from './caller.ts'

/** Why somebody was not let in. */
export type Refusal =
  | 'malformed'
  | 'unknown-account'
  | 'wrong-password'
  | 'passwords-off'
  | 'code-missing'
  | 'wrong-code'
  | 'passkey-missing'
  | 'provider-only'
  | 'unknown-passkey'
  | 'wrong-passkey'
  | 'passkey-counter'
  | 'wrong-token'
  | 'expired-token'
  | 'provider-refused'
  | 'prohibited'
  | 'too-many-attempts'

/** Whose account it was tried at, where what was typed is one. */
type Account = { id: number; name: string }

export const writeSignIns = transaction('write sign-ins', async (tx, args: { events: readonly PastEvent[] }) =>
  auditPast(tx, args.events),
)

/** Rows of one transaction. */
const batchSize = 500
/** A credential that is sent with every request signs in once from each network, and again when it was not sent for so long. Milliseconds. */
const sameSignIn = 5 * 60_000
/** Sign-ins that are remembered at most; the oldest are forgotten first, and would be written once more. */
const mostRemembered = 20_000

/** Failures of one network that get a row each, within a minute; the others are counted. */
const rowsOfNetwork = 10
/** The same of all networks together: whoever has many must not fill the database. */
const rowsOfAll = 500
/** Accounts of one network, and networks, by which the others are counted; more are counted together. */
const mostAccounts = 20
const mostNetworks = 2_000
/** Rows that wait to be written while the database is away; the oldest are lost first. */
const mostWaiting = 10_000
const minute = 60_000

/** What one network did within a minute beside the failures that got a row. */
interface Minute {
  until: number
  rows: number
  counted: Map<number | null, { account: Account | undefined; times: number }>
}

/** The networks for which there is no more room. */
const elsewhere = ''

/**
 * Sign-ins that change nothing else, and those that failed. Gathered here and written down within a second or so, so that no
 * request waits for it: a download needs no write. What a process gathered since then is lost when it dies.
 */
export class SignIns {
  readonly #catalogue: Catalogue
  readonly #now: () => number
  #waiting: PastEvent[] = []
  readonly #signedIn = new Map<string, number>()
  readonly #minutes = new Map<string, Minute>()
  #all = { until: 0, rows: 0 }
  #writing: Promise<void> = Promise.resolve()

  constructor(parts: { catalogue: Catalogue; now: () => number }) {
    this.#catalogue = parts.catalogue
    this.#now = parts.now
  }

  /** Somebody has shown who he is, and may go on doing so with each request. */
  succeeded(caller: SignedIn): void {
    const now = this.#now()
    const key = `${caller.account.id} ${caller.credential.kind} ${networkOf(caller.address)}`
    const until = this.#signedIn.get(key) ?? 0
    this.#signedIn.delete(key)
    this.#signedIn.set(key, now + sameSignIn)
    if (this.#signedIn.size > mostRemembered) {
      const [oldest] = this.#signedIn.keys()
      if (oldest !== undefined) this.#signedIn.delete(oldest)
    }
    if (until <= now) this.#wait({ actor: caller, at: now, event: { action: 'sign-in', owner: caller.account } })
  }

  /** Somebody was not let in. `token`: the end of a token that was once good. */
  failed(why: Refusal, address: string, account?: Account, token?: string): void {
    const now = this.#now()
    const network = networkOf(address)
    const open = this.#minuteOf(network, now)
    if (this.#all.until <= now) this.#all = { until: now + minute, rows: 0 }
    if (open.rows >= rowsOfNetwork || this.#all.rows >= rowsOfAll) {
      const id = account?.id ?? null
      const key = open.counted.has(id) || open.counted.size < mostAccounts ? id : null
      const times = (open.counted.get(key)?.times ?? 0) + 1
      open.counted.set(key, { account: key === null ? undefined : named(account), times })
      return
    }
    open.rows += 1
    this.#all.rows += 1
    const details = { reason: why, ...(token === undefined ? {} : { token_last_eight: token }) }
    this.#wait({ actor: { address }, at: now, event: { action: 'sign-in.failed', owner: named(account), details } })
  }

  /**
   * Writes down what was gathered until now; what was only counted when its minute is over, or at the `end`. Where that fails, it
   * stays gathered.
   */
  flush(end = false): Promise<void> {
    const flushed = this.#writing.then(() => this.#flush(end))
    this.#writing = flushed.catch(() => undefined)
    return flushed
  }

  async #flush(end: boolean): Promise<void> {
    this.#closeMinutes(end ? Number.POSITIVE_INFINITY : this.#now())
    while (this.#waiting.length > 0) {
      const events = this.#waiting.splice(0, batchSize)
      try {
        await this.#catalogue.transact(writeSignIns, { events })
      } catch (error) {
        this.#waiting = [...events, ...this.#waiting].slice(-mostWaiting)
        throw error
      }
    }
  }

  #minuteOf(network: string, now: number): Minute {
    const known = this.#minutes.get(network)
    if (known && known.until > now) return known
    if (known) this.#close(network, known)
    if (this.#minutes.size >= mostNetworks) this.#closeMinutes(now)
    const fresh: Minute = { until: now + minute, rows: 0, counted: new Map() }
    if (this.#minutes.size < mostNetworks) {
      this.#minutes.set(network, fresh)
      return fresh
    }
    // One entry for all who find no room: they share the rows of one network.
    const shared = this.#minutes.get(elsewhere)
    if (shared && shared.until > now) return shared
    this.#minutes.set(elsewhere, fresh)
    return fresh
  }

  #closeMinutes(now: number): void {
    for (const [network, open] of this.#minutes) if (open.until <= now) this.#close(network, open)
  }

  #close(network: string, open: Minute): void {
    this.#minutes.delete(network)
    for (const { account, times } of open.counted.values()) {
      const actor = network === elsewhere ? ('server' as const) : { address: network }
      const event = { action: 'sign-in.failed' as const, owner: account, details: { times } }
      this.#wait({ actor, at: Math.min(open.until, this.#now()), event })
    }
  }

  #wait(event: PastEvent): void {
    this.#waiting.push(event)
    if (this.#waiting.length > mostWaiting) this.#waiting.shift()
  }
}

/** Nothing else of the account's row. */
function named(account: Account | undefined): Account | undefined {
  return account && { id: account.id, name: account.name }
}
