import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

/*
 * An authenticator as a browser would reach one, in software: it makes passkeys of ECDSA with P-256 and says of them what it is told
 * to, also what is not true.
 */

/** What is asked of a browser, as far as it matters here. */
export interface AskedOptions {
  challenge: string
  rp?: { id?: string }
  rpId?: string
  user?: { id: string }
  excludeCredentials?: { id: string }[]
  allowCredentials?: { id: string }[]
}

/** What may be other than it should be. */
export interface Twist {
  origin?: string
  rpId?: string
  challenge?: string
  type?: string
  /** Whether somebody was there, and was asked who he is. */
  isPresent?: boolean
  isVerified?: boolean
  count?: number
  userHandle?: string | null
  /** Signs with a key of its own. */
  forged?: boolean
  format?: string
}

interface Kept {
  id: string
  key: KeyObject
  x: Buffer
  y: Buffer
  userHandle: string
  rpId: string
  count: number
}

export class SoftAuthenticator {
  readonly #origin: string
  readonly kept: Kept[] = []

  constructor(origin: string) {
    this.#origin = origin
  }

  /** Answers what is asked of it to make a passkey, as text. */
  create(asked: AskedOptions, twist: Twist = {}): string {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
    const passkey: Kept = {
      id: randomBytes(20).toString('base64url'),
      key: privateKey,
      x: Buffer.from(x, 'base64url'),
      y: Buffer.from(y, 'base64url'),
      userHandle: asked.user?.id ?? '',
      rpId: asked.rp?.id ?? '',
      count: 0,
    }
    this.kept.push(passkey)
    return this.createAgain(passkey, asked, twist)
  }

  /** The same with a key that it has already. */
  createAgain(passkey: Kept, asked: AskedOptions, twist: Twist = {}): string {
    const authData = Buffer.concat([
      head(twist.rpId ?? passkey.rpId, 0x40 | flagsOf(twist), twist.count ?? passkey.count),
      Buffer.alloc(16),
      uint16(Buffer.from(passkey.id, 'base64url').byteLength),
      Buffer.from(passkey.id, 'base64url'),
      coseKey(passkey),
    ])
    const attestationObject = cborMap([
      [cborText('fmt'), cborText(twist.format ?? 'none')],
      [cborText('attStmt'), cborMap([])],
      [cborText('authData'), cborBytes(authData)],
    ])
    return JSON.stringify({
      id: passkey.id,
      rawId: passkey.id,
      type: 'public-key',
      clientExtensionResults: {},
      response: {
        clientDataJSON: this.#clientData('webauthn.create', asked, twist).toString('base64url'),
        attestationObject: attestationObject.toString('base64url'),
        transports: ['internal'],
      },
    })
  }

  /** Answers what is asked of it to show a passkey; the last one where it is not told which. */
  get(asked: AskedOptions, twist: Twist = {}, which = this.kept.at(-1)): string {
    if (!which) throw new Error('this authenticator has no passkey')
    which.count = twist.count ?? which.count + 1
    const authData = head(twist.rpId ?? which.rpId, flagsOf(twist), which.count)
    const clientData = this.#clientData('webauthn.get', asked, twist)
    const key = twist.forged ? generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey : which.key
    const signature = sign('sha256', Buffer.concat([authData, sha256(clientData)]), key)
    const userHandle = twist.userHandle === undefined ? which.userHandle : twist.userHandle
    return JSON.stringify({
      id: which.id,
      rawId: which.id,
      type: 'public-key',
      clientExtensionResults: {},
      response: {
        clientDataJSON: clientData.toString('base64url'),
        authenticatorData: authData.toString('base64url'),
        signature: signature.toString('base64url'),
        ...(userHandle === null ? {} : { userHandle }),
      },
    })
  }

  #clientData(type: string, { challenge }: AskedOptions, twist: Twist): Buffer {
    const said = {
      type: twist.type ?? type,
      challenge: twist.challenge ?? challenge,
      origin: twist.origin ?? this.#origin,
      crossOrigin: false,
    }
    return Buffer.from(JSON.stringify(said))
  }
}

function flagsOf({ isPresent = true, isVerified = true }: Twist): number {
  return (isPresent ? 0x01 : 0) | (isVerified ? 0x04 : 0)
}

/** Web Authentication §6.1. */
function head(rpId: string, flags: number, count: number): Buffer {
  const counted = Buffer.alloc(4)
  counted.writeUInt32BE(count)
  return Buffer.concat([sha256(Buffer.from(rpId)), Buffer.from([flags]), counted])
}

/** RFC 9053 §7.1.1: kty EC2, alg ES256, crv P-256, x, y. */
function coseKey({ x, y }: Kept): Buffer {
  return cborMap([
    [cborInteger(1), cborInteger(2)],
    [cborInteger(3), cborInteger(-7)],
    [cborInteger(-1), cborInteger(1)],
    [cborInteger(-2), cborBytes(x)],
    [cborInteger(-3), cborBytes(y)],
  ])
}

/** RFC 8949 §3: the kind in three bits, then how much or how long. */
function cborHead(kind: number, value: number): Buffer {
  if (value < 24) return Buffer.from([(kind << 5) | value])
  if (value < 256) return Buffer.from([(kind << 5) | 24, value])
  return Buffer.concat([Buffer.from([(kind << 5) | 25]), uint16(value)])
}

function cborInteger(value: number): Buffer {
  return value < 0 ? cborHead(1, -1 - value) : cborHead(0, value)
}

function cborBytes(bytes: Buffer): Buffer {
  return Buffer.concat([cborHead(2, bytes.byteLength), bytes])
}

function cborText(text: string): Buffer {
  return Buffer.concat([cborHead(3, Buffer.byteLength(text)), Buffer.from(text)])
}

function cborMap(entries: readonly (readonly [Buffer, Buffer])[]): Buffer {
  return Buffer.concat([cborHead(5, entries.length), ...entries.flat()])
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(value)
  return bytes
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest()
}
