import { Problem } from '../problems.ts'

/** What a failing database means to the caller; anything that is not the database's state is a bug, and stays as it is. */
export function sqliteProblem(error: unknown): unknown {
  if (error instanceof Problem) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'SQLITE_FULL') {
    return new Problem(
      'storage-full',
      'The disk is full: nothing was changed. Free some space and try again.',
      {},
      error,
    )
  }
  if (/^SQLITE_(IOERR|BUSY|LOCKED|CANTOPEN|READONLY|NOMEM|CORRUPT|NOTADB)/.test(code)) {
    return new Problem('storage-unavailable', 'The database cannot be used now: nothing was changed.', {}, error)
  }
  return error
}
