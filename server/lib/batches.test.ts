import { describe, expect, test } from 'bun:test'
import { batches, fewMatches, pageOfMatches } from './batches.ts'

interface Row {
  id: number
  matches: number
}

/** Rows from 1 on, of which every third matches, and how many each batch asked for. */
function rows(count: number) {
  const asked: number[] = []
  const read = async (after: Row | undefined, size: number): Promise<Row[]> => {
    asked.push(size)
    const from = (after?.id ?? 0) + 1
    return Array.from({ length: Math.max(0, Math.min(size, count + 1 - from)) }, (_, index) => ({
      id: from + index,
      matches: (from + index) % 3 === 0 ? 1 : 0,
    }))
  }
  return { read, asked }
}

describe('batches', () => {
  test('hold every row once, and grow', async () => {
    const { read, asked } = rows(10_000)
    const found: number[] = []
    for await (const batch of batches(read, 100)) found.push(...batch.map(({ id }) => id))
    expect(found).toEqual(Array.from({ length: 10_000 }, (_, index) => index + 1))
    expect(asked).toEqual([100, 400, 1_600, 2_500, 2_500, 2_500, 2_500])
  })

  test('leave others their turn', async () => {
    const { read } = rows(10_000)
    let turns = 0
    const timer = setInterval(() => {
      turns += 1
    })
    const other = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      turns += 1
    })
    for await (const _ of batches(read, 100));
    clearInterval(timer)
    await other
    expect(turns).toBeGreaterThan(0)
  })
})

test.each([
  [0, 2, [3, 6]],
  [2, 2, [9, 12]],
  [3_331, 2, [9_996, 9_999]],
  [3_332, 2, [9_999]],
  [4_000, 2, []],
])('behind %d, %d of those that match', async (offset, limit, wanted) => {
  const found = await pageOfMatches(rows(10_000).read, { offset, limit })
  expect(found.map(({ id }) => id)).toEqual(wanted)
})

test('a page that is full early reads no more than it needs', async () => {
  const { read, asked } = rows(10_000)
  await pageOfMatches(read, { offset: 0, limit: 30 })
  expect(asked).toEqual([30, 120])
})

test('few are all told, many are not', async () => {
  const weigh = () => 2
  expect(await fewMatches(rows(9).read, weigh, 6)).toMatchObject({ rows: [{ id: 3 }, { id: 6 }, { id: 9 }], weight: 6 })
  expect(await fewMatches(rows(9).read, weigh, 5)).toBeUndefined()
  expect(await fewMatches(rows(0).read, weigh, 0)).toEqual({ rows: [], weight: 0 })
  const { read, asked } = rows(100_000)
  expect(await fewMatches(read, weigh, 10)).toBeUndefined()
  expect(asked).toHaveLength(1)
})
