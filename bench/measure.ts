import { randomBytes, randomUUID } from 'node:crypto'
import { type Case, caseName, isLarge, mostPuts } from './cases.ts'
import type { Load } from './closed-loop.ts'
import { Failure } from './failure.ts'
import { type GetMaker, put } from './load.ts'
import { cpuMicroseconds, untilQuiet } from './process-cost.ts'
import type { Server } from './servers.ts'

export interface Bench {
  readonly ours: Server
  readonly theirs: Server | undefined
  readonly getMaker: GetMaker
  readonly rounds: number
  /** Of one measurement. */
  readonly seconds: number
  readonly stop: AbortSignal
  progress(line: string): void
}

export interface Measured {
  readonly case: Case
  /** One per round. */
  readonly ours: readonly Sample[]
  /** As many, or none when there was nothing to compare with. */
  readonly theirs: readonly Sample[]
}

export interface Sample {
  readonly requestsPerSecond: number
  readonly megabytesPerSecond: number
  readonly p50Ms: number | undefined
  readonly p99Ms: number | undefined
  /** The server's CPU time in µs per request, for large files per MB. */
  readonly cpu: number | undefined
}

/** Both sides in turn, round by round, so that a busy minute of the machine meets both. */
export async function measure(bench: Bench, c: Case): Promise<Measured> {
  const ours: Sample[] = []
  const theirs: Sample[] = []
  const turns = [{ side: bench.ours, samples: ours }]
  if (bench.theirs && (c.method === 'GET' || bench.theirs.put)) turns.push({ side: bench.theirs, samples: theirs })

  const loads = c.method === 'GET' ? new Gets(bench, c) : new Puts(bench, c)
  for (const { side } of turns) {
    bench.progress(`${caseName(c)}: warming up ${side.name}`)
    await loads.warmUp(side)
    await untilQuiet(side.pid, bench.stop)
  }
  for (let round = 1; round <= bench.rounds; round += 1) {
    for (const { side, samples } of turns) {
      bench.progress(`${caseName(c)}: round ${round} of ${bench.rounds}, ${side.name}`)
      const before = cpuMicroseconds(side.pid)
      const { load, check } = await loads.run(side)
      await untilQuiet(side.pid, bench.stop)
      const after = cpuMicroseconds(side.pid)
      await check()
      samples.push(toSample(c, load, before === undefined || after === undefined ? undefined : after - before))
    }
  }
  return { case: c, ours, theirs }
}

interface Run {
  readonly load: Load
  /** What would disturb the measurement and is therefore looked at behind it. */
  check(): Promise<void>
}

class Gets {
  readonly #bench: Bench
  readonly #case: Case
  readonly #path = `/api/packages/bench/generic/get-${randomUUID()}/1/file.bin`
  readonly #content: Uint8Array

  constructor(bench: Bench, c: Case) {
    this.#bench = bench
    this.#case = c
    this.#content = randomBytes(c.size)
  }

  async warmUp(side: Server): Promise<void> {
    await side.fill(this.#path, this.#content)
    await this.#checkContent(side)
    await this.#load(side, 1)
  }

  async run(side: Server): Promise<Run> {
    return { load: await this.#load(side, this.#bench.seconds), check: () => this.#checkContent(side) }
  }

  #load(side: Server, seconds: number): Promise<Load> {
    const { size, clients } = this.#case
    return this.#bench.getMaker.get({ url: side.origin + this.#path, size, clients, seconds }, this.#bench.stop)
  }

  async #checkContent(side: Server): Promise<void> {
    const url = side.origin + this.#path
    const answer = await fetchWhole(url, this.#bench.stop)
    if (Buffer.compare(answer, this.#content) !== 0) throw new Failure(`GET ${url}: other bytes than were put there`)
  }
}

class Puts {
  readonly #bench: Bench
  readonly #case: Case

  constructor(bench: Bench, c: Case) {
    this.#bench = bench
    this.#case = c
  }

  async warmUp(side: Server): Promise<void> {
    const { check } = await this.#load(side, 0.5, Math.ceil(mostPuts(this.#case) / 10))
    await check()
  }

  run(side: Server): Promise<Run> {
    return this.#load(side, this.#bench.seconds, mostPuts(this.#case))
  }

  async #load(side: Server, seconds: number, mostRequests: number): Promise<Run> {
    if (!side.put) throw new Error(`${side.name} takes no PUT`)
    const { stop } = this.#bench
    const { size, clients } = this.#case
    const { origin } = side
    const { headers, syncIn } = side.put
    const folder = `/api/packages/bench/generic/put-${randomUUID()}`
    const result = await put({ origin, folder, headers, syncIn, size, clients, seconds, mostRequests }, stop)
    const check = async () => {
      const url = origin + result.lastPath
      const { length } = await fetchWhole(url, stop)
      if (length !== size) throw new Failure(`GET ${url}: ${length} bytes, but ${size} were PUT`)
    }
    return { load: result, check }
  }
}

async function fetchWhole(url: string, stop: AbortSignal): Promise<Uint8Array> {
  const response = await fetch(url, { signal: stop })
  if (response.status !== 200) throw new Failure(`GET ${url}: ${response.status}, not 200`)
  return await response.bytes()
}

function toSample(c: Case, load: Load, cpu: number | undefined): Sample {
  const { requests, seconds, p50Ms, p99Ms } = load
  // The bytes that wrk counts hold the headers too: nothing beside a large file, but a good part of a small answer.
  const bytes = isLarge(c) ? load.bytes : requests * c.size
  if (bytes === 0) throw new Failure(`${caseName(c)}: nothing was answered within ${seconds.toFixed(1)} s`)
  return {
    requestsPerSecond: bytes / c.size / seconds,
    megabytesPerSecond: bytes / 1e6 / seconds,
    p50Ms,
    p99Ms,
    cpu: cpu === undefined ? undefined : cpu / (isLarge(c) ? bytes / 1e6 : requests),
  }
}
