import type { Selectable } from 'kysely'
import { locked } from './dialect.ts'
import { leaseLives } from './leases.ts'
import { prepared } from './prepared.ts'
import type { Db, Schema, Tx } from './schema.ts'

export type JobRow = Selectable<Schema['jobs']>

/** A job as whoever claimed it saw it. */
export interface Job {
  id: number
  kind: string
  subject: string
  /** How often it has failed. */
  attempts: number
  asks: number
  /** The lease that it is claimed with; once somebody else has taken the job over, nothing here changes it any more. */
  claimedBy: string
}

/**
 * Asks for a job, in the transaction of the change that needs it. Asked for twice, it is one job; one that runs already
 * will run again; one that was given up begins anew.
 */
export async function askForJob(tx: Tx, kind: string, subject: string, now: number): Promise<void> {
  await upsertJob(tx, { kind, subject, now })
}

const upsertJob = prepared(['kind', 'subject', 'now'], (tx, job: { kind: string; subject: string; now: number }) =>
  tx
    .insertInto('jobs')
    .values({ kind: job.kind, subject: job.subject, due_at: job.now, created_at: job.now })
    .onConflict((conflict) =>
      conflict.columns(['kind', 'subject']).doUpdateSet(({ eb, ref }) => {
        const ifGivenUp = eb.case().when('jobs.given_up_at', 'is not', null)
        return {
          asks: eb('jobs.asks', '+', 1),
          attempts: ifGivenUp.then(0).else(ref('jobs.attempts')).end(),
          due_at: ifGivenUp.then(ref('excluded.due_at')).else(ref('jobs.due_at')).end(),
          given_up_at: null,
        }
      }),
    ),
)

/** The same for one that has failed: it is due at once, with every attempt before it; one that runs will run again. */
export async function askForJobAtOnce(tx: Tx, kind: string, subject: string, now: number): Promise<void> {
  await askForJob(tx, kind, subject, now)
  await tx
    .updateTable('jobs')
    .set({ due_at: now, attempts: 0 })
    .where('kind', '=', kind)
    .where('subject', '=', subject)
    .where('claimed_by', 'is', null)
    .execute()
}

/** Nobody does the job any more; whoever is at it ends without effect on the queue. */
export async function withdrawJob(tx: Tx, kind: string, subject: string): Promise<void> {
  await tx.deleteFrom('jobs').where('kind', '=', kind).where('subject', '=', subject).execute()
}

export async function jobFor(db: Db, kind: string, subject: string): Promise<JobRow | undefined> {
  return db.selectFrom('jobs').selectAll().where('kind', '=', kind).where('subject', '=', subject).executeTakeFirst()
}

/** Makes sure that a job is there which comes again and again: one row for the whole installation, never deleted. */
export async function ensureRecurring(tx: Tx, kind: string, now: number): Promise<void> {
  await tx
    .insertInto('jobs')
    .values({ kind, subject: '', due_at: now, created_at: now })
    .onConflict((conflict) => conflict.columns(['kind', 'subject']).doNothing())
    .execute()
}

/** Has such a job done now; one that runs already will run again. Its row is made where it is missing. */
export async function bringForward(tx: Tx, kind: string, now: number): Promise<void> {
  await tx
    .insertInto('jobs')
    .values({ kind, subject: '', due_at: now, created_at: now })
    .onConflict((conflict) =>
      conflict.columns(['kind', 'subject']).doUpdateSet(({ eb }) => ({ asks: eb('jobs.asks', '+', 1), due_at: now })),
    )
    .execute()
}

/** When such a job is due; undefined where there is none. */
export async function recurringDueAt(db: Db, kind: string): Promise<number | undefined> {
  const job = db.selectFrom('jobs').select('due_at').where('kind', '=', kind).where('subject', '=', '')
  return (await job.executeTakeFirst())?.due_at
}

/** Whether a job is due later than any delay can have made it: it was set by another clock, or for another period. */
export async function anyTooFarOff(db: Db, kind: string, latest: number): Promise<boolean> {
  return (await tooFarOff(db, kind, latest).limit(1).executeTakeFirst()) !== undefined
}

/** Makes those due at once. */
export async function pullIn(tx: Tx, kind: string, latest: number, now: number): Promise<void> {
  await tx
    .updateTable('jobs')
    .set({ due_at: now })
    .where('id', 'in', tooFarOff(tx, kind, latest))
    .execute()
}

function tooFarOff(db: Db | Tx, kind: string, latest: number) {
  return db
    .selectFrom('jobs')
    .select('id')
    .where('kind', '=', kind)
    .where('claimed_by', 'is', null)
    .where('given_up_at', 'is', null)
    .where('due_at', '>', latest)
}

/** Whether one of these jobs will still be done, now or later. */
export async function anyAwaited(db: Db, kind: string, subjects: readonly string[]): Promise<boolean> {
  const job = await db
    .selectFrom('jobs')
    .select('id')
    .where('kind', '=', kind)
    .where('subject', 'in', subjects)
    .where('given_up_at', 'is', null)
    .limit(1)
    .executeTakeFirst()
  return job !== undefined
}

interface Claimant {
  kind: string
  leaseId: string
  now: number
  /** Jobs of this kind that the process is at. */
  inHand?: readonly number[]
}

/** Whether `claimJobs` would find something, so that an idle look costs a read and no transaction. */
export async function anyDue(db: Db, { kind, leaseId, now, inHand = [] }: Claimant): Promise<boolean> {
  let job = db.selectFrom('jobs').select('id').where('kind', '=', kind).limit(1)
  if (inHand.length > 0) job = job.where('id', 'not in', inHand)
  const due = await job
    .where('claimed_by', 'is', null)
    .where('given_up_at', 'is', null)
    .where('due_at', '<=', now)
    .executeTakeFirst()
  return (due ?? (await job.where('claimed_by', '=', leaseId).executeTakeFirst())) !== undefined
}

/**
 * Claims due jobs of one kind for a process. What its lease still claims beside those that it has in hand was left by an answer
 * that got lost, and is taken up again. No two processes get the same job.
 */
export async function claimJobs(
  tx: Tx,
  { kind, leaseId, now, limit, inHand = [] }: Claimant & { limit: number },
): Promise<Job[]> {
  // The claims of a lease are released once, when it is declared dead: it must get no others after that.
  if (!(await leaseLives(tx, leaseId))) return []
  let left = tx.updateTable('jobs').set({ claimed_by: null }).where('kind', '=', kind).where('claimed_by', '=', leaseId)
  if (inHand.length > 0) left = left.where('id', 'not in', inHand)
  await left.execute()
  let claimable = tx
    .selectFrom('jobs')
    .select(['id', 'kind', 'subject', 'attempts', 'asks'])
    .where('kind', '=', kind)
    .where('claimed_by', 'is', null)
    .where('given_up_at', 'is', null)
    .where('due_at', '<=', now)
  // Also one that was claimed by this process's lease of before, and given back when that one died.
  if (inHand.length > 0) claimable = claimable.where('id', 'not in', inHand)
  const due = await claimable
    .orderBy('due_at')
    .orderBy('id')
    .limit(limit)
    .$call(locked(tx, 'for update skip locked'))
    .execute()
  if (due.length === 0) return []
  const ids = due.map(({ id }) => id)
  await tx.updateTable('jobs').set({ claimed_by: leaseId }).where('id', 'in', ids).execute()
  return due.map((job) => ({ ...job, claimedBy: leaseId }))
}

/** Strikes a job off that is done; where it was asked for again meanwhile, it is due at once. */
export async function finishJob(tx: Tx, job: Job): Promise<void> {
  const struck = await tx
    .deleteFrom('jobs')
    .where((row) => row.and(unchanged(job)))
    .executeTakeFirst()
  if (struck.numDeletedRows === 0n) await beginAnew(tx, job)
}

/** Gives a job back that has come on and is not done: it is due again behind those that wait already. */
export async function giveWay(tx: Tx, job: Job, now: number): Promise<void> {
  await tx
    .updateTable('jobs')
    .set({ due_at: now, attempts: 0, claimed_by: null })
    .where((row) => row.and(claimed(job)))
    .execute()
}

/** The same as `finishJob` for a job that comes again and again: it is due the next time at `dueAt`. */
export async function finishRecurring(tx: Tx, job: Job, dueAt: number): Promise<void> {
  const finished = await tx
    .updateTable('jobs')
    .set({ due_at: dueAt, attempts: 0, last_error: null, claimed_by: null })
    .where((row) => row.and(unchanged(job)))
    .executeTakeFirst()
  if (finished.numUpdatedRows === 0n) await beginAnew(tx, job)
}

/** After a failure: not before `dueAt` again. */
export async function postponeJob(tx: Tx, job: Job, dueAt: number, error: string): Promise<void> {
  await tx
    .updateTable('jobs')
    .set({ due_at: dueAt, attempts: job.attempts + 1, last_error: error, claimed_by: null })
    .where((row) => row.and(claimed(job)))
    .execute()
}

/** After the last failure: nobody tries any more, until it is asked for again or an administrator says so. */
export async function giveUpJob(tx: Tx, job: Job, now: number, error: string): Promise<void> {
  const givenUp = await tx
    .updateTable('jobs')
    .set({ given_up_at: now, attempts: job.attempts + 1, last_error: error, claimed_by: null })
    .where((row) => row.and(unchanged(job)))
    .executeTakeFirst()
  if (givenUp.numUpdatedRows === 0n) await beginAnew(tx, job)
}

/** Gives jobs back that were claimed and not done, as they were. */
export async function releaseJobs(tx: Tx, jobs: readonly Job[]): Promise<void> {
  for (const job of jobs) {
    await tx
      .updateTable('jobs')
      .set({ claimed_by: null })
      .where((row) => row.and(claimed(job)))
      .execute()
  }
}

/** Gives back whatever processes claimed that are dead or stop: in the transaction that declares their leases dead. */
export async function releaseClaims(tx: Tx, leaseIds: readonly string[]): Promise<void> {
  if (leaseIds.length === 0) return
  await tx.updateTable('jobs').set({ claimed_by: null }).where('claimed_by', 'in', leaseIds).execute()
}

const claimed = (job: Job) => ({ id: job.id, claimed_by: job.claimedBy })
const unchanged = (job: Job) => ({ ...claimed(job), asks: job.asks })

async function beginAnew(tx: Tx, job: Job): Promise<void> {
  await tx
    .updateTable('jobs')
    .set({ attempts: 0, claimed_by: null })
    .where((row) => row.and(claimed(job)))
    .execute()
}

export const jobStates = ['waiting', 'running', 'given-up'] as const
export type JobState = (typeof jobStates)[number]

export function stateOf(job: JobRow): JobState {
  if (job.given_up_at !== null) return 'given-up'
  return job.claimed_by === null ? 'waiting' : 'running'
}

/** Jobs that are counted: where there are more, say because storage was away, nobody is told how many. */
const mostCounted = 1_000

/** One page of the jobs, oldest first, and how many there are, unless they are very many. */
export async function jobsPage(
  db: Db,
  state: JobState | undefined,
  page: { offset: number; limit: number },
): Promise<{ jobs: JobRow[]; total: number | undefined }> {
  let some = db.selectFrom('jobs').orderBy('id')
  if (state !== undefined) some = some.where('given_up_at', state === 'given-up' ? 'is not' : 'is', null)
  if (state === 'waiting') some = some.where('claimed_by', 'is', null)
  if (state === 'running') some = some.where('claimed_by', 'is not', null)
  const jobs = await some.selectAll().offset(page.offset).limit(page.limit).execute()
  const counted = some.select('id').limit(mostCounted + 1)
  const { total } = await db
    .selectFrom(counted.as('counted'))
    .select((select) => select.fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow()
  return { jobs, total: Number(total) > mostCounted ? undefined : Number(total) }
}

export async function jobById(tx: Tx, id: number): Promise<JobRow | undefined> {
  return tx.selectFrom('jobs').selectAll().where('id', '=', id).$call(locked(tx, 'for update')).executeTakeFirst()
}

/** Due now, with every attempt before it; one that runs is left alone. */
export async function retryJob(tx: Tx, id: number, now: number): Promise<void> {
  await tx
    .updateTable('jobs')
    .set({ due_at: now, attempts: 0, given_up_at: null })
    .where('id', '=', id)
    .where('claimed_by', 'is', null)
    .execute()
}

/** False unless it was given up. */
export async function deleteGivenUp(tx: Tx, id: number): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom('jobs')
    .where('id', '=', id)
    .where('given_up_at', 'is not', null)
    .executeTakeFirst()
  return numDeletedRows > 0n
}

export interface JobCount {
  kind: string
  state: JobState
  jobs: number
}

/** Counts the next `limit` jobs behind an id; `last` is null where none was left. */
export async function countJobs(
  db: Db,
  after: number,
  limit: number,
): Promise<{ counts: JobCount[]; last: number | null }> {
  const some = db
    .selectFrom('jobs')
    .select(({ eb, val }) => [
      'id',
      'kind',
      eb
        .case()
        .when('given_up_at', 'is not', null)
        .then(val<JobState>('given-up'))
        .when('claimed_by', 'is not', null)
        .then(val<JobState>('running'))
        .else(val<JobState>('waiting'))
        .end()
        .as('state'),
    ])
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
  const rows = await db
    .selectFrom(some.as('some'))
    .select(({ fn }) => ['kind', 'state', fn.countAll<number>().as('jobs'), fn.max('id').as('last')])
    .groupBy(['kind', 'state'])
    .execute()
  const counts = rows.map(({ kind, state, jobs }) => ({ kind, state, jobs }))
  return { counts, last: rows.length === 0 ? null : Math.max(...rows.map((row) => Number(row.last))) }
}
