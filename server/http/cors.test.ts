import { describe, expect, test } from 'bun:test'
import { preflight, withCors } from './cors.ts'

const tools = 'https://tools.example.com'
const origins = ['http://localhost:8080', tools]

function asking(origin: string | undefined, headers: Record<string, string> = {}, method = 'GET'): Request {
  return new Request('http://stowage/api/v1/version', {
    method,
    headers: origin === undefined ? headers : { ...headers, Origin: origin },
  })
}

describe('an answer may be read', () => {
  test.each<[string | undefined, readonly string[], string | null, string]>([
    [tools, origins, tools, 'a listed origin'],
    ['http://localhost:8080', origins, 'http://localhost:8080', 'another one'],
    ['https://evil.example', origins, null, 'a strange origin'],
    ['https://TOOLS.example.com', origins, null, 'browsers send lower case'],
    ['https://tools.example.com.evil.example', origins, null, 'a name that begins alike'],
    ['http://tools.example.com', origins, null, 'another scheme'],
    ['https://tools.example.com:8443', origins, null, 'another port'],
    ['null', origins, null, 'no origin'],
    ['*', origins, null, 'no wildcard'],
    [`${tools}, ${tools}`, origins, null, 'sent twice'],
    [undefined, origins, null, 'no browser'],
    [tools, [], null, 'nothing is listed'],
  ])('Origin %p with %j: %p (%s)', (origin, listed, expected) => {
    const { headers } = withCors(new Response(), asking(origin), listed)
    expect(headers.get('Access-Control-Allow-Origin')).toBe(expected)
    expect(headers.get('Vary')).toBe(listed.length > 0 ? 'Origin' : null)
    expect(headers.has('Access-Control-Expose-Headers')).toBe(expected !== null)
    expect(headers.has('Access-Control-Allow-Credentials')).toBe(false)
  })

  test('by headers beside those that it has, in the same answer', async () => {
    const answer = new Response('bytes', { headers: { Vary: 'Accept', 'Access-Control-Expose-Headers': 'ETag' } })
    const shared = withCors(answer, asking(tools), origins)
    expect(shared).toBe(answer)
    expect(shared.headers.get('Vary')).toBe('Accept, Origin')
    expect(shared.headers.get('Access-Control-Expose-Headers')).toStartWith('ETag, ')
    expect(await shared.text()).toBe('bytes')
  })

  test('also where it sends the client on', () => {
    const { status, headers } = withCors(Response.redirect('https://blobs.example/', 307), asking(tools), origins)
    expect(status).toBe(307)
    expect(headers.get('Access-Control-Allow-Origin')).toBe(tools)
  })
})

describe('a preflight', () => {
  const forPut = { 'Access-Control-Request-Method': 'PUT' }

  function allowed(wanted: string): string | null | undefined {
    const request = asking(tools, { ...forPut, 'Access-Control-Request-Headers': wanted }, 'OPTIONS')
    return preflight(request, origins)?.headers.get('Access-Control-Allow-Headers')
  }

  test.each<[string, string | null, string]>([
    ['', null, 'an empty list'],
    ['authorization,content-type', 'authorization, content-type', 'as browsers write it'],
    ['Authorization ,  If-Range', 'authorization, if-range', 'spaces and letter case'],
    ['x-checksum-sha256,x-checksum-sha3', 'x-checksum-sha256', 'a digest that is none'],
    ['cookie,x-forwarded-for,x-remote-user', null, 'nothing of this may be sent'],
    ['*', null, 'no wildcard'],
    ['range,range,range', 'range', 'each once'],
    ['x-evil,range\t, ,', 'range', 'only what is known comes back'],
  ])('for the headers %p allows %p (%s)', (wanted, expected) => {
    expect(allowed(wanted)).toBe(expected)
  })

  test.each([
    'if-match, if-none-match, if-modified-since, if-unmodified-since, if-range, range',
    'repr-digest, content-digest, content-md5, x-checksum-md5, x-checksum-sha1, x-checksum-sha256, x-checksum-sha512',
    'authorization, private-token, job-token, x-nuget-apikey, x-gitea-otp, x-stowage-otp',
  ])('allows all of %s', (wanted) => {
    expect(allowed(wanted)).toBe(wanted)
  })

  test('that asks for no header is told of none', () => {
    const answer = preflight(asking(tools, forPut, 'OPTIONS'), origins)
    expect(answer?.status).toBe(204)
    expect(answer?.headers.has('Access-Control-Allow-Headers')).toBe(false)
  })

  test.each<[string, Request, readonly string[]]>([
    ['a strange origin', asking('https://evil.example', forPut, 'OPTIONS'), origins],
    ['no origin', asking(undefined, forPut, 'OPTIONS'), origins],
    ['OPTIONS for its own sake', asking(tools, {}, 'OPTIONS'), origins],
    ['another method', asking(tools, forPut, 'GET'), origins],
    ['nothing is listed', asking(tools, forPut, 'OPTIONS'), []],
  ])('is something else: %s', (_, request, listed) => {
    expect(preflight(request, listed)).toBeUndefined()
  })
})
