import type { MiddlewareHandler } from 'hono'
import { describeRoute, resolver } from 'hono-openapi'
import type { OpenAPIV3_1 } from 'openapi-types'
import { z } from 'zod'

/** The chapters of the document, in their order. */
export const tags = {
  packages: 'What is published, and what is said of it.',
  search: 'Finding packages by name, and files by digest.',
  users: 'People as others see them, and their tokens.',
  account: 'Who is calling, and what belongs to him.',
  organizations: 'Organisations, their teams and members.',
  webhooks: 'Who is told when something is published or deleted.',
  usage: 'What is used, and how much may be.',
  audit: 'Who did what.',
  admin: 'What administrators of the site do.',
  site: 'The server itself.',
} as const

export type Tag = keyof typeof tags

/**
 * By which credentials a route may be called. `anybody`: without any too, for what everybody may see. `basic`: by Basic alone,
 * with a password or a token. `not asked`: nobody looks at them.
 */
export type Callers = 'anybody' | 'signed in' | 'basic' | 'password' | 'token' | 'not asked'

type Area = 'package' | 'user' | 'organization' | 'admin'

/** What a token must be good for: an area, of which GET reads and all else writes, or a scope; null where for nothing. */
export type Scope = Area | `${'read' | 'write'}:${Area}` | null

/** What a route says of itself in `/api/v1/openapi.json`; its schemas are those that check the body and make the answer. */
export interface RouteText {
  tag: Tag
  /** A few words. */
  summary: string
  /** Paragraphs, lists with `- ` and code in backticks: what is not seen from the names. */
  description?: string
  /** Names that only a client generator sees: `listPackages`. Unique, and for ever. */
  id: string
  /** Not said: anybody for GET below `packages` and `search`, else who is signed in. */
  callers?: Callers
  /** Not said: what the address is about. */
  scope?: Scope
  /** What stands in the address, where `openapi.ts` does not know it. */
  params?: Record<string, { description: string; schema?: z.ZodType }>
  query?: Record<string, { description: string; schema: z.ZodType; required?: boolean }>
  body?: z.ZodType
  /** What the body is, if not JSON. */
  bodyType?: string
  /** Answers by status; without a schema they have no body. `type` is what the body is, if not JSON. */
  answers?: Record<number, Answer>
  /** 200, with a page of these. */
  page?: z.ZodType
}

export interface Answer {
  description: string
  schema?: z.ZodType
  headers?: Record<string, string | { description: string; required: boolean }>
  type?: string
}

/** What `openapi.ts` makes `security` of, once it knows method and address. */
export const accessOf = 'x-access'

/**
 * Describes the route whose handler follows: `.get('/users/:name', documented({…}), async (c) => …)`. The description is made
 * when somebody asks for the document, as every start of a server would pay for it.
 */
export function documented(text: RouteText): MiddlewareHandler {
  const { tag, summary, description, id, callers, scope } = text
  return describeRoute({
    tags: [tag],
    summary,
    ...(description ? { description } : {}),
    operationId: id,
    [accessOf]: { callers, scope },
    get parameters() {
      return parametersOf(text)
    },
    get requestBody() {
      const { body, bodyType = 'application/json' } = text
      return body && { required: true, content: { [bodyType]: { schema: jsonSchema(body) } } }
    },
    get responses() {
      return responsesOf(text)
    },
  } as Parameters<typeof describeRoute>[0])
}

function parametersOf({ params = {}, query = {}, page }: RouteText) {
  return [
    ...Object.entries(params).map(([name, { description, schema }]) => ({
      in: 'path',
      name,
      description,
      required: true,
      schema: schema ? parameterSchema(schema) : { type: 'string' },
    })),
    ...Object.entries(query).map(([name, { description, schema, required = false }]) => ({
      in: 'query',
      name,
      description,
      required,
      schema: parameterSchema(schema),
    })),
    ...(page ? [{ $ref: '#/components/parameters/page' }, { $ref: '#/components/parameters/limit' }] : []),
  ]
}

function responsesOf({ answers = {}, page }: RouteText) {
  return {
    ...(page ? { 200: pageAnswer(page) } : {}),
    ...Object.fromEntries(
      Object.entries(answers).map(([status, { description, schema, headers, type = 'application/json' }]) => [
        status,
        {
          description,
          ...(headers ? { headers: headersFrom(headers) } : {}),
          ...(schema ? { content: { [type]: { schema: jsonSchema(schema) } } } : {}),
        },
      ]),
    ),
    default: { $ref: '#/components/responses/refused' },
  }
}

/** What every list takes. */
export const pageParameters: Record<string, OpenAPIV3_1.ParameterObject> = {
  page: { in: 'query', name: 'page', description: 'From 1.', schema: { type: 'integer', minimum: 1, default: 1 } },
  limit: {
    in: 'query',
    name: 'limit',
    description: 'Entries on a page.',
    schema: { type: 'integer', minimum: 1, maximum: 50, default: 30 },
  },
}

function pageAnswer(of: z.ZodType) {
  const total = 'Entries on all pages. Not there where counting them would take long.'
  return {
    description: 'One page.',
    headers: {
      'X-Total-Count': { description: total, schema: { type: 'integer' as const } },
      ...headersFrom({ Link: 'Addresses of the `next`, `last`, `first` and `prev` page (RFC 8288).' }),
    },
    content: { 'application/json': { schema: jsonSchema(of.array()) } },
  }
}

export function headersFrom(headers: NonNullable<Answer['headers']>): Record<string, OpenAPIV3_1.HeaderObject> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, said]) => [
      name,
      { ...(typeof said === 'string' ? { description: said } : said), schema: { type: 'string' as const } },
    ]),
  )
}

/** A schema as the document has it: what is sent, before it is changed into what the server works with. */
export function jsonSchema(schema: z.ZodType) {
  return resolver(schema, { options: { io: 'input', unrepresentable: 'any', override: tidy } })
}

/** The library resolves schemas of bodies alone. */
function parameterSchema(schema: z.ZodType) {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', override: tidy })
  return rest
}

/** Leaves away what says nothing: the limits of every integer, the pattern of a time beside its format, a choice of one and null. */
function tidy({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
  if (jsonSchema.format) delete jsonSchema.pattern
  const [only, none, ...others] = jsonSchema.anyOf ?? []
  if (typeof only?.type !== 'string' || none?.type !== 'null' || others.length > 0) return
  delete jsonSchema.anyOf
  Object.assign(jsonSchema, only, jsonSchema, { type: [only.type, 'null'] })
  if (only.enum) jsonSchema.enum = [...only.enum, null]
}

/** The alternatives by which an operation may be called; `{}` is none at all. */
export function credentials(callers: Callers, scopes: string[]): OpenAPIV3_1.SecurityRequirementObject[] {
  switch (callers) {
    case 'not asked':
      return []
    case 'anybody':
      return [{}, { token: scopes }, { basic: scopes }]
    case 'signed in':
      return [{ token: scopes }, { basic: scopes }]
    case 'basic':
      return [{ basic: scopes }]
    case 'password':
      return [{ basic: [] }]
    case 'token':
      return [{ token: scopes }]
  }
}
