import { randomUUID } from 'node:crypto'
import { link, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Writes a small file so that after a crash there is either the whole of it or what was there before. */
export async function writeDurably(path: string, text: string, mode: number): Promise<void> {
  const draft = `${path}.new`
  await writeAndSync(draft, text, mode)
  await rename(draft, path)
  await syncFolder(path)
}

/** The same, unless the file is there already: of several who do this at once, on whichever machine, one is the first. */
export async function writeDurablyOnce(path: string, text: string, mode: number): Promise<void> {
  const draft = `${path}.${randomUUID()}.new`
  try {
    await writeAndSync(draft, text, mode)
    await link(draft, path).catch(async (error) => {
      if (error.code === 'EEXIST') return
      // A file system without hard links: then nobody can be told that he came second.
      if (!/^(EPERM|ENOSYS|ENOTSUP|EOPNOTSUPP)$/.test(error.code)) throw error
      await rename(draft, path)
    })
  } finally {
    await rm(draft, { force: true })
  }
  await syncFolder(path)
}

async function writeAndSync(draft: string, text: string, mode: number): Promise<void> {
  const file = await open(draft, 'w', mode)
  try {
    await file.chmod(mode)
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(dirname(path), 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
