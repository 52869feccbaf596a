import { expect, test } from 'bun:test'
import { digestIn } from './digest.ts'

test.each([
  ['a'.repeat(32), { md5: 'a'.repeat(32) }],
  ['A1'.repeat(20), { sha1: 'a1'.repeat(20) }],
  ['0'.repeat(64), { sha256: '0'.repeat(64) }],
  ['f'.repeat(128), { sha512: 'f'.repeat(128) }],
  ['g'.repeat(32), undefined],
  ['a'.repeat(31), undefined],
  [`${'a'.repeat(31)}\n`, undefined],
  ['', undefined],
])('%p is %p', (text, digests) => {
  expect(digestIn(text)).toEqual(digests)
})
