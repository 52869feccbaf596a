import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import type { OpenAPIV3_1 } from 'openapi-types'
import { apiApp } from '../../server/http/api/app.ts'
import { type ApiDocument, documentOf, methods, type Operation } from '../../server/http/api/document.ts'
import type { WatchAnswers } from '../../server/http/app.ts'
import type { HttpParts } from '../../server/http/parts.ts'

/*
 * Every answer that a test receives is held against the document that the server gives out. One that does not fit becomes a 599
 * whose text says what is wrong, which no test expects. The bytes of files stream: of these the headers are looked at.
 */

/** The document as it is without a server. */
export function documentAlone(): Promise<ApiDocument> {
  return documentOf(apiApp({} as HttpParts), { version: '0.0.0', publicUrl: 'https://packages.example.com' })
}

let made: Promise<AnswerCheck> | undefined

export const onlyDocumented: WatchAnswers = async (request, segments, response) => {
  const isRead = response.body !== null && isShort(segments, response)
  const text = response.body === null ? '' : isRead ? await response.text() : undefined
  const wrong = await wrongWith(request.method, segments, response, text)
  if (wrong === undefined) return isRead ? new Response(text ?? null, response) : response
  // A test that looks at the status alone would not say why.
  console.error(`${wrong}\n${text?.slice(0, 1_000)}`)
  return new Response(`${wrong}\n`, { status: 599, headers: { 'Content-Type': 'text/plain; charset=utf-8' } })
}

/** The same where the server is a process of its own: throws when an answer that came from it is not as documented. */
export async function demandDocumented(method: string, url: string, response: Response): Promise<void> {
  // Whoever followed a redirect may have come to another address by another method.
  if (response.redirected) return
  const segments = new URL(url).pathname.split('/').filter(Boolean)
  // A server that ends meanwhile sends no more.
  const read = () => response.clone().text()
  const text = isShort(segments, response) ? await read().catch(() => undefined) : undefined
  const wrong = await wrongWith(method, segments, response, text)
  if (wrong !== undefined) throw new Error(wrong)
}

async function wrongWith(
  method: string,
  segments: readonly string[],
  response: Response,
  text: string | undefined,
): Promise<string | undefined> {
  if (!isDescribed(segments) || method === 'OPTIONS') return undefined
  made ??= documentAlone().then((document) => new AnswerCheck(document))
  const wrong = (await made).wrongWith(method, segments, response, text)
  return wrong && `Not as documented: ${method} /${segments.join('/')} answered ${response.status}: ${wrong}`
}

/** Whether its body is no file, and may be read as a whole. */
function isShort(segments: readonly string[], { status }: Response): boolean {
  return isDescribed(segments) && (isOfApi(segments) || ![200, 206].includes(status))
}

function isOfApi([first, second]: readonly string[]): boolean {
  return first === 'api' && second === 'v1'
}

/** Where the document says something: not of pages for people. */
function isDescribed(segments: readonly string[]): boolean {
  const [first = '', second] = segments
  if (first === 'api') return second === 'v1' || second === 'packages'
  return segments.length === 1 && ['healthz', 'readyz', 'metrics'].includes(first)
}

type Answer = OpenAPIV3_1.ResponseObject

interface Known {
  segments: string[]
  path: string
  item: OpenAPIV3_1.PathItemObject
}

export class AnswerCheck {
  readonly #document: ApiDocument
  /** Those with the more words in front of those with the more places. */
  readonly #paths: Known[]
  readonly #ajv = addFormats.default(new Ajv2020({ strict: false, validateSchema: false, allErrors: true }))
  readonly #compiled = new Map<string, ValidateFunction>()

  constructor(document: ApiDocument) {
    this.#document = document
    this.#ajv.addSchema(document as object, 'document')
    this.#paths = Object.entries(document.paths ?? {})
      .map(([path, item]) => ({ path, item: item ?? {}, segments: path.split('/').slice(1) }))
      .sort((one, other) => placesIn(one) - placesIn(other))
  }

  /** What about an answer is not as the document says. `text`: its body, where somebody has read it. */
  wrongWith(
    method: string,
    segments: readonly string[],
    response: Response,
    text: string | undefined,
  ): string | undefined {
    const found = this.#operation(method, segments)
    const { status } = response
    if (!found && status < 400) return 'there is no such operation'
    // Beside its operations the document promises something of the JSON API alone.
    if (!found && !isOfApi(segments)) return undefined
    const declared = found?.operation.responses ?? {}
    if (found && !(status in declared) && status < 300)
      return `this status is none of ${Object.keys(declared).join(', ')}`
    const [answer, pointer] = this.#answer(found, status)
    for (const [name, header] of Object.entries(answer.headers ?? {})) {
      const value = response.headers.get(name)
      if ('required' in header && header.required && value === null) return `the header ${name} is missing`
      const schema = 'schema' in header ? header.schema : undefined
      const isWhole = schema && 'type' in schema && schema.type === 'integer'
      if (isWhole && value !== null && !/^\d+$/.test(value)) return `the header ${name} is no number: ${value}`
    }
    return this.#wrongBody(method, answer, pointer, response, text)
  }

  #wrongBody(
    method: string,
    answer: Answer,
    pointer: string,
    response: Response,
    text: string | undefined,
  ): string | undefined {
    const declared = Object.keys(answer.content ?? {})
    const type = response.headers.get('content-type')
    if (declared.length === 0) return text ? 'it has a body, and should have none' : undefined
    const [name = ''] = declared.filter((it) => it === type?.split(';')[0])
    if (!name) return `its type is ${type}, and should be ${declared.join(' or ')}`
    if (!name.endsWith('json')) return undefined
    if (name === 'application/json' && type !== 'application/json; charset=utf-8') return `its type is ${type}`
    if (method === 'HEAD' || text === undefined) return undefined
    const validate = this.#schemaAt(`${pointer}/content/${escaped(name)}/schema`)
    return validate(parsed(text)) ? undefined : this.#ajv.errorsText(validate.errors, { dataVar: 'body' })
  }

  #operation(
    method: string,
    segments: readonly string[],
  ): { operation: Operation; path: string; key: string } | undefined {
    const keys = methods.filter((it) => it === method.toLowerCase() || (method === 'HEAD' && it === 'get'))
    const keyOf = ({ item }: Known) => keys.findLast((it) => item[it])
    const found = this.#paths.find((known) => {
      const own = known.segments
      const fits = own.every((it, index) => (it.startsWith('{') ? segments[index] !== '' : it === segments[index]))
      return own.length === segments.length && fits && keyOf(known)
    })
    const key = found && keyOf(found)
    return found && key && { operation: found.item[key] as Operation, path: found.path, key }
  }

  /** The answer for that status, and where it is in the document. Whatever is no success may be a refusal. */
  #answer(found: { operation: Operation; path: string; key: string } | undefined, status: number): [Answer, string] {
    const declared = found?.operation.responses ?? {}
    const key = status in declared ? status : 'default'
    const own = declared[key]
    if (found && own && !('$ref' in own)) {
      return [own as Answer, `#/paths/${escaped(found.path)}/${found.key}/responses/${key}`]
    }
    const refused = this.#document.components?.responses?.refused as Answer
    return [refused, '#/components/responses/refused']
  }

  #schemaAt(pointer: string): ValidateFunction {
    const known = this.#compiled.get(pointer) ?? this.#ajv.compile({ $ref: `document${pointer}` })
    this.#compiled.set(pointer, known)
    return known
  }
}

function placesIn({ segments }: Known): number {
  return segments.filter((it) => it.startsWith('{')).length
}

/** A name in a JSON Pointer that stands in an address. */
function escaped(name: string): string {
  return encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'))
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
