import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A fresh folder for one test. */
export class ScratchFolder {
  readonly path: string

  private constructor(path: string) {
    this.path = path
  }

  static async make(): Promise<ScratchFolder> {
    return new ScratchFolder(await mkdtemp(join(tmpdir(), 'stowage-blobs-')))
  }

  /** Every file in it, however deep, by its path from here. */
  async files(): Promise<string[]> {
    const entries = await readdir(this.path, { recursive: true, withFileTypes: true })
    return entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name).slice(this.path.length + 1))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true })
  }
}
