import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { SecretKey } from './sealed.ts'

const text = 'correct horse battery staple, and more'
const key = new SecretKey(text)
const sealer = key.sealer('totp')

/** Any text that UTF-8 can write. */
const anyText = fc.string({ unit: 'binary' })

describe('a sealed value', () => {
  test('opens where it belongs, whatever it is', () => {
    fc.assert(
      fc.property(anyText, anyText, (secret, context) => {
        expect(sealer.open(sealer.seal(secret, context), context)).toBe(secret)
      }),
    )
  })

  test('opens nowhere else', () => {
    fc.assert(
      fc.property(anyText, anyText, anyText, (secret, context, other) => {
        fc.pre(context !== other)
        const sealed = sealer.seal(secret, context)
        expect(() => sealer.open(sealed, other)).toThrow('changed, or was sealed with another key or for another place')
      }),
    )
  })

  test('opens with no other key, and for no other purpose', () => {
    const sealed = sealer.seal('secret', 'totp 17')
    for (const other of [new SecretKey(`${text}.`).sealer('totp'), key.sealer('mail')]) {
      expect(() => other.open(sealed, 'totp 17')).toThrow('another key')
    }
    expect(new SecretKey(text).sealer('totp').open(sealed, 'totp 17')).toBe('secret')
  })

  test('does not open once any sign of it was changed, added or taken away', () => {
    const signs = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.+/= \n'
    // Of each length modulo three, so that the last sign has bits which mean nothing.
    for (const secret of ['', 'a', 'ab', 'abc']) {
      const sealed = sealer.seal(secret, 'totp 17')
      for (let at = 0; at <= sealed.length; at++) {
        for (const sign of signs) {
          const damaged = [
            sealed.slice(0, at) + sign + sealed.slice(at + 1),
            sealed.slice(0, at) + sign + sealed.slice(at),
            sealed.slice(0, at),
          ]
          for (const one of damaged.filter((one) => one !== sealed)) {
            expect(() => sealer.open(one, 'totp 17')).toThrow()
          }
        }
      }
    }
  })

  test.each(['', 'v1.', 'v1', 'v2.AAAA', 'secret', `v1.${'A'.repeat(36)}=`, `v1.${'A'.repeat(36)}`])(
    '%p is none: it ends in an error that is not a bug of the cipher',
    (damaged) => {
      expect(() => sealer.open(damaged, 'totp 17')).toThrow('This is no sealed value.')
    },
  )

  test('is another one each time', () => {
    const sealed = Array.from({ length: 100 }, () => sealer.seal('secret', 'totp 17'))
    expect(new Set(sealed.map((one) => one.slice(0, 3 + 16))).size).toBe(100)
  })
})

// Made with another implementation (Python's `cryptography`): what lies in a database must open in five years.
describe('what was made once stays the same', () => {
  test('a sealed value', () => {
    const sealed = 'v1.AAECAwQFBgcICQoLtoMVLYTInj8kV9T5PjA1a0WTwti00i7hOm3jygPeWz5AKwE'
    expect(sealer.open(sealed, 'totp 17')).toBe('JBSWY3DPEHPK3PXP é')
  })

  test('a code', () => {
    expect(key.code('invitation', 17, 'ada')).toBe('kK2ltEPcjUaflOdTFres9L3r19ZrhX7RzzTjnjzf4x8')
  })

  test('a fingerprint', () => {
    expect(key.check()).toBe('8PknaGx78wy0VdtN')
  })
})

describe('a code', () => {
  test('is the same for the same key, purpose and parts, and for nothing else', () => {
    const codes = [
      key.code('invitation'),
      key.code('invitation', ''),
      key.code('invitation', 'a', 'b'),
      key.code('invitation', 'ab'),
      key.code('invitation', 'b', 'a'),
      key.code('invitation', 'a","b'),
      key.code('invitation', 1),
      key.code('invitation', 11),
      key.code('reset', 'a', 'b'),
      new SecretKey(`${text}.`).code('invitation', 'a', 'b'),
    ]
    expect(new Set(codes).size).toBe(codes.length)
    expect(new SecretKey(text).code('invitation', 'a', 'b')).toBe(key.code('invitation', 'a', 'b'))
  })

  test('takes a number as its text', () => {
    expect(key.code('invitation', 17)).toBe(key.code('invitation', '17'))
  })
})

describe('a key', () => {
  test('has a fingerprint of its own', () => {
    const checks = ['x', 'y', 'x '].map((sign) => new SecretKey(sign.repeat(32)).check())
    expect(new Set(checks).size).toBe(3)
    expect(checks[0]).toMatch(/^[\w-]{16}$/)
  })

  test('shows itself to nobody', () => {
    for (const shown of [JSON.stringify(key), Bun.inspect(key), String(key)]) expect(shown).not.toContain('horse')
  })

  test('is not short', () => {
    expect(() => new SecretKey('x'.repeat(31))).toThrow('at least 32 characters')
    new SecretKey('x'.repeat(32))
  })
})
