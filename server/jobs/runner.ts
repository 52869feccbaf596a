import { dueJobs, type Job, postponeJob } from '../catalogue/jobs.ts'
import { type Catalogue, transaction } from '../catalogue/transaction.ts'

const batch = 50
const firstDelay = 5_000
const longestDelay = 60 * 60_000

export const postpone = transaction('postpone job', async (tx, args: { id: number; dueAt: number; error: string }) =>
  postponeJob(tx, args.id, args.dueAt, args.error),
)

/** Does one job; it may be done twice, and finishes the job's row itself, together with the job's own change. */
export type Work = (job: Job) => Promise<void>

/** Works through the jobs of one kind. Returns how many were done. */
export async function runDueJobs(
  catalogue: Catalogue,
  kind: string,
  work: Work,
  context: { now: () => number; signal?: AbortSignal; failed: (job: Job, error: unknown) => void },
): Promise<number> {
  let done = 0
  while (!context.signal?.aborted) {
    const jobs = await dueJobs(catalogue.read, kind, context.now(), batch)
    if (jobs.length === 0) break
    for (const job of jobs) {
      if (context.signal?.aborted) break
      try {
        await work(job)
        done += 1
      } catch (error) {
        if (context.signal?.aborted) break
        context.failed(job, error)
        const delay = Math.min(firstDelay * 2 ** Math.min(job.attempts, 20), longestDelay)
        await catalogue.transact(postpone, { id: job.id, dueAt: context.now() + delay, error: String(error) })
      }
    }
  }
  return done
}
