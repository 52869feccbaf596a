import type { StreamDigests } from '../lib/digest-streams.ts'
import type { DigestAlgorithm, Digests } from '../lib/digests.ts'

/** Where a blob's bytes are: `<lease>/<anything>`. Made by `stage`, never used for a second blob. */
export type Location = string & { readonly kind: 'location' }

/** A half-open stretch of bytes: `start` inclusive, `end` exclusive. */
export interface ByteSpan {
  start: number
  end: number
}

/** Bytes on their way in. Nothing refers to them until the catalogue does. */
export interface StagedBlob {
  readonly location: Location
  /** Takes the next bytes; resolves when the store can take more. The caller may reuse `chunk` after that. */
  write(chunk: Uint8Array): Promise<void>
  /** Resolves when every byte written, and the way to find them, is on stable storage. At most once. */
  commit(): Promise<void>
  /** Keeps the bytes when this is disposed: the catalogue refers to them now. Comes after `commit`. */
  keep(): void
  /** Drops the bytes unless they were kept. Never throws: what could not be removed is tried again by `tidy`. */
  [Symbol.asyncDispose](): Promise<void>
}

/** Bytes of the disk, or of what stands for it. */
export interface Space {
  /** What can still be written. */
  free: number
  total: number
}

/** What an address that the store itself serves is good for, and how it answers. */
export interface PresignedRequest {
  method: 'GET' | 'HEAD'
  seconds: number
  contentType: string
  contentDisposition: string
  cacheControl: string
}

export interface Removed {
  gone: Location[]
  /** The first failure, when there was any. */
  failure?: unknown
}

/**
 * Stores immutable bytes at locations that are never used again: no rename, no copy, no overwrite.
 *
 * Failures are `Problem`s: `storage-full` (no space, quota) and `storage-unavailable` (all else).
 * A malformed lease or location is `storage-unavailable`.
 *
 * `blob-store.contract.ts` says the same as tests; every implementation passes it.
 */
export interface BlobStore {
  /** A fresh location under the lease, ready to be written; `expectedSize` bytes will come, where that was told. */
  stage(lease: string, expectedSize?: number): Promise<StagedBlob>
  /** What an HTTP response can send: the whole blob, or a stretch of it. Reads lazily, so it may fail only then; copies nothing to memory. */
  body(location: Location, span?: ByteSpan): Blob | ReadableStream<Uint8Array>
  /**
   * The bytes of a small blob of exactly that size, where the store has it at hand; else undefined, and `body` tells more. Waits for the disk on the calling
   * thread, and so not again for a while where it had to wait long.
   */
  bytesAtOnce?(location: Location, size: number): Blob | undefined
  /** An address at which anybody can fetch the bytes for so long without asking us, where the store can make one. */
  presigned?(location: Location, request: PresignedRequest): Promise<string>
  /** Computes digests of bytes that are just being staged, off the main thread: where reading them back costs. */
  digestsBeside?(algorithms: readonly DigestAlgorithm[]): StreamDigests
  /** Digests of the stored bytes, lower-case hex, computed off the main thread. `storage-unavailable` when the bytes are not there. */
  digest(location: Location, algorithms: readonly DigestAlgorithm[]): Promise<Partial<Digests>>
  /**
   * Removes bytes for good, and answers which of them are gone, on stable storage. A location that was not there is
   * gone; one that cannot be removed does not keep the others from it, and `failure` says why.
   */
  remove(locations: readonly Location[]): Promise<Removed>
  /** Bytes that are stored at a location; undefined when nothing is. */
  size(location: Location): Promise<number | undefined>
  /** Every location that was staged under a lease and is still there, in any order. */
  locations(lease: string): AsyncIterable<Location>
  /** Called when nothing can be staged under the lease any more, and only what is referred to is left of it: frees the rest. */
  forget(lease: string): Promise<void>
  /** Tries again to remove what could not be dropped after a failed upload. */
  tidy(): Promise<void>
  /** How much can be stored; undefined where nobody can tell. */
  space(): Promise<Space | undefined>
  /** Resolves when bytes can be written and read back; else a `Problem`. */
  probe(): Promise<void>
  /** Frees threads and handles. */
  close(): Promise<void>
}
