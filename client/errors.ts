/** What goes wrong between this module and a server. `message` is a sentence for a person. */
export class StowageError extends Error {
  override readonly name: string = 'StowageError'
}

/** The server said no. `message` is its own sentence. */
export class Refused extends StowageError {
  override readonly name: string = 'Refused'
  readonly status: number
  /** What the server's log has about it. */
  readonly requestId: string | undefined
  /** Milliseconds after which the server wants to be asked again, where it said so. */
  readonly retryAfterMs: number | undefined

  constructor(status: number, sentence: string, more: { requestId?: string; retryAfterMs?: number } = {}) {
    super(sentence)
    this.status = status
    this.requestId = more.requestId
    this.retryAfterMs = more.retryAfterMs
  }
}

/** The version has a file of that name already, and it is not known to be ours. */
export class Taken extends Refused {
  override readonly name: string = 'Taken'
  /** SHA-256 of what is there, hexadecimal, where the server said it. */
  readonly storedSha256: string | undefined

  constructor(sentence: string, more: { requestId?: string; storedSha256?: string } = {}) {
    super(409, sentence, more)
    this.storedSha256 = more.storedSha256
  }
}

/** The bytes are not those that they should be. What was published stays on the server; what was downloaded is nowhere. */
export class DigestMismatch extends StowageError {
  override readonly name: string = 'DigestMismatch'
  /** SHA-256, hexadecimal. */
  readonly expected: string
  readonly actual: string

  constructor(sentence: string, { expected, actual }: { expected: string; actual: string }) {
    super(`${sentence}: SHA-256 is ${actual}, and should be ${expected}`)
    this.expected = expected
    this.actual = actual
  }
}

/** It was published or could be fetched, and there was nothing to compare its bytes with. */
export class Unverified extends StowageError {
  override readonly name: string = 'Unverified'
}

/** No answer, or not all of it. `cause` is what the runtime says. */
export class ConnectionLost extends StowageError {
  override readonly name: string = 'ConnectionLost'
}

/** The file at that address became another one during its download. */
export class FileChanged extends StowageError {
  override readonly name: string = 'FileChanged'
}

/** Whether the same request may do better in a while, by what was said and not by what was asked for. */
export function isPassing(error: unknown): error is ConnectionLost | Refused {
  if (error instanceof ConnectionLost) return true
  if (!(error instanceof Refused)) return false
  return [502, 503, 504].includes(error.status) || (error.status === 429 && error.retryAfterMs !== undefined)
}

/** Of an error's answer that many characters are read. */
const longestAnswer = 64 * 1024

/** What an answer of 400 and above says, in whichever of the server's formats. */
export async function refusalFrom(response: Response): Promise<Refused> {
  const { status, headers } = response
  const { sentence, facts } = read(headers.get('content-type') ?? '', await beginning(response))
  const more = {
    requestId: headers.get('x-request-id') ?? undefined,
    retryAfterMs: retryAfterMs(headers.get('retry-after'), Date.now()),
  }
  const said = sentence || `The server answered ${status} ${response.statusText}`.trimEnd()
  if (status !== 409) return new Refused(status, said, more)
  return new Taken(said, { ...more, storedSha256: isSha256(facts.sha256) ? facts.sha256 : undefined })
}

/** A proxy's page of HTML says nothing to anybody. */
function read(contentType: string, text: string): { sentence: string; facts: Record<string, unknown> } {
  if (/^text\/plain\b/i.test(contentType)) return { sentence: text.trim(), facts: {} }
  if (!/^application\/(problem\+)?json\b/i.test(contentType)) return { sentence: '', facts: {} }
  try {
    const facts = Object(JSON.parse(text)) as Record<string, unknown>
    return { sentence: String(facts.detail ?? facts.message ?? ''), facts }
  } catch {
    return { sentence: '', facts: {} }
  }
}

async function beginning(response: Response): Promise<string> {
  const reader = response.body?.getReader()
  const decoder = new TextDecoder()
  let text = ''
  try {
    while (reader && text.length < longestAnswer) {
      const { done, value } = await reader.read()
      if (done) break
      text += decoder.decode(value, { stream: true })
    }
  } catch {
    // The status says enough.
  }
  await reader?.cancel().catch(() => undefined)
  return text
}

/** Milliseconds from `Retry-After` (RFC 9110 §10.2.3): seconds, or a date. */
export function retryAfterMs(text: string | null, now: number): number | undefined {
  if (text === null) return undefined
  if (/^\s*\d+\s*$/.test(text)) return Number(text) * 1000
  const date = Date.parse(text)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

export function isSha256(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)
}
