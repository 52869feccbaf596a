import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Field, readType, type Type } from './type-grammar.ts'

// The types of gitea-js, read where it declares them and held against JSON. A construct that is not known here is an
// error wherever a value meets it, so that nothing passes because nobody looked.

/** Fields that the protocol answers with null, though the types do not say so. */
const nullFields: readonly string[] = ['Package.repository']

/** Fields that the protocol has come to spell otherwise since the types were made. */
const respelled: Readonly<Record<string, string>> = { 'PackageFile.Size': 'size' }

export interface Comparison {
  /** Path and reason of everything that is there and does not fit. */
  mismatches: string[]
  /** Paths of what the type declares and the value lacks. */
  missing: string[]
}

/** Holds a value against a type of the client: `User`, `Package[]`. */
export function compare(type: string | Type, value: unknown): Comparison {
  const comparison: Comparison = { mismatches: [], missing: [] }
  const root: Place = { path: '', format: undefined, ...comparison }
  fit(typeof type === 'string' ? readType(type) : type, value, root)
  return comparison
}

/** The groups that the client sorts its methods into. */
export function groups(): string[] {
  const api = readApi()
  return api.kind === 'fields' ? api.fields.map(({ name }) => name) : []
}

/** What a method of the client says that it answers: `answerOf('admin', 'adminCreateUser')` is `User`. */
export function answerOf(group: string, method: string): Type {
  const call = fieldOf(fieldOf(readApi(), group), method)
  const response = call.kind === 'call' && argumentOf(call.answer, 'Promise')
  const answer = response && argumentOf(response, 'HttpResponse')
  if (!answer) throw new Error(`${group}.${method} is no call of the API`)
  return answer
}

function argumentOf(type: Type, generic: string): Type | undefined {
  return type.kind === 'named' && type.name === generic ? type.of[0] : undefined
}

function fieldOf(type: Type, name: string): Type {
  const field = type.kind === 'fields' && type.fields.find((candidate) => candidate.name === name)
  if (!field) throw new Error(`The client has no ${name}`)
  return field.type
}

interface Place extends Comparison {
  path: string
  format: string | undefined
}

function fit(type: Type, value: unknown, place: Place, declaration = ''): void {
  if (type.kind === 'named') fitNamed(type, value, place)
  else if (type.kind === 'list') fitList(type.of, value, place)
  else if (type.kind === 'either') fitEither(type.of, value, place)
  else if (type.kind === 'fields') fitFields(type.fields, value, place, declaration)
  else if (type.kind === 'literal') refuseUnless(value === type.text, value, `'${type.text}'`, place)
  else throw new Error(`${at(place)}: a function is no type of an answer`)
}

const plain = ['string', 'number', 'boolean', 'undefined']

function fitNamed({ name, of }: Type & { kind: 'named' }, value: unknown, place: Place): void {
  if (plain.includes(name)) fitPlain(name, value, place)
  else if (name === 'Record') fitRecord(of, value, place)
  else if (of.length > 0) throw new Error(`${at(place)}: ${name}<…> cannot be read`)
  else fit(declared(name, place), value, place, name)
}

function fitPlain(name: string, value: unknown, place: Place): void {
  if (!refuseUnless(typeof value === name, value, `a ${name}`, place) || place.format === undefined) return
  const holds = formats[place.format]
  if (!holds) throw new Error(`${at(place)}: format ${place.format} cannot be read`)
  refuseUnless(holds(value), value, `a ${place.format}`, place)
}

function fitRecord([key, held]: Type[], value: unknown, place: Place): void {
  if (key?.kind !== 'named' || key.name !== 'string' || !held) throw new Error(`${at(place)}: unknown kind of Record`)
  if (!refuseUnless(isObject(value), value, 'an object', place)) return
  for (const [name, entry] of Object.entries(value as object)) fit(held, entry, below(place, `.${name}`))
}

function fitList(of: Type, value: unknown, place: Place): void {
  if (!refuseUnless(Array.isArray(value), value, 'a list', place)) return
  for (const [index, item] of (value as unknown[]).entries()) fit(of, item, below(place, `[${index}]`))
}

function fitEither(of: Type[], value: unknown, place: Place): void {
  const trials = of.map((type) => {
    const trial: Place = { ...place, mismatches: [], missing: [] }
    fit(type, value, trial)
    return trial
  })
  const found = trials.find(({ mismatches }) => mismatches.length === 0)
  if (found) place.missing.push(...found.missing)
  else refuseUnless(false, value, of.map(inWords).join(' or '), place)
}

function fitFields(fields: Field[], value: unknown, place: Place, declaration: string): void {
  if (!refuseUnless(isObject(value), value, declaration ? `a ${declaration}` : 'an object', place)) return
  const holder = value as Record<string, unknown>
  for (const { name, type, optional, format } of fields) {
    const identity = `${declaration}.${name}`
    const spelled = respelled[identity] ?? name
    const inner = { ...below(place, `.${spelled}`), format }
    const held = Object.hasOwn(holder, spelled) ? holder[spelled] : undefined
    if (held === undefined && optional) place.missing.push(inner.path)
    else if (held !== null || !nullFields.includes(identity)) fit(type, held, inner)
  }
}

function refuseUnless(holds: boolean, value: unknown, wanted: string, place: Place): boolean {
  if (!holds) place.mismatches.push(`${at(place)}: ${JSON.stringify(value) ?? 'undefined'} is not ${wanted}`)
  return holds
}

function below(place: Place, step: string): Place {
  return { ...place, path: place.path + step, format: undefined }
}

function at({ path }: Place): string {
  return path || 'the answer'
}

function inWords(type: Type): string {
  if (type.kind === 'literal') return `'${type.text}'`
  return type.kind === 'named' ? type.name : `of kind ${type.kind}`
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const formats: Record<string, (value: unknown) => boolean> = {
  'date-time': (value) => typeof value === 'string' && isRfc3339(value),
  email: (value) => typeof value === 'string' && /^[^\s@]+@[^\s@]+$/.test(value),
  int64: Number.isSafeInteger,
  uint64: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
}

const rfc3339 = /^(\d{4}-\d\d-\d\d)T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/

/** A time with its zone, on a day that there is. */
function isRfc3339(text: string): boolean {
  const day = rfc3339.exec(text)?.[1]
  if (day === undefined) return false
  const midnight = new Date(`${day}T00:00:00Z`)
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day)
}

// What the client declares, each thing read when it is first asked for.

let source: string | undefined
const known = new Map<string, Type>()

function declarations(): string {
  source ??= readFileSync(fileURLToPath(import.meta.resolve('gitea-js')).replace(/\.m?js$/, '.d.ts'), 'utf8')
  return source
}

function readOnce(name: string, pattern: RegExp): Type {
  const type = known.get(name) ?? readType(pattern.exec(declarations())?.[1] ?? notDeclared(name))
  known.set(name, type)
  return type
}

function notDeclared(name: string): never {
  throw new Error(`The client declares no type ${name} that can be read`)
}

function declared(name: string, place: Place): Type {
  if (!/^[A-Z]\w*$/.test(name)) throw new Error(`${at(place)}: type ${name} cannot be read`)
  return readOnce(
    name,
    new RegExp(`^(?:interface ${name} (?=\\{)|type ${name} = )(\\{[\\s\\S]*?^\\}|[^{\\n]*(?=;$))`, 'm'),
  )
}

function readApi(): Type {
  return readOnce('class Api', /^declare class Api<[^{]*(\{[\s\S]*?^\})/m)
}
