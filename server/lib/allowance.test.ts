import { describe, expect, test } from 'bun:test'
import { Allowance } from './allowance.ts'

describe('an allowance', () => {
  test('is used up, and is there again after its time', () => {
    let now = 1_000
    const allowance = new Allowance({ times: 2, within: 60_000, now: () => now })
    expect([allowance.take('a'), allowance.take('a')]).toEqual([undefined, undefined])
    now += 20_500
    expect(allowance.take('a')).toEqual({ wait: 40 })
    now += 39_499
    expect(allowance.take('a')).toEqual({ wait: 1 })
    now += 1
    expect([allowance.take('a'), allowance.take('a')]).toEqual([undefined, undefined])
    expect(allowance.take('a')).toEqual({ wait: 60 })
  })

  test('is everybody’s own', () => {
    const allowance = new Allowance({ times: 1, within: 60_000, now: () => 0 })
    expect(allowance.take('a')).toBeUndefined()
    expect(allowance.take('b')).toBeUndefined()
    expect(allowance.take('a')).toEqual({ wait: 60 })
  })

  test('forgets the oldest where too many are counted', () => {
    const allowance = new Allowance({ times: 1, within: 60_000, now: () => 0 })
    for (let index = 0; index <= 20_000; index++) expect(allowance.take(`${index}`)).toBeUndefined()
    expect(allowance.take('0')).toBeUndefined()
    expect(allowance.take('20000')).toEqual({ wait: 60 })
  })
})
