import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { duration, eventsInWords, headerLines, readable, stateOf } from './words.ts'

test('events are said in words, and one of a later release by its name', () => {
  expect(eventsInWords({ events: 'package,file_deleted' })).toBe('Versions, Files deleted')
  expect(eventsInWords({ events: 'moon' })).toBe('moon')
})

test('what a delivery came to', () => {
  expect(stateOf({ state: 'waiting', attempts: 0 }).text).toBe('Waiting')
  expect(stateOf({ state: 'waiting', attempts: 2 })).toEqual({ tone: 'warning', text: 'Failed, tries again' })
  expect(stateOf({ state: 'delivered', attempts: 3 }).tone).toBe('success')
  expect(stateOf({ state: 'given-up', attempts: 9 }).tone).toBe('error')
})

test('durations', () => {
  expect([0, 83, 999, 1_000, 10_000].map(duration)).toEqual(['0 ms', '83 ms', '999 ms', '1.0 s', '10.0 s'])
})

describe('a body', () => {
  test('that is JSON stands on lines of its own, anything else as it is', () => {
    expect(readable('{"a":[1]}').text).toBe('{\n  "a": [\n    1\n  ]\n}')
    for (const body of ['', 'ok', '12', '<b>no</b>', '{"a":']) expect(readable(body)).toEqual({ text: body, left: 0 })
  })

  test('is cut where it is long, between two characters, and says by how much', () => {
    expect(readable('x'.repeat(20_000)).left).toBe(0)
    expect(readable('x'.repeat(20_123))).toEqual({ text: 'x'.repeat(20_000), left: 123 })
    fc.assert(
      fc.property(fc.integer({ min: 19_990, max: 20_010 }), (before) => {
        const body = `${'x'.repeat(before)}${'🦆'.repeat(20)}`
        const { text, left } = readable(body)
        expect(text.isWellFormed()).toBe(true)
        expect(text.length + left).toBe(body.length)
      }),
    )
  })
})

test('headers stand on lines; none where none were kept', () => {
  expect(headerLines('{"A":"1","B":"x: y"}')).toBe('A: 1\nB: x: y')
  expect(headerLines(null)).toBe('')
})
