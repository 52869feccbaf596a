import { describe, expect, test } from 'bun:test'
import { hasOtherWayIn, proofsOf } from './passkey-rules.ts'

test('what shows once more who somebody is', () => {
  expect(proofsOf({ hasPassword: true, hasPasskeys: false })).toEqual(['password'])
  expect(proofsOf({ hasPassword: true, hasPasskeys: true })).toEqual(['password', 'passkey'])
  expect(proofsOf({ hasPassword: false, hasPasskeys: true })).toEqual(['passkey'])
  expect(proofsOf({ hasPassword: false, hasPasskeys: false })).toEqual(['fresh sign-in'])
})

describe('another way in than passkeys', () => {
  const none = { hasPassword: false, takesPasswords: true, identities: 0, isByProxy: false }
  test.each([
    [none, false],
    [{ ...none, hasPassword: true }, true],
    [{ ...none, hasPassword: true, takesPasswords: false }, false],
    [{ ...none, identities: 1 }, true],
    [{ ...none, isByProxy: true }, true],
  ])('%j: %p', (account, has) => {
    expect(hasOtherWayIn(account)).toBe(has)
  })
})
