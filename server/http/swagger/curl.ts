import type { OpenAPIV3_1 } from 'openapi-types'
import type { ApiDocument, Operation } from '../api/document.ts'
import { type Shown, schemaOf } from './schema-text.ts'

export interface Call {
  method: string
  path: string
  operation: Pick<Operation, 'security' | 'requestBody' | 'responses'>
  parameters: OpenAPIV3_1.ParameterObject[]
}

/** A line for a shell: what stands in capitals is the reader's, and the token is in `$TOKEN`. */
export function curlLine({ method, path, operation, parameters }: Call, server: string, document: ApiDocument): string {
  const { content = {} } = (operation.requestBody ?? {}) as Partial<OpenAPIV3_1.RequestBodyObject>
  const json = content['application/json']?.schema as Shown | undefined
  const isUpload = json === undefined && 'application/octet-stream' in content
  const needed = parameters.filter((parameter) => parameter.in === 'query' && parameter.required)
  const query = needed.map(({ name }) => `${encodeURIComponent(name)}=${capitals(name)}`).join('&')
  const address = server + path.replaceAll(/\{(\w+)\}/g, (_, name) => capitals(name)) + (query ? `?${query}` : '')
  return [
    'curl',
    ...credentialsFor(operation.security ?? []),
    ...methodFor(method, { hasJson: json !== undefined, isUpload }),
    ...(json ? ['-d', quoted(JSON.stringify(sampleOf(json, document)))] : []),
    ...(isUpload ? ['-T', 'FILE'] : []),
    ...(isDownload(operation) && method === 'GET' ? ['-O'] : []),
    quoted(address),
  ].join(' ')
}

/** `curl` says PUT for `-T`, and POST for `-d`. */
function methodFor(method: string, { hasJson, isUpload }: { hasJson: boolean; isUpload: boolean }): string[] {
  if (method === 'HEAD') return ['-I']
  const isImplied = method === 'GET' || (method === 'POST' && hasJson) || (method === 'PUT' && isUpload)
  return isImplied ? [] : ['-X', method]
}

function credentialsFor(security: OpenAPIV3_1.SecurityRequirementObject[]): string[] {
  if (security.some((one) => 'metrics' in one)) return ['-H', '"Authorization: Bearer $METRICS_TOKEN"']
  if (security.length === 0 || security.some((one) => Object.keys(one).length === 0)) return []
  const byToken = security.some((one) => 'token' in one)
  return byToken ? ['-H', '"Authorization: Bearer $TOKEN"'] : ['-u', 'NAME']
}

function isDownload({ responses = {} }: Call['operation']): boolean {
  const answer = responses[200] as OpenAPIV3_1.ResponseObject | undefined
  return answer?.content?.['application/octet-stream'] !== undefined
}

function capitals(name: string): string {
  return name.toUpperCase()
}

const plain = /^[\w@%+=:,./?&-]+$/

/** For a shell that is to see it as one word, as it is. */
export function quoted(text: string): string {
  return plain.test(text) && !/[?&]/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

/** The least that a body must have; where it need have nothing, one field. */
export function sampleOf(schema: Shown, document: ApiDocument, name = ''): unknown {
  const shown = schemaOf(schema, document)
  const { examples, properties, required = [], enum: choices, anyOf } = shown
  if (examples && examples.length > 0) return examples[0]
  if (shown.const !== undefined) return shown.const
  if (choices) return choices[0]
  if (anyOf?.[0]) return sampleOf(anyOf[0], document, name)
  const [type] = [shown.type ?? 'object'].flat()
  if (type === 'string') return shown.format === 'date-time' ? '2030-01-31T12:00:00Z' : capitals(name || 'text')
  if (type === 'boolean') return true
  if (type === 'integer' || type === 'number') return shown.minimum ?? 1
  if (type === 'array') return shown.items ? [sampleOf(shown.items, document, name)] : []
  if (type !== 'object' || !properties) return {}
  const shownNames = required.length > 0 ? required : Object.keys(properties).slice(0, 1)
  return Object.fromEntries(shownNames.map((field) => [field, sampleOf(properties[field] ?? {}, document, field)]))
}
