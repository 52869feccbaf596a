import { expect, test } from 'bun:test'
import { mkdir, rmdir, truncate, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { startStowage, type TestStowage } from '../support/stowage.ts'

async function pathOfOnlyBlob(stowage: TestStowage): Promise<string> {
  const { location } = await stowage.stowage.registry.catalogue.read
    .selectFrom('blobs')
    .select('location')
    .executeTakeFirstOrThrow()
  return join(stowage.dataDir, 'blobs', location)
}

test('bytes that are gone are a 503, never an empty or short file', async () => {
  for (const damage of [unlink, (path: string) => truncate(path, 3)]) {
    await using stowage = await startStowage()
    const { admin } = stowage
    await admin.put({ file: 'a.txt' }, 'seven b')
    await damage(await pathOfOnlyBlob(stowage))
    for (const headers of [{}, { Range: 'bytes=1-2' }, { Range: 'bytes=0-0,2-2' }] as Record<string, string>[]) {
      const answer = await admin.get({ file: 'a.txt' }, headers)
      expect(answer.status).toBe(503)
      expect(answer.headers.get('retry-after')).not.toBeNull()
      expect(await answer.text()).toBe('The bytes of this file cannot be read now.\n')
    }
  }
})

test('the sweeper removes nothing while the blob folder is another one', async () => {
  await using stowage = await startStowage({ settings: { STOWAGE_BLOB_GRACE: '0' } })
  const { admin } = stowage
  await admin.put({ file: 'a.txt' }, 'one')
  await admin.delete({ file: 'a.txt' })
  await Bun.write(join(stowage.dataDir, 'blobs', 'storage-id'), 'another\n')
  expect(await stowage.stowage.sweep().catch((error) => error.message)).toMatch(/blob folder is gone or another/)
})

test('publishing the same bytes again repairs a file that has lost them', async () => {
  for (const damage of [unlink, (path: string) => truncate(path, 3)]) {
    await using stowage = await startStowage({ settings: { STOWAGE_BLOB_GRACE: '0' } })
    const { admin } = stowage
    await admin.put({ file: 'a.txt' }, 'seven b')
    await damage(await pathOfOnlyBlob(stowage))
    expect((await admin.put({ file: 'b.txt' }, 'seven b')).status).toBe(201)
    await stowage.stowage.sweep()
    for (const file of ['a.txt', 'b.txt']) expect(await (await admin.get({ file })).text()).toBe('seven b')
  }
})

test('bytes that cannot be removed do not keep the others from going', async () => {
  await using stowage = await startStowage({ settings: { STOWAGE_BLOB_GRACE: '0' } })
  const { admin } = stowage
  await admin.put({ file: 'a.txt' }, 'one')
  const path = await pathOfOnlyBlob(stowage)
  for (const file of ['b.txt', 'c.txt']) await admin.put({ file }, file)
  await unlink(path)
  await mkdir(path)
  await admin.deleteVersion()
  expect(await stowage.stowage.sweep().catch((error) => error.code)).toBe('storage-unavailable')
  expect(await stowage.stowage.registry.catalogue.read.selectFrom('doomed').selectAll().execute()).toHaveLength(1)
  await rmdir(path)
  await stowage.stowage.sweep()
  expect(await stowage.stowage.registry.catalogue.read.selectFrom('doomed').selectAll().execute()).toEqual([])
})
