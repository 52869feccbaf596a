/** What the page asks of its worker, and what that says. */
export type DigestQuestion = { kind: 'digest'; id: number; file: File } | { kind: 'forget'; id: number }
export type DigestAnswer =
  | { kind: 'read'; id: number; bytes: number }
  | { kind: 'digest'; id: number; sha256: string }
  | { kind: 'unreadable'; id: number }

/** The file is gone, or another one than was chosen. */
export class Unreadable extends Error {
  override name = 'Unreadable'
}

/** A digest that is being computed. */
export interface FileDigest {
  sha256: Promise<string>
  /** Bytes that have been read. */
  read: () => number
  forget: () => void
}

/** SHA-256 of files, computed by a worker while they are sent. */
export class FileDigests {
  readonly #worker: Worker
  readonly #asked = new Map<number, { read: number; done: (sha256: string) => void; failed: (error: Error) => void }>()
  #last = 0

  constructor(worker: Worker) {
    this.#worker = worker
    worker.addEventListener('message', ({ data }: MessageEvent<DigestAnswer>) => this.#hear(data))
    worker.addEventListener('error', () => {
      for (const { failed } of this.#asked.values()) failed(new Error('The digest could not be computed.'))
      this.#asked.clear()
    })
  }

  of(file: File): FileDigest {
    this.#last += 1
    const id = this.#last
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    // Whoever waits for it hears of a failure; nobody may be waiting yet.
    promise.catch(() => undefined)
    const asked = { read: 0, done: resolve, failed: reject }
    this.#asked.set(id, asked)
    this.#send({ kind: 'digest', id, file })
    return {
      sha256: promise,
      read: () => asked.read,
      forget: () => {
        if (!this.#asked.delete(id)) return
        this.#send({ kind: 'forget', id })
        reject(new DOMException('forgotten', 'AbortError'))
      },
    }
  }

  #hear(answer: DigestAnswer): void {
    const asked = this.#asked.get(answer.id)
    if (!asked) return
    if (answer.kind === 'read') {
      asked.read = answer.bytes
      return
    }
    this.#asked.delete(answer.id)
    if (answer.kind === 'digest') asked.done(answer.sha256)
    else asked.failed(new Unreadable('The file cannot be read.'))
  }

  #send(question: DigestQuestion): void {
    this.#worker.postMessage(question)
  }
}
