import { describe, expect, test } from 'bun:test'
import { awaitedCode, sessionSecret, setAwaitedCode, setCookie } from './cookie.ts'

const secret = `${'A'.repeat(41)}_-`
const other = 'B'.repeat(43)
const plain = { isSecure: false, lifetime: 1_500 }
const secure = { isSecure: true, lifetime: 30 * 24 * 60 * 60_000 }

describe('the cookie of a session', () => {
  test.each<[string, string | null, string | undefined]>([
    ['no cookie', null, undefined],
    ['an empty header', '', undefined],
    ['one', `stowage_session=${secret}`, secret],
    ['between others', `a=b; stowage_session=${secret};c="d"`, secret],
    ['twice the same', `stowage_session=${secret}; stowage_session=${secret}`, secret],
    ['two that differ', `stowage_session=${secret}; stowage_session=${other}`, undefined],
    ['a good one and a bad one', `stowage_session=${secret}; stowage_session=x`, undefined],
    ['a longer name', `xstowage_session=${secret}; stowage_sessions=${secret}`, undefined],
    ['the name of the other kind', `__Host-stowage_session=${secret}`, undefined],
    ['another letter case', `Stowage_Session=${secret}`, undefined],
    ['empty', 'stowage_session=', undefined],
    ['too short', `stowage_session=${secret.slice(1)}`, undefined],
    ['too long', `stowage_session=${secret}A`, undefined],
    ['other signs', `stowage_session=${secret.slice(1)}=`, undefined],
    ['quoted', `stowage_session="${secret}"`, undefined],
  ])('%s', (_, header, expected) => {
    expect(sessionSecret(header, plain)).toBe(expected)
  })

  test('has a name that only this host can set, where all is https', () => {
    expect(sessionSecret(`__Host-stowage_session=${secret}`, secure)).toBe(secret)
    expect(sessionSecret(`stowage_session=${secret}`, secure)).toBeUndefined()
    expect(setCookie(secret, secure)).toBe(
      `__Host-stowage_session=${secret}; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax; Secure`,
    )
    expect(setCookie(secret, plain)).toBe(`stowage_session=${secret}; Path=/; Max-Age=2; HttpOnly; SameSite=Lax`)
    expect(setCookie(undefined, plain)).toBe('stowage_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax')
  })
})

describe('the cookie between two steps of a sign-in', () => {
  test('is beside that of the session, for as long as it is said', () => {
    expect(setAwaitedCode('v1.x', 1_500, plain)).toBe(
      'stowage_awaited_code=v1.x; Path=/; Max-Age=2; HttpOnly; SameSite=Lax',
    )
    expect(setAwaitedCode(undefined, 1_500, secure)).toBe(
      '__Host-stowage_awaited_code=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure',
    )
    const both = `stowage_session=${secret}; stowage_awaited_code=v1.x`
    expect(awaitedCode(both, plain)).toBe('v1.x')
    expect(sessionSecret(both, plain)).toBe(secret)
  })

  test.each<[string, string | null]>([
    ['none', null],
    ['an empty one', 'stowage_awaited_code='],
    ['two that differ', 'stowage_awaited_code=a; stowage_awaited_code=b'],
    ['the name of the other kind', '__Host-stowage_awaited_code=a'],
  ])('is nothing: %s', (_, header) => {
    expect(awaitedCode(header, plain)).toBeUndefined()
  })
})
