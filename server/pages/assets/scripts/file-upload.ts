import { bytes } from '../../words.ts'
import type { ChosenFile } from './chosen-files.ts'
import { type FileDigest, type FileDigests, Unreadable } from './file-digests.ts'
import { pauseBefore } from './pace.ts'
import { ConnectionLost, type FileAddress, Refused, type UploadTransport } from './upload-transport.ts'

export type UploadState =
  /** Waits for the button. */
  | { kind: 'ready' }
  /** It cannot have its name; `offered` is one that it could. */
  | { kind: 'naming'; why: string; offered: string }
  | { kind: 'queued' }
  | { kind: 'asking' }
  | { kind: 'sending' }
  /** All is sent or there already: the digest is not known yet. */
  | { kind: 'comparing' }
  /** The next try is at `until`, milliseconds. */
  | { kind: 'waiting'; why: string; until: number; tries: number }
  /** Until the person has signed in again. */
  | { kind: 'paused'; why: string }
  | { kind: 'done'; isOld: boolean; sha256: string }
  | { kind: 'failed'; why: string; canRetry: boolean; digests?: { stored: string; own: string } }
  | { kind: 'cancelled' }

/** Tries of one file, one after the other, before a person is asked. */
export const mostTries = 8

export interface UploadParts {
  transport: UploadTransport
  digests: FileDigests
  /** Bytes; undefined where there is no limit. */
  largest: number | undefined
  /** Something about the upload is new. */
  changed: (upload: FileUpload) => void
  /** So many bytes have left. */
  sent: (bytes: number) => void
}

/** One file on its way, from its choice to the server's word for it. */
export class FileUpload {
  readonly file: File
  readonly path: string
  /** What it is published as. */
  name: string
  state: UploadState = { kind: 'ready' }
  /** Bytes that have left in this try. */
  sent = 0
  /** Where it stands once it is there. */
  page: string | undefined
  readonly #parts: UploadParts
  #digest: FileDigest | undefined
  #abort: AbortController | undefined
  /** Ends a wait. */
  #wake: (() => void) | undefined

  constructor(parts: UploadParts, { file, path }: ChosenFile) {
    this.#parts = parts
    this.file = file
    this.path = path
    this.name = file.name
    if (this.#isTooLarge()) this.state = { kind: 'failed', why: this.#tooLarge(), canRetry: false }
  }

  /** Whether it is on its way, or about to be. */
  get isActive(): boolean {
    return ['queued', 'asking', 'sending', 'comparing', 'waiting', 'paused'].includes(this.state.kind)
  }

  /** Whether it still counts among what is to be sent, or was. */
  get counts(): boolean {
    return this.isActive || this.state.kind === 'done'
  }

  /** Bytes of it that are done with, for the bars. */
  get progress(): number {
    if (this.state.kind === 'done') return this.file.size
    // Nothing is sent where the same may be there already: then it is the reading that takes time.
    if (this.state.kind === 'comparing' && this.sent === 0) return this.#digest?.read() ?? 0
    return this.sent
  }

  set(state: UploadState): void {
    this.state = state
    this.#parts.changed(this)
  }

  /** Sends it, and tries again where trying helps. Resolves when there is nothing left to do without the person. */
  async run(address: Omit<FileAddress, 'file'>): Promise<void> {
    const abort = new AbortController()
    this.#abort = abort
    for (let tries = 1; ; tries++) {
      try {
        await this.#attempt({ ...address, file: this.name }, abort.signal)
        return
      } catch (error) {
        if (abort.signal.aborted) return
        if (await this.#isToTryAgain(error, tries)) {
          // Whoever had to sign in again has not failed to.
          if (isSignIn(error)) tries = 0
          continue
        }
        return
      }
    }
  }

  cancel(): void {
    this.#abort?.abort()
    this.#digest?.forget()
    this.#digest = undefined
    this.sent = 0
    this.set({ kind: 'cancelled' })
    this.#wake?.()
  }

  /** Goes on at once, where it waits. */
  goOn(): void {
    this.#wake?.()
  }

  async #attempt(address: FileAddress, signal: AbortSignal): Promise<void> {
    this.sent = 0
    this.set({ kind: 'asking' })
    try {
      const open = await this.#parts.transport.open(this.file, address, signal)
      // Beside the sending: most of the time nobody waits for it.
      this.#digest ??= this.#parts.digests.of(this.file)
      this.sent = open.offset
      this.set({ kind: 'sending' })
      await open.send((count) => this.#tell(count), signal)
      this.set({ kind: 'comparing' })
      const { sha256, page } = await open.finish(signal)
      await this.#compare(sha256, page)
    } catch (error) {
      if (!isTaken(error)) throw error
      this.sent = 0
      await this.#compareWithStored(error)
    }
  }

  #tell(count: number): void {
    this.#parts.sent(Math.max(0, count - this.sent))
    this.sent = count
    this.#parts.changed(this)
  }

  async #compare(sha256: string, page: string): Promise<void> {
    const own = await this.#ownDigest()
    if (this.state.kind === 'cancelled') return
    this.page = page
    if (own === sha256) return this.set({ kind: 'done', isOld: false, sha256 })
    const why =
      'The server has stored other bytes than this file has here. Delete the file there, and publish it again; if it happens once more, tell who runs this site.'
    this.set({ kind: 'failed', why, canRetry: false, digests: { stored: sha256, own } })
  }

  /** What is there already may be the very same. */
  async #compareWithStored({ facts }: Refused): Promise<void> {
    const stored = typeof facts.sha256 === 'string' ? facts.sha256 : ''
    this.set({ kind: 'comparing' })
    const own = await this.#ownDigest()
    if (this.state.kind === 'cancelled') return
    if (own === stored) {
      this.page = typeof facts.page === 'string' ? facts.page : undefined
      return this.set({ kind: 'done', isOld: true, sha256: stored })
    }
    const why =
      'Another content is stored under this name. A published file never changes: choose another version or name.'
    this.set({ kind: 'failed', why, canRetry: true, ...(stored ? { digests: { stored, own } } : {}) })
  }

  #ownDigest(): Promise<string> {
    this.#digest ??= this.#parts.digests.of(this.file)
    return this.#digest.sha256
  }

  /** Decides about a failure; where it says yes, it has waited. */
  async #isToTryAgain(error: unknown, tries: number): Promise<boolean> {
    this.sent = 0
    if (error instanceof Unreadable || !(await isReadable(this.file))) {
      this.#digest?.forget()
      this.#digest = undefined
      return this.#fail(
        'The file cannot be read any more: it was changed, moved or deleted here. Choose it again.',
        false,
      )
    }
    if (isSignIn(error)) {
      this.set({ kind: 'paused', why: 'Your session has ended.' })
      return this.#waited()
    }
    const isLost = error instanceof ConnectionLost
    const isBusy = error instanceof Refused && (error.status >= 500 || error.status === 429)
    if (!isLost && !isBusy) return this.#fail(this.#whyRefused(error), true)
    const why = isLost ? 'The connection was lost.' : busyText(error)
    if (tries >= mostTries) return this.#fail(`${why} It was tried ${tries} times.`, true)
    const pause = pauseBefore(tries, isBusy ? error.retryAfter : undefined)
    this.set({ kind: 'waiting', why, until: Date.now() + pause, tries })
    return this.#waited(pause)
  }

  #fail(why: string, canRetry: boolean): false {
    this.set({ kind: 'failed', why, canRetry })
    return false
  }

  /** False where it was cancelled meanwhile. */
  async #waited(milliseconds?: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = milliseconds === undefined ? undefined : setTimeout(resolve, milliseconds)
    this.#wake = resolve
    await promise
    clearTimeout(timer)
    this.#wake = undefined
    return this.state.kind !== 'cancelled'
  }

  #whyRefused(error: unknown): string {
    if (!(error instanceof Refused)) return 'Something went wrong on this page. Try again.'
    if (error.code === 'too-large') return this.#isTooLarge() ? this.#tooLarge() : error.message
    if (error.code === 'forbidden') return `${error.message} Nothing of this file was stored.`
    if (error.code === 'not-found') return 'You cannot see this owner any more. Nothing of this file was stored.'
    return error.message
  }

  #isTooLarge(): boolean {
    const { largest } = this.#parts
    return largest !== undefined && this.file.size > largest
  }

  #tooLarge(): string {
    return `This file has ${bytes(this.file.size)}; at most ${bytes(this.#parts.largest ?? 0)} can be published here.`
  }
}

function isTaken(error: unknown): error is Refused {
  return error instanceof Refused && error.code === 'already-exists'
}

function isSignIn(error: unknown): boolean {
  return error instanceof Refused && (error.status === 401 || error.code === 'sign-in')
}

function busyText({ code }: Refused): string {
  if (code === 'storage-full') return 'The server is full: tell who runs this site.'
  return 'The server cannot take it at the moment.'
}

/** A file that was changed since it was chosen cannot be read, and its sending looks like a lost connection. */
async function isReadable(file: File): Promise<boolean> {
  try {
    await file.slice(0, 1).arrayBuffer()
    return true
  } catch {
    return false
  }
}
