import { afterAll, beforeAll, expect, test } from 'bun:test'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { HttpRequest } from '@smithy/types'
import { S3Requests } from './s3-requests.ts'

let server: Server
let request: HttpRequest

beforeAll(async () => {
  // Begins every answer and never ends one.
  server = createServer((_, answer) => {
    answer.writeHead(200, { 'Content-Length': 10 })
    answer.write('12345')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const address = { protocol: 'http:', hostname: '127.0.0.1', port, path: '/any' }
  request = { ...address, method: 'GET', headers: {}, query: {} } as HttpRequest
})

afterAll(() => {
  server.close().closeAllConnections()
})

test('an answer that stops in its middle is broken off', async () => {
  const { response } = await new S3Requests(10_000, 100).handle(request)
  await expect(new Response(response.body as ReadableStream).text()).rejects.toThrow('The store sent no byte for 0.1 s')
})
