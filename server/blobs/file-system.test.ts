import { expect, test } from 'bun:test'
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { blobStoreContract } from './blob-store.contract.ts'
import type { BlobStore, Location } from './blob-store.ts'
import { systemCalls } from './file-calls.ts'
import { openFileSystemBlobStore } from './file-system.ts'
import { ScratchFolder } from './scratch-folder.ts'

blobStoreContract('blobs in the file system', async () => {
  const scratch = await ScratchFolder.make()
  const store = await openFileSystemBlobStore({ folder: join(scratch.path, 'blobs') })
  return { store, [Symbol.asyncDispose]: () => scratch[Symbol.asyncDispose]() }
})

async function put(store: BlobStore, text: string, lease = 'lease'): Promise<Location> {
  await using staged = await store.stage(lease)
  await staged.write(Buffer.from(text))
  await staged.commit()
  staged.keep()
  return staged.location
}

test('files and folders are for the server only', async () => {
  await using scratch = await ScratchFolder.make()
  const store = await openFileSystemBlobStore({ folder: join(scratch.path, 'data', 'blobs') })
  const location = await put(store, 'secret')
  const path = join(scratch.path, 'data', 'blobs', location)
  const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8)
  expect(await modeOf(path)).toBe('600')
  for (const folder of ['..', '../..', '../../..', '../../../..']) expect(await modeOf(join(path, folder))).toBe('700')
  await store.close()
})

test('blobs of another start are found', async () => {
  await using scratch = await ScratchFolder.make()
  const first = await openFileSystemBlobStore({ folder: scratch.path })
  const location = await put(first, 'still here')
  await first.close()
  const second = await openFileSystemBlobStore({ folder: scratch.path })
  expect(await new Response(second.body(location)).text()).toBe('still here')
  expect(await Array.fromAsync(second.locations('lease'))).toEqual([location])
  await second.close()
})

test('a folder takes 4,096 blobs, then the next one is used', async () => {
  await using scratch = await ScratchFolder.make()
  const store = await openFileSystemBlobStore({ folder: scratch.path })
  const perFolder = new Map<string, number>()
  for (let round = 0; round < 4100; round += 1) {
    await using staged = await store.stage('lease')
    const folder = staged.location.split('/')[1] as string
    perFolder.set(folder, (perFolder.get(folder) ?? 0) + 1)
  }
  expect([...perFolder]).toEqual([
    ['0', 4096],
    ['1', 4],
  ])
  await store.close()
})

test('files that are not blobs are neither shown nor taken away', async () => {
  await using scratch = await ScratchFolder.make()
  const store = await openFileSystemBlobStore({ folder: scratch.path })
  const location = await put(store, 'mine')
  await mkdir(join(scratch.path, 'lease', 'lost+found'))
  await writeFile(join(scratch.path, 'lease', '0', '.nfs0001'), '')
  await writeFile(join(scratch.path, 'lease', '0', 'readme.txt'), '')
  expect(await Array.fromAsync(store.locations('lease'))).toEqual([location])
  await store.remove([location])
  await store.forget('lease')
  expect(await readdir(join(scratch.path, 'lease'))).toContain('lost+found')
  await store.close()
})

test('a lease that is forgotten leaves no folder behind', async () => {
  await using scratch = await ScratchFolder.make()
  const store = await openFileSystemBlobStore({ folder: scratch.path })
  await store.remove([await put(store, 'short-lived', 'session')])
  await store.forget('session')
  expect(await readdir(scratch.path)).toEqual([])
  await store.close()
})

test('folders that somebody took away are made again', async () => {
  await using scratch = await ScratchFolder.make()
  const store = await openFileSystemBlobStore({ folder: scratch.path })
  await store.remove([await put(store, 'one')])
  await rm(join(scratch.path, 'lease', '0'), { recursive: true })
  await store.remove([await put(store, 'two')])
  await rm(join(scratch.path, 'lease'), { recursive: true })
  const location = await put(store, 'three')
  expect(await new Response(store.body(location)).text()).toBe('three')
  await store.close()
})

test('nothing is stored below a disk that is gone', async () => {
  await using scratch = await ScratchFolder.make()
  const folder = join(scratch.path, 'blobs')
  const store = await openFileSystemBlobStore({ folder })
  await put(store, 'before')
  await rename(folder, join(scratch.path, 'elsewhere'))
  await expect(store.stage('lease')).rejects.toMatchObject({ code: 'storage-unavailable' })
  await expect(store.probe()).rejects.toMatchObject({ code: 'storage-unavailable' })
  expect(await readdir(scratch.path)).toEqual(['elsewhere'])
  await rename(join(scratch.path, 'elsewhere'), folder)
  await put(store, 'after')
  await store.close()
})

test('no name of a path reaches a person', async () => {
  await using scratch = await ScratchFolder.make()
  const store = await openFileSystemBlobStore({ folder: scratch.path })
  const location = await put(store, 'gone')
  await store.remove([location])
  const problem = await store.digest(location, ['sha256']).catch((error) => error)
  expect(problem).toMatchObject({ code: 'storage-unavailable', message: 'the stored bytes are not there' })
  expect(problem.cause).toMatchObject({ code: 'ENOENT' })
  await store.close()
})

test('bytes are gathered while a write is on its way, and a full buffer makes the caller wait', async () => {
  await using scratch = await ScratchFolder.make()
  const gate = Promise.withResolvers<void>()
  const sizes: number[] = []
  const calls = {
    ...systemCalls,
    write: async (handle: number, bytes: Uint8Array) => {
      sizes.push(bytes.length)
      await gate.promise
      return systemCalls.write(handle, bytes)
    },
  }
  const store = await openFileSystemBlobStore({ folder: scratch.path, calls })
  await using staged = await store.stage('lease')
  await staged.write(new Uint8Array(10))
  for (let round = 0; round < 4; round += 1) await staged.write(new Uint8Array(64 * 1024))
  let waiting = true
  const oneMore = staged.write(new Uint8Array(1)).then(() => {
    waiting = false
  })
  // Another trip to the disk: time enough for the write to go through if it did not wait.
  expect(await Array.fromAsync(store.locations('lease'))).toEqual([staged.location])
  expect(waiting).toBe(true)
  expect(sizes).toEqual([10])
  gate.resolve()
  await oneMore
  await staged.commit()
  expect(sizes).toEqual([10, 256 * 1024, 1])
  await store.close()
})

test('uploads that wait for a stalled disk hold a bounded number of buffers', async () => {
  await using scratch = await ScratchFolder.make()
  const gate = Promise.withResolvers<void>()
  let copied = 0
  const chunk = new Uint8Array(1000).fill(7)
  const calls = {
    ...systemCalls,
    write: async (handle: number, bytes: Uint8Array) => {
      if (bytes.buffer !== chunk.buffer) copied += 1
      await gate.promise
      return systemCalls.write(handle, bytes)
    },
  }
  const store = await openFileSystemBlobStore({ folder: scratch.path, calls })
  const uploads = await Promise.all(Array.from({ length: 400 }, () => store.stage('lease')))
  const writes = uploads.map((staged) => staged.write(chunk))
  expect(copied).toBe(256)
  gate.resolve()
  await Promise.all(writes)
  await Promise.all(uploads.map((staged) => staged.commit()))
  for (const staged of uploads) expect(await new Response(store.body(staged.location)).bytes()).toEqual(chunk)
  await Promise.all(uploads.map((staged) => staged[Symbol.asyncDispose]()))
  expect(await scratch.files()).toEqual([])
  await store.close()
})
