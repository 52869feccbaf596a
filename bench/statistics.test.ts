import { describe, expect, test } from 'bun:test'
import { median, pairedRatio, percentile } from './statistics.ts'

test.each([
  [[3], 3],
  [[9, 1, 5], 5],
  [[4, 1, 3, 2], 2.5],
  [[10, 9, 100], 10],
  [[], Number.NaN],
])('the median of %j is %d', (values, expected) => {
  expect(median(values)).toBe(expected)
})

test.each([
  [[7], 99, 7],
  [[2, 1], 50, 1],
  [[1, 2, 3], 50, 2],
  [Array.from({ length: 200 }, (_, n) => 200 - n), 99, 198],
  [[], 50, Number.NaN],
])('percentile of %j at %d is %d', (values, percent, expected) => {
  expect(percentile(values, percent)).toBe(expected)
})

describe('a ratio', () => {
  test('is the median of the rounds, not the ratio of the medians', () => {
    expect(pairedRatio([50, 10, 90], [100, 10, 100])).toEqual({ median: 0.9, least: 0.5, most: 1 })
  })

  test('needs as many measurements on either side', () => {
    expect(() => pairedRatio([1, 2], [1])).toThrow('pairs')
    expect(() => pairedRatio([], [])).toThrow('pairs')
  })
})
