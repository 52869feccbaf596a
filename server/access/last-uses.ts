import { setLastUses, type Use, type Used } from '../catalogue/last-uses.ts'
import { type Catalogue, transaction } from '../catalogue/transaction.ts'

export const rememberUses = transaction('remember uses', async (tx, args: { used: Used; uses: readonly Use[] }) =>
  setLastUses(tx, args.used, args.uses),
)

/** Rows of one transaction. */
const batchSize = 500

/**
 * When each token and each session was last used. Gathered here and written down once in a while, so that no request waits
 * for it, and one that is used ten thousand times costs one row. What a process noted since then is lost when it dies.
 */
export class LastUses {
  readonly #catalogue: Catalogue
  readonly #now: () => number
  readonly #capacity: number
  readonly #noted: Record<Used, Map<number, number>> = {
    tokens: new Map(),
    deploy_tokens: new Map(),
    sessions: new Map(),
  }

  /** `capacity`: how many of each kind are noted at most; the oldest notes are lost first. */
  constructor(parts: { catalogue: Catalogue; now: () => number }, capacity = 50_000) {
    this.#catalogue = parts.catalogue
    this.#now = parts.now
    this.#capacity = capacity
  }

  /** This one was used just now. */
  note(used: Used, id: number): void {
    this.#keep(used, { id, at: this.#now() })
  }

  /** Writes down what was noted until now. Where that fails, what was not written stays noted. */
  async flush(): Promise<void> {
    for (const used of ['tokens', 'deploy_tokens', 'sessions'] as const) await this.#flush(used)
  }

  async #flush(used: Used): Promise<void> {
    const noted = this.#noted[used]
    const uses = [...noted].map(([id, at]) => ({ id, at })).sort((a, b) => a.id - b.id)
    noted.clear()
    while (uses.length > 0) {
      try {
        await this.#catalogue.transact(rememberUses, { used, uses: uses.slice(0, batchSize) })
      } catch (error) {
        for (const use of uses) if (!noted.has(use.id)) this.#keep(used, use)
        throw error
      }
      uses.splice(0, batchSize)
    }
  }

  #keep(used: Used, { id, at }: Use): void {
    const noted = this.#noted[used]
    noted.set(id, at)
    if (noted.size <= this.#capacity) return
    const [oldest] = noted.keys()
    if (oldest !== undefined) noted.delete(oldest)
  }
}
