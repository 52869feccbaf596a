import { evaluate, rangeApplies } from '../../lib/conditional.ts'
import { attachment } from '../../lib/content-disposition.ts'
import { formatHttpDate } from '../../lib/http-date.ts'
import { contentRange, parseRange, type Span, unsatisfiedContentRange } from '../../lib/range.ts'
import { Problem } from '../../problems.ts'
import { begun, bytesOf, linkTo, type ReadableFile } from '../../registry/download.ts'
import type { RegistryParts } from '../../registry/parts.ts'
import { byteRanges, mayAnswerInParts } from './byte-ranges.ts'

/**
 * A file, or those ranges of it that were asked for; or where the store sends them. HEAD gets the same headers, and nothing is opened
 * for it. `failed` is told what goes wrong once the answer has begun.
 */
export function fileResponse(
  parts: RegistryParts,
  found: ReadableFile,
  request: Request,
  failed: (error: unknown) => void,
): Response | Promise<Response> {
  const { file } = found
  const isHead = request.method === 'HEAD'
  const etag = `"${file.sha256}"`
  // HTTP dates have whole seconds; a fraction would make the file newer than its own Last-Modified.
  const validators = { etag, lastModified: new Date(Math.floor(file.createdAt / 1000) * 1000) }
  const headers = headersOf(found, validators)

  const outcome = evaluate(request.headers, request.method, validators)
  if (outcome === 'precondition-failed') {
    throw new Problem('precondition-failed', 'The file is not the one that the conditions of the request name.')
  }
  if (outcome === 'not-modified') {
    headers.delete('Content-Type')
    headers.delete('Content-Disposition')
    return new Response(null, { status: 304, headers })
  }

  // Range is defined for GET alone (RFC 9110 §14.2).
  const wanted = isHead || !rangeApplies(request.headers, validators) ? null : request.headers.get('range')
  const range = wanted === null ? { kind: 'whole' as const } : parseRange(wanted, file.size)
  if (range.kind === 'unsatisfiable') {
    throw new Problem('range-not-satisfiable', `The file has ${file.size} bytes.`, {
      content_range: unsatisfiedContentRange(file.size),
    })
  }
  const link = linkFor(parts, found, request, headers)
  if (link) {
    const counts = !isHead && (range.kind === 'whole' || range.spans.some(isFirst))
    return redirected(parts, found, link, counts)
  }
  if (range.kind === 'spans') {
    const [only, ...others] = range.spans
    if (only && others.length === 0) return onePart(parts, found, only, headers)
  }
  if (range.kind === 'spans' && mayAnswerInParts()) {
    const open = (span: Span) => bytesOf(parts, found, span)
    const { body, size, contentType } = byteRanges(range.spans, file.size, open, failed)
    if (range.spans.some(isFirst)) parts.downloads.note(file)
    headers.set('Content-Type', contentType)
    headers.set('Content-Length', String(size))
    return new Response(body, { status: 206, headers })
  }

  headers.set('Content-Length', String(file.size))
  if (isHead) return new Response(null, { headers })
  // The runtime would apply a Range header to an empty file by itself, and answer 416.
  const body = file.size === 0 ? null : bytesOf(parts, found)
  return sending(parts, found, body, { size: file.size, counts: true, init: { headers } })
}

function sending(
  parts: RegistryParts,
  { file }: ReadableFile,
  body: ReturnType<typeof bytesOf> | null,
  { size, counts, init }: { size: number; counts: boolean; init: ResponseInit },
): Response | Promise<Response> {
  const answer = (bytes: typeof body) => {
    if (counts) parts.downloads.note(file)
    return new Response(bytes, init)
  }
  return body instanceof ReadableStream ? begun(parts, body, size).then(answer) : answer(body)
}

/**
 * Conditions that hold here and that clients send on to the store, where they would not: it has entity tags and dates of its own, of
 * the bytes instead of the file. `If-None-Match` does no harm there: it names none of those, or the right bytes.
 */
const sentOn = ['if-match', 'if-range', 'if-modified-since', 'if-unmodified-since']

/** Where the store sends what was asked for, with these headers; undefined where that is done here. */
function linkFor(
  parts: RegistryParts,
  found: ReadableFile,
  request: Request,
  headers: Headers,
): Promise<string> | undefined {
  const { linkLifetime } = parts
  // A store would refuse any range of an empty file.
  if (linkLifetime === undefined || found.file.size === 0) return undefined
  if (sentOn.some((name) => request.headers.has(name))) return undefined
  return linkTo(parts, found, {
    method: request.method === 'HEAD' ? 'HEAD' : 'GET',
    seconds: linkLifetime / 1000,
    contentType: headers.get('content-type') ?? '',
    contentDisposition: headers.get('content-disposition') ?? '',
    cacheControl: headers.get('cache-control') ?? '',
  })
}

/** The digest is told here, as the store does not know it; nothing else of the file, which is what its own answer describes. */
async function redirected(
  parts: RegistryParts,
  { file }: ReadableFile,
  link: Promise<string>,
  counts: boolean,
): Promise<Response> {
  const headers = { Location: await link, 'Cache-Control': 'no-store', 'X-Checksum-Sha256': file.sha256 }
  if (counts) parts.downloads.note(file)
  return new Response(null, { status: 303, headers })
}

/** Whether these bytes count as a download: a client that resumes, or fetches a file in pieces, counts once. */
function isFirst(span: Span): boolean {
  return span.start === 0
}

function onePart(
  parts: RegistryParts,
  found: ReadableFile,
  span: Span,
  headers: Headers,
): Response | Promise<Response> {
  const size = span.end - span.start
  headers.set('Content-Range', contentRange(span, found.file.size))
  headers.set('Content-Length', String(size))
  const body = bytesOf(parts, found, span)
  return sending(parts, found, body, { size, counts: isFirst(span), init: { status: 206, headers } })
}

function headersOf({ file }: ReadableFile, { etag, lastModified }: { etag: string; lastModified: Date }): Headers {
  return new Headers({
    'Content-Type': 'application/octet-stream',
    'Content-Disposition': attachment(file.name),
    'Accept-Ranges': 'bytes',
    'Last-Modified': formatHttpDate(lastModified),
    ETag: etag,
    'Repr-Digest': `sha-256=:${Buffer.from(file.sha256, 'hex').toString('base64')}:`,
    'X-Checksum-Sha256': file.sha256,
    'Cache-Control': 'max-age=0, private, must-revalidate',
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': "default-src 'none'; sandbox",
    'Access-Control-Expose-Headers': 'Content-Disposition, ETag, Repr-Digest',
  })
}
