import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { SMTPServer } from 'smtp-server'

/** A certificate for localhost and 127.0.0.1 that vouches for itself, and its key: PEM texts. */
export const certificate = readFileSync(join(import.meta.dir, 'tls/cert.pem'), 'utf8')
const key = readFileSync(join(import.meta.dir, 'tls/key.pem'), 'utf8')

export interface ReceivedMail {
  /** Of the envelope: where it came from, and whom it was for. */
  from: string
  to: string[]
  /** Decoded; names in lower case. */
  headers: Map<string, string>
  subject: string
  text: string
  /** Whether it came over TLS, and who had signed in. */
  encrypted: boolean
  user: string | undefined
}

export interface MailServerOptions {
  /** Who may send; undefined: anybody. */
  login?: { user: string; password: string }
  /** `always`: from the start. `offered`: by STARTTLS. */
  tls?: 'always' | 'offered' | 'none'
}

/** A real mail server on a free port of this machine, which keeps what it gets. */
export class MailServer {
  readonly mails: ReceivedMail[] = []
  readonly #server: SMTPServer
  readonly #scheme: string
  readonly #refused = new Map<string, string>()
  readonly #waiting = new Set<() => void>()

  constructor({ login, tls = 'none' }: MailServerOptions) {
    this.#scheme = tls === 'always' ? 'smtps' : 'smtp'
    this.#server = new SMTPServer({
      secure: tls === 'always',
      cert: certificate,
      key,
      disableReverseLookup: true,
      authOptional: !login,
      allowInsecureAuth: true,
      disabledCommands: [...(login ? [] : ['AUTH']), ...(tls === 'offered' ? [] : ['STARTTLS'])],
      closeTimeout: 1,
      onAuth: ({ username, password }, _, done) => {
        const isRight = username === login?.user && password === login?.password
        // As some servers do: what was wrong is said in full.
        if (isRight) done(null, { user: username })
        else done(new Error(`535 ${username} is not ${password}`))
      },
      onRcptTo: ({ address }, _, done) => {
        const reply = this.#refused.get(address)
        done(reply === undefined ? null : Object.assign(new Error(reply), { responseCode: 550 }))
      },
      onData: async (stream, session, done) => {
        const chunks: Buffer[] = []
        for await (const chunk of stream) chunks.push(chunk)
        const { mailFrom, rcptTo } = session.envelope
        const { headers, text } = parseMail(Buffer.concat(chunks).toString('utf8'))
        this.mails.push({
          from: mailFrom ? mailFrom.address : '',
          to: rcptTo.map(({ address }) => address),
          headers,
          subject: headers.get('subject') ?? '',
          text,
          encrypted: session.secure,
          user: session.user,
        })
        done(null)
        for (const look of this.#waiting) look()
      },
    })
    // A client that hangs up is no failure of a test.
    this.#server.on('error', () => undefined)
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return this
  }

  get port(): number {
    return (this.#server.server.address() as AddressInfo).port
  }

  /** Without credentials. */
  get url(): string {
    return this.urlOf('')
  }

  /** With what stands before the host, such as `user:password@`. */
  urlOf(userinfo: string, host = '127.0.0.1'): string {
    return `${this.#scheme}://${userinfo}${host}:${this.port}`
  }

  /** The first `count` mails, once they are there. */
  async received(count: number, deadline = 10_000): Promise<ReceivedMail[]> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const look = () => this.mails.length >= count && resolve()
    const timer = setTimeout(() => reject(new Error(`${this.mails.length} of ${count} mails arrived`)), deadline)
    this.#waiting.add(look)
    look()
    await promise.finally(() => {
      clearTimeout(timer)
      this.#waiting.delete(look)
    })
    return this.mails.slice(0, count)
  }

  /** Takes no mail for that address. */
  refuse(address: string, reply = 'No such mailbox'): void {
    this.#refused.set(address, reply)
  }

  /** Takes it again. */
  accept(address: string): void {
    this.#refused.delete(address)
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}

export function startMailServer(options: MailServerOptions = {}): Promise<MailServer> {
  return new MailServer(options).listen()
}

/** A mail of one part (RFC 5322, RFC 2045). */
function parseMail(raw: string): { headers: Map<string, string>; text: string } {
  const end = raw.indexOf('\r\n\r\n')
  const headers = new Map<string, string>()
  for (const line of raw
    .slice(0, end)
    .replaceAll(/\r\n(?=[ \t])/g, '')
    .split('\r\n')) {
    const [name = '', ...value] = line.split(':')
    headers.set(name.toLowerCase(), decodeWords(value.join(':').trim()))
  }
  const body = raw.slice(end + 4)
  return {
    headers,
    text: decodeBody(body, headers.get('content-transfer-encoding')).replaceAll('\r\n', '\n').trimEnd(),
  }
}

/** `=?UTF-8?Q?…?=` (RFC 2047); spaces between two such words belong to neither, and a letter may be cut in two. */
function decodeWords(text: string): string {
  return text.replaceAll(/=\?utf-8\?([bq])\?[^?]*\?=(\s+=\?utf-8\?\1\?[^?]*\?=)*/gi, (words, encoding: string) => {
    const parts = [...words.matchAll(/=\?utf-8\?[bq]\?([^?]*)\?=/gi)].map(([, part = '']) =>
      encoding.toLowerCase() === 'b' ? Buffer.from(part, 'base64') : quoted(part.replaceAll('_', ' ')),
    )
    return Buffer.concat(parts).toString('utf8')
  })
}

function decodeBody(body: string, encoding = '7bit'): string {
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString('utf8')
  if (encoding === 'quoted-printable') return quoted(body.replaceAll(/=\r\n/g, '')).toString('utf8')
  return body
}

/** Quoted-printable, which is ASCII. */
function quoted(text: string): Buffer {
  const latin = text.replaceAll(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(latin, 'latin1')
}
