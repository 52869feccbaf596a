import { expect, test } from 'bun:test'
import { readdirSync, readlinkSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { behindItsBack, onPostgres } from '../support/database.ts'
import { blobFiles } from '../support/inventory.ts'
import { ownMemory } from '../support/process-memory.ts'
import { Seeded, seededBytes, sha256Of } from '../support/seeded.ts'
import { ServerProcess, temporaryFolder } from '../support/server-process.ts'
import { adminPassword, basic } from '../support/stowage.ts'
import { until } from '../support/until.ts'

const seed = Number(process.env.FUZZ_SEED ?? 20_260_731)
const requests = Number(process.env.FUZZ_REQUESTS ?? 80_000)
const warmUp = 20_000
const connections = 16
/** Milliseconds after which a request counts as one that hangs. */
const deadline = 15_000
/** Connections to a PostgreSQL, of which there may be more or less at any time. */
const databaseConnections = onPostgres ? 20 : 0
/** MiB by which the server's own memory may have grown from the end of the warm-up to the end. */
const growth = 64

/** One thing to send, in Latin-1: each character is a byte. */
interface Shot {
  text: string
  method: string
  /** `whole`: framed as HTTP says, so an answer must come. `broken`: anything may come, but the connection must end. `cut`: hung up at once. */
  kind: 'whole' | 'broken' | 'cut'
}

const body = seededBytes(5_000, 1)
const own = `"${sha256Of(body)}"`
const known = '/api/packages/admin/generic/tool/1.0/tool.bin'
const rights = `Authorization: ${basic('admin', adminPassword)}`

const segments = [
  'api',
  'packages',
  'admin',
  'generic',
  'tool',
  '1.0',
  'tool.bin',
  'v1',
  'users',
  'tokens',
  'healthz',
  'readyz',
  '',
  '.',
  '..',
  '...',
  '%2e',
  '%2E%2e',
  '%2e.',
  '%',
  '%2',
  '%zz',
  '%u0041',
  '%00',
  '%0d%0aX-Injected:%201',
  '%0a',
  '%ff',
  '%c0%af',
  '%ed%a0%80',
  '%f4%90%80%80',
  '%2F',
  '%5c',
  '\\',
  '%25',
  '%25zz',
  '+',
  '%20',
  '%E2%84%AA',
  '\u00e9',
  '\u00ff\u00fe',
  '~',
  '-',
  '%7f',
  '%ef%bf%bd',
  '%e2%80%ae',
  'a'.repeat(255),
  'a'.repeat(256),
  '%61'.repeat(300),
  '@',
  ':',
  ';a=b',
  '*',
  '"',
  '<script>',
  '|',
  '{}',
  '^',
  '`',
  'constructor',
  '__proto__',
  'toString',
  'null',
  'undefined',
  'NaN',
  '-1',
  '1e309',
]

const targets = (random: Seeded): string => {
  const dice = random.next()
  if (dice < 0.3) return known
  if (dice < 0.4)
    return `/api/packages/admin/generic/${random.pick(segments)}/${random.pick(segments)}/${random.pick(segments)}`
  if (dice < 0.5)
    return `/api/packages/${random.pick(segments)}/generic/${random.pick(segments)}/${random.pick(segments)}`
  if (dice < 0.58)
    return `/api/v1/${random.pick(['version', 'user', 'users/admin/tokens', 'admin/users', 'users/%ff/tokens', 'users/admin/tokens/1', 'nothing'])}${random.pick(['', '?page=-1', '?limit=1e99&page=99999999999999999999', '?%', '?token=x&token=y', '/', '//', '?page=%00&limit=%ff'])}`
  if (dice < 0.9) {
    const path = Array.from({ length: random.below(14) }, () => random.pick(segments)).join(
      random.chance(0.1) ? '//' : '/',
    )
    return `/${path}${random.pick(['', '', '', '/', '?', '?a=%', '?access_token=0', '#x'])}`
  }
  return random.pick([
    '*',
    '/',
    '//',
    '///////////////',
    '',
    '?',
    'http://stowage/',
    `http://stowage${known}`,
    'https://[::1',
    'stowage:80',
    'http://',
    '/\u0001',
    `/${'a/'.repeat(500)}`,
    `/${'x'.repeat(7_000)}`,
    `/${'%41'.repeat(3_000)}`,
    `/${'y'.repeat(30_000)}`,
    `${known}?${'q'.repeat(4_000)}`,
    `/..${known}`,
    `/./${known}`,
    `${known}/..`,
    '/\t/',
    '/ /',
  ])
}

const methods = [
  'GET',
  'GET',
  'GET',
  'GET',
  'HEAD',
  'PUT',
  'PUT',
  'PUT',
  'DELETE',
  'POST',
  'PATCH',
  'OPTIONS',
  'TRACE',
  'PROPFIND',
  'MKCOL',
  'PURGE',
  'QUERY',
  'LOCK',
  'SEARCH',
  'CONNECT',
  'M-SEARCH',
]
const oddMethods = [
  'get',
  'G3T',
  'FOO',
  'G\u0000T',
  'PRI',
  'GET\t',
  '',
  ' ',
  'A'.repeat(5_000),
  'GÉT',
  '()',
  'HTTP/1.1',
  '\u0016\u0003\u0001',
]

const dates = [
  'Thu, 01 Jan 1970 00:00:00 GMT',
  'Wed, 31 Dec 9999 23:59:59 GMT',
  'Sun, 06-Nov-94 08:49:37 GMT',
  'Sun Nov  6 08:49:37 1994',
  '0',
  'never',
  'Thu, 99 Foo 2026 99:99:99 GMT',
  '',
]
const etags = [
  '*',
  '""',
  '"x"',
  'W/"x"',
  '"',
  '"a", "b',
  ',,,',
  'x',
  '"\u00ff"',
  Array(500).fill('"x"').join(', '),
  '*, *',
  'W/*',
]
const ranges = [
  'bytes=0-',
  'bytes=-1',
  'bytes=-0',
  'bytes=5-2',
  'bytes=0-0,-1',
  'bytes=99999999999999999999-',
  'bytes=0-99999999999999999999999',
  'bytes=--1',
  'bytes=a-b',
  'bytes',
  'bytes=',
  'items=0-1',
  'bytes=0-1,',
  'bytes=,0-1',
  'bytes = 0-1',
  'BYTES=0-1',
  'bytes=1-1,3-3,5-5,9-9',
  `bytes=${Array.from({ length: 17 }, (_, at) => `${at * 2}-${at * 2}`).join(',')}`,
  `bytes=${'0-,'.repeat(2_000)}0-`,
  'bytes=0-0,0-0,0-0',
  'bytes=4096-',
  'bytes=4999-5000',
  'bytes=5000-',
  'bytes=0x0-0x1',
  'bytes=1.5-2',
  'bytes=+0-1',
  'bytes=0-1;q=1',
  'bytes=\u00b2-',
]
const digests = [
  'sha-256=:AAAA:',
  'sha-256=::',
  'sha-256',
  'sha-256=:!!!:',
  'md5=:1B2M2Y8AsgTpgAmY7PhCfg==:',
  'sha-512=?1, sha-256=5',
  '((((',
  '"',
  'a'.repeat(3_000),
  'sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:',
  'unixsum=30637',
  'sha-256=:AA:;x=(1 2',
]

/** Headers that decide what of a file is sent. */
function conditional(random: Seeded): string {
  const value = random.chance(0.5) ? random.pick(dates) : random.pick([...etags, own])
  const name = random.pick([
    'Range',
    'Range',
    'Range',
    'If-Range',
    'If-None-Match',
    'If-Match',
    'If-Modified-Since',
    'If-Unmodified-Since',
  ])
  return `${name}: ${name === 'Range' ? random.pick(ranges) : value}`
}

function oddHeader(random: Seeded): string {
  const date = () => random.pick(dates)
  const etag = () => random.pick(etags)
  const digest = () => random.pick(digests)
  const choices: (() => string)[] = [
    () => `Range: ${random.pick(ranges)}`,
    () => `Range: ${random.pick(ranges)}\r\nRange: ${random.pick(ranges)}`,
    () => `If-Range: ${random.chance(0.5) ? date() : etag()}`,
    () => `If-None-Match: ${etag()}`,
    () => `If-Match: ${etag()}`,
    () => `If-Modified-Since: ${date()}`,
    () => `If-Unmodified-Since: ${date()}`,
    () =>
      `Authorization: ${random.pick(['', 'Basic', 'Basic ', 'Basic !!!!', 'Basic Og==', 'Basic YQ==', 'Basic \u00ff', 'Bearer', 'Bearer ', 'Bearer a b', 'token', 'token \u0080', `token ${'0'.repeat(40)}`, 'Digest x', 'Basic Basic', ',', `Bearer ${'a'.repeat(6_000)}`, 'token x, Basic y', `Basic ${'QUFB'.repeat(2_000)}`])}`,
    () => `X-NuGet-ApiKey: ${random.pick(['', 'x', '0'.repeat(40)])}`,
    () => `Private-Token: ${random.pick(['\u00e9', 'x'])}\r\nJob-Token: y`,
    () =>
      `Accept: ${random.pick(['application/json', 'application/problem+json;q=0.5, text/plain;q=x', '*/*;q=9', ';', ',', 'a/b/c', 'application/json;q=0', 'text/html,'.repeat(700)])}`,
    () =>
      `Content-Type: ${random.pick(['', 'multipart/form-data', 'multipart/form-data; boundary=', 'application/x-www-form-urlencoded', 'text/plain; charset=\u00ff', 'multipart/form-data; boundary="'])}`,
    () => `Content-Encoding: ${random.pick(['gzip', 'br', 'x', ''])}`,
    () => `Content-Digest: ${digest()}`,
    () => `Repr-Digest: ${digest()}`,
    () => `Content-MD5: ${random.pick(['', 'x', '1B2M2Y8AsgTpgAmY7PhCfg==', '===='])}`,
    () =>
      `X-Checksum-${random.pick(['Sha256', 'Sha1', 'Md5', 'Sha512', 'Deploy'])}: ${random.pick(['', 'true', 'zz', 'a'.repeat(64), 'A'.repeat(128), '0'])}`,
    () => `Content-Range: ${random.pick(['bytes 0-1/2', 'x', ''])}`,
    () => `X-Forwarded-For: ${random.pick(['', '::1, x', '999.1.1.1', '1.2.3.4,'.repeat(500), '[::1]:80', '\u00ff'])}`,
    () =>
      `X-Forwarded-Proto: ${random.pick(['https', 'javascript', ''])}\r\nX-Forwarded-Host: ${random.pick(['a b', ''])}`,
    () => `Cookie: ${'a=b; '.repeat(random.below(400))}`,
    () => `X-Long: ${'v'.repeat(random.pick([10, 1_000, 7_000, 15_000, 20_000, 100_000]))}`,
    () => Array.from({ length: random.pick([5, 90, 150, 300]) }, (_, at) => `X-Many-${at}: ${at}`).join('\r\n'),
    () => `X-High: \u0080\u00ff\u00e9`,
    () =>
      `Upgrade: ${random.pick(['websocket', 'h2c', 'x'])}\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\nHTTP2-Settings: x`,
    () => `Connection: ${random.pick(['keep-alive', 'x', ', ,', 'keep-alive, close'])}`,
    () => `X-HTTP-Method-Override: DELETE`,
    () => `Origin: ${random.pick(['null', 'http://\u00ff', 'x'])}\r\nAccess-Control-Request-Method: PUT`,
    () => `X-Request-Id: ${random.pick(['x', '%0d%0a', 'a'.repeat(5_000)])}`,
  ]
  return random.pick(choices)()
}

/** Lines that are not headers as RFC 9110 wants them. */
const brokenLines = [
  'no colon',
  ': no name',
  'Space : x',
  ' folded',
  '\tfolded',
  'N\u0000L: x',
  'X: \u0000',
  'X: a\rb',
  'X: a\nY: b',
  'X\u00e9: y',
  'Host: a\r\nHost: b',
  'Host:',
  'Host: a/b',
  'Host: \u0001',
  'X: y\r',
  '\u007f: x',
  'GET / HTTP/1.1',
]

const framings = [
  'Content-Length: -1',
  'Content-Length: abc',
  'Content-Length: +5',
  'Content-Length: 5, 5',
  'Content-Length: 5, 6',
  'Content-Length: 5\r\nContent-Length: 6',
  'Content-Length: 5\r\nContent-Length: 5',
  'Content-Length: 0x5',
  'Content-Length: 5.0',
  'Content-Length: 1e3',
  'Content-Length:',
  'Content-Length: 18446744073709551616',
  'Content-Length: 9223372036854775807',
  'Content-Length: 99999999999999999999999999',
  'Content-Length: 5\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding: chunked\r\nContent-Length: 0',
  'Transfer-Encoding: gzip',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: chunked, gzip',
  'Transfer-Encoding: chunked, chunked',
  'Transfer-Encoding: identity',
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding: \u000bchunked',
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding: CHUNKED',
  'Transfer-Encoding : chunked',
  'Transfer-Encoding:',
  'Transfer-Encoding: chunked',
]
const chunkedBodies = [
  'zz\r\nhello\r\n0\r\n\r\n',
  '-1\r\n\r\n0\r\n\r\n',
  'FFFFFFFFFFFFFFFFF\r\nx',
  'FFFFFFFFFFFFFFF\r\nx',
  '5\r\nhelloXX0\r\n\r\n',
  '5\nhello\n0\n\n',
  '5;ext=1;x="\r\nhello\r\n0\r\n\r\n',
  '5\r\nhello\r\n0\r\nTrailer: x\r\n\r\n',
  '5\r\nhello\r\n0\r\nbroken trailer\r\n\r\n',
  '\r\n',
  '0x5\r\nhello\r\n0\r\n\r\n',
  '5 \r\nhello\r\n0\r\n\r\n',
  '5\r\nhello\r\n',
  '5\r\nhel',
  `${'0'.repeat(3_000)}5\r\nhello\r\n0\r\n\r\n`,
  '5\r\nhello\r\n00000\r\n\r\n',
  `5;${'e'.repeat(20_000)}\r\nhello\r\n0\r\n\r\n`,
  '',
  '5',
  '1\r\na\r\n'.repeat(500),
]

function multipart(random: Seeded): { type: string; body: string } {
  const boundary = random.pick([
    'b',
    'xxxxxxxx',
    '"quoted b"',
    'b'.repeat(70),
    'b'.repeat(300),
    "'()+_,-./:=?",
    'b;x',
    '\u00ff',
  ])
  const bare = boundary.replaceAll('"', '')
  const end = random.pick(['\r\n', '\r\n', '\r\n', '\n'])
  const disposition = random.pick([
    'form-data; name="f"; filename="x"',
    'form-data; name="f"',
    'form-data',
    'form-data; filename',
    "form-data; name=f; filename*=UTF-8''%ff%zz",
    'form-data; name="f"; filename=""',
    'attachment; filename="../../x"',
    '',
    `form-data; name="${'n'.repeat(5_000)}"; filename="y"`,
    'form-data; name="f"; filename="a\u0000b"',
    'form-data; name="__proto__"; filename="x"',
  ])
  const extra = random.pick([
    '',
    '',
    `Content-Type: text/plain${end}`,
    `Content-Transfer-Encoding: base64${end}`,
    `no colon${end}`,
    `X: ${'v'.repeat(30_000)}${end}`,
    `Content-Type: multipart/mixed; boundary=${bare}${end}`,
  ])
  const part = `--${bare}${end}Content-Disposition: ${disposition}${end}${extra}${end}${random.pick(['hello', '', '\r\n--', `--${bare}`, 'x'.repeat(70_000)])}${end}`
  const parts = part.repeat(random.pick([0, 1, 1, 1, 2, 3, 120]))
  const last = random.pick([
    `--${bare}--${end}`,
    `--${bare}--${end}`,
    `--${bare}--`,
    `--${bare}${end}`,
    '',
    `--${bare}--${end}${part}`,
    '--',
  ])
  return {
    type: `multipart/form-data; boundary=${boundary}`,
    body: `${random.pick(['', '', 'preamble', end])}${parts}${last}`,
  }
}

let uploads = 0

function shot(random: Seeded): Shot {
  const dice = random.next()
  const host = random.chance(0.03)
    ? random.pick(['', 'Host:', 'Host: a/b', 'Host: \u0001', 'Host: %', 'Host: [', 'Host: a:99999', 'Host: \u00e9'])
    : random.pick(['Host: stowage', 'Host: localhost:1', 'Host: [::1]:3'])
  const version = random.chance(0.97)
    ? 'HTTP/1.1'
    : random.pick(['HTTP/1.0', 'HTTP/1.1 ', 'HTTP/2.0', 'HTTP/9.9', 'http/1.1', '', 'HTTP/1'])
  const headers = [host]
  if (random.chance(0.3)) headers.push(rights)
  // A wrong password costs what it should cost; not in every request.
  if (random.chance(0.003)) headers.push(`Authorization: ${basic('admin', `wrong-${random.below(3)}`)}`)
  for (let count = random.below(4); count > 0; count -= 1) headers.push(oddHeader(random))
  const head = (method: string, target: string, lines: string[]) =>
    [`${method} ${target} ${version}`, ...lines.filter((line) => line !== ''), '', ''].join('\r\n')

  if (dice < 0.1) {
    const { type, body } = multipart(random)
    uploads += 1
    const target = `/api/packages/admin/generic/forms/${uploads}/f`
    const lines = ['Host: stowage', rights, `Content-Type: ${type}`]
    if (random.chance(0.3)) lines.push(oddHeader(random))
    return {
      kind: 'whole',
      method: 'PUT',
      text: head('PUT', target, [...lines, `Content-Length: ${body.length}`]) + body,
    }
  }
  if (dice < 0.18) {
    uploads += 1
    const body = 'u'.repeat(random.pick([0, 1, 100, 70_000]))
    const chunked = random.chance(0.5)
    const framing = chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`
    const sent = chunked ? `${body ? `${body.length.toString(16)}\r\n${body}\r\n` : ''}0\r\n\r\n` : body
    const expect100 = random.chance(0.2) ? [`Expect: ${random.pick(['100-continue', '100-Continue', 'x', ''])}`] : []
    const lines = ['Host: stowage', rights, ...expect100, ...(random.chance(0.5) ? [oddHeader(random)] : []), framing]
    return {
      kind: 'whole',
      method: 'PUT',
      text: head('PUT', `/api/packages/admin/generic/plain/${uploads}/f`, lines) + sent,
    }
  }
  if (dice < 0.28) {
    uploads += 1
    const target = `/api/packages/admin/generic/cut/${uploads}/f`
    const framing = random.pick(['Content-Length: 100000', 'Transfer-Encoding: chunked', 'Content-Length: 40'])
    const body = framing.startsWith('T') ? `fff\r\n${'c'.repeat(random.below(4_000))}` : 'c'.repeat(random.below(40))
    const text = head('PUT', target, ['Host: stowage', rights, framing]) + body
    const kind = random.chance(0.5) ? 'cut' : 'broken'
    return { kind, method: 'PUT', text: random.chance(0.3) ? text.slice(0, random.below(text.length)) : text }
  }
  if (dice < 0.4) {
    const method = random.chance(0.85) ? 'GET' : 'HEAD'
    const file = random.chance(0.05) ? `${known}.big` : known
    const lines = Array.from({ length: 1 + random.below(3) }, () => conditional(random))
    return { kind: 'whole', method, text: head(method, file, [host, ...lines]) }
  }
  if (dice < 0.44) {
    // Hung up while the answer is on its way.
    return {
      kind: 'cut',
      method: 'GET',
      text: head('GET', random.chance(0.5) ? `${known}.big` : known, [host, oddHeader(random)]),
    }
  }
  if (dice < 0.54) {
    const method = random.chance(0.5) ? random.pick(oddMethods) : random.pick(methods)
    const lines = [...headers, ...(random.chance(0.7) ? [random.pick(brokenLines)] : [])]
    if (random.chance(0.6)) lines.push(random.pick(framings))
    const body = random.chance(0.6) ? random.pick(chunkedBodies) : 'x'.repeat(random.below(50))
    const text = head(method, targets(random), lines) + body
    return { kind: 'broken', method, text: random.chance(0.1) ? text.replaceAll('\r\n', '\n') : text }
  }
  const method = random.pick(methods)
  const body =
    random.chance(0.2) || method === 'PUT' || method === 'POST'
      ? random.pick([
          '',
          '{}',
          '[',
          '{"username":1}',
          '{"name":"x","scopes":["all"]}',
          '\u00ff\u00fe',
          'x'.repeat(300_000),
          '['.repeat(20_000),
          '{"__proto__":{}}',
          'null',
        ])
      : undefined
  const lines = body === undefined ? headers : [...headers, `Content-Length: ${body.length}`]
  return { kind: 'whole', method, text: head(method, targets(random), lines) + (body ?? '') }
}

/** Reads answers off one connection, one after the other. */
class Connection {
  readonly socket: Socket
  /** What went over it before, to be told with a failure. */
  readonly sent: string[] = []
  #bytes: Buffer = Buffer.alloc(0)
  ended = false
  #changed: () => void = () => undefined

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const changed = () => this.#changed()
    this.socket.on('data', (chunk: Buffer) => {
      this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk])
      changed()
    })
    this.socket.on('error', () => undefined)
    this.socket.on('close', () => {
      this.ended = true
      changed()
    })
  }

  get received(): Buffer {
    return this.#bytes
  }

  /** Waits for the next bytes or the end; false when the deadline comes first. */
  change(within: number): Promise<boolean> {
    if (this.ended) return Promise.resolve(true)
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), within)
      this.#changed = () => {
        clearTimeout(timer)
        resolve(true)
      }
    })
  }

  /** The next whole answer, taken off; undefined when the connection ends before it is whole. */
  async answer(method: string, within: number): Promise<{ status: number; head: string; body: Buffer } | undefined> {
    for (;;) {
      const taken = this.#take(method)
      if (taken) return taken
      if (this.ended) return undefined
      if (await this.change(within)) continue
      const got = this.#bytes.toString('latin1', 0, 300)
      throw new Error(
        `no whole answer came in time, but ${JSON.stringify(got)} after ${JSON.stringify(this.sent.slice(-4))}`,
      )
    }
  }

  #take(method: string): { status: number; head: string; body: Buffer } | undefined {
    const end = this.#bytes.indexOf('\r\n\r\n')
    if (end < 0) return undefined
    const head = this.#bytes.subarray(0, end).toString('latin1')
    const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1] ?? Number.NaN)
    const start = end + 4
    if (status < 200) {
      this.#bytes = this.#bytes.subarray(start)
      return status === 101 ? { status, head, body: Buffer.alloc(0) } : this.#take(method)
    }
    if (method === 'HEAD' || status === 204 || status === 304) return this.#cut(status, head, start, start)
    if (/^transfer-encoding: *chunked/im.test(head)) {
      const last = this.#bytes.indexOf('0\r\n\r\n', start)
      return last < 0 ? undefined : this.#cut(status, head, start, last + 5)
    }
    const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0)
    return this.#bytes.length < start + length ? undefined : this.#cut(status, head, start, start + length)
  }

  #cut(status: number, head: string, start: number, end: number) {
    const body = this.#bytes.subarray(start, end)
    this.#bytes = this.#bytes.subarray(end)
    return { status, head, body }
  }
}

class Gunner {
  readonly statuses = new Map<string, number>()
  readonly #server: ServerProcess
  /** What was sent last on each connection, for when the server dies of it. */
  readonly #last = new Map<number, string>()

  constructor(server: ServerProcess) {
    this.#server = server
  }

  /** Fires that many shots over some connections at once; every failure names the request. */
  async fire(count: number, random: Seeded): Promise<void> {
    let left = count
    const gun = async (own: Seeded, number: number) => {
      let connection: Connection | undefined
      while (left > 0) {
        left -= 1
        const next = shot(own)
        this.#last.set(number, next.text.slice(0, 400))
        try {
          connection = await this.#send(next, connection)
          if (this.#server.child.exitCode !== null || this.#server.child.signalCode !== null) await this.#died()
        } catch (error) {
          const shown = JSON.stringify(next.text.length > 2_000 ? `${next.text.slice(0, 2_000)}…` : next.text)
          throw new Error(`${error instanceof Error ? error.message : error}; seed ${seed}, ${next.kind}: ${shown}`)
        }
      }
      connection?.socket.destroy()
    }
    await Promise.all(
      Array.from({ length: connections }, (_, number) => gun(new Seeded(random.below(2 ** 31)), number)),
    )
  }

  async #died(): Promise<never> {
    const { child } = this.#server
    await this.#server.ended()
    const last = [...this.#last.values()].map((text) => JSON.stringify(text)).join('\n')
    throw new Error(
      `the server ended with ${child.exitCode ?? child.signalCode}: ${this.#server.errors}\nafter:\n${last}`,
    )
  }

  async #send({ kind, method, text }: Shot, open: Connection | undefined): Promise<Connection | undefined> {
    const bytes = Buffer.from(text, 'latin1')
    if (kind === 'whole') {
      const connection = open && !open.ended ? open : new Connection(this.#server.port)
      connection.socket.write(bytes)
      connection.sent.push(text.slice(0, 300))
      const answer = await connection.answer(method, deadline)
      // An idle connection may be closed as the next request goes out: that one has to be sent again.
      if (!answer && connection === open) return this.#send({ kind, method, text }, undefined)
      if (!answer) {
        this.#count('whole', 'closed')
        if (method === 'CONNECT') return undefined
        throw new Error(`closed without an answer, after ${JSON.stringify(connection.sent.slice(-4))}`)
      }
      this.#judge('whole', answer.status, answer.head, answer.body)
      const stays =
        !/^connection: *close/im.test(answer.head) && connection.received.length === 0 && answer.status !== 101
      // After a CONNECT the parser takes everything for the tunnel's, whatever the answer was.
      if (stays && method !== 'CONNECT' && answer.status !== 400 && answer.status < 413) return connection
      connection.socket.destroy()
      return undefined
    }

    const connection = new Connection(this.#server.port)
    connection.socket.write(bytes)
    if (kind === 'cut') {
      await new Promise((resolve) =>
        connection.socket.once('drain', resolve).once('connect', resolve).once('close', resolve),
      )
      connection.socket.destroy()
      this.#count('cut', 'sent')
      return open
    }
    // What is no whole request may get no answer; then it ends when this side has nothing more to say.
    await connection.change(40)
    connection.socket.end()
    const until = performance.now() + deadline
    while (!connection.ended) {
      if (performance.now() > until) throw new Error('the connection did not end')
      await connection.change(deadline)
    }
    const received = connection.received.toString('latin1')
    const answers = [...received.matchAll(/^HTTP\/1\.[01] (\d{3})/gm)]
    if (answers.length === 0) this.#count('broken', 'closed')
    for (const [, status] of answers) this.#judge('broken', Number(status), received, Buffer.from(received))
    return open
  }

  #judge(kind: string, status: number, head: string, body: Buffer): void {
    this.#count(kind, String(status))
    // RFC 9110 §15.6.6: what the HTTP parser itself says to a version that it does not speak, before any code of ours.
    if (status === 505 && head.includes('HTTP/1.1 505 HTTP Version Not Supported\r\nConnection: close')) return
    if (!(status >= 200 && status < 500)) throw new Error(`answered ${status}: ${head.slice(0, 500)}`)
    if (/^x-injected:/im.test(head)) throw new Error(`a header was injected: ${head.slice(0, 500)}`)
    if (status >= 400 && /\.ts:\d|node_modules|SQLITE|Error:|\n {4}at /.test(body.toString('latin1'))) {
      throw new Error(`an answer tells of the inside: ${body.toString().slice(0, 500)}`)
    }
  }

  #count(kind: string, what: string): void {
    this.statuses.set(`${kind} ${what}`, (this.statuses.get(`${kind} ${what}`) ?? 0) + 1)
  }
}

/** What a process has open, but for the folders of the blob store, of which some stay open on purpose. */
function openHandles(pid: number): string[] {
  const handles = readdirSync(`/proc/${pid}/fd`).map((number) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${number}`)
    } catch {
      return ''
    }
  })
  return handles.filter((target) => target !== '' && !/\/blobs(\/[0-9a-z]+){0,2}$/.test(target)).sort()
}

test(`${requests} odd requests: no 5xx, nothing hangs, nothing leaks`, async () => {
  console.log(`fuzz: seed ${seed}`)
  await using folder = await temporaryFolder()
  await using server = await ServerProcess.start(folder.path, {
    STOWAGE_BLOB_GRACE: '0',
    // The test's PostgreSQL does not wait for its disk, which is worth a warning and not meant here.
    STOWAGE_LOG_LEVEL: onPostgres ? 'error' : 'warn',
  })
  const admin = server.admin.with({ Authorization: basic('admin', adminPassword), Connection: 'close' })
  const prepare = async (): Promise<void> => {
    // The fuzz may have deleted it.
    await admin.put({}, body)
    await admin.put({ file: 'tool.bin.big' }, seededBytes(4_000_000, 2))
  }
  await prepare()
  const { pid } = server.child
  const random = new Seeded(seed)
  const gunner = new Gunner(server)
  await gunner.fire(warmUp, random)
  await prepare()
  const memories = [ownMemory(pid)]
  const handles = openHandles(pid).length + databaseConnections
  for (let fired = warmUp; fired < requests; fired += 20_000) {
    await gunner.fire(20_000, random)
    await prepare()
    memories.push(ownMemory(pid))
  }

  console.log(`fuzz: ${JSON.stringify(Object.fromEntries([...gunner.statuses].sort()))}`)
  const [memory = 0] = memories
  const shown = memories.map((size) => size.toFixed(0)).join(', ')
  console.log(`fuzz: memory ${shown} MiB, handles ${handles} → ${openHandles(pid).length}`)
  expect(ownMemory(pid) - memory).toBeLessThan(growth)

  await until(() => openHandles(pid).length <= handles, 'all handles are closed', 20_000).catch((error) => {
    throw new Error(`${error}, not ${handles}: ${openHandles(pid).join(', ')}`)
  })

  expect((await admin.put({ file: 'after' }, 'after')).status).toBe(201)
  expect(await (await admin.get({ file: 'after' })).text()).toBe('after')
  expect((await fetch(`${server.url}/readyz`)).status).toBe(200)

  // An upload that was cut off stored nothing; and what is stored is all that lies on the disk.
  const cut = "select versions.id from versions join packages on packages.id = package_id where packages.name = 'cut'"
  expect(await behindItsBack(folder.path, cut)).toEqual([])
  const named = 'select location from blobs union all select location from doomed'
  await until(
    async () => (await blobFiles(folder.path)).size === (await behindItsBack(folder.path, named)).length,
    'what was staged and not published is gone',
  )
  expect(await server.stop()).toBe(0)
  // Odd credentials are refused, and that is noted.
  expect(server.errors.replace(/^.*Refused a sign-in from 127\.0\.0\.1.*\n/gm, '')).toBe('')
}, 900_000)
