import type { DigestAnswer, DigestQuestion } from './digest-worker.ts'
import type { DigestAlgorithm, Digests } from './digests.ts'

interface Waiting {
  question: DigestQuestion
  resolve(digests: Partial<Digests>): void
  reject(error: Error): void
}

/**
 * Digests of files, computed on another thread so that this one stays free. The thread starts when it is first needed,
 * takes one file at a time, and keeps the process alive only while somebody waits for it.
 */
export class DigestThread {
  readonly #start: () => Worker
  #worker: Worker | undefined
  #closed = false
  /** The first one is being answered. */
  #queue: Waiting[] = []

  constructor(start: () => Worker = startWorker) {
    this.#start = start
  }

  /** Rejects with the system's error, `code` and all, when the file cannot be read. */
  digest(path: string, algorithms: readonly DigestAlgorithm[]): Promise<Partial<Digests>> {
    if (this.#closed) return Promise.reject(ended('The digest thread is closed.'))
    return new Promise((resolve, reject) => {
      this.#queue.push({ question: { path, algorithms }, resolve, reject })
      if (this.#queue.length === 1) this.#ask()
    })
  }

  close(): void {
    this.#closed = true
    this.#end(ended('The digest thread was closed.'))
  }

  #ask(): void {
    const first = this.#queue[0]
    if (first === undefined) {
      this.#worker?.unref()
      return
    }
    this.#worker ??= this.#startWorker()
    this.#worker.ref()
    this.#worker.postMessage(first.question)
  }

  #startWorker(): Worker {
    const worker = this.#start()
    worker.onmessage = (event: MessageEvent<DigestAnswer>) => this.#answered(event.data)
    const crashed = (reason: string) => {
      if (this.#worker === worker) this.#end(ended(`The digest thread ended: ${reason}`))
    }
    worker.onerror = (event) => {
      event.preventDefault()
      crashed(event.message)
    }
    worker.addEventListener('close', () => crashed('it stopped by itself'))
    return worker
  }

  #answered(answer: DigestAnswer): void {
    const first = this.#queue.shift()
    if ('digests' in answer) first?.resolve(answer.digests)
    else first?.reject(Object.assign(new Error(answer.failure.message), { code: answer.failure.code }))
    this.#ask()
  }

  #end(reason: Error): void {
    const waiting = this.#queue
    this.#queue = []
    this.#worker?.terminate()
    this.#worker = undefined
    for (const { reject } of waiting) reject(reason)
  }
}

/** Two threads for each file: SHA-512 takes as long as MD5 and SHA-1 together. */
export class DigestThreads {
  readonly #sha512 = new DigestThread()
  readonly #others = new DigestThread()

  async digest(path: string, algorithms: readonly DigestAlgorithm[]): Promise<Partial<Digests>> {
    const isSha512 = (algorithm: DigestAlgorithm) => algorithm === 'sha512'
    const shares = [
      { thread: this.#sha512, algorithms: algorithms.filter(isSha512) },
      { thread: this.#others, algorithms: algorithms.filter((algorithm) => !isSha512(algorithm)) },
    ].filter((share) => share.algorithms.length > 0)
    const found = await Promise.all(shares.map((share) => share.thread.digest(path, share.algorithms)))
    return Object.assign({}, ...found)
  }

  close(): void {
    this.#sha512.close()
    this.#others.close()
  }
}

function startWorker(): Worker {
  return new Worker(new URL('./digest-worker.ts', import.meta.url).href)
}

/** Looks like the system's own failure to whoever asked: the file could not be read, this time. */
function ended(reason: string): Error {
  return Object.assign(new Error(reason), { code: 'ECANCELED' })
}
