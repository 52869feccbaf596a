import { describe, expect, test } from 'bun:test'
import {
  packageAccess,
  rightsFrom,
  shownUnits,
  storedRights,
  type TeamRights,
  teamRights,
  teamUnits,
  unitsOf,
  type WantedRights,
} from './team-rights.ts'

const packages = (held: 'none' | 'read' | 'write' | 'admin') => ({ 'repo.packages': held })

describe('a new team', () => {
  const table: [WantedRights, TeamRights['permission'], TeamRights['unitsMap'], 1 | 2 | 3][] = [
    [{}, 'read', packages('read'), 1],
    [{ permission: 'none' }, 'none', packages('none'), 1],
    [{ permission: 'read' }, 'read', packages('read'), 1],
    [{ permission: 'write' }, 'write', packages('write'), 2],
    [{ permission: 'admin' }, 'admin', {}, 2],
    [{ unitsMap: {} }, 'read', packages('read'), 1],
    [{ units: [] }, 'read', packages('read'), 1],
    [{ units: ['repo.packages'] }, 'read', packages('read'), 1],
    [{ permission: 'write', units: ['repo.packages'] }, 'write', packages('write'), 2],
    // The permission itself counts, whatever the units are.
    [{ permission: 'write', units: ['repo.code'] }, 'write', { 'repo.code': 'write' }, 2],
    [{ unitsMap: packages('none') }, 'none', packages('none'), 1],
    [{ unitsMap: packages('read') }, 'read', packages('read'), 1],
    [{ unitsMap: packages('write') }, 'write', packages('write'), 2],
    [{ unitsMap: packages('admin') }, 'admin', packages('admin'), 2],
    // The map wins over a permission and over a list.
    [{ permission: 'write', unitsMap: packages('read') }, 'read', packages('read'), 1],
    [{ permission: 'none', unitsMap: packages('write') }, 'write', packages('write'), 2],
    [{ units: ['repo.code'], unitsMap: packages('read') }, 'read', packages('read'), 1],
    // But not over an administrator's.
    [{ permission: 'admin', unitsMap: packages('read') }, 'admin', {}, 2],
    // The lowest counts, but one may publish by the unit alone.
    [
      { unitsMap: { 'repo.code': 'read', ...packages('write') } },
      'read',
      { 'repo.code': 'read', ...packages('write') },
      2,
    ],
    [
      { unitsMap: { 'repo.code': 'write', ...packages('read') } },
      'read',
      { 'repo.code': 'write', ...packages('read') },
      1,
    ],
    // What is none, or can only be read anywhere, lowers nothing.
    [
      { unitsMap: { 'repo.code': 'none', ...packages('write') } },
      'write',
      { 'repo.code': 'none', ...packages('write') },
      2,
    ],
    [
      { unitsMap: { 'repo.ext_wiki': 'read', ...packages('write') } },
      'write',
      { 'repo.ext_wiki': 'read', ...packages('write') },
      2,
    ],
    [{ unitsMap: { 'repo.code': 'write' } }, 'write', { 'repo.code': 'write' }, 2],
    [{ unitsMap: { 'repo.code': 'read' } }, 'read', { 'repo.code': 'read' }, 1],
  ]

  test.each(table)('asked for with %j: %s %j, %i', (wanted, permission, unitsMap, access) => {
    const rights = teamRights(wanted)
    expect(rights).toEqual({ permission, unitsMap })
    expect(packageAccess(rights)).toBe(access)
  })
})

describe('a team that is changed', () => {
  const reading: TeamRights = { permission: 'read', unitsMap: { 'repo.code': 'none', ...packages('read') } }
  const publishing: TeamRights = { permission: 'read', unitsMap: { 'repo.code': 'read', ...packages('write') } }
  const administrating: TeamRights = { permission: 'admin', unitsMap: {} }
  const table: [TeamRights, WantedRights, TeamRights, 1 | 2 | 3][] = [
    [publishing, {}, publishing, 2],
    [publishing, { units: [], unitsMap: {} }, publishing, 2],
    [administrating, {}, administrating, 2],
    [reading, { permission: 'write' }, { permission: 'write', unitsMap: packages('write') }, 2],
    // Lowered to reading, it can publish by no unit any more.
    [
      publishing,
      { permission: 'read' },
      { permission: 'read', unitsMap: { 'repo.code': 'read', ...packages('read') } },
      1,
    ],
    [reading, { permission: 'admin' }, administrating, 2],
    [reading, { units: ['repo.packages'] }, { permission: 'read', unitsMap: packages('read') }, 1],
    [reading, { unitsMap: packages('write') }, { permission: 'write', unitsMap: packages('write') }, 2],
    [administrating, { unitsMap: packages('read') }, administrating, 2],
    [
      administrating,
      { permission: 'write', unitsMap: packages('read') },
      { permission: 'read', unitsMap: packages('read') },
      1,
    ],
  ]

  test.each(table)('from %j by %j: %j, %i', (before, wanted, after, access) => {
    const rights = teamRights(wanted, before)
    expect(rights).toEqual(after)
    expect(packageAccess(rights)).toBe(access)
  })

  test('from administrating to reading: every unit is read', () => {
    const rights = teamRights({ permission: 'read' }, administrating)
    expect(rights).toEqual({
      permission: 'read',
      unitsMap: Object.fromEntries(teamUnits.map((unit) => [unit, 'read'])),
    })
    expect(packageAccess(rights)).toBe(1)
  })
})

test('the team of the owners owns, and has every unit', () => {
  const owners: TeamRights = { permission: 'owner', unitsMap: {} }
  expect(packageAccess(owners)).toBe(3)
  expect(unitsOf(owners)).toEqual([...teamUnits])
  expect(new Set(Object.values(shownUnits(owners)))).toEqual(new Set(['owner']))
})

test('units in which a team may do nothing are in its map only', () => {
  const rights = teamRights({ unitsMap: { 'repo.code': 'none', ...packages('read') } })
  expect(unitsOf(rights)).toEqual(['repo.packages'])
  expect(shownUnits(rights)).toEqual({ 'repo.code': 'none', 'repo.packages': 'read' })
})

test('rights come back as they were stored', () => {
  const rights = teamRights({ unitsMap: { 'repo.code': 'write', ...packages('read') } })
  expect(rightsFrom(storedRights(rights))).toEqual(rights)
})
