import type { Hono } from 'hono'
import { generateSpecs } from 'hono-openapi'
import type { OpenAPIV3_1 } from 'openapi-types'
import {
  accessOf,
  type Callers,
  credentials,
  headersFrom,
  jsonSchema,
  pageParameters,
  type Scope,
  tags,
} from './documented.ts'
import { registryPaths } from './registry-document.ts'
import { apiError } from './schemas.ts'

export type ApiDocument = OpenAPIV3_1.Document
export type Operation = OpenAPIV3_1.OperationObject
type Parameter = OpenAPIV3_1.ParameterObject

/** The methods of an operation, as the document and the page have them. */
export const methods = ['get', 'head', 'post', 'put', 'patch', 'delete'] as const

export interface About {
  version: string
  /** Without a trailing slash. */
  publicUrl: string
}

/** `/api/v1/openapi.json`: what the routes say of themselves, and the registry's own protocol. */
// biome-ignore lint/suspicious/noExplicitAny: whatever the handlers find in their context.
export async function documentOf(app: Hono<any>, { version, publicUrl }: About): Promise<ApiDocument> {
  const made = (await generateSpecs(app, {
    excludeStaticFile: false,
    documentation: {
      openapi: '3.1.1',
      info: { title: 'Stowage', version, summary: 'A registry for generic packages.', description: introduction },
      servers: [{ url: publicUrl }],
      tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
      components: {
        securitySchemes,
        parameters: pageParameters as never,
        responses: {
          refused: {
            description: 'Refused: `message` says why, and what to do.',
            headers: headersFrom({
              'X-Request-Id': { description: 'Finds it in the log of the server.', required: true },
            }),
            content: { 'application/json': { schema: jsonSchema(apiError) } },
          } as never,
        },
      },
    },
  })) as ApiDocument
  const described = Object.entries(made.paths ?? {}).map(([path, item]) => [path, completed(path, item ?? {})] as const)
  return { ...made, paths: { ...registryPaths, ...Object.fromEntries(described) } }
}

const introduction = `
Publish and fetch files with one request each below \`/api/packages\`; everything else is JSON below \`/api/v1\`.

**Credentials.** A token in \`Authorization: Bearer …\` (or \`token …\`), or a user name and password by Basic, with the code of a
second factor in \`X-Gitea-OTP\`. What is public needs none. Wrong ones are 401 even then. A token needs the scopes that an operation
names; \`write:…\` includes \`read:…\`, \`all\` is all of them, and a password needs none.

**Lists** come in pages: \`page\` from 1, \`limit\` 30, at most 50. \`Link\` leads to the other pages, \`X-Total-Count\` says how many
entries there are.

**Bodies** are JSON objects. A field that is not known is refused, so that a misspelt one says so.

**Refusals** have a sentence that says what is wrong and what to do, and \`X-Request-Id\`, which finds them in the server's log.

- 307 the owner has another name now: \`Location\` says which
- 400 what was sent cannot be read
- 401 credentials are missing or wrong
- 403 the caller may not do this
- 404 there is no such thing, or the caller may not see it
- 405 the address takes other methods: those in \`Allow\`
- 413 the body is too large
- 422 a field is wrong: the sentence names it
- 429 too many attempts, 503 something stands still: try again after \`Retry-After\` seconds
- 507 the storage is full

**HEAD** works wherever GET does. **Times** are RFC 3339. Fields may be added to answers; none is removed.
`.trim()

const securitySchemes: Record<string, OpenAPIV3_1.SecuritySchemeObject> = {
  token: {
    type: 'http',
    scheme: 'bearer',
    description: 'An access token. `Authorization: token …` means the same.',
  },
  metrics: { type: 'http', scheme: 'bearer', description: '`STOWAGE_METRICS_TOKEN`, where it is set.' },
  basic: {
    type: 'http',
    scheme: 'basic',
    description:
      'A user name (or e-mail address) and password; or a token as the password. With a second factor, its code in `X-Gitea-OTP`.',
  },
}

/** The item with what follows from its address: what stands in it, and by which credentials each operation may be called. */
function completed(path: string, item: OpenAPIV3_1.PathItemObject): OpenAPIV3_1.PathItemObject {
  const operations = methods.flatMap((method) => {
    const operation = item[method]
    if (!operation) return []
    const { [accessOf]: access, ...rest } = operation as Operation & {
      [accessOf]?: { callers?: Callers; scope?: Scope }
    }
    const parameters = (rest.parameters ?? []).map((parameter) => inAddress(path, parameter as Parameter))
    return [[method, { ...rest, parameters, security: securityOf(method, path, { ...access }) }] as const]
  })
  return Object.fromEntries(operations)
}

/** What nobody described in the address, described. */
function inAddress(path: string, parameter: Parameter): Parameter {
  if (parameter.in !== 'path' || parameter.description) return parameter
  const { name } = parameter
  const [, before = ''] = path.match(new RegExp(`([^/]+)/\\{${name}\\}`)) ?? []
  const description = places[`${before}/${name}`] ?? places[name]
  return {
    ...parameter,
    ...(description ? { description } : {}),
    schema: name === 'id' || name === 'delivery' ? { type: 'integer', minimum: 1 } : { type: 'string' },
  }
}

/** By the name, and where that means different things by what stands before it. */
const places: Record<string, string> = {
  owner: 'A user or an organisation.',
  org: 'The organisation.',
  user: 'The user.',
  'users/name': 'The user.',
  'generic/name': 'The package.',
  'reserved-names/name': 'The name.',
  version: 'The version, percent-encoded.',
  token: 'Its id or its name.',
  repo: 'The repository.',
  delivery: 'Its id.',
  id: 'Its id.',
}

function securityOf(method: string, path: string, said: { callers?: Callers; scope?: Scope }) {
  const scope = said.scope === undefined ? scopeAt(path) : said.scope
  const whole = scope?.includes(':') ? scope : `${method === 'get' ? 'read' : 'write'}:${scope}`
  const scopes = scope === null ? [] : [whole]
  return credentials(said.callers ?? callersAt(method, path), scopes)
}

function callersAt(method: string, path: string): Callers {
  return method === 'get' && /^\/api\/v1\/(packages|search)\b/.test(path) ? 'anybody' : 'signed in'
}

function scopeAt(path: string): Scope {
  const [, , , noun] = path.split('/')
  if (noun === 'admin') return 'admin'
  if (noun === 'user' || noun === 'users') return 'user'
  // What is an owner's takes `user` where he is one, which the descriptions say.
  return noun === 'orgs' || noun === 'teams' || noun === 'owners' ? 'organization' : 'package'
}
