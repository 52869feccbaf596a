import { expect } from 'bun:test'
import { type Seeded, seededBytes, sha256Of } from './seeded.ts'
import type { Client, FileAddress } from './stowage.ts'

const sizes = [0, 1, 1, 200, 10_000, 10_000, 10_000, 300_000, 300_000, 5_000_000]
/** How many different contents are published, under many names each. */
export const contents = 60

export const bytesOf = (content: number) => seededBytes(sizes[content % sizes.length] as number, content + 1)

/**
 * What is known of one address. `unknown`: nobody said what became of a request that would have changed it; `settles` is the
 * status of a look that tells for good, as nothing that is still under way can undo it.
 */
export type State =
  | { is: 'there'; content: number }
  | { is: 'absent' }
  | { is: 'unknown'; content: number; settles: 200 | 404 }

const absent: State = { is: 'absent' }

/** Whether no answer need come: because the server was killed, say. */
export type MayBeSilent = () => boolean
const mustAnswer: MayBeSilent = () => false

/** Everything that was asked of a server and answered by it, whatever happened to it in between. */
export class Ledger {
  readonly files = new Map<string, State>()
  readonly counts = { put: 0, deleted: 0, read: 0, unanswered: 0, unavailable: 0, unansweredDone: 0 }
  /** Milliseconds of the longest wait for an answer. */
  longestWait = 0
  readonly #random: Seeded
  readonly #mayBeUnavailable: boolean
  readonly #busy = new Set<string>()

  /** `mayBeUnavailable`: 503 is an answer, and one that leaves open what happened. */
  constructor(random: Seeded, { mayBeUnavailable }: { mayBeUnavailable: boolean }) {
    this.#random = random
    this.#mayBeUnavailable = mayBeUnavailable
  }

  state(name: string): State {
    return this.files.get(name) ?? absent
  }

  /** An address that no other client is using just now. */
  take(name: string): boolean {
    if (this.#busy.has(name)) return false
    this.#busy.add(name)
    return true
  }

  free(name: string): void {
    this.#busy.delete(name)
  }

  all(is: State['is']): string[] {
    return [...this.files].filter(([, state]) => state.is === is).map(([name]) => name)
  }

  some(is: State['is'], count: number): string[] {
    const names = this.all(is)
    return Array.from({ length: Math.min(count, names.length) }, () => this.#random.pick(names))
  }

  async publish(client: Client, name: string, content: number, mayBeSilent = mustAnswer): Promise<void> {
    const before = this.state(name)
    // A name that is taken stays what it is, whatever becomes of this request.
    if (before.is === 'absent') this.files.set(name, { is: 'unknown', content, settles: 200 })
    const status = await this.#statusOf(client.put(addressOf(name), bytesOf(content)), mayBeSilent)
    if (status === undefined) return
    expect({ name, before, status }).toEqual({ name, before, status: before.is === 'absent' ? 201 : 409 })
    if (before.is !== 'absent') return
    this.files.set(name, { is: 'there', content })
    this.counts.put += 1
  }

  async remove(client: Client, name: string, mayBeSilent = mustAnswer): Promise<void> {
    const before = this.state(name)
    if (before.is === 'there') this.files.set(name, { is: 'unknown', content: before.content, settles: 404 })
    const status = await this.#statusOf(client.delete(addressOf(name)), mayBeSilent)
    if (status === undefined) return
    expect({ name, before, status }).toEqual({ name, before, status: before.is === 'absent' ? 404 : 204 })
    if (before.is === 'there') this.counts.deleted += 1
    this.files.set(name, absent)
  }

  /** Reads an address back. What was unknown is what is found from then on: when nothing of it can be under way any more. */
  async settle(client: Client, name: string): Promise<void> {
    await this.look(client, name, mustAnswer)
    const state = this.state(name)
    if (state.is !== 'unknown') return
    this.files.set(name, state.settles === 200 ? absent : { is: 'there', content: state.content })
  }

  /** Reads an address back, while a request that nobody answered may still be under way. */
  async look(client: Client, name: string, mayBeSilent = mustAnswer): Promise<void> {
    const state = this.state(name)
    let bytes: Uint8Array = new Uint8Array()
    const status = await this.#statusOf(
      client.get(addressOf(name)).then(async (answer) => {
        bytes = await answer.bytes()
        return answer
      }),
      mayBeSilent,
    )
    if (status === undefined) return
    const expected = { there: [200], absent: [404], unknown: [200, 404] }[state.is]
    if (!expected.includes(status)) throw new Error(`${name} is ${JSON.stringify(state)}, but was answered ${status}`)
    this.counts.read += 1
    if (state.is === 'absent') return
    if (status === 200) {
      const { content } = state
      expect({ name, sha256: sha256Of(bytes) }).toEqual({ name, sha256: sha256Of(bytesOf(content)) })
    }
    if (state.is !== 'unknown' || status !== state.settles) return
    this.counts.unansweredDone += 1
    this.files.set(name, status === 200 ? { is: 'there', content: state.content } : absent)
  }

  /** The status; nothing where the answer leaves open what happened, or none had to come. */
  async #statusOf(request: Promise<Response>, mayBeSilent: MayBeSilent): Promise<number | undefined> {
    const began = performance.now()
    let answer: Response
    try {
      answer = await request
    } catch (error) {
      if (!mayBeSilent()) throw error
      this.counts.unanswered += 1
      return undefined
    } finally {
      this.longestWait = Math.max(this.longestWait, performance.now() - began)
    }
    if (answer.status !== 503 || !this.#mayBeUnavailable) return answer.status
    expect(answer.headers.get('retry-after')).toMatch(/^[1-9]\d*$/)
    this.counts.unavailable += 1
    return undefined
  }
}

export function addressOf(name: string): FileAddress {
  const [version = '', file = ''] = name.split('/')
  return { package: 'ledger', version, file }
}

/** What a database must never hold, on whichever it is asked: references to nothing, and what is empty or unused. */
export const disorder = `
  select 'version' as what, id from versions where id not in (select version_id from files)
  union all select 'package', id from packages where id not in (select package_id from versions)
  union all select 'blob', id from blobs where id not in (select blob_id from files)
  union all select 'file without a blob', id from files where blob_id not in (select id from blobs)
  union all select 'file without a version', id from files where version_id not in (select id from versions)
  union all select 'version without a package', id from versions where package_id not in (select id from packages)`
