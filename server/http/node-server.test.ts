import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { RawConnection } from '../../test/support/raw-connection.ts'
import { sendRaw } from '../../test/support/raw-socket.ts'
import { until } from '../../test/support/until.ts'
import type { HttpServer, ServeOptions } from './http-server.ts'
import { serveByNode } from './node-server.ts'

const mebibyte = 1024 * 1024

/** A server for the length of a test. */
function serving(answer: ServeOptions['answer'], others: Partial<ServeOptions> = {}): HttpServer & Disposable {
  const failed = () => new Response('failed', { status: 500 })
  const usual = { host: '127.0.0.1', port: 0, tls: undefined, reusePort: false, idleSeconds: 255, answer, failed }
  const server = serveByNode({ ...usual, ...others })
  return Object.assign(server, { [Symbol.dispose]: () => void server.stop(true) })
}

/** So many pieces of 1 MiB, pulled one by one. */
function pieces(count: number, told: { pulled: number; isCancelled: boolean }, last?: Error): ReadableStream {
  return new ReadableStream(
    {
      pull: (controller) => {
        if (told.pulled === count) return last ? controller.error(last) : controller.close()
        told.pulled += 1
        controller.enqueue(new Uint8Array(mebibyte))
      },
      cancel: () => {
        told.isCancelled = true
      },
    },
    { highWaterMark: 0 },
  )
}

const get = (port = 0, path = '/') => fetch(`http://127.0.0.1:${port}${path}`)
const get11 = 'GET / HTTP/1.1\r\nHost: stowage\r\nConnection: close\r\n\r\n'

test('a stream has the length that its answer tells, and no chunks', async () => {
  const headers = { 'Content-Length': String(4 * mebibyte) }
  using server = serving(() => new Response(pieces(4, { pulled: 0, isCancelled: false }), { headers }))
  const answer = (await sendRaw(server.port ?? 0, get11)).toString('latin1')
  expect(answer).toContain(`\r\nContent-Length: ${4 * mebibyte}\r\n`)
  expect(answer.toLowerCase()).not.toContain('transfer-encoding')
  expect(answer.length - answer.indexOf('\r\n\r\n') - 4).toBe(4 * mebibyte)
})

test('headers are named as they usually are, and several of a name stay several', async () => {
  const headers = new Headers({ etag: '"a"', 'www-authenticate': 'Basic', 'x-checksum-sha256': 'b' })
  headers.append('Set-Cookie', 'one=1')
  headers.append('Set-Cookie', 'two=2')
  using server = serving(() => new Response('', { headers }))
  const answer = (await sendRaw(server.port ?? 0, get11)).toString('latin1')
  for (const line of [
    'ETag: "a"',
    'WWW-Authenticate: Basic',
    'X-Checksum-Sha256: b',
    'Set-Cookie: one=1',
    'Set-Cookie: two=2',
  ])
    expect(answer).toContain(`\r\n${line}\r\n`)
})

test.each([
  ['fails', new Error('gone')],
  ['ends early', undefined],
])('a stream that %s is cut off', async (_, last) => {
  const headers = { 'Content-Length': String(5 * mebibyte) }
  using server = serving(() => new Response(pieces(4, { pulled: 0, isCancelled: false }, last), { headers }))
  const answer = await get(server.port)
  expect(answer.headers.get('content-length')).toBe(String(5 * mebibyte))
  await expect(answer.bytes()).rejects.toThrow()
  await until(() => server.pendingRequests === 0, 'the request is over')
})

test('a stream that goes on is cut off before what was not told', async () => {
  const headers = { 'Content-Length': String(2 * mebibyte) }
  const told = { pulled: 0, isCancelled: false }
  using server = serving(() => new Response(pieces(9, told), { headers }))
  const answer = await sendRaw(server.port ?? 0, get11)
  expect(answer.length - answer.indexOf('\r\n\r\n') - 4).toBeLessThanOrEqual(2 * mebibyte)
  await until(() => told.isCancelled && server.pendingRequests === 0, 'the stream is ended too')
})

test('no more of a stream is read than a client takes, and none once it has left', async () => {
  const told = { pulled: 0, isCancelled: false }
  const headers = { 'Content-Length': String(1000 * mebibyte) }
  using server = serving((_, target) =>
    target === '/large' ? new Response(pieces(1000, told), { headers }) : new Response('small'),
  )
  const leaves = new AbortController()
  const large = await fetch(`http://127.0.0.1:${server.port}/large`, { signal: leaves.signal })
  for (let asked = 0; asked < 50; asked += 1) expect(await (await get(server.port)).text()).toBe('small')
  expect(told.pulled).toBeLessThan(50)
  leaves.abort()
  await expect(large.bytes()).rejects.toThrow()
  await until(() => told.isCancelled, 'the stream is cancelled')
  await until(() => server.pendingRequests === 0, 'the request is over')
})

test('a stream for a client that has left meanwhile is cancelled', async () => {
  const told = { pulled: 0, isCancelled: false }
  const headers = { 'Content-Length': String(4 * mebibyte) }
  let asked = false
  using server = serving(async ({ signal }) => {
    asked = true
    await until(() => signal.aborted, 'the client has left')
    return new Response(pieces(4, told), { headers })
  })
  const connection = await RawConnection.open(server.port ?? 0)
  await connection.write(get11)
  await until(() => asked, 'the request is there')
  connection.hangUp()
  await until(() => told.isCancelled, 'the stream is cancelled')
})

test('a body that nobody reads to its end is not taken for the next request', async () => {
  using server = serving(async (request) => {
    await request.body?.getReader().read()
    return new Response('refused', { status: 403 })
  })
  await using connection = await RawConnection.open(server.port ?? 0)
  for (const _ of [1, 2]) {
    await connection.write(`PUT / HTTP/1.1\r\nHost: stowage\r\nContent-Length: ${4 * mebibyte}\r\n\r\n`)
    await connection.write(new Uint8Array(4 * mebibyte))
    expect((await connection.answer()).status).toBe(403)
  }
})

test('a body that breaks off fails, and its request is told', async () => {
  const { promise: failure, resolve } = Promise.withResolvers<unknown>()
  let signal: AbortSignal | undefined
  using server = serving(async (request) => {
    signal = request.signal
    resolve(await request.bytes().catch((error) => error))
    return new Response()
  })
  const connection = await RawConnection.open(server.port ?? 0)
  await connection.write('PUT / HTTP/1.1\r\nHost: stowage\r\nContent-Length: 10\r\n\r\nabc')
  await until(() => signal !== undefined, 'the request is there')
  connection.hangUp()
  expect(await failure).toBeInstanceOf(Error)
  await until(() => signal?.aborted === true, 'the signal')
})

test('a connection that stands still is cut; an upload and a download that move are not', async () => {
  const headers = { 'Content-Length': String(10_000 * mebibyte) }
  const answer = async (request: Request) =>
    request.method === 'GET'
      ? new Response(pieces(10_000, { pulled: 0, isCancelled: false }), { headers })
      : new Response(`${(await request.bytes()).byteLength}`)
  // The runtime looks every four seconds.
  using server = serving(answer, { idleSeconds: 5 })
  const head = 'PUT / HTTP/1.1\r\nHost: stowage\r\nTransfer-Encoding: chunked\r\n\r\n'
  let isCut = false
  const still = sendRaw(server.port ?? 0, `${head}1\r\na\r\n`, 20_000).then(() => {
    isCut = true
  })
  await using upload = await RawConnection.open(server.port ?? 0)
  await upload.write(head)
  const download = (await get(server.port)).body?.getReader()
  let sent = 0
  await until(async () => {
    await upload.write('1\r\na\r\n')
    sent += 1
    expect(await download?.read()).toMatchObject({ done: false })
    return isCut
  }, 'the one that stands still is cut')
  await still
  await upload.write('0\r\n\r\n')
  expect((await upload.answer()).body.toString()).toBe(String(sent))
  // More than the kernel can have had.
  for (let more = 0; more < 200 * mebibyte; ) {
    const { value } = (await download?.read()) ?? {}
    expect(value?.byteLength).toBeGreaterThan(0)
    more += value?.byteLength ?? 0
  }
  await download?.cancel()
}, 30_000)

test('a port is shared by those that all say so, and else refused at once', async () => {
  using first = serving(() => new Response('first'), { reusePort: true })
  using second = serving(() => new Response('second'), { port: first.port ?? 0, reusePort: true })
  expect(second.port).toBe(first.port ?? 0)
  const seen = new Set<string>()
  await until(async () => {
    seen.add((await sendRaw(first.port ?? 0, get11)).toString().split('\r\n').at(-1) ?? '')
    return seen.size === 2
  }, 'both have answered')
  using alone = serving(() => new Response())
  expect(() => serving(() => new Response(), { port: alone.port ?? 0 })).toThrow(
    expect.objectContaining({ code: 'EADDRINUSE' }),
  )
})

test('TLS', async () => {
  const pem = (name: string) => readFileSync(new URL(`../../test/support/tls/${name}.pem`, import.meta.url), 'utf8')
  const cert = pem('cert')
  using server = serving((request) => new Response(request.body), { tls: { cert, key: pem('key') } })
  const answer = await fetch(`https://localhost:${server.port}/`, {
    method: 'PUT',
    body: 'sealed',
    tls: { ca: cert, checkServerIdentity: () => undefined },
  })
  expect(await answer.text()).toBe('sealed')
})
