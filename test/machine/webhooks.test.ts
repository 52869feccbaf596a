import { expect, test } from 'bun:test'
import { databaseSettings } from '../support/database.ts'
import { startReceiver } from '../support/receiver.ts'
import { ServerProcess, temporaryFolder } from '../support/server-process.ts'
import { until } from '../support/until.ts'

test('what a webhook was sent is sent again, byte for byte, by the next process where the last one was killed meanwhile', async () => {
  await using folder = await temporaryFolder()
  await using receiver = await startReceiver()
  const settings = { STOWAGE_WEBHOOK_ALLOWED_HOSTS: '127.0.0.1', ...(await databaseSettings(folder.path)) }
  let killed: ServerProcess | undefined
  receiver.answers((response) => {
    // It has the request, and nobody will write down what was answered.
    if (!killed?.child.killed) killed?.child.kill('SIGKILL')
    response.writeHead(204).end()
  })
  {
    await using server = await ServerProcess.start(folder.path, settings)
    killed = server
    const config = { url: receiver.url, content_type: 'json', secret: 'known to both' }
    expect((await server.admin.post('/api/v1/user/hooks', { type: 'gitea', active: true, config })).status).toBe(201)
    expect((await server.admin.put({}, 'hello')).status).toBe(201)
    await server.child.exited
  }
  expect(receiver.received).toHaveLength(1)
  await using server = await ServerProcess.start(folder.path, settings)
  await until(() => receiver.received.length > 1, 'it is sent again')
  expect(receiver.received[1]).toEqual(receiver.received[0] as never)
  const log = async () => (await server.admin.fetch('/api/v1/user/hooks/1/deliveries')).json()
  await until(async () => JSON.stringify(await log()).includes('"delivered"'), 'it is delivered')
  expect(await log()).toMatchObject([{ state: 'delivered', attempts: 1 }])
})
