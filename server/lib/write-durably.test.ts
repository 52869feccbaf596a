import { expect, test } from 'bun:test'
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeDurably, writeDurablyOnce } from './write-durably.ts'

async function folder() {
  const path = await mkdtemp(join(tmpdir(), 'stowage-test-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

test('a file is replaced, and nobody else may read it', async () => {
  await using place = await folder()
  const path = join(place.path, 'file')
  for (const text of ['one', 'two']) await writeDurably(path, text, 0o600)
  expect(await readFile(path, 'utf8')).toBe('two')
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect(await readdir(place.path)).toEqual(['file'])
})

test('of twenty who write a file once at the same time, all find what the first one wrote', async () => {
  await using place = await folder()
  const path = join(place.path, 'file')
  const found = await Promise.all(
    Array.from({ length: 20 }, async (_, number) => {
      await writeDurablyOnce(path, `text ${number}`, 0o600)
      return readFile(path, 'utf8')
    }),
  )
  expect(new Set(found).size).toBe(1)
  await writeDurablyOnce(path, 'later', 0o600)
  expect(await readFile(path, 'utf8')).toBe(found[0] ?? '')
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect(await readdir(place.path)).toEqual(['file'])
})
