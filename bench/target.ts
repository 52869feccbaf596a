import type { Spread } from './statistics.ts'

/** What a row must reach: the ratio to its reference, or its own value where it has none. */
export interface Target {
  readonly atLeast?: number
  readonly sought?: number
  readonly atMost?: number
  /** CPU time at most, as a ratio to the reference's. */
  readonly cpuAtMost?: number
}

export function targetInWords({ atLeast, sought, atMost, cpuAtMost }: Target, unit = ''): string {
  const parts = [
    atLeast === undefined ? '' : `≥ ${atLeast}`,
    sought === undefined ? '' : `sought ${sought}`,
    atMost === undefined ? '' : `≤ ${atMost}${unit && ` ${unit}`}`,
    cpuAtMost === undefined ? '' : `CPU ≤ ${cpuAtMost}`,
  ]
  return parts.filter(Boolean).join(', ')
}

/** Whether it is reached: `yes`, `no`, or what of it is not; undefined where something was not measured. */
export function verdict(target: Target, figure: Spread | undefined, cpu: Spread | undefined): string | undefined {
  const { atLeast = -Infinity, sought = -Infinity, atMost = Infinity, cpuAtMost } = target
  if (!figure || (cpuAtMost !== undefined && !cpu)) return undefined
  if (figure.median < atLeast || figure.median > atMost) return 'no'
  if (cpu && cpu.median > (cpuAtMost ?? Infinity)) return 'no: CPU'
  return figure.median < sought ? 'yes, not what is sought' : 'yes'
}
