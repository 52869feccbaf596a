// A process of its own, so that making the load costs the server's process nothing. Reads a PutJob from standard input,
// prints a PutResult.
import { randomFillSync } from 'node:crypto'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { closedLoop, type Load, type Loop } from './closed-loop.ts'

export interface PutJob extends Loop {
  readonly origin: string
  /** Path of a package; every PUT makes a new version below it. */
  readonly folder: string
  readonly headers: Record<string, string>
  readonly size: number
  /** Where the server keeps its files, when it answers before they are on disk: the client then syncs each one. */
  readonly syncIn: string | undefined
}

export interface PutResult extends Load {
  readonly lastPath: string
}

const job: PutJob = await Bun.stdin.json()
const bodies = Array.from({ length: job.clients }, () => randomFillSync(new Uint8Array(job.size)))
let puts = 0
let lastPath = ''

async function put(client: number): Promise<number> {
  const body = bodies[client] ?? new Uint8Array()
  // A new beginning makes new content: a store that keeps equal content once would else have nothing to write.
  randomFillSync(body, 0, 16)
  puts += 1
  const path = `${job.folder}/${puts}/file.bin`
  const url = job.origin + path
  const response = await fetch(url, { method: 'PUT', headers: job.headers, body, signal: AbortSignal.timeout(120_000) })
  const text = await response.text()
  if (response.status !== 201) throw new Error(`PUT ${url}: ${response.status} ${text.slice(0, 500)}, not 201`)
  if (job.syncIn) await syncToDisk(join(job.syncIn, path))
  lastPath = path
  return body.length
}

async function syncToDisk(file: string): Promise<void> {
  const handle = await open(file, 'r')
  try {
    await handle.datasync()
  } finally {
    await handle.close()
  }
}

try {
  const load = await closedLoop(job, put)
  console.log(JSON.stringify({ ...load, lastPath } satisfies PutResult))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}
