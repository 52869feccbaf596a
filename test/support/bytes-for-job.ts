import { mostDigestedAtOnce } from '../../server/registry/publish.ts'
import { seededBytes } from './seeded.ts'

/** Of a file so large that its digests are left to a job. */
export function bytesForJob(seed: number): Uint8Array<ArrayBuffer> {
  return seededBytes(mostDigestedAtOnce + 1, seed)
}
