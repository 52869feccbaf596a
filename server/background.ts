import type { Logger } from 'pino'
import { type AuditLog, auditRetentionJob } from './access/audit-log.ts'
import type { LastUses } from './access/last-uses.ts'
import { endedSessionsJob, type Sessions } from './access/sessions.ts'
import type { SignIns } from './access/sign-ins.ts'
import { type JobKind, JobRunner } from './jobs/runner.ts'
import { Schedule } from './jobs/schedule.ts'
import { Outage } from './outage.ts'
import { DeliveryFailed } from './registry/deliveries.ts'
import { completeDigests } from './registry/digests.ts'
import { downloadsTask } from './registry/downloads.ts'
import type { RegistryParts } from './registry/parts.ts'
import { digestsJob } from './registry/publish.ts'
import { recount, recountJob } from './registry/recount.ts'
import { type Swept, sweep, sweepJob, tidyOwn } from './registry/sweep.ts'

/** Milliseconds between two looks whether a job of a kind is due, for those that nobody wakes. */
const lookEvery = 5_000

/** What those who know accounts do without a request. */
interface PeopleAtWork {
  lastUses: LastUses
  signIns: SignIns
  sessions: Sessions
  auditLog: AuditLog
  linkJobs: readonly JobKind[]
  webhookJobs: readonly JobKind[]
  publishingJobs: readonly JobKind[]
  identityJobs: readonly JobKind[]
}

/** The work that no request waits for. */
export async function background(
  registry: RegistryParts,
  { lastUses, signIns, sessions, auditLog, linkJobs, webhookJobs, publishingJobs, identityJobs }: PeopleAtWork,
  log: Logger,
  mode: 'on' | 'off',
) {
  const sweepAll = async (signal?: AbortSignal, asks?: number) => {
    const swept = await sweep(registry, signal, asks)
    const { doomed, leftover } = swept
    if (doomed.blobs + leftover.blobs > 0) {
      const bytes = doomed.bytes + leftover.bytes
      const fields = { 'sweep.doomed': doomed.blobs, 'sweep.leftovers': leftover.blobs, 'sweep.freed_bytes': bytes }
      log.info(fields, `Swept the blob store: ${bytes} bytes are free again`)
    }
    return swept
  }
  const recountAll = async (signal: AbortSignal) => {
    const { versions, packages, owners, drift, corrected } = await recount(registry, signal)
    const counted = { 'recount.versions': versions, 'recount.packages': packages, 'recount.owners': owners }
    if (corrected === 0) {
      // The very first start has nothing to count, and a banner to show.
      log[versions === 0 ? 'debug' : 'info'](
        counted,
        'Counted all versions, packages and owners: what is kept of them is right',
      )
      return
    }
    for (const { of, name, number, kept, counted } of drift) {
      const fields = {
        'drift.of': of,
        'drift.name': name,
        'drift.number': number,
        'drift.kept': kept,
        'drift.counted': counted,
      }
      log.error(fields, `The ${of} ${name} has ${counted} ${number} where ${kept} were kept`)
    }
    const fields = { ...counted, 'recount.corrected': corrected }
    log.error(fields, `${corrected} numbers that are kept of usage were wrong; they are right now`)
  }
  // Four looks within the grace, but neither idle turning nor much more than a minute late.
  const sweepEvery = Math.min(Math.max(registry.blobGrace / 4, 1_000), 60_000)
  const kinds: JobKind[] = [
    // A day of them, so that none is given up because a disk was away for a night.
    { kind: digestsJob, attempts: 36, run: (job) => completeDigests(registry, job) },
    { kind: sweepJob, every: sweepEvery, run: (job, signal) => sweepAll(signal, job.asks) },
    { kind: recountJob, every: 24 * 60 * 60_000, run: (_, signal) => recountAll(signal) },
    { kind: endedSessionsJob, every: 60 * 60_000, run: () => sessions.dropEnded() },
    { kind: auditRetentionJob, every: 60 * 60_000, run: (_, signal) => auditLog.dropOld(signal) },
    ...linkJobs,
    ...webhookJobs,
    ...publishingJobs,
    ...identityJobs,
  ]
  const runner = new JobRunner({
    catalogue: registry.catalogue,
    leaseId: () => registry.lease.id,
    now: registry.now,
    kinds,
    failed: (job, error, isLast) => {
      if (error instanceof DeliveryFailed) {
        const fields = { 'webhook.id': Number(job.subject), 'webhook.failures': job.attempts + 1 }
        log.warn(fields, `Webhook ${job.subject} did not take a delivery, which will be tried again: ${error.message}`)
        return
      }
      registry.observer.jobFailed(job.kind, isLast)
      log.error(
        { err: error, 'job.kind': job.kind, 'job.subject': job.subject, 'job.attempts': job.attempts + 1 },
        `The job ${job.kind} ${isLast ? 'failed and was given up' : 'failed and will be tried again'}`,
      )
    },
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
    { name: 'sign-ins', every: 1_000, run: () => signIns.flush() },
    { name: downloadsTask, every: 60_000, run: () => registry.downloads.flush() },
    ...kinds.map(({ kind, every = lookEvery }) => ({
      name: kind,
      every: Math.min(every, lookEvery),
      run: (signal: AbortSignal) => runner.runDue(kind, signal),
      nudge: () => runner.nudge(kind),
    })),
  ]
  const schedule = new Schedule(mode === 'on' ? tasks : [], (task, error) => {
    registry.observer.taskFailed(task.name)
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
