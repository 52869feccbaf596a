import type { BlobStore, Location } from '../blobs/blob-store.ts'
import type { Catalogue } from '../catalogue/transaction.ts'
import type { Turns } from '../lib/turns.ts'
import type { DownloadCounts } from './downloads.ts'
import type { ProcessLease } from './leases.ts'
import type { Observer } from './observer.ts'

/** What the registry's operations work with; `compose.ts` puts it together. */
export interface RegistryParts {
  catalogue: Catalogue
  blobs: BlobStore
  lease: ProcessLease
  limits: Limits
  downloads: DownloadCounts
  /** Anybody may search, of all there is: all who do so at once must not hold up everybody else. */
  searches: Turns
  /** Throws when the blob store is no longer the catalogue's own: an unmounted disk looks like an empty one. */
  checkStorage: () => Promise<void>
  /** How long freed bytes stay, in milliseconds. */
  blobGrace: number
  /** Milliseconds for which a link to the store works, to which downloads are redirected; undefined where all are sent from here. */
  linkLifetime: number | undefined
  /** Milliseconds since 1970. */
  now: () => number
  /** Bytes of uploads whose commit was not answered; the sweeper finds out what became of them. */
  unsettled: Set<Location>
  /** Uploads that are under way and may have reserved something. */
  reserving: Set<string>
  /** Has jobs of a kind done at once; called after a change that asked for one. */
  wake: (kind: string) => void
  observer: Observer
  /** Requests whose answer is not yet sent to its end. */
  openRequests: () => number
}

export interface Limits {
  /** Bytes; Infinity where there is none. */
  maxFileSize: number
}
