import { expect, test } from 'bun:test'
import type { Measured, Row, Sample } from './row.ts'
import { asMarkdown, asText } from './table.ts'

const row = (rest: Partial<Row>): Row => ({
  name: 'GET 1 KiB',
  against: 'nginx',
  unit: 'req/s',
  cpuPer: 'req',
  target: { atLeast: 0.5 },
  diskSpace: () => 0,
  measure: async () => ({ ours: [], theirs: [] }),
  ...rest,
})
const sample = (value: number, cpu?: number): Sample => ({ value, cpu })

test.each<[string, Measured, string]>([
  [
    'medians, and ratios with their spread',
    {
      row: row({}),
      ours: [sample(9000, 40), sample(10000, 60), sample(12000, 50)],
      theirs: [sample(18000, 20), sample(10000, 20), sample(48000, 20)],
    },
    '| GET 1 KiB | nginx | req/s | 10,000 | 18,000 | 0.50 (0.25–1.00) | ≥ 0.5 | yes | 50.0 /req | 20.0 /req | 2.50 (2.00–3.00) |',
  ],
  [
    'without a range what was measured once',
    { row: row({ cpuPer: 'MB', target: { atLeast: 1 } }), ours: [sample(1.5, 45.67)], theirs: [sample(3, 45.67)] },
    '| GET 1 KiB | nginx | req/s | 1.50 | 3.00 | 0.50 | ≥ 1 | no | 45.7 /MB | 45.7 /MB | 1.00 |',
  ],
  [
    'a dash for what there was nothing to compare with',
    { row: row({}), ours: [sample(1.5, 45.67)], theirs: [] },
    '| GET 1 KiB | nginx | req/s | 1.50 | – | – | ≥ 0.5 | – | 45.7 /req | – | – |',
  ],
  [
    'the spread of a value that is judged by itself',
    {
      row: row({ name: 'memory', against: undefined, unit: 'MiB', target: { atMost: 120 } }),
      ours: [sample(118), sample(90), sample(130)],
      theirs: [],
    },
    '| memory | – | MiB | 118 (90.0–130) | – | – | ≤ 120 MiB | yes | – | – | – |',
  ],
  [
    'no CPU time that was not measured in every round',
    { row: row({}), ours: [sample(1), sample(1, 2)], theirs: [sample(1, 2), sample(1, 2)] },
    '| GET 1 KiB | nginx | req/s | 1.00 | 1.00 | 1.00 | ≥ 0.5 | yes | – | 2.00 /req | – |',
  ],
])('a row shows %s', (_, measured, line) => {
  expect(asMarkdown([measured]).split('\n')[2]).toBe(line)
})

test('as text, all lines are as long as the widest cells ask', () => {
  const lines = asText([
    { row: row({}), ours: [sample(1)], theirs: [sample(2)] },
    { row: row({ name: 'PUT' }), ours: [sample(10000)], theirs: [] },
  ]).split('\n')
  expect(new Set(lines.map((line) => line.length)).size).toBe(1)
})
