import { audit } from '../access/audit.ts'
import type { SignedIn } from '../access/caller.ts'
import { type AdminGrant, administer, callerNow, type Standing, standingOf } from '../access/grant.ts'
import {
  deleteGivenUp,
  type JobRow,
  type JobState,
  jobById,
  jobStates,
  jobsPage,
  retryJob,
  stateOf,
} from '../catalogue/jobs.ts'
import type { Tx } from '../catalogue/schema.ts'
import { transaction } from '../catalogue/transaction.ts'
import { Problem } from '../problems.ts'
import type { RegistryParts } from './parts.ts'

/** For those who may not import the catalogue. */
export { type JobRow, type JobState, jobStates, stateOf }

interface DecideJob {
  standing: Standing
  id: number
  now: number
}

export const reviveJob = transaction('revive job', async (tx, args: DecideJob) => {
  const { kind, caller } = await mustBeThere(tx, args)
  await retryJob(tx, args.id, args.now)
  await audit(tx, caller, args.now, { action: 'job.retried', subject: String(args.id), details: { kind } })
  return kind
})

export const dropJob = transaction('drop job', async (tx, args: DecideJob) => {
  const { kind, caller } = await mustBeThere(tx, args)
  if (!(await deleteGivenUp(tx, args.id))) {
    throw new Problem(
      'unprocessable',
      'This job has not been given up: only one that nobody tries any more can be deleted.',
    )
  }
  await audit(tx, caller, args.now, { action: 'job.deleted', subject: String(args.id), details: { kind } })
})

/** What kind of job it is, which is all that is told of it: its subject may be somebody's e-mail address. */
async function mustBeThere(tx: Tx, { standing, id, now }: DecideJob): Promise<{ kind: string; caller: SignedIn }> {
  const { caller } = administer(await callerNow(tx, standing, now), 'write')
  const job = await jobById(tx, id)
  if (!job) throw noSuchJob()
  return { kind: job.kind, caller }
}

/** The work that no request waits for: what is to be done, is being done, and was given up. */
export async function listJobs(
  parts: RegistryParts,
  _: AdminGrant,
  state: JobState | undefined,
  page: { offset: number; limit: number },
): Promise<{ jobs: JobRow[]; total: number | undefined }> {
  return jobsPage(parts.catalogue.read, state, page)
}

/** Has a job tried again at once, with all its attempts before it. */
export async function retryJobNow(parts: RegistryParts, { caller }: AdminGrant, id: string): Promise<void> {
  const args = { standing: standingOf(caller), id: jobId(id), now: parts.now() }
  parts.wake(await parts.catalogue.transact(reviveJob, args))
}

/** Forgets a job that was given up. */
export async function removeJob(parts: RegistryParts, { caller }: AdminGrant, id: string): Promise<void> {
  await parts.catalogue.transact(dropJob, { standing: standingOf(caller), id: jobId(id), now: parts.now() })
}

function jobId(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw noSuchJob()
  return Number(text)
}

function noSuchJob(): Problem {
  return new Problem('not-found', 'There is no such job.')
}
