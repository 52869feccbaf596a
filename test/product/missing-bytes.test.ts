import { expect, test } from 'bun:test'
import { truncate, unlink } from 'node:fs/promises'
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
