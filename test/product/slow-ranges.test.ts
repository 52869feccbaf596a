import { expect, test } from 'bun:test'
import { truncate } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
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

test('parts whose bytes end early are a broken connection, never a shorter answer', async () => {
  await using stowage = await startStowage()
  await stowage.admin.put({ file: 'big' }, Buffer.alloc(30_000_000, 'stowage '))
  const { location } = await stowage.stowage.registry.catalogue.read
    .selectFrom('blobs')
    .select('location')
    .executeTakeFirstOrThrow()
  const answer = await stowage.admin.get({ file: 'big' }, { Range: 'bytes=0-9,10-29000000' })
  expect(answer.status).toBe(206)
  const reader = answer.body?.getReader()
  await reader?.read()
  await truncate(join(stowage.dataDir, 'blobs', location), 100)
  const rest = async () => {
    while (!(await reader?.read())?.done);
    return 'it ended as if it were whole'
  }
  expect(await rest().catch(() => 'it broke off')).toBe('it broke off')
})
