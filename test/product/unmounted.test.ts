import { expect, test } from 'bun:test'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { BlobStore } from '../../server/blobs/blob-store.ts'
import { Problem } from '../../server/problems.ts'
import { onPostgres } from '../support/database.ts'
import { temporaryFolder } from '../support/server-process.ts'
import { startStowage } from '../support/stowage.ts'

test('while the blob folder is an empty mount point nothing is stored in it, given up or called ready', async () => {
  const clock = { now: Date.now() }
  await using stowage = await startStowage({
    settings: { STOWAGE_BLOB_GRACE: '0' },
    replace: { now: () => clock.now },
  })
  const { admin } = stowage
  const blobs = join(stowage.dataDir, 'blobs')
  await admin.put({ file: 'a.txt' }, 'one')
  expect((await admin.fetch('/readyz')).status).toBe(200)

  await rename(blobs, `${blobs}.away`)
  await mkdir(blobs)
  // The answer of a moment ago stands for a second, and a clock that is set back does not make it stand for longer.
  clock.now -= 3_600_000
  expect((await admin.fetch('/readyz')).status).toBe(503)
  for (const [file, text] of [
    ['b.txt', 'one'],
    ['c.txt', 'new'],
  ] as const) {
    expect({ file, status: (await admin.put({ file }, text)).status }).toEqual({ file, status: 503 })
  }
  expect(await readdir(blobs)).toEqual([])

  await rm(blobs, { recursive: true })
  await rename(`${blobs}.away`, blobs)
  await stowage.stowage.sweep()
  expect(await (await admin.get({ file: 'a.txt' })).text()).toBe('one')
  for (const [file, text] of [
    ['b.txt', 'one'],
    ['c.txt', 'new'],
  ] as const) {
    expect((await admin.put({ file }, text)).status).toBe(201)
    expect(await (await admin.get({ file })).text()).toBe(text)
  }
})

test('a disk that cannot say whether equal bytes are there refuses the publish whole', async () => {
  let failing = false
  await using stowage = await startStowage({
    replace: {
      blobs: (store): BlobStore =>
        new Proxy(store, {
          get: (target, name: keyof BlobStore) => {
            const value = target[name]
            if (name !== 'size') return typeof value === 'function' ? value.bind(target) : value
            return async (location: Parameters<BlobStore['size']>[0]) => {
              if (failing) throw new Problem('storage-unavailable', 'the stored bytes cannot be read now')
              return target.size(location)
            }
          },
        }),
    },
  })
  const { admin } = stowage
  await admin.put({ file: 'a.txt' }, 'one')
  failing = true
  expect((await admin.put({ file: 'b.txt' }, 'one')).status).toBe(503)
  failing = false
  expect((await admin.get({ file: 'b.txt' })).status).toBe(404)
  expect((await admin.put({ file: 'b.txt' }, 'one')).status).toBe(201)
})

test('a database that is new refuses a blob folder that is in use: its own was forgotten, or is gone', async () => {
  await using folder = await temporaryFolder()
  {
    await using stowage = await startStowage({ dataDir: folder.path })
    expect((await stowage.admin.put({}, 'kept')).status).toBe(201)
    await stowage.stop()
  }
  const file = join(folder.path, 'stowage.db')
  if (!onPostgres) await rename(file, `${file}.away`)
  const onNewDatabase = startStowage({ dataDir: folder.path, settings: { STOWAGE_DATABASE_URL: '' } })
  await expect(onNewDatabase).rejects.toThrow('this database is new and knows nothing of it')

  await rm(file)
  if (!onPostgres) await rename(`${file}.away`, file)
  await using again = await startStowage({ dataDir: folder.path })
  expect(await (await again.admin.get()).text()).toBe('kept')
})
