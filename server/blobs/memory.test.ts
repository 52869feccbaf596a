import { blobStoreContract } from './blob-store.contract.ts'
import { memoryBlobStore } from './memory.ts'

blobStoreContract('blobs in memory', async () => ({
  store: memoryBlobStore(),
  [Symbol.asyncDispose]: async () => undefined,
}))
