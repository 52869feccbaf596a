import { z } from 'zod'
import { maxPasswordLength, minPasswordLength } from '../../names.ts'
import { Problem } from '../../problems.ts'
import { requestJson } from '../request-body.ts'

export function json(value: unknown, status = 200, headers: Record<string, string> = {}): Response {
  const body = JSON.stringify(value)
  return new Response(body, {
    status,
    headers: {
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Length': lengthOf(body),
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      ...headers,
    },
  })
}

/** Said aloud: for HEAD the router drops the body, and the runtime would say 0 (RFC 9110 §8.6). */
export function lengthOf(body: string): string {
  return String(Buffer.byteLength(body))
}

/** Mistakes that are told: a list of a hundred thousand wrong elements would be answered with megabytes. */
const mostMistakes = 50

/** The body, checked; `unprocessable` names every field that is wrong. */
export async function jsonBody<Schema extends z.ZodType>(request: Request, schema: Schema): Promise<z.output<Schema>> {
  const parsed = schema.safeParse(await requestJson(request))
  if (parsed.success) return parsed.data
  const { issues } = parsed.error
  const mistakes = issues.slice(0, mostMistakes).map(({ path, message }) => {
    if (path.length === 0) return message
    return `${path.join('.')}: ${message === noObject ? 'must be a JSON object' : message}`
  })
  const others = issues.length > mostMistakes ? [`and ${issues.length - mostMistakes} more`] : []
  throw new Problem('unprocessable', [...mistakes, ...others].join('; '))
}

const noObject = 'The body must be a JSON object.'

/** A JSON object with these fields and no others: a field that is misspelt says so instead of having no effect. */
export function bodyOf<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? `unknown field: ${issue.keys.join(', ')}` : noObject),
  })
}

/** A password that an account may have. */
export const newPassword = text('is missing')
  .min(minPasswordLength, `must have at least ${minPasswordLength} characters`)
  .max(maxPasswordLength, `may have ${maxPasswordLength} characters at most`)

/** Text that both databases can hold: PostgreSQL has no NUL, and UTF-8 no half of a surrogate pair. */
export function text(whatElse: string) {
  return z
    .string(whatElse)
    .refine((value) => value.isWellFormed() && !value.includes('\0'), 'may not hold NUL or half a character')
}

export interface Page {
  page: number
  limit: number
  offset: number
}

const defaultLimit = 30
const highestLimit = 50

/** `page` from 1 and `limit` up to 50; what cannot be read counts as not sent. */
export function pageOf(url: URL): Page {
  const limit = Math.min(positive(url.searchParams.get('limit')) ?? defaultLimit, highestLimit)
  const page = positive(url.searchParams.get('page')) ?? 1
  return { page, limit, offset: (page - 1) * limit }
}

function positive(text: string | null): number | undefined {
  return text !== null && /^\d{1,9}$/.test(text) && Number(text) > 0 ? Number(text) : undefined
}

/**
 * A list with its headers: the total, and links to the other pages (RFC 8288). Where nobody has counted how many there are,
 * neither total nor last page is told, and a full page is taken to have another one behind it.
 */
export function jsonPage(items: unknown[], total: number | undefined, { page, limit }: Page, address: URL): Response {
  const last = total === undefined ? undefined : Math.max(1, Math.ceil(total / limit))
  const hasNext = last === undefined ? items.length === limit : page < last
  const link = (number: number, relation: string) => {
    const url = new URL(address)
    url.searchParams.set('page', String(number))
    url.searchParams.set('limit', String(limit))
    return `<${url.href}>; rel="${relation}"`
  }
  const links = [
    ...(hasNext ? [link(page + 1, 'next')] : []),
    ...(hasNext && last !== undefined ? [link(last, 'last')] : []),
    ...(page > 1 ? [link(1, 'first'), link(Math.min(page - 1, last ?? Infinity), 'prev')] : []),
  ]
  return json(items, 200, {
    ...(total === undefined ? {} : { 'X-Total-Count': String(total) }),
    'Access-Control-Expose-Headers': 'Link, X-Total-Count',
    ...(links.length > 0 ? { Link: links.join(', ') } : {}),
  })
}

/** The request's address as the outside sees it. Takes no credential along. */
export function publicAddress(publicUrl: string, request: Request): URL {
  const { pathname, searchParams } = new URL(request.url)
  const url = new URL(publicUrl + pathname)
  for (const [name, value] of searchParams) {
    if (name !== 'token' && name !== 'access_token') url.searchParams.append(name, value)
  }
  return url
}
