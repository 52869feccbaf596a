import { expect, test } from 'bun:test'
import { isWorthRecording, type LastSweeps, type SweepRecord } from './last-sweep.ts'

const nothing = { blobs: 0, bytes: 0 }
const idle = (at: number, error: string | null = null): SweepRecord => ({
  at,
  took: 1,
  doomed: nothing,
  leftover: nothing,
  error,
})
const busy = (at: number, what: 'doomed' | 'leftover'): SweepRecord => ({ ...idle(at), [what]: { blobs: 1, bytes: 0 } })
const after = (last: SweepRecord, asks = 0): LastSweeps => ({ last, freed: null, asks })

const cases: [what: string, next: SweepRecord, asks: number, before: LastSweeps | undefined, isWorth: boolean][] = [
  ['the first', idle(0), 0, undefined, true],
  ['one that found nothing, a second later', idle(1_000), 0, after(idle(0)), false],
  ['one that found nothing, a minute later', idle(60_000), 0, after(idle(0)), true],
  ['one whose clock was set back', idle(0), 0, after(idle(3_600_000)), true],
  ['one that removed what was deleted', busy(1, 'doomed'), 0, after(idle(0)), true],
  ['one that removed leftovers', busy(1, 'leftover'), 0, after(idle(0)), true],
  ['one that was asked for', idle(1), 3, after(idle(0), 2), true],
  ['the next after it', idle(2), 3, after(idle(1), 3), false],
  ['one that fails', idle(1, 'away'), 0, after(idle(0)), true],
  ['one that fails again', idle(2, 'away'), 0, after(idle(1, 'away')), false],
  ['one that fails in another way', idle(2, 'full'), 0, after(idle(1, 'away')), true],
  ['one that fails no more', idle(3), 0, after(idle(2, 'full')), true],
]

test.each(cases)('%s', (_, next, asks, before, isWorth) => {
  expect(isWorthRecording(next, asks, before)).toBe(isWorth)
})
