import { afterAll, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { rawRequest } from '../../test/support/raw-socket.ts'
import { hasBadEscape, leadsElsewhere, rawPathRoutes, rawSegments } from './raw-path.ts'

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  routes: rawPathRoutes(6, (request, segments) =>
    Response.json({
      segments,
      badEscape: hasBadEscape(request.url, segments),
      elsewhere: segments.some(leadsElsewhere),
    }),
  ),
  fetch: () => Response.json('deeper'),
})
afterAll(() => server.stop(true))

async function ask(target: string, method = 'GET') {
  const { status, body } = await rawRequest(server.port ?? 0, method, target)
  return { status, found: status === 200 ? JSON.parse(body.toString()) : undefined }
}

describe('segments arrive as they were sent, decoded once', () => {
  test.each<[string, string[]]>([
    ['/', []],
    ['/a', ['a']],
    ['/a/b/c', ['a', 'b', 'c']],
    ['/a/b/c/d/e/f', ['a', 'b', 'c', 'd', 'e', 'f']],
    ['/a?b/c', ['a']],
    ['/a#b/c', ['a#b', 'c']],
    ['/a/?b=%zz', ['a']],
    ['/a+b', ['a+b']],
    ['/a%20b', ['a b']],
    ['/a%2Fb/c', ['a/b', 'c']],
    ['/a%2fb', ['a/b']],
    ['/%2525', ['%25']],
    ['/a%252Fb', ['a%2Fb']],
    ['/a%00b', ['a\0b']],
    ['/%C3%BC/%e6%bc%a2', ['ü', '漢']],
    ['/%E2%84%AA', ['\u212a']],
    ['/a:b/@c/d;e=f', ['a:b', '@c', 'd;e=f']],
    ['/*', ['*']],
    ['/:s0/:s1', [':s0', ':s1']],
    ['/A/a', ['A', 'a']],
  ])('%s', async (target, segments) => {
    expect((await ask(target)).found).toEqual({ segments, badEscape: false, elsewhere: false })
  })
})

describe('repeated slashes collapse, and trailing ones are dropped', () => {
  test.each<[string, string[]]>([
    ['//', []],
    ['//a', ['a']],
    ['/a/', ['a']],
    ['/a//', ['a']],
    ['/a//b', ['a', 'b']],
    ['///a//b', ['a', 'b']],
    ['/a/b/c/d/e/', ['a', 'b', 'c', 'd', 'e']],
  ])('%s', async (target, segments) => {
    expect((await ask(target)).found).toMatchObject({ segments })
  })
})

describe('dot segments and backslashes arrive, and are recognised', () => {
  test.each<[string, string[]]>([
    ['/a/./b', ['a', '.', 'b']],
    ['/a/../b', ['a', '..', 'b']],
    ['/..', ['..']],
    ['/a/..', ['a', '..']],
    ['/a/%2e/b', ['a', '.', 'b']],
    ['/a/%2E%2e/b', ['a', '..', 'b']],
    ['/a/.%2e', ['a', '..']],
    ['/a\\b', ['a\\b']],
    ['/a/%5C', ['a', '\\']],
    ['/a%5c..%5cb', ['a\\..\\b']],
  ])('%s', async (target, segments) => {
    expect((await ask(target)).found).toEqual({ segments, badEscape: false, elsewhere: true })
  })

  test.each(['...', '..a', 'a..', '.a', ''])('%p is an ordinary name', (segment) => {
    expect(leadsElsewhere(segment)).toBe(false)
  })
})

describe('a bad escape is recognised', () => {
  test.each(['/%', '/a%', '/%4', '/%zz', '/%4g', '/%%41', '/a/%u0041', '/a/b%/c', '/%E2%84%', '/%ff%zz'])(
    '%s',
    async (target) => {
      expect((await ask(target)).found).toMatchObject({ badEscape: true })
    },
  )

  test.each(['/%ff', '/%C3', '/%EF%BF%BD', '/%c0%af', '/%ed%a0%80', '/%ff?%zz'])('%s is none', async (target) => {
    expect((await ask(target)).found).toMatchObject({ badEscape: false, segments: [expect.stringContaining('\uFFFD')] })
  })
})

test('every method arrives', async () => {
  for (const method of ['GET', 'PUT', 'DELETE', 'POST', 'PATCH', 'OPTIONS']) {
    expect((await ask('/a//b/%2e', method)).found).toMatchObject({ segments: ['a', 'b', '.'] })
  }
})

test('what is deeper goes on to the server', async () => {
  expect((await ask('/1/2/3/4/5/6/7')).found).toBe('deeper')
})

test('plain addresses are those without an empty segment before the last', () => {
  const patterns = Object.keys(rawPathRoutes(3, () => new Response(), 'plain'))
  expect(patterns.sort()).toEqual(['/', '/:s0', '/:s0/', '/:s0/:s1', '/:s0/:s1/', '/:s0/:s1/:s2'])
  const every = Object.keys(rawPathRoutes(3, () => new Response()))
  expect(patterns.filter((pattern) => !every.includes(pattern))).toEqual([])
})

test('a target read by itself has the segments that the routes give', async () => {
  const read = rawSegments(6, [], 'every')
  const sign = fc.constantFrom(
    '/',
    '/',
    '.',
    '%',
    '%2e',
    '%2F',
    '%5c',
    '\\',
    '%',
    '4',
    '1',
    'f',
    'a',
    '%c3%bc',
    '%ff',
    '+',
    ':',
    ';',
    '~',
    '#',
  )
  const targets = fc.tuple(fc.array(sign, { maxLength: 14 }), fc.constantFrom('', '?a/b', '?%2e/../', '?'))
  await fc.assert(
    fc.asyncProperty(targets, async ([signs, query]) => {
      const target = `/${signs.join('')}${query}`
      const { status, found } = await ask(target)
      expect(status).toBe(200)
      const segments = read(target)
      // Of those that are refused in any case, how the rest of a segment reads does not matter.
      const isBad = /%(?![0-9a-f]{2})/i.test(target.split('?', 1)[0] ?? '')
      if (!isBad) expect(segments ?? 'deeper', target).toEqual(found === 'deeper' ? found : found.segments)
      else if (segments) expect(hasBadEscape(`http://stowage${target}`, segments), target).toBe(true)
    }),
    { numRuns: 400 },
  )
})
