import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { evaluate, rangeApplies } from './conditional.ts'
import { formatHttpDate } from './http-date.ts'

const etag = '"abc"'
const lastModified = new Date('2026-01-01T12:00:00Z')
const before = 'Thu, 01 Jan 2026 11:59:59 GMT'
const exactly = 'Thu, 01 Jan 2026 12:00:00 GMT'
const after = 'Thu, 01 Jan 2026 12:00:01 GMT'

function verdict(headers: Record<string, string>, method = 'GET'): string {
  return evaluate(new Headers(headers), method, { etag, lastModified })
}

describe('a condition', () => {
  test.each<[Record<string, string>, string]>([
    [{}, 'proceed'],
    [{ range: 'bytes=0-1', 'if-range': '"old"' }, 'proceed'],

    [{ 'if-match': '"abc"' }, 'proceed'],
    [{ 'if-match': '*' }, 'proceed'],
    [{ 'if-match': '"x", "abc"' }, 'proceed'],
    [{ 'if-match': ',, "x","abc",' }, 'proceed'],
    [{ 'if-match': '"x"' }, 'precondition-failed'],
    [{ 'if-match': 'W/"abc"' }, 'precondition-failed'],
    [{ 'if-match': '"ABC"' }, 'precondition-failed'],
    [{ 'if-match': 'abc' }, 'precondition-failed'],
    [{ 'if-match': '' }, 'precondition-failed'],
    [{ 'if-match': '"abc' }, 'precondition-failed'],

    [{ 'if-none-match': '"abc"' }, 'not-modified'],
    [{ 'if-none-match': 'W/"abc"' }, 'not-modified'],
    [{ 'if-none-match': ' * ' }, 'not-modified'],
    [{ 'if-none-match': '"a,b", W/"c", "abc"' }, 'not-modified'],
    [{ 'if-none-match': '"a b""abc"' }, 'not-modified'],
    [{ 'if-none-match': '"x"' }, 'proceed'],
    [{ 'if-none-match': 'abc' }, 'proceed'],
    [{ 'if-none-match': '"x, "abc", "y"' }, 'proceed'],
    [{ 'if-none-match': '' }, 'proceed'],

    [{ 'if-modified-since': before }, 'proceed'],
    [{ 'if-modified-since': exactly }, 'not-modified'],
    [{ 'if-modified-since': after }, 'not-modified'],
    [{ 'if-modified-since': 'Thursday, 01-Jan-26 12:00:00 GMT' }, 'not-modified'],
    [{ 'if-modified-since': 'Thu Jan  1 12:00:00 2026' }, 'not-modified'],
    [{ 'if-modified-since': '2026-01-02' }, 'proceed'],
    [{ 'if-modified-since': `${after}, ${after}` }, 'proceed'],

    [{ 'if-unmodified-since': before }, 'precondition-failed'],
    [{ 'if-unmodified-since': exactly }, 'proceed'],
    [{ 'if-unmodified-since': after }, 'proceed'],
    [{ 'if-unmodified-since': 'long ago' }, 'proceed'],

    // A tag is surer than a date, and what could fail comes first.
    [{ 'if-match': '"abc"', 'if-unmodified-since': before }, 'proceed'],
    [{ 'if-match': '"x"', 'if-unmodified-since': after }, 'precondition-failed'],
    [{ 'if-none-match': '"x"', 'if-modified-since': after }, 'proceed'],
    [{ 'if-none-match': '"abc"', 'if-modified-since': before }, 'not-modified'],
    [{ 'if-match': '"abc"', 'if-none-match': '"abc"' }, 'not-modified'],
    [{ 'if-match': '"x"', 'if-none-match': '"abc"' }, 'precondition-failed'],
    [{ 'if-unmodified-since': before, 'if-none-match': '"abc"' }, 'precondition-failed'],
    [{ 'if-unmodified-since': after, 'if-modified-since': after }, 'not-modified'],
  ])('%j: %s', (headers, expected) => {
    expect(verdict(headers)).toBe(expected)
    expect(verdict(headers, 'HEAD')).toBe(expected)
  })

  test.each<[Record<string, string>, string]>([
    [{ 'if-none-match': '*' }, 'precondition-failed'],
    [{ 'if-none-match': '"abc"' }, 'precondition-failed'],
    [{ 'if-none-match': '"x"' }, 'proceed'],
    [{ 'if-match': '"abc"' }, 'proceed'],
    [{ 'if-match': '"x"' }, 'precondition-failed'],
    [{ 'if-modified-since': after }, 'proceed'],
    [{ 'if-unmodified-since': before }, 'precondition-failed'],
  ])('on a change, %j: %s', (headers, expected) => {
    expect(verdict(headers, 'PUT')).toBe(expected)
    expect(verdict(headers, 'DELETE')).toBe(expected)
  })

  test('several lines of one header count as one list', () => {
    const headers = new Headers([
      ['if-none-match', '"x"'],
      ['if-none-match', '"abc"'],
    ])
    expect(evaluate(headers, 'GET', { etag, lastModified })).toBe('not-modified')
  })

  test('fractions of a second are not in the header, so they do not count', () => {
    const current = { etag, lastModified: new Date('2026-01-01T12:00:00.999Z') }
    expect(evaluate(new Headers({ 'if-modified-since': exactly }), 'GET', current)).toBe('not-modified')
    expect(evaluate(new Headers({ 'if-unmodified-since': exactly }), 'GET', current)).toBe('proceed')
    expect(rangeApplies(new Headers({ 'if-range': exactly }), current)).toBeTrue()
  })

  const tag = fc.stringMatching(/^(W\/)?"[!#-~]{0,8}"$/)
  const tags = fc.array(fc.oneof(tag, fc.constant(etag), fc.constant(`W/${etag}`)), { minLength: 1 })

  test('a well-formed list is searched for exactly its tags', () => {
    fc.assert(
      fc.property(tags, fc.constantFrom(',', ', ', ' ,\t', ',,'), (list, comma) => {
        const strong = list.includes(etag)
        const weak = strong || list.includes(`W/${etag}`)
        expect(verdict({ 'if-match': list.join(comma) })).toBe(strong ? 'proceed' : 'precondition-failed')
        expect(verdict({ 'if-none-match': list.join(comma) })).toBe(weak ? 'not-modified' : 'proceed')
      }),
    )
  })

  test('any text has a verdict, and text without the tag never matches', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii' }), (text) => {
        fc.pre(!text.includes(etag) && text.trim() !== '*')
        const get = (name: string) => (name === 'if-none-match' ? text : null)
        expect(evaluate({ get }, 'GET', { etag, lastModified })).toBe('proceed')
      }),
    )
  })

  test.each(['"', 'W/', 'W/"', '",', ',', '"a'])('%p a million times over is read in no time', (piece) => {
    const text = piece.repeat(1_000_000)
    const started = performance.now()
    evaluate({ get: () => text }, 'GET', { etag, lastModified })
    rangeApplies({ get: () => text }, { etag, lastModified })
    expect(performance.now() - started).toBeLessThan(2000)
  })
})

describe('a range with If-Range', () => {
  test.each<[string, boolean]>([
    ['"abc"', true],
    [' "abc" ', true],
    ['W/"abc"', false],
    ['"x"', false],
    ['"x", "abc"', false],
    ['abc', false],
    ['*', false],
    ['', false],
    [exactly, true],
    ['Thu Jan  1 12:00:00 2026', true],
    [before, false],
    [after, false],
    ['some day', false],
  ])('%p: %p', (value, expected) => {
    expect(rangeApplies(new Headers({ 'if-range': value }), { etag, lastModified })).toBe(expected)
  })

  test('applies when there is no If-Range, or it repeats our own headers', () => {
    expect(rangeApplies(new Headers(), { etag, lastModified })).toBeTrue()
    const headers = new Headers({ 'if-range': formatHttpDate(lastModified) })
    expect(rangeApplies(headers, { etag, lastModified })).toBeTrue()
  })
})
