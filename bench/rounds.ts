import { cpuMicroseconds, untilQuiet } from './process-cost.ts'
import type { Bench, Sample, Samples } from './row.ts'

/** One of the two that a row compares; may be measured as often as there are rounds. */
export interface Side {
  readonly name: string
  turn(round: number): Promise<Sample>
}

/** Both sides in turn, round by round, so that a busy minute of the machine meets both. */
export async function inTurns(bench: Bench, row: string, ours: Side, theirs: Side | undefined): Promise<Samples> {
  const samples = { ours: [] as Sample[], theirs: [] as Sample[] }
  for (let round = 1; round <= bench.rounds; round += 1) {
    for (const [side, into] of [[ours, samples.ours] as const, [theirs, samples.theirs] as const]) {
      if (!side) continue
      bench.stop.throwIfAborted()
      bench.progress(`${row}: round ${round} of ${bench.rounds}, ${side.name}`)
      into.push(await side.turn(round))
    }
  }
  return samples
}

/** What a load came to, and the CPU time that the server took for it until it rested again. */
export async function withCpu<T>(
  server: { readonly pid: number },
  stop: AbortSignal,
  load: () => Promise<T>,
): Promise<{ result: T; cpu: number | undefined }> {
  await untilQuiet(server.pid, stop)
  const before = cpuMicroseconds(server.pid)
  const result = await load()
  await untilQuiet(server.pid, stop)
  const after = cpuMicroseconds(server.pid)
  return { result, cpu: before === undefined || after === undefined ? undefined : after - before }
}

export function perUnit(cpu: number | undefined, units: number): number | undefined {
  return cpu === undefined ? undefined : cpu / units
}
