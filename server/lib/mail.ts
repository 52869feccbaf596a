import { isIP } from 'node:net'

/** One mail in plain text, to one address. */
export interface Mail {
  to: string
  subject: string
  text: string
}

export interface Mailer {
  /** Resolves once the server has taken the mail; throws a `MailError` where it did not. */
  send(mail: Mail, signal?: AbortSignal): Promise<void>
  /** Breaks off what is being sent. */
  close(): void
}

/** Milliseconds. */
export interface MailTimeouts {
  connection: number
  greeting: number
  /** Without a word from the server. */
  socket: number
}

const usualTimeouts: MailTimeouts = { connection: 10_000, greeting: 10_000, socket: 30_000 }

export interface MailerOptions {
  /** `smtps://user:password@host:port`, port 465 if none is named; or `smtp://…`, port 587. What stands behind that is not read. */
  url: string
  /** An address, or `Name <address>`. */
  from: string
  timeouts?: MailTimeouts
  /** PEM text of a certificate that is trusted in the place of the usual ones. */
  ca?: string
}

/** A mail that was not taken. Neither its text nor its fields hold what the server is given as a password. */
export class MailError extends Error {
  /** The server's reply code: with 5xx (RFC 5321 §4.2.1) the same mail would be refused again. Undefined: it gave none. */
  readonly reply: number | undefined

  constructor(message: string, reply?: number) {
    super(message)
    this.name = 'MailError'
    this.reply = reply
  }
}

/** A mail server, spoken to anew for each mail: they are few, and servers soon hang up on whoever is silent. */
export function openMailer({ url, from, timeouts = usualTimeouts, ca }: MailerOptions): Mailer {
  const server = readUrl(url)
  const options = {
    ...server.options,
    ...protection(server, ca),
    connectionTimeout: timeouts.connection,
    dnsTimeout: timeouts.connection,
    greetingTimeout: timeouts.greeting,
    socketTimeout: timeouts.socket,
    // A mail's fields must not name files or addresses whose content would then be sent.
    disableFileAccess: true,
    disableUrlAccess: true,
  }
  const closing = new AbortController()

  return {
    send: async ({ to, subject, text }, signal) => {
      const signals = signal ? [closing.signal, signal] : [closing.signal]
      try {
        // Loaded for the first mail: most servers send none.
        const { createTransport } = await import('nodemailer')
        await createTransport(options).sendMail({
          from,
          // Not as a text, which may hold a list.
          to: { name: '', address: oneAddress(to) },
          subject: oneLine(subject),
          text,
          // So that nobody's holiday notice answers (RFC 3834 §5).
          headers: { 'Auto-Submitted': 'auto-generated' },
          xMailer: false,
          signal: AbortSignal.any(signals),
        })
      } catch (error) {
        throw error instanceof MailError ? error : mailError(error, server)
      }
    },
    close: () => closing.abort(),
  }
}

interface MailServer {
  options: { host: string; secure: boolean; port?: number; auth?: { user: string; pass: string } }
  isLoopback: boolean
}

function readUrl(text: string): MailServer {
  const url = URL.parse(text)
  if (!url || !/^smtps?:$/.test(url.protocol) || !url.hostname)
    throw new MailError('The address of a mail server is none.')
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const user = decoded(url.username)
  return {
    isLoopback: isLoopback(host),
    options: {
      host,
      secure: url.protocol === 'smtps:',
      ...(url.port ? { port: Number(url.port) } : {}),
      ...(user ? { auth: { user, pass: decoded(url.password) } } : {}),
    },
  }
}

/**
 * `smtps` is encrypted from the start. `smtp` is encrypted where the server offers it (STARTTLS), as mail servers do among
 * themselves, and must be where credentials would pass a network. Certificates are verified where encryption is demanded;
 * where plain text would do, one that nobody vouches for does as well, such as that of a relay on the same machine.
 */
function protection({ options, isLoopback }: MailServer, ca: string | undefined) {
  const requireTLS = !options.secure && options.auth !== undefined && !isLoopback
  return { requireTLS, tls: { rejectUnauthorized: options.secure || requireTLS, ...(ca === undefined ? {} : { ca }) } }
}

function isLoopback(host: string): boolean {
  return /^(.+\.)?localhost$/i.test(host) || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

/** A password may hold a `%` that escapes nothing. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Refuses what could be a list, or begin another header or command. */
function oneAddress(text: string): string {
  if (/^[^\s@,;:<>"()[\]\\\p{Cc}\p{Cf}]+@[^\s@,;:<>"()\\\p{Cc}\p{Cf}]+$/u.test(text)) return text
  throw new MailError(`A mail goes to one address, and ${JSON.stringify(text)} is none.`)
}

function oneLine(subject: string): string {
  if (!/[\p{Cc}\p{Zl}\p{Zp}]/u.test(subject)) return subject
  throw new MailError(`A mail's subject is one line, and ${JSON.stringify(subject)} is more.`)
}

/** Only a sentence and the code: the library's error carries the whole dialogue, in which servers repeat what they were sent. */
function mailError(error: unknown, { options }: MailServer): MailError {
  const { message = String(error), responseCode } = error as { message?: string; responseCode?: number }
  const sentence = `The mail server ${options.host} did not take a mail: ${message}`
  return new MailError(withoutPassword(sentence, options.auth), responseCode)
}

/** In every form in which it was sent: as it is, or as PLAIN and LOGIN write it (RFC 4616). */
function withoutPassword(text: string, auth: { user: string; pass: string } | undefined): string {
  if (!auth?.pass) return text
  const { user, pass } = auth
  const base64 = (part: string) => Buffer.from(part).toString('base64')
  const forms = [base64(`\0${user}\0${pass}`), base64(pass), encodeURIComponent(pass), pass]
  return forms.reduce((shown, form) => shown.replaceAll(form, '[secret]'), text)
}
