/** Part of a file, in bytes: from `start` up to, but without, `end`. */
export interface Span {
  start: number
  end: number
}

export type RequestedRange =
  /** Send the whole file (200): nothing was asked for, or nothing that must be honoured. */
  | { kind: 'whole' }
  /** Send these parts (206), in this order: at least one, none empty, all inside the file. They may overlap. */
  | { kind: 'spans'; spans: Span[] }
  /** None of what was asked for is in the file (416). */
  | { kind: 'unsatisfiable' }

/** More ranges than this in one request are a mistake or an attack (RFC 9110 §14.2), and get the whole file. */
export const mostRanges = 16

const whole: RequestedRange = { kind: 'whole' }

/**
 * Reads a `Range` header (RFC 9110 §14.1, §14.2) for a file of `size` bytes.
 *
 * A unit other than bytes, or bad syntax, is as if there were no header. Of several ranges, those that lie behind the
 * end of the file are left out. Ranges that add up to more than the file get the whole file.
 */
export function parseRange(header: string | null | undefined, size: number): RequestedRange {
  // Some clients ask every time for the first so many bytes: an empty file is no reason to answer 416.
  if (header === null || header === undefined || size === 0) return whole

  const ranges = /^bytes=/i.test(header) ? header.slice('bytes='.length).split(',') : []
  const spans: Span[] = []
  let count = 0
  let total = 0
  for (const text of ranges) {
    const range = rangeShape.exec(text)
    if (range === null) {
      if (/^[ \t]*$/.test(text)) continue // an empty list element, RFC 9110 §5.6.1.2
      return whole
    }
    if (++count > mostRanges) return whole
    const span = spanOf(range[1] ?? '', range[2] ?? '', size)
    if (span === undefined) return whole
    if (span.start >= span.end) continue
    spans.push(span)
    total += span.end - span.start
  }
  if (count === 0 || total > size) return whole
  return spans.length === 0 ? { kind: 'unsatisfiable' } : { kind: 'spans', spans }
}

/** `Content-Range` of one part of a file of `size` bytes (RFC 9110 §14.4). */
export function contentRange(span: Span, size: number): string {
  return `bytes ${span.start}-${span.end - 1}/${size}`
}

/** `Content-Range` of a 416 (RFC 9110 §14.4). */
export function unsatisfiedContentRange(size: number): string {
  return `bytes */${size}`
}

const rangeShape = /^[ \t]*(\d*)-(\d*)[ \t]*$/

/**
 * Undefined when it is no range at all; without bytes (`start >= end`) when it lies behind the end.
 *
 * A number too large to be exact is far behind the end of any file, so being off by a few does not matter.
 */
function spanOf(first: string, last: string, size: number): Span | undefined {
  if (first === '') {
    if (last === '') return undefined
    return { start: Math.max(0, size - Number(last)), end: size }
  }
  const start = Number(first)
  if (last === '') return { start, end: size }
  if (Number(last) < start) return undefined
  return { start, end: Math.min(size, Number(last) + 1) }
}
