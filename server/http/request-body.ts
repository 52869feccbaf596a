import { Problem } from '../problems.ts'
import { bodyIncomplete } from '../registry/publish.ts'

/** The body as it arrives, one chunk for each pull; `body-incomplete` when the connection ends first. */
export async function* requestBytes(request: Request): AsyncGenerator<Uint8Array> {
  if (!request.body) return
  const reader = request.body.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((error) => {
        throw bodyIncomplete(error)
      })
      if (done) return
      yield value
    }
  } finally {
    reader.releaseLock()
  }
}

/** Bytes that a JSON body may have. */
const jsonLimit = 256 * 1024

/** A JSON body (RFC 8259), whatever its `Content-Type`. */
export async function requestJson(request: Request): Promise<unknown> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of requestBytes(request)) {
    size += chunk.byteLength
    if (size > jsonLimit) throw new Problem('body-too-large', `The body may have ${jsonLimit} bytes at most.`)
    chunks.push(chunk)
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)))
  } catch {
    throw new Problem('bad-request', 'The body must be JSON.')
  }
}
