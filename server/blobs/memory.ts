import type { DigestAlgorithm, Digests } from '../lib/digests.ts'
import { RunningDigests } from '../lib/digests.ts'
import { Problem } from '../problems.ts'
import type { BlobStore, ByteSpan, Location, Removed, Space, StagedBlob } from './blob-store.ts'
import { checkedLease, checkedLocation, freshBlobName, leaseOf } from './locations.ts'

/** Blobs in memory, for tests and for trying things out: gone when the process ends. */
export function memoryBlobStore(): BlobStore {
  return new MemoryBlobStore()
}

class MemoryBlobStore implements BlobStore {
  readonly #blobs = new Map<Location, Blob>()

  async stage(lease: string): Promise<StagedBlob> {
    const location = checkedLocation(`${checkedLease(lease)}/${freshBlobName()}`)
    this.#blobs.set(location, new Blob([]))
    return new StagedMemory(location, this.#blobs)
  }

  body(location: Location, span?: ByteSpan): Blob | ReadableStream<Uint8Array> {
    const blob = this.#blobs.get(checkedLocation(location))
    // A file that is gone shows when it is read, not before: so does this.
    if (blob === undefined) return new ReadableStream({ pull: (stream) => stream.error(notThere()) })
    return span ? blob.slice(span.start, span.end) : blob
  }

  async digest(location: Location, algorithms: readonly DigestAlgorithm[]): Promise<Partial<Digests>> {
    const blob = this.#blobs.get(checkedLocation(location))
    if (blob === undefined) throw notThere()
    const digests = new RunningDigests(algorithms)
    digests.update(await blob.bytes())
    return digests.finish()
  }

  async remove(locations: readonly Location[]): Promise<Removed> {
    const gone: Location[] = []
    let failure: unknown
    for (const location of locations) {
      try {
        this.#blobs.delete(checkedLocation(location))
        gone.push(location)
      } catch (error) {
        failure ??= error
      }
    }
    return failure ? { gone, failure } : { gone }
  }

  async size(location: Location): Promise<number | undefined> {
    return this.#blobs.get(checkedLocation(location))?.size
  }

  async *locations(lease: string): AsyncIterable<Location> {
    checkedLease(lease)
    for (const location of [...this.#blobs.keys()]) if (leaseOf(location) === lease) yield location
  }

  async forget(lease: string): Promise<void> {
    checkedLease(lease)
  }

  async tidy(): Promise<void> {}

  async space(): Promise<Space | undefined> {
    return undefined
  }

  async probe(): Promise<void> {}

  async close(): Promise<void> {}
}

class StagedMemory implements StagedBlob {
  readonly location: Location
  readonly #blobs: Map<Location, Blob>
  readonly #chunks: Uint8Array<ArrayBuffer>[] = []
  #phase: 'writing' | 'committed' | 'disposed' = 'writing'
  #kept = false

  constructor(location: Location, blobs: Map<Location, Blob>) {
    this.location = location
    this.#blobs = blobs
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#mustBeWriting()
    this.#chunks.push(new Uint8Array(chunk))
  }

  async commit(): Promise<void> {
    this.#mustBeWriting()
    this.#phase = 'committed'
    this.#blobs.set(this.location, new Blob(this.#chunks))
  }

  keep(): void {
    this.#kept = true
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#phase === 'disposed') return
    this.#phase = 'disposed'
    if (!this.#kept) this.#blobs.delete(this.location)
  }

  #mustBeWriting(): void {
    if (this.#phase !== 'writing') throw new Error('The staged blob takes no more bytes: it was committed or dropped.')
  }
}

function notThere(): Problem {
  return new Problem('storage-unavailable', 'the stored bytes are not there')
}
