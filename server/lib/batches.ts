import { setImmediate } from 'node:timers/promises'

/** Rows of the largest batch: some milliseconds' work for a database. */
const largest = 2_500

/**
 * Reads rows in batches that grow, each from behind the last row of the one before. Whatever else waits has its turn in between:
 * a database may do its work on this very thread.
 */
export async function* batches<Row>(
  read: (after: Row | undefined, size: number) => Promise<Row[]>,
  first = largest,
): AsyncGenerator<Row[]> {
  let size = Math.min(first, largest)
  for (let after: Row | undefined; ; ) {
    const rows = await read(after, size)
    yield rows
    if (rows.length < size) return
    after = rows.at(-1)
    size = Math.min(size * 4, largest)
    await setImmediate()
  }
}

/** The rows of a page among those that match, which are read in their order until the page is full. */
export async function pageOfMatches<Row extends { matches: number }>(
  read: (after: Row | undefined, size: number) => Promise<Row[]>,
  { offset, limit }: { offset: number; limit: number },
): Promise<Row[]> {
  const found: Row[] = []
  let passed = 0
  for await (const rows of batches(read, offset + limit)) {
    for (const row of rows) {
      if (row.matches === 0) continue
      if (passed < offset) passed += 1
      else if (found.push(row) === limit) return found
    }
  }
  return found
}

/** All that match, as long as what they weigh together is not more than `most`; else undefined. */
export async function fewMatches<Row extends { matches: number }>(
  read: (after: Row | undefined, size: number) => Promise<Row[]>,
  weigh: (row: Row) => number,
  most: number,
  first?: number,
): Promise<{ rows: Row[]; weight: number } | undefined> {
  const found: Row[] = []
  let weight = 0
  for await (const rows of batches(read, first)) {
    for (const row of rows) {
      if (row.matches === 0) continue
      found.push(row)
      weight += weigh(row)
      if (weight > most) return undefined
    }
  }
  return { rows: found, weight }
}
