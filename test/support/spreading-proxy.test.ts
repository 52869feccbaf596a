import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { RawConnection } from './raw-connection.ts'
import { parseAnswer, sendRaw } from './raw-socket.ts'
import { SpreadingProxy } from './spreading-proxy.ts'

/** What each of three servers was sent, connection by connection. Each answers what a test says, with its number. */
const sent: string[][] = [[], [], []]
let answers: (number: number, received: string) => string | undefined
let servers: Server[]
let proxy: SpreadingProxy
let port: number

beforeAll(async () => {
  servers = sent.map((connections, number) =>
    createServer({ allowHalfOpen: true }, (socket) => {
      const index = connections.push('') - 1
      const say = (text: string | undefined) => {
        if (text === undefined) return
        socket.write(text)
        if (/connection: close/i.test(text)) socket.end()
      }
      socket.on('data', (bytes) => {
        connections[index] += bytes.toString('latin1')
        say(answers(number, connections[index] ?? ''))
      })
      socket.on('end', () => socket.end())
      socket.on('error', () => undefined)
    }),
  )
  for (const server of servers) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  proxy = await SpreadingProxy.start()
  proxy.spreadOver(servers.map((server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`))
  port = Number(new URL(proxy.url).port)
})
afterAll(async () => {
  await proxy[Symbol.asyncDispose]()
  for (const server of servers) server.close()
})

const ok = (text: string, more = '') => `HTTP/1.1 200 OK\r\n${more}Content-Length: ${text.length}\r\n\r\n${text}`
const get = 'GET /..%2f HTTP/1.1\r\nHost: x\r\n\r\n'
/** All that the servers were sent since. */
const taken = () => sent.flatMap((connections) => connections.splice(0)).toSorted()

test('each request of a connection goes to the next server, also where they come at once', async () => {
  answers = (number, received) => (received.endsWith('\r\n\r\n') ? ok(`${number}`) : undefined)
  await using connection = await RawConnection.open(port)
  await connection.write(get + get + get)
  const told = [await connection.answer(), await connection.answer(), await connection.answer()]
  await connection.write(get)
  told.push(await connection.answer())
  const numbers = told.map(({ body }) => Number(body))
  expect(numbers.map((number) => (number - (numbers[0] ?? 0) + 3) % 3)).toEqual([0, 1, 2, 0])
  expect(taken()).toEqual([get, get, get, get])
})

test.each([
  ['by its length', 'Content-Length: 4\r\n\r\nabcd'],
  ['in chunks', 'Transfer-Encoding: chunked\r\n\r\n3;x=y\r\na\r\n\r\n1\r\nd\r\n0\r\nTrailer: z\r\n\r\n'],
  ['empty', 'Content-Length: 0\r\n\r\n'],
])('a body that is told %s passes as it is, in whatever pieces it comes, and ends where it ends', async (_, rest) => {
  const put = `PUT /a HTTP/1.1\r\nHost: x\r\n${rest}`
  answers = (_, received) => (received === put || received === get ? ok('x') : undefined)
  await using connection = await RawConnection.open(port)
  for (const character of put) await connection.write(character)
  expect((await connection.answer()).status).toBe(200)
  await connection.write(put + get)
  for (let count = 0; count < 2; count += 1) expect((await connection.answer()).status).toBe(200)
  expect(taken()).toEqual([get, put, put])
})

test('an answer in chunks, without a body, after an interim one, and to HEAD ends where it ends', async () => {
  const said: [string, string][] = [
    ['GET', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n'],
    ['GET', 'HTTP/1.1 204 No Content\r\n\r\n'],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n'],
    ['PUT', `HTTP/1.1 100 Continue\r\n\r\n${ok('')}`],
    ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n'],
  ]
  const left = said.map(([, answer]) => answer)
  answers = () => left.shift() ?? ok('the last', 'Connection: close\r\n')
  const requests = said.map(([method]) => `${method} / HTTP/1.1\r\nHost: x\r\n\r\n`).join('')
  const all = await sendRaw(port, requests + get)
  expect(all.toString('latin1')).toBe(
    said.map(([, answer]) => answer).join('') + ok('the last', 'Connection: close\r\n'),
  )
  expect(taken()).toHaveLength(6)
})

test('after an answer that comes early the rest of the body still goes to the same server', async () => {
  answers = (_, received) => (received.endsWith('\r\n\r\nab') || received === get ? ok('early') : undefined)
  await using connection = await RawConnection.open(port)
  const put = 'PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab'
  await connection.write(put)
  expect((await connection.answer()).body.toString()).toBe('early')
  await connection.write(`cd${get}`)
  expect((await connection.answer()).body.toString()).toBe('early')
  expect(taken()).toEqual([get, `${put}cd`])
})

test.each([
  ['no HTTP', '\x16\x03\x01\r\n'],
  ['a line that ends otherwise', 'GET / HTTP/1.1\nHost: x\n\n'],
  ['two lengths', 'PUT / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na'],
  ['HTTP/1.0', 'GET / HTTP/1.0\r\n\r\n'],
])('what is %s goes to one server as it is, until that one closes', async (_, bytes) => {
  answers = () => 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'
  const answer = parseAnswer(await sendRaw(port, Buffer.from(bytes, 'latin1')))
  expect(answer.status).toBe(400)
  expect(taken()).toEqual([bytes])
})

test('a server that breaks off is seen to break off', async () => {
  answers = () => 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\nhalf'
  await expect(fetch(`${proxy.url}/`).then((answer) => answer.text())).rejects.toThrow()
  taken()
})
