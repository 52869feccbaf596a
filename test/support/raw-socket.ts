import { connect } from 'node:net'

/** An answer as its bytes came. */
export interface RawAnswer {
  status: number
  /** Names in lower case. */
  headers: Record<string, string>
  body: Buffer
}

/** Sends bytes to a port of this machine as they are, and reads until the server closes. */
export function sendRaw(port: number, bytes: string | Buffer, timeout = 10_000): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer<ArrayBuffer>[] = []
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    socket.setTimeout(timeout, () => socket.destroy(new Error('the server neither answered nor closed')))
    socket.on('data', (chunk: Buffer<ArrayBuffer>) => chunks.push(chunk))
    socket.on('error', reject)
    socket.on('close', () => resolve(Buffer.concat(chunks)))
  })
}

/** One request for exactly this target, over a connection of its own. Latin-1: each character is a byte. */
export async function rawRequest(
  port: number,
  method: string,
  target: string,
  headers: Record<string, string> = {},
  body = '',
): Promise<RawAnswer> {
  const lines = Object.entries({ Host: 'stowage', Connection: 'close', ...headers }).map(
    ([name, value]) => `${name}: ${value}`,
  )
  const length = body || method === 'PUT' ? [`Content-Length: ${Buffer.byteLength(body, 'latin1')}`] : []
  const head = [`${method} ${target} HTTP/1.1`, ...lines, ...length, '', ''].join('\r\n')
  return parseAnswer(await sendRaw(port, Buffer.from(head + body, 'latin1')))
}

export function parseAnswer(bytes: Buffer): RawAnswer {
  const end = bytes.indexOf('\r\n\r\n')
  const [statusLine = '', ...lines] = bytes
    .subarray(0, end < 0 ? bytes.length : end)
    .toString('latin1')
    .split('\r\n')
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  )
  return {
    status: Number(statusLine.split(' ')[1] ?? 0),
    headers,
    body: end < 0 ? Buffer.alloc(0) : bytes.subarray(end + 4),
  }
}
