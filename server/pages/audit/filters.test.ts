import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { momentOf, queryOf, type Typed, typedIn, usual } from './filters.tsx'

const all = [...usual, 'owner', 'package'] as const

describe('filters of the log', () => {
  test('what browsers send is a moment of UTC', () => {
    expect(momentOf('2026-05-01')).toBe('2026-05-01T00:00:00Z')
    expect(momentOf('2026-05-01T10:30')).toBe('2026-05-01T10:30:00Z')
    expect(momentOf('2026-05-01T10:30:15')).toBe('2026-05-01T10:30:15Z')
    expect(momentOf('2026-05-01T10:30:00+02:00')).toBe('2026-05-01T10:30:00+02:00')
  })

  test('empty fields, and what is no filter, say nothing', () => {
    const sent = new URLSearchParams('actor=&action=%20&package=tool&page=2&limit=7&colour=red')
    expect(typedIn(sent, all)).toEqual({ package: 'tool' })
    expect(typedIn(sent, usual)).toEqual({})
  })

  test.each([
    [{ since: '2026-05-01T10:30' }, { since: Date.UTC(2026, 4, 1, 10, 30) }],
    [{ action: 'token.' }, { actions: ['token.created', 'token.deleted', 'token.exchanged'] }],
    [
      { actor: 'ada', credential: 'session' },
      { actor: 'ada', credential: 'session' },
    ],
  ] satisfies [Typed, object][])('%j is asked for', (typed, query) => {
    expect(queryOf(typed, all)).toMatchObject({ query })
  })

  test.each([
    [{ since: 'yesterday' }, 'since'],
    [{ until: '2026-02-31T10:00' }, 'until'],
    [{ action: 'nothing' }, 'action'],
    [{ credential: 'charm' }, 'credential'],
    [{ token_last_eight: 'XYZ' }, 'token_last_eight'],
    [{ actor: 'a'.repeat(300) }, 'actor'],
  ] satisfies [Typed, string][])('%j is wrong at its field', (typed, field) => {
    const asked = queryOf(typed, all)
    expect('faults' in asked ? [asked.faults.status, Object.keys(asked.faults.fields)] : asked).toEqual([422, [field]])
  })

  test('whatever is typed is a question or told to be none', () => {
    const typed = fc.record(
      Object.fromEntries(all.map((filter) => [filter, fc.string({ minLength: 1, unit: 'binary' })])),
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(typed, (some) => {
        const asked = queryOf(some, all)
        if ('faults' in asked) expect(asked.faults.status).toBe(422)
      }),
    )
  })
})
