import {
  AggregatorRegistry,
  Counter,
  collectDefaultMetrics,
  Gauge,
  Histogram,
  type MetricObjectWithValues,
  type MetricType,
  type MetricValue,
  Registry,
} from 'prom-client'
import type { MetricsAccess, Metrics as ShownMetrics } from '../http/metrics.ts'
import { type Figures, siteFigures } from '../registry/figures.ts'
import { type Observer, type Outcome, outcomeOf, type UploadWatch } from '../registry/observer.ts'
import type { RegistryParts } from '../registry/parts.ts'
import type { Swept } from '../registry/sweep.ts'
import { RequestTally, requestBounds } from './request-tally.ts'
import { type StoreOperation, storeOperations } from './watched.ts'

/** Milliseconds for which a look at the whole installation stands: several may scrape, and each look adds up what is doomed. */
const lookEvery = 5_000
/** A look that takes long stands for this many times as long, whatever scrapes. */
const timesAsLong = 20

interface Look {
  at: number
  /** Milliseconds. */
  standsFor: number
  figures: Promise<Figures>
}

/** Milliseconds that a scrape waits for the database; what this process knows by itself is told in any case. */
const patience = 3_000

/** Seconds that a publish takes: a small file, and one of hours. */
const publishBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800]

/** Of the library's own ones, those that mean something in this runtime. */
const processMetrics = new Set([
  'process_cpu_user_seconds_total',
  'process_cpu_system_seconds_total',
  'process_cpu_seconds_total',
  'process_start_time_seconds',
  'process_resident_memory_bytes',
  'process_virtual_memory_bytes',
  'process_open_fds',
  'process_max_fds',
  'nodejs_eventloop_lag_seconds',
  'nodejs_eventloop_lag_min_seconds',
  'nodejs_eventloop_lag_max_seconds',
  'nodejs_eventloop_lag_mean_seconds',
  'nodejs_eventloop_lag_stddev_seconds',
  'nodejs_eventloop_lag_p50_seconds',
  'nodejs_eventloop_lag_p90_seconds',
  'nodejs_eventloop_lag_p99_seconds',
  'nodejs_heap_size_total_bytes',
  'nodejs_heap_size_used_bytes',
  'nodejs_external_memory_bytes',
])

/** What one of several workers has counted, with its number in every series. */
export type WorkerMetrics = Omit<MetricObjectWithValues<MetricValue<string>>, 'collect'>[]

export interface MetricsOptions {
  version: string
  access: MetricsAccess
  now: () => number
  /** Where several processes answer at one address: which this one is, and what the others have counted. */
  worker?: { number: number; siblings(): Promise<readonly WorkerMetrics[]> } | undefined
}

/** What `/metrics` tells of this server, in a registry of its own: several may run in one process. */
export class Metrics implements Observer, ShownMetrics {
  readonly access: MetricsAccess
  readonly #now: () => number
  readonly #registry = new Registry()
  /** What the database knows, for all processes together. */
  readonly #siteRegistry = new Registry()
  readonly #worker: MetricsOptions['worker']
  readonly #requests = new RequestTally()
  readonly #publishes: Counter<'outcome'>
  readonly #publishDurations: Histogram
  readonly #storeErrors: Counter<'operation' | 'code'>
  readonly #databaseErrors: Counter<'place' | 'code'>
  readonly #jobFailures: Counter<'kind'>
  readonly #jobsGivenUp: Counter<'kind'>
  readonly #taskFailures: Counter<'task'>
  readonly #freedBytes: Counter<'what'>
  readonly #freedBlobs: Counter<'what'>
  readonly #site: SiteGauges
  #uploadsOpen = 0
  #bytesReceived = 0
  #bytesSent = 0
  #look: Look | undefined
  #parts: RegistryParts | undefined

  constructor({ version, access, now, worker }: MetricsOptions) {
    this.access = access
    this.#worker = worker
    this.#now = now
    const registers = [this.#registry]
    collectDefaultMetrics({ register: this.#registry })
    for (const { name } of this.#registry.getMetricsAsArray()) {
      if (!processMetrics.has(name)) this.#registry.removeSingleMetric(name)
    }
    this.#countRequests()
    this.#publishes = new Counter({
      name: 'stowage_publishes_total',
      help: 'Uploads that were let in, by how they ended: published, or why not.',
      labelNames: ['outcome'],
      registers,
    })
    this.#publishDurations = new Histogram({
      name: 'stowage_publish_duration_seconds',
      help: 'From the first byte of a file to its record on stable storage, of uploads that were published.',
      buckets: publishBounds,
      registers,
    })
    this.#storeErrors = new Counter({
      name: 'stowage_store_errors_total',
      help: 'Failures of the blob store.',
      labelNames: ['operation', 'code'],
      registers,
    })
    this.#databaseErrors = new Counter({
      name: 'stowage_database_errors_total',
      help: 'Failures of the database, in transactions and in reads outside them.',
      labelNames: ['place', 'code'],
      registers,
    })
    this.#jobFailures = new Counter({
      name: 'stowage_job_failures_total',
      help: 'Attempts at jobs that failed, in this process.',
      labelNames: ['kind'],
      registers,
    })
    this.#jobsGivenUp = new Counter({
      name: 'stowage_jobs_given_up_total',
      help: 'Jobs that nobody tries any more after a failure in this process.',
      labelNames: ['kind'],
      registers,
    })
    this.#taskFailures = new Counter({
      name: 'stowage_task_failures_total',
      help: 'Background tasks that failed, such as the renewal of the lease.',
      labelNames: ['task'],
      registers,
    })
    this.#freedBytes = new Counter({
      name: 'stowage_sweep_freed_bytes_total',
      help: 'Bytes that sweeps of this process removed: what was deleted (doomed), and what uploads left (leftover).',
      labelNames: ['what'],
      registers,
    })
    this.#freedBlobs = new Counter({
      name: 'stowage_sweep_freed_blobs_total',
      help: 'Blobs that sweeps of this process removed.',
      labelNames: ['what'],
      registers,
    })
    new Gauge({
      name: 'stowage_build_info',
      help: 'Always 1.',
      labelNames: ['version', 'bun'],
      registers,
    }).set({ version, bun: Bun.version }, 1)
    this.#site = new SiteGauges(this.#siteRegistry)
    this.#beginAtZero()
  }

  /** What an alert watches is there from the start: of a counter that appears with its first failure no rate sees that one. */
  #beginAtZero(): void {
    for (const code of ['storage-full', 'storage-unavailable', 'unforeseen']) {
      for (const operation of storeOperations) this.#storeErrors.inc({ operation, code }, 0)
    }
    for (const code of databaseCodes) {
      for (const place of ['transaction', 'read']) this.#databaseErrors.inc({ place, code }, 0)
    }
  }

  /** Says where to look when somebody asks. */
  watch(parts: RegistryParts): void {
    this.#parts = parts
  }

  answered(route: string, method: string, status: number, seconds: number): void {
    this.#requests.add(route, method, status, seconds)
  }

  upload(): UploadWatch {
    let begun: number | undefined
    this.#uploadsOpen += 1
    return {
      received: (bytes) => {
        begun ??= performance.now()
        this.#bytesReceived += bytes
      },
      ended: (outcome) => {
        this.#uploadsOpen -= 1
        this.#publishes.inc({ outcome })
        if (outcome !== 'published') return
        const now = performance.now()
        this.#publishDurations.observe((now - (begun ?? now)) / 1000)
      },
    }
  }

  sending(bytes: number): void {
    this.#bytesSent += bytes
  }

  bytesMissing(): void {
    this.#storeErrors.inc({ operation: 'read', code: 'storage-unavailable' })
  }

  swept({ doomed, leftover }: Swept): void {
    this.#freedBytes.inc({ what: 'doomed' }, doomed.bytes)
    this.#freedBytes.inc({ what: 'leftover' }, leftover.bytes)
    this.#freedBlobs.inc({ what: 'doomed' }, doomed.blobs)
    this.#freedBlobs.inc({ what: 'leftover' }, leftover.blobs)
  }

  jobFailed(kind: string, isLast: boolean): void {
    this.#jobFailures.inc({ kind })
    if (isLast) this.#jobsGivenUp.inc({ kind })
  }

  taskFailed(task: string): void {
    this.#taskFailures.inc({ task })
  }

  storeFailed(operation: StoreOperation, error: unknown): void {
    this.#storeErrors.inc({ operation, code: outcomeOf(error) })
  }

  /** Of a transaction this is told also where its own rules refuse something: that is no failure of the database. */
  databaseFailed(place: 'transaction' | 'read', error: unknown): void {
    const code = outcomeOf(error)
    if (databaseCodes.has(code)) this.#databaseErrors.inc({ place, code })
  }

  async page(): Promise<{ text: string; contentType: string }> {
    this.#site.set(await this.#figures())
    const [own, site] = await Promise.all([this.#ownPage(), this.#siteRegistry.metrics()])
    return { text: `${own}${site}`, contentType: this.#registry.contentType }
  }

  /** For the page of another worker. */
  async ofThisProcess(): Promise<WorkerMetrics> {
    const metrics = await this.#registry.getMetricsAsJSON()
    const worker = String(this.#worker?.number)
    return metrics.map(({ name, help, type, values }) => ({
      ...{ name, help, type },
      // No two workers share a series, so there is nothing to add up, or to leave out.
      aggregator: 'sum',
      values: values.map((value) => ({ ...value, labels: { ...value.labels, worker } })),
    }))
  }

  async #ownPage(): Promise<string> {
    if (!this.#worker) return this.#registry.metrics()
    const [own, others] = await Promise.all([this.ofThisProcess(), this.#worker.siblings()])
    return AggregatorRegistry.aggregate([own, ...others]).metrics()
  }

  /** Undefined where the database does not tell in time. */
  async #figures(): Promise<Figures | undefined> {
    if (!this.#parts) return undefined
    if (!this.#look || Math.abs(this.#now() - this.#look.at) >= this.#look.standsFor) {
      this.#look = this.#lookNow(this.#parts)
    }
    const { promise: late, resolve } = Promise.withResolvers<undefined>()
    const timer = setTimeout(resolve, patience, undefined)
    try {
      return await Promise.race([this.#look.figures, late])
    } catch {
      // It is counted among the errors of the database.
      return undefined
    } finally {
      clearTimeout(timer)
    }
  }

  #lookNow(registry: RegistryParts): Look {
    const begun = performance.now()
    const figures = siteFigures(registry)
    const look: Look = { at: this.#now(), standsFor: lookEvery, figures }
    const ended = () => {
      look.standsFor = Math.max(lookEvery, (performance.now() - begun) * timesAsLong)
    }
    figures.then(ended, ended)
    return look
  }

  #countRequests(): void {
    const registers = [this.#registry]
    const tally = this.#requests
    new Counter({
      name: 'stowage_http_requests_total',
      help: 'Requests that were answered.',
      labelNames: ['method', 'route', 'status'],
      registers,
      collect() {
        this.reset()
        for (const [route, { answers }] of tally.routes) {
          for (const [method, statuses] of answers) {
            for (const [status, count] of statuses) this.inc({ method, route, status }, count)
          }
        }
      },
    })
    new KeptDurations(tally, registers)
    const bytes = () => ({ received: this.#bytesReceived, sent: this.#bytesSent })
    new Counter({
      name: 'stowage_http_request_bytes_total',
      help: 'Bytes of files that arrived, also of uploads that failed then.',
      registers,
      collect() {
        this.reset()
        this.inc(bytes().received)
      },
    })
    new Counter({
      name: 'stowage_http_response_bytes_total',
      help: 'Bytes of files whose sending began: a client that goes away gets fewer.',
      registers,
      collect() {
        this.reset()
        this.inc(bytes().sent)
      },
    })
    const open = () => this.#parts?.openRequests() ?? 0
    new Gauge({
      name: 'stowage_http_requests_open',
      help: 'Requests whose answer has not been sent to the end: also downloads.',
      registers,
      collect() {
        this.set(open())
      },
    })
    const uploads = () => this.#uploadsOpen
    new Gauge({
      name: 'stowage_uploads_open',
      help: 'Uploads under way.',
      registers,
      collect() {
        this.set(uploads())
      },
    })
  }
}

const databaseCodes: ReadonlySet<Outcome> = new Set<Outcome>([
  'storage-full',
  'storage-unavailable',
  'outcome-unknown',
  'unforeseen',
])

const name = 'stowage_http_request_duration_seconds'
const help =
  'From the head of a request to the head of its answer: with the body of an upload, without that of a download.'

/** A word, whatever the library's own declarations say. */
const histogramType = 'histogram' as unknown as MetricType

/** A histogram that is kept in plain numbers. */
class KeptDurations extends Histogram<'route' | 'le'> {
  readonly #tally: RequestTally

  constructor(tally: RequestTally, registers: Registry[]) {
    super({
      name,
      help,
      labelNames: ['route'],
      buckets: requestBounds,
      registers,
    })
    this.#tally = tally
  }

  override async get(): ReturnType<Histogram<'route' | 'le'>['get']> {
    const values = [...this.#tally.routes].flatMap(([route, { durations }]) => {
      let count = 0
      const buckets = durations.counts.map((of, at) => {
        count += of
        const labels = { le: requestBounds[at] ?? '+Inf', route }
        return { metricName: `${name}_bucket`, labels, value: count }
      })
      return [
        ...buckets,
        { metricName: `${name}_sum`, labels: { route }, value: durations.sum },
        { metricName: `${name}_count`, labels: { route }, value: count },
      ]
    })
    return { name, help, type: histogramType, aggregator: 'sum', collect: () => {}, values }
  }

  /** What the registry calls in the place of `get` where it is there. */
  async getForPromString() {
    return this.get()
  }
}

/** What the database knows, for all nodes together. Gone while nobody can ask it. */
class SiteGauges {
  readonly #isUp: Gauge
  readonly #processes: Gauge
  readonly #jobs: Gauge<'kind' | 'state'>
  readonly #doomedBytes: Gauge
  readonly #doomedBlobs: Gauge
  readonly #sweptAt: Gauge
  readonly #sweepFailed: Gauge

  constructor(registry: Registry) {
    const registers = [registry]
    const gauge = (name: string, help: string) => new Gauge({ name, help, registers })
    this.#isUp = gauge('stowage_database_up', 'Whether the database told what follows from it: 1, or 0.')
    this.#processes = gauge('stowage_processes', 'Server processes that hold a lease on the database.')
    this.#jobs = new Gauge({
      name: 'stowage_jobs',
      help: 'Jobs by kind and state, of all servers together; 100,000 are counted at most.',
      labelNames: ['kind', 'state'],
      registers,
    })
    this.#doomedBytes = gauge('stowage_doomed_bytes', 'Bytes that nothing refers to and a sweep will remove.')
    this.#doomedBlobs = gauge('stowage_doomed_blobs', 'Blobs that nothing refers to and a sweep will remove.')
    this.#sweptAt = gauge('stowage_sweep_last_timestamp_seconds', 'When the last sweep that is written down ended.')
    this.#sweepFailed = gauge('stowage_sweep_last_failed', 'Whether that sweep failed: 1, or 0.')
  }

  set(figures: Figures | undefined): void {
    const { processes, jobs, doomed, sweeps } = figures ?? {}
    this.#jobs.reset()
    this.#isUp.set(figures ? 1 : 0)
    setOrRemove(this.#processes, processes)
    setOrRemove(this.#doomedBytes, doomed?.bytes)
    setOrRemove(this.#doomedBlobs, doomed?.blobs)
    setOrRemove(this.#sweptAt, sweeps && sweeps.last.at / 1000)
    setOrRemove(this.#sweepFailed, sweeps && (sweeps.last.error === null ? 0 : 1))
    for (const { kind, state, jobs: count } of jobs ?? []) this.#jobs.set({ kind, state }, count)
  }
}

function setOrRemove(gauge: Gauge, value: number | undefined): void {
  if (value === undefined) gauge.remove()
  else gauge.set(value)
}
