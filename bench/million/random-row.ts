import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Seeded } from '../../test/support/seeded.ts'
import { Failure } from '../failure.ts'
import { inTurns, perUnit, type Side, withCpu } from '../rounds.ts'
import type { Bench, Row } from '../row.ts'
import type { Server } from '../servers.ts'
import { millionDataDir } from './data-dir.ts'
import { addressOf, contentOf, fileSize, filesOf, locationOf, million } from './site.ts'

const name = 'GET 1 KiB at random of 1,000,000 files'
const clients = 16
/** More than anything here answers; the list would begin again. */
const mostPerSecond = 100_000
const bytesPerPath = 80

/** Files anywhere in a large site, beside nginx on the very same files in the same order. */
export const randomRow: Row = {
  name,
  against: 'nginx',
  unit: 'req/s',
  cpuPer: 'req',
  target: { atLeast: 0.7 },
  diskSpace: (_, seconds) => bytesPerPath * Math.max(filesOf(million), seconds * mostPerSecond),
  measure: async (bench) => {
    const dataDir = await millionDataDir(bench)
    await using held = new AsyncDisposableStack()
    const stowage = held.use(await bench.startStowage(dataDir))
    const nginx = await bench.startNginx(join(dataDir, 'blobs'))
    if (nginx) held.use(nginx)
    const ours: Asked = { server: stowage, pathOf: (file) => addressOf(million, file) }
    const theirs: Asked | undefined = nginx && { server: nginx, pathOf: locationPath }
    for (const asked of theirs ? [ours, theirs] : [ours]) await warmUp(bench, asked)
    return await inTurns(bench, name, side(bench, ours), theirs && side(bench, theirs))
  },
}

interface Asked {
  readonly server: Server
  pathOf(file: number): string
}

function locationPath(file: number): string {
  const { folder, name: blob } = locationOf(file)
  return `/${folder}/${blob}`
}

/** Asks once for every file, so that all of them are in memory, as far as they are kept there. */
async function warmUp(bench: Bench, { server, pathOf }: Asked): Promise<void> {
  bench.progress(`${name}: one pass over all, ${server.name}`)
  for (const file of [0, 4_097, filesOf(million) - 1])
    await checkContent(server.origin + pathOf(file), file, bench.stop)
  const path = await writePaths(
    bench,
    Array.from({ length: filesOf(million) }, (_, file) => pathOf(file)),
  )
  await bench.load.getEach({ origin: server.origin, path, headers: {}, size: fileSize, clients }, bench.stop)
}

function side(bench: Bench, { server, pathOf }: Asked): Side {
  return {
    name: server.name,
    turn: async (round) => {
      // The same files for both sides, others in each round.
      const random = new Seeded(round)
      const count = bench.seconds * mostPerSecond
      const path = await writePaths(
        bench,
        Array.from({ length: count }, () => pathOf(random.below(filesOf(million)))),
      )
      const task = { origin: server.origin, path, headers: {}, size: fileSize, clients, seconds: bench.seconds }
      const { result, cpu } = await withCpu(server, bench.stop, () => bench.load.get(task, bench.stop))
      return { value: result.requests / result.seconds, cpu: perUnit(cpu, result.requests) }
    },
  }
}

async function writePaths({ folder }: Bench, paths: readonly string[]): Promise<{ in: string }> {
  const file = join(folder, 'paths.txt')
  await writeFile(file, `${paths.join('\n')}\n`)
  return { in: file }
}

async function checkContent(url: string, file: number, stop: AbortSignal): Promise<void> {
  const response = await fetch(url, { signal: stop })
  const bytes = await response.bytes()
  if (response.status !== 200 || Buffer.compare(bytes, contentOf(file)) !== 0) {
    throw new Failure(`GET ${url}: ${response.status}, or other bytes than were put there`)
  }
}
