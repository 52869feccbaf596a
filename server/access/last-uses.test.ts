import { expect, test } from 'bun:test'
import type { Use, Used } from '../catalogue/last-uses.ts'
import type { Catalogue } from '../catalogue/transaction.ts'
import { LastUses } from './last-uses.ts'

interface Written {
  used: Used
  uses: readonly Use[]
}

/** Uses whose transactions are written down, or fail. */
function start({ capacity = 1_000 } = {}) {
  const written: Written[] = []
  const clock = { now: 1_000 }
  const database = { isGone: false }
  const transact = async (_: unknown, args: Written) => {
    if (database.isGone) throw new Error('gone')
    written.push(args)
  }
  const catalogue = { transact } as unknown as Catalogue
  return { lastUses: new LastUses({ catalogue, now: () => clock.now }, capacity), written, clock, database }
}

test('ten thousand uses of one token are one row, with the time of the last', async () => {
  const { lastUses, written, clock } = start()
  for (let use = 0; use < 10_000; use++) {
    clock.now += 1
    lastUses.note('tokens', 7)
  }
  await lastUses.flush()
  expect(written).toEqual([{ used: 'tokens', uses: [{ id: 7, at: 11_000 }] }])
})

test('what was written is not written again', async () => {
  const { lastUses, written } = start()
  await lastUses.flush()
  lastUses.note('tokens', 7)
  lastUses.note('sessions', 7)
  await lastUses.flush()
  await lastUses.flush()
  expect(written.map(({ used }) => used)).toEqual(['tokens', 'sessions'])
})

test('many go in batches, by their ids', async () => {
  const { lastUses, written } = start({ capacity: 2_000 })
  for (let id = 1_200; id > 0; id--) lastUses.note('tokens', id)
  await lastUses.flush()
  expect(written.map(({ uses }) => uses.length)).toEqual([500, 500, 200])
  const ids = written.flatMap(({ uses }) => uses.map(({ id }) => id))
  expect(ids).toEqual(Array.from({ length: 1_200 }, (_, index) => index + 1))
})

test('no more are noted than there is room for', async () => {
  const { lastUses, written } = start({ capacity: 3 })
  for (const id of [1, 2, 3, 4, 5]) lastUses.note('sessions', id)
  await lastUses.flush()
  expect(written.flatMap(({ uses }) => uses.map(({ id }) => id))).toEqual([3, 4, 5])
})

test('what could not be written is kept, unless it was used since', async () => {
  const { lastUses, written, clock, database } = start()
  database.isGone = true
  lastUses.note('tokens', 1)
  lastUses.note('tokens', 2)
  const flushed = lastUses.flush()
  clock.now = 2_000
  lastUses.note('tokens', 2)
  await expect(flushed).rejects.toThrow('gone')
  database.isGone = false
  await lastUses.flush()
  expect(written).toEqual([
    {
      used: 'tokens',
      uses: [
        { id: 1, at: 1_000 },
        { id: 2, at: 2_000 },
      ],
    },
  ])
})
