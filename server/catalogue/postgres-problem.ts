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

/** There is no connection: nothing was asked yet. */
export class NoConnection extends Error {
  constructor(cause: unknown) {
    super(`There is no connection to the database: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    })
    this.name = 'NoConnection'
  }
}

/** Whether no answer came in time. */
export function isTimeout(error: unknown): boolean {
  return error instanceof LostConnection && error.cause instanceof Error && error.cause.message === 'Query read timeout'
}

/** A server that did not answer in time will not do so the next time either; one that hung up may. */
export function wasLostAtOnce(error: unknown): boolean {
  return error instanceof LostConnection && !isTimeout(error)
}

/** SQLSTATE (PostgreSQL manual, appendix A), undefined for what did not come from the server. */
function stateOf(error: unknown): string | undefined {
  return error instanceof DatabaseError ? (error.code ?? '') : undefined
}

/** An error, its cause, the cause of that, and so on. */
function causes(error: unknown): Error[] {
  return error instanceof Error ? [error, ...causes(error.cause)] : []
}

/** What the driver says of a server that hangs up, or is silent, before anything was asked; it gives these no code. */
const noAnswer = /^(Connection terminated|timeout expired|timeout exceeded when trying to connect)/

function codeOf(root: Error | undefined): string {
  return root && 'code' in root ? String(root.code) : ''
}

/** Nobody listens there, or whoever does is no database yet. */
function isUnreachable(root: Error | undefined): boolean {
  const codes = /^(ECONNREFUSED|ECONNRESET|EPIPE|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)$/
  return codes.test(codeOf(root)) || noAnswer.test(root?.message ?? '')
}

/**
 * Whether a start should wait and try again: for a database that is itself just starting (57P03) or stopping, or where a
 * migration met a lock (40P01, 55P03).
 */
export function isNotThereYet(error: unknown): boolean {
  const root = causes(error).at(-1)
  return isUnreachable(root) || /^(57P0[123]|40P01|55P03)$/.test(stateOf(root) ?? '')
}

/** The driver's words, and those of PostgreSQL where a password is asked for in clear text. */
const noPassword = /client password must be a |^empty password returned by client/

/** In the database's own words, or those of the way to it; undefined for what has another reason. */
export function postgresReason(error: unknown): string | undefined {
  const root = causes(error).at(-1)
  if (noPassword.test(root?.message ?? '')) {
    return "it asks for a password, and there is none: put it into PGPASSWORD or into the database's address"
  }
  const state = stateOf(root)
  if (state !== undefined) return `${root?.message} (${state})`
  const isOnTheWay = causes(error).some((cause) => cause instanceof LostConnection || cause instanceof NoConnection)
  return isOnTheWay ? root?.message || codeOf(root) : undefined
}

/**
 * Whether the server has no statement of that name (26000), one that another client left there (42P05), or one from before a
 * migration (0A000): with a pooler in between, each may be another server connection than before.
 */
export function isForgotten(error: unknown): boolean {
  return /^(26000|42P05|0A000)$/.test(stateOf(error) ?? '')
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
