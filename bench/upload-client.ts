// Large PUTs over plain sockets, from one block of memory: `fetch` takes four times the CPU time, and memory for every body.
import { once } from 'node:events'
import { open } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { doJob } from './clients.ts'
import { MiB } from './sizes.ts'

export interface UploadJob {
  readonly origin: string
  readonly headers: Record<string, string>
  readonly size: number
  readonly paths: readonly string[]
  /** All of them at once, not one after the other. */
  readonly atOnce: boolean
  /** Where the server keeps its files, when it answers before they are on disk: the client then syncs each one. */
  readonly syncIn: string | undefined
  /** Addresses that tell the digests of the files: the job ends when they tell all of every file. */
  readonly digestsAt: readonly string[]
}

export interface UploadResult {
  readonly seconds: number
}

const block = new Uint8Array(MiB)
for (let at = 0; at < block.length; at += 65_536) crypto.getRandomValues(block.subarray(at, at + 65_536))

interface Upload {
  readonly path: string
  /** The last block makes the content one that no other file has. */
  readonly last: Uint8Array
  readonly sha256: string
}

await doJob<UploadJob>(async (job): Promise<UploadResult> => {
  const beginning = new Bun.CryptoHasher('sha256')
  for (let sent = block.length; sent < job.size; sent += block.length) beginning.update(block)
  const uploads = job.paths.map((path): Upload => {
    const last = block.slice()
    crypto.getRandomValues(last.subarray(0, 16))
    return { path, last, sha256: beginning.copy().update(last).digest('hex') }
  })

  const begin = performance.now()
  if (job.atOnce) await Promise.all(uploads.map((upload) => put(job, upload)))
  else for (const upload of uploads) await put(job, upload)
  for (const address of job.digestsAt) await untilAllDigests(address, job.headers)
  return { seconds: (performance.now() - begin) / 1000 }
})

async function put({ origin, headers, size, syncIn }: UploadJob, { path, last, sha256 }: Upload): Promise<void> {
  const { hostname, port, host } = new URL(origin)
  const socket = connect(Number(port), hostname)
  try {
    await once(socket, 'connect')
    const answer = statusOf(socket)
    const sent = send(socket, size, last, {
      ...{ host, 'content-length': size, 'x-checksum-sha256': sha256 },
      ...headers,
      path,
    })
    // A refusal comes before the body has been sent, and then nobody reads that.
    const status = await Promise.race([answer, sent.then(() => answer)])
    if (!/^HTTP\/1\.1 201 /.test(status)) throw new Error(`PUT ${origin}${path}: ${status.slice(0, 500)}, not 201`)
  } finally {
    socket.destroy()
  }
  if (syncIn) await syncToDisk(join(syncIn, path))
}

async function send(
  socket: Socket,
  size: number,
  last: Uint8Array,
  { path, ...headers }: Record<string, string | number> & { path: string },
): Promise<void> {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.write(`PUT ${path} HTTP/1.1\r\n${lines.join('')}\r\n`)
  for (let sent = 0; sent < size; sent += block.length) {
    const isLast = sent + block.length >= size
    if (!socket.write(isLast ? last : block) && !isLast) await once(socket, 'drain')
  }
}

function statusOf(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      if (text.includes('\r\n\r\n')) resolve(text)
    })
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('the connection was closed')))
  })
}

async function syncToDisk(file: string): Promise<void> {
  const handle = await open(file, 'r')
  try {
    await handle.datasync()
  } finally {
    await handle.close()
  }
}

async function untilAllDigests(address: string, headers: Record<string, string>): Promise<void> {
  const deadline = performance.now() + 300_000
  while (performance.now() < deadline) {
    const response = await fetch(address, { headers })
    if (response.status !== 200) throw new Error(`GET ${address}: ${response.status}, not 200`)
    const files = (await response.json()) as Record<string, unknown>[]
    if (files.every((file) => file.md5 && file.sha1 && file.sha256 && file.sha512)) return
    await Bun.sleep(10)
  }
  throw new Error(`GET ${address}: not all digests were there in time`)
}
