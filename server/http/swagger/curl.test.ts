import { describe, expect, test } from 'bun:test'
import type { ApiDocument } from '../api/document.ts'
import { credentials } from '../api/documented.ts'
import { type Call, curlLine, quoted, sampleOf } from './curl.ts'
import type { Shown } from './schema-text.ts'

const document = {
  components: {
    schemas: {
      Team: {
        type: 'object',
        properties: { name: { type: 'string' }, units: { type: 'array', items: { enum: ['a', 'b'] } } },
        required: ['name', 'units'],
      },
    },
  },
} as unknown as ApiDocument

const signedIn = credentials('signed in', ['write:package'])
type Body = NonNullable<Call['operation']['requestBody']>
const json = (schema: Shown) => ({ content: { 'application/json': { schema } } }) as Body
const responses = (answers: object) => answers as NonNullable<Call['operation']['responses']>
const bytes = { content: { 'application/octet-stream': { schema: {} } } } as Body & { content: object }

test.each<[what: string, method: string, path: string, operation: Call['operation'], line: string]>([
  ['for anybody', 'GET', '/x/{owner}', { security: [{}, ...signedIn] }, 'curl https://s/x/OWNER'],
  ['for who is signed in', 'GET', '/x', { security: signedIn }, 'curl -H "Authorization: Bearer $TOKEN" https://s/x'],
  ['by password', 'DELETE', '/x', { security: [{ basic: [] }] }, 'curl -u NAME -X DELETE https://s/x'],
  ['what is asked nobody', 'HEAD', '/x', { security: [] }, 'curl -I https://s/x'],
  [
    'a body',
    'POST',
    '/x',
    { requestBody: json({ $ref: '#/components/schemas/Team' }) },
    `curl -d '{"name":"NAME","units":["a"]}' https://s/x`,
  ],
  [
    'a change',
    'PATCH',
    '/x',
    { requestBody: json({ type: 'object', properties: { a: { type: 'boolean' } } }) },
    `curl -X PATCH -d '{"a":true}' https://s/x`,
  ],
  ['no body', 'POST', '/x', {}, 'curl -X POST https://s/x'],
  ['an upload', 'PUT', '/x/{file}', { requestBody: bytes }, 'curl -T FILE https://s/x/FILE'],
  [
    'a download',
    'GET',
    '/x/{file}',
    { responses: responses({ 200: { content: bytes.content } }) },
    'curl -O https://s/x/FILE',
  ],
])('%s', (_, method, path, operation, line) => {
  expect(curlLine({ method, path, operation, parameters: [] }, 'https://s', document)).toBe(line)
})

test('what a query must have is in the line', () => {
  const parameters = [
    { in: 'query', name: 'q', required: true },
    { in: 'query', name: 'page' },
  ]
  const call = { method: 'GET', path: '/x', operation: { security: [] }, parameters }
  expect(curlLine(call, 'https://s', document)).toBe(`curl 'https://s/x?q=Q'`)
})

describe('a word for a shell', () => {
  test.each([
    ['plain', 'plain'],
    ['https://a.example/b', 'https://a.example/b'],
    ['a b', `'a b'`],
    ['$HOME', `'$HOME'`],
    ["it's", `'it'\\''s'`],
    ['?a=b&c', `'?a=b&c'`],
    ['', `''`],
  ])('%s', (text, word) => {
    expect(quoted(text)).toBe(word)
  })
})

describe('a sample', () => {
  test.each<[Shown, unknown]>([
    [{ type: 'string', examples: ['such'] }, 'such'],
    [{ type: ['string', 'null'], format: 'date-time' }, '2030-01-31T12:00:00Z'],
    [{ type: 'integer', minimum: 5 }, 5],
    [{ anyOf: [{ const: 'a' }, { type: 'null' }] }, 'a'],
    [{ type: 'object', additionalProperties: { type: 'string' } }, {}],
    [{}, {}],
  ])('of %j', (schema, sample) => {
    expect(sampleOf(schema, document)).toEqual(sample)
  })
})
