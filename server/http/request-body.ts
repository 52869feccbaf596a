import { Problem } from '../problems.ts'
import { bodyIncomplete } from '../registry/publish.ts'

/**
 * The body as it arrives, one chunk for each pull; `body-incomplete` when the connection ends first. A chunk is good until
 * the next one is pulled, and then gone: left to the garbage collector, those of a few uploads at once take 100 MiB.
 */
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
      // One that is a part of its buffer shares it with what comes next.
      if (value.byteLength === value.buffer.byteLength) value.buffer.transfer(0)
    }
  } finally {
    reader.releaseLock()
  }
}

/** What is still read of a refused body: bytes, and milliseconds. */
const rest = { bytes: 8 * 1024 * 1024, time: 2_000 }

/**
 * Reads on before a refusal goes to a client that asked to close the connection. The runtime closes right after such an
 * answer, and whoever is still sending then sees a reset in its place. Other connections it keeps, and reads the rest itself.
 */
export async function takeRest(request: Request): Promise<void> {
  const closes = /\bclose\b/i.test(request.headers.get('connection') ?? '')
  if (!closes || !request.body || request.body.locked) return
  const reader = request.body.getReader()
  let timer: Timer | undefined
  const over = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, rest.time)
  })
  try {
    for (let seen = 0; seen < rest.bytes; ) {
      const chunk = await Promise.race([reader.read(), over])
      if (!chunk || chunk.done) return
      seen += chunk.value.byteLength
    }
  } catch {
    // The client has gone: nobody is left to answer.
  } finally {
    clearTimeout(timer)
  }
}

/** A body that is read as a whole; `body-too-large`, with `told`, where it has more bytes than that. */
export async function wholeBody(request: Request, atMost: number, told: string): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of requestBytes(request)) {
    size += chunk.byteLength
    if (size > atMost) throw new Problem('body-too-large', told)
    chunks.push(Buffer.from(chunk))
  }
  return Buffer.concat(chunks)
}

/** Bytes that a JSON body may have. */
const jsonLimit = 256 * 1024

/** A JSON body (RFC 8259), whatever its `Content-Type`. */
export async function requestJson(request: Request): Promise<unknown> {
  const body = await wholeBody(request, jsonLimit, `The body may have ${jsonLimit} bytes at most.`)
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    throw new Problem('bad-request', 'The body must be JSON.')
  }
}
