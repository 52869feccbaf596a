import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandOutput,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
} from '@aws-sdk/client-s3'
import type { Location, StagedBlob } from './blob-store.ts'
import { checkedLocation } from './locations.ts'
import { largestHeldPart, PartMemory } from './part-memory.ts'
import { isNotThere, isUnknownRequest, onS3, type S3Clients, type S3Place } from './s3-client.ts'
import { type PartSizes, StagedObject, usualPartSizes } from './s3-upload.ts'

export interface S3CopiesOptions {
  place: S3Place
  clients: S3Clients
  /** Blobs that are written at once. */
  atOnce: number
  sizes?: PartSizes
}

/**
 * A bucket that gets the blobs of another store, each at the location that it has there. The same bytes may be written to a
 * location again, where that was broken off; other bytes never.
 */
export class S3Copies {
  readonly #place: S3Place
  readonly #clients: S3Clients
  readonly #sizes: PartSizes
  readonly #memory: PartMemory

  constructor({ place, clients, atOnce, sizes = usualPartSizes }: S3CopiesOptions) {
    this.#place = place
    this.#clients = clients
    this.#sizes = sizes
    // Two parts under way and the next one, so that none goes through unheld: each part's SHA-256 is in its signature.
    this.#memory = new PartMemory({ most: atOnce * 3 * largestHeldPart })
  }

  /** What is written becomes an object at that location with its last byte, and not before. */
  stageAt(location: Location, expectedSize: number): StagedBlob {
    const object = { Bucket: this.#place.bucket, Key: this.#key(location) }
    return new StagedObject({
      ...{ location, object, expectedSize, clients: this.#clients, memory: this.#memory, sizes: this.#sizes },
      drop: async ({ uploadId }) => {
        // What stays is taken by `abortUnfinished` the next time.
        if (uploadId !== undefined) await this.#abort(object.Key, uploadId).catch(() => undefined)
      },
    })
  }

  /** Sizes of what lies in a folder, `<lease>/<name>/`, by location. */
  async sizesIn(folder: string): Promise<Map<string, number>> {
    const found = new Map<string, number>()
    for await (const { Contents = [] } of this.#pages({ Prefix: `${this.#place.prefix}${folder}` })) {
      for (const { Key = '', Size = 0 } of Contents) found.set(Key.slice(this.#place.prefix.length), Size)
    }
    return found
  }

  /** The leases under which something lies. */
  async leases(): Promise<string[]> {
    const { prefix } = this.#place
    const found: string[] = []
    for await (const { CommonPrefixes = [] } of this.#pages({ Prefix: prefix, Delimiter: '/' })) {
      found.push(...CommonPrefixes.map(({ Prefix = '' }) => Prefix.slice(prefix.length, -1)))
    }
    return found.filter((name) => /^[0-9a-f]{20}$/.test(name))
  }

  async remove(location: Location): Promise<void> {
    await onS3('remove', async () => {
      const command = new DeleteObjectCommand({ Bucket: this.#place.bucket, Key: this.#key(location) })
      await this.#clients.parts.send(command).catch((error) => {
        if (!isNotThere(error)) throw error
      })
    })
  }

  /** Ends multipart uploads that were begun here and not completed. */
  async abortUnfinished(): Promise<void> {
    const { bucket, prefix } = this.#place
    let from: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } | undefined
    do {
      const page: ListMultipartUploadsCommandOutput = await onS3('read', () =>
        this.#clients.parts.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix, ...from })),
      )
      for (const { Key = '', UploadId = '' } of page.Uploads ?? []) {
        if (isLocation(Key.slice(prefix.length))) await onS3('remove', () => this.#abort(Key, UploadId))
      }
      const next = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker }
      from = page.IsTruncated && next.KeyMarker ? next : undefined
    } while (from !== undefined)
  }

  async *#pages(wanted: { Prefix: string; Delimiter?: string }): AsyncIterable<ListObjectsV2CommandOutput> {
    let ContinuationToken: string | undefined
    do {
      const page: ListObjectsV2CommandOutput = await onS3('read', () =>
        this.#clients.parts.send(
          new ListObjectsV2Command({ Bucket: this.#place.bucket, ...wanted, ContinuationToken }),
        ),
      )
      yield page
      ContinuationToken = page.IsTruncated ? page.NextContinuationToken : undefined
    } while (ContinuationToken !== undefined)
  }

  async #abort(Key: string, UploadId: string): Promise<void> {
    const command = new AbortMultipartUploadCommand({ Bucket: this.#place.bucket, Key, UploadId })
    await this.#clients.parts.send(command).catch((error) => {
      if (!isNotThere(error) && !isUnknownRequest(error)) throw error
    })
  }

  #key(location: Location): string {
    return `${this.#place.prefix}${checkedLocation(location)}`
  }
}

function isLocation(text: string): boolean {
  try {
    return checkedLocation(text) === text
  } catch {
    return false
  }
}
