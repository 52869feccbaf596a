// Many who download one file and take their time.
import { connect, type Socket } from 'node:net'
import { doJob } from './clients.ts'

export interface SlowJob {
  readonly origin: string
  readonly path: string
  readonly clients: number
  readonly seconds: number
}

/** Each reads one chunk, which the runtime chooses, in this time. */
const pauseMs = 100

await doJob<SlowJob>(async ({ origin, path, clients, seconds }) => {
  const { hostname, port, host } = new URL(origin)
  const read = new Array<number>(clients).fill(0)
  const ended: string[] = []
  const sockets = read.map((_, client): Socket => {
    const socket = connect(Number(port), hostname, () => socket.write(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\n\r\n`))
    socket.on('data', (chunk) => {
      if (read[client] === 0 && !chunk.toString('latin1', 0, 13).startsWith('HTTP/1.1 200 ')) ended.push(String(chunk))
      read[client] = (read[client] ?? 0) + chunk.length
      socket.pause()
    })
    socket.on('error', (error) => ended.push(error.message))
    socket.on('close', () => ended.push('closed'))
    return socket
  })
  const deadline = performance.now() + seconds * 1000
  while (performance.now() < deadline && ended.length === 0) {
    await Bun.sleep(pauseMs)
    for (const socket of sockets) socket.resume()
  }
  if (ended.length > 0) throw new Error(`A slow download ended: ${ended[0]}`)
  if (read.includes(0)) throw new Error('A slow download had no answer')
})
