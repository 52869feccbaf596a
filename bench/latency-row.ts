import { randomBytes, randomUUID } from 'node:crypto'
import { Failure } from './failure.ts'
import { publish, publishSpace } from './publish-row.ts'
import { inTurns, perUnit, withCpu } from './rounds.ts'
import type { Row } from './row.ts'
import { KiB } from './sizes.ts'

const name = 'GET 1 KiB p99 during PUT 4 KiB'
/** The publishes begin so long before the downloads, and end so long after them. */
const marginSeconds = 1

/** How long the slowest downloads take while others publish as fast as they can. */
export const latencyRow: Row = {
  name,
  against: 'p99 when idle',
  unit: 'ms',
  cpuPer: 'req',
  target: { atMost: 3 },
  diskSpace: publishSpace,
  measure: async (bench) => {
    await using stowage = await bench.startStowage()
    const path = `/api/packages/bench/generic/get-${randomUUID()}/1/file.bin`
    await stowage.fill(path, randomBytes(KiB))
    const get = async (seconds: number) => {
      const task = { origin: stowage.origin, path, headers: {}, size: KiB, clients: 16, seconds }
      const load = await bench.load.get(task, bench.stop)
      if (load.p99Ms === undefined) throw new Failure(`${name}: nothing was answered within ${seconds} s`)
      return { ...load, p99Ms: load.p99Ms }
    }
    await get(1)
    await publish(bench, stowage, 1)
    return await inTurns(
      bench,
      name,
      {
        name: 'with publishes',
        turn: async () => {
          const { result } = await withCpu(stowage, bench.stop, async () => {
            const publishes = publish(bench, stowage, bench.seconds + 2 * marginSeconds)
            const gets = Bun.sleep(marginSeconds * 1000).then(() => get(bench.seconds))
            return (await Promise.all([gets, publishes]))[0]
          })
          // The CPU time would be that of both loads.
          return { value: result.p99Ms, cpu: undefined }
        },
      },
      {
        name: 'idle',
        turn: async () => {
          const { result, cpu } = await withCpu(stowage, bench.stop, () => get(bench.seconds))
          return { value: result.p99Ms, cpu: perUnit(cpu, result.requests) }
        },
      },
    )
  },
}
