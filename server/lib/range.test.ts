import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { contentRange, parseRange, unsatisfiedContentRange } from './range.ts'

const huge = '9'.repeat(400)

/** Against a file of ten bytes, each span as `start-end` with the end left out. */
function asked(header: string | null | undefined, size = 10): string {
  const range = parseRange(header, size)
  return range.kind === 'spans' ? range.spans.map(({ start, end }) => `${start}-${end}`).join(' ') : range.kind
}

describe('a range', () => {
  test.each([
    ['bytes=0-0', '0-1'],
    ['bytes=0-9', '0-10'],
    ['bytes=2-4', '2-5'],
    ['bytes=5-', '5-10'],
    ['bytes=5-99', '5-10'],
    ['bytes=-3', '7-10'],
    ['bytes=-99', '0-10'],
    ['bytes=009-0009', '9-10'],
    ['BYTES=0-1', '0-2'],
    ['bytes=0-1,3-4', '0-2 3-5'],
    ['bytes= 0-1 ,\t3-4 ', '0-2 3-5'],
    ['bytes=,0-1,,3-4,', '0-2 3-5'],
    ['bytes=8-9,0-1', '8-10 0-2'],
    ['bytes=0-2,1-3', '0-3 1-4'],
    ['bytes=0-1,20-30,-2', '0-2 8-10'],
    ['bytes=0-1,-0', '0-2'],
    [`bytes=0-${huge}`, '0-10'],
    [`bytes=-${huge}`, '0-10'],
    ['bytes=0-9007199254740993', '0-10'],
    [`bytes=${Array.from({ length: 10 }, (_, at) => `${at}-${at}`)}`, '0-1 1-2 2-3 3-4 4-5 5-6 6-7 7-8 8-9 9-10'],
  ])('%s is honoured', (header, spans) => {
    expect(asked(header)).toBe(spans)
  })

  test.each([
    'bytes=10-',
    'bytes=10-20',
    'bytes=-0',
    'bytes=-00',
    'bytes=10-11,-0,99-',
    `bytes=${huge}-`,
    `bytes=${huge}-${huge}`,
    'bytes=9007199254740992-9007199254740993',
  ])('%s is not in the file', (header) => {
    expect(asked(header)).toBe('unsatisfiable')
  })

  test.each([
    null,
    undefined,
    '',
    'bytes',
    'bytes=',
    'bytes=,',
    'bytes= , ,',
    'bytes 0-1',
    'bytes =0-1',
    ' bytes=0-1',
    'bytes=-',
    'bytes=a-b',
    'bytes=1',
    'bytes=0 -1',
    'bytes=--1',
    'bytes=0-1-2',
    'bytes=+0-1',
    'bytes=0x0-0x1',
    'bytes=1.0-2',
    'bytes=١-٢',
    'bytes=4-2',
    'bytes=40-20',
    'bytes=0-1,4-2',
    'bytes=0-1,x',
    'bytes=0-1;2-3',
    'bytes=0-1, bytes=2-3',
    'bytes=0-1\u00a0',
    'items=0-1',
    'xbytes=0-1',
    'none',
  ])('%p is as good as no header', (header) => {
    expect(asked(header)).toBe('whole')
  })

  test.each(['bytes=0-5,0-5', 'bytes=0-,0-0', 'bytes=-10,-1'])(
    '%s is more than the file, so the file is sent',
    (header) => {
      expect(asked(header)).toBe('whole')
    },
  )

  test('sixteen are honoured, seventeen are not, wherever they lie', () => {
    const ranges = Array.from({ length: 17 }, (_, at) => `${2 * at}-${2 * at}`)
    expect(parseRange(`bytes=${ranges.slice(0, 16)}`, 100)).toMatchObject({ kind: 'spans', spans: { length: 16 } })
    expect(asked(`bytes=${ranges}`, 100)).toBe('whole')
    expect(asked(`bytes=${ranges}`, 1)).toBe('whole')
  })

  test.each(['bytes=0-', 'bytes=0-0', 'bytes=-1', 'bytes=-0', 'bytes=5-9'])(
    '%s of an empty file is ignored',
    (header) => {
      expect(asked(header, 0)).toBe('whole')
    },
  )

  test('the largest file is counted exactly', () => {
    expect(parseRange('bytes=-1', Number.MAX_SAFE_INTEGER)).toEqual({
      kind: 'spans',
      spans: [{ start: Number.MAX_SAFE_INTEGER - 1, end: Number.MAX_SAFE_INTEGER }],
    })
  })

  test.each([
    ['commas', ','.repeat(2_000_000)],
    ['digits', '1'.repeat(2_000_000)],
    ['blanks', `0-1${' '.repeat(2_000_000)}x`],
    ['ranges', '0-0,'.repeat(500_000)],
    ['digits and blanks', `${'1'.repeat(1_000_000)}${' '.repeat(1_000_000)}-`],
  ])('absurdly many %s are read in no time', (_, text) => {
    const started = performance.now()
    expect(asked(`bytes=${text}`)).toBe('whole')
    expect(performance.now() - started).toBeLessThan(2000)
  })

  const position = fc.oneof(fc.nat(30), fc.maxSafeNat()).map(String)
  const spec = fc.oneof(
    fc.tuple(position, position).map(([first, last]) => `${first}-${last}`),
    position.map((first) => `${first}-`),
    position.map((last) => `-${last}`),
    fc.string({ maxLength: 4 }),
  )
  const header = fc.array(spec, { maxLength: 20 }).map((specs) => `bytes=${specs.join(',')}`)

  test('whatever is asked, what is sent lies in the file and is no larger', () => {
    fc.assert(
      fc.property(fc.oneof(header, fc.string()), fc.nat(30), (text, size) => {
        const range = parseRange(text, size)
        if (range.kind !== 'spans') return
        expect(range.spans).not.toBeEmpty()
        expect(range.spans.length).toBeLessThanOrEqual(16)
        for (const { start, end } of range.spans) expect(0 <= start && start < end && end <= size).toBeTrue()
        expect(range.spans.reduce((sum, { start, end }) => sum + end - start, 0)).toBeLessThanOrEqual(size)
      }),
    )
  })

  test('a span that is written down is read back', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.nat(), (start, more, rest) => {
        const span = { start, end: start + more + 1 }
        const [, written] = contentRange(span, span.end + rest).split(/[ /]/)
        expect(parseRange(`bytes=${written}`, span.end + rest)).toEqual({ kind: 'spans', spans: [span] })
      }),
    )
  })
})

test('Content-Range has the last byte, not the end', () => {
  expect(contentRange({ start: 0, end: 5 }, 10)).toBe('bytes 0-4/10')
  expect(contentRange({ start: 9, end: 10 }, 10)).toBe('bytes 9-9/10')
  expect(unsatisfiedContentRange(10)).toBe('bytes */10')
})
