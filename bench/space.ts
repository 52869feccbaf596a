import { statfs } from 'node:fs/promises'
import { Failure } from './failure.ts'

/** Throws where a folder's disk has less left than that. */
export async function needSpace(folder: string, needed: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`
  if (bavail * bsize < needed) {
    throw new Failure(
      `${folder} may need ${gigabytes(needed)} and has ${gigabytes(bavail * bsize)}: ` +
        'choose other cases with --only, or another place with TMPDIR.',
    )
  }
}
