import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { limitFrom, limitText } from './limits.ts'

const site = { of: 'bytes', isOwn: false } as const
const own = { of: 'bytes', isOwn: true } as const
const versions = { of: 'versions', isOwn: false } as const

test.each([
  ['', site, null],
  ['  ', own, null],
  ['10 GB', site, 10_000_000_000],
  ['1.5gib', own, 1_610_612_736],
  ['0', site, 0],
  ['unlimited', site, null],
  ['Unlimited', own, -1],
  ['1,000', versions, 1000],
  ['12 345 678', versions, 12_345_678],
])('a limit typed as %p is read', (text, kind, limit) => {
  expect(limitFrom(text, kind)).toEqual({ limit })
})

test.each([
  ['10 apples', site],
  ['-1', site],
  ['10G', own],
  ['1.5', versions],
  ['1,00', versions],
  ['10 GB', versions],
  ['99999999999999999999', versions],
])('a limit typed as %p is told to be none', (text, kind) => {
  expect(limitFrom(text, kind)).toEqual({ fault: expect.stringContaining('leave it empty') })
})

test('a limit that is shown is read back as the same', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.maxSafeNat(),
        fc.constant(-1),
        fc.constant(null),
        fc.nat(5000).map((n) => n * 1024 ** 3),
      ),
      fc.constantFrom('bytes' as const, 'versions' as const),
      (limit, of) => {
        expect(limitFrom(limitText(limit, of), { of, isOwn: true })).toEqual({ limit })
      },
    ),
  )
})
