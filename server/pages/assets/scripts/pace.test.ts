import { expect, test } from 'bun:test'
import { duration, Pace, pauseBefore } from './pace.ts'

test('a speed is that of the last seconds, and unknown before there are any', () => {
  const pace = new Pace()
  expect(pace.speed(0)).toBeUndefined()
  for (let at = 0; at <= 10_000; at += 500) pace.note(at, at < 4_000 ? 1_000_000 : 500)
  expect(pace.speed(10_000)).toBe(1_000)
  expect(pace.speed(17_000)).toBeUndefined()
  const steady = new Pace()
  for (let at = 0; at <= 4_000; at += 500) steady.note(at, 1_000)
  expect(steady.speed(4_000)).toBe(2_000)
  // Nothing comes any more: it slows down.
  expect(steady.speed(6_000)).toBeLessThan(1_400)
})

test.each([
  [200, '1 second'],
  [8_400, '8 seconds'],
  [31_000, '35 seconds'],
  [90_000, '2 minutes'],
  [3_600_000, '1 hour'],
  [72 * 3_600_000, '3 days'],
])('%d ms are %s', (milliseconds, text) => {
  expect(duration(milliseconds)).toBe(text)
})

test.each([
  [1, undefined, 1_000],
  [3, undefined, 4_000],
  [8, undefined, 30_000],
  [1, 5_000, 5_000],
  [5, 2_000, 16_000],
  [1, 3_600_000, 120_000],
])('after %d tries, asked for %p ms, it waits %d ms', (tries, asked, expected) => {
  expect(pauseBefore(tries, asked)).toBe(expected)
})
