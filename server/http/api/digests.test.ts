import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { digestsFrom } from './digests.ts'

const asked = (query: Record<string, string>) => digestsFrom((name) => query[name])

describe('the digests of a query', () => {
  test.each([
    [{}, undefined],
    [{ sha256: '', q: 'tool' }, undefined],
    [{ md5: 'A'.repeat(32) }, { md5: 'a'.repeat(32) }],
    [
      { sha1: '0'.repeat(40), sha512: 'f'.repeat(128) },
      { sha1: '0'.repeat(40), sha512: 'f'.repeat(128) },
    ],
  ])('%j', (query, wanted) => {
    expect(asked(query as Record<string, string>)).toEqual(wanted)
  })

  test.each([
    [{ sha256: 'a'.repeat(63) }, 'sha256: must be 64 hexadecimal digits'],
    [{ sha256: 'a'.repeat(65) }, 'sha256: must be 64 hexadecimal digits'],
    [{ md5: 'g'.repeat(32) }, 'md5: must be 32 hexadecimal digits'],
    [{ md5: `${'a'.repeat(31)}\n` }, 'md5: must be 32 hexadecimal digits'],
    [{ sha1: 'é'.repeat(40) }, 'sha1: must be 40 hexadecimal digits'],
  ])('%j is refused', (query, sentence) => {
    expect(() => asked(query as Record<string, string>)).toThrow(sentence)
  })

  test('are digests or refused, whatever is sent', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 40 }), (text) => {
        try {
          expect(asked({ md5: text })?.md5).toMatch(/^[0-9a-f]{32}$/)
        } catch (error) {
          expect(String(error)).toContain('md5: must be')
        }
      }),
    )
  })
})
