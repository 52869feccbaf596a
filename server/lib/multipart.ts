import { PassThrough, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Busboy, type BusboyInstance } from '@fastify/busboy'

/** The form cannot be read, or holds no file. */
export class MultipartError extends Error {
  override name = 'MultipartError'
}

const limits = {
  headerPairs: 100,
  headerSize: 16 * 1024,
  fieldNameSize: 1_000,
  fieldSize: 64 * 1024,
  fields: 100,
  parts: 100,
}

/**
 * The bytes of the first file part of a `multipart/form-data` body (RFC 7578), as they arrive: nothing is gathered, and
 * the sender is slowed to the reader's pace. The whole body is read, so that one that ends early is seen to.
 */
export async function* firstFilePart(contentType: string, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const form = openForm(contentType)
  const file = new PassThrough()
  let found = false
  // What goes wrong in the body itself is the caller's own error, and must come out as it went in.
  let bodyError: unknown
  let failure: Error | undefined
  const fail = (error: unknown) => {
    failure ??= bodyError instanceof Error ? bodyError : new MultipartError(readable(error))
    file.destroy(failure)
  }
  form.on('file', (_field, part) => {
    if (found) {
      part.resume()
      return
    }
    found = true
    part.on('error', fail)
    part.pipe(file)
  })
  const watched = async function* () {
    try {
      for await (const chunk of body) yield* inSlices(chunk)
    } catch (error) {
      bodyError = error
      throw error
    }
  }
  const parsed = pipeline(Readable.from(watched(), { objectMode: false }), form).then(() => {
    if (!found) file.destroy(new MultipartError('The form holds no file.'))
  }, fail)
  try {
    yield* file as AsyncIterable<Uint8Array>
    await parsed
  } finally {
    file.destroy()
    form.destroy()
  }
  // The file may have come to its end before the form broke off.
  if (failure) throw failure
}

/**
 * Busboy waits for ever when a part that it skips fills its buffer of 64 KiB and ends within one write. So it gets less
 * than that at once, and the part's reader has its turn in between.
 */
async function* inSlices(chunk: Uint8Array): AsyncGenerator<Uint8Array> {
  const size = 32 * 1024
  for (let at = 0; at < chunk.length; at += size) {
    yield chunk.subarray(at, at + size)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

function openForm(contentType: string): BusboyInstance {
  try {
    return new Busboy({ headers: { 'content-type': contentType }, limits })
  } catch (error) {
    throw new MultipartError(readable(error))
  }
}

function readable(error: unknown): string {
  return `The form cannot be read: ${error instanceof Error ? error.message : 'unknown reason'}.`
}
