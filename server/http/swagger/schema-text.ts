import { html } from 'hono/html'
import type { ApiDocument } from '../api/document.ts'

export type Html = ReturnType<typeof html>

/** What is read of a schema here. */
export interface Shown {
  $ref?: string
  type?: string | string[]
  format?: string
  enum?: unknown[]
  const?: unknown
  anyOf?: Shown[]
  oneOf?: Shown[]
  allOf?: Shown[]
  items?: Shown
  properties?: Record<string, Shown>
  required?: string[]
  additionalProperties?: boolean | Shown
  description?: string
  minimum?: number
  maximum?: number
  minLength?: number
  maxLength?: number
  minItems?: number
  maxItems?: number
  pattern?: string
  default?: unknown
  examples?: unknown[]
}

export interface Field {
  name: string
  type: Html
  description: string
  isRequired: boolean
}

export function schemaOf(schema: Shown, { components }: ApiDocument): Shown {
  const name = nameOf(schema)
  return name === undefined ? schema : ((components?.schemas?.[name] ?? {}) as Shown)
}

function nameOf({ $ref }: Shown): string | undefined {
  return $ref?.split('/').at(-1)
}

/** The fields of an object, also where it is made of several. */
export function fieldsOf(schema: Shown, document: ApiDocument): Field[] {
  const { properties = {}, required = [], allOf = [] } = schemaOf(schema, document)
  const own = Object.entries(properties).map(([name, field]) => ({
    name,
    type: typeText(field),
    description: field.description ?? '',
    isRequired: required.includes(name),
  }))
  return [...allOf.flatMap((part) => fieldsOf(part, document)), ...own]
}

/** What may stand there, in words, with its limits. */
export function typeText(schema: Shown): Html {
  const name = nameOf(schema)
  if (name !== undefined) return html`<a href="#type-${name}">${name}</a>`
  const choices = schema.anyOf ?? schema.oneOf
  if (choices)
    return joined(
      choices.map((choice) => typeText(choice)),
      ' or ',
    )
  if (schema.const !== undefined) return html`<code>${JSON.stringify(schema.const)}</code>`
  if (schema.enum)
    return joined(
      schema.enum.map((one) => html`<code>${one === null || one === '' ? JSON.stringify(one) : one}</code>`),
      ', ',
    )
  const types = [schema.type ?? []].flat()
  const words = types.map((type) => wordFor(type, schema))
  const limits = limitsOf(schema)
  return html`${words.length === 0 ? 'anything' : joined(words, ' or ')}${limits ? html`, ${limits}` : ''}`
}

function wordFor(type: string, schema: Shown): Html | string {
  if (type === 'string') return schema.format === 'date-time' ? 'time' : (schema.format ?? 'text')
  if (type === 'integer') return 'whole number'
  if (type === 'boolean') return html`<code>true</code> or <code>false</code>`
  if (type === 'null') return html`<code>null</code>`
  if (type === 'array') return html`list of ${typeText(schema.items ?? {})}`
  if (type !== 'object') return type
  const { additionalProperties: values, properties } = schema
  if (properties) return html`object of ${joined(Object.entries(properties).map(partText), ', ')}`
  return typeof values === 'object' ? html`object of ${typeText(values)}` : 'object'
}

function partText([name, field]: [string, Shown]): Html {
  return html`<code>${name}</code> (${typeText(field)})`
}

/** In words, without those that everything has. */
function limitsOf(schema: Shown): string {
  const { minimum, maximum, minLength = 0, maxLength, minItems = 0, maxItems, pattern } = schema
  const said = [
    minimum === undefined ? '' : `from ${minimum}`,
    maximum === undefined ? '' : `up to ${maximum}`,
    amountOf(minLength, maxLength, ' characters'),
    amountOf(minItems, maxItems, ''),
    pattern === undefined ? '' : `like ${pattern}`,
    schema.default === undefined ? '' : `else ${JSON.stringify(schema.default)}`,
  ]
  return said.filter(Boolean).join(', ')
}

function amountOf(least: number, most: number | undefined, unit: string): string {
  if (most !== undefined) return least > 0 ? `${least} to ${most}${unit}` : `${most}${unit} at most`
  if (least === 1) return 'not empty'
  return least > 0 ? `${least}${unit} at least` : ''
}

export function joined(parts: (Html | string)[], between: string): Html {
  return html`${parts.map((part, index) => (index === 0 ? part : html`${between}${part}`))}`
}
