import { neededModule } from './node-module.ts'

/** Bytes in whatever form. */
export type Bytes = Uint8Array | Blob | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>

/**
 * What is published: bytes; a file's path, or its `file:` URL, where the runtime has files; or a function that opens the
 * bytes, from their beginning each time. A stream can be read once, so nothing is tried again with one.
 */
export type Source = Bytes | string | URL | (() => Bytes | Promise<Bytes>)

/** The bytes of a source, pulled one chunk at a time. */
export interface Opened {
  /** Where it is known before the last byte. */
  size: number | undefined
  chunks: AsyncIterable<Uint8Array>
}

/** Bytes that are read from a file, or hashed and sent, at a time. */
const chunkSize = 256 * 1024

export function isRepeatable(source: Source): boolean {
  if (typeof source === 'function' || typeof source === 'string') return true
  return source instanceof Uint8Array || source instanceof Blob || source instanceof URL
}

export async function open(source: Source): Promise<Opened> {
  if (typeof source === 'string') return openFile(source)
  if (source instanceof URL) return openFile(neededModule('node:url').fileURLToPath(source))
  const bytes = typeof source === 'function' ? await source() : source
  if (bytes instanceof Uint8Array) return { size: bytes.byteLength, chunks: slices(bytes) }
  if (bytes instanceof Blob) return { size: bytes.size, chunks: chunksOf(bytes.stream() as ReadableStream<Uint8Array>) }
  if (bytes instanceof ReadableStream) return { size: undefined, chunks: chunksOf(bytes) }
  return { size: undefined, chunks: bytes }
}

async function openFile(path: string): Promise<Opened> {
  const file = await neededModule('node:fs/promises').open(path)
  const { size } = await file.stat()
  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      for (let at = 0; at < size; ) {
        const chunk = new Uint8Array(Math.min(chunkSize, size - at))
        const { bytesRead } = await file.read(chunk, 0, chunk.byteLength, at)
        if (bytesRead === 0) throw new Error(`${path} became shorter while it was read`)
        at += bytesRead
        yield chunk.subarray(0, bytesRead)
      }
    } finally {
      await file.close()
    }
  }
  return { size, chunks: chunks() }
}

async function* slices(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += chunkSize) yield bytes.subarray(at, at + chunkSize)
}

/** Not every browser can iterate a stream. */
export async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader()
  let isDone = false
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      yield value
    }
    isDone = true
  } finally {
    if (!isDone) await reader.cancel().catch(() => undefined)
  }
}

/** All of it, for runtimes that cannot send what they have not got. */
export async function gathered(source: Source, most: number, tooMuch: () => Error): Promise<Uint8Array> {
  const { size, chunks } = await open(source)
  if (size !== undefined && size > most) throw tooMuch()
  const held: Uint8Array<ArrayBuffer>[] = []
  let sum = 0
  for await (const chunk of chunks) {
    sum += chunk.byteLength
    if (sum > most) throw tooMuch()
    held.push(new Uint8Array(chunk))
  }
  return new Uint8Array(await new Blob(held).arrayBuffer())
}
