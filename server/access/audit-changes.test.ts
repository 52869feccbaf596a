import { describe, expect, test } from 'bun:test'
import { changesOf } from './audit-changes.ts'

interface Row {
  email: string | null
  is_admin: 0 | 1
  visibility: string
  password_hash: string
}

const row: Row = { email: 'ada@example.com', is_admin: 0, visibility: 'public', password_hash: 'x' }
const told = {
  email: ['email', 'name only'],
  is_admin: ['admin', 'flag'],
  visibility: ['visibility', 'value'],
} as const

describe('what the log says of a change', () => {
  test.each<[string, Partial<Row>, object | undefined]>([
    ['nothing where nothing differs', {}, undefined],
    ['nothing of what it does not know', { password_hash: 'y' }, undefined],
    ['of an address only that it changed', { email: 'eve@example.com' }, { fields: ['email'] }],
    ['of a right, how it was and is', { is_admin: 1 }, { fields: ['admin'], admin_before: false, admin: true }],
    [
      'all that differs',
      { email: null, visibility: 'private' },
      { fields: ['email', 'visibility'], visibility_before: 'public', visibility: 'private' },
    ],
  ])('%s', (_, change, expected) => {
    expect(changesOf(row, { ...row, ...change }, told)).toEqual(expected as never)
  })
})
