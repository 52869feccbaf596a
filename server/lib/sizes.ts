/** Sizes and lengths of time, as people write them in settings. */

/**
 * Bytes, from `10GiB`, `500 MB`, `1.5 GB` or `123`. Units are `B`, `KB` to `TB` (thousands) and `KiB` to `TiB` (1024),
 * in any case; a fraction is rounded to the nearest byte.
 *
 * Undefined when it cannot be read, or is more than a number can hold exactly. That includes `10G`, which some take for
 * 10 GB and others for 10 GiB.
 */
export function parseSize(text: string): number | undefined {
  const { number = '', unit = '' } = sizeShape.exec(text.trim())?.groups ?? {}
  const bytesPerUnit = bytesPer.get(unit.toLowerCase())
  if (number === '' || bytesPerUnit === undefined) return undefined
  if (bytesPerUnit === 1 && number.includes('.')) return undefined
  return exact(Math.round(Number(number) * bytesPerUnit))
}

/**
 * Milliseconds, from `500ms`, `30s`, `15m`, `1h`, `1.5h`, `2d` or `0`. Any other number needs a unit, in lower case; a
 * fraction is rounded to the nearest millisecond. Undefined when it cannot be read or is too large.
 */
export function parseDuration(text: string): number | undefined {
  const { number = '', unit = '' } = durationShape.exec(text.trim())?.groups ?? {}
  if (unit === '') return number === '0' ? 0 : undefined
  const millisecondsPerUnit = millisecondsPer[unit as DurationUnit]
  if (unit === 'ms' && number.includes('.')) return undefined
  return exact(Math.round(Number(number) * millisecondsPerUnit))
}

/** The same length in the largest unit that gives a whole number, so that `parseDuration` reads it back: `90m`, `2d`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds === 0) return '0'
  for (const unit of durationUnits) {
    if (milliseconds % millisecondsPer[unit] === 0) return `${milliseconds / millisecondsPer[unit]}${unit}`
  }
  return `${milliseconds}ms`
}

/** The same size in a unit that gives a short number, so that `parseSize` reads it back: `10 GB`, `1.5 GiB`, `1234 B`. */
export function formatSize(bytes: number): string {
  if (bytes === 0) return '0'
  for (const [unit, bytesPerUnit] of sizeUnits) {
    const number = String(bytes / bytesPerUnit)
    if (bytes >= bytesPerUnit && /^\d+(\.\d{1,2})?$/.test(number)) {
      const text = `${number} ${unit}`
      if (parseSize(text) === bytes) return text
    }
  }
  return `${bytes} B`
}

const sizeUnits = [
  ['TB', 1000 ** 4],
  ['TiB', 1024 ** 4],
  ['GB', 1000 ** 3],
  ['GiB', 1024 ** 3],
  ['MB', 1000 ** 2],
  ['MiB', 1024 ** 2],
  ['KB', 1000],
  ['KiB', 1024],
] as const

const sizeShape = /^(?<number>\d+(?:\.\d+)?)\s*(?<unit>[a-z]*)$/i
const durationShape = /^(?<number>\d+(?:\.\d+)?)\s*(?<unit>ms|s|m|h|d|)$/

const bytesPer: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['b', 1],
  ['kb', 1000],
  ['mb', 1000 ** 2],
  ['gb', 1000 ** 3],
  ['tb', 1000 ** 4],
  ['kib', 1024],
  ['mib', 1024 ** 2],
  ['gib', 1024 ** 3],
  ['tib', 1024 ** 4],
])

const millisecondsPer = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 }

type DurationUnit = keyof typeof millisecondsPer

const durationUnits: readonly DurationUnit[] = ['d', 'h', 'm', 's', 'ms']

function exact(value: number): number | undefined {
  return Number.isSafeInteger(value) ? value : undefined
}
