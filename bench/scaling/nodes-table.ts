import { spread } from '../statistics.ts'
import { digits, nothing, typical } from '../table.ts'
import { type NodeMeasured, type NodeSample, wayInWords } from './node-loads.ts'

const parts = ['nodes', 'PostgreSQL', 'S3', 'nginx'] as const
export const nodesColumns = ['load', 'nodes', 'req/s', 'p99 ms', ...parts.map((part) => `CPU µs: ${part}`)]
export const nodesTextColumns: ReadonlySet<string> = new Set(['load', 'nodes'])

/** Medians of the rounds; of the rate the least and the most too. */
export function nodesCells({ load, way, samples }: NodeMeasured): string[] {
  const of = (pick: (sample: NodeSample) => number | undefined) => {
    const values = samples.map(pick).filter((value) => value !== undefined)
    return values.length === samples.length ? typical(values) : nothing
  }
  const { least, most } = spread(samples.map(({ requestsPerSecond }) => requestsPerSecond))
  const rate = of(({ requestsPerSecond }) => requestsPerSecond)
  return [
    load,
    wayInWords(way),
    least === most ? rate : `${rate} (${digits(least)}–${digits(most)})`,
    of(({ p99Ms }) => p99Ms),
    ...parts.map((part) => of(({ cpu }) => cpu[part])),
  ]
}
