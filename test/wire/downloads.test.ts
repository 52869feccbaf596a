import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { rawRequest } from '../support/raw-socket.ts'
import { refusal } from '../support/refusal.ts'
import { startStowage, type TestStowage } from '../support/stowage.ts'

/** 1,000 bytes, no two stretches of four alike. */
const content = Array.from({ length: 250 }, (_, index) => String(index).padStart(4, '0')).join('')
const sha256 = createHash('sha256').update(content).digest()
const etag = `"${sha256.toString('hex')}"`
// The fraction of a second is not in the header, and must not make the file newer than itself.
const published = '2026-11-24T12:00:00.750Z'
const lastModified = 'Tue, 24 Nov 2026 12:00:00 GMT'
const before = 'Tue, 24 Nov 2026 11:59:59 GMT'
const after = 'Tue, 24 Nov 2026 12:00:01 GMT'
const target = '/api/packages/admin/generic/tool/1.0/tool.bin'

/** What every answer says of the file, 200 or part. */
const ofTheFile = {
  'content-type': 'application/octet-stream',
  'content-disposition': 'attachment; filename=tool.bin',
  'accept-ranges': 'bytes',
  'last-modified': lastModified,
  etag,
  'repr-digest': `sha-256=:${sha256.toString('base64')}:`,
  'x-checksum-sha256': sha256.toString('hex'),
  'cache-control': 'max-age=0, private, must-revalidate',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; sandbox",
  'access-control-expose-headers': 'Content-Disposition, ETag, Repr-Digest',
}

let stowage: TestStowage
beforeAll(async () => {
  stowage = await startStowage({ replace: { now: () => Date.parse(published) } })
  await stowage.admin.put({}, content)
})
afterAll(() => stowage[Symbol.asyncDispose]())

const get = (headers: Record<string, string> = {}) => rawRequest(stowage.port, 'GET', target, headers)

/** As most clients see it: whether it came in chunks or with a length is not told. */
const fetched = async (headers: Record<string, string>) => {
  const answer = await stowage.anonymous.get({}, headers)
  return { status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.text() }
}
const head = (headers: Record<string, string> = {}) => rawRequest(stowage.port, 'HEAD', target, headers)

describe('headers', () => {
  test('of a GET are exactly these', async () => {
    const { status, headers, body } = await get()
    const { date, connection, ...others } = headers
    expect(status).toBe(200)
    expect(others).toEqual({ ...ofTheFile, 'content-length': '1000' })
    expect(body.toString()).toBe(content)
  })

  test('of a HEAD are those of a GET, and no body comes', async () => {
    const { status, headers, body } = await head()
    const { date, connection, ...others } = headers
    expect(status).toBe(200)
    expect(others).toEqual({ ...ofTheFile, 'content-length': '1000' })
    expect(body.byteLength).toBe(0)
  })

  test('a type that a browser would show is never told', async () => {
    for (const file of ['page.html', 'picture.svg', 'script.js', 'text.txt']) {
      await stowage.admin.put({ package: 'web', file }, '<script>alert(1)</script>', { 'Content-Type': 'text/html' })
      const answer = await stowage.anonymous.get({ package: 'web', file })
      expect(answer.headers.get('content-type')).toBe('application/octet-stream')
      expect(answer.headers.get('content-disposition')).toBe(`attachment; filename=${file}`)
    }
  })

  test('a file name is quoted where it has a space or a special character', async () => {
    const names = {
      'a-b_c+d.e~f!g#h$i%j^k&l{m}': 'a-b_c+d.e~f!g#h$i%j^k&l{m}',
      'a b': '"a b"',
      'a(b': '"a(b"',
      'a)b': '"a)b"',
      'a@b': '"a@b"',
      'a;b': '"a;b"',
      'a:b': '"a:b"',
      'a[b': '"a[b"',
      'a]b': '"a]b"',
      'a=b': '"a=b"',
    }
    for (const [file, shown] of Object.entries(names)) {
      await stowage.admin.put({ package: 'quoted', file }, 'x')
      const { headers } = await stowage.anonymous.get({ package: 'quoted', file })
      expect(headers.get('content-disposition')).toBe(`attachment; filename=${shown}`)
    }
  })

  test('an empty file has them too', async () => {
    await stowage.admin.put({ package: 'empty' }, '')
    for (const answer of [
      await stowage.anonymous.get({ package: 'empty' }),
      await stowage.anonymous.head({ package: 'empty' }),
    ]) {
      expect(answer.status).toBe(200)
      expect(answer.headers.get('content-length')).toBe('0')
      expect(answer.headers.get('etag')).toBe(`"${createHash('sha256').digest('hex')}"`)
    }
  })
})

describe('one range', () => {
  test.each([
    ['bytes=0-0', 0, 0],
    ['bytes=0-99', 0, 99],
    ['bytes=990-', 990, 999],
    ['bytes=999-999', 999, 999],
    ['bytes=-1', 999, 999],
    ['bytes=-10', 990, 999],
    ['bytes=-5000', 0, 999],
    ['bytes=500-99999999999999999999', 500, 999],
    ['bytes=0-', 0, 999],
    ['bytes=2000-3000, 10-19', 10, 19],
  ])('%s is bytes %d to %d', async (range, first, last) => {
    const { status, headers, body } = await get({ Range: range })
    const { date, connection, ...others } = headers
    expect(status).toBe(206)
    expect(others).toEqual({
      ...ofTheFile,
      'content-range': `bytes ${first}-${last}/1000`,
      'content-length': String(last - first + 1),
    })
    expect(body.toString()).toBe(content.slice(first, last + 1))
  })

  test.each(['bytes=1000-', 'bytes=1000-1000', 'bytes=5000-6000', 'bytes=-0', 'bytes=1000-,2000-'])(
    '%s lies behind the end: 416',
    async (range) => {
      const { status, headers, body } = await get({ Range: range })
      expect(status).toBe(416)
      expect(headers['content-range']).toBe('bytes */1000')
      expect(headers['content-type']).toBe('text/plain; charset=utf-8')
      expect(headers['x-content-type-options']).toBe('nosniff')
      expect(headers['content-disposition']).toBeUndefined()
      expect(body.toString()).not.toContain(content.slice(0, 8))
    },
  )

  test.each(['bytes=5-4', 'bytes=', 'bytes=a-b', 'bytes=1', 'bytes=--1', 'bytes', 'lines=0-1', 'bytes=0x1-0x2'])(
    '%s is no range: the whole file',
    async (range) => {
      const { status, headers, body } = await get({ Range: range })
      expect([status, headers['content-length'], headers['content-range']]).toEqual([200, '1000', undefined])
      expect(body.toString()).toBe(content)
    },
  )

  test('HEAD pays no attention to it', async () => {
    const { status, headers } = await head({ Range: 'bytes=0-0' })
    expect([status, headers['content-length'], headers['content-range']]).toEqual([200, '1000', undefined])
  })
})

describe('several ranges', () => {
  test.each([
    ['bytes=0-3,500-509', ['0-3', '500-509']],
    ['bytes=-3, 4-7 ,0-0', ['997-999', '4-7', '0-0']],
    ['bytes=0-9,5-14', ['0-9', '5-14']],
    ['bytes=0-499,500-999', ['0-499', '500-999']],
    ['bytes=0-0,3000-,1-1', ['0-0', '1-1']],
    [
      `bytes=${Array.from({ length: 16 }, (_, n) => `${n * 10}-${n * 10}`)}`,
      Array.from({ length: 16 }, (_, n) => `${n * 10}-${n * 10}`),
    ],
  ])('%s come as parts of one answer', async (range, expected) => {
    const { status, headers, body } = await fetched({ Range: range })
    expect(status).toBe(206)
    expect(headers['content-range']).toBeUndefined()
    expect(headers.etag).toBe(etag)
    const boundary = /^multipart\/byteranges; boundary=("?)([^"]+)\1$/.exec(headers['content-type'] ?? '')?.[2]
    expect(partsOf(body, String(boundary))).toEqual(
      expected.map((span) => {
        const [first = 0, last = 0] = span.split('-').map(Number)
        return {
          'content-type': 'application/octet-stream',
          'content-range': `bytes ${span}/1000`,
          body: content.slice(first, last + 1),
        }
      }),
    )
  })

  test.each([
    ['more than sixteen', `bytes=${Array.from({ length: 17 }, (_, n) => `${n}-${n}`)}`],
    ['more bytes than the file has', 'bytes=0-999,0-0'],
    ['the whole file again and again', 'bytes=0-,0-,0-'],
    ['one of them no range', 'bytes=0-1,x'],
  ])('%s: the whole file', async (_, range) => {
    const { status, headers, body } = await get({ Range: range })
    expect([status, headers['content-type'], headers['content-range']]).toEqual([
      200,
      'application/octet-stream',
      undefined,
    ])
    expect(body.toString()).toBe(content)
  })
})

describe('If-Range', () => {
  test.each([
    ['the entity tag', etag, 206],
    ['the date', lastModified, 206],
    ['another tag', '"other"', 200],
    ['a weak tag', `W/${etag}`, 200],
    ['an earlier date', before, 200],
    ['a later date', after, 200],
    ['no validator', 'yesterday', 200],
  ])('%s', async (_, validator, status) => {
    const answer = await get({ Range: 'bytes=10-19', 'If-Range': validator })
    expect([answer.status, answer.body.toString()]).toEqual([status, status === 206 ? content.slice(10, 20) : content])
  })
})

describe('conditions', () => {
  const cases: [string, Record<string, string>, number][] = [
    ['If-None-Match, the tag', { 'If-None-Match': etag }, 304],
    ['If-None-Match, weakly', { 'If-None-Match': `W/${etag}` }, 304],
    ['If-None-Match, in a list', { 'If-None-Match': `"a,b", ${etag}, "c"` }, 304],
    ['If-None-Match, in a list, weakly', { 'If-None-Match': `"a", W/${etag}` }, 304],
    ['If-None-Match, *', { 'If-None-Match': '*' }, 304],
    ['If-None-Match, another', { 'If-None-Match': '"other", W/"another"' }, 200],
    ['If-None-Match, without quotes', { 'If-None-Match': etag.slice(1, -1) }, 200],
    ['If-Match, the tag', { 'If-Match': etag }, 200],
    ['If-Match, in a list', { 'If-Match': `"a", ${etag}` }, 200],
    ['If-Match, *', { 'If-Match': '*' }, 200],
    ['If-Match, another', { 'If-Match': '"other"' }, 412],
    ['If-Match, weakly', { 'If-Match': `W/${etag}` }, 412],
    ['If-Modified-Since, that second', { 'If-Modified-Since': lastModified }, 304],
    ['If-Modified-Since, later', { 'If-Modified-Since': after }, 304],
    ['If-Modified-Since, earlier', { 'If-Modified-Since': before }, 200],
    ['If-Modified-Since, RFC 850', { 'If-Modified-Since': 'Tuesday, 24-Nov-26 12:00:00 GMT' }, 304],
    ['If-Modified-Since, asctime', { 'If-Modified-Since': 'Tue Nov 24 12:00:00 2026' }, 304],
    ['If-Modified-Since, no date', { 'If-Modified-Since': 'yesterday' }, 200],
    ['If-Unmodified-Since, that second', { 'If-Unmodified-Since': lastModified }, 200],
    ['If-Unmodified-Since, earlier', { 'If-Unmodified-Since': before }, 412],
    ['If-Unmodified-Since, no date', { 'If-Unmodified-Since': 'yesterday' }, 200],
    ['the tag counts, not the date', { 'If-None-Match': '"other"', 'If-Modified-Since': after }, 200],
    ['If-Match counts, not the date', { 'If-Match': etag, 'If-Unmodified-Since': before }, 200],
    ['If-Match before If-None-Match', { 'If-Match': '"other"', 'If-None-Match': etag }, 412],
    ['both hold', { 'If-Match': etag, 'If-None-Match': etag }, 304],
    ['a condition before a range', { 'If-None-Match': etag, Range: 'bytes=0-0' }, 304],
    ['a condition before a range that cannot be', { 'If-Match': '"other"', Range: 'bytes=5000-' }, 412],
  ]

  test.each(cases)('%s', async (_, headers, status) => {
    const [read, asked] = [await get(headers), await head(headers)]
    expect([read.status, asked.status]).toEqual([status, status])
    expect(asked.body.byteLength).toBe(0)
    if (status === 200) expect(read.body.toString()).toBe(content)
    if (status === 304) {
      expect(read.body.byteLength).toBe(0)
      expect(read.headers).toMatchObject({
        etag,
        'last-modified': lastModified,
        'cache-control': ofTheFile['cache-control'],
      })
    }
  })

  test('a 412 is an error like any other, not a file', async () => {
    const { headers, body } = await get({ 'If-Match': '"other"' })
    expect(headers['content-type']).toBe('text/plain; charset=utf-8')
    expect(headers['content-disposition']).toBeUndefined()
    expect(headers['x-content-type-options']).toBe('nosniff')
    expect(headers['x-request-id']).toBeDefined()
    expect(body.byteLength).toBeGreaterThan(1)
  })

  test.each([
    [412, { 'If-Match': '"other"' }],
    [416, { Range: 'bytes=5000-' }],
  ])('%d as problem details', async (status, headers) => {
    const answer = await get({ Accept: 'application/json', ...(headers as Record<string, string>) })
    expect(answer.status).toBe(status)
    expect(answer.headers['content-type']).toBe('application/problem+json')
    expect(JSON.parse(answer.body.toString())).toMatchObject({ status, detail: expect.any(String) })
  })
})

describe('what is not there', () => {
  const unknown: [string, string, string][] = [
    ['owner', '/api/packages/nobody/generic/tool/1.0/tool.bin', 'Not found.'],
    ['package', '/api/packages/admin/generic/other/1.0/tool.bin', 'package does not exist'],
    ['version', '/api/packages/admin/generic/tool/2.0/tool.bin', 'package does not exist'],
    ['file', '/api/packages/admin/generic/tool/1.0/other.bin', 'package file does not exist'],
  ]

  test.each(unknown)('an unknown %s', async (_, path, sentence) => {
    const answer = await stowage.admin.fetch(path)
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
    expect(await refusal(answer)).toEqual([404, sentence])
    expect(await refusal(await stowage.admin.fetch(path, { method: 'DELETE' }))).toEqual([404, sentence])
    const asked = await stowage.admin.fetch(path, { method: 'HEAD' })
    expect([asked.status, await asked.text()]).toEqual([404, ''])
  })

  test('a version to delete that is unknown', async () => {
    expect(await refusal(await stowage.admin.deleteVersion({ version: '2.0' }))).toEqual([
      404,
      'package does not exist',
    ])
    expect(await refusal(await stowage.admin.deleteVersion({ owner: 'nobody' }))).toEqual([404, 'Not found.'])
  })

  test.each([
    '/api/packages',
    '/api/packages/admin',
    '/api/packages/admin/generic',
    '/api/packages/admin/generic/tool',
    '/api/packages/admin/generic/tool/1.0/tool.bin/more',
    '/api/packages/admin/maven/tool/1.0/tool.bin',
    '/api/packages/admin/Generic/tool/1.0/tool.bin',
    '/api/package/admin/generic/tool/1.0/tool.bin',
    '/packages/admin/generic/tool/1.0/tool.bin',
    '/api',
    '/nothing/at/all',
  ])('%s is no address, by whatever method', async (path) => {
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'POST', 'PATCH']) {
      const { status } = await rawRequest(stowage.port, method, path)
      expect([method, status]).toEqual([method, 404])
    }
  })
})

describe('other methods', () => {
  test.each([
    ['a file', target, ['POST', 'PATCH', 'OPTIONS'], ['DELETE', 'GET', 'HEAD', 'PUT']],
    ['a version', '/api/packages/admin/generic/tool/1.0', ['GET', 'HEAD', 'PUT', 'POST', 'PATCH'], ['DELETE']],
    ['a version that is not there', '/api/packages/admin/generic/none/9', ['GET', 'PUT', 'POST'], ['DELETE']],
  ])('%s: 405, and Allow says which', async (_, path, refused, allowed) => {
    for (const method of refused) {
      const { status, headers } = await rawRequest(stowage.port, method, path)
      expect([method, status]).toEqual([method, 405])
      expect(headers.allow?.split(/\s*,\s*/).sort()).toEqual(allowed)
    }
  })
})

describe('deleting', () => {
  test('the last file takes its version along', async () => {
    await stowage.admin.put({ package: 'short-lived', file: 'a' }, 'a')
    await stowage.admin.put({ package: 'short-lived', file: 'b' }, 'b')
    const answer = await stowage.admin.delete({ package: 'short-lived', file: 'a' })
    expect([answer.status, await answer.text()]).toEqual([204, ''])
    const gone = await stowage.anonymous.get({ package: 'short-lived', file: 'a' })
    expect(await refusal(gone)).toEqual([404, 'package file does not exist'])
    expect((await stowage.admin.delete({ package: 'short-lived', file: 'b' })).status).toBe(204)
    const all = await stowage.anonymous.get({ package: 'short-lived', file: 'b' })
    expect(await refusal(all)).toEqual([404, 'package does not exist'])
  })

  test('a version takes its files along, and its name can be used again', async () => {
    await stowage.admin.put({ package: 'again', file: 'a' }, 'first')
    expect((await stowage.admin.deleteVersion({ package: 'AGAIN' })).status).toBe(204)
    expect((await stowage.anonymous.get({ package: 'again', file: 'a' })).status).toBe(404)
    expect((await stowage.admin.put({ package: 'again', file: 'a' }, 'second')).status).toBe(201)
    expect(await (await stowage.anonymous.get({ package: 'again', file: 'a' })).text()).toBe('second')
  })
})

/** The parts of a `multipart/byteranges` body, read strictly (RFC 2046 §5.1.1). */
function partsOf(body: string, boundary: string): Record<string, string>[] {
  const inner = new RegExp(`^(?:\\r\\n)?--${boundary}\\r\\n(.*)\\r\\n--${boundary}--(?:\\r\\n)?$`, 's').exec(body)?.[1]
  if (inner === undefined) throw new Error(`no multipart body: ${body}`)
  return inner.split(`\r\n--${boundary}\r\n`).map((part) => {
    const end = part.indexOf('\r\n\r\n')
    const lines = part.slice(0, end).split('\r\n')
    const headers = lines.map((line): [string, string] => {
      const [name = '', value = ''] = line.split(': ')
      return [name.toLowerCase(), value]
    })
    return { ...Object.fromEntries(headers), body: part.slice(end + 4) }
  })
}
