import type { MiddlewareHandler } from 'hono'
import { describeRoute, resolver } from 'hono-openapi'
import type { OpenAPIV3_1 } from 'openapi-types'
import { z } from 'zod'
import { apiError } from './schemas.ts'

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

/** What a route says of itself in `/api/v1/openapi.json`; its schemas are those that check the body and make the answer. */
export interface RouteText {
  tag: Tag
  /** A few words. */
  summary: string
  /** Markdown: who may, and what is not seen from the names. */
  description?: string
  /** Names that only a client generator sees: `listPackages`. Unique. */
  id: string
  query?: Record<string, { description: string; schema: z.ZodType; required?: boolean }>
  body?: z.ZodType
  /** Answers by status; without a schema they have no body. */
  answers?: Record<number, { description: string; schema?: z.ZodType; headers?: Record<string, string> }>
  /** 200, with a page of these. */
  page?: z.ZodType
}

/** Describes the route whose handler follows: `.get('/users/:name', documented({…}), async (c) => …)`. */
export function documented(text: RouteText): MiddlewareHandler {
  const { tag, summary, description, id, query = {}, body, answers = {}, page } = text
  return describeRoute({
    tags: [tag],
    summary,
    ...(description ? { description } : {}),
    operationId: id,
    parameters: [
      ...Object.entries(query).map(([name, { description, schema, required = false }]) => ({
        in: 'query' as const,
        name,
        description,
        required,
        schema: parameterSchema(schema),
      })),
      ...(page ? pageParameters : []),
    ],
    ...(body ? { requestBody: { required: true, content: { 'application/json': { schema: resolver(body) } } } } : {}),
    responses: {
      ...(page ? { 200: pageAnswer(page) } : {}),
      ...Object.fromEntries(
        Object.entries(answers).map(([status, { description, schema, headers }]) => [
          status,
          {
            description,
            ...(headers ? { headers: headersFrom(headers) } : {}),
            ...(schema ? { content: { 'application/json': { schema: resolver(schema) } } } : {}),
          },
        ]),
      ),
      default: {
        description: 'Refused: `message` says why, and what to do.',
        content: { 'application/json': { schema: resolver(apiError) } },
      },
    },
  })
}

/** The library resolves schemas of bodies alone. */
function parameterSchema(schema: z.ZodType) {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input' })
  return rest as ParameterSchema
}

type Parameter = Exclude<NonNullable<Parameters<typeof describeRoute>[0]['parameters']>[number], { $ref: string }>
type ParameterSchema = NonNullable<Parameter['schema']>

const pageParameters: Parameter[] = [
  { in: 'query', name: 'page', description: 'From 1.', schema: { type: 'integer', minimum: 1, default: 1 } },
  {
    in: 'query',
    name: 'limit',
    description: 'Entries on a page.',
    schema: { type: 'integer', minimum: 1, maximum: 50, default: 30 },
  },
]

function pageAnswer(of: z.ZodType) {
  return {
    description: 'One page.',
    headers: headersFrom({
      'X-Total-Count': 'Entries on all pages. Not there where counting them would take long.',
      Link: 'Addresses of the `next`, `last`, `first` and `prev` page (RFC 8288).',
    }),
    content: { 'application/json': { schema: resolver(of.array()) } },
  }
}

function headersFrom(headers: Record<string, string>): Record<string, OpenAPIV3_1.HeaderObject> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, description]) => [name, { description, schema: { type: 'string' as const } }]),
  )
}
