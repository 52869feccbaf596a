import { randomBytes, randomUUID } from 'node:crypto'
import { Failure } from './failure.ts'
import type { GetTask } from './load.ts'
import { inTurns, perUnit, type Side, withCpu } from './rounds.ts'
import type { Bench, Row, Samples } from './row.ts'
import type { Server } from './servers.ts'
import { MiB, sizeName } from './sizes.ts'
import type { Target } from './target.ts'

export interface GetCase {
  readonly size: number
  readonly clients?: number
  readonly target: Target
}

/** GETs of one file, beside nginx. */
export function getRow({ size, clients, target }: GetCase): Row {
  const named = clients === undefined ? '' : clients === 1 ? ', 1 client' : `, ${clients} clients`
  return {
    ...common(size, target),
    name: `GET ${sizeName(size)}${named}`,
    against: 'nginx',
    measure: async (bench) => {
      await using held = new AsyncDisposableStack()
      const stowage = held.use(await bench.startStowage())
      const nginx = await bench.startNginx()
      if (nginx) held.use(nginx)
      return await compare(bench, `GET ${sizeName(size)}${named}`, size, clients ?? 16, {
        ours: { server: stowage, headers: {} },
        theirs: nginx && { server: nginx, headers: {} },
      })
    },
  }
}

/** GETs of one file with a credential, beside the same without. */
export function signedInRow(credential: 'token' | 'password', size: number, target: Target): Row {
  const name = `GET ${sizeName(size)} by ${credential}`
  return {
    ...common(size, target),
    name,
    against: 'anonymous',
    measure: async (bench) => {
      await using stowage = await bench.startStowage()
      return await compare(bench, name, size, 16, {
        ours: { server: stowage, headers: stowage.signedIn[credential] },
        theirs: { server: stowage, headers: {} },
      })
    },
  }
}

function common(size: number, target: Target) {
  return {
    unit: isLarge(size) ? 'MB/s' : 'req/s',
    cpuPer: isLarge(size) ? 'MB' : 'req',
    target,
    diskSpace: () => 2 * size,
  } as const
}

/** From here on what counts is bytes: a transfer that was cut off by the clock still counts. */
const isLarge = (size: number) => size >= MiB

interface Asked {
  readonly server: Server
  readonly headers: Record<string, string>
}

async function compare(
  bench: Bench,
  name: string,
  size: number,
  clients: number,
  { ours, theirs }: { ours: Asked; theirs: Asked | undefined },
): Promise<Samples> {
  const path = `/api/packages/bench/generic/get-${randomUUID()}/1/file.bin`
  const content = randomBytes(size)
  const sides: Side[] = []
  for (const { server, headers } of theirs ? [ours, theirs] : [ours]) {
    bench.progress(`${name}: warming up ${server.name}`)
    if (sides.length === 0 || server !== ours.server) await server.fill(path, content)
    await checkContent(server.origin + path, headers, content, bench.stop)
    const task: GetTask = { origin: server.origin, path, headers, size, clients, seconds: bench.seconds }
    await bench.load.get({ ...task, seconds: 1 }, bench.stop)
    sides.push({ name: server.name, turn: () => turn(bench, server, task) })
  }
  return await inTurns(bench, name, sides[0] as Side, sides[1])
}

async function turn(bench: Bench, server: Server, task: GetTask) {
  const { result, cpu } = await withCpu(server, bench.stop, () => bench.load.get(task, bench.stop))
  const { requests, bytes, seconds } = result
  if (bytes === 0) throw new Failure(`Nothing was answered within ${seconds.toFixed(1)} s`)
  // The bytes that wrk counts hold the headers too: nothing beside a large file, but a good part of a small answer.
  return isLarge(task.size)
    ? { value: bytes / 1e6 / seconds, cpu: perUnit(cpu, bytes / 1e6) }
    : { value: requests / seconds, cpu: perUnit(cpu, requests) }
}

async function checkContent(url: string, headers: Record<string, string>, content: Uint8Array, stop: AbortSignal) {
  const response = await fetch(url, { headers, signal: stop })
  if (response.status !== 200) throw new Failure(`GET ${url}: ${response.status}, not 200`)
  if (Buffer.compare(await response.bytes(), content) !== 0) {
    throw new Failure(`GET ${url}: other bytes than were put there`)
  }
}
