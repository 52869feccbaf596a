import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { BlobStore } from '../../server/blobs/blob-store.ts'
import { blobFiles } from '../support/inventory.ts'
import { RawConnection } from '../support/raw-connection.ts'
import { type RawAnswer, rawRequest } from '../support/raw-socket.ts'
import { refusal } from '../support/refusal.ts'
import { type Stored, stored } from '../support/stored.ts'
import { basic, startStowage, type TestStowage } from '../support/stowage.ts'
import { until } from '../support/until.ts'

/** An upload of Ada's that would succeed, and what can be wrong with it. */
interface Upload {
  method: string
  type: string
  owner: string
  package: string
  file: string
  credential: 'ada' | 'wrong' | 'unscoped' | 'reader' | 'none'
  body: 'fits' | 'declared too large' | 'too large, in chunks'
  contentRange: string | undefined
  digest: string | undefined
}

const faultless: Upload = {
  method: 'PUT',
  type: 'generic',
  owner: 'ada',
  package: 'tool',
  file: 'new',
  credential: 'ada',
  body: 'fits',
  contentRange: undefined,
  digest: undefined,
}

interface Fault {
  /** Faults of a lower rank are told first; between equals the protocol does not say. */
  rank: number
  makes: Partial<Upload>
  status: number
  sentence?: string
}

const tooLarge = 'maximum allowed package type size exceeded'

const faults: Record<string, Fault> = {
  'an unknown route': { rank: 0, makes: { type: 'maven' }, status: 404, sentence: 'Not found.' },
  'a wrong method': { rank: 0, makes: { method: 'POST' }, status: 405 },
  'wrong credentials': {
    rank: 1,
    makes: { credential: 'wrong' },
    status: 401,
    sentence: 'Failed to authenticate user',
  },
  'an unknown owner': { rank: 2, makes: { owner: 'nobody' }, status: 404, sentence: 'Not found.' },
  'a hidden owner': { rank: 2, makes: { owner: 'hidden' }, status: 404, sentence: 'Not found.' },
  'a token without read:package': { rank: 3, makes: { credential: 'unscoped' }, status: 403 },
  'a token without write:package': { rank: 4, makes: { credential: 'reader' }, status: 403 },
  "somebody else's packages": { rank: 4, makes: { owner: 'public' }, status: 403 },
  'no credentials': { rank: 4, makes: { credential: 'none' }, status: 401 },
  'an invalid package name': { rank: 5, makes: { package: '-' }, status: 400, sentence: 'invalid package name' },
  'a partial PUT': {
    rank: 5,
    makes: { contentRange: 'bytes 5-9/10' },
    status: 400,
    sentence: 'partial PUT is not supported',
  },
  'a digest that is none': { rank: 5, makes: { digest: 'abc' }, status: 400 },
  'a declared size over the limit': { rank: 6, makes: { body: 'declared too large' }, status: 403, sentence: tooLarge },
  'a taken name': { rank: 7, makes: { file: 'taken' }, status: 409, sentence: 'package file already exists' },
  'a body over the limit': { rank: 8, makes: { body: 'too large, in chunks' }, status: 403, sentence: tooLarge },
  'a digest of something else': { rank: 9, makes: { digest: 'ab'.repeat(32) }, status: 400 },
}

let stowage: TestStowage
let credentials: Record<Upload['credential'], Record<string, string>>
let before: Stored

beforeAll(async () => {
  stowage = await startStowage({ settings: { STOWAGE_LIMIT_FILE_SIZE: '1000' } })
  const [ada] = await Promise.all([
    stowage.user('ada'),
    stowage.user('hidden', { visibility: 'private' }),
    stowage.user('public'),
  ])
  const [unscoped, reader] = [await ada.token(['read:user']), await ada.token(['read:package'])]
  credentials = {
    ada: { Authorization: basic('ada', 'ada-Pass-1234') },
    wrong: { Authorization: `token ${'0'.repeat(40)}` },
    unscoped: { Authorization: `token ${unscoped.secret}` },
    reader: { Authorization: `token ${reader.secret}` },
    none: {},
  }
  await ada.put({ file: 'taken' }, 'first')
  before = await stored(stowage)
})
afterAll(() => stowage[Symbol.asyncDispose]())

describe('which error wins', () => {
  test.each(Object.entries(faults))('%s alone', async (_, { makes, status, sentence }) => {
    const answer = await send(makes)
    expect(answer.status).toBe(status)
    if (sentence !== undefined) expect(await refusal(answer)).toEqual([status, sentence])
  })

  const pairs = Object.entries(faults).flatMap(([name, first]) =>
    Object.entries(faults)
      .filter(([, second]) => second.rank > first.rank && !Object.keys(second.makes).some((key) => key in first.makes))
      // An owner is hidden only from those who have signed in: anybody else is asked to.
      .filter(([other]) => !(name === 'a hidden owner' && other === 'no credentials'))
      .map(([other, second]): [string, string, Fault, Fault] => [name, other, first, second]),
  )

  test.each(pairs)('%s before %s', async (_, __, first, second) => {
    const answer = await send({ ...second.makes, ...first.makes })
    expect(await refusal(answer)).toEqual(await refusal(await send(first.makes)))
    expect(answer.status).toBe(first.status)
    if (first.sentence !== undefined) expect(await refusal(answer)).toEqual([first.status, first.sentence])
  })

  test('a wrong digest before a name that was taken meanwhile', async () => {
    await using fresh = await startStowage()
    expect(await overtaken(fresh, { 'X-Checksum-Sha256': 'ab'.repeat(32) })).toBe(400)
    expect(await overtaken(fresh, {})).toBe(409)
  })

  test('nothing was stored by any of them', async () => {
    for (const { makes } of Object.values(faults)) await send(makes)
    expect(await stored(stowage)).toEqual(before)
  })
})

describe('a DELETE', () => {
  const target = '/api/packages/ada/generic/tool/1.0/taken'
  test.each([
    ['wrong credentials before an unknown owner', '/api/packages/nobody/generic/a/1/f', 'wrong', 401],
    ['an unknown owner before missing rights', '/api/packages/nobody/generic/a/1/f', 'reader', 404],
    ['missing rights before an unknown package', '/api/packages/ada/generic/other/1/f', 'reader', 403],
    ['no credentials before an unknown package', '/api/packages/ada/generic/other/1/f', 'none', 401],
    ['missing rights before an unknown version', '/api/packages/ada/generic/tool/9', 'reader', 403],
    ['missing rights', target, 'unscoped', 403],
    ['nothing wrong but the name', '/api/packages/ada/generic/tool/1.0/other', 'ada', 404],
  ] as const)('%s', async (_, path, credential, status) => {
    expect((await rawRequest(stowage.port, 'DELETE', path, credentials[credential])).status).toBe(status)
    expect((await rawRequest(stowage.port, 'GET', target)).status).toBe(200)
  })
})

describe('how an error is told', () => {
  const missing = '/api/packages/ada/generic/tool/1.0/missing'
  const get = (path: string, headers: Record<string, string>) => rawRequest(stowage.port, 'GET', path, headers)

  test.each([
    ['application/json', true],
    ['application/problem+json', true],
    ['APPLICATION/JSON; charset=utf-8', true],
    ['application/json, text/plain;q=0.5', true],
    ['text/html;q=0.1, application/problem+json', true],
    ['*/*', false],
    ['text/plain', false],
    ['text/plain, application/json;q=0.5', false],
    ['application/json;q=0', false],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', false],
    ['', false],
  ])('Accept: %s', async (accept, wantsJson) => {
    const { status, headers, body } = await get(missing, { Accept: accept })
    expect(status).toBe(404)
    expect(headers['x-content-type-options']).toBe('nosniff')
    if (wantsJson) {
      expect(headers['content-type']).toBe('application/problem+json')
      expect(JSON.parse(body.toString())).toMatchObject({ status: 404, detail: 'package file does not exist' })
    } else {
      expect(headers['content-type']).toBe('text/plain; charset=utf-8')
      expect(body.toString()).toBe('package file does not exist\n')
    }
  })

  test('status and sentence are the same in both formats', async () => {
    for (const [name, { makes }] of Object.entries(faults)) {
      const [status, sentence] = await refusal(await send(makes))
      const problem = JSON.parse((await send(makes, { Accept: 'application/json' })).body.toString())
      expect([name, problem.status, problem.detail]).toEqual([name, status, sentence])
    }
  })

  test('every one has an id of its own, and no browser guesses its type', async () => {
    const ids = new Set<string | undefined>()
    for (const [name, { makes }] of Object.entries(faults)) {
      const { headers } = await send(makes)
      expect([name, headers['x-content-type-options']]).toEqual([name, 'nosniff'])
      expect([name, headers['content-type']]).toEqual([name, 'text/plain; charset=utf-8'])
      ids.add(headers['x-request-id'])
    }
    expect(ids.has(undefined)).toBe(false)
    expect(ids.size).toBe(Object.keys(faults).length)
  })

  test('a challenge comes with 401 and with nothing else', async () => {
    for (const [name, { makes, status }] of Object.entries(faults)) {
      const { headers } = await send(makes)
      const challenge = status === 401 ? 'Basic realm="Stowage"' : undefined
      expect([name, headers['www-authenticate']]).toEqual([name, challenge])
    }
    const anonymous = await get('/api/packages/hidden/generic/a/1/f', {})
    expect([anonymous.status, anonymous.headers['www-authenticate']]).toEqual([401, 'Basic realm="Stowage"'])
  })

  test('what nobody foresaw is 500 with an id, and tells nothing from inside', async () => {
    const broken = (store: BlobStore): BlobStore =>
      new Proxy(store, {
        get(target, key) {
          if (key === 'stage') return () => Promise.reject(new Error('the secret inside'))
          const value = Reflect.get(target, key, target)
          return typeof value === 'function' ? value.bind(target) : value
        },
      })
    await using fresh = await startStowage({ replace: { blobs: broken } })
    const answer = await fresh.admin.put({}, 'x')
    const id = answer.headers.get('x-request-id') ?? ''
    const text = await answer.text()
    expect(answer.status).toBe(500)
    expect(id).not.toBe('')
    expect(text).toContain('internal server error')
    expect(text).toContain(id)
    expect(text).not.toContain('secret')

    const details = await (await fresh.admin.put({}, 'x', { Accept: 'application/json' })).json()
    expect(details).toMatchObject({ status: 500, detail: 'internal server error' })
    expect(JSON.stringify(details)).not.toContain('secret')
  })
})

/** Sends the faultless upload with these changes, and its whole body. */
async function send(changes: Partial<Upload>, more: Record<string, string> = {}): Promise<RawAnswer> {
  const upload = { ...faultless, ...changes }
  const headers = {
    Host: 'stowage',
    Connection: 'close',
    ...credentials[upload.credential],
    ...(upload.contentRange ? { 'Content-Range': upload.contentRange } : {}),
    ...(upload.digest ? { 'X-Checksum-Sha256': upload.digest } : {}),
    ...more,
  }
  const content = 'x'.repeat(upload.body === 'fits' ? 10 : 1001)
  const [framing, body] =
    upload.body === 'too large, in chunks'
      ? ['Transfer-Encoding: chunked', `3e9\r\n${content}\r\n0\r\n\r\n`]
      : [`Content-Length: ${content.length}`, content]
  const path = `/api/packages/${upload.owner}/${upload.type}/${upload.package}/1.0/${upload.file}`
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  await using connection = await RawConnection.open(stowage.port)
  await connection.write([`${upload.method} ${path} HTTP/1.1`, ...lines, framing, '', body].join('\r\n'))
  return await connection.answer()
}

/** The status of an upload whose name is taken by another one while its body is on the way. */
async function overtaken(server: TestStowage, headers: Record<string, string>): Promise<number> {
  await server.admin.deleteVersion()
  const onDisk = (await blobFiles(server.dataDir)).size
  const lines = Object.entries({ ...headers, Authorization: basic('admin', 'admin-Pass-1234') })
  await using connection = await RawConnection.open(server.port)
  await connection.write(
    [
      'PUT /api/packages/admin/generic/tool/1.0/tool.bin HTTP/1.1',
      'Host: stowage',
      'Content-Length: 10',
      ...lines.map((line) => line.join(': ')),
      '',
      'first',
    ].join('\r\n'),
  )
  await until(async () => (await blobFiles(server.dataDir)).size > onDisk, 'the upload has passed the early checks')
  expect((await server.admin.put({}, 'faster')).status).toBe(201)
  await connection.write('later')
  return (await connection.answer()).status
}
