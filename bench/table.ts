import { isLarge, sizeName } from './cases.ts'
import type { Measured, Sample } from './measure.ts'
import { median, pairedRatio } from './statistics.ts'

const nothing = '–'

const columns = [
  'case',
  'clients',
  'Stowage req/s',
  'MB/s',
  'p50 ms',
  'p99 ms',
  'CPU µs',
  'nginx req/s',
  'nginx CPU µs',
  'ratio',
]

export function asMarkdown(results: readonly Measured[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const rule = columns.map((_, n) => (n === 0 ? '---' : '---:'))
  return [line(columns), line(rule), ...results.map((result) => line(row(result)))].join('\n')
}

export function asText(results: readonly Measured[]): string {
  const rows = [columns, ...results.map(row)]
  const widths = columns.map((_, n) => Math.max(...rows.map((cells) => cells[n]?.length ?? 0)))
  const line = (cells: readonly string[]) =>
    cells.map((cell, n) => (n === 0 ? cell.padEnd(widths[n] ?? 0) : cell.padStart(widths[n] ?? 0))).join('  ')
  return rows.map(line).join('\n')
}

function row({ case: c, ours, theirs }: Measured): string[] {
  const cpuUnit = isLarge(c) ? '/MB' : '/req'
  const rate = (sample: Sample) => sample.requestsPerSecond
  return [
    `${c.method} ${sizeName(c.size)}`,
    String(c.clients),
    typical(ours, rate),
    typical(ours, (sample) => sample.megabytesPerSecond),
    typical(ours, (sample) => sample.p50Ms),
    typical(ours, (sample) => sample.p99Ms),
    typical(ours, (sample) => sample.cpu, cpuUnit),
    typical(theirs, rate),
    typical(theirs, (sample) => sample.cpu, cpuUnit),
    theirs.length > 0 ? ratioCell(ours.map(rate), theirs.map(rate)) : nothing,
  ]
}

function typical(samples: readonly Sample[], value: (sample: Sample) => number | undefined, unit = ''): string {
  const values = samples.map(value).filter((each) => each !== undefined)
  if (values.length === 0) return nothing
  return unit ? `${digits(median(values))} ${unit}` : digits(median(values))
}

function ratioCell(ours: readonly number[], theirs: readonly number[]): string {
  const ratio = pairedRatio(ours, theirs)
  const middle = ratio.median.toFixed(2)
  return ours.length === 1 ? middle : `${middle} (${ratio.least.toFixed(2)}–${ratio.most.toFixed(2)})`
}

/** Three digits say all that a timing on a shared machine can say. */
function digits(value: number): string {
  const fraction = value >= 100 ? 0 : value >= 10 ? 1 : 2
  return value.toLocaleString('en', { minimumFractionDigits: fraction, maximumFractionDigits: fraction })
}
