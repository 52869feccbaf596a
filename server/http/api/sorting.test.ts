import { expect, test } from 'bun:test'
import { sortingFrom } from './sorting.ts'

test.each([
  [{}, 'created', true],
  [{ sort: '', order: '' }, 'created', true],
  [{ order: 'asc' }, 'created', false],
  [{ sort: 'name' }, 'name', false],
  [{ sort: 'name', order: 'desc' }, 'name', true],
  [{ sort: 'version' }, 'version', true],
  [{ sort: 'size', order: 'asc' }, 'size', false],
  [{ sort: 'downloads' }, 'downloads', true],
] as const)('%j sorts by %s, descending: %p', (query, by, descending) => {
  expect(sortingFrom(query)).toEqual({ by, descending })
})

test.each([
  [{ sort: 'Name' }, 'sort: must be created, name, version, size, downloads, or not be there'],
  [{ sort: 'name', order: 'up' }, 'order: must be asc, desc, or not be there'],
])('%j is refused', (query, sentence) => {
  expect(() => sortingFrom(query)).toThrow(sentence)
})
