import { describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { RawConnection } from '../support/raw-connection.ts'
import { rawRequest } from '../support/raw-socket.ts'
import { refusal } from '../support/refusal.ts'
import { nothing, stored } from '../support/stored.ts'
import { adminPassword, basic, startStowage, type TestStowage } from '../support/stowage.ts'
import { until } from '../support/until.ts'

const asAdmin = { Authorization: basic('admin', adminPassword) }
const target = '/api/packages/admin/generic/tool/1.0/tool.bin'

describe('what is stored', () => {
  test('0 bytes, 1 byte and many: 201 with an empty body, and the same bytes back', async () => {
    await using stowage = await startStowage()
    for (const size of [0, 1, 1_000, 3_000_001]) {
      const file = `of-${size}`
      const bytes = patterned(size)
      const answer = await stowage.admin.put({ file }, bytes)
      expect([size, answer.status, answer.headers.get('content-length'), await answer.text()]).toEqual([
        size,
        201,
        '0',
        '',
      ])
      const got = await (await stowage.anonymous.get({ file })).arrayBuffer()
      expect(Buffer.from(got).equals(bytes)).toBe(true)
    }
  })

  test('the body is the file, whatever its type', async () => {
    await using stowage = await startStowage()
    const types = [
      'application/x-www-form-urlencoded',
      'application/json',
      'text/plain; charset=utf-16',
      'multipart/mixed; boundary=x',
      'multipart/form-datax; boundary=x',
      'nonsense',
    ]
    const body = 'a=1&b=%32+--x\r\n'
    for (const [index, type] of types.entries()) {
      const file = `f${index}`
      const { status } = await stowage.admin.put({ file }, body, { 'Content-Type': type })
      expect([type, status, await (await stowage.anonymous.get({ file })).text()]).toEqual([type, 201, body])
    }
  })

  test('a body without a type', async () => {
    await using stowage = await startStowage()
    expect((await rawRequest(stowage.port, 'PUT', target, asAdmin, 'as it is')).status).toBe(201)
    expect(await (await stowage.anonymous.get()).text()).toBe('as it is')
  })

  test('a chunked body', async () => {
    await using stowage = await startStowage()
    const body = '5\r\nhello\r\n7;ext=1\r\n, world\r\n0\r\n\r\n'
    expect((await chunked(stowage, body)).status).toBe(201)
    expect(await (await stowage.anonymous.get()).text()).toBe('hello, world')
  })

  test('a chunked body without a byte', async () => {
    await using stowage = await startStowage()
    expect((await chunked(stowage, '0\r\n\r\n')).status).toBe(201)
    expect((await stowage.anonymous.get()).headers.get('content-length')).toBe('0')
  })

  test('Content-Encoding is not decoded: what is sent is the file', async () => {
    await using stowage = await startStowage()
    const packed = Bun.gzipSync(Buffer.from('packed '.repeat(100)))
    expect((await stowage.admin.put({ file: 'a.gz' }, packed, { 'Content-Encoding': 'gzip' })).status).toBe(201)
    const got = await stowage.anonymous.get({ file: 'a.gz' })
    expect(got.headers.get('content-encoding')).toBeNull()
    expect(got.headers.get('x-checksum-sha256')).toBe(hex('sha256', packed))
  })

  test('every file remembers its own uploader', async () => {
    await using stowage = await startStowage()
    const ada = await stowage.user('ada')
    await ada.put({ file: 'a' }, 'hers')
    await stowage.admin.put({ owner: 'ada', file: 'b' }, 'not hers')
    const asProblem = { Accept: 'application/json' }
    expect(await (await ada.put({ file: 'a' }, '', asProblem)).json()).toMatchObject({ uploader: 'ada' })
    expect(await (await ada.put({ file: 'b' }, '', asProblem)).json()).toMatchObject({ uploader: 'admin' })
  })
})

describe('a form', () => {
  const file = (name: string, content: string, field = 'file') =>
    part(`form-data; name="${field}"; filename="${name}"`, content, 'application/octet-stream')
  const field = (name: string, content: string) => part(`form-data; name="${name}"`, content)

  test('its first file part is the file, under the name of the address', async () => {
    await using stowage = await startStowage()
    const forms = {
      'one file': [file('x', 'the file')],
      'fields before and after it': [field('a', '1'), file('x', 'the file'), field('b', '2')],
      'of several files the first': [file('x', 'the file'), file('y', 'another', 'second')],
      'a field that looks like the file': [field('file', 'not this'), file('x', 'the file')],
      'a name that leads elsewhere': [file('../../etc/passwd', 'the file')],
    }
    for (const [kind, parts] of Object.entries(forms)) {
      expect([kind, (await form(stowage, `${parts.join('')}--cut--\r\n`)).status]).toEqual([kind, 201])
      expect([kind, await (await stowage.anonymous.get()).text()]).toEqual([kind, 'the file'])
      expect(await stored(stowage)).toMatchObject({ packages: 1, versions: 1, files: 1 })
      await stowage.admin.delete()
    }
  })

  test('a file without a byte', async () => {
    await using stowage = await startStowage()
    expect((await form(stowage, `${file('x', '')}--cut--\r\n`)).status).toBe(201)
    expect((await stowage.anonymous.get()).headers.get('content-length')).toBe('0')
  })

  test('a file of many chunks that holds almost the boundary', async () => {
    await using stowage = await startStowage()
    const content = '\r\n--cut\r--cu\r\n-'.repeat(100_000).replaceAll('\r\n--cut', '\r\n--cuT')
    expect((await form(stowage, `${file('x', content)}--cut--\r\n`)).status).toBe(201)
    expect(await (await stowage.anonymous.get()).text()).toBe(content)
  })

  test('in chunks, with a quoted boundary and a type in capitals', async () => {
    await using stowage = await startStowage()
    const body = `${part('form-data; name="f"; filename="x"', 'quoted').replace('--cut', '--c u:t')}--c u:t--\r\n`
    const type = 'Multipart/Form-Data; charset=utf-8; boundary="c u:t"'
    const chunk = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
    expect((await chunked(stowage, chunk, { 'Content-Type': type })).status).toBe(201)
    expect(await (await stowage.anonymous.get()).text()).toBe('quoted')
  })

  test('what holds no whole file is 400 and stores nothing', async () => {
    await using stowage = await startStowage()
    const whole = `${file('x', 'the file')}--cut--\r\n`
    const bodies = {
      'no part at all': '--cut--\r\n',
      'no file part': `${field('a', '1')}--cut--\r\n`,
      'an empty body': '',
      'no closing boundary': file('x', 'the file'),
      'an end inside the file': whole.slice(0, whole.indexOf('le\r\n')),
      'an end inside the closing boundary': whole.slice(0, -5),
      'an end inside the head of a part': '--cut\r\nContent-Disposition: form-da',
      'another boundary': whole.replaceAll('--cut', '--other'),
    }
    for (const [kind, body] of Object.entries(bodies)) {
      expect([kind, (await form(stowage, body)).status]).toEqual([kind, 400])
      expect([kind, await stored(stowage)]).toEqual([kind, nothing])
    }
  })

  test('no boundary is 400 and stores nothing', async () => {
    await using stowage = await startStowage()
    const types = ['multipart/form-data', 'multipart/form-data; boundary=', 'multipart/form-data; boundary=""']
    for (const type of types) {
      const { status } = await form(stowage, `${file('x', 'the file')}--cut--\r\n`, { 'Content-Type': type })
      expect([type, status]).toEqual([type, 400])
      expect(await stored(stowage)).toEqual(nothing)
    }
  })

  test('Content-Digest is of the form, Repr-Digest of the file in it', async () => {
    await using stowage = await startStowage()
    const body = `${file('x', 'the file')}--cut--\r\n`
    const right = {
      'Content-Digest': `sha-256=:${base64('sha256', body)}:`,
      'Content-MD5': base64('md5', body),
      'Repr-Digest': `sha-256=:${base64('sha256', 'the file')}:`,
      'X-Checksum-Sha1': hex('sha1', 'the file'),
    }
    const swapped = [
      { 'Content-Digest': `sha-256=:${base64('sha256', 'the file')}:` },
      { 'Content-MD5': base64('md5', 'the file') },
      { 'Repr-Digest': `sha-256=:${base64('sha256', body)}:` },
      { 'X-Checksum-Sha1': hex('sha1', body) },
    ]
    for (const wrong of swapped) {
      expect((await form(stowage, body, { ...right, ...wrong })).status).toBe(400)
      expect(await stored(stowage)).toEqual(nothing)
    }
    expect((await form(stowage, body, right)).status).toBe(201)
  })
})

describe('declared digests', () => {
  const content = 'what arrives'
  const other = 'what was meant'
  const declarations: [string, (of: string) => string][] = [
    ['Repr-Digest', (of) => `sha-256=:${base64('sha256', of)}:`],
    ['Repr-Digest', (of) => `sha-512=:${base64('sha512', of)}:`],
    ['Content-Digest', (of) => `sha-256=:${base64('sha256', of)}:`],
    ['Content-Digest', (of) => `unixsum=:AAA=:, sha-512=:${base64('sha512', of)}:`],
    ['X-Checksum-Sha256', (of) => hex('sha256', of)],
    ['X-Checksum-SHA256', (of) => hex('sha256', of).toUpperCase()],
    ['X-Checksum-Sha1', (of) => hex('sha1', of)],
    ['X-Checksum-Md5', (of) => hex('md5', of)],
    ['X-Checksum-Sha512', (of) => hex('sha512', of)],
    ['Content-MD5', (of) => base64('md5', of)],
  ]

  test('each header is verified', async () => {
    await using stowage = await startStowage()
    for (const [header, declare] of declarations) {
      const wrong = await stowage.admin.put({}, content, { [header]: declare(other) })
      expect([header, wrong.status]).toEqual([header, 400])
      expect([header, await stored(stowage)]).toEqual([header, nothing])
      const missing = await stowage.admin.get()
      expect(await refusal(missing)).toEqual([404, 'package does not exist'])
    }
    for (const [index, [header, declare]] of declarations.entries()) {
      const { status } = await stowage.admin.put({ file: `f${index}` }, content, { [header]: declare(content) })
      expect([header, status]).toEqual([header, 201])
    }
  })

  test('one wrong digest among right ones is enough', async () => {
    await using stowage = await startStowage()
    const headers = { 'X-Checksum-Sha256': hex('sha256', content), 'X-Checksum-Md5': hex('md5', other) }
    expect((await stowage.admin.put({}, content, headers)).status).toBe(400)
    expect(await stored(stowage)).toEqual(nothing)
  })

  test('of a chunked body and of no byte', async () => {
    await using stowage = await startStowage()
    const empty = { 'X-Checksum-Sha256': hex('sha256', '') }
    expect((await chunked(stowage, '1\r\nx\r\n0\r\n\r\n', empty)).status).toBe(400)
    expect(await stored(stowage)).toEqual(nothing)
    expect((await chunked(stowage, '0\r\n\r\n', empty)).status).toBe(201)
  })

  test('what cannot be a digest is 400, and nothing is stored', async () => {
    await using stowage = await startStowage()
    const malformed: [string, string][] = [
      ['X-Checksum-Sha256', 'abc'],
      ['X-Checksum-Sha256', 'g'.repeat(64)],
      ['X-Checksum-Sha1', hex('sha256', content)],
      ['X-Checksum-Md5', base64('md5', content)],
      ['X-Checksum-Sha512', ''],
      ['Repr-Digest', `sha-256=${base64('sha256', content)}`],
      ['Repr-Digest', 'sha-256=:AAAA:'],
      ['Content-Digest', 'sha-512=::'],
      ['Content-MD5', hex('md5', content)],
    ]
    for (const [header, value] of malformed) {
      const { status } = await rawRequest(stowage.port, 'PUT', target, { ...asAdmin, [header]: value }, content)
      expect([header, value, status]).toEqual([header, value, 400])
      expect(await stored(stowage)).toEqual(nothing)
    }
  })
})

describe('requests that other registries would misread', () => {
  test('Content-Range is refused: a part must not be stored as the whole', async () => {
    await using stowage = await startStowage()
    const answer = await stowage.admin.put({}, 'tail', { 'Content-Range': 'bytes 10-13/14' })
    expect(await refusal(answer)).toEqual([400, 'partial PUT is not supported'])
    expect(await stored(stowage)).toEqual(nothing)
  })

  test('X-Checksum-Deploy is refused: it would store an empty file', async () => {
    await using stowage = await startStowage()
    const headers = { 'X-Checksum-Deploy': 'true', 'X-Checksum-Sha256': hex('sha256', 'elsewhere') }
    const answer = await stowage.admin.put({}, '', headers)
    expect(await refusal(answer)).toEqual([404, 'checksum deploy is not supported'])
    expect(await stored(stowage)).toEqual(nothing)
  })

  test('X-Checksum-Deploy: false is an upload like any other', async () => {
    await using stowage = await startStowage()
    expect((await stowage.admin.put({}, 'a file', { 'X-Checksum-Deploy': 'false' })).status).toBe(201)
  })
})

describe('a name that is taken', () => {
  test('in any case of its letters: 409, and the first file stays', async () => {
    await using stowage = await startStowage()
    await stowage.admin.put({ package: 'Tool', version: '1.0-RC', file: 'A.txt' }, 'first')
    const spellings = [
      { package: 'Tool', version: '1.0-RC', file: 'A.txt' },
      { package: 'Tool', version: '1.0-RC', file: 'a.TXT' },
      { package: 'tOOL', version: '1.0-rc', file: 'a.txt' },
    ]
    for (const again of spellings) {
      const answer = await stowage.admin.put(again, 'second')
      expect(await refusal(answer)).toEqual([409, 'package file already exists'])
      expect(await (await stowage.anonymous.get(again)).text()).toBe('first')
    }
    expect(await stored(stowage)).toEqual({ packages: 1, versions: 1, files: 1, blobs: 1, filesOnDisk: 1 })
  })

  test('problem details tell "already there" from "taken"', async () => {
    const time = Date.parse('2026-11-24T12:00:00.123Z')
    await using stowage = await startStowage({ replace: { now: () => time } })
    const ada = await stowage.user('Ada')
    await ada.put({}, 'first')
    const answer = await ada.put({}, 'second', { Accept: 'application/problem+json' })
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    expect(await answer.json()).toMatchObject({
      status: 409,
      detail: 'package file already exists',
      sha256: hex('sha256', 'first'),
      size: 5,
      created_at: '2026-11-24T12:00:00.123Z',
      uploader: 'Ada',
    })
  })

  test('two writers of one name: one 201, the other 409', async () => {
    await using stowage = await startStowage()
    const writers = Array.from({ length: 8 }, (_, index) => stowage.admin.put({}, `writer ${index}`))
    const statuses = (await Promise.all(writers)).map((answer) => answer.status).sort()
    expect(statuses).toEqual([201, 409, 409, 409, 409, 409, 409, 409])
    expect(await stored(stowage)).toEqual({ packages: 1, versions: 1, files: 1, blobs: 1, filesOnDisk: 1 })
  })

  test('different files of one new version, all at once: all 201', async () => {
    await using stowage = await startStowage()
    const files = Array.from({ length: 20 }, (_, index) => stowage.admin.put({ file: `f${index}` }, `file ${index}`))
    expect(new Set((await Promise.all(files)).map((answer) => answer.status))).toEqual(new Set([201]))
    expect(await stored(stowage)).toMatchObject({ packages: 1, versions: 1, files: 20 })
  })

  test('one content under many names is stored once', async () => {
    await using stowage = await startStowage()
    for (const file of ['a', 'b', 'c']) expect((await stowage.admin.put({ file }, 'the same')).status).toBe(201)
    expect(await stored(stowage)).toMatchObject({ files: 3, blobs: 1, filesOnDisk: 1 })
  })
})

describe('the largest file size', () => {
  const settings = { STOWAGE_LIMIT_FILE_SIZE: '1000' }
  const tooLarge = 'maximum allowed package type size exceeded'

  test('is allowed, and nobody is exempt', async () => {
    await using stowage = await startStowage({ settings })
    expect((await stowage.admin.put({}, patterned(1000))).status).toBe(201)
    const answer = await stowage.admin.put({ file: 'b' }, patterned(1001))
    expect(await refusal(answer)).toEqual([403, tooLarge])
    expect(await stored(stowage)).toMatchObject({ files: 1, filesOnDisk: 1 })
  })

  test('a declared size is refused before the body is sent', async () => {
    await using stowage = await startStowage({ settings })
    await using connection = await RawConnection.open(stowage.port)
    await connection.write(head({ ...asAdmin, 'Content-Length': '1001' }))
    expect(await refusal(await connection.answer())).toEqual([403, tooLarge])
    expect(await stored(stowage)).toEqual(nothing)
  })

  test('a chunked body is cut off as soon as it is too large', async () => {
    await using stowage = await startStowage({ settings })
    await using connection = await RawConnection.open(stowage.port)
    await connection.write(head({ ...asAdmin, 'Transfer-Encoding': 'chunked' }))
    await connection.write(`3e9\r\n${'x'.repeat(1001)}\r\n`)
    expect(await refusal(await connection.answer())).toEqual([403, tooLarge])
    expect(await stored(stowage)).toEqual(nothing)
  })

  test('of a form the file counts, not the form', async () => {
    await using stowage = await startStowage({ settings })
    const filled = (size: number) => `${part('form-data; name="f"; filename="x"', 'x'.repeat(size))}--cut--\r\n`
    const answer = await form(stowage, filled(1001))
    expect(await refusal(answer)).toEqual([403, tooLarge])
    expect(await stored(stowage)).toEqual(nothing)
    expect((await form(stowage, filled(1000))).status).toBe(201)
  })
})

describe('a connection that ends early stores nothing', () => {
  const parts = '--cut\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\n'
  test.each([
    ['a body of a declared length', { 'Content-Length': '3000000' }, ''],
    ['a chunked body', { 'Transfer-Encoding': 'chunked' }, '200000\r\n'],
    ['a form', { 'Content-Length': '3000000', 'Content-Type': 'multipart/form-data; boundary=cut' }, parts],
  ])('%s', async (_, headers, before) => {
    await using stowage = await startStowage()
    await using connection = await RawConnection.open(stowage.port)
    await connection.write(head({ ...asAdmin, ...headers }) + before)
    await connection.write(patterned(1_000_000))
    await until(async () => (await stored(stowage)).filesOnDisk === 1, 'bytes are being staged')
    connection.hangUp()
    await until(async () => (await stored(stowage)).filesOnDisk === 0, 'the staged bytes are gone')
    expect(await stored(stowage)).toEqual(nothing)
    expect((await stowage.admin.put({}, 'the next attempt')).status).toBe(201)
  })
})

/** Sends a PUT whose body is already in chunks. */
function chunked(stowage: TestStowage, body: string, headers: Record<string, string> = {}) {
  return exchange(stowage, head({ ...asAdmin, ...headers, 'Transfer-Encoding': 'chunked' }) + body)
}

async function exchange(stowage: TestStowage, bytes: string) {
  await using connection = await RawConnection.open(stowage.port)
  await connection.write(bytes)
  return await connection.answer()
}

function form(stowage: TestStowage, body: string, headers: Record<string, string> = {}) {
  const type = { 'Content-Type': 'multipart/form-data; boundary=cut' }
  return rawRequest(stowage.port, 'PUT', target, { ...asAdmin, ...type, ...headers }, body)
}

function part(disposition: string, content: string, type?: string): string {
  const lines = [`Content-Disposition: ${disposition}`, ...(type ? [`Content-Type: ${type}`] : [])]
  return `--cut\r\n${lines.join('\r\n')}\r\n\r\n${content}\r\n`
}

function head(headers: Record<string, string>): string {
  const lines = Object.entries({ Host: 'stowage', ...headers }).map(([name, value]) => `${name}: ${value}`)
  return [`PUT ${target} HTTP/1.1`, ...lines, '', ''].join('\r\n')
}

/** Bytes that show where they have been cut or swapped. */
function patterned(size: number): Buffer<ArrayBuffer> {
  const bytes = Buffer.alloc(size)
  for (let at = 0; at < size; at++) bytes[at] = (at * 31 + (at >> 8)) & 0xff
  return bytes
}

function hex(algorithm: string, of: string | Uint8Array): string {
  return createHash(algorithm).update(of).digest('hex')
}

function base64(algorithm: string, of: string): string {
  return createHash(algorithm).update(of).digest('base64')
}
