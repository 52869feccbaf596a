import type { LoadMaker } from './load.ts'
import type { Server } from './servers.ts'
import type { Stowage } from './stowage.ts'
import type { Target } from './target.ts'

/** What a line of the table compares. */
export interface Line {
  readonly name: string
  /** What it is compared with; undefined where its value alone counts. */
  readonly against: string | undefined
  readonly unit: 'req/s' | 'MB/s' | 'ms' | 'MiB' | 's'
  /** What CPU time is divided by; bytes are counted in MB of 10^6. */
  readonly cpuPer: 'req' | 'MB'
  readonly target: Target
}

export interface Row extends Line {
  /** Bytes that it has on disk at once, at most, of both sides together. */
  diskSpace(rounds: number, seconds: number): number
  measure(bench: Bench): Promise<Samples>
}

export interface Samples {
  /** One per round. */
  readonly ours: readonly Sample[]
  /** As many, or none when there was nothing to compare with. */
  readonly theirs: readonly Sample[]
}

export interface Sample {
  readonly value: number
  /** CPU time of the server in µs, see `cpuPer`. */
  readonly cpu: number | undefined
}

export interface Measured extends Samples {
  readonly row: Line
}

/** What rows measure with. */
export interface Bench {
  readonly rounds: number
  /** Of one measurement of a load that has no end of its own. */
  readonly seconds: number
  readonly load: LoadMaker
  readonly stop: AbortSignal
  /** Empty at first and removed at the end. */
  readonly folder: string
  /** Where the catalogue of a million files stays from run to run. */
  readonly keep: string | undefined
  progress(line: string): void
  /** On an empty data directory that goes with it, or on that one. */
  startStowage(dataDir?: string): Promise<Stowage>
  /** Undefined where it is not installed. Serves an empty folder that goes with it, or that one. */
  startNginx(root?: string): Promise<Server | undefined>
}
