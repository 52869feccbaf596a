import { describe, expect, test } from 'bun:test'
import { DatabaseError } from 'pg'
import { Problem } from '../problems.ts'
import { isNotThereYet, LostConnection, NoConnection, postgresReason } from './postgres-problem.ts'

function fromServer(code: string, message = 'as the server says it'): DatabaseError {
  return Object.assign(new DatabaseError(message, 0, 'error'), { code })
}

const byCode = (code: string) => Object.assign(new Error(code), { code })
const problem = (cause: unknown) => new Problem('storage-unavailable', 'nothing was changed', {}, cause)

describe('a database that may be there in a moment', () => {
  const cases: [what: string, error: unknown, expected: boolean][] = [
    ['nobody listens', problem(byCode('ECONNREFUSED')), true],
    ['no such host yet', problem(byCode('ENOTFOUND')), true],
    ['reset', problem(byCode('ECONNRESET')), true],
    ['accepts and hangs up', problem(new Error('Connection terminated unexpectedly')), true],
    ['hung up in the middle', problem(new LostConnection(new Error('Connection terminated unexpectedly'))), true],
    ['accepts and is silent', problem(new Error('timeout expired')), true],
    ['the same in the pool', problem(new Error('Connection terminated due to connection timeout')), true],
    [
      'no connection of the pool in time',
      problem(new NoConnection(new Error('timeout exceeded when trying to connect'))),
      true,
    ],
    ['it says that it starts', problem(fromServer('57P03')), true],
    ['it is just stopping', problem(new LostConnection(fromServer('57P01'))), true],
    ['it is just recovering from a crash', problem(new LostConnection(fromServer('57P02'))), true],
    ['a deadlock of the migration', problem(fromServer('40P01')), true],
    ['a lock that the migration did not get', problem(fromServer('55P03')), true],
    ['wrong password', problem(fromServer('28P01')), false],
    ['no such database', problem(fromServer('3D000')), false],
    ['read-only', problem(fromServer('25006')), false],
    ['no right', fromServer('42501'), false],
    ['a sentence of our own', new Problem('storage-unavailable', 'This is PostgreSQL 13'), false],
    ['a bug', new TypeError('undefined is not a function'), false],
    ['a certificate that nobody knows', problem(byCode('DEPTH_ZERO_SELF_SIGNED_CERT')), false],
  ]
  test.each(cases)('%s', (_, error, expected) => {
    expect(isNotThereYet(error)).toBe(expected)
  })
})

describe('what the database says for itself', () => {
  const noPassword = "it asks for a password, and there is none: put it into PGPASSWORD or into the database's address"
  const cases: [what: string, error: unknown, expected: string | undefined][] = [
    ['with its code', problem(fromServer('25006', 'cannot execute INSERT')), 'cannot execute INSERT (25006)'],
    ['as it is', fromServer('42501', 'permission denied'), 'permission denied (42501)'],
    ['below several', problem(problem(fromServer('53100', 'no space'))), 'no space (53100)'],
    ['when it hangs up', problem(new LostConnection(new Error('read ECONNRESET'))), 'read ECONNRESET'],
    ['when it is away', problem(new NoConnection(byCode('ECONNREFUSED'))), 'ECONNREFUSED'],
    ['of all its addresses', problem(new NoConnection(Object.assign(new Error(''), { code: 'EX' }))), 'EX'],
    ['of its certificate', problem(new NoConnection(new Error('self-signed certificate'))), 'self-signed certificate'],
    ['nothing', new Problem('storage-unavailable', 'The blob folder belongs to another database.'), undefined],
    ...[
      'SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string',
      'SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a non-empty string',
    ].map((message): [string, unknown, string] => [message, problem(new Error(message)), noPassword]),
    ['no password in clear text', fromServer('28P01', 'empty password returned by client'), noPassword],
    [
      'a wrong password',
      fromServer('28P01', 'password authentication failed'),
      'password authentication failed (28P01)',
    ],
    ['nothing of a bug', new TypeError('undefined is not a function'), undefined],
    ['nothing of a disk', byCode('ENOSPC'), undefined],
  ]
  test.each(cases)('%s', (_, error, expected) => {
    expect(postgresReason(error)).toBe(expected)
  })
})
