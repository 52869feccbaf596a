import { nodeModule } from './node-module.ts'

/** SHA-256 of bytes that come one after the other. */
export interface RunningSha256 {
  update(bytes: Uint8Array): void
  /** Hexadecimal; the end. */
  hex(): Promise<string>
}

/** Bytes. WebCrypto, which is all that a browser has, takes the whole at once; so much is held for it. */
export const mostWithoutNode = 64 * 1024 * 1024

export function runningSha256(): RunningSha256 {
  const crypto = nodeModule('node:crypto')
  if (!crypto) return new GatheredSha256()
  const hash = crypto.createHash('sha256')
  return { update: (bytes) => void hash.update(bytes), hex: async () => hash.digest('hex') }
}

/** Whether bytes of any number can be hashed while they pass. */
export function hashesWhileStreaming(): boolean {
  return nodeModule('node:crypto') !== undefined
}

class GatheredSha256 implements RunningSha256 {
  readonly #chunks: Uint8Array<ArrayBuffer>[] = []
  #size = 0

  update(bytes: Uint8Array): void {
    this.#size += bytes.byteLength
    if (this.#size > mostWithoutNode) throw tooMuchWithoutNode()
    this.#chunks.push(new Uint8Array(bytes))
  }

  async hex(): Promise<string> {
    const whole = await new Blob(this.#chunks).arrayBuffer()
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', whole))
    return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
  }
}

export function tooMuchWithoutNode(): RangeError {
  return new RangeError(`Without node:crypto a file may have ${mostWithoutNode} bytes`)
}
