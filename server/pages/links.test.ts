import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { pathHere } from './links.ts'

describe('the path to go on to', () => {
  test.each<[string, string | undefined, string]>([
    ['nothing', undefined, '/home'],
    ['empty', '', '/home'],
    ['a page', '/ada/-/packages', '/ada/-/packages'],
    ['with a query', '/-/search?q=a%20b&page=2', '/-/search?q=a%20b&page=2'],
    ['without its fragment', '/ada#x', '/ada'],
    ['escaped signs', '/ada/-/packages/generic/tool/1.0%2B%C3%A9', '/ada/-/packages/generic/tool/1.0%2B%C3%A9'],
    ['an address in the query', '/-/search?q=//evil.example', '/-/search?q=//evil.example'],
    ['another scheme', 'https://evil.example/', '/home'],
    ['a script', 'javascript:alert(1)', '/home'],
    ['without a slash', 'ada', '/home'],
    ['another host', '//evil.example', '/home'],
    ['three slashes', '///evil.example', '/home'],
    ['a backslash', '/\\evil.example', '/home'],
    ['a backslash later', '/ada\\evil', '/home'],
    ['a tab between', '/\t/evil.example', '/home'],
    ['a line end between', '/\n/evil.example', '/home'],
    ['a header', '/ada\r\nSet-Cookie: a=b', '/home'],
    ['a space before', ' //evil.example', '/home'],
    ['what has to be escaped', '/é', '/home'],
    ['a dot segment before another host', '/.//evil.example', '/home'],
    ['two of them', '/ada/..//evil.example', '/home'],
    ['an escaped one', '/%2e//evil.example', '/home'],
    ['two escaped ones', '/ada/%2E%2e//evil.example', '/home'],
    ['an escaped slash', '/%2fevil.example', '/%2fevil.example'],
    ['an account in the host', '//here.invalid@evil.example', '/home'],
  ])('%s', (_, sent, expected) => {
    expect(pathHere(sent, '/home')).toBe(expected)
  })

  const pieces = fc.constantFrom(
    '/',
    '\\',
    '.',
    '..',
    '%2e',
    '%2f',
    '%5c',
    '\t',
    '\n',
    '@',
    ':',
    '?',
    '#',
    'evil.example',
    'a',
    ' ',
  )
  const sent = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join('')),
  )

  test('is on this site as a browser reads it, whatever was sent', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          sent,
          sent.map((text) => `/${text}`),
        ),
        (text) => {
          const path = pathHere(text, '/home')
          expect(new URL(path, 'https://packages.example/user/login').origin).toBe('https://packages.example')
          expect(path).toMatch(/^\/(?![/\\])[\x21-\x7e]*$/)
          // Once is enough: what came out is taken as it is.
          expect(pathHere(path, '/other')).toBe(path)
        },
      ),
      { numRuns: 2_000 },
    )
  })
})
