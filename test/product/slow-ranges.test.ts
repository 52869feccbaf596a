import { expect, test } from 'bun:test'
import { connect, type Socket } from 'node:net'
import { startStowage } from '../support/stowage.ts'
import { until } from '../support/until.ts'

test('clients that ask for parts and do not read them leave the others the whole file, and their places when they go', async () => {
  await using stowage = await startStowage()
  const bytes = Buffer.alloc(8_000_000, 'stowage ')
  await stowage.admin.put({ file: 'big' }, bytes)
  const request = [
    `GET ${stowage.admin.path({ file: 'big' })} HTTP/1.1`,
    'Host: stowage',
    'Range: bytes=0-3000000,4000000-7000000',
    '\r\n',
  ].join('\r\n')
  const sockets: Socket[] = []
  let answered = 0
  for (let index = 0; index < 100; index++) {
    const socket = connect(stowage.port, '127.0.0.1', () => socket.write(request))
    socket.once('data', () => {
      answered += 1
      socket.pause()
    })
    sockets.push(socket)
  }
  await until(() => answered === 100, 'everybody has the beginning of an answer')
  const parts = { Range: 'bytes=0-9,20-29' }
  const whole = await stowage.admin.get({ file: 'big' }, parts)
  expect(whole.status).toBe(200)
  expect((await whole.arrayBuffer()).byteLength).toBe(bytes.length)

  for (const socket of sockets) socket.destroy()
  await until(async () => {
    const answer = await stowage.admin.get({ file: 'big' }, parts)
    await answer.arrayBuffer()
    return answer.status === 206
  }, 'the places are free again')
})
