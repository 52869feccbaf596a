import { expect, test } from 'bun:test'
import type { Sample } from './measure.ts'
import { asMarkdown, asText } from './table.ts'

const sample = (requestsPerSecond: number): Sample => ({
  requestsPerSecond,
  megabytesPerSecond: requestsPerSecond / 1000,
  p50Ms: 0.5,
  p99Ms: 12.34,
  cpu: 45.67,
})
const small = { method: 'GET', size: 1024, clients: 16 } as const
const large = { method: 'PUT', size: 256 * 1024 * 1024, clients: 1 } as const

test('a row shows medians, and the ratio with its spread', () => {
  const measured = { case: small, ours: [9000, 10000, 12000].map(sample), theirs: [18000, 10000, 48000].map(sample) }
  expect(asMarkdown([measured]).split('\n')[2]).toBe(
    '| GET 1 KiB | 16 | 10,000 | 10.0 | 0.50 | 12.3 | 45.7 /req | 18,000 | 45.7 /req | 0.50 (0.25–1.00) |',
  )
})

test('what was not measured is a dash, and large files cost per MB', () => {
  const measured = { case: large, ours: [{ ...sample(1.5), p50Ms: undefined }], theirs: [] }
  expect(asMarkdown([measured]).split('\n')[2]).toBe(
    '| PUT 256 MiB | 1 | 1.50 | 0.00 | – | 12.3 | 45.7 /MB | – | – | – |',
  )
})

test('as text, all lines are as long as the widest cells ask', () => {
  const lines = asText([
    { case: small, ours: [sample(1)], theirs: [sample(2)] },
    { case: large, ours: [sample(10000)], theirs: [] },
  ]).split('\n')
  expect(new Set(lines.map((line) => line.length)).size).toBe(1)
})
