import { randomBytes } from 'node:crypto'
import type { BunRequest } from 'bun'
import type { Caller, Publisher } from '../../access/caller.ts'
import { tokenHeaders } from '../../access/credentials.ts'
import type { Address, ReadableFile } from '../../registry/download.ts'
import type { HttpParts } from '../parts.ts'

/** The address of a file, as a pattern for the runtime. */
export const downloadPattern = '/api/packages/:owner/generic/:name/:version/:file'
export type DownloadRequest = BunRequest<typeof downloadPattern>

/** Answers, and bytes of the files in them, that are kept at most; the last one may be above. */
const most = { answers: 4096, bytes: 16 * 1024 * 1024 }
/** Callers that are known to get one file; more come by the usual way. */
const mostCallers = 16
/** Milliseconds for which a caller's credential is taken for good without looking, so long as nothing changes. */
const goodFor = 10_000
/** Characters of what is kept of a request: more than any file's address has, and than most proxies add. */
const longest = { address: 1200, from: 200 }

/** What makes another answer than the whole file, or is a credential in an unusual place. */
const unusual = ['range', 'if-none-match', 'if-match', 'if-modified-since', 'if-unmodified-since', ...tokenHeaders]

/** Takes an answer of the usual way. */
export type Keep = (found: ReadableFile, caller: Caller, response: Response) => void

interface Kept {
  /** Of the database, from before it was asked. */
  change: number
  file: ReadableFile['file']
  bytes: Blob
  init: { headers: Headers }
  /** Whether nobody in particular may have it. */
  isOpen: boolean
  /** Who else may, by the HMAC of the credential that he sends. */
  callers: Map<string, Known>
}

interface Known {
  /** Undefined where it was a password. */
  token: { used: 'tokens' | 'deploy_tokens'; id: number } | undefined
  /** Milliseconds since 1970. */
  until: number
  /** Of a password: from where it was sent, as it is written down who signs in from where. */
  from: string
}

/**
 * Answers small downloads from memory while nothing in the database has changed since the same was answered by the usual way: a
 * commit, of whatever kind and by whatever process, makes everything that is kept here worthless. So nothing here decides about
 * anything, and nobody need think of it who changes what is there or who may have it. Without this file all answers are the same, but for
 * bytes that vanish from the disk: those are still in memory here, and a 503 without it.
 */
export class HotDownloads {
  readonly #parts: HttpParts
  readonly #change: () => number
  readonly #unusual: readonly string[]
  /** Credentials are kept as HMACs under this secret of the process. */
  readonly #secret = randomBytes(32)
  /** Two generations, by address: when the younger one is full it becomes the older, and what that one held is forgotten. */
  #young = new Map<string, Kept>()
  #old = new Map<string, Kept>()
  #youngBytes = 0
  /** Addresses that were asked for once: most are never asked for again, and cost no more than this. */
  readonly #asked = new Set<string>()
  /** The request that was begun last: one that was to be quick and is not begins once more. */
  #last: { request: Request; keep: Keep | undefined } | undefined

  constructor(parts: HttpParts, change: () => number) {
    this.#parts = parts
    this.#change = change
    this.#unusual = parts.proxySignInHeader === undefined ? unusual : [...unusual, parts.proxySignInHeader]
  }

  /** The answer, where it is known; `peer` is the other end of the connection. */
  answer(request: DownloadRequest, peer: () => string): Response | undefined {
    if (request.method !== 'GET') return undefined
    const { owner, name, version, file } = request.params
    const kept = this.#find(keyOf(owner, name, version, file))
    if (!kept || kept.change !== this.#change()) return undefined
    const credential = this.#credentialIn(request.headers)
    if (credential === undefined) return undefined
    if (credential === '') {
      if (!kept.isOpen) return undefined
    } else {
      const known = kept.callers.get(credential)
      if (!known || known.until <= this.#parts.registry.now()) return undefined
      if (known.token === undefined) {
        if (known.from !== fromWhere(request, peer)) return undefined
      } else this.#parts.access.tokenUsed(known.token)
    }
    this.#parts.registry.downloads.note(kept.file)
    this.#parts.registry.observer.sending(kept.file.size)
    return new Response(kept.bytes, kept.init)
  }

  /** Called before the usual way looks anything up; what it gives back takes the answer, so that the next one is quick. */
  begin(request: Request, address: Address, peer: () => string): Keep | undefined {
    if (this.#last?.request !== request) this.#last = { request, keep: this.#begun(request, address, peer) }
    return this.#last.keep
  }

  #begun(request: Request, { owner, package: name, version, file }: Address, peer: () => string): Keep | undefined {
    if (request.method !== 'GET') return undefined
    const key = keyOf(owner, name, version, file)
    if (key.length > longest.address || !this.#wasAsked(key)) return undefined
    const credential = this.#credentialIn(request.headers)
    if (credential === undefined) return undefined
    const change = this.#change()
    return (found, caller, response) => {
      if (response.status !== 200 || !found.bytes) return
      const kept = this.#find(key)
      const its = kept?.change === change ? kept : this.#keep(key, change, found, response)
      if (caller.kind === 'anonymous') {
        its.isOpen = true
        return
      }
      const known = this.#known(caller, request, peer)
      if (known && (its.callers.has(credential) || its.callers.size < mostCallers)) its.callers.set(credential, known)
    }
  }

  #keep(key: string, change: number, { file, bytes }: ReadableFile, response: Response): Kept {
    const init = { headers: new Headers(response.headers) }
    const kept: Kept = { change, file, bytes: bytes as Blob, init, isOpen: false, callers: new Map() }
    if (this.#young.size >= most.answers / 2 || this.#youngBytes >= most.bytes / 2) {
      this.#old = this.#young
      this.#young = new Map()
      this.#youngBytes = 0
    }
    this.#youngBytes += file.size - (this.#young.get(key)?.file.size ?? 0)
    this.#young.set(key, kept)
    return kept
  }

  #find(key: string): Kept | undefined {
    return this.#young.get(key) ?? this.#old.get(key)
  }

  #wasAsked(key: string): boolean {
    if (this.#asked.has(key)) return true
    if (this.#asked.size >= most.answers) this.#asked.clear()
    this.#asked.add(key)
    return false
  }

  /** Empty where there is none; undefined where the answer depends on more than address and credential. */
  #credentialIn(headers: Headers): string | undefined {
    for (const name of this.#unusual) if (headers.has(name)) return undefined
    const sent = headers.get('authorization')
    return sent ? new Bun.CryptoHasher('sha256', this.#secret).update(sent).digest('base64') : ''
  }

  /** Undefined where the credential is good for one request alone. */
  #known({ credential }: Publisher, request: Request, peer: () => string): Known | undefined {
    const until = this.#parts.registry.now() + goodFor
    if (credential.kind === 'token' || credential.kind === 'deploy-token') {
      const used = credential.kind === 'token' ? 'tokens' : 'deploy_tokens'
      const token = { used, id: credential.id } as const
      return { token, until: Math.min(until, credential.expiresAt ?? until), from: '' }
    }
    const isAlone = credential.kind === 'password' && credential.secondFactor === null
    const from = isAlone ? fromWhere(request, peer) : ''
    return isAlone && from.length <= longest.from ? { token: undefined, until, from } : undefined
  }
}

/** All that the client's address is made of. */
function fromWhere({ headers }: Request, peer: () => string): string {
  return `${peer()} ${headers.get('x-forwarded-for') ?? ''}`
}

/** A segment that holds a slash makes a text with one slash too many, and so no address of a file. */
function keyOf(owner: string, name: string, version: string, file: string): string {
  return `${owner}/${name}/${version}/${file}`
}
