import { afterAll, describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer as createNetServer, type Socket } from 'node:net'
import { ask, type OutgoingParts } from './outgoing.ts'
import { parseAllowedHosts } from './outgoing-addresses.ts'

const certificate = new URL('../../test/support/tls/cert.pem', import.meta.url).pathname
const tls = {
  cert: readFileSync(certificate, 'utf8'),
  key: readFileSync(new URL('../../test/support/tls/key.pem', import.meta.url), 'utf8'),
}
const opened: { close: () => unknown }[] = []
afterAll(() => {
  for (const server of opened) server.close()
})

async function listening(server: Server | ReturnType<typeof createNetServer>): Promise<number> {
  await new Promise<void>((listens) => server.listen(0, '127.0.0.1', () => listens()))
  opened.push(server)
  return (server.address() as AddressInfo).port
}

const answering = (listener: RequestListener) => listening(createServer(listener))
/** Says these bytes to whoever connects, and hangs up. */
const saying = (text: string) =>
  listening(
    createNetServer((socket: Socket) => {
      socket.on('error', () => {})
      socket.once('data', () => socket.end(text))
    }),
  )

function allowing(text: string): OutgoingParts {
  const allowed = parseAllowedHosts(text)
  if ('wrong' in allowed) throw new Error(`cannot be read: ${allowed.wrong}`)
  return { allowed, limits: { time: 5_000, body: 1_000, head: 16_384 } }
}

const local = allowing('127.0.0.1')
const never = new AbortController().signal
const send = (parts: OutgoingParts, url: string, signal = never) =>
  ask(parts, { url, headers: { 'X-One': '1' }, body: Buffer.from('{"a":"ä"}') }, signal)

describe('an answer', () => {
  test('comes as it is: status, headers, bytes, with redirects that nobody follows', async () => {
    const seen: unknown[] = []
    const port = await answering(async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const { 'content-length': length, host, connection, 'x-one': one } = request.headers
      seen.push({
        method: request.method,
        url: request.url,
        body: Buffer.concat(chunks).toString(),
        length,
        host,
        connection,
        one,
      })
      response.writeHead(302, { Location: '/elsewhere', 'X-Two': ['a', 'b'], 'Content-Encoding': 'gzip' })
      response.end(Buffer.from([0, 255, 1]))
    })
    const answer = await send(local, `http://127.0.0.1:${port}/in?secret=1#part`)
    expect(answer.status).toBe(302)
    expect(answer.headers).toMatchObject({ location: '/elsewhere', 'x-two': 'a, b' })
    expect([...answer.body]).toEqual([0, 255, 1])
    expect(seen).toEqual([
      {
        method: 'POST',
        url: '/in?secret=1',
        body: '{"a":"ä"}',
        length: '10',
        host: `127.0.0.1:${port}`,
        connection: 'close',
        one: '1',
      },
    ])
  })

  test('is read up to the limit, and the connection ended', async () => {
    const ended = Promise.withResolvers<void>()
    const port = await answering((_, response) => {
      response.on('close', ended.resolve)
      response.on('error', () => {})
      const more = () => {
        while (!response.destroyed && response.write('a'.repeat(50_000)));
        response.once('drain', more)
      }
      more()
    })
    const answer = await send(local, `http://127.0.0.1:${port}/`)
    expect(answer.body.byteLength).toBe(1_000)
    await ended.promise
  })

  test.each([
    ['of exactly the limit', 1_000, 1_000],
    ['of one byte more', 1_001, 1_000],
    ['of one byte less', 999, 999],
    ['of nothing', 0, 0],
  ])('%s', async (_, sent, read) => {
    const port = await answering((_, response) => response.end('a'.repeat(sent)))
    expect((await send(local, `http://127.0.0.1:${port}/`)).body.byteLength).toBe(read)
  })
})

describe('no answer', () => {
  test.each([
    ['garbage', 'NONSENSE\r\n\r\n', 'does not speak HTTP'],
    [
      'a connection that is cut in the body',
      'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc',
      'in the middle of the answer',
    ],
    [
      'a chunk that is cut',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc',
      'in the middle of the answer',
    ],
    ['a connection that is cut at once', '', 'socket hang up'],
    ['a head without end', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 'head has more than 16384 bytes'],
  ])('is %s', async (_, said, reason) => {
    const port = await saying(said)
    await expect(send(local, `http://127.0.0.1:${port}/secret`)).rejects.toThrow(reason)
    await expect(send(local, `http://127.0.0.1:${port}/secret`)).rejects.not.toThrow('secret')
  })

  test.each<[string, RequestListener]>([
    ['that never begins', () => {}],
    ['that never ends', (_, response) => void response.writeHead(200).write('a')],
    [
      'that drips',
      (_, response) => {
        const timer = setInterval(() => response.write('a'), 10)
        response.on('close', () => clearInterval(timer))
      },
    ],
  ])('is one %s: it is given up in time, and the connection ended', async (_, listener) => {
    const ended = Promise.withResolvers<void>()
    const port = await answering((request, response) => {
      request.socket.on('close', () => ended.resolve())
      listener(request, response)
    })
    const hasty = { ...local, limits: { ...local.limits, time: 100 } }
    await expect(send(hasty, `http://127.0.0.1:${port}/`)).rejects.toThrow('No complete answer within 0.1 seconds.')
    await ended.promise
  })

  test('comes where the host is never found: it is given up in time', async () => {
    const parts = { ...local, limits: { ...local.limits, time: 50 }, resolve: () => new Promise<never>(() => {}) }
    await expect(send(parts, 'http://hooks.example.com/')).rejects.toThrow('No complete answer within 0.05 seconds.')
  })

  test('is waited for once it is broken off', async () => {
    const stop = new AbortController()
    const port = await answering(() => stop.abort(new Error('we stop')))
    await expect(send(local, `http://127.0.0.1:${port}/`, stop.signal)).rejects.toThrow('we stop')
    await expect(send(local, `http://127.0.0.1:${port}/`, stop.signal)).rejects.toThrow('we stop')
  })

  test('comes from where nobody listens', async () => {
    await expect(send(local, 'http://127.0.0.1:1/')).rejects.toThrow('ECONNREFUSED')
  })
})

describe('an address', () => {
  const nowhere = allowing('')

  test.each([
    'http://127.0.0.1:1/',
    'http://0x7f.1:1/',
    'http://2130706433:1/',
    'http://[::1]:1/',
    'http://[::ffff:7f00:1]:1/',
  ])('%s is refused without a connection', async (url) => {
    const resolve = () => Promise.reject(new Error('it was looked up'))
    await expect(send({ ...nowhere, resolve }, url)).rejects.toThrow('is not on the internet')
  })

  test('that a host leads to is what is decided about, and what is connected to', async () => {
    let requests = 0
    const port = await answering((_, response) => {
      requests += 1
      response.end()
    })
    await expect(send(nowhere, `http://localhost:${port}/`)).rejects.toThrow(/^localhost leads to what is not on/)
    expect(requests).toBe(0)

    // A name server that says something else the second time.
    const answers = ['127.0.0.1', '127.0.0.9']
    let asked = 0
    const resolve = async () => [{ address: answers[asked++] ?? '', family: 4 }]
    const one = { ...allowing('127.0.0.1'), resolve }
    expect((await send(one, `http://rebound.example:${port}/`)).status).toBe(200)
    expect({ asked, requests }).toEqual({ asked: 1, requests: 1 })
    await expect(send(one, `http://rebound.example:${port}/`)).rejects.toThrow(
      /^rebound.example leads to what is not on the internet, and not among the hosts that are allowed here.$/,
    )
    expect(requests).toBe(1)
  })

  test('of several that may not be connected to is left out', async () => {
    const port = await answering((_, response) => response.end())
    const addresses = ['10.0.0.1', '127.0.0.1', 'fe80::1']
    const resolve = async () => addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
    expect((await send({ ...local, resolve }, `http://several.example:${port}/`)).status).toBe(200)
    await expect(send({ ...nowhere, resolve: async () => [] }, 'http://none.example/')).rejects.toThrow(
      'has no address',
    )
  })
})

describe('encryption', () => {
  test('needs a certificate that somebody vouches for, of that host', async () => {
    const port = await listening(createTlsServer(tls, (_, response) => response.end('tls')))
    const url = `https://127.0.0.1:${port}/`
    await expect(send(local, url)).rejects.toThrow('self signed certificate')
    expect((await send({ ...local, ca: tls.cert }, url)).body.toString()).toBe('tls')
    const resolve = async () => [{ address: '127.0.0.1', family: 4 }]
    await expect(send({ ...local, ca: tls.cert, resolve }, `https://other.example:${port}/`)).rejects.toThrow(
      'altnames',
    )
  })

  test('trusts the certificates of NODE_EXTRA_CA_CERTS; no proxy of the environment is used', async () => {
    const port = await listening(createTlsServer(tls, (_, response) => response.end('tls')))
    const script = `
      import { ask } from './server/lib/outgoing.ts'
      import { parseAllowedHosts } from './server/lib/outgoing-addresses.ts'
      const parts = { allowed: parseAllowedHosts('127.0.0.1'), limits: { time: 5000, body: 1000, head: 16384 } }
      const request = { url: 'https://127.0.0.1:${port}/', headers: {}, body: Buffer.from('') }
      console.log((await ask(parts, request, new AbortController().signal)).body.toString())
    `
    const proxy = 'http://127.0.0.1:1'
    const child = Bun.spawn([process.execPath, '-e', script], {
      cwd: new URL('../..', import.meta.url).pathname,
      env: {
        NODE_EXTRA_CA_CERTS: certificate,
        HTTP_PROXY: proxy,
        HTTPS_PROXY: proxy,
        http_proxy: proxy,
        https_proxy: proxy,
      },
      stdout: 'pipe',
    })
    expect(await new Response(child.stdout).text()).toBe('tls\n')
  })
})
