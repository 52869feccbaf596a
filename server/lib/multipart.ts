/** The form cannot be read, or holds no file. */
export class MultipartError extends Error {
  override name = 'MultipartError'
}

const mostParts = 100
/** Bytes that the headers of one part may have. */
const longestHead = 16 * 1024
/** Characters of a boundary: RFC 2046 §5.1.1 has 70; some clients make longer ones. */
const longestBoundary = 200

/** The first file part of a form. */
export interface FilePart {
  /** As the browser has it; empty where nothing was chosen or nothing is said. */
  fileName: string
  /** Its bytes as they arrive. */
  content: AsyncGenerator<Uint8Array>
  /** Lets go of the body; for who may not have read the content to its end, or not at all. */
  close: () => Promise<void>
}

/**
 * The bytes of the first file part of a `multipart/form-data` body (RFC 7578), as they arrive: nothing is gathered, and
 * the sender is slowed to the reader's pace. The whole body is read, so that one that ends early is seen to. What `body`
 * throws comes out as it is.
 */
export async function* firstFilePart(contentType: string, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* (await openFirstFile(contentType, body)).content
}

/** The same, with the name that it has in the form: what stands before it has been read. */
export async function openFirstFile(contentType: string, body: AsyncIterable<Uint8Array>): Promise<FilePart> {
  const form = new FormReader(boundaryOf(contentType), body)
  try {
    for (let parts = 0; await form.nextPart(); parts++) {
      if (parts === mostParts) throw tooManyParts()
      const head = await form.head()
      if (holdsFile(head)) {
        return { fileName: fileNameIn(head), content: contentAndRest(form, parts + 1), close: () => form.close() }
      }
      for await (const _ of form.content());
    }
    await form.skipEpilogue()
    throw new MultipartError('The form holds no file.')
  } catch (error) {
    await form.close()
    throw error
  }
}

async function* contentAndRest(form: FormReader, seen: number): AsyncGenerator<Uint8Array> {
  try {
    yield* form.content()
    for (let parts = seen; await form.nextPart(); parts++) {
      if (parts === mostParts) throw tooManyParts()
      await form.head()
      for await (const _ of form.content());
    }
    await form.skipEpilogue()
  } finally {
    await form.close()
  }
}

function tooManyParts(): MultipartError {
  return new MultipartError(`The form has more than ${mostParts} parts.`)
}

/** RFC 2046 §5.1.1: parts between delimiter lines, of which the last ends in two hyphens. */
class FormReader {
  readonly #source: AsyncIterator<Uint8Array>
  readonly #delimiter: Buffer
  /** What has arrived and was not handed out. The first delimiter may stand without a line break before it. */
  #pending: Buffer = Buffer.from('\r\n')
  #atDelimiter = false

  constructor(boundary: string, body: AsyncIterable<Uint8Array>) {
    this.#source = body[Symbol.asyncIterator]()
    this.#delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1')
  }

  /** Goes behind the next delimiter line; false when it was the last one. */
  async nextPart(): Promise<boolean> {
    // What stands before the first delimiter is no part.
    if (!this.#atDelimiter) for await (const _ of this.content());
    this.#atDelimiter = false
    if (await this.#startsWith('--')) {
      this.#pending = this.#pending.subarray(2)
      return false
    }
    this.#pending = this.#pending.subarray(this.#pending.indexOf('\n') + 1)
    return true
  }

  /** The headers of the part, as text. */
  async head(): Promise<string> {
    if (await this.#startsWith('\r\n')) {
      this.#pending = this.#pending.subarray(2)
      return ''
    }
    for (;;) {
      const end = this.#pending.indexOf('\r\n\r\n')
      if (end > longestHead || (end < 0 && this.#pending.length > longestHead)) {
        throw new MultipartError('A part of the form has too many headers.')
      }
      if (end >= 0) {
        const text = this.#pending.toString('latin1', 0, end)
        this.#pending = this.#pending.subarray(end + 4)
        return text
      }
      await this.#more()
    }
  }

  /** Everything up to the next delimiter line. */
  async *content(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const at = this.#pending.indexOf(this.#delimiter)
      if (at < 0) {
        // The last bytes may be the beginning of a delimiter.
        const safe = this.#pending.length - this.#delimiter.length + 1
        if (safe > 0) {
          yield this.#pending.subarray(0, safe)
          this.#pending = this.#pending.subarray(safe)
        }
        await this.#more()
        continue
      }
      if (at > 0) yield this.#pending.subarray(0, at)
      this.#pending = this.#pending.subarray(at + this.#delimiter.length)
      if (await this.#endsDelimiterLine()) {
        this.#atDelimiter = true
        return
      }
      // A line that only begins like the delimiter belongs to the content.
      yield this.#delimiter
    }
  }

  /** Whether what follows ends a delimiter line: two hyphens, or white space and a line break. */
  async #endsDelimiterLine(): Promise<boolean> {
    if (await this.#startsWith('--')) return true
    for (let at = 0; ; at++) {
      while (this.#pending.length < at + 2) await this.#more()
      const sign = this.#pending[at]
      if (sign === 0x0d) return this.#pending[at + 1] === 0x0a
      if (sign !== 0x20 && sign !== 0x09) return false
      if (at > longestHead) throw new MultipartError('The form cannot be read: a delimiter line does not end.')
    }
  }

  async #startsWith(text: string): Promise<boolean> {
    while (this.#pending.length < text.length) await this.#more()
    return this.#pending.toString('latin1', 0, text.length) === text
  }

  async #more(): Promise<void> {
    const { done, value } = await this.#source.next()
    if (done) throw new MultipartError('The form cannot be read: it ends early.')
    this.#pending = this.#pending.length === 0 ? Buffer.from(value) : Buffer.concat([this.#pending, value])
  }

  async skipEpilogue(): Promise<void> {
    while (!(await this.#source.next()).done);
  }

  async close(): Promise<void> {
    await this.#source.return?.()
  }
}

function boundaryOf(contentType: string): string {
  const [, quoted, token] = /;\s*boundary=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))/i.exec(contentType) ?? []
  const boundary = quoted?.replace(/\\(.)/g, '$1') ?? token ?? ''
  if (boundary === '' || boundary.length > longestBoundary) {
    throw new MultipartError('The form cannot be read: its Content-Type has no boundary.')
  }
  return boundary
}

/** A form's part (RFC 7578 §4.2) with a file name, or one that says it is bytes. */
function holdsFile(head: string): boolean {
  const lines = head.split('\r\n')
  const header = (name: string) => lines.find((line) => line.toLowerCase().startsWith(`${name}:`)) ?? ''
  // A field may be called `; filename=`: what is quoted is no parameter. A string that nobody closes ends with the text, so
  // that no second one is looked for in it.
  const disposition = header('content-disposition').replace(/"(?:[^"\\]|\\[\s\S])*(?:"|\\?$)/g, '""')
  if (!/^[^:]*:\s*form-data\s*(;|$)/i.test(disposition)) return false
  return /;\s*filename\*?\s*=/i.test(disposition) || /:\s*application\/octet-stream\b/i.test(header('content-type'))
}

/**
 * The name as browsers write it: UTF-8 as it is, with `"` and line breaks alone escaped, by percent
 * (HTML Living Standard, "multipart form data"). A backslash is a character like any other.
 */
function fileNameIn(head: string): string {
  const line = head.split('\r\n').find((one) => /^content-disposition:/i.test(one)) ?? ''
  const [, quoted, bare] = /;\s*filename=(?:"([^"]*)"|([^\s;"]*))/i.exec(line.replace(/;\s*name="[^"]*"/i, '')) ?? []
  const text = Buffer.from(quoted ?? bare ?? '', 'latin1').toString('utf8')
  return text.replaceAll(/%22|%0D|%0A/g, (escaped) => decodeURIComponent(escaped))
}
