import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { type Credentials, readCredentials } from './credentials.ts'

const none: Credentials = { kind: 'none' }
const malformed: Credentials = { kind: 'malformed' }
const token = (text: string, viaBasic = false): Credentials => ({ kind: 'token', token: text, viaBasic })
const password = (user: string, text: string): Credentials => ({
  kind: 'password',
  user,
  password: text,
  code: undefined,
})

const encoded = (text: string | Buffer) => Buffer.from(text).toString('base64')
const read = (headers: Record<string, string>, query?: string) =>
  readCredentials(new Headers(headers), query === undefined ? undefined : new URLSearchParams(query))

describe('the Authorization header', () => {
  test.each<[string, Credentials]>([
    ['', none],
    ['   ', none],
    ['token abc', token('abc')],
    ['Token abc', token('abc')],
    ['TOKEN abc', token('abc')],
    ['token    abc', token('abc')],
    ['Bearer abc', token('abc')],
    ['bearer abc', token('abc')],
    ['BEARER abc', token('abc')],
    ['token', malformed],
    ['Bearer', malformed],
    ['Bearer ', malformed],
    ['abc', malformed],
    ['token a b', malformed],
    ['token a, token b', malformed],
    ['Bearer a, Basic YTpi', malformed],
    ['Basic YTpi, Bearer a', malformed],
    ['Basic YTpi Bearer a', malformed],
    ['Digest username="ada"', malformed],
    ['Negotiate YII', malformed],
    ['Basic', malformed],
    ['Basic ', malformed],
    ['Basic !!!!', malformed],
    ['Basic YTp', malformed],
    ['Basic YTpi=', malformed],
    ['Basic YWR===', malformed],
    ['Basic YT=i', malformed],
    ['Basic YT pi', malformed],
    [`Basic ${encoded('no colon')}`, malformed],
    [`Basic ${encoded('')}`, malformed],
    [`Basic ${encoded(':')}`, malformed],
    [`Basic ${encoded(':x-oauth-basic')}`, malformed],
    [`Basic ${encoded('ada:secret')}`, password('ada', 'secret')],
    [`basic ${encoded('ada:secret')}`, password('ada', 'secret')],
    [`BASIC  ${encoded('ada:secret')}`, password('ada', 'secret')],
    [`Basic ${encoded('ada:with:colons:')}`, password('ada', 'with:colons:')],
    [`Basic ${encoded('ada@example.com:secret')}`, password('ada@example.com', 'secret')],
    [`Basic ${encoded('ada: ')}`, password('ada', ' ')],
    [`Basic ${encoded(':secret')}`, password('', 'secret')],
    [`Basic ${encoded('ada:Schlüssel')}`, password('ada', 'Schlüssel')],
    [`Basic ${encoded(Buffer.from('ada:Schl\xfcssel', 'latin1'))}`, password('ada', 'Schlüssel')],
    [`Basic ${encoded('abc:')}`, token('abc', true)],
    [`Basic ${encoded('abc:x-oauth-basic')}`, token('abc', true)],
    [`Basic ${encoded('abc:X-OAuth-Basic')}`, password('abc', 'X-OAuth-Basic')],
    [`Basic ${encoded('x-oauth-basic:abc')}`, password('x-oauth-basic', 'abc')],
  ])('%p', (authorization, expected) => {
    expect(read({ Authorization: authorization })).toEqual(expected)
  })
})

describe('the other places', () => {
  test.each<[string, Credentials]>([
    ['X-NuGet-ApiKey', token('abc')],
    ['x-nuget-apikey', token('abc')],
    ['Job-Token', token('abc')],
    ['Private-Token', token('abc')],
    ['X-Api-Key', none],
    ['Cookie', none],
    ['Proxy-Authorization', none],
  ])('%s', (name, expected) => {
    expect(read({ [name]: 'abc' })).toEqual(expected)
  })

  test('a header without a value is not there', () => {
    expect(read({ 'Private-Token': '' })).toEqual(none)
    expect(read({ 'Job-Token': ' ', 'Private-Token': 'abc' })).toEqual(token('abc'))
  })

  test('a query counts only where it is handed in', () => {
    expect(read({}, 'token=abc')).toEqual(token('abc'))
    expect(read({}, 'access_token=abc')).toEqual(token('abc'))
    expect(read({}, 'page=2')).toEqual(none)
    expect(read({})).toEqual(none)
  })

  test('the first that is present decides, also when it is wrong', () => {
    const all = { Authorization: 'Bearer two', 'X-NuGet-ApiKey': 'three', 'Job-Token': 'four', 'Private-Token': 'five' }
    expect(read(all, 'token=one&access_token=other')).toEqual(token('one'))
    expect(read(all)).toEqual(token('two'))
    expect(read({ ...all, Authorization: '' })).toEqual(token('three'))
    expect(read({ 'Private-Token': 'five', 'Job-Token': 'four' })).toEqual(token('four'))
    expect(read({ ...all, Authorization: 'nonsense' })).toEqual(malformed)
  })
})

describe('whatever comes', () => {
  const anyHeader = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string().map((text) => `Basic ${text}`),
    fc.uint8Array().map((bytes) => `Basic ${encoded(Buffer.from(bytes))}`),
    fc.string({ unit: 'binary' }).map((text) => `bearer ${text}`),
  )

  test('no header text throws', () => {
    fc.assert(
      fc.property(anyHeader, anyHeader, (authorization, key) => {
        const headers = new Map([
          ['authorization', authorization],
          ['private-token', key],
        ])
        const read = readCredentials({ get: (name) => headers.get(name) ?? null })
        expect(['none', 'malformed', 'token', 'password']).toContain(read.kind)
      }),
    )
  })

  test('what a client writes for a user name and a password is read back', () => {
    const user = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes(':') && text.isWellFormed())
    const secret = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => text.isWellFormed())
    fc.assert(
      fc.property(user, secret, (name, text) => {
        fc.pre(text !== 'x-oauth-basic')
        expect(read({ Authorization: `Basic ${encoded(`${name}:${text}`)}` })).toEqual(password(name, text))
      }),
    )
  })

  test('what a client writes for a token is read back, in every form', () => {
    const secret = fc.string({ unit: fc.constantFrom(...'0123456789abcdefABCDEF_-.~+/'), minLength: 1 })
    const scheme = fc.constantFrom('token', 'Token', 'bearer', 'Bearer')
    fc.assert(
      fc.property(secret, scheme, (text, word) => {
        expect(read({ Authorization: `${word} ${text}` })).toEqual(token(text))
        expect(read({ Authorization: `Basic ${encoded(`${text}:`)}` })).toEqual(token(text, true))
        expect(read({ Authorization: `Basic ${encoded(`${text}:x-oauth-basic`)}` })).toEqual(token(text, true))
        expect(read({ 'Private-Token': text })).toEqual(token(text))
      }),
    )
  })
})
