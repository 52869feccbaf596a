/** The digests that Stowage knows, as lower-case hex. */
export interface Digests {
  md5: string
  sha1: string
  sha256: string
  sha512: string
}

export type DigestAlgorithm = keyof Digests

export const digestAlgorithms: readonly DigestAlgorithm[] = ['md5', 'sha1', 'sha256', 'sha512']

/** Bytes in a digest of each kind. */
export const digestSizes: Record<DigestAlgorithm, number> = { md5: 16, sha1: 20, sha256: 32, sha512: 64 }

/** As people write them. */
export const digestNames: Record<DigestAlgorithm, string> = {
  md5: 'MD5',
  sha1: 'SHA-1',
  sha256: 'SHA-256',
  sha512: 'SHA-512',
}

/** Several running digests over one stream of bytes. */
export class RunningDigests {
  #hashers: [DigestAlgorithm, Bun.CryptoHasher][]

  constructor(algorithms: Iterable<DigestAlgorithm>) {
    this.#hashers = [...new Set(algorithms)].map((algorithm) => [algorithm, new Bun.CryptoHasher(algorithm)])
  }

  update(chunk: Uint8Array): void {
    for (const [, hasher] of this.#hashers) hasher.update(chunk)
  }

  /** Goes on with these alone. */
  narrow(algorithms: readonly DigestAlgorithm[]): void {
    this.#hashers = this.#hashers.filter(([algorithm]) => algorithms.includes(algorithm))
  }

  /** Lower-case hex of each; the digests cannot be continued afterwards. */
  finish(): Partial<Digests> {
    const found: Partial<Digests> = {}
    for (const [algorithm, hasher] of this.#hashers) found[algorithm] = hasher.digest('hex')
    return found
  }
}

/** SHA-256 of a text in UTF-8, as lower-case hex. */
export function sha256(text: string): string {
  return new Bun.CryptoHasher('sha256').update(text).digest('hex')
}
