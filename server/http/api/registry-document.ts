import type { OpenAPIV3_1 } from 'openapi-types'
import { credentials, headersFrom } from './documented.ts'

/*
 * What the document says of the routes that are not the JSON API's: the registry's own protocol, and whether the server is well.
 * By hand, as they are not made of schemas.
 */

type Responses = NonNullable<NonNullable<OpenAPIV3_1.PathItemObject['get']>['responses']>
type Parameter = OpenAPIV3_1.ParameterObject

const place = (name: string, description: string): Parameter => ({
  in: 'path',
  name,
  required: true,
  description,
  schema: { type: 'string', maxLength: 255 },
})

const ofVersion = [
  place('owner', 'A user or an organisation.'),
  place('name', 'The package: letters, digits and `_ - + .`, in any letter case.'),
  place('version', 'The version, percent-encoded: any text without white space around it, without `/` and `\\`.'),
]
const ofFile = [
  ...ofVersion,
  place('file', 'The file, percent-encoded: letters, digits, spaces inside and ``_-+=:;.()[]{}~!@#$%^&``.'),
]

const header = (name: string, description: string): Parameter => ({
  in: 'header',
  name,
  description,
  schema: { type: 'string' },
})

const text = { type: 'string' } as const
const bytes = { 'application/octet-stream': { schema: {} } }

const problem = {
  type: 'object' as const,
  description: 'RFC 9457.',
  properties: {
    type: text,
    title: text,
    status: { type: 'integer' as const },
    detail: { ...text, description: 'The sentence that the plain text has.' },
    request_id: text,
  },
  required: ['type', 'title', 'status', 'detail', 'request_id'],
}

const refusals: Record<number, string> = {
  307: 'The owner has another name now: `Location` says where it is.',
  400: 'A name that is not allowed (`invalid package name`, `invalid filename`, `invalid package version`), a digest that does not match, `Content-Range`, or an address that cannot be read.',
  401: 'Credentials are missing or wrong.',
  403: 'The caller may not do this, or the file is larger, or the owner has more, than is allowed.',
  404: 'There is no such owner, package, version or file, or the caller may not see it.',
  409: '`package file already exists`: in this version, in any letter case.',
  412: 'The file is not the one that `If-Match` or `If-Unmodified-Since` names.',
  416: '`Range` lies behind the end of the file; `Content-Range` says how long it is.',
}

/** Plain text, or problem details for a client whose `Accept` prefers JSON. */
function refused(...statuses: number[]): Responses {
  const answer = (description: string, headers: Record<string, string> = {}) => ({
    description,
    headers: headersFrom({ 'X-Request-Id': 'Finds it in the log of the server.', ...headers }),
    content: { 'text/plain': { schema: text }, 'application/problem+json': { schema: problem } },
  })
  const special: Record<number, Record<string, string>> = {
    307: { Location: 'The same address with the new name.' },
    401: { 'WWW-Authenticate': '`Basic realm="Stowage"`' },
    416: { 'Content-Range': '`bytes */N`' },
  }
  return {
    ...Object.fromEntries(statuses.map((status) => [status, answer(refusals[status] ?? '', special[status])])),
    default: answer('Something stands still (429 or 503 with `Retry-After`), is full (507), or went wrong (500).'),
  }
}

const fileHeaders = headersFrom({
  'Content-Disposition': '`attachment`, with the name of the file.',
  'Last-Modified': 'When the file was added.',
  ETag: 'The SHA-256, in quotes.',
  'Repr-Digest': '`sha-256=:…:` (RFC 9530).',
  'X-Checksum-Sha256': 'The SHA-256, hexadecimal.',
  'Accept-Ranges': '`bytes`',
})
const partHeaders = {
  ...fileHeaders,
  ...headersFrom({ 'Content-Range': 'Which bytes; not there for several ranges.' }),
}

const conditions = [
  header('Range', 'Some of the bytes: one range, or up to 16.'),
  header('If-Range', 'The range only if the file is still this one; else all of it.'),
  header('If-None-Match', '304 if the file is still this one.'),
  header('If-Modified-Since', '304 if the file is not newer.'),
  header('If-Match', '412 if the file is another one.'),
  header('If-Unmodified-Since', '412 if the file is newer.'),
]

const digests = [
  header('Repr-Digest', 'A digest of the file (RFC 9530): `sha-256=:base64:`, `sha-512=…`.'),
  header('Content-Digest', 'A digest of the body as it is sent.'),
  header('Content-MD5', 'The MD5 of the body as it is sent, base64.'),
  header('X-Checksum-Sha256', 'A digest of the file, hexadecimal.'),
  header('X-Checksum-Sha512', 'A digest of the file, hexadecimal.'),
  header('X-Checksum-Sha1', 'A digest of the file, hexadecimal.'),
  header('X-Checksum-Md5', 'A digest of the file, hexadecimal.'),
]

const mayRead = credentials('anybody', ['read:package'])
const mayWrite = credentials('signed in', ['write:package'])

function reading(answers: { body: boolean }): Responses {
  const content = answers.body ? { content: bytes } : {}
  return {
    200: { description: 'The file.', headers: fileHeaders, ...content },
    ...(answers.body
      ? {
          206: {
            description: 'The bytes that `Range` asks for.',
            headers: partHeaders,
            content: { ...bytes, 'multipart/byteranges': { schema: {} } },
          },
        }
      : {}),
    303: {
      description:
        'Where the file is stored, if the server is set up so: `Location` works without credentials, for a minute and for this method.',
      headers: headersFrom({
        Location: 'An address of the object store.',
        'X-Checksum-Sha256': 'The SHA-256, hexadecimal.',
      }),
    },
    304: { description: 'The file is the one that the caller has.' },
    ...refused(307, 400, 401, 403, 404, 412, ...(answers.body ? [416] : [])),
  }
}

const health = (operationId: string, summary: string, unwell: Responses = {}): OpenAPIV3_1.PathItemObject => ({
  get: {
    tags: ['site'],
    operationId,
    summary,
    security: [],
    responses: { 200: { description: '`ok`', content: { 'text/plain': { schema: text } } }, ...unwell },
  },
})

export const registryPaths: OpenAPIV3_1.PathsObject = {
  '/api/packages/{owner}/generic/{name}/{version}/{file}': {
    parameters: ofFile,
    put: {
      tags: ['packages'],
      operationId: 'publishFile',
      summary: 'Publish a file',
      description:
        'The body is the file, whatever its type; of `multipart/form-data` it is the first file. Every digest that is sent must be right.\n\n201 means that the file is on stable storage. A file is never overwritten.',
      security: mayWrite,
      parameters: [
        ...digests,
        header('Stowage-Description', 'What the package is for, in UTF-8, where this is its first file.'),
      ],
      requestBody: { required: true, content: { ...bytes, 'multipart/form-data': { schema: { type: 'object' } } } },
      responses: { 201: { description: 'It is published.' }, ...refused(307, 400, 401, 403, 404, 409) },
    },
    get: {
      tags: ['packages'],
      operationId: 'downloadFile',
      summary: 'Fetch a file',
      security: mayRead,
      parameters: conditions,
      responses: reading({ body: true }),
    },
    head: {
      tags: ['packages'],
      operationId: 'headFile',
      summary: 'What is known of a file',
      description: 'The headers of GET, without the bytes. `Range` has no effect.',
      security: mayRead,
      parameters: conditions.filter(({ name }) => !/range/i.test(name)),
      responses: reading({ body: false }),
    },
    delete: {
      tags: ['packages'],
      operationId: 'deleteFile',
      summary: 'Delete a file',
      description: 'With the last file the version goes too.',
      security: mayWrite,
      responses: { 204: { description: 'It is gone.' }, ...refused(307, 400, 401, 403, 404) },
    },
  },
  '/api/packages/{owner}/generic/{name}/{version}': {
    parameters: ofVersion,
    delete: {
      tags: ['packages'],
      operationId: 'deleteVersionOfRegistry',
      summary: 'Delete a version, by the address of its files',
      security: mayWrite,
      responses: { 204: { description: 'It is gone with all its files.' }, ...refused(307, 400, 401, 403, 404) },
    },
  },
  '/metrics': {
    get: {
      tags: ['site'],
      operationId: 'getMetrics',
      summary: 'Numbers for Prometheus',
      description:
        'Where `STOWAGE_METRICS_TOKEN` or `STOWAGE_METRICS_ALLOWED_ADDRESSES` is set; else there is nothing here.',
      security: [{ metrics: [] }, {}],
      responses: {
        200: { description: 'They.', content: { 'text/plain': { schema: text } } },
        ...refused(401, 403, 404),
      },
    },
  },
  '/healthz': health('getHealth', 'Whether the server answers'),
  '/readyz': health('getReadiness', 'Whether database and storage can be written', {
    503: { description: 'What cannot be.', content: { 'text/plain': { schema: text } } },
  }),
}
