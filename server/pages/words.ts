/** Numbers and times as people say them. */

const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const

/** `1.4 MB`: decimal, three figures at most. */
export function bytes(count: number): string {
  let value = count
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  const text = unit === 0 || value >= 99.95 ? value.toFixed(0) : value.toFixed(1).replace(/\.0$/, '')
  return `${text} ${units[unit]}`
}

/** `12,345` */
export function number(count: number): string {
  return count.toLocaleString('en-GB')
}

/** `1 file`, `12,345 files` */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${number(count)} ${count === 1 ? noun : plural}`
}

const steps = [
  { unit: 'minute', milliseconds: 60_000, until: 60 },
  { unit: 'hour', milliseconds: 3_600_000, until: 24 },
  { unit: 'day', milliseconds: 86_400_000, until: 31 },
  { unit: 'month', milliseconds: 30.44 * 86_400_000, until: 12 },
  { unit: 'year', milliseconds: 365.25 * 86_400_000, until: Number.POSITIVE_INFINITY },
] as const

/** `2 hours ago`, `in 3 days`; both in milliseconds. */
export function ago(at: number, now: number): string {
  const distance = Math.abs(now - at)
  const step = steps.find(({ milliseconds, until }) => Math.round(distance / milliseconds) < until)
  if (distance < 45_000 || !step) return at <= now ? 'just now' : 'in a moment'
  const count = Math.max(1, Math.round(distance / step.milliseconds))
  const words = counted(count, step.unit)
  return at <= now ? `${words} ago` : `in ${words}`
}

/** `2 hours`: how long something lasts, in milliseconds. */
export function span(milliseconds: number): string {
  const [smallest] = steps
  if (milliseconds < smallest.milliseconds) return counted(Math.max(1, Math.round(milliseconds / 1000)), 'second')
  const step = steps.find((one) => Math.round(milliseconds / one.milliseconds) < one.until) ?? smallest
  return counted(Math.round(milliseconds / step.milliseconds), step.unit)
}

/** `2026-11-26 08:05:21 UTC` */
export function exactly(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`
}

/** The beginning and the end of something long. */
export function shortened(text: string, kept = 8): string {
  return text.length <= 2 * kept + 1 ? text : `${text.slice(0, kept)}…${text.slice(-kept)}`
}
