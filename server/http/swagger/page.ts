import { html, raw } from 'hono/html'
import type { OpenAPIV3_1 } from 'openapi-types'
import { type ApiDocument, methods, type Operation } from '../api/document.ts'
import { curlLine } from './curl.ts'
import { prose } from './prose.ts'
import { fieldsOf, type Html, joined, type Shown, schemaOf, typeText } from './schema-text.ts'

type Parameter = OpenAPIV3_1.ParameterObject
type Answer = OpenAPIV3_1.ResponseObject

/** Where the page finds what belongs to it. */
export interface Links {
  style: string
  json: string
}

interface Entry {
  method: string
  path: string
  operation: Operation
  parameters: Parameter[]
}

/** The document as HTML: chapters by tag, in each its operations, at the end what they send and answer. */
export function page(document: ApiDocument, links: Links): string {
  const { info, tags = [], components = {} } = document
  const entries = entriesOf(document)
  const chapters = tags
    .map(({ name, description = '' }) => ({
      name,
      description,
      entries: entries.filter(({ operation }) => operation.tags?.includes(name)),
    }))
    .filter((chapter) => chapter.entries.length > 0)
  const server = document.servers?.[0]?.url ?? ''
  const schemas = Object.entries(components.schemas ?? {}).sort(([one], [other]) => (one < other ? -1 : 1))
  return String(html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Stowage API</title>
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <link rel="stylesheet" href="${links.style}">
  </head>
  <body>
    <a class="skip" href="#content">To the content</a>
    <header>
      <p class="mark">${raw(crates)} Stowage</p>
      <h1>API</h1>
      <p>Version ${info.version} at <code>${server}</code>. For programs: <a href="${links.json}">OpenAPI 3.1</a>.</p>
    </header>
    <nav aria-label="Chapters">
      <ol>
        ${chapters.map(
          ({ name, entries }) => html`
        <li><a href="#chapter-${name}">${titleOf(name)}</a>${listOf(entries)}</li>`,
        )}
        <li><a href="#chapter-types">Types</a></li>
      </ol>
    </nav>
    <main id="content">
      <section class="prose">${prose(info.description ?? '')}</section>
      ${chapters.map(
        ({ name, description, entries }) => html`
      <section id="chapter-${name}">
        <h2>${titleOf(name)}</h2>
        <p>${description}</p>
        ${entries.map((entry) => operationPart(entry, server, document))}
      </section>`,
      )}
      <section id="chapter-types">
        <h2>Types</h2>
        ${schemas.map(
          ([name, schema]) => html`
        <article id="type-${name}">
          <h3><a href="#type-${name}">${name}</a></h3>
          ${schema.description ? html`<p>${schema.description}</p>` : ''}
          ${fieldList(schema as Shown, document)}
        </article>`,
        )}
      </section>
    </main>
  </body>
</html>
`)
}

function entriesOf({ paths = {}, components = {} }: ApiDocument): Entry[] {
  const known = components.parameters ?? {}
  const resolved = (parameter: Parameter | OpenAPIV3_1.ReferenceObject) =>
    '$ref' in parameter ? (known[parameter.$ref.split('/').at(-1) ?? ''] as Parameter) : (parameter as Parameter)
  return Object.entries(paths).flatMap(([path, item = {}]) =>
    methodsOf(item).flatMap((method) => {
      const operation = item[method] as Operation
      const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])] as Parameter[]
      return [{ method: method.toUpperCase(), path, operation, parameters: parameters.map(resolved) }]
    }),
  )
}

/** In their order: what one does first comes first. */
function methodsOf(item: OpenAPIV3_1.PathItemObject) {
  return Object.keys(item).flatMap((key) => methods.find((method) => method === key) ?? [])
}

function titleOf(tag: string): string {
  return tag.slice(0, 1).toUpperCase() + tag.slice(1)
}

function listOf(entries: Entry[]): Html {
  return html`<ul>${entries.map(
    ({ operation }) => html`<li><a href="#${operation.operationId}">${operation.summary}</a></li>`,
  )}</ul>`
}

function operationPart(entry: Entry, server: string, document: ApiDocument): Html {
  const { method, path, operation, parameters } = entry
  const body = operation.requestBody as OpenAPIV3_1.RequestBodyObject | undefined
  return html`
        <article id="${operation.operationId}">
          <h3><a href="#${operation.operationId}">${operation.summary}</a></h3>
          <p class="address"><b>${method}</b> <code>${breakable(path)}</code></p>
          ${operation.description ? prose(operation.description) : ''}
          <p class="who">${whoMay(operation.security ?? [])}</p>
          ${parameterLists(parameters)}
          ${body ? html`<h4>Body</h4>${bodyPart(body, document)}` : ''}
          <h4>Answers</h4>
          <dl>${Object.entries(operation.responses ?? {}).map(([status, answer]) => answerPart(status, answer, document))}</dl>
          <h4>Try it</h4>
          <pre tabindex="0"><code>${curlLine(entry, server, document)}</code></pre>
        </article>`
}

/** Long addresses break behind a slash. */
function breakable(path: string): Html {
  return html`${path.split('/').map((segment, index) => (index === 0 ? segment : html`/<wbr>${segment}`))}`
}

const placesOf = { path: 'In the address', query: 'In the query', header: 'Headers' } as const

function parameterLists(parameters: Parameter[]): Html[] {
  return Object.entries(placesOf).flatMap(([place, title]) => {
    const some = parameters.filter((parameter) => parameter.in === place)
    if (some.length === 0) return []
    return [
      html`<h4>${title}</h4><dl>${some.map(
        ({ name, description = '', required, schema }) =>
          html`<dt><code>${name}</code> <span>${typeText((schema ?? {}) as Shown)}${
            required && place !== 'path' ? ', required' : ''
          }</span></dt><dd>${prose(description)}</dd>`,
      )}</dl>`,
    ]
  })
}

function bodyPart({ content }: OpenAPIV3_1.RequestBodyObject, document: ApiDocument): Html {
  const json = content['application/json']?.schema as Shown | undefined
  if (!json) return html`<p>${Object.keys(content).join(', or ')}</p>`
  return fieldList(json, document)
}

function fieldList(schema: Shown, document: ApiDocument): Html {
  const fields = fieldsOf(schema, document)
  if (fields.length === 0) return html`<p>${typeText(schemaOf(schema, document))}</p>`
  return html`<dl>${fields.map(
    ({ name, type, description, isRequired }) =>
      html`<dt><code>${name}</code> <span>${type}${isRequired ? '' : ', may be left out'}</span></dt><dd>${prose(description)}</dd>`,
  )}</dl>`
}

function answerPart(status: string, said: Answer | OpenAPIV3_1.ReferenceObject, { components }: ApiDocument): Html {
  const known = components?.responses ?? {}
  const answer = ('$ref' in said ? known[said.$ref.split('/').at(-1) ?? ''] : said) as Answer
  const contents = Object.entries(answer.content ?? {})
  // That of every refusal is described at the top.
  const { 'X-Request-Id': _, ...own } = (answer.headers ?? {}) as Record<string, OpenAPIV3_1.HeaderObject>
  const headers = Object.entries(own)
  const shown = contents.map(([type, { schema }]) => {
    const isPlain = type !== 'application/json' || !schema
    return isPlain ? type : typeText(schema as Shown)
  })
  return html`<dt><code>${status === 'default' ? 'else' : status}</code> <span>${
    shown.length === 0 ? 'no body' : joined(shown, ', ')
  }</span></dt><dd>${prose(answer.description)}${
    headers.length === 0
      ? ''
      : html`<ul>${headers.map(([name, { description = '' }]) => html`<li><code>${name}</code> ${prose(description)}</li>`)}</ul>`
  }</dd>`
}

/** Who may call, in words; the rest of it is in the description. */
export function whoMay(security: OpenAPIV3_1.SecurityRequirementObject[]): string {
  if (security.length === 0) return 'For everybody: no credentials are looked at.'
  if (security.some((one) => 'metrics' in one)) return 'With the token of the metrics, where there is one.'
  const isOpen = security.some((one) => Object.keys(one).length === 0)
  const byToken = security.some((one) => 'token' in one)
  const byBasic = security.some((one) => 'basic' in one)
  const scopes = [...new Set(security.flatMap((one) => Object.values(one).flat()))].join(', ')
  const withScope = scopes ? ` A token needs ${scopes}.` : ''
  if (isOpen) return `For anybody, for what is public.${withScope}`
  if (byToken && byBasic) return `For who is signed in.${withScope}`
  if (byToken) return 'By token alone.'
  return scopes ? `By Basic alone.${withScope}` : 'By user name and password alone.'
}

const crates =
  '<svg viewBox="0 0 16 16" width="20" height="20" fill="none" stroke="currentColor" stroke-width="1.5" aria-hidden="true"><path d="M4.75 1.75h6.5v5.5h-6.5zM1.25 8.25h6v6h-6zM8.75 8.25h6v6h-6z"/></svg>'
