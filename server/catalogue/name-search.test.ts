import { expect, test } from 'bun:test'
import { trigramsOf } from './name-search.ts'

test.each([
  ['abc', ['abc']],
  ['abcd', ['abc', 'bcd']],
  ['aaaaa', ['aaa']],
  ['abcabc', ['abc', 'bca', 'cab']],
  ['a-_', ['a-_']],
])('%s is found by %j', (text, wanted) => {
  expect(trigramsOf(text)).toEqual(wanted)
})

test('a long text is found by some of its trigrams, from all over it', () => {
  const letters = 'abcdefghijklmnopqrstuvwxyz0123456789'
  const text = [...letters].map((one, at) => `${one}${letters[(at * 7 + 3) % 36]}`).join('')
  const found = trigramsOf(text)
  expect(found).toHaveLength(24)
  expect(new Set(found).size).toBe(24)
  for (const each of found) expect(text).toContain(each)
  expect(text.indexOf(found.at(-1) as string)).toBeGreaterThan(text.length * 0.9)
})
