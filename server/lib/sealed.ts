import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'

/** Encrypts small texts, so that whoever has read them where they lie knows nothing. */
export interface Sealer {
  /** `context` says where the value belongs, such as `totp 17`: it opens nowhere else. */
  seal(text: string, context: string): string
  /** The text again; throws where the value was changed, or sealed with another key or for another place. */
  open(sealed: string, context: string): string
}

/** What a text needs to be a key. */
export const minSecretLength = 32

/**
 * One secret text, and the keys made from it, a different one for each use and purpose (HKDF with SHA-256, RFC 5869):
 * none of them says anything about another one.
 */
export class SecretKey {
  readonly #text: string

  constructor(text: string) {
    if (text.length < minSecretLength) throw new Error(`A secret key has at least ${minSecretLength} characters.`)
    this.#text = text
  }

  sealer(purpose: string): Sealer {
    return sealer(this.#derive(`seal ${purpose}`, 32))
  }

  /** What only this key can say about these parts, the same each time: for links that can be made again. */
  code(purpose: string, ...parts: readonly (string | number)[]): string {
    // As JSON, so that parts cannot run into one another; a number from a database may come as text.
    return createHmac('sha256', this.#derive(`code ${purpose}`, 32))
      .update(JSON.stringify(parts.map(String)))
      .digest('base64url')
  }

  /** Tells one key from another, and may be seen by anybody. */
  check(): string {
    return this.#derive('check', 12).toString('base64url')
  }

  #derive(info: string, length: number): Buffer {
    return Buffer.from(hkdfSync('sha256', this.#text, '', info, length))
  }
}

const version = 'v1.'
const cipher = 'aes-256-gcm'
/** 96 random bits: one key may seal 2^32 values before two are likely enough to share them (NIST SP 800-38D §8.3). */
const nonceLength = 12
const tagLength = 16

/** A sealed value is `v1.` and, as base64url, the nonce, the encrypted text and the tag. */
function sealer(key: Buffer): Sealer {
  const boundTo = (context: string) => Buffer.from(version + context)
  return {
    seal: (text, context) => {
      const nonce = randomBytes(nonceLength)
      const encryption = createCipheriv(cipher, key, nonce, { authTagLength: tagLength }).setAAD(boundTo(context))
      const parts = [nonce, encryption.update(text, 'utf8'), encryption.final(), encryption.getAuthTag()]
      return version + Buffer.concat(parts).toString('base64url')
    },
    open: (sealed, context) => {
      const bytes = sealedBytes(sealed)
      const nonce = bytes.subarray(0, nonceLength)
      const decryption = createDecipheriv(cipher, key, nonce, { authTagLength: tagLength }).setAAD(boundTo(context))
      decryption.setAuthTag(bytes.subarray(-tagLength))
      try {
        const start = decryption.update(bytes.subarray(nonceLength, -tagLength))
        return Buffer.concat([start, decryption.final()]).toString('utf8')
      } catch {
        throw new Error('A sealed value was changed, or was sealed with another key or for another place.')
      }
    },
  }
}

function sealedBytes(sealed: string): Buffer {
  const body = sealed.startsWith(version) ? sealed.slice(version.length) : ''
  const bytes = Buffer.from(body, 'base64url')
  // Compared, because decoding passes over signs that are not base64url.
  if (bytes.length < nonceLength + tagLength || bytes.toString('base64url') !== body) {
    throw new Error('This is no sealed value.')
  }
  return bytes
}
