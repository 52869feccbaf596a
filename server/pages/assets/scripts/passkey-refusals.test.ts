import { describe, expect, test } from 'bun:test'
import { refusalOf } from './passkey-refusals.ts'

const named = (name: string, message = '', cause?: Error) => Object.assign(new Error(message, { cause }), { name })

describe('why there is no passkey', () => {
  test.each([
    ['NotAllowedError', 'get', /^No passkey was shown/],
    ['NotAllowedError', 'create', /^No passkey was made/],
    ['InvalidStateError', 'create', /has a passkey of your account already/],
    ['SecurityError', 'get', /at this address/],
    ['ConstraintError', 'create', /cannot keep a passkey/],
    ['TypeError', 'get', /could not be reached/],
    ['AbortError', 'get', /Nothing was done/],
  ])('%s at %s', (name, kind, said) => {
    expect(refusalOf(named(name), kind)).toMatch(said)
    expect(refusalOf(named('WebAuthnError', 'for programmers', named(name)), kind)).toMatch(said)
  })

  test('what the server says is told as it is', () => {
    expect(refusalOf(new Error('That took too long.'), 'get')).toBe('That took too long.')
    expect(refusalOf(new Error(''), 'get')).toBe('That did not work. You can try again.')
    expect(refusalOf(undefined, 'get')).toBe('undefined')
  })
})
