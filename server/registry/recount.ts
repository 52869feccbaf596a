import { audit } from '../access/audit.ts'
import { type AdminGrant, administer, callerNow, type Standing, standingOf } from '../access/grant.ts'
import { bringForward } from '../catalogue/jobs.ts'
import { alone, lockByName } from '../catalogue/named-locks.ts'
import {
  type Drift,
  nextOwners,
  nextPackages,
  nextVersions,
  type Range,
  type Recounted,
  recountOwners,
  recountPackages,
  recountVersions,
} from '../catalogue/recount.ts'
import type { Tx } from '../catalogue/schema.ts'
import { setSiteFact, siteFact } from '../catalogue/site.ts'
import { transaction } from '../catalogue/transaction.ts'
import type { RegistryParts } from './parts.ts'

/** For those who may not import the catalogue. */
export type { Drift }

/** Kind of the job that compares what is kept of versions, files and bytes with what is there. */
export const recountJob = 'recount'

/** What the last one came to. */
export interface UsageCheck {
  /** When it began. */
  at: number
  /** Milliseconds. */
  took: number
  /** How many of each it looked at. */
  versions: number
  packages: number
  owners: number
  /** The first numbers that were wrong. */
  drift: Drift[]
  /** How many were, and are right now. */
  corrected: number
}

const checkKey = 'last-recount'
const mostShown = 20

/** In the order in which each is counted from what comes before it. */
const passes = [
  ['versions', nextVersions, recountVersions],
  ['packages', nextPackages, recountPackages],
  ['owners', nextOwners, recountOwners],
] as const

type Pass = (typeof passes)[number][0]

const counters = Object.fromEntries(passes.map(([name, , count]) => [name, count])) as Record<
  Pass,
  (tx: Tx, range: Range) => Promise<Recounted>
>

export const recountSome = transaction('recount some', async (tx, args: { pass: Pass; range: Range }) => {
  // Where another process has taken this one for dead, both would add the same difference.
  await lockByName(tx, [alone('recount')])
  return counters[args.pass](tx, args.range)
})

export const rememberRecount = transaction('remember recount', async (tx, args: { check: UsageCheck }) =>
  setSiteFact(tx, checkKey, JSON.stringify(args.check)),
)

/** Counts everything through, a batch at a time, corrects what is wrong, and writes down what that came to. */
export async function recount(parts: RegistryParts, signal?: AbortSignal): Promise<UsageCheck> {
  const begun = performance.now()
  const check: UsageCheck = { at: parts.now(), took: 0, versions: 0, packages: 0, owners: 0, drift: [], corrected: 0 }
  for (const [pass, next] of passes) {
    for (let range = await next(parts.catalogue.read, 0); range; range = await next(parts.catalogue.read, range.upTo)) {
      signal?.throwIfAborted()
      const { counted, drift } = await parts.catalogue.transact(recountSome, { pass, range })
      check[pass] += counted
      check.corrected += drift.length
      check.drift.push(...drift.slice(0, mostShown - check.drift.length))
    }
  }
  check.took = Math.round(performance.now() - begun)
  await parts.catalogue.transact(rememberRecount, { check })
  return check
}

/** What the last recount came to; undefined before the first. */
export async function lastUsageCheck({ catalogue }: RegistryParts, _: AdminGrant): Promise<UsageCheck | undefined> {
  const value = await siteFact(catalogue.read, checkKey)
  return value === undefined ? undefined : (JSON.parse(value) as UsageCheck)
}

export const askForRecount = transaction('ask for recount', async (tx, args: { standing: Standing; now: number }) => {
  const { caller } = administer(await callerNow(tx, args.standing, args.now), 'write')
  await bringForward(tx, recountJob, args.now)
  await audit(tx, caller, args.now, { action: 'usage.recounted' })
})

/** Has everything counted as soon as possible, by whichever process. */
export async function recountSoon(parts: RegistryParts, { caller }: AdminGrant): Promise<void> {
  await parts.catalogue.transact(askForRecount, { standing: standingOf(caller), now: parts.now() })
  parts.wake(recountJob)
}
