import { afterAll, describe, expect, test } from 'bun:test'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { hostsOf, outgoingFetch } from './outgoing-fetch.ts'

const opened: Server[] = []
afterAll(() => {
  for (const server of opened) server.close()
})

async function answering(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  opened.push(server)
  await new Promise<void>((listens) => server.listen(0, '127.0.0.1', () => listens()))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const limits = { time: 2_000, body: 100, head: 16_384 }
const fetchAt = (url: string) => outgoingFetch({ allowed: hostsOf([url]), limits })

describe('an answer', () => {
  test('comes as fetch has it', async () => {
    const seen: unknown[] = []
    const url = await answering(async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const { authorization, 'accept-encoding': encoding } = request.headers
      seen.push([request.method, request.url, Buffer.concat(chunks).toString(), authorization, encoding])
      response.writeHead(201, { 'Content-Type': 'application/json' }).end('{"a":1}')
    })
    const got = await fetchAt(url)(`${url}/a?b=c`, { headers: new Headers({ Authorization: 'Basic x' }) })
    expect([got.status, got.headers.get('content-type'), await got.json()]).toEqual([201, 'application/json', { a: 1 }])
    await fetchAt(url)(url, { method: 'POST', body: new URLSearchParams({ a: 'ä' }) })
    await fetchAt(url)(url, { method: 'post', body: new TextEncoder().encode('bytes') })
    expect(seen).toEqual([
      ['GET', '/a?b=c', '', 'Basic x', 'identity'],
      ['POST', '/', 'a=%C3%A4', undefined, 'identity'],
      ['POST', '/', 'bytes', undefined, 'identity'],
    ])
  })

  test('that leads elsewhere is not followed, and one without a body is one', async () => {
    const url = await answering((_, response) => response.writeHead(302, { Location: 'http://10.0.0.1/' }).end())
    const moved = await fetchAt(url)(url)
    expect([moved.status, moved.headers.get('location')]).toEqual([302, 'http://10.0.0.1/'])
    const empty = await answering((_, response) => response.writeHead(204).end())
    expect((await fetchAt(empty)(empty)).status).toBe(204)
  })

  test('that is too long, or does not come, is none', async () => {
    const just = await answering((_, response) => response.end('x'.repeat(100)))
    expect((await (await fetchAt(just)(just)).text()).length).toBe(100)
    const long = await answering((_, response) => response.end('x'.repeat(101)))
    expect(fetchAt(long)(long)).rejects.toThrow('The answer has more than 100 bytes.')
    const silent = await answering(() => {})
    const quick = outgoingFetch({ allowed: hostsOf([silent]), limits: { ...limits, time: 50 } })
    expect(quick(silent)).rejects.toThrow('No complete answer within 0.05 seconds.')
  })

  test('is broken off by who asked', async () => {
    const silent = await answering(() => {})
    const asking = new AbortController()
    const answer = fetchAt(silent)(silent, { signal: asking.signal })
    asking.abort(new Error('not wanted any more'))
    expect(answer).rejects.toThrow('not wanted any more')
  })
})

describe('what is not on the internet', () => {
  test.each([
    ['another address', 'http://10.0.0.1/'],
    ['the same machine by another name', 'http://[::1]:1/'],
    ['what the cloud tells its machines', 'http://169.254.169.254/'],
  ])('is not asked: %s', (_, url) => {
    expect(fetchAt('http://127.0.0.1')(url)).rejects.toThrow('is not on the internet')
  })

  test('is not asked where a name leads there', () => {
    const resolve = async () => [{ address: '10.0.0.1', family: 4 }]
    const ask = outgoingFetch({ allowed: hostsOf(['https://id.example.com']), limits, resolve })
    expect(ask('http://other.example.com/')).rejects.toThrow('other.example.com leads to what is not on the internet')
  })

  test('is asked where an issuer is there, by its host alone', () => {
    expect(hostsOf(['https://ID.example.com:8443/realms/a'])).toMatchObject({
      names: new Set(['id.example.com']),
      suffixes: [],
    })
    expect(hostsOf([])).toMatchObject({ names: new Set(), ranges: [] })
    expect(hostsOf(['http://[::1]:9000']).ranges).toHaveLength(1)
  })
})

test.each(['PUT', 'DELETE', 'HEAD'])('%s is not asked', (method) => {
  expect(fetchAt('http://127.0.0.1')('http://127.0.0.1:1/', { method })).rejects.toThrow(`${method} is not asked here.`)
})
