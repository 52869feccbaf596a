import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { versionOrder } from './version-order.ts'

const sorted = (versions: readonly string[]) =>
  [...versions].sort((a, b) => (versionOrder(a) < versionOrder(b) ? -1 : versionOrder(a) > versionOrder(b) ? 1 : 0))

describe('versions in their order', () => {
  test.each([
    ['numbers by their value', ['1.2', '1.9', '1.10', '1.100', '2', '10']],
    ['pre-releases before their release', ['1.0.0-alpha', '1.0.0-alpha.1', '1.0.0-beta', '1.0.0-rc.1', '1.0.0']],
    ['as Debian marks them', ['1.0~rc1', '1.0~rc2', '1.0', '1.0.1']],
    ['a build after what it is a build of', ['1.0.0', '1.0.0+20260101', '1.0.1']],
    ['numbers longer than any integer', ['9'.repeat(20), `1${'0'.repeat(20)}`]],
    ['dates', ['2025-12-31', '2026-1-2', '2026-01-10']],
    ['words', ['alpha', 'beta', 'latest']],
  ])('%s', (_, versions) => {
    expect(sorted(versions.toReversed())).toEqual(versions)
  })

  test('a leading v and leading zeros change nothing', () => {
    expect(versionOrder('v1.02')).toBe(versionOrder('1.2'))
    expect(versionOrder('0')).toBe(versionOrder('000'))
  })
})

test('two numbers sort as numbers, wherever they stand', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 30n }), fc.bigInt({ min: 0n, max: 10n ** 30n }), (a, b) => {
      expect(versionOrder(`1.${a}.x`) < versionOrder(`1.${b}.x`)).toBe(a < b)
    }),
  )
})
