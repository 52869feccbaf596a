import type { WorkerPlace } from './compose.ts'
import type { WorkerMetrics } from './metrics/metrics.ts'

/** What a worker tells the process that started it. */
export type ToSupervisor =
  /** It listens; `banner` is what a person who has just started the server wants to know. */
  | { kind: 'listening'; port: number; banner: string }
  /** It wants to know what its siblings have counted. */
  | { kind: 'ask'; id: number }
  /** What it has counted, for one of them. */
  | { kind: 'counted'; id: number; metrics: WorkerMetrics }

/** What it is told. */
export type ToWorkerProcess =
  | { kind: 'count'; id: number }
  | { kind: 'siblings'; id: number; metrics: readonly WorkerMetrics[] }

/** Milliseconds that `/metrics` waits for siblings. */
const patience = 2_000

/** The command line of a worker, behind its module. */
export function workerArguments({ number, port, isFirst }: Pick<WorkerPlace, 'number' | 'port' | 'isFirst'>): string[] {
  return [String(number), String(port), ...(isFirst ? ['first'] : [])]
}

/** For a process that `workers.ts` has started. It ends when that one has ended, which cannot hold the data directory for it any more. */
export function placeOfThisWorker(): WorkerPlace & { listens(port: number, banner: string): void } {
  const [number, port, first] = process.argv.slice(2)
  const waiting = new Map<number, (metrics: readonly WorkerMetrics[]) => void>()
  let asked = 0
  let count: (() => Promise<WorkerMetrics>) | undefined
  process.on('disconnect', () => process.exit(70))
  process.on('message', (message: ToWorkerProcess) => {
    if (message.kind === 'siblings') waiting.get(message.id)?.(message.metrics)
    else void count?.().then((metrics) => tell({ kind: 'counted', id: message.id, metrics }))
  })
  return {
    number: Number(number),
    port: Number(port),
    isFirst: first === 'first',
    siblings: async () => {
      const id = ++asked
      const { promise, resolve } = Promise.withResolvers<readonly WorkerMetrics[]>()
      const timer = setTimeout(resolve, patience, [])
      waiting.set(id, resolve)
      tell({ kind: 'ask', id })
      try {
        return await promise
      } finally {
        waiting.delete(id)
        clearTimeout(timer)
      }
    },
    answerSiblings: (answer) => {
      count = answer
    },
    listens: (port, banner) => tell({ kind: 'listening', port, banner }),
  }
}

function tell(message: ToSupervisor): void {
  process.send?.(message)
}
