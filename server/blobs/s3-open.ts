import { Problem } from '../problems.ts'
import { PartMemory } from './part-memory.ts'
import { S3BlobStore } from './s3.ts'
import {
  type Checksums,
  mayPass,
  type S3Clients,
  type S3Place,
  s3Client,
  s3Reason,
  settingsBehind,
} from './s3-client.ts'
import { findChecksums, listingRefused, probeKey } from './s3-probe.ts'
import type { PartSizes } from './s3-upload.ts'

export interface OpenS3 {
  /** Milliseconds that a store is waited for which is itself just starting. */
  patience?: number
  /** Told once, where it has to be waited for. */
  waits?: (reason: string) => void
  sizes?: PartSizes
  memory?: PartMemory
  /** Milliseconds without a sign of life from the store. */
  answerTime?: number
}

export interface OpenedS3 {
  store: S3BlobStore
  clients: S3Clients
  /** What the store was seen to take. */
  checksums: Checksums
  /** Why multipart uploads that a crash left cannot be found; undefined where they can. */
  unfinishedHidden: string | undefined
}

/** A bucket as a blob store, once it has been seen to work. */
export async function openS3(
  place: S3Place,
  { patience = 30_000, waits, sizes, memory, answerTime }: OpenS3 = {},
): Promise<OpenedS3> {
  const until = performance.now() + patience
  const parts = s3Client(place, 'WHEN_REQUIRED', { answerTime })
  // One for all attempts: what those leave that fail, the last one removes.
  const key = probeKey(place)
  for (let told = false; ; told = true) {
    try {
      const checksums = await findChecksums(place, key)
      const refused = await listingRefused(parts, place)
      const clients = { whole: s3Client(place, checksums, { answerTime }), parts }
      const listsUnfinished = refused === undefined
      const store = new S3BlobStore({
        ...{ place, clients, listsUnfinished },
        sizes,
        memory: memory ?? new PartMemory(),
      })
      return { store, clients, checksums, unfinishedHidden: listsUnfinished ? undefined : s3Reason(refused) }
    } catch (error) {
      if (!mayPass(error) || performance.now() > until) {
        parts.destroy()
        throw cannotBeUsed(place, error)
      }
      if (!told) waits?.(s3Reason(error))
      await Bun.sleep(500)
    }
  }
}

function cannotBeUsed({ bucket, endpoint, prefix }: S3Place, error: unknown): Problem {
  const where = `The S3 bucket ${bucket}${endpoint === undefined ? '' : ` at ${endpoint}`}`
  const under = prefix === '' ? '' : ` (under ${prefix})`
  const settings = settingsBehind(error)
  const advice = settings === undefined ? '' : ` Check ${settings}.`
  const reason = s3Reason(error).replace(/\.$/, '')
  return new Problem('storage-unavailable', `${where}${under} cannot be used: ${reason}.${advice}`, {}, error)
}
