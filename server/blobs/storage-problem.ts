import { Problem } from '../problems.ts'
import { errno } from './file-calls.ts'

type Purpose = 'store' | 'read' | 'remove' | 'probe'

const outcomes: Record<Purpose, string> = {
  store: 'nothing was stored',
  read: 'the stored bytes cannot be read',
  remove: 'not everything was removed',
  probe: 'nothing can be stored',
}

/** What a failed system call means to a person. Anything that is not the system's failure is a bug and stays as it is. */
export function storageProblem(error: unknown, purpose: Purpose): unknown {
  const code = errno(error)
  const outcome = outcomes[purpose]
  switch (code) {
    case undefined:
      return error
    case 'ENOSPC':
      return new Problem('storage-full', `the disk is full: ${outcome}, free some space and try again`, {}, error)
    case 'EDQUOT':
      return new Problem(
        'storage-full',
        `the disk quota is used up: ${outcome}, free some space and try again`,
        {},
        error,
      )
    case 'EFBIG':
      return new Problem('storage-full', `the file is larger than this disk can hold: ${outcome}`, {}, error)
    case 'ENOENT':
      if (purpose !== 'read') break
      return new Problem('storage-unavailable', 'the stored bytes are not there', {}, error)
  }
  return new Problem(
    'storage-unavailable',
    `the storage does not work just now: ${outcome}, try again later`,
    {},
    error,
  )
}

/** Runs work on the disk and lets its failures out as problems. */
export async function onDisk<Result>(purpose: Purpose, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    throw storageProblem(error, purpose)
  }
}
