import { cpuMicroseconds, untilQuiet } from './process-cost.ts'
import type { Bench, Sample, Samples } from './row.ts'

/** One of the two that a row compares; may be measured as often as there are rounds. */
export interface Side {
  readonly name: string
  turn(round: number): Promise<Sample>
}

/** Both sides in turn, round by round, so that a busy minute of the machine meets both. */
export async function inTurns(
  bench: Pick<Bench, 'rounds' | 'stop' | 'progress'>,
  row: string,
  ours: Side,
  theirs: Side | undefined,
): Promise<Samples> {
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
  const { result, cpu } = await withCpuOf([server.pid], stop, load)
  return { result, cpu: cpu[0] }
}

/** The same of several servers. */
export async function withCpuOf<T>(
  pids: readonly number[],
  stop: AbortSignal,
  load: () => Promise<T>,
): Promise<{ result: T; cpu: (number | undefined)[] }> {
  const quiet = () => Promise.all(pids.map((pid) => untilQuiet(pid, stop)))
  await quiet()
  const before = pids.map(cpuMicroseconds)
  const result = await load()
  await quiet()
  const spent = (pid: number, index: number) => {
    const [from, to] = [before[index], cpuMicroseconds(pid)]
    return from === undefined || to === undefined ? undefined : to - from
  }
  return { result, cpu: pids.map(spent) }
}

/** Undefined where one of them is. */
export function sumOf(times: readonly (number | undefined)[]): number | undefined {
  return times.reduce((sum, each) => (sum === undefined || each === undefined ? undefined : sum + each), 0)
}

export function perUnit(cpu: number | undefined, units: number): number | undefined {
  return cpu === undefined ? undefined : cpu / units
}
