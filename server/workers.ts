import type { Subprocess } from 'bun'
import type { Logger } from 'pino'
import { readSettings, type Settings } from './config.ts'
import { type DataLock, takeDataDirectory } from './data-lock.ts'
import { formatDuration } from './lib/sizes.ts'
import { listening } from './listening.ts'
import { openLog } from './log.ts'
import type { WorkerMetrics } from './metrics/metrics.ts'
import { onStopSignals } from './stop-signals.ts'
import { type ToSupervisor, type ToWorkerProcess, workerArguments } from './worker-place.ts'

/** Milliseconds before a worker that has ended is started again: the first time, and at most. */
const restartAfter = { first: 500, most: 30_000 }
/** Milliseconds after which a worker has not ended because of how it was started. */
const settledAfter = 60_000
/** Milliseconds that one worker waits for what the others have counted. */
const patience = 1_000

/**
 * Holds the data directory, and runs the processes that answer requests. A worker that ends is started again; the others go on
 * meanwhile. Resolves when all of them listen.
 */
export async function supervise(): Promise<void> {
  const settings = readSettings(process.env)
  const log = await openLog({ format: settings.logFormat, level: settings.logLevel })
  const lock = await takeDataDirectory(settings.dataDir)
  await mustBeFree(settings)
  lock.share()
  const workers = new Workers(log, lock)
  onStopSignals(
    log,
    (signal) => workers.stop(signal),
    () => {
      workers.killAll()
      process.exit(1)
    },
  )
  const banner = await workers.start(settings.workers, settings.listen.port)
  if (banner !== undefined) process.stdout.write(banner)
}

/** Workers would share the port with those of any other server of the same user, and each get a part of its requests. */
async function mustBeFree(settings: Settings): Promise<void> {
  const { host, port } = settings.listen
  if (port === 0) return
  listening(settings, () => Bun.listen({ hostname: host, port, socket: { data: () => {} } }).stop(true))
}

interface Listening {
  port: number
  banner: string
}

class Workers {
  readonly #log: Logger
  /** Kept here: one that nothing refers to is given back. */
  readonly #lock: DataLock
  readonly #running = new Map<number, Worker>()
  /** By their numbers, those that did not come to listen when they were last started. */
  readonly #failed = new Set<number>()
  #count = 1
  #isStopping = false

  constructor(log: Logger, lock: DataLock) {
    this.#log = log
    this.#lock = lock
  }

  /**
   * The first one alone: it brings the database to the newest schema, and makes what an installation has one of. Resolves with what
   * it has to say when each of them listens, or has ended for the first time; undefined where all were told to stop meanwhile.
   */
  async start(count: number, freeOrGiven: number): Promise<string | undefined> {
    this.#count = count
    const first = this.#start({ number: 1, port: freeOrGiven, isFirst: true })
    const listens = await Promise.race([first.listens, first.exited])
    if (this.#isStopping) return undefined
    if (typeof listens === 'number') process.exit(listens || 1)
    const { port, banner } = listens
    void this.#keep(first, port)
    const others = Array.from({ length: count - 1 }, (_, index) =>
      this.#start({ number: index + 2, port, isFirst: false }),
    )
    for (const worker of others) void this.#keep(worker, port)
    await Promise.all(others.map((worker) => Promise.race([worker.listens, worker.exited])))
    return this.#isStopping ? undefined : banner
  }

  async stop(signal: NodeJS.Signals): Promise<void> {
    this.#isStopping = true
    this.#log.info(`${signal}: stopping all workers`)
    const running = [...this.#running.values()]
    for (const worker of running) worker.kill(signal)
    await Promise.all(running.map((worker) => worker.exited))
    this.#lock.release()
    this.#log.info('All workers have stopped')
  }

  killAll(): void {
    for (const worker of this.#running.values()) worker.kill('SIGKILL')
  }

  #start(place: { number: number; port: number; isFirst: boolean }): Worker {
    const worker = new Worker(place, (asking) => this.#countedByOthers(asking))
    this.#running.set(place.number, worker)
    return worker
  }

  /** Starts a worker again whenever it ends, later each time where it does not live long. */
  async #keep(first: Worker, port: number): Promise<void> {
    let wait = restartAfter.first
    for (let worker = first; ; worker = this.#start({ number: worker.number, port, isFirst: false })) {
      const since = performance.now()
      const code = await worker.exited
      if (this.#isStopping) return
      this.#mayStillListen(worker, code)
      if (performance.now() - since > settledAfter) wait = restartAfter.first
      const fields = { 'worker.number': worker.number, 'worker.exit_code': code, 'worker.signal': worker.signal }
      this.#log.error(fields, `Worker ${worker.number} has ended: starting it again in ${formatDuration(wait)}`)
      this.#running.delete(worker.number)
      await Bun.sleep(wait)
      if (this.#isStopping) return
      wait = Math.min(wait * 2, restartAfter.most)
    }
  }

  /** Ends this process, too, where none of them can be started any more: whoever watches it must see that. */
  #mayStillListen(ended: Worker, code: number): void {
    if (ended.hasListened) this.#failed.delete(ended.number)
    else this.#failed.add(ended.number)
    if (this.#failed.size < this.#count) return
    this.#log.fatal('No worker can be started: stopping')
    process.exit(code || 1)
  }

  async #countedByOthers(asking: Worker): Promise<WorkerMetrics[]> {
    const others = [...this.#running.values()].filter((worker) => worker !== asking)
    const counted = await Promise.all(others.map((worker) => worker.counted()))
    return counted.filter((metrics) => metrics !== undefined)
  }
}

/** One process that answers requests. */
class Worker {
  readonly number: number
  readonly listens: Promise<Listening>
  hasListened = false
  readonly #process: Subprocess
  readonly #waiting = new Map<number, (metrics: WorkerMetrics) => void>()
  #asked = 0

  constructor(
    place: { number: number; port: number; isFirst: boolean },
    othersOf: (asking: Worker) => Promise<WorkerMetrics[]>,
  ) {
    this.number = place.number
    const { promise, resolve } = Promise.withResolvers<Listening>()
    this.listens = promise
    const module = new URL('./worker.ts', import.meta.url).pathname
    this.#process = Bun.spawn([process.execPath, module, ...workerArguments(place)], {
      env: process.env,
      stdio: ['inherit', 'inherit', 'inherit'],
      ipc: (message: ToSupervisor) => {
        if (message.kind === 'listening') {
          this.hasListened = true
          resolve(message)
        }
        if (message.kind === 'counted') this.#waiting.get(message.id)?.(message.metrics)
        if (message.kind === 'ask')
          void othersOf(this).then((metrics) => this.#tell({ kind: 'siblings', id: message.id, metrics }))
      },
    })
  }

  /** Its exit code; of one that a signal has ended, as a shell tells it. */
  get exited(): Promise<number> {
    return this.#process.exited
  }

  get signal(): string | undefined {
    const { signalCode } = this.#process
    return signalCode === null ? undefined : String(signalCode)
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal)
  }

  /** Undefined where it does not tell in time. */
  async counted(): Promise<WorkerMetrics | undefined> {
    const id = ++this.#asked
    const { promise, resolve } = Promise.withResolvers<WorkerMetrics | undefined>()
    const timer = setTimeout(resolve, patience, undefined)
    this.#waiting.set(id, resolve)
    this.#tell({ kind: 'count', id })
    try {
      return await promise
    } finally {
      this.#waiting.delete(id)
      clearTimeout(timer)
    }
  }

  #tell(message: ToWorkerProcess): void {
    try {
      this.#process.send(message)
    } catch {
      // It has ended, which is noticed a moment later than that it cannot be told anything.
    }
  }
}
