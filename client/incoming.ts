import { type Address, type Connection, fileUrl, find, lost } from './connection.ts'
import { DigestMismatch, FileChanged, isPassing, isSha256, StowageError, Unverified } from './errors.ts'
import { Attempts, type Retries, repeated } from './retries.ts'
import { hashesWhileStreaming, mostWithoutNode, runningSha256, tooMuchWithoutNode } from './sha256.ts'
import { chunksOf } from './sources.ts'

export interface DownloadOptions {
  /** SHA-256 that the file must have, hexadecimal; else what the server says of it counts. */
  sha256?: string
  signal?: AbortSignal | undefined
  /** `total` is undefined where no length was told. */
  onProgress?: (progress: { received: number; total: number | undefined }) => void
  retries?: Retries
}

/** A file that is on its way. */
export interface Incoming {
  /** Hexadecimal. */
  sha256: string
  /** Bytes, where the server says so. */
  size: number | undefined
  /** The whole file, across connections that are lost. Throws at its end where these are not its bytes. */
  chunks: AsyncGenerator<Uint8Array>
  /** Gives it up, also while a chunk is waited for. */
  end: () => void
}

/** Asks for a file, and resolves when its bytes begin to come. */
export async function incoming(connection: Connection, address: Address, options: DownloadOptions): Promise<Incoming> {
  const url = fileUrl(connection, address)
  const expected = options.sha256?.toLowerCase()
  if (expected !== undefined && !isSha256(expected)) throw new TypeError('`sha256` must be 64 hexadecimal digits')
  const own = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, own.signal]) : own.signal
  const first = await repeated(options.retries, signal, () => firstPart(connection, url, expected, signal))
  const { size, sha256 } = first
  if (size !== undefined && size > mostWithoutNode && !hashesWhileStreaming()) {
    own.abort()
    throw tooMuchWithoutNode()
  }
  const rest = (received: number) => furtherPart(connection, url, first, received, signal)
  const chunks = verified(whole(first, rest, { ...options, signal }), sha256)
  return { sha256, size, chunks, end: () => own.abort() }
}

/** What one answer brings. */
interface Part {
  chunks: AsyncIterable<Uint8Array>
  /** Bytes of the whole file. */
  size: number | undefined
  /** Of the whole file. */
  sha256: string
}

const headers = {
  Accept: 'application/problem+json, */*',
  // Lengths, ranges and digests are of the file as it is.
  'Accept-Encoding': 'identity',
}

async function firstPart(
  connection: Connection,
  url: URL,
  expected: string | undefined,
  signal: AbortSignal,
): Promise<Part> {
  const { response, sha256: announced } = await find(connection, url, { method: 'GET', headers, signal })
  const sha256 = expected ?? announced
  const refuse = async (error: StowageError) => {
    await response.body?.cancel()
    return error
  }
  if (response.status !== 200) throw await refuse(unexpected(response))
  if (sha256 === undefined) throw await refuse(new Unverified('The server does not say which bytes these should be'))
  if (announced !== undefined && announced !== sha256) {
    throw await refuse(new DigestMismatch('There is another file', { expected: sha256, actual: announced }))
  }
  return { chunks: bytesOf(response, signal), size: lengthOf(response), sha256 }
}

async function furtherPart(
  connection: Connection,
  url: URL,
  first: Part,
  received: number,
  signal: AbortSignal,
): Promise<Part> {
  // A file's strong ETag is its quoted SHA-256.
  const range: Record<string, string> =
    received > 0 ? { Range: `bytes=${received}-`, 'If-Range': `"${first.sha256}"` } : {}
  const asked = { method: 'GET' as const, headers: { ...headers, ...range }, signal }
  const { response, sha256 = first.sha256 } = await find(connection, url, asked)
  const refuse = async (error: StowageError) => {
    await response.body?.cancel()
    return error
  }
  const [, from, size] = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get('content-range') ?? '') ?? []
  const isRest = response.status === 206 && Number(from) === received && isSame(first.size, Number(size))
  const isWhole = response.status === 200 && isSame(first.size, lengthOf(response))
  if (sha256 !== first.sha256 || (response.status === 200 && !isWhole)) {
    throw await refuse(new FileChanged(`${url.href} became another file during its download`))
  }
  if (!isRest && !isWhole) throw await refuse(unexpected(response))
  const chunks = bytesOf(response, signal)
  return { ...first, chunks: isRest ? chunks : without(received, chunks) }
}

function isSame(one: number | undefined, other: number | undefined): boolean {
  return one === undefined || other === undefined || one === other
}

function unexpected({ status }: Response): StowageError {
  return new StowageError(`The server answered ${status}, which is no file`)
}

function lengthOf({ headers }: Response): number | undefined {
  const text = headers.get('content-length')
  return text === null || headers.has('content-encoding') ? undefined : Number(text)
}

async function* bytesOf(response: Response, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    if (response.body) yield* chunksOf(response.body)
  } catch (error) {
    signal.throwIfAborted()
    throw lost(error)
  }
}

async function* without(count: number, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let left = count
  for await (const chunk of chunks) {
    const rest = chunk.subarray(left)
    left -= chunk.byteLength - rest.byteLength
    if (rest.byteLength > 0) yield rest
  }
}

/** One part after the other, each from where the one before broke off. */
async function* whole(
  first: Part,
  rest: (received: number) => Promise<Part>,
  { retries, signal, onProgress }: DownloadOptions,
): AsyncGenerator<Uint8Array> {
  const attempts = new Attempts(retries, signal)
  let part: Part | undefined = first
  let received = 0
  for (;;) {
    try {
      part ??= await rest(received)
      for await (const chunk of part.chunks) {
        received += chunk.byteLength
        onProgress?.({ received, total: first.size })
        yield chunk
      }
      if (first.size === undefined || received >= first.size) return
      throw lost(new Error(`${received} of ${first.size} bytes came`))
    } catch (error) {
      if (!isPassing(error)) throw error
      part = undefined
      await attempts.again(error)
    }
  }
}

async function* verified(chunks: AsyncIterable<Uint8Array>, expected: string): AsyncGenerator<Uint8Array> {
  const running = runningSha256()
  for await (const chunk of chunks) {
    running.update(chunk)
    yield chunk
  }
  const actual = await running.hex()
  if (actual !== expected) throw new DigestMismatch('The file was damaged on its way', { expected, actual })
}
