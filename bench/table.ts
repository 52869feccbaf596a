import type { Measured, Sample } from './row.ts'
import { median, pairedRatio, type Spread, spread } from './statistics.ts'
import { targetInWords, verdict } from './target.ts'

export const nothing = '–'

const columns = [
  ...['case', 'against', 'unit', 'Stowage', 'reference', 'ratio', 'target', 'met'],
  ...['CPU µs', 'reference CPU µs', 'CPU ratio'],
]
const textColumns = new Set(['case', 'against', 'unit', 'target', 'met'])

export function asMarkdown(results: readonly Measured[]): string {
  return markdown(columns, textColumns, results.map(cellsOf))
}

export function asText(results: readonly Measured[]): string {
  return text(columns, textColumns, results.map(cellsOf))
}

/** A table whose columns of numbers stand at the right. */
export function markdown(
  names: readonly string[],
  texts: ReadonlySet<string>,
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const rule = names.map((name) => (texts.has(name) ? '---' : '---:'))
  return [line(names), line(rule), ...rows.map(line)].join('\n')
}

/** The same for a terminal. */
export function text(
  names: readonly string[],
  texts: ReadonlySet<string>,
  rows: readonly (readonly string[])[],
): string {
  const lines = [names, ...rows]
  const widths = names.map((_, n) => Math.max(...lines.map((cells) => cells[n]?.length ?? 0)))
  const pad = (cell: string, n: number) =>
    texts.has(names[n] ?? '') ? cell.padEnd(widths[n] ?? 0) : cell.padStart(widths[n] ?? 0)
  return lines.map((cells) => cells.map(pad).join('  ')).join('\n')
}

/** What is judged: the ratio to the reference, or the value where there is none. */
function figureOf({ row, ours, theirs }: Measured): Spread | undefined {
  if (row.against === undefined) return spread(values(ours))
  return theirs.length > 0 ? pairedRatio(values(ours), values(theirs)) : undefined
}

function cellsOf(measured: Measured): string[] {
  const { row, ours, theirs } = measured
  const isAbsolute = row.against === undefined
  const figure = figureOf(measured)
  const [ourCpu, theirCpu] = [cpuOf(ours), cpuOf(theirs)]
  const cpuRatio = ourCpu && theirCpu && pairedRatio(ourCpu, theirCpu)
  return [
    row.name,
    row.against ?? nothing,
    row.unit,
    isAbsolute ? inWords(figure, digits) : typical(values(ours)),
    typical(values(theirs)),
    isAbsolute ? nothing : inWords(figure, (value) => value.toFixed(2)),
    targetInWords(row.target, isAbsolute ? row.unit : ''),
    verdict(row.target, figure, cpuRatio) ?? nothing,
    ourCpu ? `${typical(ourCpu)} /${row.cpuPer}` : nothing,
    theirCpu ? `${typical(theirCpu)} /${row.cpuPer}` : nothing,
    inWords(cpuRatio, (value) => value.toFixed(2)),
  ]
}

const values = (samples: readonly Sample[]) => samples.map(({ value }) => value)

/** Undefined where it was not measured in every round. */
function cpuOf(samples: readonly Sample[]): number[] | undefined {
  const measured = samples.map(({ cpu }) => cpu).filter((cpu) => cpu !== undefined)
  return measured.length > 0 && measured.length === samples.length ? measured : undefined
}

export function typical(of: readonly number[]): string {
  return of.length > 0 ? digits(median(of)) : nothing
}

function inWords(figure: Spread | undefined, written: (value: number) => string): string {
  if (!figure) return nothing
  const { least, most } = figure
  return least === most ? written(most) : `${written(figure.median)} (${written(least)}–${written(most)})`
}

/** Three digits say all that a timing on a shared machine can say. */
export function digits(value: number): string {
  const fraction = value >= 100 ? 0 : value >= 10 ? 1 : 2
  return value.toLocaleString('en', { minimumFractionDigits: fraction, maximumFractionDigits: fraction })
}
