import type { Location } from '../blobs/blob-store.ts'
import { addDigests, blobById, missingDigests } from '../catalogue/blobs.ts'
import { finishJob, type Job } from '../catalogue/jobs.ts'
import { transaction } from '../catalogue/transaction.ts'
import type { Digests } from '../lib/digests.ts'
import type { RegistryParts } from './parts.ts'

export const storeDigests = transaction(
  'store digests',
  async (tx, args: { blobId: number; digests: Partial<Digests>; job: Job }) => {
    await addDigests(tx, args.blobId, args.digests)
    await finishJob(tx, args.job)
  },
)

/** Computes the digests of a blob that nobody knows yet. A blob that is gone, or has them all, costs nothing. */
export async function completeDigests(parts: RegistryParts, job: Job): Promise<void> {
  const blobId = Number(job.subject)
  const blob = await blobById(parts.catalogue.read, blobId)
  const missing = blob ? missingDigests(blob) : []
  const digests = blob && missing.length > 0 ? await parts.blobs.digest(blob.location as Location, missing) : {}
  await parts.catalogue.transact(storeDigests, { blobId, digests, job })
}
