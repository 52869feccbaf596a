import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { prefersJson } from './accept.ts'

describe('an Accept header', () => {
  test.each<[string | null, boolean, string]>([
    [null, false, 'no header'],
    ['', false, 'an empty one'],
    ['*/*', false, 'what curl sends'],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', false, 'what a browser sends'],
    ['application/json, text/plain, */*', true, 'what axios sends'],
    ['application/json', true, 'JSON alone'],
    ['application/problem+json', true, 'problem details alone'],
    ['Application/JSON', true, 'letter case does not matter'],
    ['application/json; charset=utf-8', true, 'a parameter of the type'],
    ['application/json;q=0', false, 'JSON is refused'],
    ['application/json;q=0, application/problem+json', true, 'one of the two is refused'],
    ['text/plain', false, 'text alone'],
    ['text/plain, application/json', false, 'a tie: text is named first'],
    ['application/json, text/plain', true, 'a tie: JSON is named first'],
    ['text/plain;q=0.5, application/json', true, 'JSON weighs more'],
    ['application/json;q=0.5, text/plain', false, 'text weighs more'],
    ['application/json;q=0.9, text/*;q=0.8', true, 'JSON weighs more than any text'],
    ['application/json;q=0.9, */*;q=0.8', true, 'JSON weighs more than the rest'],
    ['application/json;q=0.5, */*', false, 'anything else weighs more'],
    ['text/plain;q=0.1, application/json;q=0.5, */*', true, 'text by its own weight, not by that of the rest'],
    ['application/json ; q=0.2 , text/plain ; q=0.1', true, 'spaces'],
    ['application/json;q=1.000, text/plain;q=0.999', true, 'three decimals'],
    ['application/json;q=abc', false, 'a weight that is none'],
    ['application/json;q=7, text/plain', false, 'a weight beyond one'],
    ['application/jsonp', false, 'another type'],
    ['application/vnd.api+json', false, 'another kind of JSON'],
  ])('%p: %p (%s)', (accept, expected) => {
    expect(prefersJson(accept)).toBe(expected)
  })

  test('of any text gives an answer', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(typeof prefersJson(`${text}application/json${text}`)).toBe('boolean')
      }),
    )
  })
})
