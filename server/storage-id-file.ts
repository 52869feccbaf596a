import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeDurably } from './lib/write-durably.ts'

/** What the blob folder of a data directory says about which database it belongs to. */
export function storageIdFile(dataDir: string) {
  const file = join(dataDir, 'blobs', 'storage-id')
  return {
    read: (): Promise<string | undefined> =>
      readFile(file, 'utf8').then(
        (text) => text.trim(),
        () => undefined,
      ),
    write: (id: string): Promise<void> => writeDurably(file, `${id}\n`, 0o600),
  }
}
