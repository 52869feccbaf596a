import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { Problem } from '../problems.ts'
import type { Location, StagedBlob } from './blob-store.ts'
import { HeldPart, StreamedPart } from './part-bodies.ts'
import { largestHeldPart, type PartMemory } from './part-memory.ts'
import { longestSilence, mayPass, type S3Clients, s3Problem } from './s3-client.ts'

export interface PartSizes {
  /** Of a file whose size is known, unless it then had too many. */
  usual: number
  /** Of a file whose size nobody told. */
  blind: number
  /** Parts at most. */
  most: number
}

const mebibyte = 1024 * 1024

export const usualPartSizes: PartSizes = { usual: 8 * mebibyte, blind: largestHeldPart, most: 10_000 }

/** Bytes that an upload of unknown size may hold without asking: many are small. */
const unasked = 256 * 1024
/** Parts of one upload that are sent at once. */
const mostInFlight = 2
/** Bytes that a store puts together in a millisecond at least: some copy them. */
const slowestJoin = 50_000
/** Milliseconds in which a store says whether it has done so after all. */
const lastLook = 10_000

export interface StagedObjectParts {
  location: Location
  clients: S3Clients
  /** Bucket and key. */
  object: { Bucket: string; Key: string }
  expectedSize: number | undefined
  memory: PartMemory
  sizes: PartSizes
  /** Removes what there is of it; never throws. `isCertain` false: the store may still be at work on some request. */
  drop(left: { uploadId: string | undefined; isCertain: boolean }): Promise<void>
}

interface OpenPart {
  number: number
  /** Bytes when it is full. */
  size: number
  bytes: HeldPart | StreamedPart
  /** Of the shared memory. */
  lent: number
}

/**
 * An object being written: in one request where it is not larger than a part, else as a multipart upload with parts of one
 * size. A part waits in memory until it is complete, so that it can be sent again. Where the shared memory is used up, or the
 * part is huge, its bytes go straight through instead: that cannot be repeated, but no upload whose size is known waits for a slower one.
 */
export class StagedObject implements StagedBlob {
  readonly location: Location
  readonly #parts: StagedObjectParts
  readonly #partSize: number
  readonly #running = new Set<Promise<void>>()
  readonly #etags = new Map<number, string | undefined>()
  readonly #disposed = new AbortController()
  readonly #failed = Promise.withResolvers<void>()
  #failure: unknown
  #written = 0
  #open: OpenPart | undefined
  #uploadId: string | undefined
  #hasSent = false
  #isCertain = true
  #phase: 'writing' | 'committing' | 'disposed' = 'writing'
  #kept = false

  constructor(parts: StagedObjectParts) {
    const { sizes, expectedSize } = parts
    this.location = parts.location
    this.#parts = parts
    this.#partSize = expectedSize === undefined ? sizes.blind : partSizeFor(expectedSize, sizes)
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#mustBeWriting()
    for (let at = 0; at < chunk.length; ) {
      this.#open ??= await this.#begin()
      const part = this.#open
      const piece = chunk.subarray(at, at + part.size - part.bytes.length)
      if (part.bytes instanceof StreamedPart) await this.#pass(part.bytes, piece)
      else await this.#hold(part, part.bytes, piece)
      at += piece.length
      this.#written += piece.length
      if (part.bytes.length === part.size) await this.#end(part)
    }
  }

  async commit(): Promise<void> {
    this.#mustBeWriting()
    this.#phase = 'committing'
    const { expectedSize } = this.#parts
    if (expectedSize !== undefined && expectedSize !== this.#written) throw this.#fail(otherSize())
    if (this.#open) await this.#end(this.#open)
    else if (!this.#hasSent) await this.#send(this.#part(1, 0, new HeldPart(0)))
    while (this.#running.size > 0) await Promise.race(this.#running)
    if (this.#failure) throw this.#failure
    if (this.#uploadId !== undefined) await this.#complete(this.#uploadId)
  }

  keep(): void {
    this.#kept = true
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#phase === 'disposed') return
    this.#phase = 'disposed'
    if (this.#open) this.#parts.memory.giveBack(this.#open.lent)
    if (this.#running.size > 0) this.#isCertain = false
    this.#disposed.abort()
    while (this.#running.size > 0) await Promise.race(this.#running)
    if (this.#kept || !this.#hasSent) return
    await this.#parts.drop({ uploadId: this.#uploadId, isCertain: this.#isCertain })
  }

  #mustBeWriting(): void {
    if (this.#failure) throw this.#failure
    if (this.#phase !== 'writing') throw new Error('The staged blob takes no more bytes: it was committed or dropped.')
  }

  async #begin(): Promise<OpenPart> {
    const { expectedSize, sizes, memory } = this.#parts
    const number = this.#written / this.#partSize + 1
    const left = (expectedSize ?? Number.POSITIVE_INFINITY) - this.#written
    if (left <= 0) throw this.#fail(otherSize())
    if (number > sizes.most) throw this.#fail(tooLongWithoutSize(sizes))
    while (this.#running.size >= mostInFlight) await Promise.race(this.#running)
    if (this.#failure) throw this.#failure

    const size = Math.min(this.#partSize, left)
    if (expectedSize === undefined) return this.#part(number, size, new HeldPart(Math.min(unasked, size)))
    if (size <= largestHeldPart && memory.tryTake(size)) return this.#part(number, size, new HeldPart(size), size)
    const part = this.#part(number, size, new StreamedPart(size))
    await this.#send(part)
    return part
  }

  #part(number: number, size: number, bytes: OpenPart['bytes'], lent = 0): OpenPart {
    return { number, size, bytes, lent }
  }

  async #hold(part: OpenPart, held: HeldPart, piece: Uint8Array): Promise<void> {
    if (held.length + piece.length > held.room) {
      if (!(await this.#parts.memory.take(part.size))) throw this.#fail(tooManyAtOnce())
      part.lent = part.size
      held.grow(part.size)
    }
    held.append(piece)
  }

  async #pass(streamed: StreamedPart, piece: Uint8Array): Promise<void> {
    await Promise.race([streamed.pass(piece), this.#failed.promise])
    if (this.#failure) throw this.#failure
  }

  /** It has all bytes that it is to have. */
  async #end(part: OpenPart): Promise<void> {
    this.#open = undefined
    if (part.bytes instanceof HeldPart) await this.#send(part)
  }

  /** Begins to send it. */
  async #send(part: OpenPart): Promise<void> {
    this.#hasSent = true
    try {
      if (!this.#isOnlyPart()) this.#uploadId ??= await this.#create()
    } catch (error) {
      this.#parts.memory.giveBack(part.lent)
      throw this.#requestFailed(error)
    }
    // Never rejects: a failure shows in `#failure`, so that nobody has to be waiting for it.
    const running = this.#request(part)
      .catch((error) => {
        this.#requestFailed(error)
      })
      .finally(() => {
        this.#running.delete(running)
        this.#parts.memory.giveBack(part.lent)
      })
    this.#running.add(running)
  }

  #isOnlyPart(): boolean {
    const { expectedSize } = this.#parts
    if (expectedSize !== undefined) return expectedSize <= this.#partSize
    return this.#phase === 'committing' && this.#written < this.#partSize
  }

  async #create(): Promise<string> {
    const command = new CreateMultipartUploadCommand(this.#parts.object)
    const { UploadId } = await this.#parts.clients.parts.send(command, { abortSignal: this.#disposed.signal })
    if (UploadId === undefined) throw new Error('The store gave the multipart upload no id')
    return UploadId
  }

  async #request({ number, size, bytes }: OpenPart): Promise<void> {
    const { clients, object } = this.#parts
    const isHeld = bytes instanceof HeldPart
    const ContentLength = isHeld ? bytes.length : size
    const sent = { ...object, Body: bytes.body, ContentLength }
    const options = { abortSignal: this.#disposed.signal }
    if (this.#uploadId === undefined) {
      const client = isHeld ? clients.whole : clients.parts
      await client.send(new PutObjectCommand(sent), options)
    } else {
      const command = new UploadPartCommand({ ...sent, UploadId: this.#uploadId, PartNumber: number })
      this.#etags.set(number, (await clients.parts.send(command, options)).ETag)
    }
    if (isHeld) bytes.free()
  }

  async #complete(UploadId: string): Promise<void> {
    const { clients, object } = this.#parts
    const Parts = [...this.#etags].sort(([one], [other]) => one - other)
    const MultipartUpload = { Parts: Parts.map(([PartNumber, ETag]) => ({ PartNumber, ETag })) }
    const command = new CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload })
    try {
      await clients.parts.send(command, { requestTimeout: longestSilence + Math.ceil(this.#written / slowestJoin) })
    } catch (error) {
      // An attempt whose answer was lost may have done it: nobody else writes to this key.
      if (await this.#isComplete().catch(() => false)) return
      throw this.#requestFailed(error)
    }
  }

  async #isComplete(): Promise<boolean> {
    const { clients, object } = this.#parts
    const abortSignal = AbortSignal.timeout(lastLook)
    return (await clients.parts.send(new HeadObjectCommand(object), { abortSignal })).ContentLength === this.#written
  }

  #requestFailed(error: unknown): unknown {
    if (mayPass(error)) this.#isCertain = false
    return this.#fail(s3Problem(error, 'store'))
  }

  #fail(error: unknown): unknown {
    this.#failure ??= error
    this.#failed.resolve()
    return this.#failure
  }
}

/** Parts of one size, as R2 demands, and not too many. */
export function partSizeFor(size: number, { usual, most }: PartSizes): number {
  return size <= usual * most ? usual : Math.ceil(size / most / mebibyte) * mebibyte
}

function otherSize(): Problem {
  return new Problem('body-incomplete', 'The upload has not the size that was told before; nothing was stored.')
}

function tooLongWithoutSize({ blind, most }: PartSizes): Problem {
  const gibibytes = Math.floor((blind * most) / 1024 ** 3)
  return new Problem(
    'too-large',
    `The file is larger than ${gibibytes} GiB, and its size was not told before; nothing was stored. Send Content-Length.`,
  )
}

function tooManyAtOnce(): Problem {
  return new Problem(
    'storage-unavailable',
    'Too many uploads run at once that do not tell their size: nothing was stored. Try again later, or send Content-Length.',
  )
}
