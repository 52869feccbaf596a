import { expect, test } from 'bun:test'
import { behindItsBack } from '../support/database.ts'
import { ServerProcess, temporaryFolder } from '../support/server-process.ts'
import { SlowUpload } from '../support/slow-upload.ts'
import { adminPassword, basic, Client, startStowage } from '../support/stowage.ts'
import { until } from '../support/until.ts'

test('what uploads had reserved is free again after a kill, once the next process runs', async () => {
  await using folder = await temporaryFolder()
  const settings = { STOWAGE_ADMIN_PASSWORD: adminPassword }
  const killed = await ServerProcess.start(folder.path, settings)
  const body = { username: 'ada', email: 'ada@example.com', password: 'ada-Pass-1234' }
  expect((await killed.admin.post('/api/v1/admin/users', body)).status).toBe(201)
  const quota = { method: 'PATCH', body: '{"bytes":1000,"versions":1}' }
  expect((await killed.admin.fetch('/api/v1/admin/quotas/owners/ada', quota)).status).toBe(200)
  const rights = { Authorization: basic('ada', 'ada-Pass-1234') }
  const slowly = '/api/packages/ada/generic/slow/1.0/slow.bin'
  const reservations = async () => (await behindItsBack(folder.path, 'select bytes from reservations')).length
  using declared = await SlowUpload.begin(killed.port, slowly, rights, 600)
  using open = await SlowUpload.begin(killed.port, slowly, rights, undefined)
  await declared.send('x')
  await open.send('5\r\nhello\r\n')
  await until(async () => (await reservations()) === 2, 'both have reserved something')
  await killed.kill()
  expect(await reservations()).toBe(2)

  await using next = await startStowage({ dataDir: folder.path })
  expect(await reservations()).toBe(0)
  const ada = new Client(next.url, 'ada', rights)
  expect((await ada.put({ version: '2' }, 'x'.repeat(1000))).status).toBe(201)
})
