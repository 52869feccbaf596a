import type { Logger } from 'pino'
import type { LastUses } from './access/last-uses.ts'
import { endedSessionsJob, type Sessions } from './access/sessions.ts'
import { type JobKind, JobRunner } from './jobs/runner.ts'
import { Schedule } from './jobs/schedule.ts'
import { Outage } from './outage.ts'
import { completeDigests } from './registry/digests.ts'
import type { RegistryParts } from './registry/parts.ts'
import { digestsJob } from './registry/publish.ts'
import { type Swept, sweep, sweepJob, tidyOwn } from './registry/sweep.ts'

/** Milliseconds between two looks whether a job of a kind is due, for those that nobody wakes. */
const lookEvery = 5_000

/** The work that no request waits for. */
export async function background(
  registry: RegistryParts,
  { lastUses, sessions, linkJobs }: { lastUses: LastUses; sessions: Sessions; linkJobs: readonly JobKind[] },
  log: Logger,
  mode: 'on' | 'off',
) {
  const sweepAll = async (signal?: AbortSignal) => {
    const swept = await sweep(registry, signal)
    if (swept.doomed + swept.leftovers > 0) {
      log.info({ 'sweep.doomed': swept.doomed, 'sweep.leftovers': swept.leftovers }, 'Swept the blob store')
    }
    return swept
  }
  // Four looks within the grace, but neither idle turning nor much more than a minute late.
  const sweepEvery = Math.min(Math.max(registry.blobGrace / 4, 1_000), 60_000)
  const kinds: JobKind[] = [
    // A day of them, so that none is given up because a disk was away for a night.
    { kind: digestsJob, attempts: 36, run: (job) => completeDigests(registry, job) },
    { kind: sweepJob, every: sweepEvery, run: (_, signal) => sweepAll(signal) },
    { kind: endedSessionsJob, every: 60 * 60_000, run: () => sessions.dropEnded() },
    ...linkJobs,
  ]
  const runner = new JobRunner({
    catalogue: registry.catalogue,
    leaseId: () => registry.lease.id,
    now: registry.now,
    kinds,
    failed: (job, error, isLast) =>
      log.error(
        { err: error, 'job.kind': job.kind, 'job.subject': job.subject, 'job.attempts': job.attempts + 1 },
        `The job ${job.kind} ${isLast ? 'failed and was given up' : 'failed and will be tried again'}`,
      ),
  })
  const outage = new Outage(log, registry.now)
  // Each process does these for itself; jobs are done once, by whoever comes first.
  const tasks = [
    {
      name: 'lease',
      every: 20_000,
      run: async () => {
        await registry.lease.renew()
        outage.over()
        for (const id of await registry.lease.expireOthers()) {
          log.warn(
            { 'lease.id': id },
            `Process ${id} was silent for too long: others do its jobs, and what it left is swept`,
          )
        }
      },
    },
    { name: 'tidy', every: sweepEvery, run: () => tidyOwn(registry) },
    { name: 'last uses', every: 60_000, run: () => lastUses.flush() },
    ...kinds.map(({ kind, every = lookEvery }) => ({
      name: kind,
      every: Math.min(every, lookEvery),
      run: (signal: AbortSignal) => runner.runDue(kind, signal),
    })),
  ]
  const schedule = new Schedule(mode === 'on' ? tasks : [], (task, error) => {
    if (!outage.noticed(error))
      log.error({ err: error, 'task.name': task.name }, `The background task ${task.name} failed`)
  })
  if (mode === 'on') await runner.ensureRecurring()
  return {
    schedule,
    runJobs: (kind = digestsJob) => runner.runDue(kind),
    sweepNow: async () => {
      let swept: Swept
      try {
        await tidyOwn(registry)
      } finally {
        swept = await sweepAll()
      }
      return swept
    },
  }
}
