import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { BlobStore } from '../../server/blobs/blob-store.ts'
import { type Client, startStowage, type TestStowage } from '../support/stowage.ts'

const tools = 'https://tools.example.com'
const strange = { Origin: 'https://evil.example' }
const listed = { Origin: tools }
const digits = '0123456789'

let stowage: TestStowage
let ada: Client

function allowed(response: Response): string | null {
  return response.headers.get('Access-Control-Allow-Origin')
}

function exposed(response: Response): string[] {
  return (response.headers.get('Access-Control-Expose-Headers') ?? '').split(', ')
}

/** What a browser asks before a script's request. */
function ask(client: Client, path: string, headers: Record<string, string>): Promise<Response> {
  const question = { 'Access-Control-Request-Method': 'PUT', 'Access-Control-Request-Headers': 'authorization,x-evil' }
  return client.fetch(path, { method: 'OPTIONS', headers: { ...question, ...headers } })
}

async function start(settings: Record<string, string>): Promise<void> {
  stowage = await startStowage({ settings })
  ada = await stowage.user('ada')
  expect((await ada.put({}, digits)).status).toBe(201)
}

describe('scripts of the origins in STOWAGE_CORS_ORIGINS', () => {
  beforeAll(() => start({ STOWAGE_CORS_ORIGINS: `http://localhost:8080, ${tools}` }))
  afterAll(() => stowage[Symbol.asyncDispose]())

  test('may read a file, its headers and parts of it', async () => {
    const whole = await ada.get({}, listed)
    expect([whole.status, allowed(whole), await whole.text()]).toEqual([200, tools, digits])
    expect(whole.headers.get('Content-Length')).toBe('10')

    const part = await ada.get({}, { ...listed, Range: 'bytes=2-4' })
    expect([part.status, allowed(part), await part.text()]).toEqual([206, tools, '234'])
    expect(part.headers.get('Content-Range')).toBe('bytes 2-4/10')
    expect(exposed(part)).toEqual(
      expect.arrayContaining(['ETag', 'Repr-Digest', 'Content-Disposition', 'Content-Range']),
    )

    const parts = await ada.get({}, { ...listed, Range: 'bytes=0-1,5-6' })
    expect([parts.status, allowed(parts)]).toEqual([206, tools])
    expect(await parts.text()).toContain('56')

    const head = await ada.head({}, listed)
    expect([head.status, allowed(head), head.headers.get('Content-Length')]).toEqual([200, tools, '10'])

    const known = await ada.get({}, { ...listed, 'If-None-Match': whole.headers.get('ETag') ?? '' })
    expect([known.status, allowed(known)]).toEqual([304, tools])
  })

  test('may publish and remove files', async () => {
    const file = { file: 'other.bin' }
    const published = await ada.put(file, 'other', { Origin: 'http://localhost:8080' })
    expect([published.status, allowed(published)]).toEqual([201, 'http://localhost:8080'])
    const removed = await ada.fetch(ada.path(file), { method: 'DELETE', headers: listed })
    expect([removed.status, allowed(removed)]).toEqual([204, tools])
  })

  test('may read lists, and how long these are', async () => {
    const list = await ada.fetch('/api/v1/packages/ada', { headers: listed })
    expect([list.status, allowed(list)]).toEqual([200, tools])
    expect(exposed(list)).toEqual(expect.arrayContaining(['Link', 'X-Total-Count']))
  })

  test.each<[number, string, (client: Client) => Promise<Response>]>([
    [400, 'a name that is none', (client) => client.put({ package: '-' }, 'x', listed)],
    [400, 'a backslash', (client) => client.put({ version: '1\\0' }, 'x', listed)],
    [401, 'nobody', () => stowage.anonymous.as('ada').put({}, 'x', listed)],
    [
      401,
      'a wrong token',
      () => stowage.anonymous.fetch('/api/v1/user', { headers: { ...listed, Authorization: 'token x' } }),
    ],
    [404, 'a file that is not there', (client) => client.get({ file: 'none' }, listed)],
    [404, 'an address of the API that is not there', (client) => client.fetch('/api/v1/none', { headers: listed })],
    [404, 'another part of the API', (client) => client.fetch('/api/none', { headers: listed })],
    [404, 'a deep address', (client) => client.fetch(`/api${'/a'.repeat(30)}`, { headers: listed })],
    [405, 'a method', (client) => client.fetch(client.path(), { method: 'PATCH', headers: listed })],
    [405, 'a method of the API', (client) => client.fetch('/api/v1/version', { method: 'POST', headers: listed })],
    [409, 'a file that is there', (client) => client.put({}, 'x', listed)],
    [412, 'a condition', (client) => client.get({}, { ...listed, 'If-Match': '"none"' })],
    [416, 'a range', (client) => client.get({}, { ...listed, Range: 'bytes=10-' })],
  ])('may read a refusal: %d for %s', async (status, _, send) => {
    const response = await send(ada)
    expect([response.status, allowed(response)]).toEqual([status, tools])
    expect(exposed(response)).toContain('X-Request-Id')
    expect(response.headers.get('Vary')).toContain('Origin')
  })

  test('may read that something went wrong which nobody foresaw', async () => {
    const broken = (store: BlobStore): BlobStore =>
      Object.assign(Object.create(store), {
        stage: () => Promise.reject(new Error('broken')),
        close: () => store.close(),
      })
    await using fresh = await startStowage({
      settings: { STOWAGE_CORS_ORIGINS: tools },
      replace: { blobs: broken },
    })
    const answer = await fresh.admin.put({}, 'x', listed)
    expect([answer.status, allowed(answer)]).toEqual([500, tools])
  })

  test('are told by a preflight what they may send', async () => {
    for (const path of [ada.path(), '/api/v1/user', '/api/v1/none']) {
      const answer = await ask(stowage.anonymous, path, listed)
      expect([answer.status, allowed(answer), await answer.text()]).toEqual([204, tools, ''])
      expect(answer.headers.get('Access-Control-Allow-Methods')).toBe('GET, HEAD, PUT, POST, PATCH, DELETE')
      expect(answer.headers.get('Access-Control-Allow-Headers')).toBe('authorization')
      expect(answer.headers.get('Access-Control-Max-Age')).toBe('7200')
      expect(answer.headers.get('Vary')).toContain('Origin')
      expect(answer.headers.has('Access-Control-Allow-Credentials')).toBe(false)
    }
  })

  test('of other origins are told nothing, and caches that the origin matters', async () => {
    const answers = [
      await ask(ada, ada.path(), strange),
      await ask(ada, ada.path(), { Origin: 'null' }),
      await ada.get({}, strange),
      await ada.get({}, { ...strange, Range: 'bytes=0-1' }),
      await ada.head(),
      await ada.fetch('/api/v1/version'),
      await ada.fetch('/api/none', { headers: strange }),
    ]
    expect(answers.map(({ status }) => status)).toEqual([405, 405, 200, 206, 200, 200, 404])
    expect(answers[0]?.headers.get('Allow')).toBe('GET, HEAD, PUT, DELETE')
    for (const answer of answers) {
      expect(allowed(answer)).toBeNull()
      expect(answer.headers.get('Vary')).toBe('Origin')
    }
  })

  test('may read nothing outside /api', async () => {
    for (const path of ['/', '/healthz', '/readyz', '/none']) {
      const answer = await stowage.anonymous.fetch(path, { headers: listed })
      expect([path, allowed(answer), /origin/i.test(answer.headers.get('Vary') ?? '')]).toEqual([path, null, false])
      expect((await ask(stowage.anonymous, path, listed)).status).toBeGreaterThanOrEqual(404)
    }
  })
})

describe('a server without that setting', () => {
  beforeAll(() => start({}))
  afterAll(() => stowage[Symbol.asyncDispose]())

  test('lets no other origin read an answer', async () => {
    const sent: [string, string][] = [
      ['GET', '/'],
      ['GET', '/healthz'],
      ['GET', '/readyz'],
      ['GET', ada.path()],
      ['HEAD', ada.path()],
      ['PUT', ada.path({ file: 'new' })],
      ['PUT', ada.path()],
      ['DELETE', ada.path({ file: 'new' })],
      ['PATCH', ada.path()],
      ['OPTIONS', ada.path()],
      ['GET', '/api/v1/version'],
      ['GET', '/api/v1/user'],
      ['GET', '/api/v1/packages/ada'],
      ['OPTIONS', '/api/v1/user'],
      ['GET', '/api/v1/none'],
      ['GET', `/api${'/a'.repeat(30)}`],
    ]
    const statuses: number[] = []
    for (const [method, path] of sent) {
      const headers = { ...listed, ...(method === 'OPTIONS' ? { 'Access-Control-Request-Method': 'GET' } : {}) }
      const answer = await ada.fetch(path, { method, headers, ...(method === 'PUT' ? { body: 'x' } : {}) })
      statuses.push(answer.status)
      // A page says of itself that it differs by cookie; by whose script asks, no answer does.
      expect([method, path, /origin/i.test(answer.headers.get('Vary') ?? '')]).toEqual([method, path, false])
      for (const name of ['Access-Control-Allow-Origin', 'Access-Control-Allow-Methods']) {
        expect([method, path, name, answer.headers.get(name)]).toEqual([method, path, name, null])
      }
    }
    expect(statuses).toEqual([200, 200, 200, 200, 200, 201, 409, 204, 405, 405, 200, 200, 200, 405, 404, 404])
  })
})
