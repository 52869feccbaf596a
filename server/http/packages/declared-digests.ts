import { type DigestAlgorithm, type Digests, digestAlgorithms, digestNames, digestSizes } from '../../lib/digests.ts'
import { Problem } from '../../problems.ts'

/** What an upload says of itself, in lower-case hex. */
export interface DeclaredDigests {
  /** Of the file that is to be stored. */
  ofFile: Partial<Digests>
  /** Of the body as it is sent: the same bytes, except in a multipart upload. */
  ofBody: Partial<Digests>
}

/**
 * Reads `Repr-Digest` and `Content-Digest` (RFC 9530), `X-Checksum-Sha256` and its like, and `Content-MD5` (RFC 1864).
 * Algorithms that are unknown here are left out, as RFC 9530 §2 asks.
 *
 * @throws Problem `bad-request` when a known algorithm has a value that cannot be one, or two different values: to
 * store a file unverified that came with a digest would be worse than to refuse it
 */
export function declaredDigests(headers: Pick<Headers, 'get'>): DeclaredDigests {
  const ofFile = [...fromDictionary(headers, 'Repr-Digest'), ...fromChecksums(headers)]
  const ofBody = [...fromDictionary(headers, 'Content-Digest'), ...fromContentMd5(headers)]
  return { ofFile: collected(ofFile), ofBody: collected(ofBody) }
}

/**
 * Both as one, for an upload whose body is the file.
 *
 * @throws Problem `bad-request` when they contradict each other
 */
export function mergedDigests({ ofFile, ofBody }: DeclaredDigests): Partial<Digests> {
  for (const algorithm of digestAlgorithms) {
    if (ofFile[algorithm] === undefined || ofBody[algorithm] === undefined) continue
    if (ofFile[algorithm] === ofBody[algorithm]) continue
    throw new Problem('bad-request', `the headers declare different ${digestNames[algorithm]} digests of one upload`)
  }
  return { ...ofBody, ...ofFile }
}

interface Declaration {
  header: string
  algorithm: DigestAlgorithm
  hex: string
}

/** Keys of the registry that RFC 9530 §7.2 sets up; `md5` and `sha` are deprecated there, but some clients have no other. */
const dictionaryKeys: ReadonlyMap<string, DigestAlgorithm> = new Map([
  ['md5', 'md5'],
  ['sha', 'sha1'],
  ['sha-256', 'sha256'],
  ['sha-512', 'sha512'],
])

function fromDictionary(headers: Pick<Headers, 'get'>, header: string): Declaration[] {
  const declarations: Declaration[] = []
  for (const member of dictionaryMembers(headers.get(header) ?? '', header)) {
    const [key = ''] = /^[^=;]*/.exec(member) ?? []
    const name = key.trim()
    // Keys are lower case, but the older `Digest` had `SHA-256`, and who writes that wants it verified.
    const algorithm = dictionaryKeys.get(name.toLowerCase())
    if (algorithm === undefined) continue
    const value = byteSequence.exec(member.slice(key.length))?.[1]
    const hex = value === undefined ? undefined : hexFromBase64(value, digestSizes[algorithm])
    if (hex === undefined) {
      const shape = `${name}=:…:, with the base64 of ${digestSizes[algorithm]} bytes between the colons`
      throw new Problem('bad-request', `${header} must have the form ${shape}`)
    }
    declarations.push({ header, algorithm, hex })
  }
  return declarations
}

/** A byte sequence as the value of a member, and its parameters, RFC 9651 §3.3.5 and §3.1.2. */
const byteSequence = /^=:([^:]*):[ \t]*(?:;.*)?$/

/** The members of a dictionary (RFC 9651 §3.2), split at each comma that is not inside a string. */
function dictionaryMembers(text: string, header: string): string[] {
  const members: string[] = []
  let start = 0
  let quoted = false
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === '"') quoted = !quoted
    else if (quoted && character === '\\') at++
    else if (!quoted && character === ',') {
      members.push(text.slice(start, at).trim())
      start = at + 1
    }
  }
  // The open string may have swallowed a digest that was to be verified.
  if (quoted) throw new Problem('bad-request', `${header} has a string without an end`)
  members.push(text.slice(start).trim())
  return members
}

const checksumHeaders: readonly [string, DigestAlgorithm][] = [
  ['X-Checksum-Sha256', 'sha256'],
  ['X-Checksum-Sha1', 'sha1'],
  ['X-Checksum-Md5', 'md5'],
  ['X-Checksum-Sha512', 'sha512'],
]

function fromChecksums(headers: Pick<Headers, 'get'>): Declaration[] {
  return checksumHeaders.flatMap(([header, algorithm]) => {
    const text = headers.get(header)?.trim()
    if (text === undefined) return []
    const digits = 2 * digestSizes[algorithm]
    if (text.length !== digits || !/^[0-9a-f]*$/i.test(text)) {
      throw new Problem('bad-request', `${header} must be ${digits} hexadecimal digits`)
    }
    return [{ header, algorithm, hex: text.toLowerCase() }]
  })
}

function fromContentMd5(headers: Pick<Headers, 'get'>): Declaration[] {
  const text = headers.get('Content-MD5')?.trim()
  if (text === undefined) return []
  const hex = hexFromBase64(text, digestSizes.md5)
  if (hex === undefined) throw new Problem('bad-request', 'Content-MD5 must be the base64 of 16 bytes')
  return [{ header: 'Content-MD5', algorithm: 'md5', hex }]
}

function collected(declarations: Declaration[]): Partial<Digests> {
  const digests: Partial<Digests> = {}
  const headerOf: Partial<Record<DigestAlgorithm, string>> = {}
  for (const { header, algorithm, hex } of declarations) {
    if (digests[algorithm] !== undefined && digests[algorithm] !== hex) {
      const both =
        headerOf[algorithm] === header ? `${header} declares` : `${headerOf[algorithm]} and ${header} declare`
      throw new Problem('bad-request', `${both} different ${digestNames[algorithm]} digests`)
    }
    digests[algorithm] = hex
    headerOf[algorithm] = header
  }
  return digests
}

/** Undefined unless it is that many bytes. The padding may be missing, which RFC 9651 §4.2.7 wants tolerated. */
function hexFromBase64(text: string, bytes: number): string | undefined {
  const letters = text.replace(/={1,2}$/, '')
  if (letters.length !== Math.ceil((bytes * 8) / 6) || !/^[A-Za-z0-9+/]*$/.test(letters)) return undefined
  return Buffer.from(letters, 'base64').toString('hex')
}
