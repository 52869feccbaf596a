import { randomBytes, randomUUID } from 'node:crypto'
import { Failure } from '../failure.ts'
import type { LoadMaker } from '../load.ts'
import { perUnit, sumOf, withCpuOf } from '../rounds.ts'
import type { Bench } from '../row.ts'
import { KiB } from '../sizes.ts'
import type { Stowage } from '../stowage.ts'
import type { Nodes, Shared } from './installation.ts'

export type Turns = Pick<Bench, 'rounds' | 'seconds' | 'stop' | 'progress' | 'load'>

/** Where requests went: to so many nodes behind nginx, or to one without it. */
export type Way = { readonly nodes: number; readonly nginx: boolean }

/** What one load came to in one round; CPU time in µs for each request. */
export interface NodeSample {
  readonly requestsPerSecond: number
  readonly p99Ms: number | undefined
  readonly cpu: { readonly [Part in 'nodes' | 'PostgreSQL' | 'S3' | 'nginx']: number | undefined }
}

export interface NodeMeasured {
  readonly load: string
  readonly way: Way
  readonly samples: NodeSample[]
}

export interface NodeLoad {
  readonly name: string
  run(load: LoadMaker, target: LoadTarget): Promise<{ requests: number; seconds: number; p99Ms: number | undefined }>
}

interface LoadTarget {
  readonly origin: string
  /** Of 1 KiB, in the bucket. */
  readonly file: string
  readonly token: Record<string, string>
  readonly seconds: number
  readonly stop: AbortSignal
}

const clients = 16
const newFolder = () => `/api/packages/bench/generic/put-${randomUUID()}`

const get = (headersOf: (target: LoadTarget) => Record<string, string>, size: number): NodeLoad['run'] => {
  return (load, target) =>
    load.get({ ...target, path: target.file, headers: headersOf(target), size, clients }, target.stop)
}

const put: NodeLoad['run'] = (load, target) =>
  load.put({ ...target, folder: newFolder(), headers: target.token, size: 4 * KiB, clients }, target.stop)

export const streamedLoads: readonly NodeLoad[] = [
  { name: 'GET 1 KiB', run: get(() => ({}), KiB) },
  { name: 'GET 1 KiB by token', run: get(({ token }) => token, KiB) },
  { name: 'PUT 4 KiB', run: put },
  {
    name: '12 clients GET 1 KiB, 4 PUT 4 KiB',
    run: async (load, target) => {
      const { stop } = target
      const [reads, publishes] = await Promise.all([
        load.get({ ...target, path: target.file, headers: {}, size: KiB, clients: 12 }, stop),
        load.put({ ...target, folder: newFolder(), headers: target.token, size: 4 * KiB, clients: 4 }, stop),
      ])
      const { seconds, p99Ms } = reads
      return { requests: reads.requests + publishes.requests, seconds, p99Ms }
    },
  },
]

/** Answered by a link to the bucket, which nobody follows here: what is left for nodes of a download. */
export const redirectedLoads: readonly NodeLoad[] = [{ name: 'GET, redirected', run: get(() => ({}), 0) }]

export async function measureNodes(
  turns: Turns,
  loads: readonly NodeLoad[],
  counts: readonly number[],
  nodes: Nodes,
  shared: Shared,
): Promise<NodeMeasured[]> {
  const file = `/api/packages/bench/generic/get-${randomUUID()}/1/file.bin`
  const [first] = nodes.all
  await first.fill(file, randomBytes(KiB))
  const ways: Way[] = [{ nodes: 1, nginx: false }, ...counts.map((count) => ({ nodes: count, nginx: true }))]
  const measured: NodeMeasured[] = []
  for (const load of loads) {
    const rows = ways.map((way): NodeMeasured => ({ load: load.name, way, samples: [] }))
    for (let round = 0; round <= turns.rounds; round += 1) {
      for (const row of rows) {
        turns.stop.throwIfAborted()
        const which = round === 0 ? 'warming up' : `round ${round} of ${turns.rounds}`
        turns.progress(`${load.name}: ${which}, ${wayInWords(row.way)}`)
        const sample = await turn(turns, load, row.way, {
          ...{ nodes, shared, file },
        })
        if (round > 0) row.samples.push(sample)
      }
    }
    measured.push(...rows)
  }
  return measured
}

export function wayInWords({ nodes, nginx }: Way): string {
  return nginx ? String(nodes) : `${nodes}, without nginx`
}

async function turn(
  { load: maker, seconds, stop }: Turns,
  load: NodeLoad,
  way: Way,
  { nodes, shared, file }: { nodes: Nodes; shared: Shared; file: string },
): Promise<NodeSample> {
  const used: readonly Stowage[] = nodes.all.slice(0, way.nodes)
  const [first] = nodes.all
  const balancer = way.nginx ? nodes.behindNginx(way.nodes) : undefined
  const target = { origin: balancer?.origin ?? first.origin, file, token: first.signedIn.token, seconds, stop }
  const pids = [shared.postgresPid, shared.s3Pid, ...(balancer ? [balancer.pid] : []), ...used.map(({ pid }) => pid)]
  const { result, cpu } = await withCpuOf(pids, stop, () => load.run(maker, target))
  if (result.requests === 0) throw new Failure(`${load.name}: nothing was answered within ${seconds} s`)
  const [postgres, s3, ...others] = cpu.map((each) => perUnit(each, result.requests))
  const nginx = balancer ? others.shift() : undefined
  return {
    requestsPerSecond: result.requests / result.seconds,
    p99Ms: result.p99Ms,
    cpu: {
      PostgreSQL: postgres,
      S3: s3,
      nginx,
      nodes: sumOf(others),
    },
  }
}
