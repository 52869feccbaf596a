import type { BlobStore } from '../../server/blobs/blob-store.ts'
import { mostDigestedAtOnce } from '../../server/registry/publish.ts'
import { seededBytes } from './seeded.ts'

/** Of a file so large that its digests are left to a job. */
export function bytesForJob(seed: number): Uint8Array<ArrayBuffer> {
  return seededBytes(mostDigestedAtOnce + 1, seed)
}

/** The same store; also one that computes digests while files come leaves them to the job now. */
export function digestsLater(store: BlobStore): BlobStore {
  return new Proxy(store, {
    get: (target, name: keyof BlobStore) => {
      if (name === 'digestsBeside') return undefined
      const value = target[name]
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
