import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandOutput,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  type MultipartUpload,
} from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { DigestStreams, type StreamDigests } from '../lib/digest-streams.ts'
import type { DigestAlgorithm, Digests } from '../lib/digests.ts'
import type { BlobStore, ByteSpan, Location, PresignedRequest, Removed, Space, StagedBlob } from './blob-store.ts'
import { checkedLease, checkedLocation, freshBlobName } from './locations.ts'
import { PartMemory } from './part-memory.ts'
import { isNotThere, isUnknownRequest, mayPass, onS3, type S3Clients, type S3Place, s3Problem } from './s3-client.ts'
import { objectStream } from './s3-download.ts'
import { probeKey, putAndGet } from './s3-probe.ts'
import { type PartSizes, StagedObject, usualPartSizes } from './s3-upload.ts'

export interface S3BlobStoreOptions {
  place: S3Place
  clients: S3Clients
  /** Whether the store, and the key, can list multipart uploads that were not completed. */
  listsUnfinished: boolean
  sizes?: PartSizes
  memory?: PartMemory
}

interface RequestOptions {
  abortSignal?: AbortSignal
}

/** What could not be removed, and will be tried again: an object, and perhaps a multipart upload to it. */
interface Leftover {
  key: string
  uploadId: string | undefined
}

/** Objects that one request removes. */
const batch = 1000
/** Requests at once where one removes one. */
const atOnce = 16
/** Milliseconds for which whoever waits for the answer to a failed upload waits for its bytes to go. */
const dropTime = 5_000

/** Blobs as objects of one bucket: `<prefix><lease>/<random>`. */
export class S3BlobStore implements BlobStore {
  readonly #place: S3Place
  readonly #clients: S3Clients
  readonly #sizes: PartSizes
  readonly #memory: PartMemory
  readonly #listsUnfinished: boolean
  readonly #digests = new DigestStreams()
  /** A restart loses them, and then the sweep of the dead lease finds them. */
  readonly #leftovers = new Set<Leftover>()
  /** Multipart uploads that were seen and not completed. */
  readonly #unfinished = new Map<Location, Set<string>>()
  /** Whether one request may remove many: not every store, and not every key, can. */
  #removesMany = true

  constructor(options: S3BlobStoreOptions) {
    this.#place = options.place
    this.#clients = options.clients
    this.#listsUnfinished = options.listsUnfinished
    this.#sizes = options.sizes ?? usualPartSizes
    this.#memory = options.memory ?? new PartMemory()
  }

  async stage(lease: string, expectedSize?: number): Promise<StagedBlob> {
    const location = checkedLocation(`${checkedLease(lease)}/${freshBlobName()}`)
    return new StagedObject({
      ...{ location, expectedSize, clients: this.#clients, memory: this.#memory, sizes: this.#sizes },
      object: this.#object(location),
      drop: ({ uploadId, isCertain }) => this.#drop({ key: this.#key(location), uploadId }, isCertain),
    })
  }

  body(location: Location, span?: ByteSpan): ReadableStream<Uint8Array> {
    return objectStream({ client: this.#clients.parts, object: this.#object(location), span })
  }

  async presigned(location: Location, { method, seconds, ...answer }: PresignedRequest): Promise<string> {
    const input = {
      ...this.#object(location),
      ResponseContentType: answer.contentType,
      ResponseContentDisposition: answer.contentDisposition,
      ResponseCacheControl: answer.cacheControl,
    }
    const command = method === 'HEAD' ? new HeadObjectCommand(input) : new GetObjectCommand(input)
    return onS3('read', () => getSignedUrl(this.#clients.parts, command, { expiresIn: seconds }))
  }

  digestsBeside(algorithms: readonly DigestAlgorithm[]): StreamDigests {
    return this.#digests.open(algorithms)
  }

  async digest(location: Location, algorithms: readonly DigestAlgorithm[]): Promise<Partial<Digests>> {
    const object = this.#object(location)
    return onS3('read', async () => {
      using running = this.#digests.open(algorithms)
      for await (const chunk of objectStream({ client: this.#clients.parts, object, span: undefined })) {
        await running.update(chunk)
      }
      return await running.finish()
    })
  }

  async remove(locations: readonly Location[]): Promise<Removed> {
    const failures: unknown[] = []
    const attempt = (work: () => Promise<void>) =>
      onS3('remove', work).then(
        () => true,
        (error) => {
          failures.push(error)
          return false
        },
      )
    const due: Location[] = []
    for (const location of locations) {
      if (await attempt(() => this.#abortUnfinished(checkedLocation(location)))) due.push(location)
    }
    const gone: Location[] = []
    for (let at = 0; at < due.length; at += batch) {
      const some = due.slice(at, at + batch)
      if (this.#removesMany && some.length > 1) {
        const left = await this.#deleteMany(some, failures)
        if (left) {
          gone.push(...some.filter((location) => !left.has(this.#key(location))))
          continue
        }
      }
      for (let from = 0; from < some.length; from += atOnce) {
        const few = some.slice(from, from + atOnce)
        const outcomes = await Promise.all(few.map((location) => attempt(() => this.#delete(this.#key(location)))))
        gone.push(...few.filter((_, index) => outcomes[index]))
      }
    }
    return failures.length > 0 ? { gone, failure: failures[0] } : { gone }
  }

  async size(location: Location): Promise<number | undefined> {
    const object = this.#object(location)
    return onS3('read', async () => {
      try {
        return (await this.#clients.parts.send(new HeadObjectCommand(object))).ContentLength
      } catch (error) {
        if (isNotThere(error)) return undefined
        throw error
      }
    })
  }

  /** Objects, and multipart uploads that were not completed. */
  async *locations(lease: string): AsyncIterable<Location> {
    const Prefix = `${this.#place.prefix}${checkedLease(lease)}/`
    const unfinished = new Set<Location>()
    if (this.#listsUnfinished) {
      for await (const { Key, UploadId } of this.#uploads(Prefix)) {
        const location = this.#locationAt(Key)
        if (location === undefined || UploadId === undefined) continue
        unfinished.add(location)
        this.#unfinished.set(location, (this.#unfinished.get(location) ?? new Set()).add(UploadId))
      }
    }
    yield* unfinished
    for await (const key of this.#keys(Prefix)) {
      const location = this.#locationAt(key)
      if (location !== undefined && !unfinished.has(location)) yield location
    }
  }

  /** Ends what `locations` has seen and nobody will complete: also at what was published, where the answer to a first attempt was lost. */
  async forget(lease: string): Promise<void> {
    const begun = `${checkedLease(lease)}/`
    const left = [...this.#unfinished.keys()].filter((location) => location.startsWith(begun))
    await onS3('remove', async () => {
      for (const location of left) await this.#abortUnfinished(location)
    })
  }

  tidy(): Promise<void> {
    return onS3('remove', async () => {
      const failures: unknown[] = []
      for (const leftover of [...this.#leftovers]) {
        await this.#clear(leftover).catch((error) => failures.push(error))
      }
      if (failures.length > 0) throw failures[0]
    })
  }

  async space(): Promise<Space | undefined> {
    return undefined
  }

  probe(): Promise<void> {
    return onS3('probe', async () => {
      const leftover = { key: probeKey(this.#place), uploadId: undefined }
      this.#leftovers.add(leftover)
      try {
        await putAndGet(this.#clients.whole, { Bucket: this.#place.bucket, Key: leftover.key })
      } finally {
        await this.#clear(leftover)
      }
    })
  }

  async close(): Promise<void> {
    this.#digests.close()
    for (const client of Object.values(this.#clients)) client.destroy()
  }

  #key(location: Location): string {
    return `${this.#place.prefix}${checkedLocation(location)}`
  }

  #object(location: Location): { Bucket: string; Key: string } {
    return { Bucket: this.#place.bucket, Key: this.#key(location) }
  }

  #locationAt(key: string | undefined): Location | undefined {
    try {
      return checkedLocation((key ?? '').slice(this.#place.prefix.length))
    } catch {
      return undefined
    }
  }

  async *#keys(Prefix: string): AsyncIterable<string | undefined> {
    let ContinuationToken: string | undefined
    do {
      const page: ListObjectsV2CommandOutput = await onS3('read', () =>
        this.#clients.parts.send(new ListObjectsV2Command({ Bucket: this.#place.bucket, Prefix, ContinuationToken })),
      )
      for (const { Key } of page.Contents ?? []) yield Key
      ContinuationToken = page.IsTruncated ? page.NextContinuationToken : undefined
    } while (ContinuationToken !== undefined)
  }

  async *#uploads(Prefix: string): AsyncIterable<MultipartUpload> {
    let from: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } | undefined
    do {
      const page: ListMultipartUploadsCommandOutput = await onS3('read', () =>
        this.#clients.parts.send(new ListMultipartUploadsCommand({ Bucket: this.#place.bucket, Prefix, ...from })),
      )
      yield* page.Uploads ?? []
      const next = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker }
      from = page.IsTruncated && next.KeyMarker ? next : undefined
    } while (from !== undefined)
  }

  async #abortUnfinished(location: Location): Promise<void> {
    for (const uploadId of this.#unfinished.get(location) ?? []) await this.#abort(this.#key(location), uploadId)
    this.#unfinished.delete(location)
  }

  async #abort(Key: string, UploadId: string, options: RequestOptions = {}): Promise<void> {
    const command = new AbortMultipartUploadCommand({ Bucket: this.#place.bucket, Key, UploadId })
    await this.#clients.parts.send(command, options).catch((error) => {
      // Unknown to s3rver, which keeps nothing of it that could be seen.
      if (!isNotThere(error) && !isUnknownRequest(error)) throw error
    })
  }

  async #delete(Key: string, options: RequestOptions = {}): Promise<void> {
    const command = new DeleteObjectCommand({ Bucket: this.#place.bucket, Key })
    await this.#clients.parts.send(command, options).catch((error) => {
      if (!isNotThere(error)) throw error
    })
  }

  /** The keys that are left; undefined where the store does not remove many at once. */
  async #deleteMany(locations: readonly Location[], failures: unknown[]): Promise<Set<string> | undefined> {
    const Objects = locations.map((location) => ({ Key: this.#key(location) }))
    const command = new DeleteObjectsCommand({ Bucket: this.#place.bucket, Delete: { Objects, Quiet: true } })
    try {
      const { Errors = [] } = await this.#clients.whole.send(command)
      for (const { Code, Message } of Errors) {
        failures.push(s3Problem(Object.assign(new Error(Message), { name: Code }), 'remove'))
      }
      return new Set(Errors.map(({ Key = '' }) => Key))
    } catch (error) {
      if (mayPass(error)) {
        failures.push(s3Problem(error, 'remove'))
        return new Set(Objects.map(({ Key }) => Key))
      }
      this.#removesMany = false
      return undefined
    }
  }

  async #drop(leftover: Leftover, isCertain: boolean): Promise<void> {
    this.#leftovers.add(leftover)
    await this.#clear(leftover, { abortSignal: AbortSignal.timeout(dropTime) }).catch(() => undefined)
    // A request whose answer was lost may store something after this: once more, later.
    if (!isCertain) this.#leftovers.add(leftover)
  }

  async #clear(leftover: Leftover, options: RequestOptions = {}): Promise<void> {
    if (leftover.uploadId !== undefined) await this.#abort(leftover.key, leftover.uploadId, options)
    await this.#delete(leftover.key, options)
    this.#leftovers.delete(leftover)
  }
}
