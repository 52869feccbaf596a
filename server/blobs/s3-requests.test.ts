import { afterAll, beforeAll, expect, test } from 'bun:test'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { HttpRequest } from '@smithy/types'
import { S3Requests } from './s3-requests.ts'

type Respond = (request: IncomingMessage, answer: ServerResponse) => void

let server: Server
let respond: Respond

beforeAll(async () => {
  server = createServer((request, answer) => respond(request, answer))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})

afterAll(() => {
  server.close().closeAllConnections()
})

function requestTo(how: Respond, more: Partial<HttpRequest> = {}): HttpRequest {
  respond = how
  const { port } = server.address() as AddressInfo
  const address = { protocol: 'http:', hostname: '127.0.0.1', port, path: '/any' }
  return { ...address, method: 'PUT', headers: {}, query: {}, ...more } as HttpRequest
}

const silently: Respond = (request) => request.resume()
const answered: Respond = (request, answer) => request.resume().on('end', () => answer.end())

test('an answer that stops in its middle is broken off', async () => {
  const request = requestTo(
    (_, answer) => {
      answer.writeHead(200, { 'Content-Length': 10 })
      answer.write('12345')
    },
    { method: 'GET' },
  )
  const { response } = await new S3Requests(100).handle(request)
  await expect(new Response(response.body as ReadableStream).text()).rejects.toThrow('The store sent no byte for 0.1 s')
})

/** The SDK sends what it calls so once more. */
test.each([
  ['may be sent again', 1, 'TimeoutError'],
  ['may not, the second time', 2, 'Silence'],
])('a request without an answer %s', async (_, attempt, name) => {
  const request = requestTo(silently, { body: 'all', headers: { 'amz-sdk-request': `attempt=${attempt}; max=5` } })
  await expect(new S3Requests(50).handle(request)).rejects.toMatchObject({ name, message: 'no answer for 0.05 s' })
})

test('a large body that nobody takes is broken off', async () => {
  const request = requestTo((incoming) => incoming.pause(), { body: new Uint8Array(64 * 1024 * 1024) })
  await expect(new S3Requests(200).handle(request)).rejects.toMatchObject({ name: 'TimeoutError' })
})

test.each([
  ['held', (bytes: Uint8Array) => bytes],
  ['streamed', (bytes: Uint8Array) => new Blob([bytes as Uint8Array<ArrayBuffer>]).stream()],
])('what the systems have taken of a %s body is given time to get to the store', async (_, body) => {
  const later: Respond = (request, answer) => request.resume().on('end', () => setTimeout(() => answer.end(), 300))
  const { response } = await new S3Requests(100).handle(requestTo(later, { body: body(new Uint8Array(1024 * 1024)) }))
  expect(response.statusCode).toBe(200)
  await expect(new S3Requests(100).handle(requestTo(later, { body: 'few' }))).rejects.toThrow('no answer for 0.1 s')
})

test('a body that comes slowly is waited for, and then the answer is not', async () => {
  const pieces = ['one', 'two', 'three', 'four']
  const slow = () => {
    const left = [...pieces]
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          await Bun.sleep(60)
          const next = left.shift()
          if (next === undefined) controller.close()
          else controller.enqueue(Buffer.from(next))
        },
      },
      { highWaterMark: 0 },
    )
  }
  const { response } = await new S3Requests(200).handle(requestTo(answered, { body: slow() }))
  expect(response.statusCode).toBe(200)
  await expect(new S3Requests(200).handle(requestTo(silently, { body: slow() }))).rejects.toThrow('no answer for 0.2 s')
})
