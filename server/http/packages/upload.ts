import { type Digests, RunningDigests } from '../../lib/digests.ts'
import { firstFilePart, MultipartError } from '../../lib/multipart.ts'
import { fileName, packageName, versionName } from '../../names.ts'
import { Problem } from '../../problems.ts'
import { declaredMismatch } from '../../registry/declared-mismatch.ts'
import type { Address } from '../../registry/download.ts'
import { longest } from '../../registry/package-text.ts'
import type { Upload } from '../../registry/publish.ts'
import { requestBytes } from '../request-body.ts'
import { declaredDigests, mergedDigests } from './declared-digests.ts'

/** Reads a PUT as an upload; refuses what no registry of this protocol can store. */
export function uploadFrom(request: Request, address: Address): Upload {
  const { headers } = request
  const names = {
    package: packageName(address.package),
    version: versionName(address.version),
    file: fileName(address.file),
  }
  if (headers.has('content-range')) {
    // RFC 9110 §14.5: storing a part as the whole would be worse than refusing it.
    throw new Problem('partial-put', 'partial PUT is not supported')
  }
  if (headers.get('x-checksum-deploy')?.trim().toLowerCase() === 'true') {
    throw new Problem('not-found', 'checksum deploy is not supported')
  }
  const declared = declaredDigests(headers)
  const description = descriptionIn(headers)
  const contentType = headers.get('content-type') ?? ''
  if (/^\s*multipart\/form-data\b/i.test(contentType)) {
    const body = fileOf(contentType, verified(requestBytes(request), declared.ofBody))
    return { ...names, body, declaredSize: undefined, declaredDigests: declared.ofFile, description }
  }
  return {
    ...names,
    body: requestBytes(request),
    declaredSize: contentLength(headers),
    declaredDigests: mergedDigests(declared),
    description,
  }
}

/** `Stowage-Description`, in UTF-8, as a shell types it. */
function descriptionIn(headers: Headers): string | undefined {
  const header = headers.get('stowage-description')
  if (header === null) return undefined
  let text: string
  try {
    // The runtime makes a character of each byte.
    text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(header, 'latin1')).trim()
  } catch {
    throw new Problem('bad-request', 'Stowage-Description must be UTF-8')
  }
  if (text.length > longest.description) {
    throw new Problem('bad-request', `Stowage-Description may have ${longest.description} characters at most`)
  }
  if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(text)) {
    throw new Problem('bad-request', 'Stowage-Description may have no control characters')
  }
  return text
}

function contentLength(headers: Headers): number | undefined {
  const text = headers.get('content-length')
  return text !== null && /^\d+$/.test(text) ? Number(text) : undefined
}

/** Passes the body on and, at its end, compares its digests with the declared ones. */
async function* verified(body: AsyncIterable<Uint8Array>, declared: Partial<Digests>): AsyncGenerator<Uint8Array> {
  const running = new RunningDigests(Object.keys(declared) as (keyof Digests)[])
  for await (const chunk of body) {
    running.update(chunk)
    yield chunk
  }
  const mismatch = declaredMismatch(declared, running.finish())
  if (mismatch) throw mismatch
}

async function* fileOf(contentType: string, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* firstFilePart(contentType, body)
  } catch (error) {
    throw error instanceof MultipartError ? new Problem('bad-request', error.message) : error
  }
}
