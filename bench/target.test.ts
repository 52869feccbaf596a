import { expect, test } from 'bun:test'
import { type Target, targetInWords, verdict } from './target.ts'

const around = (median: number | undefined) =>
  median === undefined ? undefined : { median, least: median / 2, most: median * 2 }

test.each<[Target, string | undefined, string]>([
  [{ atLeast: 0.8 }, undefined, '≥ 0.8'],
  [{ atLeast: 1.5, sought: 4 }, undefined, '≥ 1.5, sought 4'],
  [{ atLeast: 1, cpuAtMost: 1.3 }, undefined, '≥ 1, CPU ≤ 1.3'],
  [{ atMost: 120 }, 'MiB', '≤ 120 MiB'],
])('the target %j is written %s %s', (target, unit, words) => {
  expect(targetInWords(target, unit)).toBe(words)
})

test.each<[Target, number | undefined, number | undefined, string | undefined]>([
  [{ atLeast: 0.8 }, 0.8, undefined, 'yes'],
  [{ atLeast: 0.8 }, 0.79, undefined, 'no'],
  [{ atLeast: 0.8 }, undefined, undefined, undefined],
  [{ atLeast: 1.5, sought: 4 }, 4, 9, 'yes'],
  [{ atLeast: 1.5, sought: 4 }, 3.9, undefined, 'yes, not what is sought'],
  [{ atLeast: 1.5, sought: 4 }, 1.4, undefined, 'no'],
  [{ atMost: 3 }, 3, undefined, 'yes'],
  [{ atMost: 3 }, 3.1, undefined, 'no'],
  [{ atLeast: 1, cpuAtMost: 1.3 }, 1.2, 1.3, 'yes'],
  [{ atLeast: 1, cpuAtMost: 1.3 }, 1.2, 1.4, 'no: CPU'],
  [{ atLeast: 1, cpuAtMost: 1.3 }, 0.9, 1.4, 'no'],
  [{ atLeast: 1, cpuAtMost: 1.3 }, 1.2, undefined, undefined],
])('%j with %p, and CPU %p, is reached: %p', (target, figure, cpu, said) => {
  expect(verdict(target, around(figure), around(cpu))).toBe(said)
})
