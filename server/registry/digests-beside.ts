import type { StreamDigests } from '../lib/digest-streams.ts'
import { type DigestAlgorithm, type Digests, digestAlgorithms } from '../lib/digests.ts'
import type { RegistryParts } from './parts.ts'

/**
 * The digests that an upload does not need itself, computed while it comes, where the store has threads for that; undefined where
 * they are computed later. No upload fails for them: where such a thread does, they are computed later too.
 */
export function digestsBeside(parts: RegistryParts, needed: readonly DigestAlgorithm[]): DigestsBeside | undefined {
  const others = digestAlgorithms.filter((algorithm) => !needed.includes(algorithm))
  if (others.length === 0) return undefined
  try {
    const stream = parts.blobs.digestsBeside?.(others)
    return stream && new DigestsBeside(stream)
  } catch {
    return undefined
  }
}

class DigestsBeside implements Disposable {
  readonly #stream: StreamDigests
  #hasFailed = false

  constructor(stream: StreamDigests) {
    this.#stream = stream
  }

  /** Resolves when more can be taken. The caller may reuse `chunk` after that. */
  async update(chunk: Uint8Array): Promise<void> {
    if (this.#hasFailed) return
    await this.#stream.update(chunk).catch(() => {
      this.#hasFailed = true
    })
  }

  async finish(): Promise<Partial<Digests>> {
    return this.#hasFailed ? {} : this.#stream.finish().catch(() => ({}))
  }

  [Symbol.dispose](): void {
    this.#stream[Symbol.dispose]()
  }
}
