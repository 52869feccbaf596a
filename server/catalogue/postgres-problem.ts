import { DatabaseError } from 'pg'
import { Problem } from '../problems.ts'
import { StartAgain } from './transaction.ts'

/** The connection died, or no answer came in time: what the statement did on the other side is not known. */
export class LostConnection extends Error {
  constructor(cause: unknown) {
    super(`The connection to the database was lost: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    })
    this.name = 'LostConnection'
  }
}

/** A server that did not answer in time will not do so the next time either; one that hung up may. */
export function wasLostAtOnce(error: unknown): boolean {
  if (!(error instanceof LostConnection)) return false
  return !(error.cause instanceof Error && error.cause.message === 'Query read timeout')
}

/** SQLSTATE (PostgreSQL manual, appendix A), undefined for what did not come from the server. */
function stateOf(error: unknown): string | undefined {
  return error instanceof DatabaseError ? (error.code ?? '') : undefined
}

/** Whether nobody can tell from this error whether the connection can still be used: then it cannot. */
export function endsConnection(error: unknown): boolean {
  const state = stateOf(error)
  if (state === undefined) return true
  const severity = (error as DatabaseError).severity
  return severity === 'FATAL' || severity === 'PANIC' || /^(08|57P|25P03)/.test(state)
}

/** Whether the server says that this commit did not happen; anything less than that leaves it open. */
export function refusesCommit(error: unknown): boolean {
  return stateOf(error) !== undefined && !endsConnection(error) && !/^(XX|58)/.test(stateOf(error) ?? '')
}

/**
 * Whether the transaction, of which nothing has happened, will find another state when it starts again: it met another
 * one (deadlock, serialization, a parent that went or came), or its connection died before the commit.
 */
export function mayStartAgain(error: unknown): boolean {
  if (error instanceof StartAgain || wasLostAtOnce(error)) return true
  return ['40001', '40P01', '23505', '23503'].includes(stateOf(error) ?? '')
}

/** What a failing database means to the caller; anything that is not the database's state is a bug, and stays as it is. */
export function postgresProblem(error: unknown): unknown {
  if (error instanceof Problem) return error
  const state = stateOf(error)
  if (state === '53100') {
    return new Problem('storage-full', "The database's disk is full: nothing was changed. Try again later.", {}, error)
  }
  if (state === '22021') {
    return new Problem('bad-request', 'The request holds a NUL character, which cannot be stored.', {}, error)
  }
  const isState =
    error instanceof LostConnection ||
    error instanceof StartAgain ||
    /^(08|25006|25P03|40|53|55|57|58|XX00[12])/.test(state ?? '')
  if (isState) {
    return new Problem('storage-unavailable', 'The database cannot be used now: nothing was changed.', {}, error)
  }
  return error
}
