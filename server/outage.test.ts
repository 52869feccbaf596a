import { expect, test } from 'bun:test'
import type { Logger } from 'pino'
import { Outage } from './outage.ts'
import { Problem } from './problems.ts'

function start() {
  const lines: string[] = []
  const log = {
    warn: (_: object, text: string) => lines.push(text),
    info: (_: object, text: string) => lines.push(text),
  }
  const clock = { now: 1_000_000 }
  return { lines, clock, outage: new Outage(log as unknown as Logger, () => clock.now) }
}

const away = new Problem('storage-unavailable', 'The database cannot be reached now: nothing was changed.')

test('an outage is told once, again each minute, and once when it is over', () => {
  const { lines, clock, outage } = start()
  for (let second = 0; second < 150; second += 5) {
    expect(outage.noticed(away)).toBe(true)
    clock.now += 5_000
  }
  outage.over()
  outage.over()
  expect(lines).toEqual([
    ...Array(3).fill('Background work waits: The database cannot be reached now: nothing was changed.'),
    'Background work goes on, after 150s',
  ])
})

test('the next outage is told at once', () => {
  const { lines, outage } = start()
  outage.noticed(away)
  outage.over()
  outage.noticed(away)
  expect(lines).toHaveLength(3)
})

test('what is no outage is left to whoever logs errors', () => {
  const { lines, outage } = start()
  expect(outage.noticed(new Error('a bug'))).toBe(false)
  expect(outage.noticed(new Problem('not-found', 'gone'))).toBe(false)
  outage.over()
  expect(lines).toEqual([])
})
