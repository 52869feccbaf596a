import { blobFiles, rowCounts } from './inventory.ts'
import type { TestStowage } from './stowage.ts'

/** What a server holds, counted below the protocol: its rows, and the files with bytes on its disk. */
export interface Stored {
  packages: number
  versions: number
  files: number
  blobs: number
  filesOnDisk: number
}

export const nothing: Stored = { packages: 0, versions: 0, files: 0, blobs: 0, filesOnDisk: 0 }

export async function stored({ stowage, dataDir }: TestStowage): Promise<Stored> {
  const { packages, versions, files, blobs } = await rowCounts(stowage.registry.catalogue.read)
  return { packages, versions, files, blobs, filesOnDisk: (await blobFiles(dataDir)).size }
}
