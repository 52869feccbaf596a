import { describe, expect, test } from 'bun:test'
import type { UserRow } from '../catalogue/users.ts'
import { SecretKey } from '../lib/sealed.ts'
import { AwaitedCodes, awaitedFor } from './awaited-codes.ts'

const user = { id: 7, password_hash: '$argon2id$a', totp_secret: 'v1.sealed' } as UserRow
const clock = { now: 1_900_000_000_000 }

function node(key = 'k'.repeat(32), purpose = 'sign-in'): AwaitedCodes {
  return new AwaitedCodes({ sealer: new SecretKey(key).sealer(purpose), now: () => clock.now })
}

describe('what a browser keeps between password and code', () => {
  test('is read by every node of the installation, for five minutes', () => {
    const kept = node().seal(user)
    expect(node().open(kept)).toMatchObject({ userId: 7 })
    clock.now += awaitedFor - 1
    expect(node().open(kept)).toBeDefined()
    clock.now += 1
    expect(node().open(kept)).toBeUndefined()
  })

  test('tells nobody anything', () => {
    const kept = Buffer.from(node().seal(user).slice(3), 'base64url').toString('latin1')
    for (const word of ['userId', 'argon2id', 'proof']) expect(kept).not.toContain(word)
  })

  test.each<[string, (kept: string) => string]>([
    ['of another installation', () => node('x'.repeat(32)).seal(user)],
    ['sealed for something else', () => node(undefined, 'totp').seal(user)],
    ['changed', (kept) => `${kept.slice(0, -1)}${kept.endsWith('A') ? 'B' : 'A'}`],
    ['cut off', (kept) => kept.slice(0, 20)],
    ['empty', () => ''],
    ['a password', () => 'ada-Pass-1234'],
  ])('is nothing: %s', (_, make) => {
    expect(node().open(make(node().seal(user)))).toBeUndefined()
  })

  test.each<[string, Partial<UserRow>]>([
    ['another password', { password_hash: '$argon2id$b' }],
    ['none', { password_hash: null }],
    ['another second factor', { totp_secret: 'v1.other' }],
    ['no second factor', { totp_secret: null }],
    ['another account', { id: 8 }],
  ])('is about the account as it was: %s', (_, change) => {
    const opened = node().open(node().seal(user))
    if (!opened) throw new Error('it did not open')
    expect(node().isStill(opened, user)).toBe(true)
    expect(node().isStill(opened, { ...user, ...change })).toBe(false)
  })
})
