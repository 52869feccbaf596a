import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { formatDuration, formatSize, parseDuration, parseSize } from './sizes.ts'

describe('a size', () => {
  test.each<[string, number]>([
    ['0', 0],
    ['123', 123],
    ['123B', 123],
    ['123 b', 123],
    ['1KB', 1000],
    ['1kb', 1000],
    ['1 KiB', 1024],
    ['10GiB', 10 * 1024 ** 3],
    ['500 MB', 500_000_000],
    ['1.5 GB', 1_500_000_000],
    ['1.5GIB', 1_610_612_736],
    ['2 tb', 2e12],
    ['1TiB', 1024 ** 4],
    ['  7 MiB\t', 7 * 1024 ** 2],
    ['007', 7],
    ['1.005 KB', 1005],
    ['0.29 KB', 290],
    ['0.1 KiB', 102],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
    ['8191 TiB', 8191 * 1024 ** 4],
  ])('%p is %d bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes)
  })

  test.each([
    '',
    ' ',
    'B',
    'GB',
    '-1',
    '-1 GB',
    '+1',
    'NaN',
    'Infinity',
    '1e3',
    '0x10',
    '1,5 GB',
    '1_000',
    '1 000',
    '.5 GB',
    '1. GB',
    '1.2.3 GB',
    '1.5',
    '1.5 B',
    '10K',
    '10 M',
    '10G',
    '10T',
    '10 Gi',
    '10 Gb/s',
    '1 PB',
    '1 bytes',
    '10 GB GB',
    '9007199254740992',
    '8192 TiB',
    '9'.repeat(400),
    '１ GB',
    '10 \u212aB',
  ])('%p is none', (text) => {
    expect(parseSize(text)).toBeUndefined()
  })

  test('in whole units is read exactly', () => {
    const powers: Record<string, number> = {
      B: 1,
      KB: 1e3,
      MB: 1e6,
      GB: 1e9,
      KiB: 1024,
      MiB: 1024 ** 2,
      GiB: 1024 ** 3,
    }
    fc.assert(
      fc.property(fc.nat(1_000_000), fc.constantFrom(...Object.entries(powers)), (count, [unit, power]) => {
        expect(parseSize(`${count}${unit}`)).toBe(count * power)
        expect(parseSize(`${count} ${unit.toLowerCase()}`)).toBe(count * power)
      }),
    )
  })

  test('is a whole number that is not negative, or nothing', () => {
    const likely = fc.stringMatching(/^[0-9]{1,20}(\.[0-9]{1,20})? ?[KMGTkmgt]?[iI]?[bB]?$/)
    fc.assert(
      fc.property(fc.oneof(fc.string(), likely), (text) => {
        const size = parseSize(text)
        if (size !== undefined) expect(Number.isSafeInteger(size) && size >= 0).toBeTrue()
      }),
    )
  })
})

describe('a length of time', () => {
  test.each<[string, number]>([
    ['0', 0],
    ['0s', 0],
    ['500ms', 500],
    ['30s', 30_000],
    ['15m', 900_000],
    ['1h', 3_600_000],
    ['2d', 172_800_000],
    ['1.5h', 5_400_000],
    ['0.5s', 500],
    [' 10 s ', 10_000],
  ])('%p is %d milliseconds', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds)
  })

  test.each([
    '',
    's',
    '5',
    '00',
    '0.0',
    '-1s',
    '+1s',
    '1.5ms',
    '1H',
    '1M',
    '1 min',
    '1w',
    '1y',
    '1h30m',
    '1:30',
    'PT1H',
    '1e3s',
    'Infinity',
    `${'9'.repeat(20)}d`,
  ])('%p is none', (text) => {
    expect(parseDuration(text)).toBeUndefined()
  })

  test.each<[number, string]>([
    [0, '0'],
    [1, '1ms'],
    [1500, '1500ms'],
    [30_000, '30s'],
    [90_000, '90s'],
    [5_400_000, '90m'],
    [3_600_000, '1h'],
    [86_400_000, '1d'],
    [129_600_000, '36h'],
  ])('%d milliseconds are shown as %p', (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text)
  })

  test('that is shown is read back exactly', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.maxSafeNat(),
          fc.nat(1000).map((count) => count * 60_000),
        ),
        (milliseconds) => {
          expect(parseDuration(formatDuration(milliseconds))).toBe(milliseconds)
        },
      ),
    )
  })

  test('is a whole number that is not negative, or nothing', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9]{1,20}(\.[0-9]{1,5})? ?(ms|[smhd])?$/)), (text) => {
        const length = parseDuration(text)
        if (length !== undefined) expect(Number.isSafeInteger(length) && length >= 0).toBeTrue()
      }),
    )
  })
})

describe('a size that is shown', () => {
  test.each([
    [0, '0'],
    [1, '1 B'],
    [1234, '1234 B'],
    [1000, '1 KB'],
    [1024, '1 KiB'],
    [10e9, '10 GB'],
    [10 * 1024 ** 3, '10 GiB'],
    [1.5 * 1024 ** 3, '1.5 GiB'],
    [2_500_000, '2.5 MB'],
  ])('%p is %p', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text)
  })

  test('is read back as it was', () => {
    const size = fc.oneof(
      fc.maxSafeNat(),
      fc
        .tuple(fc.nat(9999), fc.constantFrom(10, 1000, 1024, 1e6, 1024 ** 2, 1e9, 1024 ** 3, 1e10))
        .map(([a, b]) => a * b),
    )
    fc.assert(fc.property(size, (bytes) => expect(parseSize(formatSize(bytes))).toBe(bytes)))
  })
})

test('absurdly long text is refused in no time', () => {
  const started = performance.now()
  for (const text of [`1${' '.repeat(1_000_000)}!`, '1'.repeat(1_000_000), `1${'b'.repeat(1_000_000)}`]) {
    expect(parseSize(text)).toBeUndefined()
    expect(parseDuration(text)).toBeUndefined()
  }
  expect(performance.now() - started).toBeLessThan(2000)
})
