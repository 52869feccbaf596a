import { type History, longestWait, type RecordedRequest } from './history.ts'
import { addressOf } from './ledger.ts'
import { type Seeded, seededBytes, sha256Of } from './seeded.ts'
import type { Client } from './stowage.ts'

interface SentFile {
  size: number
  seed: number
  sha256: string
}

/** Of an upload; `isChunked`: its length is not told before. */
interface Shape {
  size: number
  isChunked: boolean
}

interface Asked {
  file?: SentFile
  isChunked?: boolean
  range?: string
}

const mebibyte = 1024 * 1024
const attempts = 3
/** Milliseconds until a client tries again: sooner than a Retry-After of seconds, so that more is asked while something fails. */
const pause = 50

/** Clients of several nodes. All that they ask, and what they see of the answers, is written down. */
export class RecordedLoad {
  readonly history: History = { requests: [], down: [], quiet: [], healed: Number.POSITIVE_INFINITY }
  readonly #nodes: readonly string[]
  readonly #headers: Record<string, string>
  readonly #path: Client['path']
  readonly #files = new Map<string, SentFile>()
  #moments = 0
  #turn = 0

  constructor(nodes: readonly string[], owner: Client, headers: Record<string, string>) {
    this.#nodes = nodes
    this.#path = owner.path.bind(owner)
    // A connection for each: what is lost on one that was used before may be sent once more behind everybody's back.
    this.#headers = { ...headers, Connection: 'close' }
  }

  /** One more than the moment before. */
  moment(): number {
    this.#moments += 1
    return this.#moments
  }

  bytesOf = (sha256: string): Uint8Array | undefined => {
    const file = this.#files.get(sha256)
    return file && seededBytes(file.size, file.seed)
  }

  count(those: (request: RecordedRequest) => boolean): number {
    return this.history.requests.filter(those).length
  }

  /** Publishes, reads and deletes these files until it is over, and goes on whatever the answers are. */
  async work(names: readonly string[], random: Seeded, isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      const name = random.pick(names)
      const dice = random.next()
      if (dice < 0.4) await this.publish(name, shapeFrom(random))
      else if (dice < 0.8) await this.#insist('GET', name, random.chance(0.4) ? { range: rangeFrom(random) } : {})
      else await this.#insist('DELETE', name)
    }
  }

  publish(name: string, { size, isChunked }: Shape, node?: number): Promise<RecordedRequest> {
    const seed = this.#files.size + 1
    const file = { size, seed, sha256: sha256Of(seededBytes(size, seed)) }
    this.#files.set(file.sha256, file)
    return this.#insist('PUT', name, { file, isChunked }, node)
  }

  read(name: string, node: number): Promise<RecordedRequest> {
    return this.#ask(node, 'GET', name, {})
  }

  /** Asks as clients do: what failed once more, at the next node where none was chosen. */
  async #insist(
    method: RecordedRequest['method'],
    name: string,
    asked: Asked = {},
    node?: number,
  ): Promise<RecordedRequest> {
    for (let attempt = 1; ; attempt += 1) {
      this.#turn += 1
      const request = await this.#ask(node ?? this.#turn % this.#nodes.length, method, name, asked)
      const isDone = (request.status ?? 503) < 500 && !request.isBroken
      if (isDone || attempt === attempts) return request
      await Bun.sleep(pause)
    }
  }

  async #ask(
    node: number,
    method: RecordedRequest['method'],
    name: string,
    { file, isChunked = false, range }: Asked,
  ): Promise<RecordedRequest> {
    const request: RecordedRequest = {
      ...{ node, method, name },
      ...(file && { sent: file.sha256 }),
      ...(range !== undefined && { range }),
      ...{ began: this.moment(), answered: undefined, ended: 0, milliseconds: 0 },
    }
    this.history.requests.push(request)
    const bytes = file && seededBytes(file.size, file.seed)
    const began = performance.now()
    try {
      const answer = await fetch(this.#nodes[node] + this.#path(addressOf(name)), {
        method,
        headers: { ...this.#headers, ...(range !== undefined && { Range: range }) },
        ...(bytes && { body: isChunked ? inChunks(bytes) : bytes }),
        keepalive: false,
        signal: AbortSignal.timeout(longestWait + 1),
      })
      request.answered = this.moment()
      await lookAt(answer, request)
    } catch {
      if (request.answered !== undefined) request.isBroken = true
    }
    request.milliseconds = Math.round(performance.now() - began)
    request.ended = this.moment()
    return request
  }
}

async function lookAt({ status, headers, body }: Response, request: RecordedRequest): Promise<void> {
  request.status = status
  request.retryAfter = headers.get('retry-after')
  const isFile = request.method === 'GET' && (status === 200 || status === 206)
  if (isFile) request.etag = headers.get('etag')?.replaceAll('"', '') ?? ''
  const hasher = new Bun.CryptoHasher('sha256')
  let bytes = 0
  try {
    for await (const chunk of body ?? []) {
      hasher.update(chunk)
      bytes += chunk.length
    }
    request.isBroken = false
  } finally {
    if (isFile) request.received = { bytes, sha256: hasher.digest('hex') }
  }
}

/** Mostly small ones; some that S3 is given in parts, with a length told before (over 8 MiB) or without (over 16 MiB). */
function shapeFrom(random: Seeded): Shape {
  const isChunked = random.chance(0.5)
  const dice = random.next()
  if (dice < 0.65) return { size: 1000 + random.below(60_000), isChunked }
  if (dice < 0.88) return { size: mebibyte / 2 + random.below(2 * mebibyte), isChunked }
  return { size: (isChunked ? 16 : 8) * mebibyte + 1 + random.below(3 * mebibyte), isChunked }
}

/** One that every file has something of. */
function rangeFrom(random: Seeded): string {
  const first = random.below(1000)
  const last = first + random.below(12 * mebibyte)
  return random.pick([`bytes=${first}-`, `bytes=${first}-${last}`, `bytes=-${last + 1}`])
}

function inChunks(bytes: Uint8Array): ReadableStream<Uint8Array> {
  let at = 0
  return new ReadableStream<Uint8Array>({
    pull: (controller) => {
      if (at >= bytes.length) return controller.close()
      controller.enqueue(bytes.slice(at, at + 65_536))
      at += 65_536
    },
  })
}
