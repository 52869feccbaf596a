import { describe, expect, test } from 'bun:test'
import { assert, property, string } from 'fast-check'
import { day, deployTokenAsked, endOf, isPublicOnly, scopeWords, tokenAsked } from './token-form.ts'

const now = Date.parse('2031-05-06T07:08:09Z')

describe('when a token ends', () => {
  test.each([
    ['7', '', Date.parse('2031-05-13T07:08:09Z')],
    ['365', '2031-05-07', Date.parse('2032-05-05T07:08:09Z')],
    ['never', '2031-05-07', null],
    ['date', '2031-05-06', Date.parse('2031-05-07T00:00:00Z')],
    ['date', '2031-12-31', Date.parse('2032-01-01T00:00:00Z')],
    ['date', '9999-12-30', Date.parse('9999-12-31T00:00:00Z')],
    ['date', '2031-05-05', undefined],
    ['date', '2031-02-29', undefined],
    ['date', '31.12.2031', undefined],
    ['date', '+275760-09-13', undefined],
    ['date', '', undefined],
  ] as const)('%s %s', (expires, on, end) => {
    expect(endOf(expires, on, now)).toBe(end)
  })

  test('is in the future, or not at all', () => {
    assert(
      property(string(), (on) => {
        const end = endOf('date', on, now)
        return end === undefined || (end !== null && end > now)
      }),
    )
  })
})

describe('what a token may do, in words', () => {
  test.each([
    ['write:package', 'Publish and delete packages'],
    ['read:package,write:package', 'Publish and delete packages'],
    ['read:package,public-only', 'Read packages'],
    ['read:organization,write:package', 'See organisations, publish and delete packages'],
    ['all,read:admin', 'Everything'],
    ['write:issue', 'Write:issue (without effect here)'],
    ['', ''],
  ])('%s', (stored, words) => {
    expect(scopeWords(stored)).toBe(words)
  })

  test('is for what is public only where it says so', () => {
    expect([isPublicOnly('all,public-only'), isPublicOnly('all')]).toEqual([true, false])
  })
})

test('only an administrator is offered to run the site', () => {
  const asked = { name: 'ci', scopes: ['write:admin'], publicOnly: true, packages: '', expires: '7', on: '' }
  expect(tokenAsked(false, now).safeParse(asked).success).toBe(false)
  expect(tokenAsked(true, now).parse(asked)).toEqual({
    name: 'ci',
    scopes: ['write:admin', 'public-only'],
    packages: undefined,
    expiresAt: new Date(now + 7 * day),
  })
})

test.each([
  ['', undefined],
  [' \n\n', undefined],
  ['acme/tool-*', ['acme/tool-*']],
  ['acme/tool-*\n\n  */lib \n', ['acme/tool-*', '*/lib']],
  ['a/b, a/c', ['a/b', 'a/c']],
])('the packages %j are those on the lines', (packages, lines) => {
  const asked = { name: 'ci', scopes: ['write:package'], publicOnly: false, packages, expires: '7', on: '' }
  expect(tokenAsked(false, now).parse(asked).packages).toEqual(lines)
  expect(deployTokenAsked(now).parse(asked).packages).toEqual(lines)
})

test('a deploy token reads packages or publishes them', () => {
  const asked = (...scopes: string[]) =>
    deployTokenAsked(now).safeParse({ name: 'ci', scopes, publicOnly: false, packages: '', expires: '7', on: '' })
  expect([asked('read:package'), asked('write:package')].map(({ success }) => success)).toEqual([true, true])
  for (const scopes of [[], ['all'], ['write:user'], ['read:package', 'write:package']]) {
    expect(asked(...scopes).success).toBe(false)
  }
})
