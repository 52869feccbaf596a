import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import type { ByteSpan } from './blob-store.ts'
import { longestSilence, patience, s3Problem } from './s3-client.ts'

export interface DownloadParts {
  client: S3Client
  /** Bucket and key. */
  object: { Bucket: string; Key: string }
  span: ByteSpan | undefined
}

interface Reader {
  read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>
}

/** How often a download goes on where it broke off, without a byte in between. */
const mostBreaks = 4

/** An object's bytes, pulled as they are read. What breaks off goes on from there; it never ends early as if that were all. */
export function objectStream(parts: DownloadParts): ReadableStream<Uint8Array> {
  const download = new Download(parts)
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const chunk = await download.read()
        if (chunk) controller.enqueue(chunk)
        else controller.close()
      },
      cancel: () => download.cancel(),
    },
    { highWaterMark: 0 },
  )
}

/** What such a stream reads from. */
export class Download {
  readonly #parts: DownloadParts
  #next: number
  #end: number | undefined
  #etag: string | undefined
  #reader: Reader | undefined
  #request: AbortController | undefined
  #breaks = 0
  #isCancelled = false

  constructor(parts: DownloadParts) {
    this.#parts = parts
    this.#next = parts.span?.start ?? 0
    this.#end = parts.span?.end
  }

  /** The next bytes; undefined at the end. */
  async read(): Promise<Uint8Array | undefined> {
    const since = performance.now()
    for (;;) {
      if (this.#next === this.#end) return this.#finish()
      // Asking has been tried several times where that may help.
      this.#reader ??= await this.#ask().catch((error) => {
        this.#drop(error)
        throw s3Problem(error, 'read')
      })
      // What is asked for tells how much there is: it may be nothing.
      if (this.#next === this.#end) return this.#finish()
      try {
        const chunk = await this.#chunk(this.#reader)
        this.#breaks = 0
        this.#next += chunk.length
        return chunk
      } catch (error) {
        await this.#broke(error, since)
      }
    }
  }

  cancel(): void {
    this.#isCancelled = true
    this.#drop()
  }

  async #ask(): Promise<Reader> {
    const { client, object } = this.#parts
    const isWhole = this.#next === 0 && this.#end === undefined
    const Range = isWhole ? undefined : `bytes=${this.#next}-${this.#end === undefined ? '' : this.#end - 1}`
    this.#request = new AbortController()
    const answer = await client.send(new GetObjectCommand({ ...object, Range, IfMatch: this.#etag }), {
      abortSignal: this.#request.signal,
    })
    const length = answer.ContentLength
    if (length === undefined) throw new Error('The store does not say how many bytes it sends')
    this.#end ??= this.#next + length
    this.#etag ??= answer.ETag
    const start = Number(/^bytes (\d+)-/.exec(answer.ContentRange ?? '')?.[1] ?? 0)
    if (start !== this.#next || length < this.#end - this.#next) {
      throw new Error('The store has not as many bytes there as there should be')
    }
    // As `S3Requests` hands it over.
    return (answer.Body as unknown as ReadableStream<Uint8Array>).getReader() as Reader
  }

  async #chunk(reader: Reader): Promise<Uint8Array> {
    const { done, value } = await reader.read()
    if (done || value === undefined) throw new Error('The store broke off in the middle of the object')
    // Some send more than a range asks for.
    return value.subarray(0, (this.#end ?? 0) - this.#next)
  }

  #finish(): undefined {
    this.#drop()
  }

  async #broke(error: unknown, since: number): Promise<void> {
    this.#drop(error)
    this.#breaks += 1
    const isTooLate = performance.now() - since + patience > longestSilence
    if (this.#isCancelled || isTooLate || this.#breaks > mostBreaks) throw s3Problem(error, 'read')
    await Bun.sleep(50 * 2 ** this.#breaks)
    // Meanwhile: nobody would end another request.
    if (this.#isCancelled) throw s3Problem(error, 'read')
  }

  #drop(reason?: unknown): void {
    this.#reader = undefined
    this.#request?.abort(reason)
  }
}
