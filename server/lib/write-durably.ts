import { open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Writes a small file so that after a crash there is either the whole of it or what was there before. */
export async function writeDurably(path: string, text: string, mode: number): Promise<void> {
  const draft = `${path}.new`
  const file = await open(draft, 'w', mode)
  try {
    await file.chmod(mode)
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(draft, path)
  const folder = await open(dirname(path), 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
