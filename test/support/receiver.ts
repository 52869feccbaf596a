import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a webhook was sent. */
export interface Received {
  path: string
  headers: IncomingHttpHeaders
  body: string
}

type Answer = (response: ServerResponse, request: Received) => unknown

/** Somebody who is told by webhooks: an HTTP server on this machine, which keeps what it got and answers as a test wants. */
export async function startReceiver() {
  const received: Received[] = []
  let answer: Answer = (response) => response.writeHead(204).end()
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    response.on('error', () => {})
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const got = { path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString() }
    received.push(got)
    answer(response, got)
  })
  await new Promise<void>((listens) => server.listen(0, '127.0.0.1', () => listens()))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    received,
    /** How it answers from now on. */
    answers: (next: Answer) => {
      answer = next
    },
    /** What came at an address, as JSON. */
    // biome-ignore lint/suspicious/noExplicitAny: tests look into it.
    bodies: (path: string): any[] => received.filter((got) => got.path === path).map(({ body }) => JSON.parse(body)),
    at: (path: string) => received.filter((got) => got.path === path),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
}

export type Receiver = Awaited<ReturnType<typeof startReceiver>>
