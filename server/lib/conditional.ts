import { parseHttpDate } from './http-date.ts'

/** What a file's headers say of its present bytes. */
export interface Validators {
  /** A strong entity tag, with its quotes. */
  etag: string
  /** Counted in whole seconds, like the header. */
  lastModified: Date
}

/** Go on; or there is nothing new to send (304); or the file is not the one that was meant (412). */
export type Verdict = 'proceed' | 'not-modified' | 'precondition-failed'

type RequestHeaders = Pick<Headers, 'get'>

/** Weighs the conditions of a request for a file that exists, in the order of RFC 9110 §13.2.2. */
export function evaluate(headers: RequestHeaders, method: string, current: Validators): Verdict {
  const ifMatch = headers.get('if-match')
  const ifNoneMatch = headers.get('if-none-match')
  const ifModifiedSince = headers.get('if-modified-since')
  const ifUnmodifiedSince = headers.get('if-unmodified-since')
  if ((ifMatch ?? ifNoneMatch ?? ifModifiedSince ?? ifUnmodifiedSince) === null) return 'proceed'

  const reading = method === 'GET' || method === 'HEAD'
  if (ifMatch !== null) {
    if (!isAny(ifMatch) && !hasStrongly(ifMatch, current.etag)) return 'precondition-failed'
  } else if (ifUnmodifiedSince !== null) {
    if (modifiedSince(ifUnmodifiedSince, current) === true) return 'precondition-failed'
  }

  if (ifNoneMatch !== null) {
    if (!isAny(ifNoneMatch) && !hasWeakly(ifNoneMatch, current.etag)) return 'proceed'
    return reading ? 'not-modified' : 'precondition-failed'
  }
  if (ifModifiedSince !== null && reading && modifiedSince(ifModifiedSince, current) === false) return 'not-modified'
  return 'proceed'
}

/**
 * Whether a `Range` is to be honoured: there is no `If-Range`, or it names the present bytes (RFC 9110 §13.1.5). A weak
 * tag never does; a date only if it is exactly the `Last-Modified`.
 */
export function rangeApplies(headers: RequestHeaders, current: Validators): boolean {
  const ifRange = headers.get('if-range')?.trim()
  if (ifRange === undefined || ifRange === current.etag) return true
  const date = parseHttpDate(ifRange)
  return date !== undefined && wholeSeconds(date) === wholeSeconds(current.lastModified)
}

/** Undefined when the text is not one date: then its header is to be ignored (RFC 9110 §13.1.3, §13.1.4). */
function modifiedSince(text: string, current: Validators): boolean | undefined {
  const date = parseHttpDate(text.trim())
  return date && wholeSeconds(current.lastModified) > wholeSeconds(date)
}

function wholeSeconds(date: Date): number {
  return Math.floor(date.getTime() / 1000)
}

function isAny(list: string): boolean {
  return list.trim() === '*'
}

/** RFC 9110 §8.8.3.2: the same tag, and neither is weak. */
function hasStrongly(list: string, etag: string): boolean {
  return entityTags(list).some((tag) => tag === etag)
}

/** RFC 9110 §8.8.3.2: the same tag, weak or not. */
function hasWeakly(list: string, etag: string): boolean {
  return entityTags(list).some((tag) => tag === etag || tag === `W/${etag}`)
}

/** Whatever in the text looks like an entity tag. Tags may hold commas, so the list cannot be split at them. */
function entityTags(list: string): string[] {
  return list.match(/(?:W\/)?"[^"]*"/g) ?? []
}
