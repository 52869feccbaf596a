import createFetchClient, { type Client } from 'openapi-fetch'
import { type Address, askApi, type Connection, type ConnectionOptions, connectionTo, filledIn } from './connection.ts'
import { type DownloadOptions, incoming } from './incoming.ts'
import { land } from './landing.ts'
import { type Published, type PublishOptions, publishTo } from './publish.ts'
import type { paths } from './schema.d.ts'
import type { Source } from './sources.ts'

export type { Address, ConnectionOptions } from './connection.ts'
export {
  ConnectionLost,
  DigestMismatch,
  FileChanged,
  Refused,
  StowageError,
  Taken,
  Unverified,
} from './errors.ts'
export type { DownloadOptions } from './incoming.ts'
export type { Published, PublishOptions } from './publish.ts'
export type { Retries } from './retries.ts'
export type { components, paths } from './schema.d.ts'
export type { Bytes, Source } from './sources.ts'

/** The JSON API: a call for each method, typed by address. Answers come as `{ data }` or `{ error, response }`. */
export type StowageClient = Client<paths>

// Not a field: whoever prints a client must not print its credentials.
const connections = new WeakMap<StowageClient, Connection>()

export function createClient(options: ConnectionOptions): StowageClient {
  const connection = connectionTo(options)
  const client = createFetchClient<paths>({
    baseUrl: connection.url,
    headers: Object.fromEntries(connection.headers.entries()),
    pathSerializer: filledIn,
    fetch: (request) => askApi(connection, request),
  })
  connections.set(client, connection)
  return client
}

/**
 * Publishes one file, without ever holding it: it is hashed while it is sent, and the digest compared with what the server
 * has stored. What may pass (a lost connection, 502, 503, 504, a 429 that says when) is tried again where the source can be
 * read again; where the first attempt then turns out to have done it, that is success.
 *
 * Throws `Refused` (`Taken` where the name is in use), `ConnectionLost`, `DigestMismatch`, `Unverified`, the source's own
 * error, or the signal's reason.
 */
export function publish(
  to: StowageClient | ConnectionOptions,
  address: Address,
  source: Source,
  options: PublishOptions = {},
): Promise<Published> {
  return publishTo(connectionOf(to), address, source, options)
}

export interface Downloaded {
  /** Absolute. */
  path: string
  /** Bytes. */
  size: number
  /** Hexadecimal; of these bytes. */
  sha256: string
}

/** The bytes of a file while they come: an error at their end, in place of the end, says that they are not the file's. */
export interface DownloadStream {
  stream: ReadableStream<Uint8Array>
  /** Bytes, where the server says so. */
  size: number | undefined
  /** Hexadecimal; what the bytes are compared with. */
  sha256: string
}

/**
 * Fetches one file: with `to` onto disk, where it takes the place of what is there once it is whole and right, and not
 * before; else as a stream. Goes on where a lost connection broke off.
 *
 * Throws `Refused`, `ConnectionLost`, `DigestMismatch`, `FileChanged`, `Unverified`, what the disk says, or the signal's reason.
 */
export function download(
  from: StowageClient | ConnectionOptions,
  address: Address,
  options: DownloadOptions & { to: string | URL },
): Promise<Downloaded>
export function download(
  from: StowageClient | ConnectionOptions,
  address: Address,
  options?: DownloadOptions & { to?: undefined },
): Promise<DownloadStream>
export async function download(
  from: StowageClient | ConnectionOptions,
  address: Address,
  { to, ...options }: DownloadOptions & { to?: string | URL | undefined } = {},
): Promise<Downloaded | DownloadStream> {
  const { chunks, sha256, size, end } = await incoming(connectionOf(from), address, options)
  if (to === undefined) return { stream: streamOf(chunks, end), sha256, size }
  try {
    let written = 0
    const path = await land(
      to,
      counted(chunks, (bytes) => {
        written += bytes
      }),
    )
    return { path, size: written, sha256 }
  } finally {
    // Where the disk refused, bytes still come.
    end()
  }
}

async function* counted(chunks: AsyncIterable<Uint8Array>, count: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    count(chunk.byteLength)
    yield chunk
  }
}

function streamOf(chunks: AsyncGenerator<Uint8Array>, end: () => void): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const { done, value } = await chunks.next()
        if (done) controller.close()
        else controller.enqueue(value)
      },
      cancel: () => end(),
    },
    { highWaterMark: 0 },
  )
}

function connectionOf(where: StowageClient | ConnectionOptions): Connection {
  if ('url' in where) return connectionTo(where)
  const connection = connections.get(where)
  if (!connection) throw new TypeError('This client was not made by createClient')
  return connection
}
