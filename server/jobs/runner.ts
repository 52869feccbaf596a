import {
  anyDue,
  anyTooFarOff,
  claimJobs,
  ensureRecurring,
  finishRecurring,
  giveUpJob,
  type Job,
  postponeJob,
  pullIn,
  releaseJobs,
} from '../catalogue/jobs.ts'
import { type Catalogue, transaction } from '../catalogue/transaction.ts'

const batch = 16
/** Milliseconds after which a run that waits for its jobs looks for more. */
const lookEvery = 5_000
const firstDelay = 5_000
const longestDelay = 60 * 60_000
const longestError = 1_000

export const claim = transaction('claim jobs', claimJobs)

export const ensure = transaction('ensure recurring jobs', async (tx, args: { kinds: string[]; now: number }) => {
  for (const kind of args.kinds) await ensureRecurring(tx, kind, args.now)
})

export const mendTimes = transaction('mend times', async (tx, args: { kind: string; latest: number; now: number }) =>
  pullIn(tx, args.kind, args.latest, args.now),
)

export const finish = transaction('finish recurring job', async (tx, args: { job: Job; dueAt: number }) =>
  finishRecurring(tx, args.job, args.dueAt),
)

export const postpone = transaction('postpone job', async (tx, args: { job: Job; dueAt: number; error: string }) =>
  postponeJob(tx, args.job, args.dueAt, args.error),
)

export const giveUp = transaction('give up job', async (tx, args: { job: Job; now: number; error: string }) =>
  giveUpJob(tx, args.job, args.now, args.error),
)

export const release = transaction('release jobs', async (tx, args: { jobs: Job[] }) => releaseJobs(tx, args.jobs))

/** A kind of work, and how it is done. */
export interface JobKind {
  kind: string
  /** Milliseconds from the end of one run to the next: one job for the whole installation, which is never given up. */
  every?: number
  /** Failures after which a job is given up. */
  attempts?: number
  /** Jobs of the kind that are done at the same time, in each process; one after the other where it says nothing. */
  atOnce?: number
  /** Asks for jobs of what is to be done and has none yet; at every look for jobs of the kind. */
  find?: () => Promise<void>
  /**
   * Does one job; it may be done twice. Unless it has an `every`, it strikes the job off itself (`finishJob`), in the
   * transaction of its own change.
   */
  run: (job: Job, signal: AbortSignal) => Promise<unknown>
}

export interface RunnerParts {
  catalogue: Catalogue
  /** The lease of this process; another one after it had died. */
  leaseId: () => string
  now: () => number
  kinds: readonly JobKind[]
  /** Told of each failure; `isLast` when the job is given up by it. */
  failed: (job: Job, error: unknown, isLast: boolean) => void
}

/** Does the jobs that are due, in this process; other processes may run one too, on the same catalogue. */
export class JobRunner {
  readonly #parts: RunnerParts
  /** The end of the last run of each kind: there is one at a time, which knows what is in hand. */
  readonly #ends = new Map<string, Promise<unknown>>()
  /** Has the run of a kind look again whether more is due, while it waits for those that it is at. */
  readonly #nudges = new Map<string, () => void>()

  constructor(parts: RunnerParts) {
    this.#parts = parts
  }

  /** Writes the rows of what comes again and again, where they are missing. */
  async ensureRecurring(): Promise<void> {
    const kinds = this.#parts.kinds.filter(({ every }) => every !== undefined).map(({ kind }) => kind)
    await this.#parts.catalogue.transact(ensure, { kinds, now: this.#parts.now() })
  }

  /** Works through the jobs of one kind; resolves with how many were done. */
  runDue(name: string, signal: AbortSignal = new AbortController().signal): Promise<number> {
    const kind = this.#parts.kinds.find((known) => known.kind === name)
    if (!kind) throw new Error(`no kind of job is called ${name}`)
    const run = (this.#ends.get(name) ?? Promise.resolve()).then(() => this.#runDue(kind, signal))
    this.#ends.set(
      name,
      run.catch(() => undefined),
    )
    return run
  }

  async #runDue(kind: JobKind, signal: AbortSignal): Promise<number> {
    const { catalogue, leaseId, now } = this.#parts
    const { atOnce = 1 } = kind
    if (atOnce > 1) return this.#runTogether(kind, atOnce, signal)
    let done = 0
    await this.#mendTimes(kind)
    while (!signal.aborted) {
      await kind.find?.()
      const claimant = { kind: kind.kind, leaseId: leaseId(), now: now() }
      if (!(await anyDue(catalogue.read, claimant))) break
      const jobs = await catalogue.transact(claim, { ...claimant, limit: batch })
      if (jobs.length === 0) break
      while (jobs[0] && !signal.aborted) {
        if (await this.#runOne(kind, jobs[0], signal)) done += 1
        else if (signal.aborted) break
        jobs.shift()
      }
      if (jobs.length > 0) await catalogue.transact(release, { jobs })
    }
    return done
  }

  /** A job that ends, a nudge or the clock make it look for more: none waits for another one. */
  async #runTogether(kind: JobKind, atOnce: number, signal: AbortSignal): Promise<number> {
    const running = new Map<number, Promise<void>>()
    const brokenOff: Job[] = []
    let done = 0
    let ended = 0
    let failure: { error: unknown } | undefined
    const begin = (job: Job) => {
      const end = this.#runOne(kind, job, signal).then(
        (isDone) => {
          if (isDone) done += 1
          else if (signal.aborted) brokenOff.push(job)
        },
        (error) => {
          failure ??= { error }
        },
      )
      running.set(
        job.id,
        end.finally(() => {
          running.delete(job.id)
          ended += 1
        }),
      )
    }
    await this.#mendTimes(kind)
    try {
      while (!signal.aborted && !failure) {
        const { promise: nudged, resolve: nudge } = Promise.withResolvers<void>()
        this.#nudges.set(kind.kind, nudge)
        const before = ended
        await kind.find?.()
        for (let isMore = true; isMore; ) {
          const more = await this.#claimMore(kind.kind, atOnce - running.size, [...running.keys()])
          for (const job of more) begin(job)
          isMore = more.length === batch
        }
        // One that ended during the look may be due again.
        if (running.size === 0 && ended === before) break
        if (running.size === 0) continue
        const timer = setTimeout(nudge, lookEvery)
        await Promise.race([...running.values(), nudged]).finally(() => clearTimeout(timer))
      }
    } finally {
      this.#nudges.delete(kind.kind)
      await Promise.all(running.values())
      if (brokenOff.length > 0) await this.#parts.catalogue.transact(release, { jobs: brokenOff })
    }
    if (failure) throw failure.error
    return done
  }

  async #claimMore(kind: string, limit: number, inHand: readonly number[]): Promise<Job[]> {
    const { catalogue, leaseId, now } = this.#parts
    const claimant = { kind, leaseId: leaseId(), now: now(), inHand }
    if (limit === 0 || !(await anyDue(catalogue.read, claimant))) return []
    return catalogue.transact(claim, { ...claimant, limit: Math.min(limit, batch) })
  }

  /** Jobs of a kind were asked for: a run of several at once takes them beside those that it is at. */
  nudge(name: string): void {
    this.#nudges.get(name)?.()
  }

  /** A clock that was wrong and is set back must not hold a job up for as long. */
  async #mendTimes({ kind, every = longestDelay }: JobKind): Promise<void> {
    const { catalogue, now } = this.#parts
    const latest = now() + every
    if (await anyTooFarOff(catalogue.read, kind, latest)) {
      await catalogue.transact(mendTimes, { kind, latest, now: now() })
    }
  }

  /** False where it failed, or was broken off: that is no failure. */
  async #runOne(kind: JobKind, job: Job, signal: AbortSignal): Promise<boolean> {
    const { catalogue, now, failed } = this.#parts
    const { every, attempts = 12 } = kind
    try {
      await kind.run(job, signal)
    } catch (thrown) {
      if (signal.aborted) return false
      const isLast = every === undefined && job.attempts + 1 >= attempts
      failed(job, thrown, isLast)
      const error = storable(thrown)
      if (isLast) await catalogue.transact(giveUp, { job, now: now(), error })
      else
        await catalogue.transact(postpone, {
          job,
          dueAt: now() + Math.min(delayAfter(job.attempts), every ?? Infinity),
          error,
        })
      return false
    }
    if (every !== undefined) await catalogue.transact(finish, { job, dueAt: now() + every })
    return true
  }
}

function delayAfter(attempts: number): number {
  return Math.min(firstDelay * 2 ** Math.min(attempts, 20), longestDelay)
}

/** PostgreSQL takes no NUL. */
function storable(error: unknown): string {
  return String(error).replaceAll('\0', '').slice(0, longestError)
}
