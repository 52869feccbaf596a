import type { Load } from './closed-loop.ts'
import { Failure } from './failure.ts'

/** `bytes` are all that came out of the sockets, with headers and transfers that the end cut off, in three digits. */
export interface WrkResult extends Load {
  /** wrk's own words for what went wrong, e.g. `Non-2xx or 3xx responses: 12`. */
  readonly complaints: readonly string[]
}

// wrk counts bytes in powers of 1024 and writes them as KB, MB, GB.
const bytesPerUnit: Record<string, number> = { B: 1, KB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30, TB: 2 ** 40 }
const secondsPerUnit: Record<string, number> = { us: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600 }

export function parseWrkOutput(text: string): WrkResult {
  const total = /^\s*(\d+) requests in ([\d.]+)(us|ms|s|m|h), ([\d.]+)([KMGT]?B) read$/m.exec(text)
  if (!total) throw new Failure(`wrk said something unexpected:\n${text.trim()}`)
  const [, requests, time, timeUnit = '', amount, amountUnit = ''] = total
  return {
    requests: Number(requests),
    seconds: Number(time) * (secondsPerUnit[timeUnit] ?? Number.NaN),
    bytes: Number(amount) * (bytesPerUnit[amountUnit] ?? Number.NaN),
    p50Ms: Number(requests) > 0 ? latencyMs(text, 50) : undefined,
    p99Ms: Number(requests) > 0 ? latencyMs(text, 99) : undefined,
    complaints: text.match(/(Socket errors|Non-2xx or 3xx responses): .*/g) ?? [],
  }
}

function latencyMs(text: string, percent: number): number | undefined {
  const [, value, unit = ''] = new RegExp(`^\\s*${percent}%\\s+([\\d.]+)(us|ms|s|m|h)$`, 'm').exec(text) ?? []
  return value === undefined ? undefined : Number(value) * (secondsPerUnit[unit] ?? Number.NaN) * 1000
}
