import { describe, expect, test } from 'bun:test'
import type { Catalogue } from '../catalogue/transaction.ts'
import type { PastEvent } from './audit.ts'
import { SignIns } from './sign-ins.ts'

const minute = 60_000

/** What is written, and whether the database is there. */
function world() {
  const written: PastEvent[] = []
  const state = { now: 1_000_000, isAway: false, transactions: 0 }
  const catalogue = {
    transact: async (_: unknown, { events }: { events: PastEvent[] }) => {
      if (state.isAway) throw new Error('away')
      state.transactions += 1
      written.push(...events)
    },
  }
  const signIns = new SignIns({ catalogue: catalogue as unknown as Catalogue, now: () => state.now })
  return { signIns, written, state }
}

const timesIn = (events: PastEvent[]) => events.reduce((sum, { event }) => sum + Number(event.details?.times ?? 1), 0)

describe('failed sign-ins', () => {
  test('of thousands of networks are bounded, and none is left out of the count', async () => {
    const { signIns, written, state } = world()
    for (let network = 0; network < 5_000; network += 1) {
      for (let guess = 0; guess < 3; guess += 1) {
        signIns.failed('unknown-account', `10.${network >> 8}.${network & 255}.1`, undefined)
      }
    }
    await signIns.flush()
    expect(written).toHaveLength(500)
    state.now += minute
    await signIns.flush()
    // A row for each network of which there is room to know, and one for all the others.
    expect(written.length).toBeLessThan(500 + 2_002)
    expect(timesIn(written)).toBe(15_000)
  })

  test('at thousands of accounts of one network are counted for some, and for the others together', async () => {
    const { signIns, written } = world()
    for (let id = 1; id <= 1_000; id += 1) signIns.failed('wrong-password', '192.0.2.1', { id, name: `user-${id}` })
    await signIns.flush(true)
    expect(written.length).toBeLessThan(10 + 22)
    expect(timesIn(written)).toBe(1_000)
  })

  test('keep nothing of an account but who it is', async () => {
    const { signIns, written } = world()
    const row = { id: 1, name: 'ada', password_hash: 'hash' }
    for (let guess = 0; guess < 20; guess += 1) signIns.failed('wrong-password', '192.0.2.1', row)
    await signIns.flush(true)
    expect(JSON.stringify(written)).not.toContain('hash')
  })

  test('wait while the database is away, not without end', async () => {
    const { signIns, written, state } = world()
    state.isAway = true
    for (let turn = 0; turn < 40; turn += 1) {
      state.now += minute
      for (let guess = 0; guess < 600; guess += 1) signIns.failed('malformed', `10.0.${guess % 256}.${turn}`)
    }
    await expect(signIns.flush()).rejects.toThrow('away')
    await expect(signIns.flush()).rejects.toThrow('away')
    state.isAway = false
    await signIns.flush(true)
    expect(written.length).toBeGreaterThan(9_000)
    expect(written.length).toBeLessThanOrEqual(10_000)
    expect(state.transactions).toBeGreaterThan(10)
  })
})

test('who looks while something is being written sees it when it is', async () => {
  const { signIns, written } = world()
  signIns.failed('malformed', '192.0.2.1')
  const first = signIns.flush()
  signIns.failed('malformed', '192.0.2.1')
  await signIns.flush()
  expect(written).toHaveLength(2)
  await first
})
