import type { Db } from '../catalogue/schema.ts'
import { setSiteFact, siteFact } from '../catalogue/site.ts'
import { transaction } from '../catalogue/transaction.ts'
import { Problem } from '../problems.ts'
import type { RegistryParts } from './parts.ts'
import type { Swept } from './sweep.ts'

/** What a sweep came to. */
export interface SweepRecord extends Swept {
  /** When it ended, by the clock of the node that swept. */
  at: number
  /** Milliseconds. */
  took: number
  /** Why something was not removed; null where all was that should. */
  error: string | null
}

export interface LastSweeps {
  /** Where nothing is to be removed, not each one is written down: it is the last one to within a minute. */
  last: SweepRecord
  /** The last one that removed something. */
  freed: SweepRecord | null
  /** How often a sweep had been asked for by then. */
  asks: number
}

const fact = 'last-sweep'

export const recordSweep = transaction('record sweep', async (tx, args: LastSweeps) =>
  setSiteFact(tx, fact, JSON.stringify(args)),
)

export async function lastSweeps(db: Db): Promise<LastSweeps | undefined> {
  const text = await siteFact(db, fact)
  return text === undefined ? undefined : (JSON.parse(text) as LastSweeps)
}

/** Milliseconds between two sweeps without anything to say that are both written down: some come every second. */
const quietTime = 60_000

/** Whether somebody may want to know of a sweep, after those that are written down. */
export function isWorthRecording(next: SweepRecord, asks: number, before: LastSweeps | undefined): boolean {
  if (!before || freedSomething(next) || asks > before.asks || next.error !== before.last.error) return true
  // Also where a clock was set back.
  return Math.abs(next.at - before.last.at) >= quietTime
}

interface Ended {
  swept: Swept
  took: number
  asks: number
  /** Whether the process stops, and it was not done. */
  isBrokenOff: boolean
  failure: unknown
}

/** Writes down what a sweep came to, for all nodes. */
export async function rememberSweep(parts: RegistryParts, ended: Ended): Promise<void> {
  const { swept, took, asks, failure } = ended
  const record: SweepRecord = { ...swept, at: parts.now(), took, error: failure ? told(failure) : null }
  if (ended.isBrokenOff && !freedSomething(record)) return
  const before = await lastSweeps(parts.catalogue.read)
  if (!isWorthRecording(record, asks, before)) return
  const freed = freedSomething(record) ? record : (before?.freed ?? null)
  await parts.catalogue.transact(recordSweep, { last: record, freed, asks: Math.max(asks, before?.asks ?? 0) })
}

function freedSomething({ doomed, leftover }: Swept): boolean {
  return doomed.blobs + leftover.blobs > 0
}

const longestError = 1_000

/** In a sentence, with the system's own words behind it. PostgreSQL takes no NUL. */
function told(error: unknown): string {
  const cause = error instanceof Problem && error.cause !== undefined ? ` (${String(error.cause)})` : ''
  const text = error instanceof Error ? error.message + cause : String(error)
  return text.replaceAll('\0', '').slice(0, longestError)
}
