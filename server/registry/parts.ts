import type { BlobStore, Location } from '../blobs/blob-store.ts'
import type { Catalogue } from '../catalogue/transaction.ts'
import type { ProcessLease } from './leases.ts'

/** What the registry's operations work with; `compose.ts` puts it together. */
export interface RegistryParts {
  catalogue: Catalogue
  blobs: BlobStore
  lease: ProcessLease
  limits: Limits
  /** Throws when the blob store is no longer the catalogue's own: an unmounted disk looks like an empty one. */
  checkStorage: () => Promise<void>
  /** How long freed bytes stay, in milliseconds. */
  blobGrace: number
  /** Milliseconds since 1970. */
  now: () => number
  /** Bytes of uploads whose commit was not answered; the sweeper finds out what became of them. */
  unsettled: Set<Location>
  /** Has jobs of a kind done at once; called after a change that asked for one. */
  wake: (kind: string) => void
}

export interface Limits {
  /** Bytes; Infinity where there is none. */
  maxFileSize: number
}
