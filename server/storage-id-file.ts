import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { writeDurably, writeDurablyOnce } from './lib/write-durably.ts'

/** What the blob folder of a data directory says about which database it belongs to. */
export function storageIdFile(dataDir: string) {
  const file = join(dataDir, 'blobs', 'storage-id')
  const read = (): Promise<string | undefined> =>
    readFile(file, 'utf8').then(
      (text) => text.trim() || undefined,
      () => undefined,
    )
  return {
    called: 'The blob folder',
    mend: 'Mount the right one',
    setting: 'STOWAGE_DATA_DIR',
    read,
    /** Says so, unless it says something already; resolves with what it says. */
    claim: async (id: string): Promise<string> => {
      await writeDurablyOnce(file, `${id}\n`, 0o600)
      const said = await read()
      if (said === undefined) throw new Error(`${file} cannot be read`)
      return said
    },
    /** Folders of leases; what the store itself keeps there begins with a dot. */
    isUsed: async (): Promise<boolean> => {
      const names = await readdir(dirname(file)).catch(() => [])
      return names.some((name) => /^[0-9a-f]{20}$/.test(name))
    },
    write: (id: string): Promise<void> => writeDurably(file, `${id}\n`, 0o600),
  }
}
