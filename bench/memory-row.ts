import { randomUUID } from 'node:crypto'
import { runClient } from './clients.ts'
import { anonymousBytes } from './process-cost.ts'
import { inTurns } from './rounds.ts'
import type { Row } from './row.ts'
import { GiB, MiB } from './sizes.ts'
import type { SlowJob } from './slow-client.ts'
import type { UploadJob } from './upload-client.ts'

const name = 'anonymous memory'
const uploads = 16
const downloads = 64
const secondsOfDownloads = 15
const sampleEveryMs = 20
/** Each takes minutes and writes much. */
const mostRounds = 3

/** The most memory of its own that the server has while it takes and gives many large files. */
export const memoryRow: Row = {
  name,
  against: undefined,
  unit: 'MiB',
  cpuPer: 'MB',
  target: { atMost: 120 },
  diskSpace: () => uploads * GiB,
  measure: (bench) =>
    inTurns(
      { ...bench, rounds: Math.min(bench.rounds, mostRounds) },
      name,
      {
        name: 'Stowage',
        turn: async () => {
          await using stowage = await bench.startStowage()
          const { origin, signedIn } = stowage
          const folder = `/api/packages/bench/generic/put-${randomUUID()}`
          const paths = Array.from({ length: uploads }, (_, index) => `${folder}/${index + 1}/file.bin`)
          const put: UploadJob = {
            ...{ origin, headers: signedIn.token, size: GiB, paths },
            ...{ atOnce: true, syncIn: undefined, digestsAt: [] },
          }
          const get: SlowJob = { origin, path: String(paths[0]), clients: downloads, seconds: secondsOfDownloads }
          using memory = watchMemory(stowage.pid)
          await runClient('upload-client.ts', put, bench.stop)
          await runClient('slow-client.ts', get, bench.stop)
          return { value: memory.most() / MiB, cpu: undefined }
        },
      },
      undefined,
    ),
}

function watchMemory(pid: number) {
  let most = 0
  const look = () => {
    most = Math.max(most, anonymousBytes(pid) ?? Number.NaN)
  }
  const timer = setInterval(look, sampleEveryMs)
  look()
  return { most: () => most, [Symbol.dispose]: () => clearInterval(timer) }
}
