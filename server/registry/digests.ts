import type { Location } from '../blobs/blob-store.ts'
import { addDigests, blobById, missingDigests } from '../catalogue/blobs.ts'
import { finishJob } from '../catalogue/jobs.ts'
import { transaction } from '../catalogue/transaction.ts'
import type { Digests } from '../lib/digests.ts'
import type { RegistryParts } from './parts.ts'

export const storeDigests = transaction(
  'store digests',
  async (tx, args: { blobId: number; digests: Partial<Digests>; jobId: number }) => {
    await addDigests(tx, args.blobId, args.digests)
    await finishJob(tx, args.jobId)
  },
)

/** Computes the digests of a blob that nobody knows yet. A blob that is gone, or has them all, costs nothing. */
export async function completeDigests(parts: RegistryParts, job: { id: number; subject: string }): Promise<void> {
  const blobId = Number(job.subject)
  const blob = await blobById(parts.catalogue.read, blobId)
  const missing = blob ? missingDigests(blob) : []
  const digests = blob && missing.length > 0 ? await parts.blobs.digest(blob.location as Location, missing) : {}
  await parts.catalogue.transact(storeDigests, { blobId, digests, jobId: job.id })
}
