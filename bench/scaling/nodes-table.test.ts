import { expect, test } from 'bun:test'
import type { NodeSample } from './node-loads.ts'
import { nodesCells, nodesColumns } from './nodes-table.ts'

const sample = (requestsPerSecond: number, nodes: number | undefined): NodeSample => ({
  requestsPerSecond,
  p99Ms: 2,
  cpu: { nodes, PostgreSQL: 20, S3: 0, nginx: undefined },
})

test('a row has the medians of its rounds, with the least and the most of the rate', () => {
  const samples = [sample(300, 30), sample(100, 10), sample(200, 20)]
  const cells = nodesCells({ load: 'GET', way: { nodes: 1, nginx: false }, samples })
  expect(cells).toEqual(['GET', '1, without nginx', '200 (100–300)', '2.00', '20.0', '20.0', '0.00', '–'])
  expect(cells).toHaveLength(nodesColumns.length)
})

test('what was not measured in every round is not told', () => {
  const samples = [sample(300, 30), sample(100, undefined)]
  expect(nodesCells({ load: 'GET', way: { nodes: 2, nginx: true }, samples })[4]).toBe('–')
})
