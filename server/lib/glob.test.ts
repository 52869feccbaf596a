import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { globMatcher } from './glob.ts'

describe('a pattern', () => {
  test.each([
    ['1.0', '1.0', true],
    ['1.0', '1.00', false],
    ['1.0', '1x0', false],
    ['', '', true],
    ['', 'a', false],
    ['*', '', true],
    ['*', 'anything', true],
    ['**', 'anything', true],
    ['?', 'a', true],
    ['?', '', false],
    ['?', 'ab', false],
    ['?', '🙂', true],
    ['1.*-rc?', '1.0-rc1', true],
    ['1.*-rc?', '1.-rc1', true],
    ['1.*-rc?', '1.0-rc', false],
    ['1.*-rc?', '1.0-rc10', false],
    ['1.*-rc?', '2.0-rc1', false],
    ['*.0', '1.0.0', true],
    ['*a*', 'bab', true],
    ['*a*', 'bbb', false],
    ['a*a', 'a', false],
    ['a*a', 'aa', true],
    ['ab*ba', 'aba', false],
    ['*ab*abc', 'ababc', true],
    ['*ab*abc', 'abc', false],
    ['a*b*c', 'a-c-b-c', true],
    ['[0-9]', '1', false],
    ['[0-9]', '[0-9]', true],
    ['1.0+build\\*', '1.0+build\\7', true],
    ['^1$', '1', false],
    ['A', 'a', false],
  ])('%p is like %p: %p', (pattern, text, like) => {
    expect(globMatcher(pattern)(text)).toBe(like)
  })

  /** As it is defined. */
  const isLike = (pattern: string[], text: string[]): boolean => {
    const [first, ...rest] = pattern
    if (first === undefined) return text.length === 0
    if (first === '*') return isLike(rest, text) || (text.length > 0 && isLike(pattern, text.slice(1)))
    return text.length > 0 && (first === '?' || first === text[0]) && isLike(rest, text.slice(1))
  }

  test('decides as the definition does', () => {
    const pattern = fc.array(fc.constantFrom('a', 'b', '*', '?', '🙂'), { maxLength: 8 })
    const text = fc.array(fc.constantFrom('a', 'b', '🙂'), { maxLength: 8 })
    fc.assert(
      fc.property(pattern, text, (pattern, text) => {
        expect(globMatcher(pattern.join(''))(text.join(''))).toBe(isLike(pattern, text))
      }),
      { numRuns: 2_000 },
    )
  })

  test.each(['*a'.repeat(127), `*${'a'.repeat(127)}b`, `*${'?'.repeat(127)}b*`, `${'*?'.repeat(120)}b`])(
    'that is made to take long does not: %p',
    (pattern) => {
      const like = globMatcher(pattern)
      const started = performance.now()
      for (let times = 0; times < 100; times += 1) like('a'.repeat(765))
      expect(performance.now() - started).toBeLessThan(2_000)
    },
  )
})
