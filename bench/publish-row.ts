import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { runClient } from './clients.ts'
import type { Load } from './closed-loop.ts'
import { Failure } from './failure.ts'
import type { OneThreadJob, OneThreadResult } from './one-thread-client.ts'
import { inTurns, perUnit, withCpu } from './rounds.ts'
import type { Bench, Row } from './row.ts'
import { KiB } from './sizes.ts'
import type { Stowage } from './stowage.ts'

const name = 'PUT 4 KiB'
const size = 4 * KiB
/** More than any disk here stores in a second, and what one takes on it with its row. */
const mostPerSecond = 10_000
const bytesOnDisk = 16 * KiB

/** Small publishes of 16 clients, each a new version, beside one thread that does the same work and nothing else. */
export const publishRow: Row = {
  name,
  against: 'one thread',
  unit: 'req/s',
  cpuPer: 'req',
  target: { atLeast: 1.5, sought: 4 },
  diskSpace: publishSpace,
  measure: async (bench) => {
    await using stowage = await bench.startStowage()
    await publish(bench, stowage, 1)
    return await inTurns(
      bench,
      name,
      {
        name: 'Stowage',
        turn: async () => {
          const { result, cpu } = await withCpu(stowage, bench.stop, () => publish(bench, stowage, bench.seconds))
          return { value: result.requests / result.seconds, cpu: perUnit(cpu, result.requests) }
        },
      },
      { name: 'one thread', turn: () => oneThread(bench) },
    )
  },
}

/** Nothing is removed before the end: a file system that has just removed many files is slower at making new ones. */
export function publishSpace(rounds: number, seconds: number): number {
  return (rounds + 1) * (seconds + 2) * mostPerSecond * bytesOnDisk
}

export async function publish({ load, stop }: Bench, stowage: Stowage, seconds: number): Promise<Load> {
  const folder = `/api/packages/bench/generic/put-${randomUUID()}`
  const { origin, signedIn } = stowage
  const result = await load.put({ origin, folder, headers: signedIn.token, size, clients: 16, seconds }, stop)
  if (result.requests === 0) throw new Failure(`${name}: nothing was answered within ${seconds} s`)
  // Of the last ones some were cut off by the clock.
  const url = `${origin}${folder}/${Math.ceil(result.requests / 2)}/file.bin`
  const answer = await fetch(url, { signal: stop })
  const { length } = await answer.bytes()
  if (answer.status !== 200 || length !== size) throw new Failure(`GET ${url}: ${answer.status} with ${length} bytes`)
  return result
}

async function oneThread({ folder, seconds, stop }: Bench) {
  const job: OneThreadJob = { folder: join(folder, `one-thread-${randomUUID()}`), size, seconds }
  try {
    const result = JSON.parse(await runClient('one-thread-client.ts', job, stop)) as OneThreadResult
    return { value: result.publishes / result.seconds, cpu: result.cpu }
  } finally {
    await rm(job.folder, { recursive: true, force: true })
  }
}
