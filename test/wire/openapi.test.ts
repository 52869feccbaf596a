import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Glob } from 'bun'
import type { OpenAPIV3_1 } from 'openapi-types'
import { apiApp } from '../../server/http/api/app.ts'
import { methods, type Operation } from '../../server/http/api/document.ts'
import { tags } from '../../server/http/api/documented.ts'
import type { HttpParts } from '../../server/http/parts.ts'
import { AnswerCheck, demandDocumented, documentAlone } from '../support/documented-answers.ts'
import { routesOf } from '../support/routes.ts'
import { startStowage, type TestStowage } from '../support/stowage.ts'

/*
 * The document, as it is given out, and as a page. That answers are as it says is held by every test: `documented-answers.ts`.
 */

const document = await documentAlone()
const snapshotFile = new URL('openapi.snapshot.json', import.meta.url)

const operations = Object.entries(document.paths ?? {}).flatMap(([path, item = {}]) =>
  methods.flatMap((method) => {
    const operation = item[method] as Operation | undefined
    const parameters = [...(item.parameters ?? []), ...(operation?.parameters ?? [])].map(resolved)
    return operation ? [{ name: `${method.toUpperCase()} ${path}`, path, operation, parameters }] : []
  }),
)

function resolved(parameter: object): OpenAPIV3_1.ParameterObject {
  const name = '$ref' in parameter ? String(parameter.$ref).split('/').at(-1) : undefined
  return (name === undefined ? parameter : document.components?.parameters?.[name]) as OpenAPIV3_1.ParameterObject
}

/** Every value in the document, with where it is. */
function* everything(value: unknown, at = '#'): Generator<[at: string, value: unknown]> {
  yield [at, value]
  if (typeof value !== 'object' || value === null) return
  for (const [key, inner] of Object.entries(value)) yield* everything(inner, `${at}/${key.replaceAll('/', '~1')}`)
}

/** The same, whatever the order in which routes were added. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1))
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]))
}

describe('the document', () => {
  test('is OpenAPI 3.1', async () => {
    expect(await new Validator().validate(structuredClone(document) as unknown as Record<string, unknown>)).toEqual({
      valid: true,
    })
  })

  test('is as it was', async () => {
    const now = `${JSON.stringify(sorted(document), null, 2)}\n`
    if (process.env.UPDATE_OPENAPI) await Bun.write(snapshotFile, now)
    const before = await Bun.file(snapshotFile).text()
    const lines = new Set(before.split('\n'))
    const added = now.split('\n').filter((line) => !lines.has(line))
    const renew = 'npm run openapi'
    // A diff of the whole would be thousands of lines.
    if (now !== before) {
      const new_ = added.slice(0, 40).join('\n')
      throw new Error(
        `The API is not what test/wire/openapi.snapshot.json says. If that is meant: ${renew}\nNew:\n${new_}`,
      )
    }
  })

  test('has every route, and no other', () => {
    const routes = routesOf(apiApp({} as HttpParts))
    const known = routes.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`).sort()
    const told = operations.map(({ name }) => name).filter((name) => name.includes(' /api/v1/'))
    expect(told.sort()).toEqual(known)
  })

  test('has the registry and what asks after the server', () => {
    const told = operations.map(({ name }) => name).filter((name) => !name.includes(' /api/v1/'))
    const file = '/api/packages/{owner}/generic/{name}/{version}/{file}'
    expect(told).toEqual(
      expect.arrayContaining([
        ...['GET', 'HEAD', 'PUT', 'DELETE'].map((method) => `${method} ${file}`),
        'DELETE /api/packages/{owner}/generic/{name}/{version}',
        'GET /healthz',
        'GET /readyz',
      ]),
    )
  })

  test.each(operations)('says of $name what a reader needs', ({ path, operation, parameters }) => {
    const { operationId, summary, tags: chapters, security, responses = {} } = operation
    expect(operationId).toMatch(/^[a-z][A-Za-z]+$/)
    expect(summary).toMatch(/^[A-Z].*[^.]$/)
    expect(operations.filter(({ operation }) => operation.summary === summary)).toHaveLength(1)
    expect(chapters).toHaveLength(1)
    expect(Object.keys(tags)).toContain(chapters?.[0] ?? '')
    expect(security).toBeArray()
    for (const one of security ?? []) {
      for (const scheme of Object.keys(one)) expect(document.components?.securitySchemes).toHaveProperty(scheme)
    }
    const places = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '')
    const inAddress = parameters.filter((parameter) => parameter.in === 'path')
    expect(inAddress.map(({ name }) => name).sort()).toEqual(places.sort())
    for (const { description, schema, name } of parameters) {
      expect([name, description]).toEqual([name, expect.stringMatching(/./)])
      expect(schema).toBeObject()
    }
    for (const answer of Object.values(responses)) {
      if (!('$ref' in answer)) expect(answer.description).toMatch(/./)
    }
  })

  test('has each name once', () => {
    const ids = operations.map(({ operation }) => operation.operationId)
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([])
    // Addresses that differ in the names of their places alone are one address.
    const shapes = Object.keys(document.paths ?? {}).map((path) => path.replaceAll(/\{\w+\}/g, '{}'))
    expect(shapes.filter((shape, index) => shapes.indexOf(shape) !== index)).toEqual([])
  })

  test('has no reference that leads nowhere, and no type that nothing refers to', () => {
    const all = new Map(everything(document))
    const references = [...all].flatMap(([at, value]) => (at.endsWith('/$ref') ? [String(value)] : []))
    expect(references.filter((reference) => !all.has(reference))).toEqual([])
    const types = Object.keys(document.components?.schemas ?? {}).map((name) => `#/components/schemas/${name}`)
    expect(types.filter((type) => !references.includes(type))).toEqual([])
  })

  // The document would have one of them, and say nothing.
  test('has two types of one name nowhere', async () => {
    const files = [...new Glob('server/http/**/*.ts').scanSync()]
    const sources = await Promise.all(files.map((file) => Bun.file(file).text()))
    const ids = sources.flatMap((source) => [...source.matchAll(/\bid: '([A-Z]\w+)'/g)].map(([, id]) => id ?? ''))
    expect(ids).toEqual(expect.arrayContaining(Object.keys(document.components?.schemas ?? {})))
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([])
  })
})

describe('an answer that is not as documented', () => {
  const check = new AnswerCheck(document)
  const type = 'application/json; charset=utf-8'
  const json = (status: number, body: unknown, headers: Record<string, string> = {}) => {
    const text = body === undefined ? '' : JSON.stringify(body)
    return [new Response(null, { status, headers: { 'Content-Type': type, ...headers } }), text] as const
  }
  const refusal = { message: 'no', url: 'https://packages.example.com/api/swagger' }
  const known = { 'X-Request-Id': '1' }

  test.each<[what: string, answer: readonly [Response, string], path: string, expected: string | undefined]>([
    ['is right', json(200, { version: '1' }), 'version', undefined],
    ['has more fields', json(200, { version: '1', more: 1 }), 'version', undefined],
    ['is a refusal', json(404, refusal, known), 'users/x', undefined],
    ['is a refusal of no route', json(404, refusal, known), 'nothing/here', undefined],
    ['lacks a field', json(200, {}), 'version', "body must have required property 'version'"],
    ['has a field of another type', json(200, { version: 1 }), 'version', 'body/version must be string'],
    ['has a list of something else', json(200, [1]), 'admin/jobs', 'body/0 must be object'],
    [
      'has a total that is no number',
      json(200, [], { 'X-Total-Count': 'many' }),
      'orgs',
      'the header X-Total-Count is no number: many',
    ],
    ['has another status', json(204, undefined), 'version', 'this status is none of 200, default'],
    [
      'has another type',
      json(200, {}, { 'Content-Type': 'text/plain' }),
      'version',
      'its type is text/plain, and should be application/json',
    ],
    ['is a refusal without a number', json(404, refusal), 'users/x', 'the header X-Request-Id is missing'],
    [
      'is a refusal without words',
      json(404, {}, known),
      'users/x',
      "body must have required property 'message', body must have required property 'url'",
    ],
    ['is of no operation', json(200, {}), 'nothing/here', 'there is no such operation'],
    ['has no JSON', [json(200, {})[0], '{'], 'version', 'body must be object'],
  ])('%s', (_, [response, text], path, expected) => {
    expect(check.wrongWith('GET', ['api', 'v1', ...path.split('/')], response, text)).toBe(expected)
  })

  test.each<
    [what: string, answer: [string, string, number, Record<string, string>, string?], expected: string | undefined]
  >([
    ['is right', ['PUT', 'f', 201, {}, ''], undefined],
    ['is a file', ['GET', 'f', 200, { 'Content-Type': 'application/octet-stream' }], undefined],
    ['is a refusal', ['GET', 'f', 404, { 'Content-Type': 'text/plain; charset=utf-8' }, 'no'], undefined],
    [
      'has another status',
      ['PUT', 'f', 200, {}, ''],
      'this status is none of 201, 307, 400, 401, 403, 404, 409, default',
    ],
    [
      'has another type',
      ['GET', 'f', 200, { 'Content-Type': 'text/html' }],
      'its type is text/html, and should be application/octet-stream',
    ],
    [
      'is a refusal with less than it should say',
      [
        'GET',
        'f',
        404,
        { 'Content-Type': 'application/problem+json' },
        '{"status":404,"title":"","type":"","detail":""}',
      ],
      "body must have required property 'request_id'",
    ],
    ['is of no operation', ['GET', 'f/more', 200, {}], 'there is no such operation'],
  ])('of the registry %s', (_, [method, file, status, headers, text], expected) => {
    const segments = ['api', 'packages', 'ada', 'generic', 'tool', '1.0', ...file.split('/')]
    expect(check.wrongWith(method, segments, new Response(null, { status, headers }), text)).toBe(expected)
  })

  test('is an error to who receives it from another process', async () => {
    const url = 'http://127.0.0.1:3000/api/v1/version'
    await demandDocumented('GET', url, Response.json({ version: '1' }, { headers: { 'Content-Type': type } }))
    const wrong = Response.json({}, { headers: { 'Content-Type': type } })
    await expect(demandDocumented('GET', url, wrong)).rejects.toThrow(
      "GET /api/v1/version answered 200: body must have required property 'version'",
    )
  })

  test('has a body, and should have none', () => {
    const response = new Response(null, { status: 204 })
    expect(check.wrongWith('DELETE', ['api', 'v1', 'orgs', 'acme'], response, '{}')).toBe(
      'it has a body, and should have none',
    )
  })
})

describe('at a server', () => {
  let stowage: TestStowage
  beforeAll(async () => {
    stowage = await startStowage({ settings: { STOWAGE_REQUIRE_SIGN_IN: 'true' } })
  })
  afterAll(() => stowage[Symbol.asyncDispose]())

  /** What somebody without credentials gets. */
  const get = (path: string, headers: Record<string, string> = {}) => stowage.anonymous.fetch(path, { headers })

  test('the document is for everybody, and names this server', async () => {
    const response = await get('/api/v1/openapi.json')
    expect(response.status).toBe(200)
    const { servers, paths, info } = (await response.json()) as OpenAPIV3_1.Document
    expect(servers).toEqual([{ url: stowage.url }])
    expect(paths).toEqual(document.paths ?? {})
    expect(info.version).toBe((await Bun.file('package.json').json()).version)
  })

  test.each(['/api/v1/openapi.json', '/api/swagger'])('%s need not be sent twice', async (path) => {
    const first = await get(path)
    const text = await first.text()
    const etag = first.headers.get('etag') ?? ''
    expect(etag).toBe(`"${createHash('sha256').update(text).digest('hex')}"`)
    expect(first.headers.get('cache-control')).toBe('no-cache')
    const again = await get(path, { 'If-None-Match': etag })
    expect([again.status, await again.text(), again.headers.get('etag')]).toEqual([304, '', etag])
    const other = await get(path, { 'If-None-Match': '"other"' })
    expect([other.status, await other.text()]).toEqual([200, text])
    const head = await stowage.anonymous.fetch(path, { method: 'HEAD' })
    expect([head.status, head.headers.get('content-length')]).toEqual([200, String(Buffer.byteLength(text))])
  })

  test('the page has every operation and every type, each at an address of its own', async () => {
    const response = await get('/api/swagger')
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
    const page = await response.text()
    const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id ?? '')
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([])
    expect(ids).toEqual(expect.arrayContaining(operations.map(({ operation }) => operation.operationId ?? '')))
    const types = Object.keys(document.components?.schemas ?? {}).map((name) => `type-${name}`)
    expect(ids).toEqual(expect.arrayContaining(types))
    const links = [...page.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id ?? '')
    expect(links.filter((id) => !ids.includes(id))).toEqual([])
    for (const broken of ['undefined', '[object', 'NaN']) expect(page).not.toContain(broken)
  })

  test('the page runs nothing, and takes its style from here', async () => {
    const response = await get('/api/swagger')
    const policy = response.headers.get('content-security-policy')
    expect(policy).toStartWith("default-src 'none'; style-src 'self';")
    expect(policy).toContain("frame-ancestors 'none'")
    const page = await response.text()
    expect(page).not.toMatch(/<script|\son\w+=|\sstyle=|javascript:/i)
    const [, style = ''] = page.match(/<link rel="stylesheet" href="([^"]+)"/) ?? []
    const sheet = await get(style)
    expect([sheet.status, sheet.headers.get('content-type')]).toEqual([200, 'text/css; charset=utf-8'])
    expect(sheet.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    // It takes nothing from elsewhere either.
    expect(await sheet.text()).not.toMatch(/url\(|@import/)
  })

  test('there is nothing else below the page, and nothing to change', async () => {
    for (const path of ['/api/swagger/other.css', '/api/swagger/a/b']) expect((await get(path)).status).toBe(404)
    const posted = await stowage.admin.post('/api/swagger', {})
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
  })
})

test('behind another address the document and the page name that', async () => {
  const settings = { STOWAGE_PUBLIC_URL: 'https://packages.example.com/files' }
  await using stowage = await startStowage({ settings })
  const ask = (path: string) => fetch(stowage.url + path)
  const { servers } = (await (await ask('/api/v1/openapi.json')).json()) as OpenAPIV3_1.Document
  expect(servers).toEqual([{ url: 'https://packages.example.com/files' }])
  const page = await (await ask('/api/swagger')).text()
  expect(page).toContain('href="/files/api/v1/openapi.json"')
  expect(page).toContain('curl https://packages.example.com/files/api/v1/packages/OWNER')
  const [, style = ''] = page.match(/<link rel="stylesheet" href="([^"]+)"/) ?? []
  expect((await ask(style)).status).toBe(200)
})
