import { prepared } from './prepared.ts'
import type { Db, Tx } from './schema.ts'

export interface Job {
  id: number
  subject: string
  attempts: number
}

/** Asks for a job, in the transaction of the change that needs it; asked for twice, it is one job. */
export async function askForJob(tx: Tx, kind: string, subject: string, now: number): Promise<void> {
  await insertJob(tx, { kind, subject, now })
}

const insertJob = prepared(['kind', 'subject', 'now'], (tx, job: { kind: string; subject: string; now: number }) =>
  tx
    .insertInto('jobs')
    .values({ kind: job.kind, subject: job.subject, due_at: job.now, last_error: null, created_at: job.now })
    .onConflict((conflict) => conflict.columns(['kind', 'subject']).doNothing()),
)

export async function dueJobs(db: Db | Tx, kind: string, now: number, limit: number): Promise<Job[]> {
  return db
    .selectFrom('jobs')
    .select(['id', 'subject', 'attempts'])
    .where('kind', '=', kind)
    .where('due_at', '<=', now)
    .orderBy('due_at')
    .limit(limit)
    .execute()
}

export async function finishJob(tx: Tx, id: number): Promise<void> {
  await tx.deleteFrom('jobs').where('id', '=', id).execute()
}

export async function postponeJob(tx: Tx, id: number, dueAt: number, error: string): Promise<void> {
  await tx
    .updateTable('jobs')
    .set((job) => ({ due_at: dueAt, last_error: error, attempts: job('attempts', '+', 1) }))
    .where('id', '=', id)
    .execute()
}
