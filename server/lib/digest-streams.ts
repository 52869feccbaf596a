import type { StreamAnswer, StreamQuestion } from './digest-streams-worker.ts'
import type { DigestAlgorithm, Digests } from './digests.ts'

/** Bytes that a thread may be behind before whoever feeds it waits: with one stream, and with all, where each may send one chunk. */
const mostBehind = { one: 1024 * 1024, all: 8 * 1024 * 1024 }

/** Digests of bytes as they come, computed on other threads. Disposed, it is given up. */
export interface StreamDigests extends Disposable {
  /** Resolves when more can be taken. The caller may reuse `chunk` after that. */
  update(chunk: Uint8Array): Promise<void>
  finish(): Promise<Partial<Digests>>
}

/** Two threads: SHA-512 takes as long as MD5 and SHA-1 together. They start when they are first needed. */
export class DigestStreams {
  readonly #sha512 = new DigestStreamThread()
  readonly #others = new DigestStreamThread()

  open(algorithms: readonly DigestAlgorithm[]): StreamDigests {
    const isSha512 = (algorithm: DigestAlgorithm) => algorithm === 'sha512'
    const shares = [
      { thread: this.#sha512, algorithms: algorithms.filter(isSha512) },
      { thread: this.#others, algorithms: algorithms.filter((algorithm) => !isSha512(algorithm)) },
    ].filter((share) => share.algorithms.length > 0)
    const streams = shares.map(({ thread, algorithms }) => thread.open(algorithms))
    return {
      update: async (chunk) => {
        await Promise.all(streams.map((stream) => stream.update(chunk)))
      },
      finish: async () => Object.assign({}, ...(await Promise.all(streams.map((stream) => stream.finish())))),
      [Symbol.dispose]: () => {
        for (const stream of streams) stream[Symbol.dispose]()
      },
    }
  }

  close(): void {
    this.#sha512.close()
    this.#others.close()
  }
}

interface Running {
  answered(answer: StreamAnswer): void
  failed(error: Error): void
}

class DigestStreamThread {
  readonly #running = new Map<number, Running>()
  #worker: Worker | undefined
  #closed = false
  #last = 0
  /** Bytes that were sent there and are not taken yet. */
  #behind = 0

  open(algorithms: readonly DigestAlgorithm[]): StreamDigests {
    if (this.#closed) throw ended('The digest thread is closed.')
    const id = ++this.#last
    const { promise: digests, resolve, reject } = Promise.withResolvers<Partial<Digests>>()
    // Whoever feeds it learns of a failure at the next call.
    digests.catch(() => undefined)
    let behind = 0
    let caughtUp = Promise.withResolvers<void>()
    this.#running.set(id, {
      answered: (answer) => {
        if ('digests' in answer) return resolve(answer.digests)
        behind -= answer.taken
        caughtUp.resolve()
      },
      failed: (error) => {
        reject(error)
        caughtUp.resolve()
      },
    })
    this.#ask({ id, algorithms })
    return {
      update: async (chunk) => {
        if (!this.#running.has(id)) return void (await digests)
        // A slice of a Buffer would be the same memory.
        const bytes = new Uint8Array(chunk)
        behind += bytes.length
        this.#behind += bytes.length
        this.#ask({ id, bytes }, [bytes.buffer])
        const isFull = () => behind > mostBehind.one || this.#behind > mostBehind.all
        while (behind > 0 && isFull() && this.#running.has(id)) {
          caughtUp = Promise.withResolvers()
          await caughtUp.promise
        }
        if (!this.#running.has(id)) await digests
      },
      finish: async () => {
        this.#ask({ id, isEnd: true })
        return digests.finally(() => this.#end(id))
      },
      [Symbol.dispose]: () => {
        if (!this.#running.has(id)) return
        this.#ask({ id, isEnd: true })
        this.#end(id)
      },
    }
  }

  close(): void {
    this.#closed = true
    this.#lost(ended('The digest thread was closed.'))
  }

  #ask(question: StreamQuestion, transfer: ArrayBuffer[] = []): void {
    if (!this.#running.has(question.id)) return
    this.#worker ??= this.#start()
    this.#worker.ref()
    this.#worker.postMessage(question, transfer)
  }

  #end(id: number): void {
    this.#running.delete(id)
    if (this.#running.size === 0) this.#worker?.unref()
  }

  #start(): Worker {
    const worker = new Worker(new URL('./digest-streams-worker.ts', import.meta.url).href)
    worker.onmessage = ({ data }: MessageEvent<StreamAnswer>) => {
      if (this.#worker !== worker) return
      // Also of one that was given up: its chunks were in memory until now.
      if ('taken' in data) this.#behind -= data.taken
      this.#running.get(data.id)?.answered(data)
    }
    const crashed = (reason: string) => {
      if (this.#worker === worker) this.#lost(ended(`The digest thread ended: ${reason}`))
    }
    worker.onerror = (event) => {
      event.preventDefault()
      crashed(event.message)
    }
    worker.addEventListener('close', () => crashed('it stopped by itself'))
    return worker
  }

  #lost(reason: Error): void {
    const running = [...this.#running.values()]
    this.#running.clear()
    this.#worker?.terminate()
    this.#worker = undefined
    this.#behind = 0
    for (const { failed } of running) failed(reason)
  }
}

function ended(reason: string): Error {
  return Object.assign(new Error(reason), { code: 'ECANCELED' })
}
