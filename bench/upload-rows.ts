import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { runClient } from './clients.ts'
import { inTurns, perUnit, withCpu } from './rounds.ts'
import type { Bench, Row, Sample } from './row.ts'
import type { Server } from './servers.ts'
import { MiB } from './sizes.ts'
import type { Target } from './target.ts'
import type { UploadJob, UploadResult } from './upload-client.ts'

export interface UploadCase {
  readonly name: string
  readonly size: number
  /** One after the other. */
  readonly files: number
  /** Until all digests of all of them are known. */
  readonly withDigests: boolean
  readonly target: Target
}

/** Large PUTs beside nginx, whose files the client syncs. */
export function uploadRow({ name, size, files, withDigests, target }: UploadCase): Row {
  return {
    name,
    against: 'nginx DAV + fdatasync',
    unit: 'MB/s',
    cpuPer: 'MB',
    target,
    diskSpace: () => files * size + 2 * warmUpSize,
    measure: async (bench) => {
      await using nginx = await bench.startNginx()
      const load = { size, files, withDigests }
      if (nginx) await upload(bench, nginx, { ...load, size: warmUpSize, files: 1 })
      return await inTurns(
        bench,
        name,
        {
          name: 'Stowage',
          turn: async () => {
            // One of its own for each turn: what it stored is gone for good before the next one begins.
            await using stowage = await bench.startStowage()
            await upload(bench, stowage, { ...load, size: warmUpSize, files: 1 })
            return await upload(bench, stowage, load)
          },
        },
        nginx?.put && { name: 'nginx', turn: () => upload(bench, nginx, load) },
      )
    },
  }
}

const warmUpSize = 64 * MiB

interface Load {
  readonly size: number
  readonly files: number
  readonly withDigests: boolean
}

async function upload(bench: Bench, server: Server, { size, files, withDigests }: Load): Promise<Sample> {
  if (!server.put) throw new Error(`${server.name} takes no PUT`)
  const { headers, syncIn } = server.put
  const folder = `generic/put-${randomUUID()}`
  const versions = Array.from({ length: files }, (_, index) => `${folder}/${index + 1}`)
  const job: UploadJob = {
    origin: server.origin,
    headers,
    size,
    paths: versions.map((version) => `/api/packages/bench/${version}/file.bin`),
    atOnce: false,
    syncIn,
    digestsAt:
      withDigests && !syncIn
        ? versions.map((version) => `${server.origin}/api/v1/packages/bench/${version}/files`)
        : [],
  }
  const { result, cpu } = await withCpu(server, bench.stop, () => runClient('upload-client.ts', job, bench.stop))
  if (syncIn) await rm(join(syncIn, '/api/packages/bench', folder), { recursive: true })
  const megabytes = (files * size) / 1e6
  return { value: megabytes / (JSON.parse(result) as UploadResult).seconds, cpu: perUnit(cpu, megabytes) }
}
