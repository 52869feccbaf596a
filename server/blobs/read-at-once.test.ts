import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ReadAtOnce } from './read-at-once.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'read-at-once-'))
  for (const size of [0, 1, 99, 100, 101]) await writeFile(join(folder, String(size)), 'x'.repeat(size))
})
afterAll(() => rm(folder, { recursive: true }))

describe('a small file', () => {
  test.each([0, 1, 99, 100])('of %d bytes is read', async (size) => {
    expect(await new ReadAtOnce(100).read(join(folder, String(size)), size)?.text()).toBe('x'.repeat(size))
  })

  test.each([
    ['is longer than it should be', '100', 99],
    ['is shorter', '99', 100],
    ['is not there', 'none', 10],
    ['is a folder', '.', 10],
    ['is larger than what is read at once', '101', 101],
  ])('is not, where it %s', (_, name, size) => {
    expect(new ReadAtOnce(100).read(join(folder, name), size)).toBeUndefined()
  })

  test('stays what it is when the next one is read', async () => {
    const reader = new ReadAtOnce(100)
    const first = reader.read(join(folder, '99'), 99)
    reader.read(join(folder, '1'), 1)
    expect(await first?.text()).toBe('x'.repeat(99))
  })
})

test('a disk that was slow is not waited for again until it has rested', () => {
  let now = 0
  let slow = 0
  const reader = new ReadAtOnce(100, {
    now: () => {
      const told = now
      now += slow
      return told
    },
  })
  const read = () => reader.read(join(folder, '1'), 1)
  expect(read()).toBeDefined()
  slow = 10
  expect(read()).toBeDefined()
  slow = 0
  expect(read()).toBeUndefined()
  now += 150
  expect(read()).toBeUndefined()
  now += 100
  expect(read()).toBeDefined()
})
