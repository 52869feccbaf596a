import { globMatcher } from '../lib/glob.ts'
import { ownerKey } from '../names.ts'
import { Problem } from '../problems.ts'

/** Some of an owner's packages, as a token is limited to them. */
export interface PackagePattern {
  /** Null: of every owner. */
  readonly ownerId: number | null
  /** Folded, as packages' keys are; `*` stands for any characters or none. */
  readonly name: string
}

/** What a token is limited to; null is no limit, an empty list nothing at all. */
export type PackageLimit = readonly PackagePattern[] | null

/** Patterns that one token may have. */
export const mostPatterns = 50

const longestPattern = 255

/** The pattern of names, folded; undefined where no package could be meant. A comma would end it in a form's list. */
export function namePattern(text: string): string | undefined {
  const isOne = /^[A-Za-z0-9_\-+.*]+$/.test(text) && text.length <= longestPattern
  return isOne ? text.toLowerCase().replaceAll(/\*+/g, '*') : undefined
}

/** A pattern as people write it: `acme/tool-*`, or `tool-*` where `owner` is undefined. Undefined where it is none. */
export function readPattern(text: string): { owner: string | undefined; name: string } | undefined {
  const slash = text.indexOf('/')
  const name = namePattern(slash < 0 ? text : text.slice(slash + 1))
  const owner = slash < 0 ? undefined : text.slice(0, slash)
  return name === undefined || owner === '' ? undefined : { owner, name }
}

/** A pattern that somebody has typed, of an owner by his name; null: of every owner. */
export interface TypedPattern {
  readonly owner: string | null
  readonly name: string
}

/** Patterns of packages of any owners, each with its owner; `unprocessable` where one is none. */
export function typedPatterns(texts: readonly string[]): TypedPattern[] {
  return severalOf(texts).map((text) => {
    const { owner, name } = patternFrom(text)
    if (owner === undefined) {
      throw wrongPattern(
        `"${shortened(text)}" names no owner: write acme/${shortened(text)}, or */${shortened(text)} for every owner`,
      )
    }
    return { owner: owner === '*' ? null : owner, name }
  })
}

/** The same of one owner's packages: `tool-*`, or `acme/tool-*` of acme's. */
export function patternsAt(at: { id: number; name: string }, texts: readonly string[]): PackagePattern[] {
  const names = severalOf(texts).map((text) => {
    const { owner, name } = patternFrom(text)
    const isAnothers = owner !== undefined && ownerKey(owner) !== ownerKey(at.name)
    if (isAnothers) throw wrongPattern(`"${shortened(text)}" is of another owner than ${at.name}`)
    return name
  })
  return [...new Set(names)].map((name) => ({ ownerId: at.id, name }))
}

function severalOf(texts: readonly string[]): readonly string[] {
  if (texts.length === 0) throw wrongPattern('name one at least, or leave it out for all')
  if (texts.length > mostPatterns) throw wrongPattern(`may be ${mostPatterns} at most`)
  return texts
}

function patternFrom(text: string): { owner: string | undefined; name: string } {
  const read = readPattern(text)
  if (read) return read
  const rule = 'letters, digits and - _ . + as in the name of a package, and * for any of them'
  throw wrongPattern(`"${shortened(text)}" is no pattern: ${rule}`)
}

function wrongPattern(why: string): Problem {
  return new Problem('unprocessable', `packages: ${why}`)
}

/** What somebody typed, no longer than a sentence can hold. */
function shortened(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}

/** Whether a package of that name at that owner is within the limit, be it there or not. */
export function isWithin(limit: PackageLimit, place: { ownerId: number; key: string }): boolean {
  if (limit === null) return true
  return limit.some(
    ({ ownerId, name }) => (ownerId === null || ownerId === place.ownerId) && globMatcher(name)(place.key),
  )
}

/** Reads what `storedLimit` wrote. What cannot be read allows nothing. */
export function limitFrom(stored: string | null): PackageLimit {
  if (stored === null) return null
  try {
    const read = JSON.parse(stored) as unknown
    return Array.isArray(read) && read.every(isPattern) ? read : []
  } catch {
    return []
  }
}

export function storedLimit(limit: PackageLimit): string | null {
  return limit === null ? null : JSON.stringify(limit)
}

function isPattern(value: unknown): value is PackagePattern {
  if (typeof value !== 'object' || value === null) return false
  const { ownerId, name } = value as Record<string, unknown>
  return (ownerId === null || typeof ownerId === 'number') && typeof name === 'string'
}
