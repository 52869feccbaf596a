import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import type { OpenAPIV3_1 } from 'openapi-types'
import { apiApp } from '../../server/http/api/app.ts'
import { type ApiDocument, documentOf, methods, type Operation } from '../../server/http/api/document.ts'
import type { WatchAnswers } from '../../server/http/app.ts'
import type { HttpParts } from '../../server/http/parts.ts'

/*
 * Every answer of `/api/v1` that a test receives is held against the document that the server gives out. One that does not fit
 * becomes a 599 whose text says what is wrong, which no test expects.
 */

/** The document as it is without a server. */
export function documentAlone(): Promise<ApiDocument> {
  return documentOf(apiApp({} as HttpParts), { version: '0.0.0', publicUrl: 'https://packages.example.com' })
}

let made: Promise<AnswerCheck> | undefined

export const onlyDocumented: WatchAnswers = async (request, segments, response) => {
  const [first, second, ...rest] = segments
  if (first !== 'api' || second !== 'v1' || request.method === 'OPTIONS') return response
  made ??= documentAlone().then((document) => new AnswerCheck(document))
  const check = await made
  const text = response.body === null ? '' : await response.text()
  const wrong = check.wrongWith(request.method, rest, response, text)
  if (wrong === undefined) return response.body === null ? response : new Response(text, response)
  const sentence = `Not as documented: ${request.method} /${segments.join('/')} answered ${response.status}: ${wrong}`
  // A test that looks at the status alone would not say why.
  console.error(`${sentence}\n${text.slice(0, 1_000)}`)
  return new Response(`${sentence}\n`, { status: 599, headers: { 'Content-Type': 'text/plain; charset=utf-8' } })
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
      .filter(([path]) => path.startsWith('/api/v1/'))
      .map(([path, item]) => ({ path, item: item ?? {}, segments: path.split('/').slice(3) }))
      .sort((one, other) => placesIn(one) - placesIn(other))
  }

  /** What about an answer of `/api/v1/…` is not as the document says. */
  wrongWith(method: string, segments: readonly string[], response: Response, text: string): string | undefined {
    const found = this.#operation(method, segments)
    const { status } = response
    if (!found && status < 400) return 'there is no such operation'
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

  #wrongBody(method: string, answer: Answer, pointer: string, response: Response, text: string): string | undefined {
    const declared = Object.keys(answer.content ?? {})
    const type = response.headers.get('content-type')
    if (declared.length === 0) return text === '' ? undefined : 'it has a body, and should have none'
    const [name = ''] = declared.filter((it) => it === type?.split(';')[0])
    if (!name) return `its type is ${type}, and should be ${declared.join(' or ')}`
    if (name !== 'application/json') return undefined
    if (type !== 'application/json; charset=utf-8') return `its type is ${type}`
    if (method === 'HEAD') return undefined
    const validate = this.#schemaAt(`${pointer}/content/${escaped(name)}/schema`)
    return validate(parsed(text)) ? undefined : this.#ajv.errorsText(validate.errors, { dataVar: 'body' })
  }

  #operation(
    method: string,
    segments: readonly string[],
  ): { operation: Operation; path: string; key: string } | undefined {
    const key = methods.find((it) => it === (method === 'HEAD' ? 'get' : method.toLowerCase()))
    if (!key) return undefined
    const found = this.#paths.find(({ segments: own, item }) => {
      const fits = own.every((it, index) => (it.startsWith('{') ? segments[index] !== '' : it === segments[index]))
      return own.length === segments.length && fits && item[key]
    })
    const operation = found?.item[key]
    return found && operation && { operation: operation as Operation, path: found.path, key }
  }

  /** The answer for that status, and where it is in the document. Whatever is no success may be a refusal. */
  #answer(found: { operation: Operation; path: string; key: string } | undefined, status: number): [Answer, string] {
    const own = found?.operation.responses?.[status]
    if (found && own && !('$ref' in own)) {
      return [own as Answer, `#/paths/${escaped(found.path)}/${found.key}/responses/${status}`]
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
