import { neededModule } from './node-module.ts'

/**
 * Writes a file that is whole or not there at all: under another name beside it, onto stable storage, and then by a rename
 * into the place of what may be there.
 */
export async function land(to: string | URL, chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const { basename, dirname, join, resolve } = neededModule('node:path')
  const { open, rename, rm } = neededModule('node:fs/promises')
  const path = resolve(to instanceof URL ? neededModule('node:url').fileURLToPath(to) : to)
  const folder = dirname(path)
  // Longer names than 255 bytes are none, and what follows needs its place.
  const temporary = join(folder, `.${basename(path).slice(0, 60)}.${crypto.randomUUID()}.part`)
  const file = await open(temporary, 'wx')
  try {
    try {
      for await (const chunk of chunks) await writeAll(file, chunk)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await syncFolder(folder)
  return path
}

interface Writable {
  write(bytes: Uint8Array, offset: number, length: number): Promise<{ bytesWritten: number }>
}

async function writeAll(file: Writable, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.byteLength; ) {
    const { bytesWritten } = await file.write(bytes, at, bytes.byteLength - at)
    at += bytesWritten
  }
}

/** So that the name outlives a power failure. Windows and some file systems have no such thing. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await neededModule('node:fs/promises')
    .open(folder, 'r')
    .catch(() => undefined)
  await handle?.sync().catch(() => undefined)
  await handle?.close()
}
