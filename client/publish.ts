import { type Address, ask, type Connection, fileUrl, find, isAt, redirection } from './connection.ts'
import { DigestMismatch, isPassing, isSha256, Refused, refusalFrom, StowageError, Taken, Unverified } from './errors.ts'
import { Outgoing } from './outgoing.ts'
import { Attempts, type Retries, repeated } from './retries.ts'
import { hashesWhileStreaming, mostWithoutNode, runningSha256, tooMuchWithoutNode } from './sha256.ts'
import { gathered, isRepeatable, open, type Source } from './sources.ts'

export interface PublishOptions {
  /** SHA-256 that the bytes must have, hexadecimal: the server stores nothing else. */
  sha256?: string
  /** Bytes in a stream, where that is known; else the server learns at the end whether a quota holds. */
  size?: number
  signal?: AbortSignal | undefined
  /** `total` is undefined for a stream of unknown size. Begins at 0 again with another attempt. */
  onProgress?: (progress: { sent: number; total: number | undefined }) => void
  retries?: Retries
}

export interface Published {
  /** Hexadecimal; of what the server has stored. */
  sha256: string
  /** Bytes. */
  size: number
  /** Whether an earlier attempt had done it, whose answer was lost. */
  alreadyThere: boolean
}

/** Publishes one file: see `publish` of the package. */
export async function publishTo(
  connection: Connection,
  address: Address,
  source: Source,
  options: PublishOptions = {},
): Promise<Published> {
  const upload = await Upload.of(connection, address, source, options)
  const attempts = new Attempts(options.retries, options.signal)
  // A runtime may send a body that it holds once more by itself, when a connection is lost.
  let mayBeThere = !hashesWhileStreaming()
  for (;;) {
    try {
      return await upload.attempt()
    } catch (error) {
      if (mayBeThere && (error instanceof Taken || isQuotaUsedUp(error))) return upload.settle(error)
      if (!isPassing(error) || !upload.isRepeatable) throw error
      // A server that wants to be asked later has stored nothing. Of any other failure only the answer may be missing.
      mayBeThere ||= !(error instanceof Refused && error.status === 429)
      await attempts.again(error)
    }
  }
}

interface Sent {
  sha256: string
  size: number
}

const mostRedirects = 5

class Upload {
  readonly #connection: Connection
  readonly #source: Source
  readonly #options: PublishOptions
  /** What the server is told to expect. */
  readonly #declared: string | undefined
  #url: URL
  /** Of the source, where that is known by now. */
  #own: Sent | undefined

  private constructor(connection: Connection, url: URL, source: Source, options: PublishOptions, own?: Sent) {
    this.#connection = connection
    this.#url = url
    this.#source = source
    this.#options = options
    this.#own = own
    this.#declared = options.sha256?.toLowerCase() ?? own?.sha256
  }

  static async of(connection: Connection, address: Address, source: Source, options: PublishOptions): Promise<Upload> {
    const url = fileUrl(connection, address)
    if (options.sha256 !== undefined && !isSha256(options.sha256.toLowerCase())) {
      throw new TypeError('`sha256` must be 64 hexadecimal digits')
    }
    const held = hashesWhileStreaming() ? source : await gathered(source, mostWithoutNode, tooMuchWithoutNode)
    // What is in memory is cheap to read twice, and the server then stores nothing that was damaged on its way.
    const own = held instanceof Uint8Array ? await contentsOf(held) : undefined
    return new Upload(connection, url, held, options, own)
  }

  get isRepeatable(): boolean {
    return isRepeatable(this.#source)
  }

  /** One PUT, or one more for each redirect. */
  async attempt(): Promise<Published> {
    for (let hops = 0; hops <= mostRedirects; hops += 1) {
      const outcome = await this.#put()
      if (!(outcome instanceof URL)) return outcome
      this.#url = this.#acceptable(outcome)
    }
    throw new StowageError(`${this.#url.href} is redirected more than ${mostRedirects} times`)
  }

  /** What it means that the name is taken or a quota used up, where an earlier attempt may have done it. */
  async settle(refused: Refused): Promise<Published> {
    this.#own ??= await contentsOf(this.#source)
    const told = refused instanceof Taken ? refused.storedSha256 : undefined
    const stored = told ?? (await this.#storedDespite(refused))
    if (this.#own.sha256 !== stored) throw refused
    return { ...this.#own, alreadyThere: true }
  }

  /** Answers where the server sends to, if it does. */
  async #put(): Promise<Published | URL> {
    const opened = await open(this.#source)
    const { onProgress } = this.#options
    const total = opened.size ?? this.#options.size
    const outgoing = new Outgoing({ ...opened, size: total }, (sent) => onProgress?.({ sent, total }))
    try {
      const response = await this.#send(outgoing)
      if (response.status >= 400) throw await refusalFrom(response)
      await response.body?.cancel()
      const next = redirection(response, this.#url)
      if (next) return next
      if (response.status !== 201) throw new StowageError(`The server answered ${response.status} where 201 should be`)
      this.#own ??= await outgoing.whole()
      return { ...(await this.#verified()), alreadyThere: false }
    } finally {
      this.#own ??= await outgoing.whole()
      await outgoing.stop()
    }
  }

  async #send(outgoing: Outgoing): Promise<Response> {
    const { size } = outgoing
    // A browser sends streams over HTTP/2 only, and counts by itself.
    const bytes = this.#source instanceof Uint8Array && !hashesWhileStreaming() ? this.#source : undefined
    const headers = {
      Accept: 'application/problem+json',
      'Content-Type': 'application/octet-stream',
      ...(size === undefined || bytes ? {} : { 'Content-Length': String(size) }),
      ...(this.#declared === undefined ? {} : { 'X-Checksum-Sha256': this.#declared }),
    }
    const { signal } = this.#options
    try {
      return await ask(this.#connection, this.#url, { method: 'PUT', headers, body: bytes ?? outgoing.body, signal })
    } catch (error) {
      throw outgoing.failure ? outgoing.failure.error : error
    }
  }

  /** An owner has another name now. Credentials and bytes go to nobody but the server that the caller named. */
  #acceptable(next: URL): URL {
    if (!isAt(this.#connection, next)) {
      throw new StowageError(`${this.#url.href} sends to ${next.href}: publish there, if that is what you mean`)
    }
    if (!this.isRepeatable) {
      throw new StowageError(`${this.#url.href} sends to ${next.href}, and a stream cannot be sent again`)
    }
    return next
  }

  /** A declared digest was compared by the server; else what it stored is asked for. The file stays there in any case. */
  async #verified(): Promise<Sent> {
    if (!this.#own) throw new Unverified('The server took the file for whole before all of it was sent')
    if (this.#declared !== undefined) return this.#own
    const stored = await this.#stored()
    if (stored === this.#own.sha256) return this.#own
    throw new DigestMismatch('The server has stored other bytes than were sent', {
      expected: this.#own.sha256,
      actual: stored,
    })
  }

  /** Where nothing is there, or nobody can tell, a used up quota is what there is to say. */
  async #storedDespite(refused: Refused): Promise<string> {
    try {
      return await this.#stored()
    } catch (error) {
      this.#options.signal?.throwIfAborted()
      throw refused instanceof Taken ? error : refused
    }
  }

  /** SHA-256 of what is there now. */
  async #stored(): Promise<string> {
    const { retries, signal } = this.#options
    try {
      const found = await repeated(retries, signal, () => find(this.#connection, this.#url, { method: 'HEAD', signal }))
      if (found.sha256 !== undefined) return found.sha256
    } catch (cause) {
      signal?.throwIfAborted()
      throw new Unverified('What the server has stored could not be asked for', { cause })
    }
    throw new Unverified('The server does not say which bytes it has stored')
  }
}

/** The server looks at quotas before it looks whether the name is taken. */
function isQuotaUsedUp(error: unknown): error is Refused {
  return error instanceof Refused && /^maximum allowed package (count|storage quota) exceeded/.test(error.message)
}

async function contentsOf(source: Source): Promise<Sent> {
  const running = runningSha256()
  let size = 0
  for await (const chunk of (await open(source)).chunks) {
    running.update(chunk)
    size += chunk.byteLength
  }
  return { sha256: await running.hex(), size }
}
